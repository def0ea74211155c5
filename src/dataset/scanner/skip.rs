//! The short cut past the elements that nobody asks for.

use super::{Frame, Holds, Scanner};
use crate::dataset::header::{Head, UNDEFINED, begins_with_item, looks_like_a_vr};
use crate::dataset::vr::Vr;
use crate::dataset::{Syntax, Tag, number, vr_of};

/// Below are the groups that no data set may have, and group 0001 with them.
const LOWEST: u32 = 0x0002_FFFF;
/// From here on there are items, delimiters and what is out of order behind them.
const HIGHEST: u32 = 0xFFFE_0000;

impl Scanner {
    /// Moves `at` behind all elements of the data set or item under way up to the first that is `asked` for, by its tag and length, or that
    /// is more than a header and a value which are in the input whole. [`next`](Self::next) goes on from there, and would
    /// have come there, so how much is passed in this way decides nothing but how long it takes.
    pub fn skip(&mut self, input: &[u8], at: &mut usize, asked: impl Fn(Tag, u32) -> bool) {
        self.forget_spent();
        let frame = *self.frame();
        let is_between = self.rest == 0 && self.carried == 0 && frame.holds == Holds::Elements;
        if !is_between || self.may_be_both(&frame, input.get(*at..).unwrap_or_default()) {
            return;
        }
        let (mut last, mut position, mut count) = (frame.tag, self.position, frame.count);
        let mut rest = input.get(*at..).unwrap_or_default();
        while let Some(head) = Head::read(frame.syntax, true, rest)
            && head.is_plain(frame.syntax, number(last))
            && !asked(head.tag, head.length)
            && let Some(behind) = usize::try_from(head.whole()).ok().and_then(|size| rest.get(size..))
            && head.whole() <= frame.limit.saturating_sub(position)
            && !(begins_with_item(frame.syntax, rest.get(head.size..).unwrap_or_default())
                && head.may_hold_items(frame.syntax))
        {
            (last, rest, count) = (head.tag, behind, count.saturating_add(1));
            position += head.whole();
        }
        if count != frame.count {
            (self.position, *at) = (position, input.len() - rest.len());
            let frame = self.frame_mut();
            (frame.tag, frame.count) = (last, count);
        }
    }
}

impl Scanner {
    /// Whether a data set in implicit VR begins here that could be read in two encodings, which [`next`](Self::next) refuses.
    fn may_be_both(&self, frame: &Frame, rest: &[u8]) -> bool {
        let head = || Head::read(frame.syntax, true, rest);
        self.position == 0
            && !frame.syntax.explicit
            && head().is_some_and(|head| looks_like_a_vr(head.length))
    }
}

impl Head {
    /// With the value.
    fn whole(&self) -> u64 {
        self.size as u64 + u64::from(self.length)
    }

    /// Whether it comes behind all those `before`, and is sure to hold nothing but a value.
    fn is_plain(&self, syntax: Syntax, before: u32) -> bool {
        let tag = number(self.tag);
        let holds_items = match self.vr {
            Some(Vr::SQ) => true,
            Some(Vr::UN) => vr_of(self.tag) == Vr::SQ,
            Some(_) => false,
            None => syntax.explicit || vr_of(self.tag) == Vr::SQ,
        };
        tag > before.max(LOWEST) && tag < HIGHEST && !holds_items && self.length != UNDEFINED
    }
}

#[cfg(test)]
mod tests;

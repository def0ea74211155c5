//! Headers that stand in their place before a value and nothing else, as nearly all do: read at once, by the short cut too.
//!
//! Whatever is not known for sure from the header and the four bytes behind it is no such header, and takes the long way
//! through [`entering`](super::entering), which alone says what is wrong. So this has no say in what is read.

use std::ops::Range;

use super::{Frame, Holds, Scanner};
use crate::dataset::header::{Head, Header, ITEM_TAG, UNDEFINED, begins_with_item, looks_like_a_vr};
use crate::dataset::vr::Vr;
use crate::dataset::{Syntax, number, vr_of};

/// Below are the groups that no data set may have, and group 0001 with them.
const LOWEST: u32 = 0x0002_FFFF;
/// From here on there are items, delimiters and what is out of order behind them.
const HIGHEST: u32 = 0xFFFE_0000;

impl Scanner {
    /// The element that comes next, and where its header is, where that is plain: as [`next`](Self::next) has them, for who
    /// would rather not be told that it is an element each time.
    #[inline(always)]
    pub(crate) fn plain(&mut self, input: &[u8], at: &mut usize) -> Option<(Header, Range<usize>)> {
        if self.rest > 0 || self.carried > 0 {
            return None;
        }
        let position = self.position;
        let frame = self.frame_mut();
        let head = frame.plain(number(frame.tag), position == 0, input.get(*at..)?)?;
        if head.whole() > frame.limit.saturating_sub(position) {
            return None;
        }
        let header = head.of_element(frame.syntax)?;
        (frame.tag, frame.count) = (header.tag, frame.count.saturating_add(1));
        (self.rest, self.position) = (head.length, position + head.size as u64);
        let start = *at;
        *at = start + head.size;
        Some((header, start..*at))
    }
}

impl Frame {
    /// The header that `bytes` begin with behind the element of the number `last`, where it is plain. How far the value may
    /// reach is for the caller to know. `is_first` is for that of a data set.
    #[inline(always)]
    pub(super) fn plain(&self, last: u32, is_first: bool, bytes: &[u8]) -> Option<Head> {
        self.short(last, bytes).or_else(|| self.any_plain(last, is_first, bytes))
    }

    /// The same, as far as a length of 16 bits and explicit VR in little endian go, which need the fewest questions.
    #[inline(always)]
    fn short(&self, last: u32, bytes: &[u8]) -> Option<Head> {
        if self.holds != Holds::Elements || self.syntax != Syntax::EXPLICIT_LE {
            return None;
        }
        let head = Head::short(bytes)?;
        (head.number > last.max(LOWEST) && head.number < HIGHEST).then_some(head)
    }

    #[inline(never)]
    fn any_plain(&self, last: u32, is_first: bool, bytes: &[u8]) -> Option<Head> {
        if self.holds != Holds::Elements {
            return None;
        }
        let head = Head::read(self.syntax, true, bytes)?;
        if head.number <= last.max(LOWEST) || head.number >= HIGHEST {
            return None;
        }
        if is_first && !self.syntax.explicit && looks_like_a_vr(head.length) {
            return None;
        }
        head.is_before_a_value(self.syntax, bytes).then_some(head)
    }
}

impl Head {
    /// Bytes of header and value together.
    #[inline(always)]
    pub(super) fn whole(&self) -> u64 {
        self.size as u64 + u64::from(self.length)
    }

    /// Whether what is behind the header, which `bytes` begin with, is sure to be a value and no sequence.
    #[inline(always)]
    fn is_before_a_value(&self, syntax: Syntax, bytes: &[u8]) -> bool {
        match self.vr {
            None | Some(Vr::SQ) => false,
            Some(Vr::UN) => self.is_before_an_unknown_value(syntax, bytes),
            Some(_) => self.length != UNDEFINED,
        }
    }

    /// The same, where a sequence need not say that it is one.
    fn is_before_an_unknown_value(&self, syntax: Syntax, bytes: &[u8]) -> bool {
        let value = bytes.get(self.size..).unwrap_or_default();
        let is_value = || value.len() >= ITEM_TAG && !begins_with_item(syntax, value);
        self.length != UNDEFINED && vr_of(self.tag()) != Vr::SQ && (!self.may_hold_items() || is_value())
    }
}

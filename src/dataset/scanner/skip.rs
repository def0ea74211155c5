//! The short cut past the elements that nobody asks for.

use super::{Holds, LONG_HEAD, SHORT_HEAD, Scanner, UNDEFINED};
use crate::dataset::vr::{Form, Vr};
use crate::dataset::{Tag, number, vr_of};

/// Below are the groups that no data set may have, and group 0001 with them.
const LOWEST: u32 = 0x0002_FFFF;
/// From here on there are items, delimiters and what is out of order behind them.
const HIGHEST: u32 = 0xFFFE_0000;

impl Scanner {
    /// Moves `at` behind all elements of the data set or item under way up to the first that is `asked` for, or that
    /// is more than a header and a value which are in the input whole. [`next`](Self::next) goes on from there, and would
    /// have come there, so how much is passed in this way decides nothing but how long it takes. Big endian is retired,
    /// and goes the long way.
    pub fn skip(&mut self, input: &[u8], at: &mut usize, asked: impl Fn(Tag) -> bool) {
        self.forget_spent();
        let frame = *self.frame();
        let is_between = self.rest == 0 && self.carried == 0 && frame.holds == Holds::Elements;
        if !is_between || frame.syntax.big_endian {
            return;
        }
        let (mut last, mut position, mut count) = (number(frame.tag), self.position, frame.count);
        let mut rest = input.get(*at..).unwrap_or_default();
        while let Some((tag, value)) = plain(frame.syntax.explicit, last.max(LOWEST), rest)
            && !asked(tag_of(tag))
            && let Some(behind) = value.behind(rest)
            && value.size() <= frame.limit.saturating_sub(position)
        {
            (last, rest, count) = (tag, behind, count.saturating_add(1));
            position += value.size();
        }
        if count != frame.count {
            (self.position, *at) = (position, input.len() - rest.len());
            let frame = self.frame_mut();
            (frame.tag, frame.count) = (tag_of(last), count);
        }
    }
}

fn tag_of(number: u32) -> Tag {
    Tag((number >> 16) as u16, number as u16)
}

/// Where a value is.
struct Span {
    head: u32,
    length: u32,
}

impl Span {
    fn size(&self) -> u64 {
        u64::from(self.head) + u64::from(self.length)
    }

    fn behind<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        rest.get(usize::try_from(self.size()).ok()?..)
    }
}

/// The tag of an element that comes behind all those `before`, and is sure to hold nothing but a value; and that value.
#[inline]
fn plain(explicit: bool, before: u32, rest: &[u8]) -> Option<(u32, Span)> {
    let &[g0, g1, e0, e1, v0, v1, l0, l1] = rest.first_chunk::<SHORT_HEAD>()?;
    let tag = u32::from_le_bytes([g0, g1, e0, e1]).rotate_left(16);
    if tag <= before || tag >= HIGHEST {
        return None;
    }
    let span = match Form::of([v0, v1]) {
        _ if !explicit && vr_of(tag_of(tag)) == Vr::SQ => return None,
        _ if !explicit => Span { head: 8, length: u32::from_le_bytes([v0, v1, l0, l1]) },
        Form::Short => Span { head: 8, length: u32::from(u16::from_le_bytes([l0, l1])) },
        Form::Long if [v0, v1] == *b"SQ" => return None,
        Form::Long if [v0, v1] == *b"UN" && vr_of(tag_of(tag)) == Vr::SQ => return None,
        Form::Long => {
            let &[.., m0, m1, m2, m3] = rest.first_chunk::<LONG_HEAD>()?;
            Span { head: 12, length: u32::from_le_bytes([m0, m1, m2, m3]) }
        }
        Form::Unknown => return None,
    };
    (span.length != UNDEFINED).then_some((tag, span))
}

#[cfg(test)]
mod tests;

//! The short cut past the elements that nobody asks for.

use super::{Frame, Head, Holds, Scanner, UNDEFINED};
use crate::dataset::{Tag, number};

/// Below are the groups that no data set may have, and group 0001 with them.
const LOWEST: u32 = 0x0002_FFFF;
/// From here on there are items, delimiters and what is out of order behind them.
const HIGHEST: u32 = 0xFFFE_0000;

impl Scanner {
    /// Moves `at` behind all elements of the data set or item under way up to the first that is `asked` for, or that is
    /// more than a header and a value which are in the input whole. [`next`](Self::next) goes on from there, and would
    /// have come there, so how much of a data set is passed in this way decides nothing but how long it takes.
    pub fn skip(&mut self, input: &[u8], at: &mut usize, asked: impl Fn(Tag) -> bool) {
        self.forget_spent();
        let frame = *self.frame();
        if self.rest > 0 || self.carried > 0 || frame.holds != Holds::Elements {
            return;
        }
        let (mut last, mut position, mut count) = (frame.tag, self.position, frame.count);
        while let Some((tag, size)) = plain(&frame, last, input.get(*at..).unwrap_or_default())
            && !asked(tag)
            && frame.limit - position >= size as u64
        {
            (last, count) = (tag, count.saturating_add(1));
            position += size as u64;
            *at += size;
        }
        self.position = position;
        let frame = self.frame_mut();
        (frame.tag, frame.count) = (last, count);
    }
}

/// The tag of an element that holds nothing but a value, behind the `last` one, and its size with its header.
fn plain(frame: &Frame, last: Tag, rest: &[u8]) -> Option<(Tag, usize)> {
    let head = Head::read(frame, rest)?;
    let in_order = number(head.tag) > number(last).max(LOWEST) && number(head.tag) < HIGHEST;
    if !in_order || head.length == UNDEFINED || head.of_element(frame.syntax)?.is_sequence() {
        return None;
    }
    let size = head.size.checked_add(usize::try_from(head.length).ok()?)?;
    (size <= rest.len()).then_some((head.tag, size))
}

#[cfg(test)]
mod tests;

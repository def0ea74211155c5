//! The short cut past the elements that nobody asks for.

use super::Scanner;
use crate::dataset::header::tag_of;
use crate::dataset::{Tag, number};

impl Scanner {
    /// Moves `at` behind all elements of the data set or item under way up to the first that is `asked` for, by its tag, its length and its bytes, or that
    /// is more than a header and a value which are in the input whole. [`next`](Self::next) goes on from there, and would
    /// have come there, so how much is passed in this way decides nothing but how long it takes.
    pub fn skip(&mut self, input: &[u8], at: &mut usize, asked: impl Fn(Tag, u32, &[u8]) -> bool) {
        self.forget_spent();
        if self.rest > 0 || self.carried > 0 {
            return;
        }
        let (frame, is_first) = (*self.frame(), self.position == 0);
        let (mut last, mut count) = (number(frame.tag), 0_u32);
        let rest = input.get(*at..).unwrap_or_default();
        // Nothing reaches beyond what holds it.
        let room = usize::try_from(frame.limit.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let within = rest.get(..room).unwrap_or(rest);
        let mut rest = within;
        while let Some(head) = frame.plain(last, is_first && count == 0, rest)
            && !asked(head.tag(), head.length, rest)
            && let Some(behind) = usize::try_from(head.whole()).ok().and_then(|whole| rest.get(whole..))
        {
            (last, rest, count) = (head.number, behind, count.wrapping_add(1));
        }
        let passed = within.len().saturating_sub(rest.len());
        if passed > 0 {
            (self.position, *at) = (self.position + passed as u64, *at + passed);
            let frame = self.frame_mut();
            (frame.tag, frame.count) = (tag_of(last), frame.count.saturating_add(count));
        }
    }
}

#[cfg(test)]
mod tests;

//! What was read of a leg and not yet used up.

use std::future::poll_fn;
use std::io;
use std::task::{Poll, ready};

use super::leg::Leg;
use crate::wire::Buffer;

/// The bytes of one leg that were read and not yet used up.
#[derive(Default)]
pub(crate) struct Inbox {
    bytes: Option<Buffer>,
    start: usize,
    end: usize,
}

impl Inbox {
    /// The whole buffer: ranges of [`Self::position`] lie in it until the next [`Self::fill`].
    pub fn all(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or_default()
    }

    pub fn unread(&self) -> &[u8] {
        self.all().get(self.start..self.end).unwrap_or_default()
    }

    /// Where the unread bytes begin in [`Self::all`].
    pub fn position(&self) -> usize {
        self.start
    }

    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Gives the buffer back if nothing is in it.
    pub fn rest(&mut self) {
        if self.start == self.end {
            *self = Self::default();
        }
    }

    /// Reads more behind what is unread; zero is the end of the stream. While it waits with nothing unread, it holds no
    /// buffer: one is lent to each look at the stream.
    pub async fn fill(&mut self, leg: &Leg) -> io::Result<usize> {
        let waits_empty = self.bytes.is_none();
        let count = poll_fn(|cx| {
            if waits_empty {
                ready!(leg.poll_readable(cx));
            }
            let buffer = self.bytes.get_or_insert_with(Buffer::lend);
            // What is left over is short: a header, an odd byte, or less than the smallest cut.
            buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            let read = leg.poll_read(cx, buffer.get_mut(self.end..).unwrap_or_default());
            if waits_empty && read.is_pending() {
                self.bytes = None;
            }
            Poll::Ready(ready!(read))
        })
        .await?;
        self.end += count;
        Ok(count)
    }
}

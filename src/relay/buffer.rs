//! Read buffers that exist only while data flows.

use std::future::poll_fn;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use super::leg::Leg;

/// Bytes of one read buffer: large reads are what makes a relay cheap.
const SIZE: usize = 256 * 1024;

/// Buffers kept for the next message of anybody, so that short messages need no allocation.
const KEPT: usize = 16;

/// The buffers that nobody uses at the moment.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Box<[u8]>>>);

impl Pool {
    fn take(&self) -> Box<[u8]> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| vec![0; SIZE].into_boxed_slice())
    }

    fn give_back(&self, buffer: Box<[u8]>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(buffer);
        }
    }
}

/// The bytes of one leg that were read and not yet used up.
pub(crate) struct Inbox<'p> {
    pool: &'p Pool,
    bytes: Option<Box<[u8]>>,
    start: usize,
    end: usize,
}

impl<'p> Inbox<'p> {
    pub fn new(pool: &'p Pool) -> Self {
        Self { pool, bytes: None, start: 0, end: 0 }
    }

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
        if self.start == self.end
            && let Some(buffer) = self.bytes.take()
        {
            self.pool.give_back(buffer);
            (self.start, self.end) = (0, 0);
        }
    }

    /// Reads more behind what is unread; zero is the end of the stream. While it waits with nothing unread, it holds no
    /// buffer: one is lent to each look at the stream.
    pub async fn fill(&mut self, leg: &Leg) -> io::Result<usize> {
        let count = match &mut self.bytes {
            None => {
                let (buffer, count) = poll_fn(|cx| {
                    let mut buffer = self.pool.take();
                    match leg.poll_read(cx, &mut buffer) {
                        Poll::Ready(read) => Poll::Ready(read.map(|count| (buffer, count))),
                        Poll::Pending => {
                            self.pool.give_back(buffer);
                            Poll::Pending
                        }
                    }
                })
                .await?;
                self.bytes = Some(buffer);
                (self.start, self.end) = (0, 0);
                count
            }
            Some(buffer) => {
                // What is left over is short: a header, an odd byte, or less than the smallest cut.
                buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
                leg.read(buffer.get_mut(self.end..).unwrap_or_default()).await?
            }
        };
        self.end += count;
        Ok(count)
    }
}

impl Drop for Inbox<'_> {
    fn drop(&mut self) {
        self.start = self.end;
        self.rest();
    }
}

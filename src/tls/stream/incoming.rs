//! Records as they came from the socket, and the data in them.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

use crate::wire::Buffer;

/// One buffer: data that was decrypted and waits for its reader, then records that were not looked at yet.
#[derive(Default)]
pub struct Incoming {
    buffer: Option<Buffer>,
    /// Data of records in front of `start`; short, as it is delivered before more is decrypted.
    data: Vec<Range<usize>>,
    start: usize,
    end: usize,
    /// In place of the buffer while more is waited for: the beginning of a record.
    unread: Vec<u8>,
}

impl Incoming {
    /// Whether there may be data, or records that hold some; without one, at most the beginning of a record is here.
    pub fn has_buffer(&self) -> bool {
        self.buffer.is_some()
    }

    /// The records that rustls has not taken yet.
    pub fn records(&mut self) -> &mut [u8] {
        let range = self.start..self.end;
        self.buffer.as_mut().and_then(|buffer| buffer.get_mut(range)).unwrap_or_default()
    }

    /// rustls has taken so many bytes of records.
    pub fn taken(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// So many bytes of data lie `from` the start of the records. `None`: they do not lie in them.
    pub fn note(&mut self, from: usize, length: usize) -> Option<()> {
        let start = self.start.checked_add(from)?;
        let end = start.checked_add(length).filter(|end| *end <= self.end)?;
        self.data.push(start..end);
        Some(())
    }

    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.unread.len() + self.buffer.as_ref().map_or(0, |buffer| buffer.len())
    }

    /// Hands data on, as much as fits.
    pub fn deliver(&mut self, into: &mut ReadBuf<'_>) {
        let Some(buffer) = &self.buffer else { return };
        let mut delivered = 0;
        for range in &mut self.data {
            let fits = range.len().min(into.remaining());
            into.put_slice(buffer.get(range.start..range.start + fits).unwrap_or_default());
            range.start += fits;
            delivered += usize::from(range.start == range.end);
        }
        self.data.drain(..delivered);
    }

    /// Reads more records; zero is the end of the stream. Data has to be delivered before. While it waits, no buffer is
    /// lent: what has come of a record, which may be all that ever comes, is kept in as many bytes as it has.
    pub fn poll_fill(&mut self, socket: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.buffer.is_none() {
            ready!(socket.poll_read_ready(cx))?;
        }
        let buffer = self.buffer.get_or_insert_with(Buffer::lend);
        let unread = std::mem::take(&mut self.unread);
        match buffer.get_mut(..unread.len()) {
            Some(front) if !unread.is_empty() => {
                front.copy_from_slice(&unread);
                (self.start, self.end) = (0, unread.len());
            }
            _ => {
                buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
        }
        let mut room = ReadBuf::new(buffer.get_mut(self.end..).unwrap_or_default());
        if room.capacity() == 0 {
            let what = "a TLS handshake in more records than can be held";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, what)));
        }
        let read = Pin::new(socket).poll_read(cx, &mut room);
        let count = room.filled().len();
        self.end += count;
        if read.is_pending() {
            self.unread = buffer.get(self.start..self.end).unwrap_or_default().to_vec();
            (self.buffer, self.start, self.end) = (None, 0, 0);
            self.data = Vec::new();
        }
        read.map_ok(|()| count)
    }
}

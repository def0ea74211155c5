//! Records as they came from the socket, and the data in them.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

use crate::wire::Buffer;

/// Type, version and length in front of a record (RFC 8446 §5.1).
const HEADER: usize = 5;

/// One buffer: data that was decrypted and waits for its reader, then records that were not looked at yet.
#[derive(Default)]
pub struct Incoming {
    buffer: Option<Buffer>,
    /// Data of records in front of `start`; short, as it is delivered before more is decrypted.
    data: Vec<Range<usize>>,
    start: usize,
    end: usize,
}

impl Incoming {
    /// The records that rustls has not taken yet.
    pub fn records(&mut self) -> &mut [u8] {
        let range = self.start..self.end;
        self.buffer.as_mut().and_then(|buffer| buffer.get_mut(range)).unwrap_or_default()
    }

    /// rustls has taken so many bytes of records.
    pub fn taken(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// The last of the records in the first `count` bytes holds data, at `place` in its body. `None`: it does not.
    pub fn note(&mut self, count: usize, place: (usize, usize)) -> Option<()> {
        let records = self.buffer.as_deref()?.get(self.start..self.start.checked_add(count)?)?;
        let mut at = 0;
        let body = loop {
            let header = records.get(at..at + HEADER)?;
            let body = at + HEADER
                ..at + HEADER + usize::from(u16::from_be_bytes([*header.get(3)?, *header.get(4)?]));
            at = body.end;
            if at >= count {
                break body;
            }
        };
        let start = body.start + place.0;
        (at == count && start + place.1 <= body.end).then(|| {
            self.data.push(self.start + start..self.start + start + place.1);
        })
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

    /// Reads more records; zero is the end of the stream. Data has to be delivered before. A buffer is lent while there is
    /// something in it.
    pub fn poll_fill(&mut self, socket: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.start == self.end && self.data.is_empty() {
            self.buffer = None;
            ready!(socket.poll_read_ready(cx))?;
        }
        let buffer = self.buffer.get_or_insert_with(Buffer::lend);
        if self.data.is_empty() {
            buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let mut room = ReadBuf::new(buffer.get_mut(self.end..).unwrap_or_default());
        ready!(Pin::new(socket).poll_read(cx, &mut room))?;
        let count = room.filled().len();
        self.end += count;
        Poll::Ready(Ok(count))
    }
}

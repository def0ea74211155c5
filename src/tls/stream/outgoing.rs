//! Records that are on their way to the socket.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

use crate::buffer::Buffer;

/// A buffer is lent while there is something to send.
#[derive(Default)]
pub struct Outgoing {
    buffer: Option<Buffer>,
    start: usize,
    end: usize,
}

impl Outgoing {
    /// Where the next record can be written.
    pub fn room(&mut self) -> &mut [u8] {
        let end = self.end;
        self.buffer.get_or_insert_with(Buffer::lend).get_mut(end..).unwrap_or_default()
    }

    /// So many bytes were written to the room.
    pub fn put(&mut self, count: usize) {
        self.end += count;
    }

    /// Sends all records that wait, and gives the buffer back. Pending: some of them are left, for the next call.
    pub fn poll_send(&mut self, socket: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.buffer.as_ref().and_then(|buffer| buffer.get(self.start..self.end))
            && !rest.is_empty()
        {
            match ready!(Pin::new(&mut *socket).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.start += count,
            }
        }
        *self = Self::default();
        Poll::Ready(Ok(()))
    }
}

//! A TLS stream that reads many records at once, decrypted where they came.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod` | the stream: bytes in, bytes out |
//! | `connection` | rustls's connection and what became of it |
//! | `side` | what the stream asks of a TLS library |
//! | `unbuffered` | rustls, which answers it |
//! | `sealing` | plaintext that becomes records |
//! | `outgoing` | records that are on their way to the socket |
//! | `establish` | the handshake |
//!
//! Records that came, and the data in them, are in an [`Inbox`].

mod connection;
mod establish;
mod outgoing;
mod sealing;
mod side;
mod unbuffered;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::CommonState;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::buffer::Inbox;
use connection::Connection;
pub use side::Side;
use unbuffered::{Client, Server};

/// A listener's end of a connection.
pub type ServerStream = Stream<Server>;
/// The end towards an upstream.
pub type ClientStream = Stream<Client>;

/// TLS over TCP. While nothing flows it holds no buffers. Reader and writer have to live in one task: either may go on with
/// what the other began.
///
/// It is cut off, an error of kind `UnexpectedEof`, when TCP ends without a close_notify (RFC 8446 §6.1).
pub struct Stream<S> {
    socket: TcpStream,
    connection: Connection<S>,
    /// What came, unless its reader brings an inbox of its own: then at most a handshake message that is not whole, which
    /// rustls wants to see again before it does anything else.
    incoming: Inbox,
    closing: bool,
}

impl<S: Side> Stream<S> {
    fn new(socket: TcpStream, side: S) -> Self {
        Self { socket, connection: Connection::new(side), incoming: Inbox::default(), closing: false }
    }

    /// The TCP socket that the records go over.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Whether a read could give something, or an end. An error of the socket is the read's to tell.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.incoming.has_buffer() || self.connection.is_over() {
            return Poll::Ready(());
        }
        self.socket.poll_read_ready(cx).map(|_| ())
    }

    /// What the handshake settled: version, cipher suite, and the certificates of the other end.
    pub fn state(&self) -> &CommonState {
        self.connection.side.settled()
    }

    /// Bytes of memory that wait for more, for tests.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.incoming.all().len()
    }

    /// Reads data into the reader's own inbox, where it is decrypted and stays; gives its length, zero at the end.
    ///
    /// # Errors
    /// Those of the socket, and of TLS as `InvalidData`; what went wrong after some data is told after it.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<io::Result<usize>> {
        let brought = self.incoming.available() > 0;
        inbox.take_over(&mut self.incoming)?;
        let filled = match brought {
            true => Poll::Ready(Ok(self.connection.decrypt(&mut self.socket, cx, inbox))),
            false => self.connection.poll_data(&mut self.socket, cx, inbox),
        };
        if begins_with_a_record(inbox.sealed()) {
            self.incoming = inbox.take_sealed();
        }
        filled
    }

    /// Takes back what a reader leaves that reads no more into an inbox of its own.
    pub fn take_back(&mut self, inbox: &mut Inbox) {
        if self.incoming.is_empty() {
            self.incoming = std::mem::take(inbox);
        }
    }
}

/// Whole records stay sealed only where they hold a handshake message that is not whole (RFC 8446 §5.1).
fn begins_with_a_record(sealed: &[u8]) -> bool {
    sealed.split_first_chunk::<5>().is_some_and(|(&[_, _, _, high, low], rest)| {
        rest.len() >= usize::from(u16::from_be_bytes([high, low]))
    })
}

impl<S: Side> AsyncRead for Stream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.incoming.available() == 0
            && ready!(this.connection.poll_data(&mut this.socket, cx, &mut this.incoming))? == 0
        {
            return Poll::Ready(Ok(()));
        }
        loop {
            let unread = this.incoming.unread();
            let fits = unread.len().min(into.remaining());
            into.put_slice(unread.get(..fits).unwrap_or_default());
            this.incoming.consume(fits);
            if into.remaining() == 0 || !this.incoming.next_piece() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: Side> AsyncWrite for Stream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { socket, connection, incoming, .. } = self.get_mut();
        ready!(connection.poll_ready_to_seal(socket, cx, incoming))?;
        let Connection { side, outgoing, .. } = connection;
        let taken = side.encrypt(slices, incoming, outgoing)?;
        // What the socket does not take now goes with the next write or flush.
        let _ = outgoing.poll_send(socket, cx)?;
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.connection.outgoing.poll_send(&mut this.socket, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.closing {
            ready!(this.connection.poll_ready_to_seal(&mut this.socket, cx, &mut this.incoming))?;
            this.connection.side.close(&mut this.incoming, &mut this.connection.outgoing)?;
            this.closing = true;
        }
        ready!(this.connection.outgoing.poll_send(&mut this.socket, cx))?;
        Pin::new(&mut this.socket).poll_shutdown(cx)
    }
}

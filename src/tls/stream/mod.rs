//! A TLS stream that reads many records at once, on rustls's unbuffered connections.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod` | the stream: bytes in, bytes out |
//! | `side` | the two ends of rustls as one |
//! | `incoming` | records as they came, and the data in them |
//! | `outgoing` | records that are on their way to the socket |
//! | `establish` | the handshake |

mod establish;
mod incoming;
mod outgoing;
mod side;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::CommonState;
use rustls::client::UnbufferedClientConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use incoming::Incoming;
use outgoing::Outgoing;
use side::{Server, Side, Step};

/// A listener's end of a connection.
pub type ServerStream = Stream<Server>;
/// The end towards an upstream.
pub type ClientStream = Stream<UnbufferedClientConnection>;

/// TLS over TCP. While nothing flows it holds no buffers. Reader and writer have to live in one task: either may go on with
/// what the other began.
///
/// It is cut off, an error of kind `UnexpectedEof`, when TCP ends without a close_notify (RFC 8446 §6.1).
pub struct Stream<S> {
    socket: TcpStream,
    side: S,
    incoming: Incoming,
    outgoing: Outgoing,
    peer_closed: bool,
    closing: bool,
    failed: Option<rustls::Error>,
}

impl<S: Side> Stream<S> {
    fn new(socket: TcpStream, side: S) -> Self {
        let (incoming, outgoing) = (Incoming::default(), Outgoing::default());
        Self { socket, side, incoming, outgoing, peer_closed: false, closing: false, failed: None }
    }

    /// The socket beneath.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Whether a read could give something, or an end. An error of the socket is the read's to tell.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.incoming.has_buffer() || self.peer_closed || self.failed.is_some() {
            return Poll::Ready(());
        }
        self.socket.poll_read_ready(cx).map(|_| ())
    }

    /// What the handshake settled.
    pub fn state(&self) -> &CommonState {
        self.side.state()
    }

    /// Bytes of memory that wait for more, for tests.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.incoming.held()
    }

    /// Goes on with the records that are there. What the protocol has to say to the peer is on its way then.
    fn advance(&mut self, cx: &mut Context<'_>) -> io::Result<Step> {
        let step = match &self.failed {
            None => self.side.step(&mut self.incoming, &mut self.outgoing),
            Some(error) => Err(error.clone()),
        };
        if step.is_err() || matches!(step, Ok(Step::NeedsMore | Step::PeerClosed)) {
            // What the socket does not take now goes with the next write; an alert is not worth waiting for.
            let _ = self.outgoing.poll_send(&mut self.socket, cx);
        }
        self.peer_closed |= matches!(step, Ok(Step::PeerClosed));
        self.failed = step.as_ref().err().cloned();
        step.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Decrypts whatever is there, so that rustls is ready to encrypt.
    fn advance_all(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while !matches!(self.advance(cx)?, Step::NeedsMore) {}
        Ok(())
    }
}

impl<S: Side> AsyncRead for Stream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        loop {
            this.incoming.deliver(into);
            if into.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            let delivered = into.filled().len() > before;
            match this.advance(cx) {
                Ok(Step::Data | Step::PeerClosed) => continue,
                // What went wrong after some data is found again by the next read.
                Err(error) if !delivered => return Poll::Ready(Err(error)),
                _ if delivered || this.peer_closed => return Poll::Ready(Ok(())),
                _ => {}
            }
            if ready!(this.incoming.poll_fill(&mut this.socket, cx))? == 0 {
                let cut_off = "the peer closed TCP without closing TLS (close_notify)";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, cut_off)));
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
        let this = self.get_mut();
        ready!(this.outgoing.poll_send(&mut this.socket, cx))?;
        this.advance_all(cx)?;
        let taken = this.side.encrypt(slices, &mut this.incoming, &mut this.outgoing)?;
        // What the socket does not take now goes with the next write or flush.
        let _ = this.outgoing.poll_send(&mut this.socket, cx)?;
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.outgoing.poll_send(&mut this.socket, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.closing {
            ready!(this.outgoing.poll_send(&mut this.socket, cx))?;
            this.advance_all(cx)?;
            this.side.close(&mut this.incoming, &mut this.outgoing)?;
            this.closing = true;
        }
        ready!(this.outgoing.poll_send(&mut this.socket, cx))?;
        Pin::new(&mut this.socket).poll_shutdown(cx)
    }
}

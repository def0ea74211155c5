//! The stream under an association: TCP, TLS over TCP, or memory in tests.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::buffer::Inbox;
use crate::tls;

/// What an association needs of its stream beyond bytes.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {
    /// The socket beneath, where there is one.
    fn socket(&self) -> Option<&TcpStream> {
        None
    }

    /// Whether a read could give something, or an end; the reader hears of it once it can. Cheaper than a read, for a half
    /// that is looked at because the other one has something to do.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket().map_or(Poll::Ready(()), |socket| socket.poll_read_ready(cx).map(|_| ()))
    }

    /// Reads data into the reader's inbox; gives its length, zero at the end of the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<io::Result<usize>> {
        let count = ready!(inbox.receive(|room| Pin::new(&mut *self).poll_read(cx, room)))?;
        inbox.unseal();
        Poll::Ready(Ok(count))
    }

    /// Takes back what a reader leaves that reads no more into its inbox: what is sealed, nobody else can read.
    fn take_back(&mut self, _inbox: &mut Inbox) {}

    /// Acknowledges at once what was received. Peers write a PDU in pieces with Nagle's algorithm on, and each piece
    /// would wait 40 ms for our delayed acknowledgement; Linux forgets the option, so it is set again and again.
    fn quick_ack(&self) {
        if let Some(socket) = self.socket() {
            // A socket that cannot do it is slower, not wrong.
            let _ = SockRef::from(socket).set_tcp_quickack(true);
        }
    }

    /// Makes the close a reset, so that a PDU which was cut off can never look like an orderly end.
    fn reset_on_close(&self) {
        if let Some(socket) = self.socket() {
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
    }
}

/// How long a connection is silent before TCP asks whether its peer is still there, how often, and how many times: one that
/// has lost its power or its network is found out within two minutes, whatever is waited for.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(15), 4);

/// Prepares the socket of an association, before its first byte.
///
/// # Errors
/// Those of the system.
pub fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (time, interval, retries) = KEEPALIVE;
    let keepalive = TcpKeepalive::new().with_time(time).with_interval(interval).with_retries(retries);
    SockRef::from(socket).set_tcp_keepalive(&keepalive)
}

impl Transport for TcpStream {
    fn socket(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

impl<S: tls::Side + Send> Transport for tls::Stream<S> {
    fn socket(&self) -> Option<&TcpStream> {
        Some(Self::socket(self))
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        Self::poll_readable(self, cx)
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<io::Result<usize>> {
        Self::poll_fill(self, cx, inbox)
    }

    fn take_back(&mut self, inbox: &mut Inbox) {
        Self::take_back(self, inbox);
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn socket(&self) -> Option<&TcpStream> {
        (**self).socket()
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        (**self).poll_readable(cx)
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<io::Result<usize>> {
        (**self).poll_fill(cx, inbox)
    }

    fn take_back(&mut self, inbox: &mut Inbox) {
        (**self).take_back(inbox);
    }

    fn quick_ack(&self) {
        (**self).quick_ack();
    }

    fn reset_on_close(&self) {
        (**self).reset_on_close();
    }
}

/// Memory instead of a network.
impl Transport for tokio::io::DuplexStream {}

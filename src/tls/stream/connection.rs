//! rustls's connection and what became of it: data in an inbox, and whatever the protocol itself has to say on its way out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncRead;
use tokio::net::TcpStream;

use super::outgoing::Outgoing;
use super::side::{Side, Step};
use crate::buffer::Inbox;
use crate::tls::refusal;

pub(crate) struct Connection<S> {
    pub side: S,
    pub outgoing: Outgoing,
    peer_closed: bool,
    failed: Option<rustls::Error>,
}

impl<S: Side> Connection<S> {
    pub(crate) fn new(side: S) -> Self {
        Self { side, outgoing: Outgoing::default(), peer_closed: false, failed: None }
    }

    /// Whether no more data can come.
    pub(crate) fn is_over(&self) -> bool {
        self.peer_closed || self.failed.is_some()
    }

    /// Goes on with the records that are there. What the protocol has to say to the peer is on its way then.
    pub(crate) fn advance(
        &mut self,
        socket: &mut TcpStream,
        cx: &mut Context<'_>,
        inbox: &mut Inbox,
    ) -> io::Result<Step> {
        let step = match &self.failed {
            None => self.side.step(inbox, &mut self.outgoing),
            Some(error) => Err(error.clone()),
        };
        if step.is_err() || matches!(step, Ok(Step::NeedsMore | Step::PeerClosed)) {
            // What the socket does not take now goes with the next write; an alert is not worth waiting for.
            let _ = self.outgoing.poll_send(socket, cx);
        }
        self.peer_closed |= matches!(step, Ok(Step::PeerClosed));
        self.failed = step.as_ref().err().cloned();
        step.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, refusal::carried(error)))
    }

    /// Decrypts what is there, and reads until there is some; gives how much data was added, zero at the end of the stream.
    pub(crate) fn poll_data(
        &mut self,
        socket: &mut TcpStream,
        cx: &mut Context<'_>,
        inbox: &mut Inbox,
    ) -> Poll<io::Result<usize>> {
        let before = inbox.available();
        loop {
            let step = self.advance(socket, cx, inbox);
            let added = inbox.available() - before;
            match step {
                Ok(Step::Data | Step::PeerClosed) => continue,
                // What went wrong after some data is found again by the next read.
                Err(error) if added == 0 => return Poll::Ready(Err(error)),
                _ if added > 0 || self.peer_closed => return Poll::Ready(Ok(added)),
                _ => {}
            }
            if ready!(self.poll_records(socket, cx, inbox))? == 0 {
                let cut_off = "the peer closed TCP without closing TLS (close_notify)";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, cut_off)));
            }
        }
    }

    /// Decrypts whatever is there; gives how much data that makes in all. What goes wrong is found again by the next read.
    pub(crate) fn decrypt(
        &mut self,
        socket: &mut TcpStream,
        cx: &mut Context<'_>,
        inbox: &mut Inbox,
    ) -> usize {
        while matches!(self.advance(socket, cx, inbox), Ok(Step::Data | Step::PeerClosed)) {}
        inbox.available()
    }

    /// Reads records; zero is the end of the connection beneath.
    pub(crate) fn poll_records(
        &mut self,
        socket: &mut TcpStream,
        cx: &mut Context<'_>,
        inbox: &mut Inbox,
    ) -> Poll<io::Result<usize>> {
        if !inbox.has_buffer() {
            ready!(socket.poll_read_ready(cx))?;
        }
        inbox.receive(|room| Pin::new(socket).poll_read(cx, room))
    }

    /// Sends what is on its way, and decrypts whatever is there, so that rustls is ready to encrypt.
    pub(crate) fn poll_ready_to_seal(
        &mut self,
        socket: &mut TcpStream,
        cx: &mut Context<'_>,
        inbox: &mut Inbox,
    ) -> Poll<io::Result<()>> {
        ready!(self.outgoing.poll_send(socket, cx))?;
        while !matches!(self.advance(socket, cx, inbox)?, Step::NeedsMore) {}
        Poll::Ready(Ok(()))
    }
}

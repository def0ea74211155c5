//! The handshake.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::net::TcpStream;

use super::side::{Side, Step};
use super::unbuffered::{Client, Server};
use super::{ClientStream, ServerStream, Stream};
use crate::buffer::Inbox;
use crate::tls::Hello;

impl ServerStream {
    /// The handshake of a listener.
    ///
    /// # Errors
    /// As [`handshake_failure`](crate::tls::handshake_failure) reads them; the peer has been sent the alert.
    pub async fn accept(config: Arc<ServerConfig>, socket: TcpStream) -> io::Result<Self> {
        Self::new(socket, Server::new(config)?).established().await
    }

    /// As [`accept`](Self::accept), after what the client has said first was read.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub async fn answer(config: Arc<ServerConfig>, socket: TcpStream, hello: Hello) -> io::Result<Self> {
        let mut stream = Self::new(socket, Server::new(config)?);
        stream.incoming = Inbox::of_sealed(hello.bytes);
        stream.established().await
    }

    /// The name that the client asked for (RFC 6066 §3).
    pub fn server_name(&self) -> Option<&str> {
        self.connection.side.server_name()
    }
}

impl ClientStream {
    /// The handshake with an upstream.
    ///
    /// # Errors
    /// As [`ServerStream::accept`].
    pub async fn connect(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        socket: TcpStream,
    ) -> io::Result<Self> {
        Self::new(socket, Client::new(config, name)?).established().await
    }
}

impl<S: Side> Stream<S> {
    async fn established(mut self) -> io::Result<Self> {
        poll_fn(|cx| self.poll_established(cx)).await?;
        Ok(self)
    }

    fn poll_established(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, connection, incoming, .. } = self;
        loop {
            let step = connection.advance(socket, cx, incoming)?;
            ready!(connection.outgoing.poll_send(socket, cx))?;
            match step {
                Step::NeedsMore | Step::Data => return Poll::Ready(Ok(())),
                Step::Handshaking if ready!(connection.poll_records(socket, cx, incoming))? > 0 => {}
                Step::Handshaking | Step::PeerClosed => {
                    let early = "the peer closed the connection during the TLS handshake";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, early)));
                }
            }
        }
    }
}

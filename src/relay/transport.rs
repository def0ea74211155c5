//! The stream under a leg: TCP, TLS over TCP, or memory in tests.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::tls::{ClientStream, ServerStream};

/// What a leg needs of its stream beyond bytes.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {
    /// The socket beneath, where there is one.
    fn socket(&self) -> Option<&TcpStream> {
        None
    }

    /// Acknowledges at once what was received. Peers write a PDU in pieces with Nagle's algorithm on, and each piece
    /// would wait 40 ms for our delayed acknowledgement; Linux forgets the option, so it is set again and again.
    fn quick_ack(&self) {
        if let Some(socket) = self.socket() {
            // A socket that cannot do it is slower, not wrong.
            let _ = socket2::SockRef::from(socket).set_tcp_quickack(true);
        }
    }

    /// Makes the close a reset, so that a PDU which was cut off can never look like an orderly end.
    fn reset_on_close(&self) {
        if let Some(socket) = self.socket() {
            let _ = socket2::SockRef::from(socket).set_linger(Some(std::time::Duration::ZERO));
        }
    }
}

impl Transport for TcpStream {
    fn socket(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

impl Transport for ServerStream {
    fn socket(&self) -> Option<&TcpStream> {
        Some(Self::socket(self))
    }
}

impl Transport for ClientStream {
    fn socket(&self) -> Option<&TcpStream> {
        Some(Self::socket(self))
    }
}

#[cfg(test)]
impl Transport for tokio::io::DuplexStream {}

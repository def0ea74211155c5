//! What a client says first in a handshake, read before it is known by which settings to answer (RFC 8446 §4.1.2).

use std::io;

use rustls::server::Acceptor;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Bytes that are read at once; most ClientHellos are shorter.
const STEP: usize = 2048;
/// Longer than any ClientHello that is one: what is read by then goes to the handshake, which says what is wrong.
const LONGEST: usize = 64 << 10;

/// All that a client has said so far, with the server name that it asks for (RFC 6066 §3).
#[derive(Debug)]
pub struct Hello {
    /// In lower case; `None` where it asks for none, and where what it said is no ClientHello.
    pub server_name: Option<String>,
    pub(super) bytes: Vec<u8>,
}

impl Hello {
    /// Reads it. What cannot be read as one is given all the same: the handshake answers it as it deserves.
    ///
    /// # Errors
    /// Those of the socket, and its end.
    pub async fn read(socket: &mut TcpStream) -> io::Result<Self> {
        let mut acceptor = Acceptor::default();
        let mut bytes = Vec::new();
        while bytes.len() < LONGEST {
            let start = bytes.len();
            bytes.resize(start + STEP, 0);
            let count = socket.read(bytes.get_mut(start..).unwrap_or_default()).await?;
            bytes.truncate(start + count);
            if count == 0 {
                let early = "the peer closed the connection during the TLS handshake";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, early));
            }
            match Self::told(&mut acceptor, bytes.get(start..).unwrap_or_default()) {
                None => {}
                Some(server_name) => return Ok(Self { server_name, bytes }),
            }
        }
        Ok(Self { server_name: None, bytes })
    }

    /// `None` until it is whole.
    fn told(acceptor: &mut Acceptor, mut more: &[u8]) -> Option<Option<String>> {
        while !more.is_empty() {
            if acceptor.read_tls(&mut more).is_err() {
                return Some(None);
            }
            match acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => {
                    return Some(accepted.client_hello().server_name().map(str::to_ascii_lowercase));
                }
                Err(_) => return Some(None),
            }
        }
        None
    }
}

//! A GET over TLS, on a connection of its own: whatever the server answers is bounded in length, and it is followed nowhere.

use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What is asked for, and where.
#[derive(Clone, Copy, Debug)]
pub struct Get<'a> {
    /// `host:port` to connect to.
    pub address: &'a str,
    /// The Host header.
    pub authority: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Media types that are understood.
    pub accept: &'a str,
    /// Bytes of an answer.
    pub longest: u64,
}

impl Get<'_> {
    /// Asks. However long it takes is the caller's to bound.
    ///
    /// # Errors
    /// No connection, another status than 200, or a longer answer.
    pub async fn over(&self, tls: Arc<ClientConfig>, server_name: ServerName<'static>) -> io::Result<Bytes> {
        let socket = TcpStream::connect(self.address).await?;
        let stream = TlsConnector::from(tls).connect(server_name, socket).await?;
        self.speak(stream).await
    }

    async fn speak<T>(&self, stream: T) -> io::Result<Bytes>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let request = Request::get(self.path)
            .header(header::HOST, self.authority)
            .header(header::ACCEPT, self.accept)
            .header(header::USER_AGENT, concat!("dimsegate/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close");
        let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let answer = async {
            let answer = sender.send_request(request).await.map_err(io::Error::other)?;
            match answer.status() {
                StatusCode::OK => {}
                status if status.is_redirection() => {
                    return Err(io::Error::other(format!(
                        "the server answers {status}; redirections are not followed"
                    )));
                }
                status => return Err(io::Error::other(format!("the server answers {status}"))),
            }
            let longest = usize::try_from(self.longest).unwrap_or(usize::MAX);
            let body = Limited::new(answer.into_body(), longest).collect().await;
            body.map(|body| body.to_bytes()).map_err(|error| match error.is::<LengthLimitError>() {
                true => io::Error::other(format!("the answer is longer than {} KiB", self.longest >> 10)),
                false => io::Error::other(error),
            })
        };
        tokio::pin!(answer, connection);
        // The connection goes on while the answer is read, and ends with this.
        tokio::select! {
            answer = &mut answer => answer,
            ended = &mut connection => match ended {
                Ok(()) => answer.await,
                Err(error) => Err(io::Error::other(error)),
            },
        }
    }
}

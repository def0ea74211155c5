//! AuditEvents to a FHIR server, one POST each, on a connection that is kept (RFC 9112).

use super::destination::Endpoint;
use super::parcel::Parcel;
use super::stream::{connect, within};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

/// The connection to a FHIR server, which takes one AuditEvent for each POST; it is opened when there is something to
/// send.
pub(super) struct Http {
    endpoint: Endpoint,
    patience: Duration,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// Most of an answer that is read; it may repeat the resource.
const LONGEST_ANSWER: usize = 1 << 20;

impl Http {
    pub(super) fn new(endpoint: Endpoint, patience: Duration) -> Self {
        Self { endpoint, patience, connection: None }
    }

    /// False where the server will never take it: the rest must not wait for that.
    pub(super) async fn send(&mut self, parcel: &Parcel) -> io::Result<bool> {
        match within(self.patience, self.post(parcel)).await? {
            status if status.is_success() => Ok(true),
            status @ (StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNPROCESSABLE_ENTITY) => {
                tracing::error!(sequence = parcel.sequence, %status, "the FHIR server refuses an AuditEvent");
                Ok(false)
            }
            status => Err(io::Error::other(format!("the FHIR server answers {status}"))),
        }
    }

    async fn post(&mut self, parcel: &Parcel) -> io::Result<StatusCode> {
        if let Some(kept) = self.connection.take().filter(|connection| !connection.is_closed())
            && let Ok(status) = self.post_on(kept, parcel).await
        {
            return Ok(status);
        }
        // A server may close what is kept at any time, also just now.
        let fresh = self.connect().await?;
        self.post_on(fresh, parcel).await
    }

    async fn post_on(
        &mut self,
        mut connection: SendRequest<Full<Bytes>>,
        parcel: &Parcel,
    ) -> io::Result<StatusCode> {
        let request = Request::post(self.endpoint.path.as_str())
            .header(header::HOST, self.endpoint.authority.as_str())
            .header(header::CONTENT_TYPE, "application/fhir+json")
            .header(header::ACCEPT, "application/fhir+json")
            .body(Full::new(Bytes::copy_from_slice(&parcel.bytes)))
            .map_err(io::Error::other)?;
        connection.ready().await.map_err(io::Error::other)?;
        let answer = connection.send_request(request).await.map_err(io::Error::other)?;
        let status = answer.status();
        // A connection is used again only where the answer was read to its end.
        if Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await.is_ok() {
            self.connection = Some(connection);
        }
        Ok(status)
    }

    async fn connect(&self) -> io::Result<SendRequest<Full<Bytes>>> {
        let socket = connect(&self.endpoint.address, None).await?;
        match &self.endpoint.tls {
            None => speak(socket).await,
            Some(tls) => {
                let connector = TlsConnector::from(tls.config.clone());
                speak(connector.connect(tls.server_name.clone(), socket).await?).await
            }
        }
    }
}

async fn speak<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: T,
) -> io::Result<SendRequest<Full<Bytes>>> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // Ends with the sender, or by an error that the next request meets.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

//! A POST to a hook, on a connection of its own (RFC 9112). It follows no redirection: whoever is told is whom the
//! configuration names.

use std::io;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Hook;
use super::message::SIGNATURE;

/// Most of an answer that is read, before its status counts.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Posts a message; the caller bounds the time.
///
/// # Errors
/// The hook was not reached, or answers with a status other than 2xx.
pub(super) async fn post(hook: &Hook, body: Vec<u8>, signature: Option<String>) -> io::Result<()> {
    let socket = TcpStream::connect(&hook.address).await?;
    let request = request(hook, body, signature)?;
    match &hook.tls {
        None => speak(socket, request).await,
        Some(tls) => {
            let connector = TlsConnector::from(tls.config.clone());
            speak(connector.connect(tls.server_name.clone(), socket).await?, request).await
        }
    }
}

fn request(hook: &Hook, body: Vec<u8>, signature: Option<String>) -> io::Result<Request<Full<Bytes>>> {
    let mut request = Request::post(hook.path.as_str())
        .header(header::HOST, hook.authority.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("dimsegate/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close");
    if let Some(signature) = signature {
        request = request.header(SIGNATURE, signature);
    }
    request.body(Full::new(body.into())).map_err(io::Error::other)
}

async fn speak<T>(stream: T, request: Request<Full<Bytes>>) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(io::Error::other)?;
        let status = answer.status();
        let _ = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
        io::Result::Ok(status)
    };
    tokio::pin!(answer, connection);
    // The connection goes on while the answer is read, and ends with this.
    let status = tokio::select! {
        status = &mut answer => status?,
        ended = &mut connection => match ended {
            Ok(()) => answer.await?,
            Err(error) => return Err(io::Error::other(error)),
        },
    };
    if status.is_success() {
        return Ok(());
    }
    let redirects = if status.is_redirection() { "; redirections are not followed" } else { "" };
    Err(io::Error::other(format!("the hook answers {status}{redirects}")))
}

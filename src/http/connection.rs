//! One connection: its handshake, its requests, its end.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::hurried::Hurried;
use super::request;
use super::shared::Shared;
use super::{Caller, Source};
use crate::identity::Certificate;

/// How long what a peer still says is read, and how much of it, so that an answer reaches whoever is still sending.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 4 << 20;

/// Bytes both ways, whatever they go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Returns once it is to stop, or nobody is left who could say so.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves one connection to its end. Once `stop` says so, what is under way is the last.
pub(super) async fn serve(
    stream: Box<dyn Stream>,
    (source, own): (Source, Option<SocketAddr>),
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
) {
    let has_tls = tls.is_some();
    let shaken = match tls {
        Some(config) => timeout(shared.bounds.head_time, shake_hands(stream, config)).await,
        None => Ok(Ok((stream, None))),
    };
    let served = match shaken {
        Ok(Ok((stream, certificate))) => {
            let caller = Caller { source: source.clone(), certificate, own, has_tls };
            exchange(stream, caller, router, shared, stop).await
        }
        Ok(Err(error)) => Err(error.into()),
        Err(late) => Err(late.into()),
    };
    if let Err(error) = served {
        tracing::debug!(?source, error, "an HTTP connection ended");
    }
}

type Shaken = (Box<dyn Stream>, Option<Arc<Certificate>>);

async fn shake_hands(stream: Box<dyn Stream>, config: Arc<ServerConfig>) -> io::Result<Shaken> {
    let stream = TlsAcceptor::from(config).accept(stream).await?;
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let certificate = shown.map(|der| Arc::new(Certificate::from_der_or_fingerprint(der)));
    Ok((Box::new(stream), certificate))
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(
    stream: Box<dyn Stream>,
    caller: Caller,
    router: Router,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let bounds = shared.bounds;
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let answer = request::answer(request, router.clone(), caller.clone(), shared.clone());
        Box::pin(async { Ok::<_, std::convert::Infallible>(answer.await) })
    });
    let stream = TokioIo::new(Hurried::new(stream, bounds.body_time));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        .max_header_size(bounds.head_bytes)
        .max_buf_size(bounds.head_bytes.max(8192))
        .serve_connection(stream, service);
    let ended = tokio::select! {
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
        () = stopped(&mut stop) => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    let mut stream = connection.into_parts().io.into_inner();
    stream.shutdown().await?;
    if ended.is_err() || shared.leaves_unread() {
        // A peer that is reset while it sends never reads why.
        let mut rest = stream.take(LINGER_BYTES);
        let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    }
    Ok(ended?)
}

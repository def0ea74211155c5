//! One connection: its handshake, its requests, its end.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use hyper::body::{Frame, Incoming, SizeHint};
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
use super::serving::stopped;
use super::{Bounds, Caller, Source};
use crate::identity::Certificate;

/// How long what a peer still says is read, and how much of it, so that an answer reaches whoever is still sending.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 4 << 20;

/// Bytes both ways, whatever they go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What the accept loop and the requests of one connection know of it.
pub(super) struct Shared {
    pub bounds: Bounds,
    began: Instant,
    /// Since when it has been idle, in nanoseconds since a moment that all share, or [`BUSY`].
    idle_since: AtomicU64,
    requests: AtomicU32,
    unread: AtomicBool,
}

const BUSY: u64 = u64::MAX;

impl Shared {
    /// `began` is the same for all connections of a socket.
    pub(super) fn new(bounds: Bounds, began: Instant) -> Self {
        let shared = Self {
            bounds,
            began,
            idle_since: AtomicU64::new(0),
            requests: AtomicU32::new(0),
            unread: AtomicBool::new(false),
        };
        shared.idle();
        shared
    }

    /// Since when there is no whole request, where that is so.
    pub(super) fn idle_since(&self) -> Option<u64> {
        Some(self.idle_since.load(Ordering::Relaxed)).filter(|since| *since != BUSY)
    }

    /// It answers nothing now, and waits for its peer.
    pub(super) fn idle(&self) {
        let since = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(BUSY - 1);
        self.idle_since.store(since, Ordering::Relaxed);
    }

    /// There is something to be answered.
    pub(super) fn busy(&self) {
        self.idle_since.store(BUSY, Ordering::Relaxed);
    }

    /// A request is there; whether it is the last one of the connection.
    pub(super) fn count_request(&self) -> bool {
        self.busy();
        self.requests.fetch_add(1, Ordering::Relaxed) + 1 >= self.bounds.requests
    }

    /// The peer says more than anybody reads.
    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// The content of an answer, at whose end the connection is idle again.
    pub(super) fn until_sent(self: &Arc<Self>, body: Body) -> Sending {
        Sending { body, shared: self.clone() }
    }
}

/// The content of an answer while it is being sent.
pub(super) struct Sending {
    body: Body,
    shared: Arc<Shared>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.shared.idle();
    }
}

impl hyper::body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
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
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    let mut stream = connection.into_parts().io.into_inner();
    stream.shutdown().await?;
    if ended.is_err() || shared.unread.load(Ordering::Relaxed) {
        // A peer that is reset while it sends never reads why.
        let mut rest = stream.take(LINGER_BYTES);
        let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    }
    Ok(ended?)
}

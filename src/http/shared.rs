//! What the accept loop, a connection and its requests tell each other.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};

use super::Bounds;

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

    /// Whether the content of a request is left unread, so that the connection cannot be used for another one.
    pub(super) fn leaves_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
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

//! What waits for the reader of one trace. Whoever tells never waits: where there is no room, what is told is lost, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use tokio::sync::mpsc;

use super::filter::Filter;
use super::seen::Seen;
use super::traces::Traces;

/// What waits at most: how many, and bytes of memory.
const MOST: usize = 4096;
const MOST_BYTES: usize = 8 << 20;

/// A trace that somebody follows.
#[derive(Debug)]
pub(super) struct Trace {
    pub filter: Filter,
    sender: mpsc::Sender<Arc<Seen>>,
    waiting: AtomicUsize,
    /// Since the reader was told last.
    lost: AtomicU64,
}

/// The reader's side. The trace is over once this is dropped.
pub(crate) struct Following {
    /// Each trace of a run has its own.
    pub number: u64,
    pub began: Instant,
    trace: Arc<Trace>,
    receiver: mpsc::Receiver<Arc<Seen>>,
    traces: Arc<Traces>,
}

/// What comes next.
pub(crate) enum Followed {
    Seen(Arc<Seen>),
    /// So many were lost before what comes next.
    Lost(u64),
}

impl Trace {
    pub(super) fn new(filter: Filter) -> (Arc<Self>, mpsc::Receiver<Arc<Seen>>) {
        let (sender, receiver) = mpsc::channel(MOST);
        let (waiting, lost) = (AtomicUsize::new(0), AtomicU64::new(0));
        (Arc::new(Self { filter, sender, waiting, lost }), receiver)
    }

    /// Whether nobody reads it any more.
    pub(super) fn is_over(&self) -> bool {
        self.sender.is_closed()
    }

    pub(super) fn tell(&self, seen: Arc<Seen>) {
        let weight = seen.weight;
        let has_room = self.waiting.fetch_add(weight, Relaxed).saturating_add(weight) <= MOST_BYTES;
        if !has_room || self.sender.try_send(seen).is_err() {
            self.waiting.fetch_sub(weight, Relaxed);
            self.lost.fetch_add(1, Relaxed);
        }
    }
}

impl Following {
    pub(super) fn new(
        (number, began): (u64, Instant),
        (trace, receiver): (Arc<Trace>, mpsc::Receiver<Arc<Seen>>),
        traces: Arc<Traces>,
    ) -> Self {
        Self { number, began, trace, receiver, traces }
    }

    /// What comes next. It may be cancelled.
    pub(crate) async fn next(&mut self) -> Option<Followed> {
        if let Some(lost) = self.lost() {
            return Some(Followed::Lost(lost));
        }
        let seen = self.receiver.recv().await?;
        self.trace.waiting.fetch_sub(seen.weight, Relaxed);
        Some(Followed::Seen(seen))
    }

    /// What waits already, for whoever does not wait any more.
    pub(crate) fn next_now(&mut self) -> Option<Followed> {
        let seen = self.receiver.try_recv().ok()?;
        self.trace.waiting.fetch_sub(seen.weight, Relaxed);
        Some(Followed::Seen(seen))
    }

    /// How many were lost since this was asked last.
    pub(crate) fn lost(&self) -> Option<u64> {
        Some(self.trace.lost.swap(0, Relaxed)).filter(|lost| *lost > 0)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.traces.end(&self.trace);
    }
}

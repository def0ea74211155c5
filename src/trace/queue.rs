//! What waits for the reader of one trace. Whoever tells never waits: where there is no room, what is told is lost, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use tokio::sync::mpsc;

use super::filter::Filter;
use super::seen::Seen;

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

    /// This one waits no more.
    pub(super) fn was_read(&self, seen: &Seen) {
        self.waiting.fetch_sub(seen.weight, Relaxed);
    }

    /// How many were lost since this was asked last.
    pub(super) fn lost(&self) -> Option<u64> {
        Some(self.lost.swap(0, Relaxed)).filter(|lost| *lost > 0)
    }
}

//! When something last moved, so that every deadline counts from the last progress.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The movements of both directions of an association.
pub(crate) struct Progress {
    began: Instant,
    /// When the task last woke up, in nanoseconds after the association began. What it does until it waits again happens
    /// then: one look at the clock is enough for deadlines of seconds.
    now: AtomicU64,
    pub to_upstream: Movement,
    pub to_requestor: Movement,
    pub(super) release: AtomicU64,
    pub(super) released: Notify,
}

/// The movements of one direction.
#[derive(Default)]
pub(crate) struct Movement {
    /// Nanoseconds after the association began.
    pub(super) last: AtomicU64,
    /// A message is under way: some of it has come, or is still to be written.
    pub(super) under_way: AtomicBool,
    /// Since when, in nanoseconds after the association began.
    pub(super) since: AtomicU64,
    /// It waits for dimsegate, which slows it down or writes something to the disk first.
    pub(super) held_up: AtomicBool,
}

impl Progress {
    pub fn new(began: Instant) -> Self {
        Self {
            began,
            now: AtomicU64::new(0),
            to_upstream: Movement::default(),
            to_requestor: Movement::default(),
            release: AtomicU64::new(u64::MAX),
            released: Notify::new(),
        }
    }

    /// The task woke up.
    pub fn woken(&self, now: Instant) {
        self.now.store(nanos(now.saturating_duration_since(self.began)), Ordering::Relaxed);
    }

    /// When the task last woke up.
    pub fn now(&self) -> Instant {
        self.at(self.elapsed())
    }

    pub(super) fn elapsed(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    pub(super) fn at(&self, elapsed: u64) -> Instant {
        self.began + Duration::from_nanos(elapsed)
    }

    /// Bytes moved in this direction.
    pub fn moved(&self, movement: &Movement) {
        movement.last.store(self.elapsed(), Ordering::Relaxed);
    }

    /// Whether a message, or any part of a PDU, is under way in this direction; bytes moved too.
    pub fn under_way(&self, movement: &Movement, under_way: bool) {
        if under_way && !movement.under_way.load(Ordering::Relaxed) {
            movement.since.store(self.elapsed(), Ordering::Relaxed);
        }
        movement.under_way.store(under_way, Ordering::Relaxed);
        self.moved(movement);
    }

    /// Whether no message, nor any part of a PDU, is under way in either direction.
    pub fn is_quiet(&self) -> bool {
        let both = [&self.to_upstream, &self.to_requestor];
        both.into_iter().all(|movement| !movement.under_way.load(Ordering::Relaxed))
    }

    /// This direction waits for dimsegate itself, which is no stall of either side.
    pub fn held_up(&self, movement: &Movement) {
        movement.held_up.store(true, Ordering::Relaxed);
        self.moved(movement);
    }

    /// Whether a release was asked for.
    pub fn is_releasing(&self) -> bool {
        self.release.load(Ordering::Relaxed) != u64::MAX
    }

    /// A release was asked for.
    pub fn release(&self) {
        self.release.fetch_min(self.elapsed(), Ordering::Relaxed);
        self.released.notify_one();
    }
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

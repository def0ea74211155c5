//! How a destination is doing, for metrics and people.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

/// How a destination stands now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub connected: bool,
    /// Bytes of records that it has not been sent.
    pub backlog: u64,
    /// Messages sent since the start, those sent again included.
    pub sent: u64,
    /// Messages that it refused, or that are too long for it.
    pub refused: u64,
    /// Connections that failed or broke.
    pub failures: u64,
    /// Sequence number of the last record that counts as delivered.
    pub delivered: u64,
    /// Unix time of the last success, in seconds; 0 before the first.
    pub last_success: u64,
}

/// The same, shared with the task that knows.
#[derive(Debug, Default)]
pub(super) struct Status {
    connected: AtomicBool,
    backlog: AtomicU64,
    sent: AtomicU64,
    refused: AtomicU64,
    failures: AtomicU64,
    delivered: AtomicU64,
    last_success: AtomicU64,
}

impl Status {
    pub(super) fn standing(&self) -> Standing {
        Standing {
            connected: self.connected.load(Relaxed),
            backlog: self.backlog.load(Relaxed),
            sent: self.sent.load(Relaxed),
            refused: self.refused.load(Relaxed),
            failures: self.failures.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
            last_success: self.last_success.load(Relaxed),
        }
    }

    pub(super) fn connected(&self, connected: bool) -> bool {
        self.connected.swap(connected, Relaxed)
    }

    pub(super) fn backlog(&self, bytes: u64) {
        self.backlog.store(bytes, Relaxed);
    }

    pub(super) fn sent(&self, messages: u64, refused: u64) {
        self.sent.fetch_add(messages, Relaxed);
        self.refused.fetch_add(refused, Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.last_success.store(now, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.connected.store(false, Relaxed);
        self.failures.fetch_add(1, Relaxed);
    }

    pub(super) fn delivered(&self, sequence: u64) {
        self.delivered.store(sequence, Relaxed);
    }
}

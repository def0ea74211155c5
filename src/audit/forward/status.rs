//! How a destination is doing, for metrics and people.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// The records that a destination has not had, as far as anybody can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backlog {
    pub records: u64,
    pub bytes: u64,
    /// Number of the oldest of them.
    pub first: u64,
    /// When that was made.
    pub oldest: Option<OffsetDateTime>,
}

/// How a destination stands now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Whether the last attempt succeeded.
    pub connected: bool,
    /// Bytes of records that do not count as delivered yet.
    pub backlog: u64,
    /// How many records that are.
    pub backlog_records: u64,
    /// Unix time of the oldest of them, in seconds; 0 where there is none.
    pub oldest: u64,
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
    backlog_records: AtomicU64,
    oldest: AtomicU64,
    sent: AtomicU64,
    refused: AtomicU64,
    failures: AtomicU64,
    delivered: AtomicU64,
    last_success: AtomicU64,
}

impl Status {
    pub(super) fn delivery(&self) -> Delivery {
        Delivery {
            connected: self.connected.load(Relaxed),
            backlog: self.backlog.load(Relaxed),
            backlog_records: self.backlog_records.load(Relaxed),
            oldest: self.oldest.load(Relaxed),
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

    pub(super) fn backlog(&self, backlog: &Backlog) {
        let oldest = backlog.oldest.map_or(0, |oldest| oldest.unix_timestamp());
        self.backlog.store(backlog.bytes, Relaxed);
        self.backlog_records.store(backlog.records, Relaxed);
        self.oldest.store(u64::try_from(oldest).unwrap_or(0), Relaxed);
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

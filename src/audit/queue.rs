//! What waits to be written: in order, bounded in bytes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::{Semaphore, oneshot};

/// A record in its place, before it is a line.
#[derive(Debug)]
pub(super) struct Pending {
    pub time: OffsetDateTime,
    pub event: &'static str,
    pub body: Vec<u8>,
    /// Bytes of room that it holds.
    pub cost: u32,
    pub kept: Option<Kept>,
}

/// Told when the disk has kept a record; dropped when it never will.
pub(super) type Kept = oneshot::Sender<()>;

/// Shared between those who record and the thread that writes.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Told when the queue is no longer empty, or ends.
    changed: Condvar,
    /// Bytes that may still be queued.
    room: Semaphore,
    capacity: u32,
    writable: AtomicBool,
    /// Records dropped for want of room, and not yet told.
    lost: AtomicU64,
}

#[derive(Debug)]
struct State {
    pending: VecDeque<Pending>,
    last_time: OffsetDateTime,
    ending: bool,
}

/// Nothing more is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended;

/// A record of no text still costs its place.
const SMALLEST_COST: usize = 512;

impl Queue {
    pub(super) fn new(capacity: u32) -> Self {
        let state = State { pending: VecDeque::new(), last_time: OffsetDateTime::UNIX_EPOCH, ending: false };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            room: Semaphore::new(capacity as usize),
            capacity,
            writable: AtomicBool::new(true),
            lost: AtomicU64::new(0),
        }
    }

    /// Waits for room, then queues. Not queued if the future is dropped before.
    pub(super) async fn push(
        &self,
        event: &'static str,
        body: Vec<u8>,
        kept: Option<Kept>,
    ) -> Result<(), Ended> {
        let cost = self.cost(&body);
        self.room.acquire_many(cost).await.map_err(|_| Ended)?.forget();
        self.enqueue(event, body, cost, kept);
        Ok(())
    }

    /// Queues if there is room, else counts the record as lost.
    pub(super) fn push_or_lose(&self, event: &'static str, body: Vec<u8>) -> Result<(), Ended> {
        let cost = self.cost(&body);
        match self.room.try_acquire_many(cost) {
            Ok(permit) => {
                permit.forget();
                self.enqueue(event, body, cost, None);
                Ok(())
            }
            Err(tokio::sync::TryAcquireError::NoPermits) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(tokio::sync::TryAcquireError::Closed) => Err(Ended),
        }
    }

    /// For records of the audit trail about itself, which need no room.
    pub(super) fn push_own(&self, event: &'static str, body: Vec<u8>, kept: Option<Kept>) {
        self.enqueue(event, body, 0, kept);
    }

    fn cost(&self, body: &[u8]) -> u32 {
        u32::try_from(body.len().max(SMALLEST_COST)).unwrap_or(u32::MAX).min(self.capacity)
    }

    fn enqueue(&self, event: &'static str, body: Vec<u8>, cost: u32, kept: Option<Kept>) {
        let mut state = self.lock();
        // Nobody will take it, and who waits for `kept` has to know.
        if self.room.is_closed() {
            return;
        }
        // A clock that was set back must not send records to the file of a day that is over.
        let time = OffsetDateTime::now_utc().max(state.last_time);
        state.last_time = time;
        state.pending.push_back(Pending { time, event, body, cost, kept });
        if state.pending.len() == 1 {
            self.changed.notify_one();
        }
    }

    /// Moves what is pending behind `batch`, after waiting for it for at most `patience`.
    /// Gives whether the queue is ending.
    pub(super) fn take(&self, batch: &mut VecDeque<Pending>, patience: Duration) -> bool {
        let state = self.lock();
        let idle = |state: &mut State| state.pending.is_empty() && !state.ending;
        let (mut state, _) =
            self.changed.wait_timeout_while(state, patience, idle).unwrap_or_else(PoisonError::into_inner);
        batch.append(&mut state.pending);
        state.ending
    }

    /// Waits for `patience`, or until the queue ends. Gives whether it does.
    pub(super) fn wait_for_end(&self, patience: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), patience, |state| !state.ending);
        waited.unwrap_or_else(PoisonError::into_inner).0.ending
    }

    /// Gives back the room of records that are written.
    pub(super) fn written(&self, cost: usize) {
        self.room.add_permits(cost);
    }

    /// What is queued is still written; the writer ends when nothing is left.
    pub(super) fn end(&self) {
        self.lock().ending = true;
        self.changed.notify_one();
    }

    /// Closes the queue for good if nothing came since the last batch.
    pub(super) fn close_if_empty(&self) -> bool {
        let state = self.lock();
        let empty = state.pending.is_empty();
        if empty {
            self.room.close();
        }
        empty
    }

    pub(super) fn close(&self) {
        let _state = self.lock();
        self.room.close();
    }

    pub(super) fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Acquire)
    }

    /// Gives what was set before.
    pub(super) fn set_writable(&self, writable: bool) -> bool {
        self.writable.swap(writable, Ordering::AcqRel)
    }

    /// Records lost since the last call.
    pub(super) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What waits to be written: in order, bounded in bytes.
//!
//! Whoever records only puts an event behind the others. The writer is woken by the first record after a pause and then
//! lets more gather, so that a busy relay pays neither a system call a record nor the writer's attention for each; it
//! goes on at once when somebody waits for the disk, when half of the room is taken, or when the queue ends.
//!
//! When the room is taken, [`Queue::push`] waits for more, without a bound, and [`Queue::push_or_lose`] counts the
//! record as lost, which the writer records as soon as it can.

use super::clock::Clock;
use super::record::{ClockStepped, Event, SecurityAlert};
use super::room::{Ended, Room};
use super::tap::Tap;
use crate::vocabulary::Notice;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::{oneshot, watch};

/// A record in its place, before it is a line.
#[derive(Debug)]
pub(super) struct Pending {
    pub time: OffsetDateTime,
    pub event: Event,
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
    /// Told when what the writer waits for has come.
    changed: Condvar,
    room: Room,
    writable: watch::Sender<bool>,
    /// For those who look on while records are written.
    pub(super) tap: Tap,
    /// Records dropped for want of room, and not yet told.
    lost: AtomicU64,
    /// Of all of it since the start.
    counts: Counts,
}

/// What became of records since the start.
#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    lost: AtomicU64,
}

#[derive(Debug)]
struct State {
    pending: VecDeque<Pending>,
    /// Room that `pending` holds.
    taken: u64,
    /// Somebody waits until the disk has kept one of `pending`.
    awaited: bool,
    clock: Clock,
    /// When room was last given back.
    written: Instant,
    ending: bool,
    writer: Writer,
}

/// How many records wait, were written and were lost: numbers for metrics and status, each read on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Handed to the system since the start.
    pub written: u64,
    /// For which there was no room, since the start.
    pub lost: u64,
    /// Not yet taken up by who writes them.
    pub waiting: usize,
    /// Whether the last write succeeded.
    pub is_writable: bool,
}

/// What the writer waits for. Whoever brings it about says so once, and the writer is then busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    Busy,
    WaitsForRecords,
    /// Records are there, and more may join them.
    Gathers,
}

impl State {
    /// The time. That the clock was set is a record of its own.
    fn tick(&mut self) -> OffsetDateTime {
        let (time, step) = self.clock.now();
        if let Some(step) = step {
            let ClockStepped { expected, clock, explanation, .. } = &step;
            tracing::warn!(%expected, %clock, "{explanation}");
            self.pending.push_back(Pending { time, event: Event::ClockStepped(step), cost: 0, kept: None });
        }
        time
    }

    fn is_idle(&self) -> bool {
        self.pending.is_empty() && !self.ending
    }
}

/// Longer than a disk that is only slow takes for a write.
const HANGS: Duration = Duration::from_secs(2);

impl Queue {
    pub(super) fn new(capacity: u32) -> Self {
        Self::with_clock(capacity, Clock::default())
    }

    pub(super) fn with_clock(capacity: u32, clock: Clock) -> Self {
        let state = State {
            pending: VecDeque::new(),
            taken: 0,
            awaited: false,
            clock,
            written: Instant::now(),
            ending: false,
            writer: Writer::Busy,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            room: Room::new(capacity),
            writable: watch::Sender::new(true),
            tap: Tap::new(),
            lost: AtomicU64::new(0),
            counts: Counts::default(),
        }
    }

    /// Waits for room, then queues. Not queued if the future is dropped before.
    pub(super) async fn push(&self, event: Event, kept: Option<Kept>) -> Result<(), Ended> {
        let cost = self.room.wait_for(event.weight()).await?;
        self.enqueue(event, cost, kept);
        Ok(())
    }

    /// From now on nobody waits: the last records of a process are few, and take what memory they need.
    pub(super) fn hurry(&self) {
        self.room.hurry();
    }

    /// Waits until nobody shall wait any more.
    pub(super) async fn hurried(&self) {
        self.room.hurried().await;
    }

    /// Whether all room has been taken for a while and nothing was written meanwhile, as when a disk hangs.
    pub(super) fn is_stuck(&self) -> bool {
        self.room.is_taken() && self.lock().written.elapsed() > HANGS
    }

    /// Queues if there is room, else counts the record as lost.
    pub(super) fn push_or_lose(&self, event: Event) -> Result<(), Ended> {
        match self.room.take(event.weight())? {
            Some(cost) => self.enqueue(event, cost, None),
            None => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                self.counts.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// For records of the audit trail about itself, which need no room.
    pub(super) fn push_own(&self, event: Event, kept: Option<Kept>) {
        self.enqueue(event, 0, kept);
    }

    /// Tells a person of something about the trail itself.
    pub(super) fn push_alert(&self, notice: Notice, explanation: &str, records: Option<u64>) {
        let (reason, explanation) = (notice.label().into(), explanation.into());
        let alert = SecurityAlert { reason, explanation, records, ..SecurityAlert::default() };
        self.push_own(Event::SecurityAlert(Box::new(alert)), None);
    }

    fn enqueue(&self, event: Event, cost: u32, kept: Option<Kept>) {
        let mut state = self.lock();
        // Nobody will take it, and who waits for `kept` has to know.
        if self.room.is_closed() {
            return;
        }
        let time = state.tick();
        state.awaited |= kept.is_some();
        state.taken = state.taken.saturating_add(u64::from(cost));
        state.pending.push_back(Pending { time, event, cost, kept });
        let wake = match state.writer {
            Writer::Busy => false,
            Writer::WaitsForRecords => true,
            Writer::Gathers => self.is_pressing(&state),
        };
        if wake {
            state.writer = Writer::Busy;
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Moves what is pending behind `batch`, after waiting for it for at most `patience`, and then for at most
    /// `gathering` for what may join it. Gives whether the queue is ending.
    pub(super) fn take(
        &self,
        batch: &mut VecDeque<Pending>,
        patience: Duration,
        gathering: Duration,
    ) -> bool {
        let mut state = self.lock();
        if state.is_idle() {
            state = self.wait(state, Writer::WaitsForRecords, patience, State::is_idle);
        }
        if !state.pending.is_empty() && !self.is_pressing(&state) {
            let calm = |state: &State| !self.is_pressing(state);
            state = self.wait(state, Writer::Gathers, gathering, calm);
        }
        (state.taken, state.awaited) = (0, false);
        match batch.is_empty() {
            true => std::mem::swap(batch, &mut state.pending),
            false => batch.append(&mut state.pending),
        }
        state.ending
    }

    /// Whether the writer is not to wait for more.
    fn is_pressing(&self, state: &State) -> bool {
        state.ending || state.awaited || self.room.is_half(state.taken)
    }

    /// Waits while `condition` holds, for at most `patience`.
    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        writer: Writer,
        patience: Duration,
        condition: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        state.writer = writer;
        let waited = self.changed.wait_timeout_while(state, patience, |state| condition(state));
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.writer = Writer::Busy;
        state
    }

    /// The time, as records have it.
    pub(super) fn now(&self) -> OffsetDateTime {
        self.lock().tick()
    }

    /// Waits for `patience`, or until the queue ends. Gives whether it does.
    pub(super) fn wait_for_end(&self, patience: Duration) -> bool {
        self.wait(self.lock(), Writer::Busy, patience, |state| !state.ending).ending
    }

    /// Gives back the room of so many records that are written.
    pub(super) fn written(&self, records: u64, cost: usize) {
        self.lock().written = Instant::now();
        self.counts.written.fetch_add(records, Ordering::Relaxed);
        self.room.give_back(cost);
    }

    /// The counts of this moment. They are read one after the other, while others may count on.
    pub(super) fn flow(&self) -> Flow {
        let Counts { written, lost } = &self.counts;
        Flow {
            written: written.load(Ordering::Relaxed),
            lost: lost.load(Ordering::Relaxed),
            waiting: self.lock().pending.len(),
            is_writable: self.is_writable(),
        }
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

    /// Whether no more than half of the room is taken.
    fn is_half_free(&self) -> bool {
        self.room.is_half_free()
    }

    /// Whether records that can wait may be added: half of the room is kept for those of operations.
    pub(super) fn is_calm(&self) -> bool {
        self.is_writable() && self.is_half_free()
    }

    pub(super) fn is_writable(&self) -> bool {
        *self.writable.borrow()
    }

    /// Gives what was set before.
    pub(super) fn set_writable(&self, writable: bool) -> bool {
        self.writable.send_replace(writable)
    }

    /// Waits until a write has failed, and none has succeeded since.
    pub(super) async fn unwritable(&self) {
        // The sender lives as long as the queue.
        let _ = self.writable.subscribe().wait_for(|writable| !*writable).await;
    }

    /// Records lost since the last call.
    pub(super) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Ended, Pending, Queue};
    use crate::audit::{Event, Stopped};
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::time::Duration;

    const FOR_EVER: Duration = Duration::from_secs(3600);

    fn event() -> Event {
        Event::Stopped(Stopped { reason: "test".into(), aborted: 0, health_checks: None, duration_ms: 0 })
    }

    /// Takes once on a thread of its own: what was taken, and whether the queue is ending.
    fn taking(queue: &Arc<Queue>, gathering: Duration) -> std::thread::JoinHandle<(usize, bool)> {
        let queue = queue.clone();
        std::thread::spawn(move || {
            let mut batch: VecDeque<Pending> = VecDeque::new();
            let ending = queue.take(&mut batch, FOR_EVER, gathering);
            (batch.len(), ending)
        })
    }

    #[test]
    fn gathering_ends_at_once_for_who_waits_for_the_disk() {
        let queue = Arc::new(Queue::new(1 << 20));
        queue.push_or_lose(event()).unwrap();
        let taken = taking(&queue, FOR_EVER);
        let (kept, _on_disk) = tokio::sync::oneshot::channel();
        queue.push_own(event(), Some(kept));
        assert_eq!(taken.join().unwrap(), (2, false));
    }

    #[test]
    fn gathering_ends_at_once_when_the_queue_ends_or_fills() {
        let queue = Arc::new(Queue::new(1 << 20));
        let taken = taking(&queue, FOR_EVER);
        queue.push_or_lose(event()).unwrap();
        queue.end();
        assert_eq!(taken.join().unwrap(), (1, true));

        let queue = Arc::new(Queue::new(1024));
        let taken = taking(&queue, FOR_EVER);
        queue.push_or_lose(event()).unwrap();
        assert_eq!(taken.join().unwrap(), (1, false), "a record takes half of the room");
    }

    #[test]
    fn gathering_ends_when_its_time_is_over() {
        let queue = Arc::new(Queue::new(1 << 20));
        queue.push_or_lose(event()).unwrap();
        assert_eq!(taking(&queue, Duration::from_millis(1)).join().unwrap(), (1, false));
        assert_eq!(queue.lock().pending.len(), 0);
    }

    #[test]
    fn a_full_queue_counts_what_it_loses_and_takes_more_when_there_is_room() {
        let queue = Queue::new(1024);
        for _ in 0..5 {
            queue.push_or_lose(event()).unwrap();
        }
        let mut batch = VecDeque::new();
        queue.take(&mut batch, Duration::ZERO, Duration::ZERO);
        assert_eq!(batch.len() as u64 + queue.take_lost(), 5);
        assert!((1..=2).contains(&batch.len()), "{}", batch.len());
        queue.written(1, batch.iter().map(|record| record.cost as usize).sum());
        queue.push_or_lose(event()).unwrap();
        assert_eq!((queue.take_lost(), queue.lock().pending.len()), (0, 1));
    }

    #[tokio::test]
    async fn nobody_waits_for_room_any_more_when_the_process_ends() {
        let queue = Arc::new(Queue::new(512));
        queue.push(event(), None).await.unwrap();
        let waiting = tokio::spawn({
            let queue = queue.clone();
            async move { queue.push(event(), None).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        queue.hurry();
        waiting.await.unwrap().unwrap();
        queue.push(event(), None).await.unwrap();
        let mut batch = VecDeque::new();
        queue.take(&mut batch, Duration::ZERO, Duration::ZERO);
        assert_eq!(batch.iter().map(|record| record.cost).collect::<Vec<_>>(), [512, 0, 0]);
        queue.close();
        assert_eq!(queue.push(event(), None).await, Err(Ended));
    }

    #[tokio::test]
    async fn a_full_queue_makes_who_must_not_lose_wait_for_room() {
        let queue = Arc::new(Queue::new(512));
        queue.push(event(), None).await.unwrap();
        let second = tokio::spawn({
            let queue = queue.clone();
            async move { queue.push(event(), None).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        let mut batch = VecDeque::new();
        queue.take(&mut batch, Duration::ZERO, Duration::ZERO);
        assert_eq!(batch.len(), 1);
        queue.written(1, 512);
        second.await.unwrap().unwrap();
        assert_eq!((queue.take_lost(), queue.lock().pending.len()), (0, 1));
    }
}

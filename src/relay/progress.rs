//! When something last moved, so that every deadline counts from the last progress.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The movements of both directions of an association.
pub(crate) struct Progress {
    began: Instant,
    pub to_upstream: Movement,
    pub to_requestor: Movement,
    release: AtomicU64,
    released: Notify,
}

/// The movements of one direction.
#[derive(Default)]
pub(crate) struct Movement {
    /// Milliseconds after the association began.
    last: AtomicU64,
    /// A message is under way: some of it has come, or is still to be written.
    under_way: AtomicBool,
}

/// Which deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// No byte moved while a message was under way.
    Dimse,
    /// No message came.
    Idle,
    /// A release was not answered.
    Release,
}

/// The deadlines that hold once an association is established.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    pub dimse: Duration,
    pub idle: Duration,
    pub release: Duration,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            to_upstream: Movement::default(),
            to_requestor: Movement::default(),
            release: AtomicU64::new(u64::MAX),
            released: Notify::new(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Bytes moved in this direction.
    pub fn moved(&self, movement: &Movement) {
        movement.last.store(self.now(), Ordering::Relaxed);
    }

    /// Whether a message, or any part of a PDU, is under way in this direction; bytes moved too.
    pub fn under_way(&self, movement: &Movement, under_way: bool) {
        movement.under_way.store(under_way, Ordering::Relaxed);
        self.moved(movement);
    }

    /// A release was asked for.
    pub fn release(&self) {
        self.release.fetch_min(self.now(), Ordering::Relaxed);
        self.released.notify_one();
    }

    /// Returns when a deadline has passed.
    ///
    /// A deadline that begins later than the look at the clocks cannot pass earlier than the shortest time-out after
    /// that look, so it is enough to look again by then; only a release wakes it.
    pub async fn expired(&self, deadlines: Deadlines) -> Expired {
        loop {
            let now = self.now();
            let due = self.due(deadlines);
            if let Some((_, expired)) = due.iter().find(|(at, _)| *at <= now) {
                return *expired;
            }
            let earliest = due.iter().map(|(at, _)| *at).min().unwrap_or(now);
            let look_again = earliest.min(now.saturating_add(millis(deadlines.dimse)));
            let sleep = tokio::time::sleep_until(self.began + Duration::from_millis(look_again));
            tokio::select! {
                () = sleep => {}
                () = self.released.notified() => {}
            }
        }
    }

    fn due(&self, deadlines: Deadlines) -> [(u64, Expired); 4] {
        let release = self.release.load(Ordering::Relaxed);
        let both = [&self.to_upstream, &self.to_requestor];
        let last = both.map(|movement| movement.last.load(Ordering::Relaxed));
        let busy = both.map(|movement| movement.under_way.load(Ordering::Relaxed));
        let after = |last: u64, patience: Duration, holds: bool| {
            if holds { last.saturating_add(millis(patience)) } else { u64::MAX }
        };
        let [up, down] = last;
        [
            (after(up, deadlines.dimse, busy[0]), Expired::Dimse),
            (after(down, deadlines.dimse, busy[1]), Expired::Dimse),
            (after(up.max(down), deadlines.idle, busy == [false, false]), Expired::Idle),
            (after(release, deadlines.release, true), Expired::Release),
        ]
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Deadlines, Expired, Progress};
    use std::time::Duration;

    const DEADLINES: Deadlines = Deadlines {
        dimse: Duration::from_secs(60),
        idle: Duration::from_secs(300),
        release: Duration::from_secs(5),
    };

    #[tokio::test(start_paused = true)]
    async fn an_idle_association_ends_after_the_idle_time() {
        let progress = Progress::new();
        assert_eq!(progress.expired(DEADLINES).await, Expired::Idle);
        assert_eq!(progress.began.elapsed().as_secs(), 300);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalled_message_ends_sixty_seconds_after_its_last_byte() {
        let progress = Progress::new();
        let stall = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                progress.under_way(&progress.to_upstream, true);
            }
            std::future::pending::<()>().await;
        };
        let expired =
            tokio::select! { () = stall => unreachable!(), expired = progress.expired(DEADLINES) => expired };
        assert_eq!((expired, progress.began.elapsed().as_secs()), (Expired::Dimse, 310));
    }

    #[tokio::test(start_paused = true)]
    async fn a_release_that_nobody_answers_ends_after_its_own_time() {
        let progress = Progress::new();
        let release = async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            progress.release();
            std::future::pending::<()>().await;
        };
        let expired = tokio::select! { () = release => unreachable!(), expired = progress.expired(DEADLINES) => expired };
        assert_eq!((expired, progress.began.elapsed().as_secs()), (Expired::Release, 25));
    }
}

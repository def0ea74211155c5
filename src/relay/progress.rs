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
    release: AtomicU64,
    released: Notify,
}

/// The movements of one direction.
#[derive(Default)]
pub(crate) struct Movement {
    /// Nanoseconds after the association began.
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

    fn elapsed(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    fn at(&self, elapsed: u64) -> Instant {
        self.began + Duration::from_nanos(elapsed)
    }

    /// Bytes moved in this direction.
    pub fn moved(&self, movement: &Movement) {
        movement.last.store(self.elapsed(), Ordering::Relaxed);
    }

    /// Whether a message, or any part of a PDU, is under way in this direction; bytes moved too.
    pub fn under_way(&self, movement: &Movement, under_way: bool) {
        movement.under_way.store(under_way, Ordering::Relaxed);
        self.moved(movement);
    }

    /// A release was asked for.
    pub fn release(&self) {
        self.release.fetch_min(self.elapsed(), Ordering::Relaxed);
        self.released.notify_one();
    }

    /// Returns when a deadline has passed. Only a release wakes it before that.
    pub async fn expired(&self, deadlines: Deadlines) -> Expired {
        loop {
            let look_again = match self.look(deadlines) {
                Ok(look_again) => look_again,
                Err(expired) => return expired,
            };
            tokio::select! {
                () = tokio::time::sleep_until(look_again) => {}
                () = self.released.notified() => {}
            }
        }
    }

    /// When to look at the deadlines again, or which has passed.
    ///
    /// A deadline that begins later than this look cannot pass earlier than the shortest time-out after it, so it is
    /// enough to look again by then.
    fn look(&self, deadlines: Deadlines) -> Result<Instant, Expired> {
        let now = self.elapsed();
        let due = self.due(deadlines);
        if let Some((_, expired)) = due.iter().find(|(at, _)| *at <= now) {
            return Err(*expired);
        }
        let earliest = due.iter().map(|(at, _)| *at).min().unwrap_or(now);
        Ok(self.at(earliest.min(now.saturating_add(nanos(deadlines.dimse)))))
    }

    fn due(&self, deadlines: Deadlines) -> [(u64, Expired); 4] {
        let release = self.release.load(Ordering::Relaxed);
        let both = [&self.to_upstream, &self.to_requestor];
        let last = both.map(|movement| movement.last.load(Ordering::Relaxed));
        let busy = both.map(|movement| movement.under_way.load(Ordering::Relaxed));
        let after = |last: u64, patience: Duration, holds: bool| {
            if holds { last.saturating_add(nanos(patience)) } else { u64::MAX }
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

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Deadlines, Expired, Progress};
    use std::time::Duration;
    use tokio::time::Instant;

    const DEADLINES: Deadlines = Deadlines {
        dimse: Duration::from_secs(60),
        idle: Duration::from_secs(300),
        release: Duration::from_secs(5),
    };

    /// Looks at the deadlines as often as they ask for it; in the seconds between, `act` happens at the time that it is
    /// given. Which deadline passes, and after how many seconds.
    fn expiry(act: impl Fn(&Progress, u64)) -> (Expired, u64) {
        let began = Instant::now();
        let progress = Progress::new(began);
        let mut look_again = began;
        for second in 0.. {
            let now = began + Duration::from_secs(second);
            progress.woken(now);
            act(&progress, second);
            if look_again <= now {
                match progress.look(DEADLINES) {
                    Ok(then) => look_again = then,
                    Err(expired) => return (expired, second),
                }
            }
        }
        unreachable!()
    }

    #[test]
    fn an_idle_association_ends_after_the_idle_time() {
        assert_eq!(expiry(|_, _| ()), (Expired::Idle, 300));
    }

    #[test]
    fn a_stalled_message_ends_sixty_seconds_after_its_last_byte() {
        let stall = |progress: &Progress, second| {
            if (50..=250).contains(&second) && second % 50 == 0 {
                progress.under_way(&progress.to_upstream, true);
            }
        };
        assert_eq!(expiry(stall), (Expired::Dimse, 310));
    }

    #[tokio::test]
    async fn a_release_that_nobody_answers_ends_after_its_own_time() {
        let progress = Progress::new(Instant::now());
        let deadlines = Deadlines { release: Duration::from_millis(50), ..DEADLINES };
        let mut expired = std::pin::pin!(progress.expired(deadlines));
        // It waits for the idle time until it hears of the release.
        assert!(tokio::time::timeout(Duration::ZERO, &mut expired).await.is_err());
        progress.release();
        assert!(tokio::time::timeout(Duration::ZERO, &mut expired).await.is_err());
        progress.woken(progress.began + Duration::from_millis(50));
        assert_eq!(tokio::time::timeout(Duration::from_secs(20), expired).await, Ok(Expired::Release));
    }
}

//! Which deadline of an established association has passed.

use std::time::{Duration, Instant};

use super::ended::{Expired, Side};
use super::progress::{Progress, nanos};

/// The deadlines that hold once an association is established.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    pub dimse: Duration,
    /// Of a message under way, over each `dimse`.
    pub min_bytes_per_second: u32,
    /// Of the upstream, and of the requestor.
    pub response: [Duration; 2],
    pub idle: Duration,
    pub release: Duration,
}

/// What deadlines depend on besides progress: messages to the upstream first, then those to the requestor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outlook {
    /// Bytes read and written so far.
    pub moved: [u64; 2],
    /// Since when the oldest request that has no last response waits for it.
    pub waiting: [Option<Instant>; 2],
}

/// A stretch of time in which a message under way has to move its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    /// Nanoseconds after the association began.
    since: u64,
    /// Bytes that had moved by then.
    moved: u64,
}

const NEVER: u64 = u64::MAX;

impl Deadlines {
    fn shortest(&self) -> Duration {
        let [upstream, requestor] = self.response;
        self.dimse.min(self.idle).min(upstream).min(requestor)
    }

    /// Bytes that have to move in `dimse`.
    fn least(&self) -> u64 {
        let milliseconds = u64::try_from(self.dimse.as_millis()).unwrap_or(u64::MAX);
        u64::from(self.min_bytes_per_second).saturating_mul(milliseconds) / 1000
    }
}

/// The stretches of both directions.
pub(crate) type Windows = [Window; 2];

impl Progress {
    /// When to look at the deadlines again, or which has passed.
    ///
    /// A deadline that begins later than this look cannot pass earlier than the shortest time-out after it, so it is
    /// enough to look again by then.
    pub(super) fn look(
        &mut self,
        deadlines: Deadlines,
        outlook: &Outlook,
        windows: &mut Windows,
    ) -> Result<Instant, Expired> {
        let now = self.elapsed();
        let due = self.due(deadlines, outlook);
        if let Some((_, expired)) = due.iter().find(|(at, _)| *at <= now) {
            return Err(*expired);
        }
        let windows = self.windows(deadlines, outlook, windows)?;
        let earliest = due.iter().map(|(at, _)| *at).chain(windows).min().unwrap_or(now);
        Ok(self.at(earliest.min(now.saturating_add(nanos(deadlines.shortest())))))
    }

    fn due(&self, deadlines: Deadlines, outlook: &Outlook) -> [(u64, Expired); 6] {
        let both = [&self.to_upstream, &self.to_requestor];
        let [up, down] = both.map(|movement| movement.last);
        let [up_busy, down_busy] = both.map(|movement| movement.under_way);
        let after = |last: u64, patience: Duration, holds: bool| {
            if holds { last.saturating_add(nanos(patience)) } else { NEVER }
        };
        let [of_upstream, of_requestor] = outlook.waiting.map(|since| since.map(|since| self.since(since)));
        let [upstream, requestor] = deadlines.response;
        // An answer that is on its way has the deadline of a message.
        let answer = |since: Option<u64>, heard: u64, patience, busy: bool| match since {
            Some(since) => after(since.max(heard), patience, !busy),
            None => NEVER,
        };
        let idle = !up_busy && !down_busy && of_upstream.or(of_requestor).is_none();
        [
            (after(up, deadlines.dimse, up_busy), Expired::Dimse),
            (after(down, deadlines.dimse, down_busy), Expired::Dimse),
            (answer(of_upstream, down, upstream, down_busy), Expired::Response(Side::Upstream)),
            (answer(of_requestor, up, requestor, up_busy), Expired::Response(Side::Requestor)),
            (after(up.max(down), deadlines.idle, idle), Expired::Idle),
            (self.release.map_or(NEVER, |asked| after(asked, deadlines.release, true)), Expired::Release),
        ]
    }

    fn since(&self, instant: Instant) -> u64 {
        nanos(instant.saturating_duration_since(self.at(0)))
    }

    /// When the windows of messages under way end. A window begins anew where another message has begun since, and where
    /// dimsegate itself held the message up.
    fn windows(
        &mut self,
        deadlines: Deadlines,
        outlook: &Outlook,
        windows: &mut Windows,
    ) -> Result<[u64; 2], Expired> {
        let (now, length) = (self.elapsed(), nanos(deadlines.dimse));
        let mut ends = [NEVER; 2];
        let both = [&mut self.to_upstream, &mut self.to_requestor].into_iter().zip(outlook.moved);
        for ((movement, moved), (window, end)) in both.zip(windows.iter_mut().zip(&mut ends)) {
            let held_up = std::mem::take(&mut movement.held_up);
            let over = now.saturating_sub(window.since) >= length;
            if !movement.under_way {
                continue;
            }
            let another = movement.since > window.since;
            if over && !another && !held_up && moved.saturating_sub(window.moved) < deadlines.least() {
                return Err(Expired::Slow);
            }
            if over || another || held_up {
                *window = Window { since: now, moved };
            }
            *end = window.since.saturating_add(length);
        }
        Ok(ends)
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadlines, Expired, Outlook, Progress, Side};
    use crate::policy::Direction::{FromPeer, ToPeer};
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    const DEADLINES: Deadlines = Deadlines {
        dimse: Duration::from_secs(60),
        min_bytes_per_second: 100,
        response: [Duration::from_secs(3600), Duration::from_secs(900)],
        idle: Duration::from_secs(300),
        release: Duration::from_secs(5),
    };

    /// Looks at the deadlines as often as they ask for it; in the seconds between, `act` happens at the time that it is
    /// given, and says what else there is. Which deadline passes, and after how many seconds.
    fn expiry(act: impl Fn(&mut Progress, u64) -> Outlook) -> (Expired, u64) {
        let began = Instant::now();
        let mut progress = Progress::new(began);
        let (mut look_again, mut windows) = (began, Default::default());
        for second in 0..20_000 {
            let now = began + Duration::from_secs(second);
            progress.woken(now);
            let outlook = act(&mut progress, second);
            if look_again <= now {
                match progress.look(DEADLINES, &outlook, &mut windows) {
                    Ok(then) => look_again = then,
                    Err(expired) => return (expired, second),
                }
            }
        }
        panic!("it never ended")
    }

    #[test]
    fn an_idle_association_ends_after_the_idle_time() {
        assert_eq!(expiry(|_, _| Outlook::default()), (Expired::Idle, 300));
    }

    #[test]
    fn a_stalled_message_ends_sixty_seconds_after_its_last_byte() {
        let stall = |progress: &mut Progress, second| {
            if (50..=250).contains(&second) && second % 50 == 0 {
                progress.under_way(FromPeer, true);
            }
            Outlook { moved: [second * 1_000, 0], ..Outlook::default() }
        };
        assert_eq!(expiry(stall), (Expired::Dimse, 310));
    }

    #[test]
    fn a_message_slower_than_the_least_rate_ends_however_often_a_byte_comes() {
        let bytes_a_second = |rate: u64| {
            move |progress: &mut Progress, second| {
                if second <= 2_000 {
                    progress.under_way(ToPeer, second < 2_000);
                }
                Outlook { moved: [0, rate * second], ..Outlook::default() }
            }
        };
        assert_eq!(expiry(bytes_a_second(99)), (Expired::Slow, 60));
        assert_eq!(expiry(bytes_a_second(100)), (Expired::Idle, 2_300));
    }

    #[test]
    fn a_rate_is_asked_of_one_message_and_not_of_the_pause_before_it() {
        // Each message is over in half a minute, and the next begins at once or later.
        let short = |progress: &mut Progress, second: u64| {
            if second <= 2_000 {
                progress.under_way(FromPeer, second < 2_000 && second % 40 < 30);
            }
            Outlook { moved: [second, 0], ..Outlook::default() }
        };
        assert_eq!(expiry(short), (Expired::Idle, 2_300));
    }

    #[test]
    fn who_is_slowed_down_by_dimsegate_is_not_slow() {
        let paced = |progress: &mut Progress, second: u64| {
            if second <= 2_000 {
                progress.under_way(FromPeer, second < 2_000);
                progress.held_up(FromPeer);
            }
            Outlook { moved: [second, 0], ..Outlook::default() }
        };
        assert_eq!(expiry(paced).0, Expired::Idle);
    }

    #[test]
    fn nobody_who_waits_for_an_answer_is_idle() {
        let began = Cell::new(None);
        let waits = |progress: &mut Progress, second: u64| {
            let asked = began.get().unwrap_or(progress.now());
            began.set(Some(asked));
            // A sign of life of the upstream; then it says no more.
            if second == 1_000 {
                progress.moved(ToPeer);
            }
            Outlook { waiting: [Some(asked), None], ..Outlook::default() }
        };
        assert_eq!(expiry(waits), (Expired::Response(Side::Upstream), 4_600));
        let answered = |progress: &mut Progress, second: u64| {
            let outlook = waits(progress, second);
            if second < 2_000 { outlook } else { Outlook::default() }
        };
        began.set(None);
        assert_eq!(expiry(answered).0, Expired::Idle);
    }

    #[test]
    fn the_requestor_has_a_time_of_its_own_for_its_answers() {
        let began = Instant::now();
        let waits = |_: &mut Progress, _| Outlook { waiting: [None, Some(began)], ..Outlook::default() };
        assert_eq!(expiry(waits), (Expired::Response(Side::Requestor), 900));
    }

    #[test]
    fn a_release_that_nobody_answers_ends_after_its_own_time() {
        let asked = |progress: &mut Progress, second| {
            if second == 100 {
                progress.release();
                assert!(progress.has_to_look() && !progress.has_to_look());
            }
            Outlook::default()
        };
        let began = Instant::now();
        let (mut progress, mut windows) = (Progress::new(began), Default::default());
        asked(&mut progress, 100);
        assert_eq!(
            progress.look(DEADLINES, &Outlook::default(), &mut windows),
            Ok(began + Duration::from_secs(5))
        );
        assert_eq!(expiry(asked).0, Expired::Release);
    }
}

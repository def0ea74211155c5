//! When the next datagram may follow: a receiver's buffer holds some dozens of them, and whatever comes after is lost.
//!
//! One at a time is slow enough for any receiver, and may be too slow for ever: where there is always more to send, more of
//! them follow each other at once, and still far fewer than a buffer holds.

use std::time::Duration;
use tokio::time::Instant;

/// Most datagrams at once.
const MOST: u32 = 8;
/// So long without a pause there is more to send than goes out.
const BUSY: Duration = Duration::from_secs(1);
/// Less than that is no pause: the disk may be slow. It is less than what passes between two looks at the trail.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Turns {
    between: Duration,
    /// Of the next turn.
    next: Instant,
    /// How many datagrams have a turn, and how many of this one are left.
    at_once: u32,
    left: u32,
    /// Since when there was no pause with as many at once.
    since: Instant,
}

impl Turns {
    pub(super) fn new(between: Duration, now: Instant) -> Self {
        Self { between, next: now, at_once: 1, left: 0, since: now }
    }

    /// When the datagram that is there now may be sent.
    pub(super) fn next(&mut self, now: Instant) -> Instant {
        if now >= self.next + PAUSE {
            (self.at_once, self.left, self.since) = (1, 0, now);
        }
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return now;
        }
        let at = self.next.max(now);
        if at - self.since >= BUSY {
            self.at_once = self.at_once.saturating_mul(2).min(MOST);
            self.since = at;
        }
        self.left = self.at_once - 1;
        self.next = at + self.between;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::{PAUSE, Turns};
    use std::time::Duration;
    use tokio::time::Instant;

    /// How many are sent in the seconds from `now` on, where there is always one more.
    fn sent(turns: &mut Turns, mut now: Instant, seconds: u64) -> (Vec<usize>, Instant) {
        let begun = now;
        let mut counts = vec![0; usize::try_from(seconds).unwrap()];
        loop {
            now = turns.next(now);
            let second = usize::try_from((now - begun).as_secs()).unwrap();
            let Some(count) = counts.get_mut(second) else { return (counts, now) };
            *count += 1;
        }
    }

    #[test]
    fn who_has_always_more_to_send_sends_more_at_once_up_to_a_bound_and_one_after_a_pause() {
        let now = Instant::now();
        let mut turns = Turns::new(Duration::from_millis(4), now);
        let (counts, end) = sent(&mut turns, now, 6);
        assert_eq!(counts, [250, 500, 1000, 2000, 2000, 2000]);
        let (counts, _) = sent(&mut turns, end + PAUSE * 2, 1);
        assert_eq!(counts, [250]);
    }
}

//! How fast an open association goes, for whoever looks. Whoever drives it does nothing for it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Looks that come sooner share what the one before them found: what moved in less says little.
const WINDOW: Duration = Duration::from_secs(1);

/// What somebody who looked saw last.
pub(super) struct Rate(Mutex<Seen>);

struct Seen {
    at: Instant,
    bytes: u64,
    rate: u64,
}

impl Rate {
    /// Nothing has moved by then.
    pub(super) fn new(since: Instant) -> Self {
        Self(Mutex::new(Seen { at: since, bytes: 0, rate: 0 }))
    }

    /// Bytes a second since somebody looked last, and that at least [`WINDOW`] ago, at first since the beginning. `bytes` are all
    /// that have moved by `now`.
    pub(super) fn look(&self, bytes: u64, now: Instant) -> u64 {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = now.saturating_duration_since(seen.at);
        if gone >= WINDOW {
            let moved = u128::from(bytes.saturating_sub(seen.bytes));
            let rate = moved.saturating_mul(1000) / gone.as_millis().max(1);
            *seen = Seen { at: now, bytes, rate: u64::try_from(rate).unwrap_or(u64::MAX) };
        }
        seen.rate
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;
    use std::time::{Duration, Instant};

    #[test]
    fn it_is_what_moved_since_somebody_looked_last_and_looks_that_follow_at_once_share_it() {
        let since = Instant::now();
        let (rate, at) = (Rate::new(since), |milliseconds| since + Duration::from_millis(milliseconds));
        assert_eq!(rate.look(900, at(999)), 0, "too soon to say");
        assert_eq!(rate.look(3_000, at(2_000)), 1_500);
        assert_eq!(rate.look(9_000, at(2_999)), 1_500);
        assert_eq!(rate.look(9_000, at(4_000)), 3_000);
        assert_eq!(rate.look(9_000, at(5_000)), 0);
        assert_eq!(rate.look(u64::MAX, at(6_000)), u64::MAX - 9_000);
        assert_eq!(rate.look(u64::MAX, since), u64::MAX - 9_000, "clocks of two threads");
    }
}

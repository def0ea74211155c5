//! Which day it is, without a look at the calendar at each wake-up.

use std::time::{Duration, Instant};

use time::{Date, OffsetDateTime};

/// How long a day is believed. A clock that is set shows within that time, and so does midnight.
const BELIEVED: Duration = Duration::from_secs(1);

/// Which day it was a moment ago.
#[derive(Default)]
pub(super) struct Day {
    seen: Option<(Instant, Date)>,
}

impl Day {
    /// At a time that is now.
    pub(super) fn at(&mut self, now: Instant) -> Date {
        self.looked_at(now, today)
    }

    fn looked_at(&mut self, now: Instant, look: impl FnOnce() -> Date) -> Date {
        match self.seen {
            Some((seen, day)) if now.saturating_duration_since(seen) < BELIEVED => day,
            _ => self.seen.insert((now, look())).1,
        }
    }
}

/// Which day it is (UTC).
pub(in crate::relay) fn today() -> Date {
    OffsetDateTime::now_utc().date()
}

#[cfg(test)]
mod tests {
    use super::{BELIEVED, Day};
    use std::time::{Duration, Instant};
    use time::macros::date;

    #[test]
    fn a_day_is_believed_for_a_moment_and_looked_at_again() {
        let (mut day, now) = (Day::default(), Instant::now());
        let (eve, morrow) = (date!(2026 - 12 - 31), date!(2027 - 01 - 01));
        assert_eq!(day.looked_at(now, || eve), eve);
        let almost = now + BELIEVED - Duration::from_nanos(1);
        assert_eq!(day.looked_at(almost, || morrow), eve);
        assert_eq!(day.looked_at(now + BELIEVED, || morrow), morrow);
    }
}

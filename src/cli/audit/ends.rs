//! How near the end of a certificate or a list is.

use time::{Duration, OffsetDateTime};

use crate::cli::words::counted;

/// Less than this is soon, as for the alerts of a proxy that runs.
pub const SOON: Duration = Duration::days(30);

/// Ordered by how much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    Ended,
    Soon,
    Later,
}

/// Of an end, seen `now`.
pub fn nearness(end: OffsetDateTime, now: OffsetDateTime) -> Nearness {
    match end - now {
        left if left <= Duration::ZERO => Nearness::Ended,
        left if left < SOON => Nearness::Soon,
        _ => Nearness::Later,
    }
}

/// `ended 3 days ago`, `ends in 5 hours`, `ends in 200 days`.
pub fn words(end: OffsetDateTime, now: OffsetDateTime) -> String {
    let left = end - now;
    let span = match (left.abs().whole_days(), left.abs().whole_hours()) {
        (0, 0) => "less than an hour".to_owned(),
        (0, hours) => counted(hours, "hour"),
        (days, _) => counted(days, "day"),
    };
    match nearness(end, now) {
        Nearness::Ended => format!("ended {span} ago"),
        Nearness::Soon | Nearness::Later => format!("ends in {span}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Nearness, nearness, words};
    use time::Duration;
    use time::macros::datetime;

    #[test]
    fn an_end_is_told_by_how_far_it_is() {
        let now = datetime!(2026-03-01 12:00 UTC);
        let of = |left| (nearness(now + left, now), words(now + left, now));
        assert_eq!(of(Duration::ZERO), (Nearness::Ended, "ended less than an hour ago".into()));
        assert_eq!(of(-Duration::days(3)), (Nearness::Ended, "ended 3 days ago".into()));
        assert_eq!(of(Duration::hours(1)), (Nearness::Soon, "ends in 1 hour".into()));
        assert_eq!(of(Duration::hours(47)), (Nearness::Soon, "ends in 1 day".into()));
        assert_eq!(of(Duration::days(30)), (Nearness::Later, "ends in 30 days".into()));
    }
}

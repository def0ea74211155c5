//! How near the end of a certificate or a list is, and whether that still matters.

use time::{Duration, OffsetDateTime};

use crate::cli::words::counted;

/// Less than this is soon, as for the alerts of a proxy that runs.
pub(in crate::cli) const SOON: Duration = Duration::days(30);

/// Ordered by how much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum Nearness {
    Ended,
    Soon,
    Later,
}

/// Of an end, seen `now`.
pub(in crate::cli) fn nearness(end: OffsetDateTime, now: OffsetDateTime) -> Nearness {
    match end - now {
        left if left <= Duration::ZERO => Nearness::Ended,
        left if left < SOON => Nearness::Soon,
        _ => Nearness::Later,
    }
}

/// `ended 3 days ago`, `ends in 5 hours`, `ends in 200 days`.
pub(in crate::cli) fn words(end: OffsetDateTime, now: OffsetDateTime) -> String {
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

/// A certificate that was shown: of whom, by whom, and when.
#[derive(Clone, Debug)]
pub(super) struct Life<'a> {
    pub name: &'a str,
    /// The peers, or the upstream.
    pub places: Vec<&'a str>,
    pub ends: OffsetDateTime,
    pub first_shown: OffsetDateTime,
    pub last_shown: OffsetDateTime,
}

impl Life<'_> {
    /// Whether another one took its place, so that its end matters to nobody: of the same name, in the same places, ending later,
    /// and shown since this one has ended, or since it was shown for the last time. While both are in use, each is told.
    pub(super) fn is_renewed_by(&self, other: &Life) -> bool {
        let in_its_place =
            other.name == self.name && self.places.iter().all(|place| other.places.contains(place));
        let since = other.first_shown > self.last_shown || other.last_shown > self.ends;
        in_its_place && other.ends > self.ends && since
    }
}

#[cfg(test)]
mod tests {
    use super::{Life, Nearness, nearness, words};
    use time::Duration;
    use time::macros::datetime;

    #[test]
    fn one_that_another_took_the_place_of_is_renewed_and_one_that_is_in_use_beside_it_is_not() {
        let day = |day: i64| datetime!(2026-03-01 0:00 UTC) + Duration::days(day);
        let life = |ends, (first, last)| Life {
            name: "CN=lyon",
            places: vec!["lyon"],
            ends: day(ends),
            first_shown: day(first),
            last_shown: day(last),
        };
        // It ends on day 20.
        let old = life(20, (0, 10));
        assert!(old.is_renewed_by(&life(400, (11, 11))), "before its end");
        assert!(old.is_renewed_by(&life(400, (5, 21))), "both were in use, and it has ended since");
        assert!(!old.is_renewed_by(&life(400, (5, 15))), "both are in use");
        assert!(!old.is_renewed_by(&life(20, (11, 30))), "it ends no later");
        assert!(!life(400, (11, 11)).is_renewed_by(&old) && !old.is_renewed_by(&old));
        let of = |name, places| Life { name, places, ..life(400, (11, 11)) };
        assert!(old.is_renewed_by(&of("CN=lyon", vec!["geneva", "lyon"])));
        assert!(!old.is_renewed_by(&of("CN=lyon", vec!["geneva"])));
        assert!(!old.is_renewed_by(&of("CN=geneva", vec!["lyon"])));
    }

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

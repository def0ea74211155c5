mod keeping;
pub(crate) mod kinds;
mod lines;
mod sink;
mod whole;

use crate::scratch::Scratch;
use std::time::Duration;
use time::OffsetDateTime;

/// Generous; what passes never waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it to come true");
}

/// The folder of a test whose files are named by days: midnight (UTC) does not come while it runs.
pub(crate) fn home() -> Scratch {
    while let Some(left) = of_a_day_that_ends(OffsetDateTime::now_utc()) {
        std::thread::park_timeout(left);
    }
    Scratch::new()
}

/// What is left of a day, where a test might not end in it.
fn of_a_day_that_ends(now: OffsetDateTime) -> Option<Duration> {
    let midnight = now.date().next_day()?.midnight().assume_utc();
    let left = Duration::try_from(midnight - now).ok()?;
    (left < PATIENCE * 2).then_some(left)
}

#[test]
fn a_day_that_ends_is_waited_for() {
    use time::macros::datetime;
    assert_eq!(of_a_day_that_ends(datetime!(2026-01-31 23:58:59 UTC)), None);
    assert_eq!(of_a_day_that_ends(datetime!(2026-01-31 23:59:30 UTC)), Some(Duration::from_secs(30)));
    assert_eq!(of_a_day_that_ends(datetime!(2026-02-01 00:00 UTC)), None);
}

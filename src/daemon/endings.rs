//! Certificates and lists that end while the proxy runs: told once ahead, and once when it is so.
//!
//! What ends soon, or has ended, when a configuration comes into force is told with its other risks; this is about the
//! time after that.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;

use crate::audit::{Audit, Event, SecurityAlert};
use crate::config::Settings;
use crate::tls::{End, EndKind};
use crate::vocabulary::Notice;

/// The longest sleep: clocks are set.
const LONGEST: Duration = Duration::from_secs(3600);

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Ahead,
    Ended,
}

/// What was told of one configuration.
struct Endings<'s> {
    ends: &'s [(String, End)],
    told: HashSet<(usize, Stage)>,
}

impl<'s> Endings<'s> {
    /// What is so already counts as told.
    fn new(ends: &'s [(String, End)], now: OffsetDateTime) -> Self {
        let mut told = Self { ends, told: HashSet::new() };
        told.due(now);
        told
    }

    /// What has become so and was not told: who uses it, and what it is.
    fn due(&mut self, now: OffsetDateTime) -> Vec<(&'s str, &'s End, Stage)> {
        let mut due = Vec::new();
        for (index, (place, end)) in self.ends.iter().enumerate() {
            let stage = match end.at - now {
                left if left <= time::Duration::ZERO => Stage::Ended,
                left if left <= end.kind.notice() => Stage::Ahead,
                _ => continue,
            };
            if self.told.insert((index, stage)) {
                due.push((place.as_str(), end, stage));
            }
        }
        due
    }

    /// How long nothing changes.
    fn until_next(&self, now: OffsetDateTime) -> Duration {
        let moments = self.ends.iter().flat_map(|(_, end)| [end.at - end.kind.notice(), end.at]);
        let next = moments.filter(|at| *at > now).min();
        let left = next.and_then(|next| Duration::try_from(next - now).ok());
        // A moment more, so that it is past.
        left.map_or(LONGEST, |left| left.saturating_add(Duration::from_millis(10))).min(LONGEST)
    }
}

/// Tells what ends of the settings in force, for as long as there is a sender of them.
pub(super) async fn tell(mut settings: watch::Receiver<Arc<Settings>>, audit: Audit) {
    loop {
        let current = settings.borrow_and_update().clone();
        let mut told = Endings::new(&current.ends, OffsetDateTime::now_utc());
        loop {
            let sleep = tokio::time::sleep(told.until_next(OffsetDateTime::now_utc()));
            tokio::select! {
                () = sleep => {}
                changed = settings.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
            }
            for (place, end, stage) in told.due(OffsetDateTime::now_utc()) {
                let alert = alert(place, end, stage);
                tracing::warn!(reason = %alert.reason, "{}", alert.explanation);
                audit.record(Event::SecurityAlert(Box::new(alert))).await;
            }
        }
    }
}

/// What ends soon or has ended by now. It is among the risks of the configuration, and no record.
pub(super) fn already(ends: &[(String, End)], now: OffsetDateTime) -> Vec<SecurityAlert> {
    let mut told = Endings { ends, told: HashSet::new() };
    let due = told.due(now).into_iter();
    due.map(|(place, end, stage)| alert(place, end, stage)).collect()
}

fn alert(place: &str, end: &End, stage: Stage) -> SecurityAlert {
    let notice = match (end.kind, stage) {
        (EndKind::Certificate, Stage::Ahead) => Notice::CertificateEnding,
        (EndKind::Certificate, Stage::Ended) => Notice::CertificateEnded,
        (EndKind::RevocationList, Stage::Ahead) => Notice::RevocationListEnding,
        (EndKind::RevocationList, Stage::Ended) => Notice::RevocationListEnded,
    };
    let date = end.at.to_offset(time::UtcOffset::UTC).date();
    let verb = if stage == Stage::Ended { "ended" } else { "ends" };
    let (file, what) = (end.file.display(), &end.what);
    let about = format!("{place}: {what} in {file}");
    let explanation = format!("{about} {verb} on {date}");
    let (reason, about) = (notice.label().into(), Some(about));
    SecurityAlert { reason, about, explanation, ..SecurityAlert::default() }
}

#[cfg(test)]
mod tests {
    use super::{Endings, LONGEST, Stage, already};
    use crate::tls::{End, EndKind};
    use std::time::Duration;
    use time::OffsetDateTime;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    fn ends() -> Vec<(String, End)> {
        let end = |days: i64, kind| End {
            file: "x.pem".into(),
            what: "the certificate of CN=x".into(),
            at: NOW + time::Duration::days(days),
            kind,
        };
        vec![
            ("listener".into(), end(40, EndKind::Certificate)),
            ("listener".into(), end(20, EndKind::RevocationList)),
            ("upstream".into(), end(10, EndKind::Certificate)),
        ]
    }

    #[test]
    fn each_end_is_told_once_ahead_and_once_when_it_has_come() {
        let ends = ends();
        let mut told = Endings::new(&ends, NOW);
        let mut at = |hours: i64| {
            let due = told.due(NOW + time::Duration::hours(hours));
            due.iter().map(|(_, end, stage)| (end.at - NOW, *stage)).collect::<Vec<_>>()
        };
        let days = time::Duration::days;
        // What ends within the notice when it comes into force is a risk that was told then.
        assert_eq!(at(1), []);
        assert_eq!(at(10 * 24), [(days(40), Stage::Ahead), (days(10), Stage::Ended)]);
        assert_eq!(at(10 * 24 + 1), []);
        assert_eq!(at(13 * 24), [(days(20), Stage::Ahead)]);
        // A sleep that was too long.
        assert_eq!(at(50 * 24), [(days(40), Stage::Ended), (days(20), Stage::Ended)]);
        assert_eq!(at(51 * 24), []);
    }

    #[test]
    fn what_ends_when_it_comes_into_force_is_told_in_the_words_of_its_alert() {
        let told = |days: i64| {
            let ends = ends();
            let told = already(&ends, NOW + time::Duration::days(days));
            told.into_iter().map(|alert| (alert.reason.into_owned(), alert.explanation)).collect::<Vec<_>>()
        };
        let says = |reason: &str, place: &str, what: &str| {
            (reason.to_owned(), format!("{place}: the certificate of CN=x in x.pem {what}"))
        };
        assert_eq!(told(0), [says("certificate-ending", "upstream", "ends on 2026-01-11")]);
        let later = [
            says("certificate-ending", "listener", "ends on 2026-02-10"),
            says("revocation-list-ending", "listener", "ends on 2026-01-21"),
            says("certificate-ended", "upstream", "ended on 2026-01-11"),
        ];
        assert_eq!(told(19), later);
        assert_eq!(told(-21), []);
    }

    #[test]
    fn nothing_is_slept_over_for_long() {
        let ends = ends();
        let told = Endings::new(&ends, NOW);
        assert_eq!(told.until_next(NOW), LONGEST);
        let before = NOW + time::Duration::days(10) - time::Duration::seconds(5);
        assert_eq!(told.until_next(before), Duration::from_millis(5010));
    }
}

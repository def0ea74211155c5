//! What is told now, and what was told already: pure, with its clock given.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Occasion;
use super::occasion::Happened;

/// Refusals are gathered for as long before they are told, so that a scanner is one message.
const GATHER: Duration = Duration::from_secs(10);
/// Different subjects that are told apart, and those beyond as one of each occasion. None is of a peer's choosing: they are labels
/// of the vocabulary, with names of the configuration, which may have more peers than anybody wants to be told of.
const MOST: usize = 256;

/// What one target was told, and what it waits to be told.
#[derive(Debug)]
pub(super) struct Due {
    repeat: Duration,
    told: BTreeMap<(Occasion, String), Notified>,
}

#[derive(Debug)]
struct Notified {
    /// When it is told next, where anything has happened since the last time.
    next: Instant,
    /// It is told at once, whatever was told before: what was told last is over.
    soon: Option<Instant>,
    /// What was told last goes on, as far as whoever was told knows.
    goes_on: bool,
    /// What happened since, and how often.
    waiting: Option<(Happened, u64)>,
}

impl Due {
    /// The same is told again after `repeat` at the earliest.
    pub(super) fn new(repeat: Duration) -> Self {
        Self { repeat, told: BTreeMap::new() }
    }

    /// Takes note of what has happened. Whether it is told now, later or together with others follows from the times of
    /// the target.
    pub(super) fn happened(&mut self, what: Happened, now: Instant) {
        let mut subject = what.subject();
        if self.told.len() >= MOST && !self.told.contains_key(&subject) {
            subject.1.clear();
        }
        let wait = if what.occasion == Occasion::Refusals { GATHER } else { Duration::ZERO };
        let new = || Notified { next: now + wait, soon: None, goes_on: false, waiting: None };
        let told = self.told.entry(subject).or_insert_with(new);
        told.soon = (told.goes_on && what.is_over()).then_some(now);
        let count = match told.waiting.take() {
            Some((_, before)) => before.saturating_add(what.count),
            None => {
                told.next = told.next.max(now + wait);
                what.count
            }
        };
        told.waiting = Some((what, count));
    }

    /// What is to be told by now: the last of each kind, and how often it happened.
    pub(super) fn take(&mut self, now: Instant) -> Vec<(Happened, u64)> {
        let mut due = Vec::new();
        for told in self.told.values_mut().filter(|told| told.at() <= now) {
            if let Some(waiting) = told.waiting.take() {
                told.goes_on = !waiting.0.is_over();
                // What was over at once does not put off what comes next.
                if told.soon.take().is_none() {
                    told.next = now + self.repeat;
                }
                due.push(waiting);
            }
        }
        due
    }

    /// When there is something to tell next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.told.values().filter(|told| told.waiting.is_some()).map(Notified::at).min()
    }
}

impl Notified {
    /// When what waits is told.
    fn at(&self) -> Instant {
        self.soon.unwrap_or(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, GATHER};
    use crate::notify::Occasion;
    use crate::notify::occasion::{Happened, of_record};
    use std::time::{Duration, Instant};

    const NONE: [u64; 0] = [];
    const HOUR: Duration = Duration::from_secs(3600);

    fn one(occasion: Occasion, reason: &str) -> Happened {
        Happened { reason: reason.into(), ..Happened::new(occasion, "why") }
    }

    fn alert(reason: &str, about: &str) -> Happened {
        let record = format!(
            r#"{{"event":"security-alert","sequence":4,"reason":"{reason}","about":"{about}","explanation":"why"}}"#
        );
        of_record(&record).unwrap()
    }

    fn told(due: &mut Due, now: Instant) -> Vec<(String, String, u64)> {
        due.take(now).into_iter().map(|(what, count)| (what.reason, what.about, count)).collect()
    }

    fn says(reason: &str, about: &str, count: u64) -> (String, String, u64) {
        (reason.into(), about.into(), count)
    }

    fn counts(due: &mut Due, now: Instant) -> Vec<u64> {
        due.take(now).into_iter().map(|(_, count)| count).collect()
    }

    #[test]
    fn the_first_is_told_at_once_and_the_same_again_only_after_a_while_with_how_often_it_happened() {
        let (mut due, start) = (Due::new(HOUR), Instant::now());
        due.happened(alert("upstream-down", "pacs"), start);
        assert_eq!(counts(&mut due, start), [1]);
        for minute in 1..=5 {
            due.happened(alert("upstream-down", "pacs"), start + Duration::from_secs(60 * minute));
        }
        assert_eq!(due.next(), Some(start + HOUR));
        assert_eq!(counts(&mut due, start + HOUR - Duration::from_secs(1)), NONE);
        assert_eq!(counts(&mut due, start + HOUR), [5]);
        assert_eq!((due.next(), counts(&mut due, start + 3 * HOUR)), (None, vec![]));
    }

    #[test]
    fn others_of_the_same_kind_are_told_on_their_own() {
        let (mut due, start) = (Due::new(HOUR), Instant::now());
        for reason in ["upstream-down", "certificate-ending", "revocation-list-ended", "repository-behind"] {
            due.happened(alert(reason, "a"), start);
            assert_eq!(told(&mut due, start), [says(reason, "a", 1)]);
            due.happened(alert(reason, "b"), start);
            assert_eq!(told(&mut due, start), [says(reason, "b", 1)]);
            due.happened(alert(reason, "a"), start);
            assert_eq!(told(&mut due, start), []);
        }
    }

    #[test]
    fn two_peers_with_the_same_reason_are_told_apart_and_whoever_is_none_is_one() {
        let (mut due, start) = (Due::new(HOUR), Instant::now());
        let of = |event: &str, peer: &str| {
            let reason = r#""sequence":4,"reason":"protocol-error","explanation":"why""#;
            of_record(&format!(r#"{{"event":"{event}",{reason},"peer":{peer}}}"#)).unwrap()
        };
        let mut peers = |event: &str, at: Instant| {
            for peer in [r#""lyon""#, r#""lyon""#, r#""paris""#, "null", "null"] {
                due.happened(of(event, peer), start);
            }
            due.take(at).into_iter().map(|(what, count)| (what.peer, count)).collect::<Vec<_>>()
        };
        let expected = [("".to_owned(), 2), ("lyon".to_owned(), 2), ("paris".to_owned(), 1)];
        assert_eq!(peers("security-alert", start), expected);
        assert_eq!(peers("association-rejected", start + GATHER), expected);
    }

    #[test]
    fn whoever_was_told_that_an_upstream_is_down_is_told_at_once_that_it_is_up_again() {
        let (mut due, start) = (Due::new(HOUR), Instant::now());
        let at = |minute: u64| start + Duration::from_secs(60 * minute);
        due.happened(alert("upstream-down", "pacs"), start);
        assert_eq!(told(&mut due, start), [says("upstream-down", "pacs", 1)]);
        due.happened(alert("upstream-up", "pacs"), at(1));
        assert_eq!(due.next(), Some(at(1)));
        assert_eq!(told(&mut due, at(1)), [says("upstream-up", "pacs", 1)]);
        // One that comes and goes is told once an hour, as it is then.
        for minute in [2, 4] {
            due.happened(alert("upstream-down", "pacs"), at(minute));
            due.happened(alert("upstream-up", "pacs"), at(minute + 1));
        }
        due.happened(alert("upstream-down", "pacs"), at(6));
        assert_eq!(told(&mut due, at(59)), []);
        assert_eq!(told(&mut due, at(60)), [says("upstream-down", "pacs", 5)]);
        due.happened(alert("upstream-up", "pacs"), at(61));
        due.happened(alert("upstream-down", "pacs"), at(61));
        assert_eq!(told(&mut due, at(61)), [], "it is down, as was told");
        due.happened(alert("upstream-up", "pacs"), at(62));
        assert_eq!(told(&mut due, at(62)), [says("upstream-up", "pacs", 3)]);
    }

    #[test]
    fn refusals_are_gathered_before_they_are_told() {
        let (mut due, start) = (Due::new(HOUR), Instant::now());
        for _ in 0..200 {
            due.happened(one(Occasion::Refusals, "address-not-allowed"), start);
        }
        assert_eq!(counts(&mut due, start), NONE);
        assert_eq!(counts(&mut due, start + GATHER), [200]);
        // What comes after the hour waits to be gathered again.
        let later = start + 2 * HOUR;
        due.happened(one(Occasion::Refusals, "address-not-allowed"), later);
        assert_eq!(due.next(), Some(later + GATHER));
    }

    #[test]
    fn subjects_without_end_take_no_memory_without_end() {
        let (mut due, start) = (Due::new(HOUR), Instant::now());
        for number in 0..10_000 {
            due.happened(one(Occasion::SecurityAlert, &number.to_string()), start);
        }
        assert!(due.told.len() <= super::MOST + 1);
        assert_eq!(counts(&mut due, start).iter().sum::<u64>(), 10_000);
    }
}

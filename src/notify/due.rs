//! What is told now, and what was told already: pure, with its clock given.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Occasion;
use super::occasion::Happened;

/// Refusals are gathered for as long before they are told, so that a scanner is one message.
const GATHER: Duration = Duration::from_secs(10);
/// Different subjects that are told apart. Those of a peer's choosing are none: they are labels of the vocabulary.
const MOST: usize = 256;

/// What one target was told, and what it waits to be told.
#[derive(Debug)]
pub(super) struct Due {
    repeat: Duration,
    told: BTreeMap<(Occasion, String), Told>,
}

#[derive(Debug)]
struct Told {
    /// When it is told next, where anything has happened since the last time.
    next: Instant,
    /// What happened since, and how often.
    waiting: Option<(Happened, u64)>,
}

impl Due {
    /// The same is told again after `repeat` at the earliest.
    pub(super) fn new(repeat: Duration) -> Self {
        Self { repeat, told: BTreeMap::new() }
    }

    /// Something has happened.
    pub(super) fn happened(&mut self, what: Happened, now: Instant) {
        let subject = if self.told.len() < MOST { what.subject.clone() } else { String::new() };
        let wait = if what.occasion == Occasion::Refusals { GATHER } else { Duration::ZERO };
        let told = self.told.entry((what.occasion, subject));
        let told = told.or_insert_with(|| Told { next: now + wait, waiting: None });
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
        for told in self.told.values_mut().filter(|told| told.next <= now) {
            if let Some(waiting) = told.waiting.take() {
                told.next = now + self.repeat;
                due.push(waiting);
            }
        }
        due
    }

    /// When there is something to tell next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.told.values().filter(|told| told.waiting.is_some()).map(|told| told.next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, GATHER};
    use crate::notify::Occasion;
    use crate::notify::occasion::Happened;
    use std::time::{Duration, Instant};

    const NONE: [u64; 0] = [];
    const HOUR: Duration = Duration::from_secs(3600);

    fn one(occasion: Occasion, subject: &str) -> Happened {
        Happened { occasion, subject: subject.into(), sentence: "why".into(), count: 1 }
    }

    fn counts(due: &mut Due, now: Instant) -> Vec<u64> {
        due.take(now).into_iter().map(|(_, count)| count).collect()
    }

    #[test]
    fn the_first_is_told_at_once_and_the_same_again_only_after_a_while_with_how_often_it_happened() {
        let (mut due, start) = (Due::new(HOUR), Instant::now());
        due.happened(one(Occasion::UpstreamDown, "pacs"), start);
        assert_eq!(counts(&mut due, start), [1]);
        for minute in 1..=5 {
            due.happened(one(Occasion::UpstreamDown, "pacs"), start + Duration::from_secs(60 * minute));
        }
        assert_eq!(due.next(), Some(start + HOUR));
        assert_eq!(counts(&mut due, start + HOUR - Duration::from_secs(1)), NONE);
        assert_eq!(counts(&mut due, start + HOUR), [5]);
        assert_eq!((due.next(), counts(&mut due, start + 3 * HOUR)), (None, vec![]));
    }

    #[test]
    fn others_of_the_same_kind_are_told_on_their_own() {
        let (mut due, start) = (Due::new(HOUR), Instant::now());
        due.happened(one(Occasion::UpstreamDown, "pacs"), start);
        due.happened(one(Occasion::UpstreamDown, "mirror"), start);
        assert_eq!(counts(&mut due, start), [1, 1]);
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

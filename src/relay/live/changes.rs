//! What has changed since somebody looked, so that whoever looks again and again is told only that.
//!
//! Whoever drives an association does nothing for it: who looks compares each with what the last one who looked saw, and
//! numbers what is other.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{Entry, Live, Row};
use crate::policy::Direction;

/// A moment at which somebody looked, as `<run>-<number>` in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Of one start of the proxy.
    run: u64,
    revision: u64,
}

/// Why text is no [`Mark`].
#[derive(Debug, thiserror::Error)]
#[error("this is not what \"as-of\" of an answer said")]
pub(crate) struct MarkError;

/// What is other than it was.
pub(crate) struct Changes {
    pub as_of: Mark,
    /// Those that began, or have changed, the oldest first.
    pub changed: Vec<Arc<Entry>>,
    /// The ids of all that are open, where any has ended.
    pub open: Option<Vec<Arc<str>>>,
}

/// What of an association changes while it is open. Time that goes by is none of it.
#[derive(PartialEq, Eq)]
pub(super) struct Look {
    bytes: [u64; 4],
    lanes: [super::Lane; 2],
    /// Operations that are over.
    over: u64,
    is_ending: bool,
}

impl Look {
    fn at(entry: &Entry) -> Self {
        let Entry { course, orders, .. } = entry;
        Self {
            bytes: course.bytes(),
            lanes: [Direction::FromPeer, Direction::ToPeer].map(|direction| course.lane(direction)),
            over: course.over(),
            is_ending: orders.is_given(),
        }
    }
}

impl Live {
    /// What has changed since a mark. Without one, or with one of another run: everything.
    pub(crate) fn changes(&self, since: Option<Mark>) -> Changes {
        let mut table = self.table();
        let next = table.revision + 1;
        for row in table.rows.values_mut() {
            row.look_again(next);
        }
        if table.rows.values().any(|row| row.revision == next) {
            table.revision = next;
        }
        let since = since.filter(|since| since.run == self.run && since.revision <= table.revision);
        let is_other = |revision: u64| since.is_none_or(|since| revision > since.revision);
        let other = table.rows.values().filter(|row| is_other(row.revision));
        let mut changed: Vec<_> = other.map(|row| row.entry.clone()).collect();
        changed.sort_by_key(|entry| entry.facts.since);
        Changes {
            as_of: Mark { run: self.run, revision: table.revision },
            changed,
            open: is_other(table.last_end).then(|| table.rows.keys().cloned().collect()),
        }
    }
}

impl Row {
    fn look_again(&mut self, next: u64) {
        let now = Look::at(&self.entry);
        if self.seen.as_ref() != Some(&now) {
            self.seen = Some(now);
            self.revision = next;
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.run, self.revision)
    }
}

impl FromStr for Mark {
    type Err = MarkError;

    fn from_str(text: &str) -> Result<Self, MarkError> {
        let (run, revision) = text.split_once('-').ok_or(MarkError)?;
        let number = |digits: &str| u64::from_str_radix(digits, 16).map_err(|_| MarkError);
        Ok(Self { run: number(run)?, revision: number(revision)? })
    }
}

#[cfg(test)]
mod tests {
    use super::{Changes, Mark};
    use crate::audit::OperationCounts;
    use crate::dimse::Operation;
    use crate::relay::live::tests::{facts, right};
    use crate::relay::live::{Live, Order, When};
    use crate::vocabulary::Reason;

    fn ids(changes: &Changes) -> Vec<String> {
        changes.changed.iter().map(|entry| entry.facts.id.to_string()).collect()
    }

    #[test]
    fn whoever_looks_again_is_told_what_is_other_and_who_has_ended() {
        let live = Live::default();
        let (old, young) = (live.enter(facts("b", 3), right()), live.enter(facts("a", 1), right()));
        let first = live.changes(None);
        assert_eq!((ids(&first), first.open.map(|open| open.len())), (vec!["b".into(), "a".into()], Some(2)));
        let again = |mark| live.changes(Some(mark));
        let idle = again(first.as_of);
        assert!(idle.changed.is_empty() && idle.open.is_none() && idle.as_of == first.as_of);
        young.entry().course.set_bytes([1, 0, 0, 0]);
        let moved = again(first.as_of);
        assert_eq!((ids(&moved), moved.open.is_none()), (vec!["a".to_owned()], true));
        // Somebody else, who looked before that, is told of it too.
        assert_eq!(ids(&again(first.as_of)), ["a"]);
        old.entry().course.set_counts(Operation::CEcho, OperationCounts { success: 1, ..Default::default() });
        assert_eq!(ids(&again(moved.as_of)), ["b"]);
        let reason = Reason::EndedByAdministrator;
        young.entry().orders.give(Order { when: When::AtOnce, reason, detail: "x".into() });
        let ordered = again(again(moved.as_of).as_of);
        assert!(ordered.changed.is_empty());
        drop(old);
        let ended = again(ordered.as_of);
        assert_eq!((ids(&ended).len(), ended.open), (0, Some(vec!["a".into()])));
        assert!(again(ended.as_of).open.is_none());
    }

    #[test]
    fn a_mark_of_another_run_or_of_no_look_at_all_gets_everything() {
        let live = Live::default();
        let _one = live.enter(facts("a", 1), right());
        let of_now = live.changes(None).as_of;
        let ahead = Mark { revision: of_now.revision + 1, ..of_now };
        for mark in [Live::default().changes(None).as_of, ahead] {
            assert_eq!(live.changes(Some(mark)).changed.len(), 1);
        }
        assert_eq!(of_now.to_string().parse::<Mark>().unwrap(), of_now);
        for bad in ["", "1", "x-1", "1-", "-"] {
            assert!(bad.parse::<Mark>().is_err(), "{bad}");
        }
    }
}

//! Numbers that did not come where they should have, and lines that stand where other numbers belong: what was moved fills
//! the gap that it left.

use super::super::line_hash::LineHash;
use super::super::record::Span;
use super::damage::{Damage, Place};
use super::evidence::Line;
use std::ops::RangeInclusive;

/// What is wrong, where, and at which number.
pub(super) type Finding = (Place, Option<u64>, Damage);

/// What is missing so far, and what is out of place just now.
#[derive(Default)]
pub(super) struct Gaps {
    missing: Vec<Missing>,
    stray: Option<Stray>,
}

/// Numbers that did not come where they should have.
struct Missing {
    from: u64,
    to: u64,
    /// The line behind the gap.
    place: Place,
    /// What that line names: the hash of record `to`.
    last: LineHash,
}

/// Lines that stand where other numbers belong, chained to each other.
struct Stray {
    from: u64,
    to: u64,
    place: Place,
    hash: LineHash,
}

impl Gaps {
    /// These numbers are missing before a line, which names the last of them so.
    pub(super) fn open(&mut self, numbers: RangeInclusive<u64>, place: Place, last: LineHash) {
        let (from, to) = numbers.into_inner();
        self.missing.push(Missing { from, to, place, last });
    }

    /// Whether the first record is missing.
    pub(super) fn has_no_beginning(&self) -> bool {
        self.missing.iter().any(|gap| gap.from <= 1)
    }

    /// A line stands where another number belongs. Gives what is wrong with those before it, if they do not go on with it.
    pub(super) fn stray(&mut self, line: Line, number: u64, previous: LineHash) -> Vec<Finding> {
        if let Some(stray) = &mut self.stray
            && number == stray.to.saturating_add(1)
            && previous == stray.hash
        {
            (stray.to, stray.hash) = (number, line.hash);
            return Vec::new();
        }
        let before = self.end_stray();
        self.stray = Some(Stray { from: number, to: number, place: line.place, hash: line.hash });
        before
    }

    /// The next line stands where it belongs. Gives what is wrong with those before it that do not.
    pub(super) fn end_stray(&mut self) -> Vec<Finding> {
        let Some(Stray { from, to, place, hash }) = self.stray.take() else { return Vec::new() };
        let of = |gap: &Missing| gap.from <= from && to <= gap.to;
        let Some(at) = self.missing.iter().position(of) else {
            return vec![(place, Some(from), Damage::Foreign { from, to })];
        };
        let mut found = Vec::new();
        let gap = self.missing.swap_remove(at);
        if gap.from < from {
            let place = gap.place.clone();
            // Its end is what the moved lines begin with, which is not kept; no deletion accounts for it.
            self.missing.push(Missing { from: gap.from, to: from - 1, place, last: LineHash::NONE });
        }
        if to < gap.to {
            self.missing.push(Missing { from: to.saturating_add(1), ..gap });
        } else if gap.last != hash {
            found.push((place.clone(), Some(to), Damage::Edited));
        }
        found.push((place, Some(from), Damage::Moved { from, to }));
        found
    }

    /// What is missing at the end, but for gaps that deletions account for: `accounted` says whether one of them does.
    pub(super) fn left(&mut self, accounted: impl Fn(&dyn Fn(&Span) -> bool) -> bool) -> Vec<Finding> {
        let missing = std::mem::take(&mut self.missing).into_iter();
        let left = missing.filter(|gap| {
            !accounted(&|span: &Span| {
                span.last == gap.to && span.head == gap.last && (gap.from == 1 || span.first <= gap.from)
            })
        });
        left.map(|Missing { from, to, place, .. }| (place, to.checked_add(1), Damage::Missing { from, to }))
            .collect()
    }
}

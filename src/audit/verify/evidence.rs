//! Of a line, all that judging it takes.

use super::super::line_hash::LineHash;
use super::super::record::{Checkpoint, Labelled, Span, Started, TrailContinued};
use super::super::signing::{self, PublicKey, Purpose, Signature};
use super::damage::Place;

/// A line, its place, and what it says.
pub(super) struct Line {
    pub place: Place,
    pub hash: LineHash,
    /// `None` for what is not in the form of a record.
    pub record: Option<Record>,
}

pub(super) struct Record {
    pub sequence: u64,
    pub previous: LineHash,
    pub kind: Kind,
}

pub(super) enum Kind {
    Ordinary,
    /// `started` after a crash that tore a line.
    Recovered,
    /// The first record of a run.
    Continued(Box<TrailContinued>),
    /// The `last` one of a run says so.
    Checkpoint {
        signature: Signature,
        last: bool,
    },
    Deleted(Span),
}

impl Line {
    /// Whether the next record has the number after `number`, and names this line.
    pub(super) fn is_chained(&self, number: u64, after: Option<&Self>) -> bool {
        let after = after.and_then(|after| after.record.as_ref());
        after.is_some_and(|next| {
            next.previous == self.hash && next.sequence.checked_sub(1).is_some_and(|before| before == number)
        })
    }

    /// What the next record names, if it has the number after `number` and does not name this line.
    pub(super) fn named_otherwise(&self, number: u64, after: Option<&Self>) -> Option<LineHash> {
        let next = after?.record.as_ref()?;
        let other = next.sequence.checked_sub(1)? == number && next.previous != self.hash;
        other.then_some(next.previous)
    }
}

impl Kind {
    /// Of a line with this event, whose signature is looked at with these keys.
    pub(super) fn of(event: &str, line: &[u8], keys: &[PublicKey]) -> Self {
        match event {
            signing::CHECKPOINT => Self::Checkpoint {
                signature: signing::check(Purpose::Checkpoint, line, keys),
                last: serde_json::from_slice(line).is_ok_and(|Checkpoint { last, .. }| last),
            },
            TrailContinued::EVENT => match serde_json::from_slice(line) {
                Ok(found @ TrailContinued { head: Labelled::Word(_), .. }) => {
                    Self::Continued(Box::new(found))
                }
                _ => Self::Ordinary,
            },
            "started" => match serde_json::from_slice(line) {
                Ok(Started { recovered: true, .. }) => Self::Recovered,
                _ => Self::Ordinary,
            },
            "records-deleted" => match serde_json::from_slice::<Span>(line) {
                Ok(span) => Self::Deleted(span),
                Err(_) => Self::Ordinary,
            },
            _ => Self::Ordinary,
        }
    }

    pub(super) fn is_recovery(&self) -> bool {
        match self {
            Self::Recovered => true,
            Self::Continued(found) => found.recovered,
            _ => false,
        }
    }
}

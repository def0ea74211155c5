//! What of a trail is under a signature, and what is believed for it.
//!
//! Where keys are given nothing counts that no good checkpoint is over: not a deletion, not a line that a crash is said
//! to have torn, and not what stood behind the last checkpoint when a run began, which this run signed without knowing who
//! wrote it.

use super::super::record::Span;
use super::super::signing::Signature;
use super::damage::{Damage, Place};
use super::evidence::Kind;
use serde::Serialize;

/// Records that nobody had signed when a run began, and that it took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Adopted {
    /// The first of them, by its number.
    pub from: u64,
    /// The last of them.
    pub to: u64,
    /// The first record of that run.
    pub by: u64,
}

/// What the last checkpoint says of what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    /// A run goes on, or broke off.
    Going,
    /// A run ended in good order: the next one begins.
    Ended,
    /// The next one has begun, and signs that at once.
    Begun,
}

pub(super) struct Proof {
    signed: bool,
    seen: u64,
    behind: Behind,
    /// The first record that no good checkpoint is over, and the last.
    open: Option<(u64, u64)>,
    deleted: Believed<Span>,
    torn: Believed<Place>,
    adopted: Vec<Adopted>,
    up_to: Option<u64>,
}

/// What is said, and what of it is believed.
struct Believed<T> {
    said: Vec<T>,
    believed: Vec<T>,
}

impl<T> Believed<T> {
    fn new() -> Self {
        Self { said: Vec::new(), believed: Vec::new() }
    }

    fn believe(&mut self) {
        self.believed.append(&mut self.said);
    }
}

impl Proof {
    pub(super) fn new(signed: bool, seen: u64) -> Self {
        let (deleted, torn) = (Believed::new(), Believed::new());
        let (adopted, behind) = (Vec::new(), Behind::Going);
        Self { signed, seen, behind, open: None, deleted, torn, adopted, up_to: None }
    }

    /// The next record in its place; gives what is wrong with it.
    pub(super) fn record(&mut self, number: u64, kind: &Kind) -> Option<Damage> {
        if let Kind::Checkpoint { signature: Signature::Good, last } = kind {
            self.sign(number, *last);
            return None;
        }
        let mut damage = match (kind, self.behind) {
            (Kind::Continued(found), _) => {
                self.adopt(number);
                let head = found.head.word().filter(|head| head.is_wrong());
                head.map(|head| Damage::FoundBy { head, known: found.head_sequence })
            }
            (_, Behind::Ended | Behind::Begun) if self.signed => Some(Damage::Appended),
            _ => None,
        };
        if let Kind::Deleted(span) = kind {
            self.deleted.said.push(*span);
        }
        let ended = self.behind == Behind::Ended;
        self.behind = match kind {
            Kind::Continued(_) if ended => Behind::Begun,
            _ => Behind::Going,
        };
        let first = self.open.map_or(number, |(first, _)| first);
        self.open = Some((first, number));
        if !self.signed {
            self.deleted.believe();
        }
        if number <= self.seen {
            damage = None;
        }
        damage
    }

    fn sign(&mut self, number: u64, last: bool) {
        self.up_to = Some(number);
        self.open = None;
        self.behind = if last { Behind::Ended } else { Behind::Going };
        self.deleted.believe();
        self.torn.believe();
    }

    /// A run begins: what is not signed by now, nobody will ever have.
    fn adopt(&mut self, by: u64) {
        let Some((from, to)) = self.open.take() else { return };
        if self.signed {
            self.deleted.said.clear();
            self.adopted.push(Adopted { from, to, by });
        }
    }

    /// A crash is said to have torn a line.
    pub(super) fn tore(&mut self, place: Place) {
        self.torn.said.push(place);
        if !self.signed {
            self.torn.believe();
        }
    }

    pub(super) fn deleted(&self) -> impl Iterator<Item = &Span> {
        self.deleted.believed.iter()
    }

    pub(super) fn torn(&self) -> &[Place] {
        &self.torn.believed
    }

    /// Lines that are said to be torn, which nobody signed.
    pub(super) fn unproven_tears(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.torn.said)
    }

    pub(super) fn adopted(&self) -> &[Adopted] {
        &self.adopted
    }

    /// The last checkpoint with a good signature.
    pub(super) fn up_to(&self) -> Option<u64> {
        self.up_to
    }
}

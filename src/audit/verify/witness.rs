//! Who knows that a record was there: the head that is kept beside the trail, and heads that were handed out.

use super::super::head::{self, Head};
use super::super::signing::Signature;
use super::Known;
use super::damage::{Damage, Place};
use super::walk::Walk;
use std::path::Path;

/// A record that has to be there.
pub(super) struct Witness {
    place: Place,
    head: Head,
    found: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Another,
    It,
}

pub(super) struct Witnesses {
    all: Vec<Witness>,
    /// What is wrong with the head beside the trail.
    damage: Option<(Place, Damage)>,
    has_kept: bool,
}

impl Witnesses {
    pub(super) fn new(directory: &Path, known: Known<'_>) -> Self {
        let place = |path: &Path| Place { file: path.into(), line: 0 };
        let witness = |place: Place, head: Head| Witness { place, head, found: Found::Nothing };
        let mut all: Vec<Witness> = known.since.iter().map(|head| witness(place(directory), *head)).collect();
        let at = place(&head::path_of(directory));
        let kept = head::read(directory, known.keys);
        let has_kept = !matches!(kept, Ok(None));
        let damage = match kept {
            Ok(None) => Some(Damage::NoHead),
            Err(error) => Some(Damage::ForgedHead { error: error.to_string() }),
            Ok(Some(kept)) => {
                all.push(witness(at.clone(), kept.head));
                wrong(&kept.signature, !known.keys.is_empty())
            }
        };
        Self { all, damage: damage.map(|damage| (at, damage)), has_kept }
    }

    /// Of a part of a trail, whose end is not the trail's.
    pub(super) fn of_nobody() -> Self {
        Self { all: Vec::new(), damage: None, has_kept: false }
    }

    pub(super) fn has_kept(&self) -> bool {
        self.has_kept
    }

    /// A record of the trail.
    pub(super) fn see(&mut self, record: Head) {
        let about = self.all.iter_mut().filter(|witness| witness.head.sequence == record.sequence);
        for witness in about.filter(|witness| witness.found != Found::It) {
            witness.found = if witness.head == record { Found::It } else { Found::Another };
        }
    }

    /// All records were seen, up to this one; what is `unread` may hold others.
    pub(super) fn testify(&mut self, walk: &mut Walk, last: u64, unread: bool) {
        let ends_unread = walk.ends_unread();
        if let Some((place, damage)) = self.damage.take() {
            walk.broken(place, None, damage);
        }
        for Witness { place, head, found } in self.all.drain(..) {
            let known = head.sequence;
            let damage = match found {
                Found::It => continue,
                Found::Another => Damage::NotAsKnown { known },
                Found::Nothing if known > last && !ends_unread => Damage::CutBefore { known, last },
                Found::Nothing if unread || walk.is_deleted(known) => continue,
                Found::Nothing => Damage::NotAsKnown { known },
            };
            walk.broken(place, Some(known), damage);
        }
    }
}

fn wrong(signature: &Signature, keyed: bool) -> Option<Damage> {
    let error = match signature {
        Signature::Good | Signature::Unchecked => return None,
        Signature::None if !keyed => return None,
        Signature::None => "nobody signed it",
        Signature::Wrong => "its signature does not fit",
        Signature::OtherKey(key) => return Some(Damage::OtherKey { key: key.clone() }),
    };
    Some(Damage::ForgedHead { error: error.into() })
}

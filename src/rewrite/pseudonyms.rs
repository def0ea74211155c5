//! The pseudonyms of one data set: those that are known, and those made for it.

use std::collections::HashMap;
use std::sync::Arc;

use super::correspondence::{Correspondence, Correspondences, Kind};
use super::error::RewriteProblem;
use super::keyed;
use aws_lc_rs::hmac;

/// Made for one data set and not taken yet. A header within the bounds of the look-ahead cannot hold so many.
const MOST: usize = 1 << 16;

/// Without a crosswalk, pseudonyms are made and forgotten.
#[derive(Clone, Default)]
pub(super) struct Pseudonyms {
    known: Option<Arc<dyn Correspondences>>,
    made: HashMap<(Kind, Vec<u8>), Vec<u8>>,
}

impl Pseudonyms {
    pub(super) fn remembered_by(&mut self, known: Arc<dyn Correspondences>) {
        self.known = Some(known);
    }

    /// The pseudonym that a value has already.
    pub(super) fn known(&self, kind: Kind, real: &[u8]) -> Result<Option<Vec<u8>>, RewriteProblem> {
        match &self.known {
            Some(known) => known.pseudonym_of(kind, real).map_err(|_| RewriteProblem::Crosswalk),
            None => Ok(None),
        }
    }

    /// Appends the pseudonym of a value: the one that it has, else the one that `make` appends.
    pub(super) fn put(
        &mut self,
        kind: Kind,
        real: &[u8],
        new: &mut Vec<u8>,
        make: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), RewriteProblem> {
        if let Some(pseudonym) = self.known(kind, real)? {
            new.extend_from_slice(&pseudonym);
            return Ok(());
        }
        let start = new.len();
        make(new);
        self.keep(kind, real, new.get(start..).unwrap_or_default())
    }

    /// Appends the new UID for an old one. Those of the standard's own root stay, and nobody needs to remember them.
    pub(super) fn put_uid(
        &mut self,
        key: &hmac::Key,
        old: &[u8],
        new: &mut Vec<u8>,
    ) -> Result<(), RewriteProblem> {
        if keyed::is_fixed(old) {
            new.extend_from_slice(old);
            return Ok(());
        }
        self.put(Kind::Uid, old, new, |new| keyed::put_uid(key, old, new))
    }

    /// The days by which the dates of a patient move: known, else as `make` says.
    pub(super) fn days(&mut self, patient: &[u8], make: impl FnOnce() -> i32) -> Result<i32, RewriteProblem> {
        let known = self.known(Kind::Days, patient)?;
        let known = known.and_then(|days| std::str::from_utf8(&days).ok()?.parse().ok());
        if let Some(days) = known {
            return Ok(days);
        }
        let days = make();
        self.keep(Kind::Days, patient, days.to_string().as_bytes())?;
        Ok(days)
    }

    /// Notes what a pseudonym that is the patient's stands for in one attribute.
    pub(super) fn note(&mut self, kind: Kind, real: &[u8], pseudonym: &[u8]) -> Result<(), RewriteProblem> {
        let Some(known) = &self.known else { return Ok(()) };
        let stands_for = known.real_of(kind, pseudonym).map_err(|_| RewriteProblem::Crosswalk)?;
        match stands_for {
            Some(known) if known == real => Ok(()),
            _ => self.keep(kind, real, pseudonym),
        }
    }

    /// Notes a pseudonym that was made.
    pub(super) fn keep(&mut self, kind: Kind, real: &[u8], pseudonym: &[u8]) -> Result<(), RewriteProblem> {
        if self.known.is_none() {
            return Ok(());
        }
        if self.made.len() >= MOST {
            return Err(RewriteProblem::TooManyPseudonyms);
        }
        self.made.insert((kind, real.to_vec()), pseudonym.to_vec());
        Ok(())
    }

    /// Those made since the last call. They are `patient`'s, by the real Patient ID.
    pub(super) fn take(&mut self, patient: Option<&[u8]>) -> Vec<Correspondence> {
        let patient = patient.filter(|patient| !patient.is_empty());
        let made = self.made.drain().map(|((kind, real), pseudonym)| {
            let patient = patient.map(<[u8]>::to_vec);
            Correspondence { kind, real, pseudonym, patient }
        });
        made.collect()
    }
}

/// Says nothing of the values.
impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pseudonyms").field("made", &self.made.len()).finish_non_exhaustive()
    }
}

//! A correspondence as a row: what it is found by, and its encrypted values.

use std::path::Path;

use aws_lc_rs::error::Unspecified;

use super::error::CrosswalkError;
use super::secret::{Keys, Lookup};
use crate::dataset::{Tag, number};
use crate::rewrite::{Correspondence, Kind, Written};

/// A row of the table. `real` and `pseudonym` are what it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) kind: i64,
    pub(super) real: Lookup,
    /// `None` where nothing is found by the pseudonym.
    pub(super) pseudonym: Option<Lookup>,
    pub(super) sealed: Vec<u8>,
}

/// What a real value's row is found by.
pub(super) fn forward(keys: &Keys, kind: Kind, real: &[u8]) -> Lookup {
    keys.lookup(b"real\0", code(kind.name_space()), real)
}

/// What a pseudonym's row is found by.
pub(super) fn back(keys: &Keys, kind: Kind, pseudonym: &[u8]) -> Lookup {
    keys.lookup(b"pseudonym\0", code(kind.name_space()), pseudonym)
}

impl Row {
    pub(super) fn seal(keys: &Keys, correspondence: &Correspondence) -> Result<Self, Unspecified> {
        let Correspondence { kind, real, pseudonym, .. } = correspondence;
        let mut row = Self {
            kind: code(*kind),
            // Where a pseudonym keeps only the newest of its values, it is the row's identity.
            real: if kind.leads_forward() {
                forward(keys, *kind, real)
            } else {
                keys.lookup(b"newest\0", code(*kind), pseudonym)
            },
            pseudonym: kind.leads_back().then(|| back(keys, *kind, pseudonym)),
            sealed: Vec::new(),
        };
        row.sealed = keys.seal(&row.place(), &plain(correspondence))?;
        Ok(row)
    }

    /// The same for a database that is being written.
    ///
    /// # Errors
    /// The key cannot encrypt.
    pub(super) fn sealed(
        keys: &Keys,
        path: &Path,
        correspondence: &Correspondence,
    ) -> Result<Self, CrosswalkError> {
        Self::seal(keys, correspondence).map_err(|_| CrosswalkError::damaged(path, "its key cannot encrypt"))
    }

    /// `None` where it was not sealed so: another key, another place, or damage.
    pub(super) fn open(&self, keys: &Keys) -> Option<Correspondence> {
        let plain = keys.open(&self.place(), &self.sealed).ok()?;
        let (real, rest) = take(&plain)?;
        let (pseudonym, rest) = take(rest)?;
        let (patient, rest) = if rest.is_empty() { (&[][..], rest) } else { take(rest)? };
        let written = match rest {
            [] => None,
            rest => {
                let (bytes, rest) = take(rest)?;
                Some(Written { bytes: bytes.to_vec(), set: take(rest)?.0.to_vec() })
            }
        };
        Some(Correspondence {
            kind: kind(self.kind)?,
            real: real.to_vec(),
            pseudonym: pseudonym.to_vec(),
            patient: (!patient.is_empty()).then(|| patient.to_vec()),
            written,
        })
    }

    fn place(&self) -> Vec<u8> {
        let pseudonym = self.pseudonym.unwrap_or_default();
        [self.kind.to_be_bytes().as_slice(), &self.real, &pseudonym].concat()
    }
}

fn plain(correspondence: &Correspondence) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut put = |value: &[u8]| {
        plain.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        plain.extend_from_slice(value);
    };
    put(&correspondence.real);
    put(&correspondence.pseudonym);
    let Correspondence { patient, written, .. } = correspondence;
    if patient.is_some() || written.is_some() {
        put(patient.as_deref().unwrap_or_default());
    }
    if let Some(Written { bytes, set }) = written {
        put(bytes);
        put(set);
    }
    plain
}

fn take(from: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = from.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// The kind in a column; the tag, where it has one, in the low 32 bits.
fn code(kind: Kind) -> i64 {
    let tagged = |number_of_kind: i64, tag: Tag| number_of_kind << 32 | i64::from(number(tag));
    match kind {
        Kind::Uid => 1 << 32,
        Kind::Value(tag) => tagged(2, tag),
        Kind::OfPatient(tag) => tagged(3, tag),
        Kind::Patient => 4 << 32,
        Kind::Days => 5 << 32,
        Kind::Shared(tag) => tagged(6, tag),
        Kind::SharedUid => 7 << 32,
        Kind::OwnUid => 8 << 32,
    }
}

pub(super) fn kind(code: i64) -> Option<Kind> {
    let low = u32::try_from(code & 0xFFFF_FFFF).ok()?;
    let tag = Tag((low >> 16) as u16, (low & 0xFFFF) as u16);
    match code >> 32 {
        1 => Some(Kind::Uid),
        2 => Some(Kind::Value(tag)),
        3 => Some(Kind::OfPatient(tag)),
        4 => Some(Kind::Patient),
        5 => Some(Kind::Days),
        6 => Some(Kind::Shared(tag)),
        7 => Some(Kind::SharedUid),
        8 => Some(Kind::OwnUid),
        _ => None,
    }
}

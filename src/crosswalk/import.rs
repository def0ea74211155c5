//! Subject IDs that somebody else assigned, taken in all together or not at all.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::database::{Column, Database, find, row};
use super::error::CrosswalkError;
use super::lock::Lock;
use super::row::{Row, kind};
use super::secret::Keys;
use super::upkeep;
use crate::dataset::PATIENT_ID;
use crate::rewrite::{Correspondence, Kind, patient_id_of};

/// What a patient is to be called.
#[derive(Clone, PartialEq, Eq)]
pub struct Assigned {
    /// Of the patient, by [`patient_key`](crate::rewrite::patient_key).
    pub patient: Vec<u8>,
    /// The Patient ID on the other side, and what `{pseudonym}` stands for.
    pub subject: Vec<u8>,
}

/// How many patients of a list got a subject ID by an import, and how many had it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Patients who got the subject ID.
    pub new: usize,
    /// Patients who had it already.
    pub known: usize,
}

/// Why an assignment cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Pseudonyms that went out stay what they are.
    #[error("this patient has another pseudonym already")]
    Named,
    /// What comes back would be two patients'.
    #[error("this subject stands for another patient already")]
    Taken,
    /// What is to hide a patient would name one.
    #[error("this subject is the real Patient ID of a patient who is there")]
    Real,
}

/// Why nothing was taken in.
#[derive(Debug, thiserror::Error)]
pub enum NotImported {
    /// The file could not be used.
    #[error(transparent)]
    Crosswalk(#[from] CrosswalkError),
    /// What contradicts what is there, by its place in what was assigned.
    #[error("{} contradict what is there", .0.len())]
    Contradicted(Vec<(usize, Contradiction)>),
}

/// Takes in what patients are to be called, or with `tries` only says whether that could be, and writes nothing. Kill -9
/// leaves all of it or none.
///
/// # Errors
/// The file is in use, or cannot be opened, read or written; or something contradicts what is there, and nothing was
/// taken in.
pub fn import(
    path: &Path,
    secret: &super::Secret,
    assigned: &[Assigned],
    tries: bool,
) -> Result<Imported, NotImported> {
    if tries {
        return tried(path, secret, assigned);
    }
    crate::files::make_folder_of(path).map_err(|error| CrosswalkError::open(path, error))?;
    let _lock = Lock::take(path)?;
    let mut database = Database::open_or_make(path, secret)?;
    upkeep::renew(&mut database)?;
    let Database { connection, keys, .. } = &mut database;
    let of = |error: rusqlite::Error| CrosswalkError::of(path, &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(of)?;
    let imported = Import { connection: &transaction, keys, path, writes: true }.all(assigned)?;
    transaction.commit().map_err(of)?;
    Ok(imported)
}

/// A file that is not there yet contradicts nothing.
fn tried(path: &Path, secret: &super::Secret, assigned: &[Assigned]) -> Result<Imported, NotImported> {
    upkeep::probe(path, secret)?;
    if std::fs::metadata(path).map_or(0, |metadata| metadata.len()) == 0 {
        return Ok(Imported { new: assigned.len(), known: 0 });
    }
    let Database { connection, keys, .. } = &Database::open_to_read(path, secret)?;
    Import { connection, keys, path, writes: false }.all(assigned)
}

/// Assignments on their way into a file.
struct Import<'a> {
    connection: &'a Connection,
    keys: &'a Keys,
    path: &'a Path,
    writes: bool,
}

impl Import<'_> {
    fn all(&self, assigned: &[Assigned]) -> Result<Imported, NotImported> {
        let there = self.patient_ids()?;
        let (mut imported, mut contradicted) = (Imported::default(), Vec::new());
        for (index, one) in assigned.iter().enumerate() {
            match self.take(one, &there)? {
                Ok(true) => imported.new += 1,
                Ok(false) => imported.known += 1,
                Err(contradiction) => contradicted.push((index, contradiction)),
            }
        }
        if contradicted.is_empty() { Ok(imported) } else { Err(NotImported::Contradicted(contradicted)) }
    }

    /// Real Patient IDs of all who are there, whoever issued them. Rows are found by the whole of what they stand for, so that each
    /// of these kinds has to be opened.
    fn patient_ids(&self) -> Result<HashSet<Vec<u8>>, CrosswalkError> {
        let of = |error: rusqlite::Error| CrosswalkError::of(self.path, &error);
        let rows = "SELECT kind, real, pseudonym, sealed FROM correspondence";
        let mut statement = self.connection.prepare(rows).map_err(of)?;
        let mut ids = HashSet::new();
        for found in statement.query_map([], row).map_err(of)? {
            let found = found.map_err(of)?;
            if matches!(kind(found.kind), Some(Kind::Value(PATIENT_ID) | Kind::Patient | Kind::Days)) {
                let one = found.open(self.keys).ok_or_else(|| self.unopened())?;
                ids.insert(patient_id_of(&one.real).to_vec());
            }
        }
        Ok(ids)
    }

    /// One patient: as the Patient ID, and as what `{pseudonym}` stands for. Whether any of that is new.
    fn take(
        &self,
        Assigned { patient, subject }: &Assigned,
        there: &HashSet<Vec<u8>>,
    ) -> Result<Result<bool, Contradiction>, CrosswalkError> {
        if there.contains(subject) {
            return Ok(Err(Contradiction::Real));
        }
        let mut is_new = false;
        for kind in [Kind::Value(PATIENT_ID), Kind::Patient] {
            let row = Correspondence {
                kind,
                real: patient.clone(),
                pseudonym: subject.clone(),
                patient: Some(patient.clone()),
                written: None,
            };
            match self.put(&row)? {
                Ok(new) => is_new |= new,
                Err(contradiction) => return Ok(Err(contradiction)),
            }
        }
        Ok(Ok(is_new))
    }

    fn put(&self, wanted: &Correspondence) -> Result<Result<bool, Contradiction>, CrosswalkError> {
        let of = |error: rusqlite::Error| CrosswalkError::of(self.path, &error);
        let row = Row::sealed(self.keys, self.path, wanted)?;
        if let Some(there) = find(self.connection, Column::Real, &row.real).map_err(of)? {
            let there = there.open(self.keys).ok_or_else(|| self.unopened())?;
            let same = there.pseudonym == wanted.pseudonym;
            return Ok(if same { Ok(false) } else { Err(Contradiction::Named) });
        }
        let taken = row
            .pseudonym
            .map(|key| find(self.connection, Column::Pseudonym, &key))
            .transpose()
            .map_err(of)?;
        if taken.flatten().is_some() {
            return Ok(Err(Contradiction::Taken));
        }
        if self.writes {
            let insert = "INSERT INTO correspondence (kind, real, pseudonym, sealed) VALUES (?1, ?2, ?3, ?4)";
            let mut statement = self.connection.prepare_cached(insert).map_err(of)?;
            statement.execute(params![row.kind, row.real, row.pseudonym, row.sealed]).map_err(of)?;
        }
        Ok(Ok(true))
    }

    fn unopened(&self) -> CrosswalkError {
        CrosswalkError::damaged(self.path, "a row does not open")
    }
}

/// Says nothing of the values.
impl std::fmt::Debug for Assigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assigned").finish_non_exhaustive()
    }
}

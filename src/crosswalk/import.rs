//! Subject IDs that somebody else assigned, taken in all together or not at all.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::database::{Column, Database, find};
use super::error::CrosswalkError;
use super::lock::Lock;
use super::row::Row;
use super::secret::Keys;
use super::upkeep;
use crate::dataset::PATIENT_ID;
use crate::rewrite::{Correspondence, Kind};

/// What a patient is to be called.
#[derive(Clone, PartialEq, Eq)]
pub struct Assigned {
    /// Of the patient, by [`patient_key`](crate::rewrite::patient_key).
    pub patient: Vec<u8>,
    /// The Patient ID on the other side, and what `{pseudonym}` stands for.
    pub subject: Vec<u8>,
}

/// What an import did.
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

/// Takes in what patients are to be called, or with `tries` only says whether that could be. Kill -9 leaves all of it or
/// none.
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
    crate::files::make_folder_of(path).map_err(|error| CrosswalkError::open(path, error))?;
    let _lock = Lock::take(path)?;
    let mut database = Database::open_or_make(path, secret)?;
    upkeep::renew(&mut database)?;
    let Database { connection, keys, .. } = &mut database;
    let of = |error: rusqlite::Error| CrosswalkError::of(path, &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(of)?;
    let (mut imported, mut contradicted) = (Imported::default(), Vec::new());
    for (index, one) in assigned.iter().enumerate() {
        match take(&transaction, keys, path, one)? {
            Ok(true) => imported.new += 1,
            Ok(false) => imported.known += 1,
            Err(contradiction) => contradicted.push((index, contradiction)),
        }
    }
    if !contradicted.is_empty() {
        return Err(NotImported::Contradicted(contradicted));
    }
    if !tries {
        transaction.commit().map_err(of)?;
    }
    Ok(imported)
}

/// One patient: as the Patient ID, and as what `{pseudonym}` stands for. Whether any of that is new.
fn take(
    connection: &Connection,
    keys: &Keys,
    path: &Path,
    Assigned { patient, subject }: &Assigned,
) -> Result<Result<bool, Contradiction>, CrosswalkError> {
    if is_real(connection, keys, path, subject)? {
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
        match put(connection, keys, path, &row)? {
            Ok(new) => is_new |= new,
            Err(contradiction) => return Ok(Err(contradiction)),
        }
    }
    Ok(Ok(is_new))
}

/// Whether a subject is the Patient ID of somebody who is there, without an issuer.
fn is_real(
    connection: &Connection,
    keys: &Keys,
    path: &Path,
    subject: &[u8],
) -> Result<bool, CrosswalkError> {
    let (real, pseudonym) = (subject.to_vec(), subject.to_vec());
    let asked =
        Correspondence { kind: Kind::Value(PATIENT_ID), real, pseudonym, patient: None, written: None };
    let row = Row::seal(keys, &asked).map_err(|_| CrosswalkError::damaged(path, "its key cannot encrypt"))?;
    let found = find(connection, Column::Real, &row.real);
    Ok(found.map_err(|error| CrosswalkError::of(path, &error))?.is_some())
}

fn put(
    connection: &Connection,
    keys: &Keys,
    path: &Path,
    wanted: &Correspondence,
) -> Result<Result<bool, Contradiction>, CrosswalkError> {
    let of = |error: rusqlite::Error| CrosswalkError::of(path, &error);
    let row = Row::seal(keys, wanted).map_err(|_| CrosswalkError::damaged(path, "its key cannot encrypt"))?;
    if let Some(there) = find(connection, Column::Real, &row.real).map_err(of)? {
        let there = there.open(keys).ok_or_else(|| CrosswalkError::damaged(path, "a row does not open"))?;
        let same = there.pseudonym == wanted.pseudonym;
        return Ok(if same { Ok(false) } else { Err(Contradiction::Named) });
    }
    let taken = row.pseudonym.map(|key| find(connection, Column::Pseudonym, &key)).transpose().map_err(of)?;
    if taken.flatten().is_some() {
        return Ok(Err(Contradiction::Taken));
    }
    let mut statement = connection
        .prepare_cached("INSERT INTO correspondence (kind, real, pseudonym, sealed) VALUES (?1, ?2, ?3, ?4)")
        .map_err(of)?;
    statement.execute(params![row.kind, row.real, row.pseudonym, row.sealed]).map_err(of)?;
    Ok(Ok(true))
}

/// Says nothing of the values.
impl std::fmt::Debug for Assigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assigned").finish_non_exhaustive()
    }
}

//! What an administrator does with a crosswalk: look at it, export it, erase a patient, rotate the key.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use super::database::{Database, FORMAT, row, write_header};
use super::error::CrosswalkError;
use super::lock::{Lock, beside};
use super::row::{Row, kind};
use super::secret::{Keys, Secret};
use crate::dataset::PATIENT_ID;
use crate::rewrite::{Correspondence, Kind};

/// Rows held in memory at once.
const BATCH: usize = 1024;

/// How much a crosswalk holds: figures for `dimsegate crosswalk show`, and no pseudonym.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// The database that was looked at.
    pub path: PathBuf,
    /// Bytes of the file and of its journal.
    pub size: u64,
    /// Counted from 1.
    pub key_version: u32,
    /// How many of each kind.
    pub kinds: BTreeMap<Kind, u64>,
}

/// Whether a file could be opened, with this key; a file that is not there yet can. Nothing is written.
///
/// # Errors
/// It is of another key, damaged or no crosswalk.
pub fn probe(path: &Path, secret: &Secret) -> Result<(), CrosswalkError> {
    match std::fs::metadata(path) {
        // Made, and not yet written: an open that was interrupted.
        Ok(metadata) if metadata.len() == 0 => Ok(()),
        Ok(_) => Database::open_to_read(path, secret).map(|_| ()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CrosswalkError::open(path, error)),
    }
}

/// Counts what is there, after every page and every row was looked at; the proxy may be running.
///
/// # Errors
/// It cannot be opened or read, or something in it is damaged.
pub fn show(path: &Path, secret: &Secret) -> Result<Holdings, CrosswalkError> {
    let database = Database::open_to_read(path, secret)?;
    let found: String = database
        .connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| database.error(&error))?;
    if found != "ok" {
        return Err(CrosswalkError::damaged(path, found));
    }
    let mut kinds = BTreeMap::new();
    each(&database, |correspondence| {
        *kinds.entry(correspondence.kind).or_insert(0) += 1;
        Ok(())
    })?;
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let size = length(path) + length(&beside(path, "-wal"));
    Ok(Holdings { path: path.to_owned(), size, key_version: database.keys.version, kinds })
}

/// Copies all of one moment into a new file, by SQLite's backup; the proxy may be running, and waits for nothing.
///
/// # Errors
/// It cannot be opened or read, or the copy cannot be written. What is there of the copy then is to be removed.
pub fn copy(path: &Path, secret: &Secret, to: &Path) -> Result<(), CrosswalkError> {
    let database = Database::open_to_read(path, secret)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    made.map_err(|error| CrosswalkError::open(to, error))?;
    let copied = || {
        let mut target = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // All at once: what is committed meanwhile stays out, and would else begin the copy anew.
        Backup::new(&database.connection, &mut target)?.run_to_completion(
            c_int::MAX,
            Duration::ZERO,
            None,
        )?;
        // One file, without a journal beside it.
        let _: String = target.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
        Ok(())
    };
    copied().map_err(|error: rusqlite::Error| CrosswalkError::of(to, &error))
}

/// Hands every correspondence to `take`, or those of one patient, by the real Patient ID; the proxy may be running.
///
/// # Errors
/// It cannot be opened or read, or `take` failed.
pub fn export<E: From<CrosswalkError>>(
    path: &Path,
    secret: &Secret,
    patient: Option<&[u8]>,
    mut take: impl FnMut(&Correspondence) -> Result<(), E>,
) -> Result<(), E> {
    let database = Database::open_to_read(path, secret)?;
    each(&database, |correspondence| {
        let wanted = patient.is_none_or(|patient| is_of(correspondence, patient));
        if wanted { take(correspondence) } else { Ok(()) }
    })
}

/// Erases everything of one patient, by the real Patient ID, and overwrites where it was. Says how many correspondences
/// there were. Kill -9 leaves all of them or none.
///
/// # Errors
/// It is in use, or cannot be opened, read or written.
pub fn erase(path: &Path, secret: &Secret, patient: &[u8]) -> Result<u64, CrosswalkError> {
    let _lock = Lock::take(path)?;
    let mut database = Database::open(path, secret)?;
    let erased = change(&mut database, |connection, id, keys, row| {
        let correspondence = row.open(keys).ok_or(Unopened)?;
        if !is_of(&correspondence, patient) {
            return Ok(false);
        }
        connection.execute("DELETE FROM correspondence WHERE id = ?1", params![id])?;
        Ok(true)
    })?;
    truncate_journal(&database)?;
    Ok(erased)
}

/// Brings a file of format 1 to the present one: forgets UIDs that stood for themselves, and says how many. Each was an
/// object of the pseudonyms' side's own, or one of the patients' that somebody there claimed, and nothing tells which: kept,
/// they would lead to originals.
pub(super) fn renew(database: &mut Database) -> Result<u64, CrosswalkError> {
    if database.format == FORMAT {
        return Ok(0);
    }
    let forgotten = change_then(
        database,
        |connection, id, keys, row| {
            if kind(row.kind) != Some(Kind::Uid) {
                return Ok(false);
            }
            let Correspondence { real, pseudonym, .. } = row.open(keys).ok_or(Unopened)?;
            if real != pseudonym {
                return Ok(false);
            }
            connection.execute("DELETE FROM correspondence WHERE id = ?1", params![id])?;
            Ok(true)
        },
        |connection| connection.pragma_update(None, "user_version", FORMAT),
    )?;
    database.format = FORMAT;
    Ok(forgotten)
}

/// Encrypts everything with another key, and says which version that is. Kill -9 leaves it whole under the old key or
/// whole under the new one.
///
/// # Errors
/// It is in use, or cannot be opened, read or written.
pub fn rotate(path: &Path, secret: &Secret, new: &Secret) -> Result<u32, CrosswalkError> {
    let _lock = Lock::take(path)?;
    let mut database = Database::open(path, secret)?;
    let version = database.keys.version.saturating_add(1);
    let new_keys = Keys::derive(new, database.keys.domain, version);
    let new_keys = new_keys.map_err(|_| CrosswalkError::damaged(path, "no key can be derived"))?;
    change_then(
        &mut database,
        |connection, id, keys, row| {
            let correspondence = row.open(keys).ok_or(Unopened)?;
            let Row { real, pseudonym, sealed, .. } =
                Row::seal(&new_keys, &correspondence).map_err(|_| Unopened)?;
            let mut statement = connection.prepare_cached(
                "UPDATE correspondence SET real = ?2, pseudonym = ?3, sealed = ?4 WHERE id = ?1",
            )?;
            statement.execute(params![id, real, pseudonym, sealed])?;
            Ok(true)
        },
        |connection| write_header(connection, &new_keys),
    )?;
    truncate_journal(&database)?;
    Ok(version)
}

fn is_of(correspondence: &Correspondence, patient: &[u8]) -> bool {
    let named = matches!(correspondence.kind, Kind::Value(PATIENT_ID) | Kind::Patient | Kind::Days);
    correspondence.patient.as_deref() == Some(patient) || named && correspondence.real == patient
}

/// A row that does not open, or a statement that failed.
enum Wrong {
    Unopened,
    Sql(rusqlite::Error),
}

struct Unopened;

impl From<Unopened> for Wrong {
    fn from(_: Unopened) -> Self {
        Self::Unopened
    }
}

impl From<rusqlite::Error> for Wrong {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Wrong {
    fn at(self, path: &Path) -> CrosswalkError {
        match self {
            Self::Unopened => CrosswalkError::damaged(path, "a row does not open"),
            Self::Sql(error) => CrosswalkError::of(path, &error),
        }
    }
}

/// Every correspondence of one moment.
fn each<E: From<CrosswalkError>>(
    database: &Database,
    mut take: impl FnMut(&Correspondence) -> Result<(), E>,
) -> Result<(), E> {
    let wrong = |error: rusqlite::Error| E::from(database.error(&error));
    let statement = "SELECT kind, real, pseudonym, sealed FROM correspondence ORDER BY id";
    let mut statement = database.connection.prepare(statement).map_err(wrong)?;
    let mut rows = statement.query([]).map_err(wrong)?;
    while let Some(found) = rows.next().map_err(wrong)? {
        let found = row(found).map_err(wrong)?;
        let opened = found.open(&database.keys).filter(|opened| kind(found.kind) == Some(opened.kind));
        take(&opened.ok_or_else(|| E::from(Wrong::Unopened.at(&database.path)))?)?;
    }
    Ok(())
}

fn change(
    database: &mut Database,
    one: impl FnMut(&Connection, i64, &Keys, &Row) -> Result<bool, Wrong>,
) -> Result<u64, CrosswalkError> {
    change_then(database, one, |_| Ok(()))
}

/// Does something with every row, then something more, in one transaction. Says with how many rows it was done.
fn change_then(
    database: &mut Database,
    mut one: impl FnMut(&Connection, i64, &Keys, &Row) -> Result<bool, Wrong>,
    then: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<u64, CrosswalkError> {
    let Database { path, connection, keys, .. } = database;
    let work = || -> Result<u64, Wrong> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (mut last, mut done) = (i64::MIN, 0);
        loop {
            let rows = batch(&transaction, last)?;
            let Some((id, _)) = rows.last() else { break };
            last = *id;
            for (id, row) in &rows {
                done += u64::from(one(&transaction, *id, keys, row)?);
            }
        }
        then(&transaction)?;
        transaction.commit()?;
        Ok(done)
    };
    work().map_err(|wrong| wrong.at(path))
}

fn batch(connection: &Connection, behind: i64) -> rusqlite::Result<Vec<(i64, Row)>> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, real, pseudonym, sealed, id FROM correspondence WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows =
        statement.query_map(params![behind, BATCH as i64], |found| Ok((found.get(4)?, row(found)?)))?;
    rows.collect()
}

/// The journal holds what the pages were before.
fn truncate_journal(database: &Database) -> Result<(), CrosswalkError> {
    let busy: i64 = database
        .connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(|error| database.error(&error))?;
    if busy != 0 {
        let path = database.path.clone();
        let what = "it was changed, but another command that reads it keeps the old content in its journal; run this \
                    again when that has ended";
        return Err(CrosswalkError::Other { path, what: what.into() });
    }
    Ok(())
}

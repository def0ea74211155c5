//! The one writer: everything that waits is committed together, with one fsync.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Savepoint, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::database::{Column, Database, find};
use super::error::{CrosswalkError, NotStored};
use super::known::Known;
use super::row::Row;
use super::secret::Keys;
use crate::rewrite::{Correspondence, Kind};

/// Requests that one commit takes.
const MOST_AT_ONCE: usize = 256;

/// Correspondences of one data set that it waits for.
pub(super) struct Request {
    pub(super) made: Vec<Correspondence>,
    pub(super) done: oneshot::Sender<Result<(), NotStored>>,
}

pub(super) struct Writer {
    database: Database,
    known: Arc<Known>,
    /// Which file it is.
    identity: Option<(u64, u64)>,
    /// The last thing that went wrong, so that a full disk does not fill the log too.
    failing: Option<String>,
}

/// Of one request: the own UIDs that have given their pseudonyms up to others.
type Outcome = Result<Vec<Correspondence>, NotStored>;

/// Why one request was not taken, or why none can be.
enum Failure {
    Taken(Kind),
    All(CrosswalkError),
}

impl Writer {
    pub(super) fn new(database: Database, known: Arc<Known>) -> Self {
        let identity = identity(&database.path);
        Self { database, known, identity, failing: None }
    }

    /// Until nobody can ask for anything any more.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < MOST_AT_ONCE
                && let Ok(next) = requests.try_recv()
            {
                batch.push(next);
            }
            self.store(batch);
        }
    }

    fn store(&mut self, mut batch: Vec<Request>) {
        let results = self.commit(&mut batch);
        self.log(results.as_ref().err());
        let results = results.unwrap_or_else(|_| vec![Err(NotStored::Unavailable); batch.len()]);
        for (request, result) in batch.into_iter().zip(results) {
            let result = result.map(|displaced| {
                request.made.iter().for_each(|made| self.known.add(made));
                displaced.iter().for_each(|one| self.known.remove_real(one));
            });
            // Whoever asked may have gone.
            let _ = request.done.send(result);
        }
    }

    /// All of the batch in one transaction; a request whose pseudonym is taken leaves nothing in it.
    fn commit(&mut self, batch: &mut [Request]) -> Result<Vec<Outcome>, CrosswalkError> {
        let Database { path, connection, keys, .. } = &mut self.database;
        // A file that has no name any more is lost with the process.
        if identity(path) != self.identity {
            return Err(CrosswalkError::Gone { path: path.clone() });
        }
        let of = |error: rusqlite::Error| CrosswalkError::of(path, &error);
        let mut transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(of)?;
        let mut results = Vec::with_capacity(batch.len());
        for request in batch {
            let savepoint = transaction.savepoint().map_err(of)?;
            match store_all(savepoint, keys, path, &mut request.made) {
                Ok(displaced) => results.push(Ok(displaced)),
                Err(Failure::Taken(kind)) => {
                    tracing::error!(crosswalk = %path.display(), ?kind, "a pseudonym stands for another value already");
                    results.push(Err(NotStored::Taken));
                }
                Err(Failure::All(error)) => return Err(error),
            }
        }
        transaction.commit().map_err(of)?;
        Ok(results)
    }

    fn log(&mut self, error: Option<&CrosswalkError>) {
        let error = error.map(ToString::to_string);
        if error == self.failing {
            return;
        }
        match &error {
            Some(error) => tracing::error!(%error, "pseudonyms cannot be remembered; objects are refused"),
            None => {
                tracing::info!(crosswalk = %self.database.path.display(), "pseudonyms are remembered again")
            }
        }
        self.failing = error;
    }
}

/// One request; what it wrote is rolled back where a value is taken. Of what was there already, it then says whose it is.
fn store_all(
    savepoint: Savepoint<'_>,
    keys: &Keys,
    path: &Path,
    made: &mut [Correspondence],
) -> Result<Vec<Correspondence>, Failure> {
    let of = |error: rusqlite::Error| Failure::All(CrosswalkError::of(path, &error));
    let mut displaced = Vec::new();
    for correspondence in made {
        let row = Row::sealed(keys, path, correspondence).map_err(Failure::All)?;
        if !insert(&savepoint, &row).map_err(of)? {
            displaced.extend(reconcile(&savepoint, keys, path, &row, correspondence)?);
        }
    }
    savepoint.commit().map_err(of)?;
    Ok(displaced)
}

/// One correspondence whose value or pseudonym is there. Gives the one that made room for it.
fn reconcile(
    savepoint: &Savepoint<'_>,
    keys: &Keys,
    path: &Path,
    row: &Row,
    correspondence: &mut Correspondence,
) -> Result<Option<Correspondence>, Failure> {
    let of = |error: rusqlite::Error| Failure::All(CrosswalkError::of(path, &error));
    let opened = |column, key: &[u8]| {
        let damaged = || Failure::All(CrosswalkError::damaged(path, "a row does not open"));
        let there = find(savepoint, column, key).map_err(of)?;
        there.map(|there| there.open(keys).ok_or_else(damaged)).transpose()
    };
    let Correspondence { kind, real, pseudonym, patient, written } = correspondence;
    match opened(Column::Real, &row.real)? {
        Some(there) if there.kind == *kind && there.real == *real && there.pseudonym == *pseudonym => {
            // What is there stays, and gets what it lacks.
            let more =
                there.patient.is_none() && patient.is_some() || there.written.is_none() && written.is_some();
            *patient = there.patient.or(patient.take());
            *written = there.written.or(written.take());
            if !more {
                return Ok(None);
            }
            let row = Row::sealed(keys, path, correspondence).map_err(Failure::All)?;
            return replace(savepoint, &row).map(|()| None).map_err(of);
        }
        // With few digits, two patients can have one pseudonym.
        Some(there) if !kind.leads_forward() && there.patient == *patient => {
            return replace(savepoint, row).map(|()| None).map_err(of);
        }
        Some(_) => {}
        None => {
            let there = row.pseudonym.map(|key| opened(Column::Pseudonym, &key)).transpose()?.flatten();
            // Somebody named a pseudonym while it was not known, after its patient was erased, say. Nobody makes up a
            // UID that is made with the secret: it never was the sender's own.
            if let Some(own) = there.filter(|there| there.kind == Kind::OwnUid && *kind == Kind::Uid) {
                return replace_real(savepoint, row).map(|()| Some(own)).map_err(of);
            }
        }
    }
    Err(Failure::Taken(*kind))
}

/// Whether neither the value nor the pseudonym was there.
fn insert(savepoint: &Savepoint<'_>, row: &Row) -> rusqlite::Result<bool> {
    let mut statement = savepoint.prepare_cached(
        "INSERT INTO correspondence (kind, real, pseudonym, sealed) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?;
    Ok(statement.execute(params![row.kind, row.real, row.pseudonym, row.sealed])? == 1)
}

fn replace(savepoint: &Savepoint<'_>, row: &Row) -> rusqlite::Result<()> {
    let mut statement = savepoint.prepare_cached("UPDATE correspondence SET sealed = ?2 WHERE real = ?1")?;
    statement.execute(params![row.real, row.sealed]).map(|_| ())
}

/// Gives a pseudonym that is there its real value.
fn replace_real(savepoint: &Savepoint<'_>, row: &Row) -> rusqlite::Result<()> {
    let mut statement = savepoint
        .prepare_cached("UPDATE correspondence SET kind = ?4, real = ?2, sealed = ?3 WHERE pseudonym = ?1")?;
    statement.execute(params![row.pseudonym, row.real, row.sealed, row.kind]).map(|_| ())
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

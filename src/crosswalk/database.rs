//! The file: how it is opened, what its tables are.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::rand;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::error::CrosswalkError;
use super::row::{self, Row};
use super::secret::{Keys, SHORT, Secret};
use crate::files;
use crate::rewrite::{Correspondence, Kind};

/// "dgcw", in the header of the file.
const APPLICATION: i64 = 0x6467_6377;
/// What is written. 2 knows [shared](crate::rewrite::Kind::Shared) values, [own](crate::rewrite::Kind::OwnUid) UIDs and the
/// [bytes](crate::rewrite::Written) of values that are not ASCII. 1 had UIDs that stood for themselves, which are
/// [forgotten](super::upkeep::renew); what else it holds is read as it is.
pub(super) const FORMAT: i64 = 2;
const OLDEST_FORMAT: i64 = 1;
/// Commands that read wait so long for the proxy's writer, which never holds its lock for more than a commit.
const BUSY: Duration = Duration::from_secs(5);
/// Where the header's seal lies.
const HEADER: &[u8] = b"header";

const SCHEMA: &str = "
    CREATE TABLE header (
        id INTEGER PRIMARY KEY CHECK (id = 0),
        domain BLOB NOT NULL,
        key_version INTEGER NOT NULL,
        key_check BLOB NOT NULL
    ) STRICT;
    CREATE TABLE correspondence (
        id INTEGER PRIMARY KEY,
        kind INTEGER NOT NULL,
        real BLOB NOT NULL UNIQUE,
        pseudonym BLOB UNIQUE,
        sealed BLOB NOT NULL
    ) STRICT;
";

/// An open file with its keys.
pub(super) struct Database {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) keys: Keys,
    pub(super) format: i64,
}

impl Database {
    /// Opens a database for writing, or makes it, for its owner only.
    pub(super) fn open_or_make(path: &Path, secret: &Secret) -> Result<Self, CrosswalkError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        files::open_with(path, &mut options).map_err(|error| CrosswalkError::open(path, error))?;
        let mut connection = connect(path)?;
        make(&mut connection, secret).map_err(|error| CrosswalkError::of(path, &error))?;
        Self::with(path, connection, secret)
    }

    /// Opens a database that is there.
    pub(super) fn open(path: &Path, secret: &Secret) -> Result<Self, CrosswalkError> {
        std::fs::metadata(path).map_err(|error| CrosswalkError::open(path, error))?;
        Self::with(path, connect(path)?, secret)
    }

    /// As [`open`](Self::open), for reading only.
    pub(super) fn open_to_read(path: &Path, secret: &Secret) -> Result<Self, CrosswalkError> {
        let database = Self::open(path, secret)?;
        let only = database.connection.pragma_update(None, "query_only", true);
        only.map_err(|error| database.error(&error))?;
        Ok(database)
    }

    fn with(path: &Path, connection: Connection, secret: &Secret) -> Result<Self, CrosswalkError> {
        let of = |error| CrosswalkError::of(path, &error);
        let application: i64 =
            connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(of)?;
        let format: i64 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(of)?;
        if application != APPLICATION {
            return Err(CrosswalkError::Foreign { path: path.to_owned() });
        }
        if !(OLDEST_FORMAT..=FORMAT).contains(&format) {
            return Err(CrosswalkError::Newer { path: path.to_owned(), format });
        }
        let (domain, version, check) = header(&connection).map_err(of)?;
        let damaged = || CrosswalkError::damaged(path, "its header");
        let domain = domain.as_slice().try_into().map_err(|_| damaged())?;
        let keys = Keys::derive(secret, domain, version).map_err(|_| damaged())?;
        keys.open(HEADER, &check).map_err(|_| CrosswalkError::OtherKey { path: path.to_owned(), version })?;
        Ok(Self { path: path.to_owned(), connection, keys, format })
    }

    pub(super) fn error(&self, error: &rusqlite::Error) -> CrosswalkError {
        CrosswalkError::of(&self.path, error)
    }

    /// What a real value or a pseudonym is found by is its column.
    ///
    /// # Errors
    /// It cannot be read, or does not open.
    pub(super) fn look_up(
        &self,
        kind: Kind,
        column: Column,
        value: &[u8],
    ) -> Result<Option<Correspondence>, CrosswalkError> {
        let key = match column {
            Column::Real => row::forward(&self.keys, kind, value),
            Column::Pseudonym => row::back(&self.keys, kind, value),
        };
        let found = find(&self.connection, column, &key).map_err(|error| self.error(&error))?;
        let damaged = || CrosswalkError::damaged(&self.path, "a row does not open");
        found.map(|row| row.open(&self.keys).ok_or_else(damaged)).transpose()
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    Real,
    Pseudonym,
}

pub(super) fn find(connection: &Connection, column: Column, key: &[u8]) -> rusqlite::Result<Option<Row>> {
    let mut statement = connection.prepare_cached(match column {
        Column::Real => "SELECT kind, real, pseudonym, sealed FROM correspondence WHERE real = ?1",
        Column::Pseudonym => "SELECT kind, real, pseudonym, sealed FROM correspondence WHERE pseudonym = ?1",
    })?;
    statement.query_row(params![key], row).optional()
}

/// A row of `kind, real, pseudonym, sealed`.
pub(super) fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row { kind: row.get(0)?, real: row.get(1)?, pseudonym: row.get(2)?, sealed: row.get(3)? })
}

fn connect(path: &Path) -> Result<Connection, CrosswalkError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        // A commit is on the disk before it returns.
        connection.pragma_update(None, "synchronous", "FULL")?;
        // What is erased is overwritten.
        connection.pragma_update(None, "secure_delete", true)?;
        let _: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| CrosswalkError::of(path, &error))
}

/// Writes the tables into an empty file; a file that has them, or others, stays as it is.
fn make(connection: &mut Connection, secret: &Secret) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i64 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if tables > 0 || application != 0 {
        return Ok(());
    }
    let mut domain = [0; SHORT];
    let random = rand::fill(&mut domain).and_then(|()| Keys::derive(secret, domain, 1));
    let keys = random.map_err(|_| rusqlite::Error::InvalidQuery)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    write_header(&transaction, &keys)?;
    transaction.commit()
}

pub(super) fn write_header(connection: &Connection, keys: &Keys) -> rusqlite::Result<()> {
    let check = keys.seal(HEADER, b"").map_err(|_| rusqlite::Error::InvalidQuery)?;
    let statement = "INSERT INTO header (id, domain, key_version, key_check) VALUES (0, ?1, ?2, ?3)
        ON CONFLICT (id) DO UPDATE SET key_version = excluded.key_version, key_check = excluded.key_check";
    connection.execute(statement, params![keys.domain, keys.version, check]).map(|_| ())
}

fn header(connection: &Connection) -> rusqlite::Result<(Vec<u8>, u32, Vec<u8>)> {
    let statement = "SELECT domain, key_version, key_check FROM header WHERE id = 0";
    connection.query_row(statement, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

//! Why a crosswalk cannot be opened, read or written. Names files and kinds, never a value.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::files::full;

/// What is wrong with a crosswalk's file, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CrosswalkError {
    /// The file, its folder or its lock cannot be made, opened or looked at.
    #[error("{} cannot be opened: {error}", full(.path))]
    Open {
        /// The database, or the file of its lock.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Another process may write to it, and two must not.
    #[error(
        "{} is in use by another process{}; stop the proxy, or wait until the other command has ended",
        full(.path), .by.map_or_else(String::new, |id| format!(" ({id})"))
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// The process that has it, where its lock names it.
        by: Option<u32>,
    },
    /// The file is none of SQLite, or not one that dimsegate made.
    #[error("{} is no crosswalk of dimsegate; name another file", full(.path))]
    Foreign {
        /// The file that was named.
        path: PathBuf,
    },
    /// Its format is one that this version does not know.
    #[error("{} was written by a later dimsegate (format {format}); use that one", full(.path))]
    Newer {
        /// The database.
        path: PathBuf,
        /// What its header says, `user_version`.
        format: i64,
    },
    /// It can be read, but in its format it may lead to originals, and only its writer may raise that.
    #[error(
        "{} was written by an earlier dimsegate (format {format}), which has it open; stop that one first",
        full(.path)
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// What its header says, `user_version`.
        format: i64,
    },
    /// The key does not open its header.
    #[error(
        "{} is encrypted with another key, its key version {version}; name the key file that it was made with or last \
         rotated to",
        full(.path)
    )]
    OtherKey {
        /// The database.
        path: PathBuf,
        /// How many keys it has had, counted from 1; each rotation is one more.
        version: u32,
    },
    /// A page, the header or a row is not what was written.
    #[error("{} is damaged ({what}); restore it from a backup", full(.path))]
    Damaged {
        /// The database.
        path: PathBuf,
        /// Which part; never what is in it.
        what: String,
    },
    /// The disk is full or fails, or the file may only be read.
    #[error("{} cannot be written ({what}); make room or permit it, nothing was changed", full(.path))]
    NotWritable {
        /// The database.
        path: PathBuf,
        /// What SQLite says of it.
        what: String,
    },
    /// What was written now would be lost with the process, so nothing is.
    #[error("{} was moved away or replaced while it was open; put it back, or restart", full(.path))]
    Gone {
        /// Where the database was when it was opened.
        path: PathBuf,
    },
    /// SQLite fails in another way, or old content could not be wiped from the journal.
    #[error("{} cannot be used: {what}", full(.path))]
    Other {
        /// The database.
        path: PathBuf,
        /// What SQLite says of it, or what to do.
        what: String,
    },
}

impl CrosswalkError {
    pub(super) fn open(path: &Path, error: io::Error) -> Self {
        Self::Open { path: path.to_owned(), error }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }

    /// SQLite's messages hold no values: statements have parameters only.
    pub(super) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, what) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, what },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path, by: None },
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure,
            ) => Self::NotWritable { path, what },
            _ => Self::Other { path, what },
        }
    }
}

/// Why correspondences were not remembered: what was made of them must not go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStored {
    /// The database cannot be written; the log says why.
    #[error("the crosswalk cannot be written")]
    Unavailable,
    /// A pseudonym stands for another value already, or a value has another pseudonym already.
    #[error("a pseudonym is taken in the crosswalk")]
    Taken,
}

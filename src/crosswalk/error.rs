//! Why a crosswalk cannot be opened, read or written. Names files and kinds, never a value.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::files::full;

/// What is wrong with a crosswalk's file, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CrosswalkError {
    #[error("{} cannot be opened: {error}", full(.path))]
    Open { path: PathBuf, error: io::Error },
    #[error(
        "{} is in use by another process{}; stop the proxy, or wait until the other command has ended",
        full(.path), .by.map_or_else(String::new, |id| format!(" ({id})"))
    )]
    InUse { path: PathBuf, by: Option<u32> },
    #[error("{} is no crosswalk of dimsegate; name another file", full(.path))]
    Foreign { path: PathBuf },
    #[error("{} was written by a later dimsegate (format {format}); use that one", full(.path))]
    Newer { path: PathBuf, format: i64 },
    #[error(
        "{} was written by an earlier dimsegate (format {format}), which has it open; stop that one first",
        full(.path)
    )]
    Older { path: PathBuf, format: i64 },
    #[error(
        "{} is encrypted with another key, its key version {version}; name the key file that it was made with or last \
         rotated to",
        full(.path)
    )]
    OtherKey { path: PathBuf, version: u32 },
    #[error("{} is damaged ({what}); restore it from a backup", full(.path))]
    Damaged { path: PathBuf, what: String },
    #[error("{} cannot be written ({what}); make room or permit it, nothing was changed", full(.path))]
    NotWritable { path: PathBuf, what: String },
    #[error("{} was moved away or replaced while it was open; put it back, or restart", full(.path))]
    Gone { path: PathBuf },
    #[error("{} cannot be used: {what}", full(.path))]
    Other { path: PathBuf, what: String },
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

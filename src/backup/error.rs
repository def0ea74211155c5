//! Why a backup is not made, or not read.

use std::io;
use std::path::PathBuf;

use crate::age;
use crate::files::full;

/// What went wrong, and what to do. Never a value of what is backed up.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file could not be read, written or named.
    #[error("{}: {error}", full(.path))]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is a file of this name.
    #[error("{} is there already, and nothing is written over it; name another file", full(.0))]
    Exists(PathBuf),
    /// It was written to while it was read.
    #[error("{} changed while it was read; make the backup again", full(.0))]
    Changed(PathBuf),
    /// What age says.
    #[error("is not opened: {0}; name the key that it was encrypted for, with --identity")]
    Closed(age::Error),
    /// A chunk was changed, or the end is missing.
    #[error("is damaged: {0}; use another copy of it")]
    Damaged(String),
    /// Something else was encrypted.
    #[error("is no backup of dimsegate")]
    NoBackup,
    /// It has what is not known here.
    #[error(
        "is of version {version}, and this program reads up to {}; use a later dimsegate",
        super::VERSION
    )]
    Newer {
        /// What it says.
        version: u32,
    },
    /// Its manifest says what cannot be.
    #[error("has a manifest that cannot be: {0}; nothing of it was used")]
    Manifest(String),
    /// It does not fit on the disk.
    #[error("holds {needed} bytes, and the disk of {} has room for {free}; make room, or name another folder", full(.folder))]
    NoRoom {
        /// Where to.
        folder: PathBuf,
        /// Bytes of all members.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
}

impl BackupError {
    pub(super) fn io(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |error| Self::Io { path: path.to_owned(), error }
    }
}

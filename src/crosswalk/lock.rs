//! Who may write: one process at a time.

use std::path::{Path, PathBuf};

use super::error::CrosswalkError;
use crate::files::{self, NotLocked};

/// Held as long as it lives, in a file of its own beside the database: SQLite's locks on the database itself are let go
/// when any other handle of the process on it is closed.
#[derive(Debug)]
pub(super) struct Lock {
    _lock: files::Lock,
}

impl Lock {
    /// # Errors
    /// Another process holds it, or the file cannot be made or locked.
    pub(super) fn take(database: &Path) -> Result<Self, CrosswalkError> {
        let path = beside(database, ".lock");
        files::Lock::take(&path).map(|lock| Self { _lock: lock }).map_err(|why| match why {
            NotLocked::Taken(by) => CrosswalkError::InUse { path: database.to_owned(), by },
            NotLocked::Io(error) => CrosswalkError::open(&path, error),
        })
    }
}

pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

//! Who may write: one process at a time.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::error::CrosswalkError;
use crate::files;

/// Held as long as it lives, in a file of its own beside the database: SQLite's locks on the database itself are let go
/// when any other handle of the process on it is closed.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// # Errors
    /// Another process holds it, or the file cannot be made.
    pub(super) fn take(database: &Path) -> Result<Self, CrosswalkError> {
        let path = beside(database, ".lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file =
            files::open_with(&path, &mut options).map_err(|error| CrosswalkError::open(&path, error))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut text = String::new();
            // Who it is only helps.
            let by = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(CrosswalkError::InUse { path: database.to_owned(), by });
        }
        let wrote = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = wrote {
            // On a full disk the lock holds all the same.
            tracing::debug!(%error, "the process id could not be written beside a crosswalk");
        }
        Ok(Self { _file: file })
    }
}

pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

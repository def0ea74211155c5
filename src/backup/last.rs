//! When the last backup was made: a small file of the state directory.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::files;

const NAME: &str = "backup.last";
/// There is no secret in it, and `check` may run as somebody else.
const MODE: u32 = 0o644;
const LONGEST: u64 = 4096;

/// The last backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// When it was made (RFC 3339).
    pub made: String,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}

impl Last {
    /// What is remembered in a folder; `None` where nothing is.
    ///
    /// # Errors
    /// It cannot be read, or is something else.
    pub fn in_folder(folder: &Path) -> io::Result<Option<Self>> {
        match files::read(&folder.join(NAME), LONGEST) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Remembers it in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn remember(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(NAME);
        files::make_folder_of(&path)?;
        files::put(&path, MODE, &serde_json::to_vec(self)?)
    }

    /// When it was made, where what is remembered is a time.
    pub fn time(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.made, &Rfc3339).ok()
    }

    /// Whether a file of a state directory is this one, which says nothing after a restore.
    pub fn is_at(path: &Path) -> bool {
        path.file_name().is_some_and(|name| name == NAME)
    }
}

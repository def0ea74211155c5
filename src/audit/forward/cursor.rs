//! How far a destination has come, kept on the disk.

use super::destination::Begin;
use super::position::Position;
use crate::audit::messages::State;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Everything that the next message depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    #[serde(flatten)]
    pub position: Position,
    /// Sequence number of the last record.
    pub sequence: u64,
    /// Messages made so far.
    pub messages: u64,
    /// What the renderer remembers.
    pub state: State,
}

/// The file of a destination's cursor, in the audit directory.
pub(super) fn path_of(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("forward-{name}.cursor"))
}

impl Cursor {
    /// The stored cursor, or a new one. One that cannot be read means beginning with the oldest record: twice is better
    /// than never.
    ///
    /// # Errors
    /// The audit directory cannot be read.
    pub(super) fn load(directory: &Path, name: &str, begin: Begin) -> io::Result<Self> {
        let path = path_of(directory, name);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::error!(file = %path.display(), %error, "not a cursor; everything is sent again");
                Self::default()
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let position = match begin {
                    Begin::Now => Position::at_end(directory)?,
                    Begin::Oldest => Position::default(),
                };
                Ok(Self { position, ..Self::default() })
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the place of the stored cursor at once and for good.
    pub(super) fn store(&self, directory: &Path, name: &str) -> io::Result<()> {
        let path = path_of(directory, name);
        let fresh = path.with_extension("cursor-new");
        let bytes = serde_json::to_vec(self).map_err(io::Error::other)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(&fresh)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)?;
        File::open(directory)?.sync_all()
    }
}

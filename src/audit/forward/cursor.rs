//! How far a destination has come, kept on the disk: a line that anybody may read who can, and behind it, sealed, what it
//! remembers of associations.

use super::destination::Begin;
use super::position::Position;
use super::seal::Seal;
use crate::audit::messages::State;
use crate::audit::regular;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Write};
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
    /// What the renderer remembers. An earlier version wrote it in clear, into the same line.
    #[serde(default, skip_serializing)]
    pub state: State,
}

/// Longer than any cursor.
const LONGEST: u64 = 64 * 1024 * 1024;

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
    pub(super) fn load(directory: &Path, name: &str, begin: Begin, seal: &Seal) -> io::Result<Self> {
        let path = path_of(directory, name);
        match regular::read(&path, LONGEST) {
            Ok(bytes) => Ok(Self::read(&bytes, seal, &path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let position = match begin {
                    Begin::Now => Position::at_end(directory)?,
                    Begin::Oldest => Position::default(),
                };
                Ok(Self { position, ..Self::default() })
            }
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }

    fn read(bytes: &[u8], seal: &Seal, path: &Path) -> Self {
        let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        let (line, sealed) = bytes.split_at(end);
        let cursor = match serde_json::from_slice::<Self>(line) {
            Ok(cursor) => cursor,
            Err(error) => {
                tracing::error!(file = %path.display(), %error, "not a cursor; everything is sent again");
                return Self::default();
            }
        };
        let Some(sealed) = sealed.get(1..).filter(|sealed| !sealed.is_empty()) else { return cursor };
        let opened = seal.open(line, sealed).and_then(|state| serde_json::from_slice(&state).ok());
        if opened.is_none() {
            tracing::error!(file = %path.display(),
                "what it remembers of associations cannot be opened; their next messages may not say who took part");
        }
        Self { state: opened.unwrap_or_default(), ..cursor }
    }

    /// Takes the place of the stored cursor at once and for good.
    pub(super) fn store(&self, directory: &Path, name: &str, seal: &Seal) -> io::Result<()> {
        let path = path_of(directory, name);
        let fresh = path.with_extension("cursor-new");
        let line = serde_json::to_vec(self).map_err(io::Error::other)?;
        let state = serde_json::to_vec(&self.state).map_err(io::Error::other)?;
        let sealed = seal.close(&line, state)?;
        let mut file = regular::replace(&fresh, 0o600)?;
        file.write_all(&[&line, &b"\n"[..], &sealed].concat())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)?;
        File::open(directory)?.sync_all()
    }
}

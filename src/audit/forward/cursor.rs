//! How far a destination has come, kept on the disk: a line that anybody may read who can, and behind it, sealed, what it
//! remembers of associations.

use super::destination::Begin;
use super::position::Position;
use super::seal::Seal;
use crate::audit::messages::State;
use crate::audit::regular;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Everything that the next message depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Cursor {
    #[serde(flatten)]
    pub position: Position,
    /// Sequence number of the last record.
    pub sequence: u64,
    /// Messages made so far.
    pub messages: u64,
    /// What the renderer remembers: not in the line, but sealed behind it.
    #[serde(skip)]
    pub state: State,
}

/// The line of a stored cursor.
#[derive(Deserialize)]
struct Line {
    #[serde(flatten)]
    position: Position,
    sequence: u64,
    messages: u64,
    /// In clear, with no seal behind the line: as an earlier version wrote it.
    state: Option<State>,
}

/// Longer than any cursor.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The file of a destination's cursor, in the audit directory.
pub(super) fn path_of(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("forward-{name}.cursor"))
}

impl Cursor {
    /// The stored cursor, or a new one. One that cannot be read, or whose seal cannot be opened, means beginning with the
    /// oldest record: twice is better than never.
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

    /// Nobody knows who wrote what no seal vouches for: it may be damaged, or name the end of the trail so that records are
    /// passed over. It counts as none that can be read.
    fn read(bytes: &[u8], seal: &Seal, path: &Path) -> Self {
        let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        let (line, sealed) = bytes.split_at(end);
        let read = match serde_json::from_slice::<Line>(line) {
            Ok(Line { position, sequence, messages, state }) => {
                let state = match (sealed.get(1..), state) {
                    (None, Some(clear)) => Some(clear),
                    (sealed, _) => {
                        let opened = seal.open(line, sealed.unwrap_or_default());
                        opened.and_then(|state| serde_json::from_slice(&state).ok())
                    }
                };
                state.map(|state| Self { position, sequence, messages, state })
            }
            Err(_) => None,
        };
        read.unwrap_or_else(|| {
            tracing::error!(file = %path.display(),
                "not a cursor, or its seal cannot be opened: damaged, changed, or of another key; all records are sent again");
            Self::default()
        })
    }

    /// Takes the place of the stored cursor at once and for good.
    pub(super) fn store(&self, directory: &Path, name: &str, seal: &Seal) -> io::Result<()> {
        let line = serde_json::to_vec(self).map_err(io::Error::other)?;
        let state = serde_json::to_vec(&self.state).map_err(io::Error::other)?;
        let sealed = seal.close(&line, state)?;
        regular::put(&path_of(directory, name), 0o600, &[&line, &b"\n"[..], &sealed].concat())
    }
}

//! Who changes the users: one at a time, of all processes.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::error::UsersError;
use crate::files;

/// No change takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);
/// Bytes of the file: room for as many users as there may be.
const LARGEST: u64 = 8 << 20;

/// The file of users, open and held against others who would change it. The lock is on the file itself, which nobody else may
/// open, so that nobody else can hold it.
pub(super) struct Held {
    file: File,
    path: PathBuf,
    pub(super) metadata: Metadata,
}

impl Held {
    /// Waits for those who change it. `create` makes it where it is missing.
    ///
    /// # Errors
    /// [`UsersError`]: it cannot be opened, is not its owner's alone, or is held for too long.
    pub(super) fn take(path: &Path, create: bool) -> Result<Self, UsersError> {
        let over = Instant::now() + PATIENCE;
        loop {
            let file = open(path, create)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    let metadata = file.metadata().map_err(|source| io_error("read", path, source))?;
                    // Somebody may have put another in its place meanwhile.
                    if std::fs::metadata(path)
                        .is_ok_and(|now| now.ino() == metadata.ino() && now.dev() == metadata.dev())
                    {
                        return Ok(Self { file, path: path.to_owned(), metadata });
                    }
                }
                Err(Errno::WOULDBLOCK) => {}
                Err(error) => return Err(io_error("lock", path, error.into())),
            }
            if Instant::now() >= over {
                return Err(UsersError::InUse { file: path.to_owned(), seconds: PATIENCE.as_secs() });
            }
            // Nothing unparks this thread: commands and those that hash are here, never the runtime's.
            thread::park_timeout(PAUSE);
        }
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>, UsersError> {
        bytes(&self.file, &self.path)
    }
}

/// All of a file of users, without holding it.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, UsersError> {
    bytes(&open(path, false)?, path)
}

fn open(path: &Path, create: bool) -> Result<File, UsersError> {
    let mut options = OpenOptions::new();
    options.read(true);
    if create {
        options.append(true).create(true).mode(0o600);
    }
    let file = files::open_with(path, &mut options).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound if !create => UsersError::Missing(path.to_owned()),
        _ => io_error("open", path, source),
    })?;
    let mode = file.metadata().map_err(|source| io_error("read", path, source))?.mode() & 0o7777;
    match mode & 0o077 {
        0 => Ok(file),
        _ => Err(UsersError::OpenToOthers { file: path.to_owned(), mode }),
    }
}

fn bytes(file: &File, path: &Path) -> Result<Vec<u8>, UsersError> {
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|source| io_error("read", path, source))?;
    match bytes.len() as u64 > LARGEST {
        true => Err(UsersError::TooLarge { file: path.to_owned(), most: LARGEST }),
        false => Ok(bytes),
    }
}

pub(super) fn io_error(doing: &'static str, file: &Path, source: io::Error) -> UsersError {
    UsersError::Io { doing, file: file.to_owned(), source }
}

//! One process writes into an audit directory: two would tear the chain.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file that is locked; it holds the process ID of who has it, for people.
const NAME: &str = "audit.lock";

/// Held for as long as this process writes; the system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Why the directory is not ours.
#[derive(Debug)]
pub(super) enum NotLocked {
    /// Another process has it: its process ID, where that can be read.
    Taken(Option<u32>),
    Io(io::Error),
}

impl Lock {
    /// Takes the directory, or says who has it. Never waits.
    pub(super) fn take(directory: &Path) -> Result<Self, NotLocked> {
        let path = directory.join(NAME);
        let opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o640).open(path);
        let mut file = opened.map_err(NotLocked::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotLocked::Taken(process_in(&file))),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!(directory = %directory.display(),
                    "this file system has no locks: nothing keeps a second process from writing here, too");
            }
            Err(TryLockError::Error(error)) => return Err(NotLocked::Io(error)),
        }
        // The lock counts, not what the file says: a disk that is full now is the writer's business.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn process_in(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Lock, NotLocked};

    #[test]
    fn a_directory_has_one_owner_until_it_lets_go() {
        let home = tempfile::tempdir().unwrap();
        let first = Lock::take(home.path()).unwrap();
        let second = Lock::take(home.path()).unwrap_err();
        assert!(
            matches!(second, NotLocked::Taken(Some(process)) if process == std::process::id()),
            "{second:?}"
        );
        drop(first);
        Lock::take(home.path()).unwrap();
    }
}

//! What one process has at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The lock of a file that is there for nothing else and holds the process ID of who has it, for people. It is held as long as
/// this lives; the system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Why it is not ours.
#[derive(Debug)]
pub(crate) enum NotLocked {
    /// Somebody has it: the process ID, where that can be read.
    Taken(Option<u32>),
    /// The file cannot be made, opened or locked.
    Io(io::Error),
}

impl Lock {
    /// Takes it, or says who has it. Never waits.
    ///
    /// # Errors
    /// As [`NotLocked`] has it.
    pub(crate) fn take(path: &Path) -> Result<Self, NotLocked> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = super::open_with(path, &mut options).map_err(NotLocked::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotLocked::Taken(process_in(&file))),
            Err(TryLockError::Error(error)) => return Err(NotLocked::Io(error)),
        }
        // On a full disk the lock holds all the same.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

/// The process ID in a lock; who it is only helps.
pub(crate) fn process_in(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Lock, NotLocked};
    use crate::scratch::Scratch;

    #[test]
    fn one_has_it_until_it_lets_go_and_is_named() {
        let home = Scratch::new();
        let path = home.path().join("lock");
        let first = Lock::take(&path).unwrap();
        let second = Lock::take(&path).unwrap_err();
        assert!(matches!(second, NotLocked::Taken(Some(id)) if id == std::process::id()), "{second:?}");
        drop(first);
        Lock::take(&path).unwrap();
        let nowhere = Lock::take(&home.path().join("none/lock")).unwrap_err();
        assert!(matches!(nowhere, NotLocked::Io(_)), "{nowhere:?}");
    }
}

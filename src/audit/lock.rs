//! One process writes into an audit directory: two would tear the chain.

use super::{recovery, regular};
use crate::files::process_in;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file that is locked; it holds the process ID of who has it, for people.
const NAME: &str = "audit.lock";
const MODE: u32 = 0o600;

/// Held for as long as this process writes; the system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    /// The file that it took the place of: who opened that one a moment ago finds it taken.
    _before: Option<File>,
}

/// Why the directory is not ours.
#[derive(Debug)]
pub(super) enum NotLocked {
    /// Another process has it: its process ID, where that can be read.
    Taken(Option<u32>),
    /// The file that cannot be used, and why.
    Io(PathBuf, io::Error),
}

impl Lock {
    /// Takes the directory, or says who has it. Never waits.
    ///
    /// Whoever can open the file can hold its lock (flock(2)), even for reading alone, for as long as it keeps it open. So
    /// only its owner can, and a file that others could open, held by none that writes records, gives way to a new one.
    pub(super) fn take(directory: &Path) -> Result<Self, NotLocked> {
        let path = directory.join(NAME);
        let failed = |error| NotLocked::Io(path.clone(), error);
        let file = open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) if is_closed_to_others(&file) => {}
            Ok(()) => return Self::renew(&path, file).map_err(failed),
            Err(TryLockError::WouldBlock) => match process_in(&file) {
                process if is_closed_to_others(&file) => return Err(NotLocked::Taken(process)),
                // Whoever took it on a full disk could not write who it is.
                None => return Err(NotLocked::Taken(None)),
                Some(process) if is_running(process) => return Err(NotLocked::Taken(Some(process))),
                Some(_) => {
                    let fresh = Self::replace(&path).map_err(failed)?;
                    tracing::warn!(file = %path.display(),
                        "somebody held this lock who writes no records; it was replaced");
                    return Ok(fresh);
                }
            },
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!(directory = %directory.display(),
                    "this file system has no locks: nothing keeps a second process from writing here, too");
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Self::held(file))
    }

    fn held(mut file: File) -> Self {
        // The lock counts, not what the file says: a disk that is full now is the writer's business.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Self { _file: file, _before: None }
    }

    /// Somebody may have opened the file while others could: a new one takes its place. A disk that has no room for one
    /// keeps the old, closed.
    fn renew(path: &Path, file: File) -> io::Result<Self> {
        file.set_permissions(Permissions::from_mode(MODE))?;
        let before = Self::held(file);
        match Self::replace(path) {
            Ok(fresh) => Ok(Self { _before: Some(before._file), ..fresh }),
            Err(error) if recovery::is_full(&error) => {
                tracing::warn!(file = %path.display(), %error, "others may hold this lock, and it cannot be replaced");
                Ok(before)
            }
            Err(error) => Err(error),
        }
    }

    fn replace(path: &Path) -> io::Result<Self> {
        let fresh = path.with_extension("lock-new");
        // Of a crash, if it is there.
        let _ = fs::remove_file(&fresh);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(&fresh)?;
        file.try_lock().map_err(io::Error::from)?;
        fs::rename(&fresh, path)?;
        if fs::metadata(path)?.ino() != file.metadata()?.ino() {
            return Err(io::Error::other("another process took it at the same time"));
        }
        Ok(Self::held(file))
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    regular::open_with(path, options.read(true).write(true).create(true).truncate(false).mode(MODE))
}

fn is_closed_to_others(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.mode() & 0o077 == 0)
}

/// Whether it is one of ours: numbers of processes come again.
fn is_running(process: u32) -> bool {
    let name = |process: &str| fs::read(Path::new("/proc").join(process).join("comm")).ok();
    name(&process.to_string()).is_some_and(|of_process| name("self").is_none_or(|ours| ours == of_process))
}

#[cfg(test)]
mod tests {
    use super::{Lock, NAME, NotLocked};
    use crate::scratch::Scratch;
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    #[test]
    fn a_directory_has_one_owner_until_it_lets_go() {
        let home = Scratch::new();
        let first = Lock::take(home.path()).unwrap();
        let second = Lock::take(home.path()).unwrap_err();
        assert!(
            matches!(second, NotLocked::Taken(Some(process)) if process == std::process::id()),
            "{second:?}"
        );
        drop(first);
        Lock::take(home.path()).unwrap();
    }

    #[test]
    fn a_lock_that_others_can_open_and_hold_stops_nobody() {
        let home = Scratch::new();
        let path = home.path().join(NAME);
        // As earlier versions made it, with a process that has long ended.
        fs::write(&path, "4194305\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let reviewer = File::open(&path).unwrap();
        reviewer.lock_shared().unwrap();
        let ours = Lock::take(home.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600, "nobody else can open the next one");
        assert!(matches!(Lock::take(home.path()), Err(NotLocked::Taken(_))));
        drop((ours, reviewer));
        // One that nobody holds gives way, too: who has it open can hold it later, and stops nobody by that.
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let reviewer = File::open(&path).unwrap();
        drop(Lock::take(home.path()).unwrap());
        assert_ne!(fs::metadata(&path).unwrap().ino(), reviewer.metadata().unwrap().ino());
        reviewer.lock_shared().unwrap();
        let ours = Lock::take(home.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        // One that does not say whose it is may be that of a process that took it on a full disk.
        drop(ours);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let somebody = File::open(&path).unwrap();
        somebody.lock().unwrap();
        assert!(matches!(Lock::take(home.path()), Err(NotLocked::Taken(None))));
        drop(somebody);
        let ours = Lock::take(home.path()).unwrap();
        // One that a process of records holds stays its own.
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Lock::take(home.path()), Err(NotLocked::Taken(Some(_)))));
        drop(ours);
    }
}

//! One process writes into an audit directory: two would tear the chain.

use super::regular;
use crate::files;
use std::io;
use std::path::{Path, PathBuf};

/// The file that is locked; it holds the process ID of who has it, for people.
const NAME: &str = "audit.lock";

/// Held for as long as this process writes; the system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    /// `None`: this file system has no locks.
    _held: Option<files::Lock>,
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
    pub(super) fn take(directory: &Path) -> Result<Self, NotLocked> {
        let path = directory.join(NAME);
        let opened = regular::open_with(&path, files::Lock::options().create(true));
        let opened = opened.map_err(|error| NotLocked::Io(path.clone(), error))?;
        match files::Lock::of(&path, opened) {
            Ok(held) => Ok(Self { _held: Some(held) }),
            Err(files::NotLocked::Taken(process)) => Err(NotLocked::Taken(process)),
            Err(files::NotLocked::Io(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!(directory = %directory.display(),
                    "this file system has no locks: nothing keeps a second process from writing here, too");
                Ok(Self { _held: None })
            }
            Err(files::NotLocked::Io(error)) => Err(NotLocked::Io(path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lock, NAME, NotLocked};
    use crate::scratch::Scratch;
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

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
    fn a_lock_that_others_can_open_and_hold_stops_nobody_and_no_link_is_followed() {
        let home = Scratch::new();
        let path = home.path().join(NAME);
        drop(Lock::take(home.path()).unwrap());
        // With a process that has long ended, and read by a group.
        let ended =
            fs::read_to_string(&path).unwrap().replacen(&std::process::id().to_string(), "4194305", 1);
        fs::write(&path, ended).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let reviewer = File::open(&path).unwrap();
        reviewer.lock_shared().unwrap();
        let ours = Lock::take(home.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600, "nobody else can open the next one");
        assert!(matches!(Lock::take(home.path()), Err(NotLocked::Taken(_))));
        drop(ours);
        fs::rename(&path, home.path().join("elsewhere")).unwrap();
        symlink(home.path().join("elsewhere"), &path).unwrap();
        assert!(matches!(Lock::take(home.path()), Err(NotLocked::Io(file, _)) if file == path));
    }
}

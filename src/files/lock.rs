//! What one process has at a time.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use super::is_full;

const MODE: u32 = 0o600;

/// The lock of a file that is there for nothing else and holds the process ID of who has it, for people, with where that counts. It is
/// held as long as this lives; the system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
    /// The file that it took the place of: who opened that one a moment ago finds it taken.
    _before: Option<File>,
}

/// Why it is not ours.
#[derive(Debug)]
pub(crate) enum NotLocked {
    /// Another process has it: its process ID, where that can be read.
    Taken(Option<u32>),
    /// The file cannot be made, opened, locked or replaced; [`io::ErrorKind::Unsupported`]: this file system has no locks.
    Io(io::Error),
}

impl Lock {
    /// Takes it, or says who has it. Never waits.
    ///
    /// # Errors
    /// As [`NotLocked`] has it.
    pub(crate) fn take(path: &Path) -> Result<Self, NotLocked> {
        let file = super::open_with(path, Self::options().create(true)).map_err(NotLocked::Io)?;
        Self::of(path, file)
    }

    /// As its file has to be opened.
    pub(crate) fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true).truncate(false).mode(MODE);
        options
    }

    /// Takes that of a file which was opened so.
    ///
    /// Whoever can open the file can hold its lock (flock(2)), even for reading alone, for as long as it keeps it open. So
    /// only its owner can, and a file that others could open, held by no process of ours, gives way to a new one. Whether one of ours
    /// holds it can be told where its process ID counts here too; of one from another container or machine that cannot be told, and
    /// nothing gives way.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub(crate) fn of(path: &Path, file: File) -> Result<Self, NotLocked> {
        match file.try_lock() {
            Ok(()) if is_closed_to_others(&file) => Ok(Self::held(file)),
            Ok(()) => Self::renew(path, file).map_err(NotLocked::Io),
            Err(TryLockError::WouldBlock) => match Holder::in_file(&file) {
                // Whoever took it on a full disk could not write who it is.
                None => Err(NotLocked::Taken(None)),
                Some(holder) if is_closed_to_others(&file) || holder.may_run() => {
                    Err(NotLocked::Taken(Some(holder.process)))
                }
                Some(_) => {
                    let fresh = Self::replace(path, &file).map_err(NotLocked::Io)?;
                    tracing::warn!(file = %path.display(), "somebody held this lock who is no process of ours; it was replaced");
                    Ok(fresh)
                }
            },
            Err(TryLockError::Error(error)) => Err(NotLocked::Io(error)),
        }
    }

    fn held(mut file: File) -> Self {
        // The lock counts, not what the file says: it holds on a full disk all the same.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}{}", std::process::id(), place().unwrap_or_default()));
        Self { _file: file, _before: None }
    }

    /// Somebody may have opened the file while others could: a new one takes its place. A disk that has no room for one
    /// keeps the old, closed.
    fn renew(path: &Path, file: File) -> io::Result<Self> {
        file.set_permissions(Permissions::from_mode(MODE))?;
        let before = Self::held(file);
        match Self::replace(path, &before._file) {
            Ok(fresh) => Ok(Self { _before: Some(before._file), ..fresh }),
            Err(error) if is_full(&error) => {
                tracing::warn!(file = %path.display(), %error, "others may hold this lock, and it cannot be replaced");
                Ok(before)
            }
            Err(error) => Err(error),
        }
    }

    fn replace(path: &Path, before: &File) -> io::Result<Self> {
        let fresh = path.with_extension("lock-new");
        // Of a crash, if it is there.
        let _ = fs::remove_file(&fresh);
        let file = Self::options().create_new(true).open(&fresh)?;
        file.try_lock().map_err(io::Error::from)?;
        keep_owner(&file, &before.metadata()?);
        fs::rename(&fresh, path)?;
        if fs::metadata(path)?.ino() != file.metadata()?.ino() {
            return Err(io::Error::other("another process took it at the same time"));
        }
        Ok(Self::held(file))
    }
}

/// Where a command of root has it, the proxy can open it afterwards. Nobody but root can give it away, or has to.
fn keep_owner(file: &File, before: &Metadata) {
    let _ = fchown(file, Some(before.uid()), Some(before.gid()));
}

fn is_closed_to_others(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.mode() & 0o077 == 0)
}

/// Who has a lock, as its file says.
struct Holder {
    process: u32,
    /// Where its process ID counts.
    place: String,
}

impl Holder {
    fn in_file(file: &File) -> Option<Self> {
        let mut text = String::new();
        file.take(256).read_to_string(&mut text).ok()?;
        let line = text.trim_end();
        let digits = line.split_once(' ').map_or(line, |(digits, _)| digits);
        let place = line.get(digits.len()..).unwrap_or_default().to_owned();
        Some(Self { process: digits.parse().ok()?, place })
    }

    /// Whether it may be one of ours that goes on. Numbers of processes come again, and count in one place only.
    fn may_run(&self) -> bool {
        let name = |process: &str| fs::read(Path::new("/proc").join(process).join("comm")).ok();
        let is_ours = |of_process: Vec<u8>| name("self").is_none_or(|ours| ours == of_process);
        place().is_none_or(|here| here != self.place) || name(&self.process.to_string()).is_some_and(is_ours)
    }
}

/// Where process IDs are told apart: the namespace of this process (pid_namespaces(7)), since the machine was started. Behind a blank.
fn place() -> Option<String> {
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!(" {} {}", namespace.to_str()?, boot.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::{Lock, NotLocked, place};
    use crate::scratch::Scratch;
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

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

    #[test]
    fn one_that_others_can_open_and_hold_stops_nobody() {
        let home = Scratch::new();
        let path = home.path().join("state.lock");
        // With a process that has long ended.
        fs::write(&path, format!("4194305{}\n", place().unwrap())).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let reviewer = File::open(&path).unwrap();
        reviewer.lock_shared().unwrap();
        let ours = Lock::take(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600, "nobody else can open the next one");
        assert!(matches!(Lock::take(&path), Err(NotLocked::Taken(_))));
        drop((ours, reviewer));
        // One that nobody holds gives way, too: who has it open can hold it later, and stops nobody by that.
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let reviewer = File::open(&path).unwrap();
        drop(Lock::take(&path).unwrap());
        assert_ne!(fs::metadata(&path).unwrap().ino(), reviewer.metadata().unwrap().ino());
        reviewer.lock_shared().unwrap();
        let ours = Lock::take(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        // One that does not say whose it is may be that of a process that took it on a full disk.
        drop(ours);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let somebody = File::open(&path).unwrap();
        somebody.lock().unwrap();
        assert!(matches!(Lock::take(&path), Err(NotLocked::Taken(None))));
        drop(somebody);
        let ours = Lock::take(&path).unwrap();
        // One that a process of ours holds stays its own.
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Lock::take(&path), Err(NotLocked::Taken(Some(_)))));
        drop(ours);
    }

    #[test]
    fn a_holder_of_whom_nobody_can_tell_here_whether_it_runs_keeps_its_lock() {
        let home = Scratch::new();
        let path = home.path().join("state.lock");
        let here = place().unwrap();
        let boot = here.rsplit_once(' ').unwrap().1;
        // From a container, from another machine, and from a version that did not say where.
        let elsewhere = [format!(" pid:[1] {boot}"), here.replace(boot, "5f0c2a4e"), String::new()];
        for place in elsewhere {
            fs::write(&path, format!("4194305{place}\n")).unwrap();
            // As a volume is mounted for a group.
            fs::set_permissions(&path, Permissions::from_mode(0o660)).unwrap();
            let theirs = File::open(&path).unwrap();
            theirs.lock().unwrap();
            let told = Lock::take(&path);
            assert!(matches!(told, Err(NotLocked::Taken(Some(4_194_305)))), "{place:?}: {told:?}");
            drop(theirs);
            drop(Lock::take(&path).unwrap());
        }
    }
}

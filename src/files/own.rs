//! Files that are dimsegate's own: what somebody else may have put there is not believed.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::geteuid;

/// What nobody else may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// Write there: what it says is then the proxy's word. They may read it.
    MayNotWrite,
    /// Write there or read it, as with a key.
    MayDoNothing,
}

impl Others {
    /// The bits of a mode that say they may.
    fn bits(self) -> u32 {
        match self {
            Self::MayNotWrite => 0o022,
            Self::MayDoNothing => 0o077,
        }
    }

    fn deed(self) -> &'static str {
        match self {
            Self::MayNotWrite => "write",
            Self::MayDoNothing => "read or write",
        }
    }
}

/// At most the first `longest` bytes of a file that belongs to the user of this process; `None` where there is none. Whose it is,
/// the open file says: another one may have its name a moment later.
///
/// # Errors
/// As [`read`](super::read), and [`io::ErrorKind::Other`], with what to do, where it is somebody else's, or others may do with it
/// what they may not.
pub(crate) fn read_own(path: &Path, others: Others, longest: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match super::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    if metadata.uid() != geteuid().as_raw() || metadata.mode() & others.bits() != 0 {
        return Err(io::Error::other(format!(
            "it belongs to somebody else, or others may {} it. If nobody did, give it to the user that dimsegate runs as, \
             with mode 0600",
            others.deed()
        )));
    }
    let mut bytes = Vec::new();
    file.take(longest).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Whether an open file is the one that whoever opens this name next will find.
///
/// # Errors
/// What looking at them gave.
pub(crate) fn is_in_place(file: &File, path: &Path) -> io::Result<bool> {
    let place = |metadata: &Metadata| (metadata.dev(), metadata.ino());
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        there => Ok(open.nlink() > 0 && place(&there?) == place(&open)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Others, is_in_place, read_own};
    use crate::scratch::Scratch;
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::path::Path;

    #[test]
    fn a_file_that_others_could_have_written_or_read_is_not_believed() {
        let home = Scratch::new();
        let file = home.path().join("own");
        let read = |others| read_own(&file, others, 3);
        assert_eq!(read(Others::MayNotWrite).unwrap(), None);
        fs::write(&file, "kept").unwrap();
        for (mode, may_not_write, may_do_nothing) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o644, true, false),
            (0o640, true, false),
            (0o620, false, false),
            (0o602, false, false),
        ] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let is_read = [Others::MayNotWrite, Others::MayDoNothing].map(|others| match read(others) {
                Ok(bytes) => bytes.as_deref() == Some(b"kep"),
                Err(error) => !error.to_string().contains("with mode 0600"),
            });
            assert_eq!(is_read, [may_not_write, may_do_nothing], "{mode:o}");
        }
        // What a link leads to counts, and not the link.
        let link = home.path().join("link");
        symlink(&file, &link).unwrap();
        assert!(read_own(&link, Others::MayNotWrite, 3).is_err());
        assert!(read_own(home.path(), Others::MayNotWrite, 3).is_err());
    }

    #[test]
    fn somebody_elses_file_is_not_believed_whatever_its_mode() {
        let home = Scratch::new();
        let given_away = home.path().join("theirs");
        fs::write(&given_away, "").unwrap();
        // Root alone can give one away, and for nobody else is one of root their own.
        let is_given = chown(&given_away, Some(65_534), None).is_ok();
        let theirs = if is_given { &*given_away } else { Path::new("/etc/passwd") };
        let text = read_own(theirs, Others::MayNotWrite, 9).unwrap_err().to_string();
        assert!(text.contains("it belongs to somebody else"), "{text}");
    }

    #[test]
    fn a_file_is_in_its_place_until_it_is_removed_or_another_one_is_there() {
        let home = Scratch::new();
        let (path, aside) = (home.path().join("file"), home.path().join("aside"));
        fs::write(&path, "").unwrap();
        let file = File::open(&path).unwrap();
        let is_there = || is_in_place(&file, &path).unwrap();
        assert!(is_there());
        fs::rename(&path, &aside).unwrap();
        assert!(!is_there());
        fs::write(&path, "").unwrap();
        assert!(!is_there());
        fs::rename(&aside, &path).unwrap();
        assert!(is_there());
        symlink(&path, &aside).unwrap();
        assert!(!is_in_place(&file, &aside).unwrap(), "a link can lead elsewhere at any time");
        fs::remove_file(&path).unwrap();
        assert!(!is_there());
    }
}

//! Files that are files: what others can put in the place of one (a pipe, a link, a socket, a device) is neither read nor
//! written, and nobody waits for the other end of it. Everything in the folder of the records is opened here.

use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::files::no_file;
pub(super) use crate::files::{put, replace};

/// Opens a file for reading.
///
/// # Errors
/// What opening gave; what it is, where it is no regular file.
pub(super) fn open(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().read(true))
}

/// Opens a day's file for reading, behind a link too: days may have been moved to another disk.
///
/// # Errors
/// As [`open`].
pub(super) fn follow(path: &Path) -> io::Result<File> {
    checked(path, OpenOptions::new().read(true), OFlags::NONBLOCK, |path| fs::metadata(path))
}

/// Opens a file for appending, and makes it where it is missing; only its owner and group can read it then.
///
/// # Errors
/// As [`open`].
pub(super) fn append(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().append(true).create(true).mode(0o640))
}

/// Opens a file as the options say, without following a link in its place and without waiting for the other end of a pipe.
///
/// # Errors
/// As [`open`].
pub(super) fn open_with(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    checked(path, options, OFlags::NOFOLLOW | OFlags::NONBLOCK, |path| fs::symlink_metadata(path))
}

/// `look` looks at what would be opened, where it is not: behind a link too, where one is followed.
fn checked(
    path: &Path,
    options: &mut OpenOptions,
    flags: OFlags,
    look: fn(&Path) -> io::Result<fs::Metadata>,
) -> io::Result<File> {
    let opened = options.custom_flags(flags.bits().cast_signed()).open(path);
    let kind = match &opened {
        Ok(file) => file.metadata()?.file_type(),
        // Links and sockets cannot be opened so, and the system's words for that say something else.
        Err(error) if error.kind() != io::ErrorKind::NotFound => match look(path) {
            Ok(metadata) => metadata.file_type(),
            Err(_) => return opened,
        },
        Err(_) => return opened,
    };
    match no_file(kind) {
        None => opened,
        Some(other) => {
            let text =
                format!("is {other}, not a regular file; nobody should have put it there: move it away");
            Err(io::Error::new(io::ErrorKind::InvalidInput, text))
        }
    }
}

/// At most the first `longest` bytes of a file.
///
/// # Errors
/// As [`open`], and what reading gave.
pub(super) fn read(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(longest).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::{append, follow, open, read, replace};
    use crate::scratch::Scratch;
    use rustix::fs::{CWD, Mode, mknodat};
    use std::fs;
    use std::io::{self, Write};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::Path;

    /// A pipe without another end: whoever opens it as a file waits for ever.
    pub(crate) fn pipe(path: &Path) {
        mknodat(CWD, path, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }

    #[test]
    fn what_is_no_file_is_neither_read_nor_written_and_is_called_what_it_is() {
        let home = Scratch::new();
        let at = |name: &str| home.path().join(name);
        pipe(&at("pipe"));
        let _socket = UnixListener::bind(at("socket")).unwrap();
        fs::write(at("secret"), "kept").unwrap();
        symlink(at("secret"), at("link")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        let others =
            [("pipe", "a pipe"), ("socket", "a socket"), ("link", "a symbolic link"), ("folder", "a folder")];
        for (name, what) in others {
            for opened in [open(&at(name)), append(&at(name))] {
                let said = opened.unwrap_err().to_string();
                assert!(said.starts_with(&format!("is {what}, not a regular file")), "{said}");
            }
        }
        assert!(follow(&at("link")).is_ok() && follow(&at("pipe")).is_err());
        for name in ["pipe", "socket", "link"] {
            replace(&at(name), 0o600).unwrap().write_all(b"ours").unwrap();
            assert_eq!(read(&at(name), 3).unwrap(), b"our");
        }
        assert_eq!(read(&at("secret"), 9).unwrap(), b"kept");
        let device = open(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(device.starts_with("is a device"), "{device}");
    }

    #[test]
    fn a_link_that_may_be_followed_is_not_blamed_for_what_is_behind_it() {
        let home = Scratch::new();
        let at = |name: &str| home.path().join(name);
        let said = |name: &str| follow(&at(name)).unwrap_err();
        fs::write(at("moved"), "kept").unwrap();
        fs::set_permissions(at("moved"), fs::Permissions::from_mode(0o000)).unwrap();
        symlink(at("moved"), at("closed")).unwrap();
        // Whoever may read everything reads this too.
        if let Err(error) = follow(&at("closed")) {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}");
        }
        symlink(at("moved/below"), at("nowhere")).unwrap();
        assert_eq!(said("nowhere").kind(), io::ErrorKind::NotADirectory);
        symlink(at("gone"), at("dangling")).unwrap();
        assert_eq!(said("dangling").kind(), io::ErrorKind::NotFound);
        let _socket = UnixListener::bind(at("socket")).unwrap();
        symlink(at("socket"), at("led")).unwrap();
        assert!(said("led").to_string().starts_with("is a socket"), "{}", said("led"));
    }
}

//! Files by the names that people gave them, on a command line or in a configuration.
//!
//! A name that is not absolute is relative to the working directory, as every program takes it. Whoever reads an error of
//! a service does not see what that was, so that errors say it. What a configuration names is a file, and nobody waits for the
//! other end of a pipe in its place.

use std::fmt;
use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, absolute};

use rustix::fs::OFlags;

mod lines;
mod lock;
mod looks;
mod own;
mod put;
mod watched;

pub(crate) use lines::{Lines, read_any_lines, read_lines, whole};
pub(crate) use lock::{Lock, NotLocked};
pub(crate) use looks::{Looks, by_the_clock};
pub(crate) use own::{Others, read_own};
pub(crate) use put::{make_folder_of, put, put_named, replace};
pub use watched::{Content, Stamp};

/// A file as an error calls it: where it was looked for, and in which directory, where its name left that open.
#[derive(Clone, Copy, Debug)]
pub struct Full<'p>(&'p Path);

/// How errors call a file.
pub fn full(path: &Path) -> Full<'_> {
    Full(path)
}

/// What an error that begins with a file's name, as it was given, says besides: where it was looked for, if the name does not
/// say that.
pub fn looked_for(path: &Path) -> String {
    if path.is_relative() { format!("; it was looked for as {}", full(path)) } else { String::new() }
}

impl fmt::Display for Full<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = std::env::current_dir().ok().filter(|_| self.0.is_relative());
        let whole = directory.as_ref().and_then(|_| absolute(self.0).ok());
        match whole.zip(directory) {
            Some((whole, directory)) => {
                write(f, &whole)?;
                f.write_str(" (relative to the working directory ")?;
                write(f, &directory)?;
                f.write_str(")")
            }
            None => write(f, self.0),
        }
    }
}

/// Without what could move a terminal's cursor.
fn write(f: &mut fmt::Formatter<'_>, path: &Path) -> fmt::Result {
    path.to_string_lossy().chars().try_for_each(|c| match c.is_control() {
        true => write!(f, "{}", c.escape_default()),
        false => fmt::Write::write_char(f, c),
    })
}

/// Opens a file that a configuration names, for reading. A pipe or a device in its place would keep whoever reads it waiting,
/// perhaps for ever.
///
/// # Errors
/// What opening gave; what it is, where it is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().read(true))
}

/// The same, as the options say.
///
/// # Errors
/// As [`open`].
pub fn open_with(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let opened = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let kind = match &opened {
        Ok(file) => file.metadata()?.file_type(),
        // Sockets cannot be opened, and the system's words for that say something else.
        Err(_) => match fs::metadata(path) {
            Ok(metadata) => metadata.file_type(),
            Err(_) => return opened,
        },
    };
    match no_file(kind) {
        None => opened,
        Some(what) => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, format!("is {what}, not a regular file")))
        }
    }
}

/// At most the first `longest` bytes of such a file.
///
/// # Errors
/// As [`open`], and what reading gave.
pub fn read(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(longest).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether the disk takes nothing, which may pass.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// What something is that is no regular file.
pub fn no_file(kind: FileType) -> Option<&'static str> {
    Some(match kind {
        _ if kind.is_file() => return None,
        _ if kind.is_dir() => "a folder",
        _ if kind.is_symlink() => "a symbolic link",
        _ if kind.is_fifo() => "a pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    })
}

#[cfg(test)]
mod tests {
    use super::{full, looked_for, open_with, read};
    use crate::scratch::Scratch;
    use rustix::fs::{CWD, Mode, mknodat};
    use std::fs::OpenOptions;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    #[test]
    fn nobody_waits_for_the_other_end_of_a_pipe() {
        let home = Scratch::new();
        let at = |name: &str| home.path().join(name);
        mknodat(CWD, at("pipe"), rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        symlink(at("pipe"), at("link")).unwrap();
        for name in ["pipe", "link"] {
            assert_eq!(read(&at(name), 9).unwrap_err().to_string(), "is a pipe, not a regular file");
            let written = open_with(&at(name), OpenOptions::new().write(true));
            assert_eq!(written.unwrap_err().to_string(), "is a pipe, not a regular file");
        }
        for (path, what) in [("/dev/zero", "a device"), ("/", "a folder")] {
            let text = read(Path::new(path), 9).unwrap_err().to_string();
            assert_eq!(text, format!("is {what}, not a regular file"));
        }
        std::fs::write(at("file"), "all of it").unwrap();
        symlink(at("file"), at("way")).unwrap();
        assert_eq!(read(&at("way"), 3).unwrap(), b"all");
    }

    #[test]
    fn a_relative_name_is_completed_and_its_directory_named() {
        let here = std::env::current_dir().unwrap();
        let here = here.display();
        assert_eq!(
            full(Path::new("certs/ca.pem")).to_string(),
            format!("{here}/certs/ca.pem (relative to the working directory {here})")
        );
    }

    #[test]
    fn an_absolute_name_stands_for_itself_and_moves_no_cursor() {
        assert_eq!(full(Path::new("/etc/dimsegate/ca.pem")).to_string(), "/etc/dimsegate/ca.pem");
        assert_eq!(full(Path::new("/etc/\u{1b}[2J")).to_string(), "/etc/\\u{1b}[2J");
        assert_eq!(looked_for(Path::new("/etc/dimsegate/ca.pem")), "");
    }
}

//! A file of lines that grows: each is on the disk before anything rests on it.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::own::{Others, is_in_place, read_own};
use super::put::put_open;

const MODE: u32 = 0o600;

/// One that is open for more of them.
#[derive(Debug)]
pub(crate) struct Lines {
    path: PathBuf,
    file: File,
}

/// The bytes of one that is the proxy's own; `None` where there is none.
///
/// # Errors
/// As [`read_own`]; that it is longer than 16 MiB.
pub(crate) fn read_lines(path: &Path) -> io::Result<Option<Vec<u8>>> {
    read_own(path, Others::MayNotWrite, Lines::LONGEST + 1)?.map(not_longer).transpose()
}

/// The same of one that may be somebody else's, for whoever only looks.
///
/// # Errors
/// As [`read`](super::read); that it is longer than 16 MiB.
pub(crate) fn read_any_lines(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match super::read(path, Lines::LONGEST + 1) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.and_then(not_longer).map(Some),
    }
}

fn not_longer(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    match bytes.len() as u64 > Lines::LONGEST {
        true => Err(io::Error::other("it is longer than 16 MiB")),
        false => Ok(bytes),
    }
}

/// Those lines that are whole, each with its number, counted from 1; empty ones are left out. One without an end was being written
/// when the proxy ended, so that nothing rests on it.
pub(crate) fn whole(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or_default();
    let texts = bytes.get(..end).unwrap_or_default().split(|byte| *byte == b'\n');
    (1..).zip(texts).filter(|(_, text)| !text.is_empty())
}

impl Lines {
    /// Bytes of such a file.
    pub(crate) const LONGEST: u64 = 16 << 20;

    /// Writes the file, with this in it; its folder is made where it is missing.
    ///
    /// # Errors
    /// What a step of that gave. Where it was not the last, what was there stays.
    pub(crate) fn begin(path: &Path, text: &str) -> io::Result<Self> {
        super::make_folder_of(path)?;
        let (file, unsure) = put_open(path, MODE, text.as_bytes())?;
        unsure.map_or(Ok(Self { path: path.to_owned(), file }), Err)
    }

    /// Writes the file anew. Lines that are added then go to whichever of the two is there, also behind an error.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(crate) fn write_anew(&mut self, text: &str) -> io::Result<()> {
        let (file, unsure) = put_open(&self.path, MODE, text.as_bytes())?;
        self.file = file;
        unsure.map_or(Ok(()), Err)
    }

    /// Adds lines, each with its end. Whether the next run finds them: what went to a file that lost its name is gone with the process.
    ///
    /// # Errors
    /// What a step of that gave. There may be half a line.
    pub(crate) fn add(&mut self, text: &str) -> io::Result<bool> {
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
        self.are_in_place()
    }

    /// Whether the next run finds this file by its name.
    ///
    /// # Errors
    /// As [`is_in_place`].
    pub(crate) fn are_in_place(&self) -> io::Result<bool> {
        is_in_place(&self.file, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, read_lines, whole};
    use crate::scratch::Scratch;
    use std::fs::{self, OpenOptions};

    #[test]
    fn lines_are_there_for_the_next_and_half_a_line_is_none() {
        let home = Scratch::new();
        let path = home.path().join("state/lines");
        assert_eq!(read_lines(&path).unwrap(), None);
        let mut lines = Lines::begin(&path, "one\n").unwrap();
        assert!(lines.add("\ntwo\nthr").unwrap());
        let bytes = read_lines(&path).unwrap().unwrap();
        assert_eq!(whole(&bytes).collect::<Vec<_>>(), [(1, &b"one"[..]), (3, b"two")]);
        for none in [&b""[..], b"half", b"\n", b"\n\n"] {
            assert_eq!(whole(none).count(), 0);
        }
        lines.write_anew("one\n").unwrap();
        assert!(lines.add("two\n").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
        fs::remove_file(&path).unwrap();
        assert!(!lines.add("three\n").unwrap());
        assert!(!path.exists());
        // It cannot be written anew: what is added goes to where it went.
        fs::create_dir_all(path.join("x")).unwrap();
        lines.write_anew("one\n").unwrap_err();
        assert!(!lines.add("four\n").unwrap());
    }

    #[test]
    fn one_that_is_too_long_is_not_read() {
        let home = Scratch::new();
        let path = home.path().join("lines");
        Lines::begin(&path, "one\n").unwrap();
        let set_length = |length| {
            OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(length)).unwrap()
        };
        set_length(Lines::LONGEST + 1);
        assert_eq!(read_lines(&path).unwrap_err().to_string(), "it is longer than 16 MiB");
        set_length(Lines::LONGEST);
        assert!(read_lines(&path).is_ok());
    }
}

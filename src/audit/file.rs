//! The file of one day, of which every line is whole.

use super::days::Days;
use super::files::{Form, TrailFile};
use super::regular;
use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use time::Date;

/// A day's file, open for appending.
#[derive(Debug)]
pub(super) struct DayFile {
    path: PathBuf,
    file: File,
    days: Days,
    unsynced: bool,
    /// The directory does not yet keep its name.
    is_new: bool,
    /// Bytes of a torn line at the end, after a write that failed and could not be taken back.
    torn: Option<u64>,
}

/// How far a write of several lines came. A line that is only half in the file is not counted.
#[derive(Debug)]
pub(super) struct Written {
    /// Bytes of whole lines that are in the file.
    pub whole: usize,
    /// What stopped it, if anything did.
    pub failure: Option<io::Error>,
}

/// The path of a day's file: `audit-YYYY-MM-DD.jsonl` in the directory, whether or not it is there.
pub(super) fn path_of(directory: &Path, day: Date) -> PathBuf {
    TrailFile::new(directory, day, Form::default()).path
}

/// Makes the directory where it is missing; only its owner and group may look in.
pub(super) fn create_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o750).create(directory)
}

impl DayFile {
    /// Opens the file of this name, which holds records of these days.
    pub(super) fn open(directory: &Path, days: Days) -> io::Result<Self> {
        create_directory(directory)?;
        let path = path_of(directory, days.name);
        let is_new = !path.exists();
        let file = regular::append(&path)?;
        Ok(Self { path, file, days, unsynced: false, is_new, torn: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn days(&self) -> Days {
        self.days
    }

    /// A record of this day is in the file.
    pub(super) fn took(&mut self, day: Date) {
        self.days.took(day);
    }

    /// Whether the open file has a name still. It has none after a deletion, or where another took its place: what is written
    /// then is lost. Cheaper than a look at the [path](Self::in_place).
    pub(super) fn is_linked(&self) -> bool {
        self.file.metadata().is_ok_and(|open| open.nlink() > 0)
    }

    /// Whether the path still leads to the open file; it does not after a deletion, a move or a new mount.
    pub(super) fn in_place(&self) -> bool {
        match (std::fs::metadata(&self.path), self.file.metadata()) {
            (Ok(at_path), Ok(open)) => (at_path.dev(), at_path.ino()) == (open.dev(), open.ino()),
            _ => false,
        }
    }

    /// Appends whole lines, and cuts the file back to the last whole one when the disk takes no more.
    pub(super) fn append(&mut self, lines: &[u8]) -> Written {
        if let Err(error) = self.mend() {
            return Written { whole: 0, failure: Some(error) };
        }
        let (taken, failure) = write_what_fits(&mut self.file, lines);
        self.unsynced |= taken > 0;
        let whole = match failure {
            None => taken,
            Some(_) => lines
                .get(..taken)
                .unwrap_or_default()
                .iter()
                .rposition(|&b| b == b'\n')
                .map_or(0, |at| at + 1),
        };
        if whole < taken {
            self.torn = Some((taken - whole) as u64);
            // Tried again before the next write where it fails now.
            let _ = self.mend();
        }
        Written { whole, failure }
    }

    /// Takes back what a failed write left.
    fn mend(&mut self) -> io::Result<()> {
        if let Some(torn) = self.torn {
            let whole = self.file.metadata()?.len().saturating_sub(torn);
            self.file.set_len(whole)?;
            self.torn = None;
        }
        Ok(())
    }

    /// Waits until the disk keeps what was written; gives whether there was anything.
    pub(super) fn sync(&mut self) -> io::Result<bool> {
        let unsynced = self.unsynced;
        if unsynced {
            self.file.sync_data()?;
            if self.is_new {
                File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
                self.is_new = false;
            }
            self.unsynced = false;
        }
        Ok(unsynced)
    }
}

/// How much of `bytes` was written, and why not the rest.
fn write_what_fits(to: &mut impl Write, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut taken = 0;
    while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
        match to.write(rest) {
            Ok(0) => return (taken, Some(io::ErrorKind::WriteZero.into())),
            Ok(count) => taken += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return (taken, Some(error)),
        }
    }
    (taken, None)
}

#[cfg(test)]
mod tests {
    use super::{DayFile, path_of, write_what_fits};
    use crate::audit::days::Days;
    use crate::scratch::Scratch;
    use std::io::{self, Write};
    use time::macros::date;

    /// Takes so many bytes, three at a time, then has no space left.
    struct Disk(usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.0).min(3);
            self.0 -= count;
            if count == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(count) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn short_writes_go_on_and_a_full_disk_says_how_much_it_took() {
        assert!(matches!(write_what_fits(&mut Disk(100), b"0123456789"), (10, None)));
        let (taken, failure) = write_what_fits(&mut Disk(7), b"0123456789");
        assert_eq!((taken, failure.unwrap().kind()), (7, io::ErrorKind::StorageFull));
    }

    #[test]
    fn what_a_failed_write_left_is_cut_away_before_the_next() {
        let home = Scratch::new();
        let day = date!(2026 - 01 - 02);
        let path = path_of(home.path(), day);
        assert!(path.ends_with("audit-2026-01-02.jsonl"));
        let mut file = DayFile::open(home.path(), Days::new(day)).unwrap();
        assert_eq!(file.append(b"one\n").whole, 4);
        file.file.write_all(b"tw").unwrap();
        file.torn = Some(2);
        assert_eq!(file.append(b"two\n").whole, 4);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_file_moved_away_is_no_longer_in_place() {
        let home = Scratch::new();
        let day = date!(2026 - 01 - 02);
        let file = DayFile::open(home.path(), Days::new(day)).unwrap();
        assert!(file.in_place() && file.is_linked());
        std::fs::rename(path_of(home.path(), day), home.path().join("x")).unwrap();
        assert!(!file.in_place() && file.is_linked(), "what is written is there, elsewhere");
        DayFile::open(home.path(), Days::new(day)).unwrap();
        assert!(!file.in_place());
        std::fs::rename(path_of(home.path(), day), home.path().join("x")).unwrap();
        assert!(!file.is_linked(), "another took its place");
    }
}

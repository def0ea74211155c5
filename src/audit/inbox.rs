//! What lies in the folder `used`: notes of readers, and whatever else those who can write there put in it.
//!
//! Nothing that one of them puts there hides what another does, stops anything, or becomes a record again and again: notes
//! are taken by their owners, so many of each at a look; what is no note is removed and told, gathered, once a minute; what
//! cannot be removed (a folder with something in it) is told once and passed over from then on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Longest note, in bytes.
pub(super) const LONGEST: u64 = 16 * 1024;
/// Notes of one owner that are read at a look; more are counted.
const READ: usize = 20;
/// Notes of one owner that are counted at a look; the rest waits for the next.
const COUNTED: usize = 1000;
/// How long a reader has to finish a note.
const UNFINISHED: Duration = Duration::from_secs(60);
/// Between two records about what is no note.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// Things that stay and are remembered as told; who puts more there is told of again.
const REMEMBERED: usize = 10_000;
/// Of a name that somebody else chose.
const SHOWN: usize = 64;

pub(super) struct Inbox {
    folder: PathBuf,
    /// Device and inode of what is no note and stays.
    known: BTreeSet<(u64, u64)>,
    /// What is no note and has not been told.
    untold: Untold,
    told_at: Option<Instant>,
}

#[derive(Default)]
struct Untold {
    removed: u64,
    stay: u64,
    owners: BTreeSet<u32>,
    first: Option<String>,
}

/// What a look found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By their owners.
    pub notes: BTreeMap<u32, Notes>,
    /// To be told of what is no note.
    pub alert: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Notes {
    pub read: Vec<PathBuf>,
    pub counted: Vec<PathBuf>,
}

impl Inbox {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, known: BTreeSet::new(), untold: Untold::default(), told_at: None }
    }

    /// Looks at everything that is there.
    ///
    /// # Errors
    /// There is no folder, or it cannot be read.
    pub(super) fn look(&mut self) -> io::Result<Found> {
        let mut found = Found::default();
        for entry in fs::read_dir(&self.folder)? {
            let Ok(entry) = entry else { continue };
            // Gone again, if it cannot be looked at.
            let Ok(metadata) = entry.metadata() else { continue };
            let path = entry.path();
            if !is_plain(&metadata) {
                self.discard(&path, &metadata);
            } else if path.as_os_str().as_encoded_bytes().ends_with(b".note") {
                sort(found.notes.entry(metadata.uid()).or_default(), path);
            } else if is_left(&metadata) {
                // A reader ended before its note was whole.
                let _ = fs::remove_file(path);
            }
        }
        found.alert = self.alert();
        Ok(found)
    }

    fn discard(&mut self, path: &Path, metadata: &Metadata) {
        let id = (metadata.dev(), metadata.ino());
        if self.known.contains(&id) {
            return;
        }
        let removed = if metadata.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }.is_ok();
        let untold = &mut self.untold;
        if removed {
            untold.removed = untold.removed.saturating_add(1);
        } else {
            untold.stay = untold.stay.saturating_add(1);
            if self.known.len() < REMEMBERED {
                self.known.insert(id);
            }
        }
        if untold.owners.len() < SHOWN {
            untold.owners.insert(metadata.uid());
        }
        untold.first.get_or_insert_with(|| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.chars().take(SHOWN).collect()
        });
    }

    fn alert(&mut self) -> Option<String> {
        let is_time = self.told_at.is_none_or(|at| at.elapsed() >= TOLD_EVERY);
        let first = self.untold.first.as_ref().filter(|_| is_time)?;
        let Untold { removed, stay, owners, .. } = &self.untold;
        let owners: Vec<String> = owners.iter().map(ToString::to_string).collect();
        let text = format!(
            "{removed} things that are no notes of readers were removed from {}, {stay} cannot be removed and are passed over; \
             of users {}; the first is {first:?}",
            self.folder.display(),
            owners.join(", ")
        );
        (self.untold, self.told_at) = (Untold::default(), Some(Instant::now()));
        Some(text)
    }
}

/// Whether it is a file of its own, of a size that a note has. One with several names may be owned by somebody else than
/// who put it there, and where a link leads was written by nobody who reads.
fn is_plain(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.nlink() == 1 && metadata.len() <= LONGEST
}

/// Whether nothing was done to it for so long; its owner cannot set this time.
fn is_left(metadata: &Metadata) -> bool {
    let changed = u64::try_from(metadata.ctime()).unwrap_or_default();
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(changed);
    SystemTime::now().duration_since(changed).is_ok_and(|age| age > UNFINISHED)
}

fn sort(notes: &mut Notes, path: PathBuf) {
    if notes.read.len() < READ {
        notes.read.push(path);
    } else if notes.counted.len() < COUNTED {
        notes.counted.push(path);
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNTED, Inbox, LONGEST, READ};
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    fn names(folder: &std::path::Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_no_note_is_told_once_and_hides_no_note() {
        let home = tempfile::tempdir().unwrap();
        let (folder, secret) = (home.path().join("used"), home.path().join("secret"));
        fs::create_dir(&folder).unwrap();
        fs::write(&secret, "{}").unwrap();
        fs::create_dir_all(folder.join("0.note/stays")).unwrap();
        fs::create_dir(folder.join("1.note")).unwrap();
        symlink(&secret, folder.join("2.note")).unwrap();
        fs::hard_link(&secret, folder.join("3.note")).unwrap();
        mknodat(CWD, folder.join("4.note"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let _socket = UnixListener::bind(folder.join("5.note")).unwrap();
        fs::File::create(folder.join("6.note")).unwrap().set_len(LONGEST + 1).unwrap();
        fs::File::create(folder.join("7-no-end")).unwrap().set_len(1 << 40).unwrap();
        fs::write(folder.join("8.note"), "{}").unwrap();
        fs::write(folder.join("9-unfinished"), "{").unwrap();
        let mut inbox = Inbox::new(folder.clone());
        let found = inbox.look().unwrap();
        let notes: Vec<_> = found.notes.values().flat_map(|notes| &notes.read).collect();
        assert_eq!(notes, [&folder.join("8.note")]);
        let alert = found.alert.unwrap();
        assert!(alert.starts_with("7 things") && alert.contains(", 1 cannot be removed"), "{alert}");
        assert_eq!(names(&folder), ["0.note", "8.note", "9-unfinished"]);
        assert!(secret.exists());
        let again = inbox.look().unwrap();
        assert_eq!((again.alert, again.notes.len()), (None, 1), "what stays is not told again");
        assert!(inbox.untold.first.is_none(), "nor later");
    }

    #[test]
    fn many_notes_of_one_owner_are_counted_and_bounded_at_a_look() {
        let home = tempfile::tempdir().unwrap();
        for number in 0..READ + COUNTED + 5 {
            fs::write(home.path().join(format!("{number}.note")), "{}").unwrap();
        }
        let found = Inbox::new(home.path().to_owned()).look().unwrap();
        let notes = found.notes.values().next().unwrap();
        assert_eq!((notes.read.len(), notes.counted.len()), (READ, COUNTED));
    }
}

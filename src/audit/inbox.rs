//! What lies in the folder `used`: notes of readers, and whatever else those who can write there put in it.
//!
//! Nothing that one of them puts there hides what another does, stops anything, or becomes a record again and again. Notes
//! are taken by their owners, of each so many a minute, the oldest first, and none while the rest of the disk is kept for
//! other records: more wait for their turn, and beyond that they are removed, counted, and told once a minute. What is no
//! note is removed and told, gathered, once a minute; what cannot be removed (a folder with something in it) is told once
//! and passed over from then on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Longest note, in bytes.
pub(super) const LONGEST: u64 = 16 * 1024;
/// Notes of one owner that are read in a minute.
const READ: usize = 30;
/// Notes of one owner that wait for that, the oldest, and as many that are not finished; more are counted.
const WAIT: usize = 300;
const MINUTE: Duration = Duration::from_secs(60);
/// How long a reader has to finish a note.
const UNFINISHED: Duration = MINUTE;
/// Things that stay and are remembered as told; who puts more there is told of again.
const REMEMBERED: usize = 10_000;
/// Of a name that somebody else chose.
const SHOWN: usize = 64;

pub(super) struct Inbox {
    folder: PathBuf,
    /// Whose notes were read or counted within the last minute.
    owners: HashMap<u32, Owner>,
    /// Device and inode of what is no note and stays.
    known: BTreeSet<(u64, u64)>,
    /// What is no note and has not been told.
    untold: Untold,
    told_at: Option<Instant>,
}

/// What became of one owner's notes in a minute.
#[derive(Debug)]
struct Owner {
    since: Instant,
    read: usize,
    /// Removed without being read, and not told.
    counted: u64,
}

#[derive(Default)]
struct Untold {
    removed: u64,
    stay: u64,
    owners: BTreeSet<u32>,
    first: Option<String>,
}

/// The notes of the inbox whose turn it is, and those that were removed unread.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Notes whose turn it is, by their owners.
    pub notes: BTreeMap<u32, Vec<PathBuf>>,
    /// How many of an owner's were removed unread, where it is time to tell.
    pub counted: BTreeMap<u32, u64>,
    /// To be told of what is no note.
    pub alert: Option<String>,
}

impl Inbox {
    pub(super) fn new(folder: PathBuf) -> Self {
        let (owners, known, untold) = (HashMap::new(), BTreeSet::new(), Untold::default());
        Self { folder, owners, known, untold, told_at: None }
    }

    /// Looks at everything that is there, at a time. Without `room` nothing is to be recorded now, and notes stay.
    ///
    /// # Errors
    /// There is no folder, or it cannot be read.
    pub(super) fn look(&mut self, now: Instant, room: bool) -> io::Result<Found> {
        let mut notes: BTreeMap<u32, BTreeSet<PathBuf>> = BTreeMap::new();
        let mut unfinished: BTreeMap<u32, usize> = BTreeMap::new();
        for entry in fs::read_dir(&self.folder)? {
            let Ok(entry) = entry else { continue };
            // Gone again, if it cannot be looked at.
            let Ok(metadata) = entry.metadata() else { continue };
            let (path, owner) = (entry.path(), metadata.uid());
            if !is_plain(&metadata) {
                self.discard(&path, &metadata);
            } else if path.as_os_str().as_encoded_bytes().ends_with(b".note") {
                let waiting = notes.entry(owner).or_default();
                waiting.insert(path);
                // Their names begin with the time: the oldest stay.
                let more = if waiting.len() > WAIT { waiting.pop_last() } else { None };
                more.iter().for_each(|path| self.owner(owner, now).count(path));
            } else if is_left(&metadata) {
                // A reader ended before its note was whole.
                let _ = fs::remove_file(path);
            } else {
                let unfinished = unfinished.entry(owner).or_default();
                *unfinished = unfinished.saturating_add(1);
                if *unfinished > WAIT {
                    self.owner(owner, now).count(&path);
                }
            }
        }
        match room {
            true => Ok(self.take(notes, now)),
            false => Ok(Found::default()),
        }
    }

    fn owner(&mut self, owner: u32, now: Instant) -> &mut Owner {
        self.owners.entry(owner).or_insert(Owner { since: now, read: 0, counted: 0 })
    }

    /// What is to be recorded now.
    fn take(&mut self, notes: BTreeMap<u32, BTreeSet<PathBuf>>, now: Instant) -> Found {
        let over = self.owners.extract_if(|_, owner| now.duration_since(owner.since) >= MINUTE);
        let counted =
            over.map(|(id, owner)| (id, owner.counted)).filter(|(_, counted)| *counted > 0).collect();
        let turn = |(id, paths): (u32, BTreeSet<PathBuf>)| {
            let owner = self.owner(id, now);
            let paths: Vec<PathBuf> = paths.into_iter().take(READ.saturating_sub(owner.read)).collect();
            owner.read = owner.read.saturating_add(paths.len());
            (id, paths)
        };
        let notes = notes.into_iter().map(turn).filter(|(_, paths)| !paths.is_empty()).collect();
        Found { notes, counted, alert: self.alert(now) }
    }

    /// What was to be told could not be recorded: it is told later.
    pub(super) fn untold(&mut self, owner: u32, counted: u64, now: Instant) {
        let owner = self.owner(owner, now);
        owner.counted = owner.counted.saturating_add(counted);
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

    fn alert(&mut self, now: Instant) -> Option<String> {
        let is_time = self.told_at.is_none_or(|at| now.duration_since(at) >= MINUTE);
        let first = self.untold.first.as_ref().filter(|_| is_time)?;
        let Untold { removed, stay, owners, .. } = &self.untold;
        let owners: Vec<String> = owners.iter().map(ToString::to_string).collect();
        let text = format!(
            "{removed} things that are no notes of readers were removed from {}, {stay} cannot be removed and are passed over; \
             of users {}; the first is {first:?}",
            self.folder.display(),
            owners.join(", ")
        );
        (self.untold, self.told_at) = (Untold::default(), Some(now));
        Some(text)
    }
}

impl Owner {
    /// Removes a note that is more than may wait.
    fn count(&mut self, path: &Path) {
        let removed = fs::remove_file(path).is_ok();
        self.counted = self.counted.saturating_add(u64::from(removed));
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

#[cfg(test)]
mod tests {
    use super::{Inbox, LONGEST, MINUTE, READ, WAIT};
    use crate::audit::regular::tests::pipe;
    use crate::scratch::Scratch;
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::time::{Duration, Instant};

    fn names(folder: &std::path::Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_no_note_is_told_once_and_hides_no_note() {
        let home = Scratch::new();
        let (folder, secret) = (home.path().join("used"), home.path().join("secret"));
        fs::create_dir(&folder).unwrap();
        fs::write(&secret, "{}").unwrap();
        fs::create_dir_all(folder.join("0.note/stays")).unwrap();
        fs::create_dir(folder.join("1.note")).unwrap();
        symlink(&secret, folder.join("2.note")).unwrap();
        fs::hard_link(&secret, folder.join("3.note")).unwrap();
        pipe(&folder.join("4.note"));
        let _socket = UnixListener::bind(folder.join("5.note")).unwrap();
        fs::File::create(folder.join("6.note")).unwrap().set_len(LONGEST + 1).unwrap();
        fs::File::create(folder.join("7-no-end")).unwrap().set_len(1 << 40).unwrap();
        fs::write(folder.join("8.note"), "{}").unwrap();
        fs::write(folder.join("9-unfinished"), "{").unwrap();
        let mut inbox = Inbox::new(folder.clone());
        let now = Instant::now();
        let found = inbox.look(now, true).unwrap();
        let notes: Vec<_> = found.notes.values().flatten().collect();
        assert_eq!(notes, [&folder.join("8.note")]);
        let alert = found.alert.unwrap();
        assert!(alert.starts_with("7 things") && alert.contains(", 1 cannot be removed"), "{alert}");
        assert_eq!(names(&folder), ["0.note", "8.note", "9-unfinished"]);
        assert!(secret.exists());
        let again = inbox.look(now, true).unwrap();
        assert_eq!((again.alert, again.notes.len()), (None, 1), "what stays is not told again");
        assert!(inbox.untold.first.is_none(), "nor later");
    }

    fn leave(folder: &Path, numbers: std::ops::Range<usize>) {
        numbers.for_each(|number| fs::write(folder.join(format!("{number:06}.note")), "{}").unwrap());
    }

    /// How many notes a look takes, which then go, and how many it tells of as counted.
    fn taken(inbox: &mut Inbox, at: Instant) -> (usize, u64) {
        let found = inbox.look(at, true).unwrap();
        found.notes.values().flatten().for_each(|path| fs::remove_file(path).unwrap());
        (found.notes.values().map(Vec::len).sum(), found.counted.values().sum())
    }

    #[test]
    fn an_owner_has_so_many_notes_a_minute_and_what_cannot_wait_is_counted() {
        let home = Scratch::new();
        let (mut inbox, start) = (Inbox::new(home.path().to_owned()), Instant::now());
        let second = |seconds| start + Duration::from_secs(seconds);
        leave(home.path(), 0..READ + 1);
        assert_eq!(taken(&mut inbox, start), (READ, 0));
        assert_eq!(names(home.path()), [format!("{READ:06}.note")], "the oldest come first");
        assert_eq!(taken(&mut inbox, second(59)), (0, 0));
        assert_eq!(taken(&mut inbox, second(60)), (1, 0), "it waited for its turn");
        leave(home.path(), 0..1_000);
        assert_eq!(taken(&mut inbox, second(61)), (READ - 1, 0));
        leave(home.path(), 1_000..2_000);
        assert_eq!(taken(&mut inbox, second(62)), (0, 0));
        assert_eq!(names(home.path()).len(), WAIT, "no more are kept");
        let counted = (2_000 - WAIT - (READ - 1)) as u64;
        assert_eq!(taken(&mut inbox, second(120)), (READ, counted), "in one record");
        inbox.untold(7, counted, second(120));
        assert_eq!(
            taken(&mut inbox, second(180)),
            (READ, counted),
            "told again where it could not be recorded"
        );
        let minutes = (WAIT - 2 * READ) / READ;
        let all: usize =
            (1..=minutes).map(|minute| taken(&mut inbox, second(180) + MINUTE * minute as u32).0).sum();
        assert_eq!((all, names(home.path()).len()), (WAIT - 2 * READ, 0));
    }

    #[test]
    fn the_oldest_wait_and_what_is_beyond_them_goes_whatever_the_order_of_the_folder_is() {
        let home = Scratch::new();
        let (mut inbox, now) = (Inbox::new(home.path().to_owned()), Instant::now());
        // The newest were put there first.
        leave(home.path(), 500..1_000);
        leave(home.path(), 0..500);
        let expected: Vec<String> = (0..WAIT).map(|number| format!("{number:06}.note")).collect();
        let found = inbox.look(now, true).unwrap();
        assert_eq!(names(home.path()), expected);
        let taken: Vec<_> = found.notes.values().flatten().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(taken, expected.iter().take(READ).map(OsStr::new).collect::<Vec<_>>());
    }

    #[test]
    fn notes_that_are_never_finished_fill_nothing() {
        let home = Scratch::new();
        let (mut inbox, now) = (Inbox::new(home.path().to_owned()), Instant::now());
        (0..WAIT + 40).for_each(|number| fs::write(home.path().join(format!("{number}-1")), "{").unwrap());
        leave(home.path(), 0..1);
        assert_eq!(taken(&mut inbox, now), (1, 0), "they hide no note");
        assert_eq!(names(home.path()).len(), WAIT);
        assert_eq!(taken(&mut inbox, now + MINUTE), (0, 40), "and are told");
    }

    #[test]
    fn without_room_notes_stay_and_nothing_is_told() {
        let home = Scratch::new();
        let (mut inbox, now) = (Inbox::new(home.path().to_owned()), Instant::now());
        leave(home.path(), 0..WAIT + 9);
        fs::create_dir(home.path().join("x.note")).unwrap();
        for at in [now, now + MINUTE] {
            let found = inbox.look(at, false).unwrap();
            assert!(found.notes.is_empty() && found.counted.is_empty() && found.alert.is_none(), "{found:?}");
        }
        let found = inbox.look(now + MINUTE, true).unwrap();
        assert_eq!(
            (found.counted.values().sum::<u64>(), found.notes.values().map(Vec::len).sum::<usize>()),
            (9, READ)
        );
        assert!(found.alert.is_some());
    }
}

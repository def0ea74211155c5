//! Which tokens were taken: a `jti` is, once.
//!
//! It is on the disk before anybody is let in with it, so that a restart takes no token twice. A line is added for each and kept
//! by the disk. Whatever is there was taken, also where its token has ended: a clock that is ahead can be set right, and `leeway`
//! can be raised. Those that ended more than a day ago go when the file is written anew, and others that have ended only where
//! there is no room. What is there is no secret: hashes, and when each ends.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use super::issuer::MOST_LEEWAY;
use super::refused::Refused;
use crate::files::{self, full};
use crate::notation::hex;

/// In the folder that keeps what outlives a restart.
const NAME: &str = "tokens";
/// Tokens: some 8 MB of memory.
const MOST: usize = 100_000;
/// Seconds for which those that have ended are kept, where there is room.
const DAY: i64 = 86_400;
/// Lines that may be in the file for nothing.
const SPARE: usize = 10_000;
/// Bytes of the file.
const LARGEST: u64 = 16 << 20;
/// Bytes of a hash.
const HASH: usize = 32;

type Hash = [u8; HASH];

/// By what a token is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    hash: Hash,
    /// When it has ended with any leeway, in seconds since 1970.
    until: i64,
}

impl Once {
    /// Of a token that ends at this time, without leeway.
    pub(super) fn new(hash: &[u8], ended: OffsetDateTime) -> Self {
        let leeway = i64::try_from(MOST_LEEWAY.as_secs()).unwrap_or(i64::MAX);
        let mut own = [0; HASH];
        own.iter_mut().zip(hash).for_each(|(own, byte)| *own = *byte);
        Self { hash: own, until: ended.unix_timestamp().saturating_add(leeway).saturating_add(1) }
    }
}

/// The tokens that were taken.
#[derive(Debug)]
pub struct Taken {
    file: PathBuf,
    open: Mutex<Option<Open>>,
    most: usize,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// In the file, those of ended tokens too.
    lines: usize,
    until: HashMap<Hash, i64>,
}

impl Taken {
    /// Those that are kept in a folder, which is made with the first one. Nothing is read yet.
    pub fn in_folder(folder: &Path) -> Self {
        Self { file: folder.join(NAME), open: Mutex::default(), most: MOST }
    }

    /// Takes one. It is on the disk behind this, and waits for that: not for a thread of the runtime.
    ///
    /// # Errors
    /// [`Refused::Used`]; [`Refused::Unavailable`], where it cannot be known, or as many are taken as are kept.
    pub fn take(&self, once: &Once, now: OffsetDateTime) -> Result<(), Refused> {
        let now = now.unix_timestamp();
        let mut open = self.open();
        let mut kept = match open.take() {
            Some(kept) => kept,
            None => self.begin(now)?,
        };
        if kept.is_taken(once) {
            *open = Some(kept);
            return Err(Refused::Used);
        }
        if kept.until.len() >= self.most {
            kept.until.retain(|_, end| *end > now);
        }
        if kept.until.len() >= self.most {
            *open = Some(kept);
            return Err(Refused::Unavailable(format!(
                "{} tokens are taken, and none of them has ended",
                self.most
            )));
        }
        if kept.lines >= self.most + SPARE {
            kept = self.write_anew(kept.until, now)?;
        }
        // Where this fails the file is read again by the next: it may have half a line.
        kept.add(once).map_err(|error| self.failed("written", &error))?;
        *open = Some(kept);
        Ok(())
    }

    /// Whether one was taken, by what the file says now.
    ///
    /// # Errors
    /// [`Refused::Unavailable`], where it cannot be read.
    pub fn has(&self, once: &Once) -> Result<bool, Refused> {
        Ok(self.read()?.contains_key(&once.hash))
    }

    fn begin(&self, now: i64) -> Result<Open, Refused> {
        files::make_folder_of(&self.file).map_err(|error| self.failed("made", &error))?;
        self.write_anew(self.read()?, now)
    }

    fn read(&self) -> Result<HashMap<Hash, i64>, Refused> {
        let bytes = match files::read(&self.file, LARGEST + 1) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
            read => read.map_err(|error| self.failed("read", &error))?,
        };
        if bytes.len() as u64 > LARGEST {
            return Err(self.failed("read", &io::Error::other("it is longer than 16 MiB")));
        }
        // Of what is behind the last newline nobody was told: the proxy ended while it wrote that.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut until = HashMap::new();
        for (number, text) in (1..).zip(bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n')) {
            if text.is_empty() {
                continue;
            }
            let (hash, end) = line(text).ok_or_else(|| self.bad(number))?;
            until.insert(hash, end);
        }
        Ok(until)
    }

    /// Without those that ended more than a day ago.
    fn write_anew(&self, mut until: HashMap<Hash, i64>, now: i64) -> Result<Open, Refused> {
        until.retain(|_, end| *end > now.saturating_sub(DAY));
        let text: String = until.iter().map(|(hash, end)| text(hash, *end)).collect();
        let opened = files::put(&self.file, 0o600, text.as_bytes())
            .and_then(|()| files::open_with(&self.file, OpenOptions::new().append(true).mode(0o600)));
        let file = opened.map_err(|error| self.failed("written", &error))?;
        Ok(Open { file, lines: until.len(), until })
    }

    fn failed(&self, doing: &str, error: &io::Error) -> Refused {
        let file = full(&self.file);
        Refused::Unavailable(format!("{file}, which says which tokens were used, cannot be {doing}: {error}"))
    }

    fn bad(&self, line: usize) -> Refused {
        let file = full(&self.file);
        Refused::Unavailable(format!(
            "{file}:{line} does not say which token was used; remove the file once every token of before has ended"
        ))
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Whatever the time: a clock that is ahead does not make a token new.
    fn is_taken(&self, once: &Once) -> bool {
        self.until.contains_key(&once.hash)
    }

    fn add(&mut self, once: &Once) -> io::Result<()> {
        self.file.write_all(text(&once.hash, once.until).as_bytes())?;
        self.file.sync_data()?;
        self.lines += 1;
        self.until.insert(once.hash, once.until);
        Ok(())
    }
}

/// Such as `1767225600 5feceb66…`.
fn text(hash: &Hash, until: i64) -> String {
    format!("{until} {}\n", hex::encode(hash))
}

fn line(text: &[u8]) -> Option<(Hash, i64)> {
    let (until, hash) = std::str::from_utf8(text).ok()?.split_once(' ')?;
    let (pairs, []) = hash.as_bytes().as_chunks::<2>() else { return None };
    let bytes = pairs.iter().map(|[high, low]| Some(hex::nibble(*high)? << 4 | hex::nibble(*low)?));
    let own = bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()?;
    Some((own, until.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Once, Taken};
    use crate::scratch::Scratch;
    use crate::tokens::Refused;
    use std::fs;
    use time::macros::datetime;
    use time::{Duration, OffsetDateTime};

    const NOW: OffsetDateTime = datetime!(2026-12-01 00:00 UTC);

    fn once(number: u8, minutes: i64) -> Once {
        Once::new(&[number; 32], NOW + Duration::minutes(minutes))
    }

    #[test]
    fn a_token_is_taken_once_also_by_the_next_run_and_goes_a_day_after_its_end() {
        let home = Scratch::new();
        let state = home.path().join("state");
        let taken = Taken::in_folder(&state);
        assert_eq!(taken.has(&once(1, 5)), Ok(false));
        taken.take(&once(1, 5), NOW).unwrap();
        taken.take(&once(2, 50), NOW).unwrap();
        assert_eq!(taken.take(&once(1, 5), NOW), Err(Refused::Used));
        let next = Taken::in_folder(&state);
        assert_eq!(next.has(&once(1, 5)), Ok(true));
        assert_eq!(next.take(&once(1, 5), NOW), Err(Refused::Used));
        next.take(&once(3, 5), NOW).unwrap();
        // The proxy ended in the midst of a line.
        let file = state.join("tokens");
        let torn = [fs::read(&file).unwrap(), b"17672256".to_vec()].concat();
        fs::write(&file, torn).unwrap();
        let later = Taken::in_folder(&state);
        // With any leeway the first and the third have ended a quarter of an hour after the beginning.
        let day_after = NOW + Duration::days(1) + Duration::minutes(30);
        later.take(&once(4, 50), day_after).unwrap();
        assert_eq!(later.take(&once(2, 50), day_after), Err(Refused::Used));
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 2, "those that ended more than a day ago are gone: {text}");
    }

    #[test]
    fn a_clock_that_is_ahead_and_set_right_makes_no_token_new() {
        let home = Scratch::new();
        let token = once(1, 5);
        let taken = Taken::in_folder(home.path());
        taken.take(&token, NOW).unwrap();
        let ahead = NOW + Duration::days(1);
        assert_eq!(taken.take(&token, ahead), Err(Refused::Used));
        let next = Taken::in_folder(home.path());
        next.take(&once(2, 9), ahead).unwrap();
        assert_eq!((next.has(&token), next.take(&token, ahead)), (Ok(true), Err(Refused::Used)));
        for run in [next, Taken::in_folder(home.path())] {
            assert_eq!((run.take(&token, NOW), run.has(&token)), (Err(Refused::Used), Ok(true)));
        }
    }

    #[test]
    fn nothing_is_taken_where_it_cannot_be_kept_or_known() {
        let home = Scratch::new();
        let file = home.path().join("tokens");
        for (text, why) in
            [("x\n", "tokens:1 does not say"), ("1 00\n", "tokens:1"), ("\n\n9 é\n", "tokens:3")]
        {
            fs::write(&file, text).unwrap();
            let refused = Taken::in_folder(home.path()).take(&once(1, 5), NOW).unwrap_err();
            assert!(refused.to_string().contains(why), "{refused}");
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let taken = Taken::in_folder(home.path());
        let refused = taken.take(&once(1, 5), NOW).unwrap_err();
        assert!(matches!(refused, Refused::Unavailable(_)), "{refused}");
        fs::remove_dir(&file).unwrap();
        taken.take(&once(1, 5), NOW).unwrap();
    }

    #[test]
    fn as_many_are_kept_as_there_is_room_for_and_none_of_them_makes_room() {
        let home = Scratch::new();
        let taken = Taken { most: 3, ..Taken::in_folder(home.path()) };
        for number in 1..=3 {
            taken.take(&once(number, i64::from(number)), NOW).unwrap();
        }
        let full = taken.take(&once(4, 9), NOW).unwrap_err();
        assert!(full.to_string().contains("3 tokens are taken"), "{full}");
        assert_eq!(taken.take(&once(3, 3), NOW), Err(Refused::Used));
        // The first has ended, with the most of leeway; the others have not.
        let later = NOW + Duration::minutes(12);
        taken.take(&once(4, 9), later).unwrap();
        assert_eq!(taken.take(&once(3, 3), later), Err(Refused::Used));
    }
}

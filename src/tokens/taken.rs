//! Which tokens were taken: a `jti` is, once.
//!
//! It is on the disk before anybody is let in with it, so that a restart takes no token twice. A line is added for each and kept
//! by the disk. Whatever is there was taken, also where its token has ended: a clock that is ahead can be set right, and `leeway`
//! can be raised. Those that ended more than a day ago go when the file is written anew, and others that have ended only where
//! there is no room. What is there is no secret: hashes, and when each ends.
//!
//! While the process runs, its memory counts and not the file: one that is removed, or that another takes the place of, is written
//! again with all of them.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use super::issuer::MOST_LEEWAY;
use super::refused::Refused;
use crate::files::{Lines, full, read_any_lines, read_lines, whole};
use crate::notation::hex;

/// In the folder that keeps what outlives a restart.
const NAME: &str = "tokens";
/// Tokens: some 8 MB of memory.
const MOST: usize = 100_000;
/// Seconds for which those that have ended are kept, where there is room.
const DAY: i64 = 86_400;
/// Lines that may be in the file for nothing.
const SPARE: usize = 10_000;
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
    /// `None` until the first token.
    known: Mutex<Option<Known>>,
    most: usize,
}

#[derive(Debug)]
struct Known {
    /// The file that has all of them. `None`: none does for sure, and it has to be written.
    lines: Option<Lines>,
    /// In the file, those of ended tokens too.
    count: usize,
    until: HashMap<Hash, i64>,
}

impl Taken {
    /// Those that are kept in a folder, which is made with the first one. Nothing is read yet.
    pub fn in_folder(folder: &Path) -> Self {
        Self { file: folder.join(NAME), known: Mutex::default(), most: MOST }
    }

    /// Takes one. It is on the disk behind this, and waits for that: not for a thread of the runtime.
    ///
    /// # Errors
    /// [`Refused::Used`]; [`Refused::Unavailable`], where it cannot be known, or as many are taken as are kept.
    pub fn take(&self, once: &Once, now: OffsetDateTime) -> Result<(), Refused> {
        let now = now.unix_timestamp();
        let mut slot = self.known();
        let known = match slot.as_mut() {
            Some(known) => known,
            None => slot.insert(self.begin()?),
        };
        // Whatever the time: a clock that is ahead does not make a token new.
        if known.until.contains_key(&once.hash) {
            return Err(Refused::Used);
        }
        self.make_room(known, now)?;
        self.keep(known, once, now)
    }

    /// Whether one was taken, by what the file says now.
    ///
    /// # Errors
    /// [`Refused::Unavailable`], where it cannot be read.
    pub fn has(&self, once: &Once) -> Result<bool, Refused> {
        let bytes = read_any_lines(&self.file).map_err(|error| self.failed("read", &error))?;
        Ok(self.parsed(&bytes.unwrap_or_default())?.contains_key(&once.hash))
    }

    /// What the run before has left, where nobody else could have written it.
    fn begin(&self) -> Result<Known, Refused> {
        let bytes = read_lines(&self.file).map_err(|error| self.failed("read", &error))?;
        let until = self.parsed(&bytes.unwrap_or_default())?;
        Ok(Known { lines: None, count: 0, until })
    }

    fn parsed(&self, bytes: &[u8]) -> Result<HashMap<Hash, i64>, Refused> {
        whole(bytes).map(|(number, text)| line(text).ok_or_else(|| self.bad(number))).collect()
    }

    fn make_room(&self, known: &mut Known, now: i64) -> Result<(), Refused> {
        if known.until.len() >= self.most {
            known.until.retain(|_, end| *end > now);
        }
        if known.until.len() < self.most {
            return Ok(());
        }
        Err(Refused::Unavailable(format!("{} tokens are taken, and none of them has ended", self.most)))
    }

    /// Writes it down, and knows it only then: nobody is let in otherwise.
    fn keep(&self, known: &mut Known, once: &Once, now: i64) -> Result<(), Refused> {
        let added = text(&once.hash, once.until);
        let is_kept = match known.lines.as_mut().filter(|_| known.count < self.most + SPARE) {
            Some(lines) => lines.add(&added),
            None => Ok(false),
        };
        match is_kept {
            Ok(true) => known.count += 1,
            Ok(false) => self.write_anew(known, &added, now)?,
            Err(error) => {
                // There may be half a line.
                known.lines = None;
                return Err(self.failed("written", &error));
            }
        }
        known.until.insert(once.hash, once.until);
        Ok(())
    }

    /// With one more, and without those that ended more than a day ago.
    fn write_anew(&self, known: &mut Known, added: &str, now: i64) -> Result<(), Refused> {
        known.lines = None;
        known.until.retain(|_, end| *end > now.saturating_sub(DAY));
        let text: String = known.until.iter().map(|(hash, end)| text(hash, *end)).collect();
        let lines = Lines::begin(&self.file, &(text + added));
        known.lines = Some(lines.map_err(|error| self.failed("written", &error))?);
        known.count = known.until.len() + 1;
        Ok(())
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

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Such as `1767225600 5feceb66…`.
fn text(hash: &Hash, until: i64) -> String {
    format!("{until} {}\n", hex::encode(hash))
}

fn line(text: &[u8]) -> Option<(Hash, i64)> {
    let (until, hash) = std::str::from_utf8(text).ok()?.split_once(' ')?;
    Some((hex::decode(hash.as_bytes())?, until.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Once, Taken};
    use crate::scratch::Scratch;
    use crate::tokens::Refused;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
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

    #[test]
    fn a_file_that_others_could_have_written_lets_no_token_be_taken() {
        let home = Scratch::new();
        let file = home.path().join("tokens");
        Taken::in_folder(home.path()).take(&once(1, 5), NOW).unwrap();
        for mode in [0o620, 0o602] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let taken = Taken::in_folder(home.path());
            let refused = taken.take(&once(2, 5), NOW).unwrap_err();
            assert!(refused.to_string().contains("or others may write it"), "{mode:o}: {refused}");
            fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
            assert_eq!(taken.take(&once(1, 5), NOW), Err(Refused::Used), "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_is_removed_or_replaced_while_it_is_in_use_is_written_again_with_all() {
        let home = Scratch::new();
        let state = home.path().join("state");
        let file = state.join("tokens");
        let taken = Taken::in_folder(&state);
        taken.take(&once(1, 5), NOW).unwrap();
        let earlier = fs::read(&file).unwrap();
        taken.take(&once(2, 5), NOW).unwrap();
        let put_back = |number: u8| match number {
            3 => fs::remove_file(&file).unwrap(),
            4 => {
                fs::write(home.path().join("copy"), &earlier).unwrap();
                fs::rename(home.path().join("copy"), &file).unwrap();
            }
            _ => fs::remove_dir_all(&state).unwrap(),
        };
        for number in 3..=5 {
            put_back(number);
            assert_eq!(taken.take(&once(2, 5), NOW), Err(Refused::Used));
            taken.take(&once(number, 5), NOW).unwrap();
            let next = Taken::in_folder(&state);
            let known = (1..=number).map(|before| next.take(&once(before, 5), NOW));
            assert!(known.into_iter().all(|told| told == Err(Refused::Used)), "{number}");
        }
    }

    #[test]
    fn a_token_that_could_not_be_kept_is_not_taken_and_those_before_are() {
        let home = Scratch::new();
        let file = home.path().join("tokens");
        let taken = Taken::in_folder(home.path());
        taken.take(&once(1, 5), NOW).unwrap();
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        for _ in 0..2 {
            let refused = taken.take(&once(2, 5), NOW).unwrap_err();
            assert!(
                matches!(&refused, Refused::Unavailable(why) if why.contains("cannot be written")),
                "{refused}"
            );
        }
        fs::remove_dir(&file).unwrap();
        taken.take(&once(2, 5), NOW).unwrap();
        let next = Taken::in_folder(home.path());
        assert_eq!(
            [1, 2].map(|number| next.take(&once(number, 5), NOW)),
            [Err(Refused::Used), Err(Refused::Used)]
        );
    }
}

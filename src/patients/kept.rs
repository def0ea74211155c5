//! The two files of it: `patients` has a line for each patient whom a name saw on a day, and `patients.key` what the hashes in
//! it are made with.
//!
//! A line is kept by the disk before its patient is shown. The file is written anew with the first patient of a later day, without what is
//! older than the day before that: a clock that was a little ahead can be set right.
//!
//! While the process runs, its memory counts. A file that is removed, or that another takes the place of, is not written again by itself:
//! whoever wants to begin anew says so by a restart. Nobody is shown until it is back.
//!
//! Its first line says by which key, and is there from the beginning, before the key is: a key without it tells that lines are lost.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::{hmac, rand};
use time::Date;
use time::format_description::well_known::Iso8601;

use super::patient::{Name, Patient};
use super::seen::NotTaken;
use crate::files::{self, Lines, Others, full, read_lines, read_own, whole};
use crate::notation::hex;

/// In the folder that keeps what outlives a restart.
const NAME: &str = "patients";
const KEY: &str = "patients.key";
/// Bytes of a key.
const LENGTH: usize = 32;
/// Lines that may be in the file for nothing.
const SPARE: usize = 10_000;
/// Bytes of a hash that are kept: two patients of a list never have the same, and that is all it is for.
const HASH: usize = 16;

type Hash = [u8; HASH];

/// Whom each list has on each day.
type AllSeen = HashMap<(Date, List), HashSet<Hash>>;

/// The list of one name: the keyed hash of the name, so that the file names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct List(Hash);

/// A patient on a list, on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Line {
    day: Date,
    list: List,
    patient: Hash,
}

/// Where the lists and the key of their hashes are on the disk.
#[derive(Debug)]
pub(super) struct Place {
    file: PathBuf,
    key: PathBuf,
}

/// The file that is open for appending, with the key of its hashes.
#[derive(Debug)]
pub(super) struct Kept {
    key: hmac::Key,
    file: Lines,
    /// There may be half a line in the file, or more than one that counts for nobody.
    is_torn: bool,
    /// In the file, those of old days too.
    lines: usize,
    /// The latest day on which it was written anew.
    day: Date,
    seen: AllSeen,
}

impl Place {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { file: folder.join(NAME), key: folder.join(KEY) }
    }

    fn failed(&self, doing: &str, error: &io::Error) -> NotTaken {
        let file = full(&self.file);
        NotTaken::Unavailable(format!(
            "{file}, which says who saw how many patients, cannot be {doing}: {error}"
        ))
    }

    fn bad(&self, line: usize) -> NotTaken {
        let file = full(&self.file);
        NotTaken::Unavailable(format!("{file}:{line} does not say who saw a patient. {}", self.anew()))
    }

    fn gone(&self) -> NotTaken {
        let (file, key) = (full(&self.file), full(&self.key));
        NotTaken::Unavailable(format!(
            "{file}, which says who saw how many patients, is gone or empty, and {key} is there. Bring it back, or begin anew. {}",
            self.anew()
        ))
    }

    fn of_another_key(&self) -> NotTaken {
        let (file, key) = (full(&self.file), full(&self.key));
        NotTaken::Unavailable(format!(
            "{file} was made with another key than {key}. Bring that key back, or begin anew. {}",
            self.anew()
        ))
    }

    /// What is always left to do. One of the two alone would be a loss that nobody meant.
    fn anew(&self) -> String {
        let (file, key) = (full(&self.file), full(&self.key));
        format!(
            "To begin anew, stop dimsegate and remove both {file} and {key}: what was seen today is then forgotten"
        )
    }

    fn replaced(&self) -> NotTaken {
        let file = full(&self.file);
        NotTaken::Unavailable(format!(
            "another file has taken the place of {file}, which says who saw how many patients. Bring the one back that was there, or \
             restart dimsegate, which then goes by the one that is there"
        ))
    }

    /// The first line of the file, which says by which key, and the others; `None` where it is missing or empty.
    fn read(&self) -> Result<Option<(String, Vec<Line>)>, NotTaken> {
        let bytes = read_lines(&self.file).map_err(|error| self.failed("read", &error))?;
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        let mut filled = whole(&bytes);
        let (number, mark) = filled.next().ok_or_else(|| self.bad(1))?;
        if !mark.starts_with(b"key ") {
            return Err(self.bad(number));
        }
        let lines = filled.map(|(number, text)| Line::read(text).ok_or_else(|| self.bad(number)));
        Ok(Some((String::from_utf8_lossy(mark).into_owned(), lines.collect::<Result<_, _>>()?)))
    }

    fn key_failed(&self, doing: &str, error: &dyn std::fmt::Display) -> NotTaken {
        let path = full(&self.key);
        NotTaken::Unavailable(format!("{path}, the key of who saw whom, cannot be {doing}: {error}"))
    }

    /// The key that is there. Whoever could read it could try who it is that a hash stands for.
    fn key(&self) -> Result<Option<hmac::Key>, NotTaken> {
        let read = read_own(&self.key, Others::MayDoNothing, LENGTH as u64 + 1);
        let Some(bytes) = read.map_err(|error| self.key_failed("read", &error))? else { return Ok(None) };
        if bytes.len() != LENGTH {
            let problem = format!("it is not {LENGTH} bytes long. {}", self.anew());
            return Err(self.key_failed("read", &problem));
        }
        Ok(Some(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The first of all. Its file is there before it: one that has no patients tells nothing that could be lost, should the
    /// proxy end in between.
    fn begin(&self, today: Date) -> Result<Kept, NotTaken> {
        let mut made = [0; LENGTH];
        rand::fill(&mut made).map_err(|error| self.key_failed("made", &error))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &made);
        let kept = Kept::begun(self, key, AllSeen::new(), today)?;
        files::put(&self.key, 0o600, &made).map_err(|error| self.key_failed("written", &error))?;
        Ok(kept)
    }
}

impl Kept {
    /// Reads what is there, and begins where nothing was.
    pub(super) fn open(place: &Place, today: Date) -> Result<Self, NotTaken> {
        let (mark, lines, key) = match (place.read()?, place.key()?) {
            (None, None) => return place.begin(today),
            (None, Some(_)) => return Err(place.gone()),
            (Some((_, lines)), None) if lines.is_empty() => return place.begin(today),
            (Some(_), None) => return Err(place.key_failed("read", &format!("it is gone. {}", place.anew()))),
            (Some((mark, lines)), Some(key)) => (mark, lines, key),
        };
        if mark != mark_of(&key) {
            return Err(place.of_another_key());
        }
        let mut seen = AllSeen::new();
        for Line { day, list, patient } in lines {
            seen.entry((day, list)).or_default().insert(patient);
        }
        Self::begun(place, key, since(seen, today), today)
    }

    fn begun(place: &Place, key: hmac::Key, seen: AllSeen, today: Date) -> Result<Self, NotTaken> {
        let file = Lines::begin(&place.file, &text(&key, &seen));
        let file = file.map_err(|error| place.failed("written", &error))?;
        let lines = seen.values().map(HashSet::len).sum();
        Ok(Self { key, file, is_torn: false, lines, day: today, seen })
    }

    /// Whether a day has begun since, or there is much in the file for nothing, or what nobody can read.
    fn has_to_be_written_anew(&self, today: Date, most: usize) -> bool {
        self.is_torn || today > self.day || self.lines >= most + SPARE
    }

    /// Writes the file anew where it has to be, with room for so many.
    pub(super) fn make_ready(&mut self, place: &Place, today: Date, most: usize) -> Result<(), NotTaken> {
        if !self.has_to_be_written_anew(today, most) {
            return Ok(());
        }
        self.seen = since(std::mem::take(&mut self.seen), today);
        self.is_torn = true;
        self.file
            .write_anew(&text(&self.key, &self.seen))
            .map_err(|error| place.failed("written", &error))?;
        (self.day, self.is_torn, self.lines) = (today, false, self.count());
        Ok(())
    }

    /// Keeps more of them. They are in memory only once the disk has them.
    pub(super) fn add(&mut self, place: &Place, fresh: &[Line]) -> Result<(), NotTaken> {
        if fresh.is_empty() {
            return Ok(());
        }
        let text: String = fresh.iter().map(Line::text).collect();
        self.is_torn = true;
        let is_kept = self.file.add(&text).map_err(|error| place.failed("written", &error))?;
        if !is_kept {
            return self.is_in_place(place).and(Err(place.replaced()));
        }
        self.is_torn = false;
        self.lines += fresh.len();
        for Line { day, list, patient } in fresh {
            self.seen.entry((*day, *list)).or_default().insert(*patient);
        }
        Ok(())
    }

    /// Whether the next run finds the file by its name.
    pub(super) fn is_in_place(&self, place: &Place) -> Result<(), NotTaken> {
        match self.file.are_in_place().map_err(|error| place.failed("read", &error))? {
            true => Ok(()),
            false if place.file.symlink_metadata().is_err() => Err(place.gone()),
            false => Err(place.replaced()),
        }
    }

    /// Pairs of a name and a patient, of all days that are kept.
    pub(super) fn count(&self) -> usize {
        self.seen.values().map(HashSet::len).sum()
    }

    /// In memory, until the file is written anew.
    pub(super) fn forget_before(&mut self, today: Date) {
        self.seen.retain(|(day, _), _| *day >= today);
    }

    pub(super) fn list_of(&self, name: &Name) -> List {
        List(self.hash(&name.parts()))
    }

    pub(super) fn line(&self, day: Date, list: List, patient: &Patient) -> Line {
        let of_day = day.to_julian_day().to_be_bytes();
        Line { day, list, patient: self.hash(&[&of_day, &list.0, patient.bytes()]) }
    }

    pub(super) fn has(&self, line: &Line) -> bool {
        self.seen.get(&(line.day, line.list)).is_some_and(|seen| seen.contains(&line.patient))
    }

    /// How many a list has on a day.
    pub(super) fn seen_by(&self, day: Date, list: List) -> usize {
        self.seen.get(&(day, list)).map_or(0, HashSet::len)
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        hashed(&self.key, parts)
    }
}

/// Without what is older than the day before.
fn since(mut seen: AllSeen, today: Date) -> AllSeen {
    let oldest = today.previous_day().unwrap_or(today);
    seen.retain(|(day, _), _| *day >= oldest);
    seen
}

/// All of a file.
fn text(key: &hmac::Key, seen: &AllSeen) -> String {
    let all = seen.iter().flat_map(|((day, list), patients)| {
        patients.iter().map(|patient| Line { day: *day, list: *list, patient: *patient }.text())
    });
    std::iter::once(mark_of(key) + "\n").chain(all).collect()
}

/// The first line of a file whose hashes are made with this key.
fn mark_of(key: &hmac::Key) -> String {
    format!("key {}", hex::encode(&hashed(key, &[b"mark"])))
}

fn hashed(key: &hmac::Key, parts: &[&[u8]]) -> Hash {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.sign().as_ref().first_chunk().copied().unwrap_or_default()
}

impl Line {
    /// Such as `2026-12-01 5feceb66… 6b86b273…`.
    fn text(&self) -> String {
        let Self { day, list, patient } = self;
        format!("{day} {} {}\n", hex::encode(&list.0), hex::encode(patient))
    }

    fn read(text: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(text).ok()?.split(' ');
        let day = Date::parse(parts.next()?, &Iso8601::DATE).ok()?;
        let (list, patient) =
            (List(hex::decode(parts.next()?.as_bytes())?), hex::decode(parts.next()?.as_bytes())?);
        parts.next().is_none().then_some(Self { day, list, patient })
    }
}

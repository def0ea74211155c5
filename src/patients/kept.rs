//! The two files of it: `patients` has a line for each patient whom a name saw on a day, and `patients.key` what the hashes in
//! it are made with.
//!
//! A line is kept by the disk before its patient is shown. The file is written anew with the first patient of a later day, without what is
//! older than the day before that: a clock that was a little ahead can be set right.
//!
//! Its first line says by which key, and is there from the beginning, before the key is: a key without it tells that lines are lost.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::{hmac, rand};
use time::Date;
use time::format_description::well_known::Iso8601;

use super::patient::{Name, Patient};
use super::seen::NotTaken;
use crate::files::{self, full};
use crate::notation::hex;

/// In the folder that keeps what outlives a restart.
const NAME: &str = "patients";
const KEY: &str = "patients.key";
/// Bytes of a key.
const LENGTH: usize = 32;
/// What nobody else may do with the file: whoever writes there gives back a day.
const WRITE: u32 = 0o022;
/// The same of the key: whoever reads it can try who it is that a hash stands for.
const TOUCH: u32 = 0o077;
/// Bytes of the file.
const LARGEST: u64 = 16 << 20;
/// Lines that may be in the file for nothing.
const SPARE: usize = 10_000;
/// Bytes of a hash that are kept: two patients of a list never have the same, and that is all it is for.
const HASH: usize = 16;

type Hash = [u8; HASH];

/// A name's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct List(Hash);

/// A patient on a list, on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Line {
    day: Date,
    list: List,
    patient: Hash,
}

/// Where the files are.
#[derive(Debug)]
pub(super) struct Place {
    file: PathBuf,
    key: PathBuf,
}

/// What is there.
#[derive(Debug)]
pub(super) struct Kept {
    key: hmac::Key,
    file: File,
    /// In the file, those of old days too.
    lines: usize,
    /// The latest day on which it was written anew.
    day: Date,
    seen: HashMap<(Date, List), HashSet<Hash>>,
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

    /// The first line of the file, which says by which key, and the others; `None` where it is missing or empty.
    fn read(&self) -> Result<Option<(String, Vec<Line>)>, NotTaken> {
        let bytes = own(&self.file, WRITE, LARGEST + 1).map_err(|error| self.failed("read", &error))?;
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        if bytes.len() as u64 > LARGEST {
            return Err(self.failed("read", &io::Error::other("it is longer than 16 MiB")));
        }
        // Of what is behind the last newline nobody was shown: the proxy ended while it wrote that.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or_default();
        let texts = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
        let mut filled = (1..).zip(texts).filter(|(_, text)| !text.is_empty());
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

    /// The key that is there.
    fn key(&self) -> Result<Option<hmac::Key>, NotTaken> {
        let read = own(&self.key, TOUCH, LENGTH as u64 + 1);
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
        let kept = Kept::written(self, key, HashMap::new(), today)?;
        files::put(&self.key, 0o600, &made).map_err(|error| self.key_failed("written", &error))?;
        Ok(kept)
    }
}

/// A file that is the proxy's own, and with which others may not do this; `None` where there is none.
fn own(path: &Path, others: u32, longest: u64) -> io::Result<Option<Vec<u8>>> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read?,
    };
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & others == 0;
    if !is_own && metadata.is_file() {
        let may = if others == WRITE { "write" } else { "read or write" };
        return Err(io::Error::other(format!(
            "it belongs to somebody else, or others may {may} it. If nobody did, give it to the user that dimsegate runs as, \
             with mode 0600"
        )));
    }
    files::read(path, longest).map(Some)
}

impl Kept {
    /// Reads what is there, and begins where nothing was.
    pub(super) fn open(place: &Place, today: Date) -> Result<Self, NotTaken> {
        files::make_folder_of(&place.file).map_err(|error| place.failed("made", &error))?;
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
        let mut seen = HashMap::<_, HashSet<Hash>>::new();
        for Line { day, list, patient } in lines {
            seen.entry((day, list)).or_default().insert(patient);
        }
        Self::written(place, key, seen, today)
    }

    /// Whether a day has begun since, or there is much in the file for nothing.
    pub(super) fn has_to_be_written_anew(&self, today: Date, most: usize) -> bool {
        today > self.day || self.lines >= most + SPARE
    }

    pub(super) fn write_anew(self, place: &Place, today: Date) -> Result<Self, NotTaken> {
        self.is_in_place(place)?;
        Self::written(place, self.key, self.seen, today)
    }

    fn written(
        place: &Place,
        key: hmac::Key,
        mut seen: HashMap<(Date, List), HashSet<Hash>>,
        today: Date,
    ) -> Result<Self, NotTaken> {
        let oldest = today.previous_day().unwrap_or(today);
        seen.retain(|(day, _), _| *day >= oldest);
        let all = seen.iter().flat_map(|((day, list), patients)| {
            patients.iter().map(|patient| Line { day: *day, list: *list, patient: *patient }.text())
        });
        let text: String = std::iter::once(mark_of(&key) + "\n").chain(all).collect();
        let opened = files::put(&place.file, 0o600, text.as_bytes())
            .and_then(|()| files::open_with(&place.file, OpenOptions::new().append(true).mode(0o600)));
        let file = opened.map_err(|error| place.failed("written", &error))?;
        let lines = seen.values().map(HashSet::len).sum();
        Ok(Self { key, file, lines, day: today, seen })
    }

    pub(super) fn add(&mut self, place: &Place, fresh: &[Line]) -> Result<(), NotTaken> {
        if fresh.is_empty() {
            return Ok(());
        }
        let text: String = fresh.iter().map(Line::text).collect();
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| place.failed("written", &error))?;
        // Behind the write: what went to a file without a name is gone with the process.
        self.is_in_place(place)?;
        self.lines += fresh.len();
        for Line { day, list, patient } in fresh {
            self.seen.entry((*day, *list)).or_default().insert(*patient);
        }
        Ok(())
    }

    /// Whether the open file is the one that the next run will find.
    fn is_in_place(&self, place: &Place) -> Result<(), NotTaken> {
        let same = |open: fs::Metadata, there: fs::Metadata| {
            open.nlink() > 0 && (open.dev(), open.ino()) == (there.dev(), there.ino())
        };
        let there = match fs::symlink_metadata(&place.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(place.gone()),
            there => there,
        };
        let is_same = self.file.metadata().and_then(|open| Ok(same(open, there?)));
        match is_same.map_err(|error| place.failed("read", &error))? {
            true => Ok(()),
            false => Err(place.failed("written", &io::Error::other("another file has taken its place"))),
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
        let (list, patient) = (List(hash(parts.next()?)?), hash(parts.next()?)?);
        parts.next().is_none().then_some(Self { day, list, patient })
    }
}

fn hash(text: &str) -> Option<Hash> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let bytes = pairs.iter().map(|[high, low]| Some(hex::nibble(*high)? << 4 | hex::nibble(*low)?));
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

//! Whether a trail is what was written: no line edited, cut, moved or put in.
//!
//! With keys nothing is believed that is not signed. What the files of a trail cannot tell alone is whether all of them,
//! the head beside them included, were put back to what they were at some earlier time: that takes somebody who knows a
//! later head ([`Known::since`]).

mod damage;
mod evidence;
mod gaps;
mod proof;
mod walk;
mod witness;

pub use damage::{Break, Damage, Place};
pub use proof::Adopted;

use super::closing;
use super::files::{self, OpenError, TrailFile};
use super::head::Head;
use super::line_hash::LineHash;
use super::link;
use super::reviewers::Identity;
use super::signing::PublicKey;
use evidence::{Kind, Line, Record};
use serde::Serialize;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walk::Walk;
use witness::Witnesses;

/// Longer than any line that is ours: the rest counts as a line of its own.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// What a verification of a folder found: how much is whole, and every damage with its place.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verification {
    /// How many files were read.
    pub files: usize,
    /// How many records were read.
    pub records: u64,
    /// Bytes of lines.
    pub bytes: u64,
    /// The first record that was read.
    pub first: Option<Seen>,
    /// The last record that was read.
    pub last: Option<Seen>,
    /// SHA-256 of the last line.
    pub head: Option<LineHash>,
    /// How many checkpoints were read, whatever their signatures are worth.
    pub checkpoints: u64,
    /// The last record with a good signature: everything before it is as it was when that was made.
    pub signed_up_to: Option<u64>,
    /// Records that nobody had signed when a run began, which signed them then: what is in them is not proven. Only where
    /// keys are given.
    pub adopted: Vec<Adopted>,
    /// Lines that a crash tore and the next start closed off: no damage.
    pub torn: Vec<Place>,
    /// The last line is being written, or a crash tore it: no damage.
    pub unfinished: Option<Place>,
    /// Where the trail does not hold, in its order; at most a thousand.
    pub breaks: Vec<Break>,
    /// How many more there are.
    pub more_breaks: u64,
    /// Files that could not be looked into, and why: encrypted ones without their identity.
    pub unread: Vec<Unread>,
}

/// A record, and when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its number in the trail.
    pub sequence: u64,
    /// As it was written (RFC 3339); not proven where it is not signed.
    pub time: String,
}

/// A file that could not be looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Its path.
    pub file: PathBuf,
    /// Why not, for people.
    pub reason: String,
}

impl Verification {
    /// Whether no damage was found in what could be read, and all of it that has to be signed was signed in its time.
    pub fn is_intact(&self) -> bool {
        self.breaks.is_empty() && self.adopted.is_empty() && (self.records > 0 || !self.unread.is_empty())
    }
}

/// What whoever verifies a trail knows of it.
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    /// Every checkpoint has to be signed by one of them, and nothing else is believed.
    pub keys: &'a [PublicKey],
    /// For encrypted files.
    pub identities: &'a [Identity],
    /// Heads that were handed out earlier: these records have to be there. What runs said of themselves before has been
    /// seen.
    pub since: &'a [Head],
}

/// Follows the chain through every file of a directory. `progress` is told of bytes of lines as they are read.
///
/// # Errors
/// The directory cannot be read. What is wrong with a file is in the result.
pub fn verify(directory: &Path, known: Known<'_>, progress: &mut dyn FnMut(u64)) -> io::Result<Verification> {
    // Before the files: a trail that is being written only grows.
    let witnesses = Witnesses::new(directory, known);
    let files = files::list(directory)?;
    let mut reading = Reading::new(known, witnesses);
    for (at, file) in files.iter().enumerate() {
        reading.is_last = files.iter().skip(at + 1).all(is_empty);
        let before = reading.bytes;
        reading.file(file, known.identities);
        progress(reading.bytes - before);
    }
    Ok(reading.finish(files.len(), directory))
}

fn is_empty(file: &TrailFile) -> bool {
    !file.is_closed() && file.path.metadata().is_ok_and(|metadata| metadata.len() == 0)
}

struct Reading<'a> {
    keys: &'a [PublicKey],
    walk: Walk,
    witnesses: Witnesses,
    /// The last record that whoever asks knows.
    seen: u64,
    /// Whether the file holds the last line of all.
    is_last: bool,
    bytes: u64,
    first: Option<Seen>,
    last: Option<(u64, Vec<u8>)>,
    /// Of the last line.
    head: Option<LineHash>,
    /// The last number that is known: of a line, or noted of a file that was not read.
    ends: u64,
    unfinished: Option<Place>,
    unread: Vec<Unread>,
    line: Vec<u8>,
}

impl<'a> Reading<'a> {
    fn new(known: Known<'a>, witnesses: Witnesses) -> Self {
        let seen = known.since.iter().map(|head| head.sequence).max().unwrap_or(0);
        Self {
            keys: known.keys,
            walk: Walk::new(!known.keys.is_empty(), seen),
            witnesses,
            seen,
            is_last: false,
            bytes: 0,
            first: None,
            last: None,
            head: None,
            ends: 0,
            unfinished: None,
            unread: Vec::new(),
            line: Vec::new(),
        }
    }

    fn file(&mut self, file: &TrailFile, identities: &[Identity]) {
        let path: Arc<Path> = file.path.as_path().into();
        let lines = match file.open(identities) {
            Ok(lines) => lines,
            Err(error @ (OpenError::NoIdentity | OpenError::OtherIdentity)) => {
                self.unread.push(Unread { file: file.path.clone(), reason: error.to_string() });
                return self.unread(file, path);
            }
            Err(error) => {
                let damage = Damage::Unreadable { error: error.to_string() };
                return self.walk.broken(Place { file: path, line: 0 }, None, damage);
            }
        };
        self.lines(lines, path);
    }

    fn lines(&mut self, mut lines: impl BufRead, path: Arc<Path>) {
        let mut place = Place { file: path, line: 0 };
        loop {
            place.line += 1;
            let mut line = std::mem::take(&mut self.line);
            line.clear();
            let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            let more = match read {
                Ok(count) => count > 0,
                Err(error) => {
                    let damage = Damage::Unreadable { error: error.to_string() };
                    self.walk.broken(place.clone(), None, damage);
                    false
                }
            };
            if more {
                self.line(&line, &place);
            }
            self.line = line;
            if !more {
                break;
            }
        }
    }

    /// What was noted when the file was encrypted says how it ends.
    fn unread(&mut self, file: &TrailFile, path: Arc<Path>) {
        let ends = closing::span_of(file).map(Head::from);
        if let Some(end) = ends {
            self.witnesses.see(end);
            self.ends = end.sequence;
        }
        self.walk.skip(Place { file: path, line: 0 }, ends);
    }

    fn line(&mut self, bytes: &[u8], place: &Place) {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let Some(line) = bytes.strip_suffix(b"\n") else {
            return self.line_without_end(bytes, place);
        };
        self.whole_line(line, place);
    }

    fn line_without_end(&mut self, line: &[u8], place: &Place) {
        if self.is_last {
            self.unfinished = Some(place.clone());
            return;
        }
        self.whole_line(line, place);
        if (line.len() as u64) < LONGEST_LINE {
            self.walk.broken(place.clone(), None, Damage::CutOff);
        }
    }

    fn whole_line(&mut self, line: &[u8], place: &Place) {
        let (head, hash) = (link::parse(line), LineHash::of(line));
        self.head = Some(hash);
        if let Some(head) = &head {
            self.witnesses.see(Head { sequence: head.sequence, sha256: hash });
            if self.first.is_none() {
                self.first = Some(Seen { sequence: head.sequence, time: head.time.to_owned() });
            }
            let last = self.last.get_or_insert_default();
            (last.0, self.ends) = (head.sequence, head.sequence);
            last.1.clear();
            last.1.extend_from_slice(head.time.as_bytes());
        }
        let record = head.map(|head| Record {
            sequence: head.sequence,
            previous: head.previous,
            kind: Kind::of(head.event, line, self.keys),
        });
        self.walk.line(Line { place: place.clone(), hash, record });
    }

    fn finish(mut self, files: usize, directory: &Path) -> Verification {
        self.walk.finish();
        let place = Place { file: directory.into(), line: 0 };
        let signed_up_to = self.walk.proof().up_to();
        if !self.keys.is_empty() && self.walk.records > 0 && signed_up_to.is_none() {
            self.walk.broken(place.clone(), None, Damage::not_signed(self.keys.iter().map(PublicKey::id)));
        }
        let has_kept = self.witnesses.has_kept();
        if self.walk.records == 0 && self.unread.is_empty() && (files > 0 || has_kept) {
            self.walk.broken(place, None, Damage::Empty);
        }
        if files > 0 || has_kept {
            self.witnesses.testify(&mut self.walk, self.ends, !self.unread.is_empty());
        }
        self.found(files)
    }

    fn found(self, files: usize) -> Verification {
        let signed_up_to = self.walk.proof().up_to();
        let adopted = self.walk.adopted().iter().filter(|adopted| adopted.by > self.seen).copied().collect();
        let torn = self.walk.torn();
        let mut breaks = self.walk.breaks;
        // The directory, days, lines: as a person looks them up.
        breaks.sort_by(|a, b| (&a.place.file, a.place.line).cmp(&(&b.place.file, b.place.line)));
        let last = self
            .last
            .map(|(sequence, time)| Seen { sequence, time: String::from_utf8_lossy(&time).into_owned() });
        Verification {
            files,
            records: self.walk.records,
            bytes: self.bytes,
            first: self.first,
            head: self.head.filter(|_| last.is_some()),
            last,
            checkpoints: self.walk.checkpoints,
            signed_up_to,
            adopted,
            torn,
            unfinished: self.unfinished,
            breaks,
            more_breaks: self.walk.more_breaks,
            unread: self.unread,
        }
    }
}

/// A part of a trail: lines that follow each other, of which nobody asks what was before them and behind.
pub(in crate::audit) struct Part<'a> {
    reading: Reading<'a>,
    files: usize,
}

impl<'a> Part<'a> {
    /// Every checkpoint has to be signed by one of the keys.
    pub(in crate::audit) fn new(keys: &'a [PublicKey]) -> Self {
        let known = Known { keys, ..Known::default() };
        Self { reading: Reading::new(known, Witnesses::of_nobody()), files: 0 }
    }

    /// Lines that are not there stand here: those of a file that could not be read, or what is before the part.
    pub(in crate::audit) fn skip(&mut self, at: &Path) {
        self.reading.walk.skip(Place { file: at.into(), line: 0 }, None);
    }

    /// The next line, without its line feed.
    pub(in crate::audit) fn line(&mut self, line: &[u8], place: &Place) {
        self.reading.bytes = self.reading.bytes.saturating_add(line.len() as u64 + 1);
        self.reading.whole_line(line, place);
    }

    /// The next lines, those of a file.
    pub(in crate::audit) fn lines(&mut self, lines: impl BufRead, path: &Path) {
        self.files += 1;
        self.reading.lines(lines, path.into());
    }

    /// No more lines.
    pub(in crate::audit) fn finish(mut self) -> Verification {
        self.reading.walk.finish();
        self.reading.found(self.files)
    }
}

#[cfg(test)]
mod tests;

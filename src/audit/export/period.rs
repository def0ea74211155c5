//! Which lines of a trail are those of a period.

use std::io::{self, BufRead, Read};

use super::{LONGEST_LINE, NotRead};
use crate::audit::files::TrailFile;
use crate::audit::reviewers::Identity;
use crate::audit::{link, signing};

/// Records behind a period among which its checkpoint is looked for; no configuration lets more come between two.
const LOOKED_AHEAD: u64 = 1_000_000;

/// The place of a line: the file, by its place in the trail, and the line, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub file: usize,
    pub line: u64,
}

/// The first line of a period, and the last that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub first: At,
    pub last: At,
}

/// The lines of a period, from the first record in it to the last, whatever stands between them, and on to the checkpoint
/// that signs them. `None`: no record is of that time.
pub(super) struct Search<'a> {
    pub files: &'a [TrailFile],
    pub identities: &'a [Identity],
    /// Of the period, as records have it.
    pub from: &'a str,
    pub to: &'a str,
    pub not_read: Vec<NotRead>,
}

impl Search<'_> {
    pub(super) fn bounds(&mut self) -> Option<Bounds> {
        let mut bounds: Option<Bounds> = None;
        for at in 0..self.files.len() {
            if !self.may_hold(at) {
                continue;
            }
            let (from, to) = (self.from, self.to);
            self.lines(at, |line, text| {
                let within = link::parse(text).is_some_and(|link| (from..=to).contains(&link.time));
                if within {
                    let here = At { file: at, line };
                    bounds.get_or_insert(Bounds { first: here, last: here }).last = here;
                }
                true
            });
        }
        let found = bounds?;
        Some(Bounds { last: self.checkpoint(found.last).unwrap_or(found.last), ..found })
    }

    /// The name of a file is never earlier than a record in it. It may be later, where a clock was set back: so the first
    /// record of one behind the period is looked at, which is of the earliest day of those in it.
    fn may_hold(&self, at: usize) -> bool {
        let Some(file) = self.files.get(at) else { return false };
        let day = file.day.to_string();
        if day.as_str() < self.from.get(..10).unwrap_or_default() {
            return false;
        }
        if day.as_str() <= self.to.get(..10).unwrap_or_default() {
            return true;
        }
        let mut begins = false;
        if let Ok(mut lines) = file.open(self.identities) {
            let mut line = Vec::new();
            let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            begins = read.is_ok() && link::parse(text_of(&line)).is_some_and(|link| link.time <= self.to);
        }
        begins
    }

    /// The first checkpoint behind a line and behind the period: whoever cuts the end off has none to put there.
    fn checkpoint(&mut self, behind: At) -> Option<At> {
        let (mut found, mut left, to) = (None, LOOKED_AHEAD, self.to);
        for at in behind.file..self.files.len() {
            let read = self.lines(at, |line, text| {
                let here = At { file: at, line };
                if here <= behind {
                    return true;
                }
                left -= 1;
                let link = link::parse(text);
                if link.is_some_and(|link| link.event == signing::CHECKPOINT && link.time > to) {
                    found = Some(here);
                }
                found.is_none() && left > 0
            });
            if found.is_some() || left == 0 || !read {
                break;
            }
        }
        found
    }

    /// Hands on each whole line, without its line feed, as long as `take` wants more. Whether the file could be read; what
    /// could not is noted.
    fn lines(&mut self, at: usize, mut take: impl FnMut(u64, &[u8]) -> bool) -> bool {
        let Some(file) = self.files.get(at) else { return false };
        let read = match file.open(self.identities) {
            Ok(lines) => each_line(lines, |number, line| take(number, text_of(line)))
                .map_err(|error| format!("cannot be read on: {error}")),
            Err(error) => Err(error.to_string()),
        };
        let Err(reason) = read else { return true };
        let not_read = NotRead { file: file.path.display().to_string(), reason };
        if !self.not_read.contains(&not_read) {
            self.not_read.push(not_read);
        }
        false
    }
}

/// Hands on the number and the bytes of each line, its line feed included, as long as `take` wants more. One that is being
/// written is none yet.
///
/// # Errors
/// What reading gave.
pub(super) fn each_line(mut lines: impl BufRead, mut take: impl FnMut(u64, &[u8]) -> bool) -> io::Result<()> {
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        let count = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") && (count as u64) < LONGEST_LINE {
            return Ok(());
        }
        if !take(number, &line) {
            return Ok(());
        }
    }
}

/// A line without its line feed.
pub(super) fn text_of(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

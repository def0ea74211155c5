//! Reading on in the files of the trail while they are written.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use time::Date;
use time::macros::format_description;

/// Where to read on. The default is before the first record of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Name of a day's file; empty before the first.
    pub file: String,
    /// Bytes of it that were read.
    pub offset: u64,
}

/// Whole lines, one after the other.
#[derive(Debug)]
pub(super) struct Chunk {
    pub lines: Vec<u8>,
    /// After the lines.
    pub end: Position,
}

/// Most bytes at once; longer than any record.
const CHUNK: u64 = 512 * 1024;

impl Position {
    /// After the last whole line of the last file.
    pub(super) fn at_end(directory: &Path) -> io::Result<Self> {
        let Some(file) = files(directory)?.pop() else { return Ok(Self::default()) };
        let (start, tail) = tail_of(&directory.join(&file))?;
        let whole = tail.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at as u64 + 1);
        Ok(Self { file, offset: start.saturating_add(whole) })
    }

    /// The end of the last file that holds anything.
    pub(super) fn last_lines(directory: &Path) -> io::Result<Vec<u8>> {
        for file in files(directory)?.iter().rev() {
            let (_, tail) = tail_of(&directory.join(file))?;
            if !tail.is_empty() {
                return Ok(tail);
            }
        }
        Ok(Vec::new())
    }

    /// The day of its file; the first of all where there is none yet.
    pub(super) fn day(&self) -> Date {
        day_of(&self.file).unwrap_or(Date::MIN)
    }

    /// Bytes of the trail after it.
    pub(super) fn behind(&self, directory: &Path) -> io::Result<u64> {
        let mut behind = 0_u64;
        for file in files(directory)?.iter().filter(|file| **file >= self.file) {
            let length = std::fs::metadata(directory.join(file)).map_or(0, |metadata| metadata.len());
            let read = if *file == self.file { self.offset } else { 0 };
            behind = behind.saturating_add(length.saturating_sub(read));
        }
        Ok(behind)
    }

    /// The lines that follow, of one file; empty where there are none yet.
    pub(super) fn read(&self, directory: &Path) -> io::Result<Chunk> {
        // Listed before anything is read: when a later file is there, the earlier ones are whole.
        let files = files(directory)?;
        let mut at = self.clone();
        loop {
            let Some(file) = files.iter().find(|file| **file >= at.file) else {
                return Ok(Chunk { lines: Vec::new(), end: at });
            };
            if *file != at.file {
                if !at.file.is_empty() {
                    tracing::debug!(from = %at.file, to = %file, "reading on in the next audit file");
                }
                at = Self { file: file.clone(), offset: 0 };
            }
            let chunk = at.read_here(directory)?;
            let later = files.iter().any(|other| *other > at.file);
            if !chunk.lines.is_empty() || !later {
                return Ok(chunk);
            }
            // Nothing sorts between a name and the name with NUL after it.
            at = Self { file: format!("{}\0", at.file), offset: 0 };
        }
    }

    fn read_here(&self, directory: &Path) -> io::Result<Chunk> {
        let mut file = File::open(directory.join(&self.file))?;
        let length = file.metadata()?.len();
        let offset = if length < self.offset {
            tracing::error!(file = %self.file, "the audit file is shorter than it was; it is read from its beginning");
            0
        } else {
            self.offset
        };
        file.seek(SeekFrom::Start(offset))?;
        let mut lines = Vec::new();
        file.take(CHUNK).read_to_end(&mut lines)?;
        let whole = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let mut end = offset.saturating_add(whole as u64);
        if whole == 0 && lines.len() as u64 == CHUNK {
            tracing::error!(file = %self.file, offset, "no line ends in half a mebibyte; it is passed over");
            end = offset.saturating_add(CHUNK);
        }
        lines.truncate(whole);
        Ok(Chunk { lines, end: Self { file: self.file.clone(), offset: end } })
    }
}

/// The last bytes of a file, and where they begin.
fn tail_of(path: &Path) -> io::Result<(u64, Vec<u8>)> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(CHUNK);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(CHUNK).read_to_end(&mut tail)?;
    Ok((start, tail))
}

/// Names of the days' files, in order.
fn files(directory: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name();
        files.extend(name.to_str().filter(|name| day_of(name).is_some()).map(str::to_owned));
    }
    files.sort_unstable();
    Ok(files)
}

/// Of `audit-YYYY-MM-DD.jsonl`.
fn day_of(name: &str) -> Option<Date> {
    let day = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
    Date::parse(day, &format_description!("[year]-[month]-[day]")).ok()
}

//! Where in the trail somebody is who reads it while it is written.

use crate::audit::unsent::{self, Unsent};
use crate::audit::{files, regular};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use time::Date;

/// Where to read on. The default is before the first record of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Name of a day's file, as it is called before it is closed; empty before the first.
    pub file: String,
    /// Bytes of its lines that were read.
    pub offset: u64,
}

/// Where a day's lines are.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// In its file, which may grow.
    Open(PathBuf),
    /// In what was kept of it when it was closed.
    Kept(Unsent),
}

/// Most bytes at once; longer than any record.
pub(super) const CHUNK: u64 = 512 * 1024;

impl Position {
    /// After the last whole line of the last file.
    pub(super) fn at_end(directory: &Path) -> io::Result<Self> {
        let Some((file, path)) = open_files(directory)?.pop_last() else { return Ok(Self::default()) };
        let (start, tail) = tail_of(&path)?;
        let whole = tail.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at as u64 + 1);
        Ok(Self { file, offset: start.saturating_add(whole) })
    }

    /// The end of the last file that holds anything.
    pub(super) fn last_lines(directory: &Path) -> io::Result<Vec<u8>> {
        for path in open_files(directory)?.values().rev() {
            let (_, tail) = tail_of(path)?;
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

    /// Whether every day that can be read is earlier: the trail is not the one that this is of, which was longer.
    pub(super) fn is_beyond(&self, directory: &Path) -> io::Result<bool> {
        let last = sources(directory)?.pop_last();
        Ok(last.is_some_and(|(file, _)| file < self.file))
    }

    /// Bytes of the trail after it.
    pub(super) fn behind(&self, directory: &Path) -> io::Result<u64> {
        let mut behind = 0_u64;
        for (file, source) in sources(directory)?.range(self.file.clone()..) {
            let length = match source {
                Source::Open(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
                Source::Kept(unsent) => unsent.length,
            };
            let read = if *file == self.file { self.offset } else { 0 };
            behind = behind.saturating_add(length.saturating_sub(read));
        }
        Ok(behind)
    }
}

/// The days that can be read, by the names of their files.
pub(super) fn sources(directory: &Path) -> io::Result<BTreeMap<String, Source>> {
    // In this order: a day that is closed in between is there twice, not missing.
    let open = open_files(directory)?;
    let kept = unsent::list(directory)?.into_iter().rev();
    let kept = kept.map(|unsent| (format!("{}.jsonl", files::stem(unsent.day)), Source::Kept(unsent)));
    let open = open.into_iter().map(|(name, path)| (name, Source::Open(path)));
    Ok(kept.chain(open).collect())
}

/// Files of days that are not closed, by name.
fn open_files(directory: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().filter(|name| day_of(name).is_some());
        found.extend(name.map(|name| (name.to_owned(), entry.path())));
    }
    Ok(found)
}

/// The last bytes of a file, and where they begin.
fn tail_of(path: &Path) -> io::Result<(u64, Vec<u8>)> {
    let mut file = regular::follow(path)?;
    let start = file.metadata()?.len().saturating_sub(CHUNK);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(CHUNK).read_to_end(&mut tail)?;
    Ok((start, tail))
}

/// Of `audit-YYYY-MM-DD.jsonl`.
fn day_of(name: &str) -> Option<Date> {
    files::read_date(name.strip_prefix("audit-")?.strip_suffix(".jsonl")?)
}

//! What an earlier run left: the last sequence number, and perhaps a line that a crash tore.

use super::file;
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What the files of a directory say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recovered {
    /// The sequence number that comes next; the first of all is 1.
    pub next_sequence: u64,
    /// A torn line was found, and closed off with a line feed.
    pub torn: bool,
}

/// Far longer than any record; a file without a readable record in its last so many bytes was not written by us.
const TAIL: u64 = 4 * 1024 * 1024;

#[derive(Deserialize)]
struct Numbered {
    sequence: u64,
}

/// Reads the end of every file, closes off torn lines, and finds where the sequence goes on.
///
/// # Errors
/// The file, and what reading or mending it gave.
pub(super) fn recover(directory: &Path) -> Result<Recovered, (PathBuf, io::Error)> {
    let listing = std::fs::read_dir(directory).map_err(|error| (directory.to_owned(), error))?;
    let mut all = Recovered { next_sequence: 1, torn: false };
    for entry in listing {
        let path = entry.map_err(|error| (directory.to_owned(), error))?.path();
        if !is_ours(&path) {
            continue;
        }
        let one = recover_file(&path).map_err(|error| (path, error))?;
        all.next_sequence = all.next_sequence.max(one.next_sequence);
        all.torn |= one.torn;
    }
    Ok(all)
}

/// By name: `audit-YYYY-MM-DD.jsonl`. Only the newest file matters as a rule, but a clock may have been set back.
fn is_ours(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let day = name.strip_prefix("audit-").and_then(|rest| rest.strip_suffix(".jsonl"));
    let format = time::macros::format_description!("[year]-[month]-[day]");
    day.and_then(|day| time::Date::parse(day, &format).ok())
        .and_then(|day| path.parent().map(|directory| file::path_of(directory, day) == path))
        .unwrap_or(false)
}

fn recover_file(path: &Path) -> io::Result<Recovered> {
    let tail = tail_of(path)?;
    let (whole, torn) = match tail.iter().rposition(|&byte| byte == b'\n') {
        Some(end) => (tail.get(..end).unwrap_or_default(), tail.get(end + 1..).unwrap_or_default()),
        None => (&[][..], tail.as_slice()),
    };
    let last = whole.split(|&byte| byte == b'\n').rev().find_map(sequence_of);
    let next = last.map_or(1, |sequence| sequence.saturating_add(1));
    if torn.is_empty() {
        return Ok(Recovered { next_sequence: next, torn: false });
    }
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(b"\n")?;
    file.sync_data()?;
    // The torn record had a number, which must not come twice.
    let next_sequence = sequence_of(torn).map_or(next, |sequence| sequence.max(next)).saturating_add(1);
    Ok(Recovered { next_sequence, torn: true })
}

fn sequence_of(line: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Numbered>(line).ok().map(|record| record.sequence)
}

fn tail_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    Ok(tail)
}

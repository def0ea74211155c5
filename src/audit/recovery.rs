//! What an earlier run left: the end of the chain, and perhaps a line that a crash tore.

use super::chain::{Chain, LineHash};
use super::files::{self, TrailFile};
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use time::Date;

/// What the files of a directory say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recovered {
    pub chain: Chain,
    /// A torn line was found, and closed off with a line feed.
    pub torn: bool,
    /// The day of the file in which records go on, if that is later than today: a clock may have been set back, and
    /// the files of the trail are in the order of their days.
    pub not_before: Option<Date>,
}

/// Far longer than any record; a file without a readable record in its last so many bytes was not written by us.
const TAIL: u64 = 4 * 1024 * 1024;

#[derive(Deserialize)]
struct Numbered {
    sequence: u64,
}

/// Reads the end of the newest file that holds anything, closes off a torn line, and finds where the chain goes on.
///
/// # Errors
/// The file, and what reading or mending it gave.
pub(super) fn recover(directory: &Path) -> Result<Recovered, (PathBuf, io::Error)> {
    let files = files::list(directory).map_err(|error| (directory.to_owned(), error))?;
    let newest = files.last();
    let not_before =
        newest.and_then(|file| if file.is_closed() { file.day.next_day() } else { Some(file.day) });
    for file in files.iter().rev() {
        if file.is_encrypted() {
            tracing::error!(file = %file.path.display(),
                "records cannot be chained to an encrypted file; the files after it are gone, and the chain begins anew");
            break;
        }
        let failed = |error| (file.path.clone(), error);
        if let Some((chain, torn)) = recover_file(file).map_err(failed)? {
            return Ok(Recovered { chain, torn, not_before });
        }
    }
    Ok(Recovered { chain: Chain::BEGINNING, torn: false, not_before })
}

/// `None` for an empty file.
fn recover_file(file: &TrailFile) -> io::Result<Option<(Chain, bool)>> {
    let tail = if file.is_closed() { last_lines(file)? } else { tail_of(&file.path)? };
    if tail.is_empty() {
        return Ok(None);
    }
    let (whole, rest) = match tail.iter().rposition(|&byte| byte == b'\n') {
        Some(end) => (tail.get(..end).unwrap_or_default(), tail.get(end + 1..).unwrap_or_default()),
        None => (&[][..], tail.as_slice()),
    };
    let mut lines = whole.split(|&byte| byte == b'\n').rev();
    let last = lines.clone().next().unwrap_or_default();
    let number = lines.find_map(sequence_of).map_or(1, |sequence| sequence.saturating_add(1));
    if rest.is_empty() {
        // A crash just after this closed off a torn line leaves one.
        let torn = sequence_of(last).is_none();
        let next_sequence = number.saturating_add(u64::from(torn));
        return Ok(Some((Chain { next_sequence, head: LineHash::of(last), unsigned: 0 }, torn)));
    }
    close_off(&file.path)?;
    // The torn record had a number, which must not come twice.
    let next_sequence = sequence_of(rest).map_or(number, |sequence| sequence.max(number)).saturating_add(1);
    Ok(Some((Chain { next_sequence, head: LineHash::of(rest), unsigned: 0 }, true)))
}

fn close_off(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(b"\n")?;
    file.sync_data()
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

/// The last line of a compressed file, with its line feed.
fn last_lines(file: &TrailFile) -> io::Result<Vec<u8>> {
    let mut lines = file.open(&[]).map_err(io::Error::other)?;
    let (mut last, mut line) = (Vec::new(), Vec::new());
    while lines.by_ref().take(TAIL).read_until(b'\n', &mut line)? > 0 {
        std::mem::swap(&mut last, &mut line);
        line.clear();
    }
    Ok(last)
}

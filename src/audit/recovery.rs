//! What an earlier run left: the end of the chain, how much of it nobody signed, and perhaps a line that a crash tore.

use super::chain::Chain;
use super::closing;
use super::days::Days;
use super::files::{self, TrailFile};
use super::head::{self, Head, KeptHead};
use super::line_hash::LineHash;
use super::lines;
use super::record::{Span, TrailContinued};
use super::regular;
use super::settings::Checkpoints;
use super::signing::{PublicKey, Signature};
use super::survey::{Survey, time_of};
use crate::files::is_full;
use crate::vocabulary::HeadFound;
use serde::Deserialize;
use std::fs::OpenOptions;
use std::io::{self, BufRead, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use time::{Date, OffsetDateTime};

/// What the files of a directory say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recovered {
    pub chain: Chain,
    pub found: TrailContinued,
    /// Of the file in which records go on; `None` where there is none yet.
    pub newest: Option<Days>,
    /// A torn line that the disk had no room to close off.
    pub unclosed: Option<PathBuf>,
    /// Of the last record, as far as it can be read.
    pub last_time: Option<OffsetDateTime>,
    /// Whose the last record is, where it is a tenant's.
    pub tenant: Option<String>,
}

/// Far longer than any record; a file without a readable record in its last so many bytes was not written by us.
const TAIL: u64 = 4 * 1024 * 1024;
/// Files that are looked through, where nothing is signed, for the record that the head names. Where a key signs, whoever
/// puts lines of its own behind the last checkpoint decides how far that is, and all is looked through.
const LOOKED_THROUGH: usize = 3;

#[derive(Deserialize)]
struct Numbered {
    sequence: u64,
    #[serde(default)]
    tenant: Option<String>,
}

/// The end of the trail, as the lines say it.
struct End {
    chain: Chain,
    /// A line was torn, and is closed off with a line feed.
    torn: bool,
    unclosed: Option<PathBuf>,
    last: u64,
    /// Whose the last whole line is that says so.
    tenant: Option<String>,
}

type Failed = (PathBuf, io::Error);

/// Reads the end of the newest file that holds anything, closes off a torn line, and finds where the chain goes on.
///
/// # Errors
/// The file, and what reading or mending it gave.
pub(super) fn recover(directory: &Path, checkpoints: Option<&Checkpoints>) -> Result<Recovered, Failed> {
    let keys: Vec<PublicKey> = checkpoints.iter().map(|checkpoints| checkpoints.key.public_key()).collect();
    let files = files::list(directory).map_err(|error| (directory.to_owned(), error))?;
    let end = end_of(&files)?;
    let kept = head::read(directory, &keys);
    let survey = survey(&files, kept.as_ref().ok().and_then(Option::as_ref), &keys)?;
    let has_files = !files.is_empty();
    let head = judge(&kept, &survey, has_files, !keys.is_empty());
    let mut chain = end.as_ref().map_or(Chain::BEGINNING, |end| end.chain);
    if let Some(lost) = kept
        .as_ref()
        .ok()
        .and_then(Option::as_ref)
        .filter(|_| matches!(head, HeadFound::Cut | HeadFound::NotCompared))
        && believed(lost, !keys.is_empty())
        && lost.head.sequence >= chain.next_sequence
    {
        // The gap stays for everybody to see.
        chain = Chain { next_sequence: lost.head.sequence + 1, head: lost.head.sha256, unsigned: 0 };
    }
    let newest = files.last();
    let (signed_up_to, signed_by, ended) = survey.signed();
    let found = TrailContinued {
        files: files.len() as u64,
        last: end.as_ref().map(|end| end.last),
        signed_up_to,
        signed_by,
        unsigned: survey.behind,
        ended,
        recovered: end.as_ref().is_some_and(|end| end.torn),
        head: head.into(),
        head_sequence: kept.ok().flatten().map(|kept| kept.head.sequence),
        explanation: String::new(),
    };
    Ok(Recovered {
        chain,
        found,
        tenant: end.as_ref().and_then(|end| end.tenant.clone()),
        newest: newest.map(|file| days_of(file, survey.last_time)),
        unclosed: end.and_then(|end| end.unclosed),
        last_time: survey.last_time,
    })
}

/// What the head says of what was found.
fn judge(kept: &io::Result<Option<KeptHead>>, survey: &Survey, has_files: bool, keyed: bool) -> HeadFound {
    match kept {
        Err(_) => HeadFound::Forged,
        Ok(None) if has_files => HeadFound::Missing,
        Ok(None) => HeadFound::New,
        Ok(Some(kept)) => match (&kept.signature, survey.named) {
            (Signature::Wrong, _) => HeadFound::Forged,
            (Signature::None, _) if keyed => HeadFound::Forged,
            (Signature::OtherKey(_), HeadFound::Fits) => HeadFound::OtherKey,
            (_, named) => named,
        },
    }
}

/// Whether the chain may go on behind the record that a head names, though it is not there.
fn believed(kept: &KeptHead, keyed: bool) -> bool {
    let signed = if keyed { kept.signature == Signature::Good } else { true };
    signed && leaves_others(kept.head.sequence)
}

/// A number that leaves no others is nobody's.
fn leaves_others(sequence: u64) -> bool {
    sequence < u64::MAX / 2
}

/// The last record of an encrypted file, as it was noted when the file was closed.
fn end_of_encrypted(file: &TrailFile) -> Option<End> {
    let noted = note_of(file);
    match noted {
        Some(_) => {
            tracing::error!(file = %file.path.display(), "the files after this encrypted one are gone")
        }
        None => tracing::error!(file = %file.path.display(),
            "the files after this encrypted one are gone, and nothing says how it ends"),
    }
    let Span { last, head, .. } = noted?;
    let chain = Chain { next_sequence: last + 1, head, unsigned: 0 };
    Some(End { chain, torn: false, unclosed: None, last, tenant: None })
}

fn note_of(file: &TrailFile) -> Option<Span> {
    closing::span_of(file).filter(|noted| leaves_others(noted.last))
}

fn end_of(files: &[TrailFile]) -> Result<Option<End>, Failed> {
    for file in files.iter().rev() {
        if file.is_encrypted() {
            return Ok(end_of_encrypted(file));
        }
        let failed = |error| (file.path.clone(), error);
        if let Some(end) = end_of_file(file).map_err(failed)? {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// `None` for an empty file.
fn end_of_file(file: &TrailFile) -> io::Result<Option<End>> {
    let tail = if file.is_closed() { last_lines(file)? } else { lines::tail_of(&file.path, TAIL)? };
    if tail.is_empty() {
        return Ok(None);
    }
    let (whole, rest) = match tail.iter().rposition(|&byte| byte == b'\n') {
        Some(end) => (tail.get(..end).unwrap_or_default(), tail.get(end + 1..).unwrap_or_default()),
        None => (&[][..], tail.as_slice()),
    };
    let mut lines = whole.split(|&byte| byte == b'\n').rev();
    let last = lines.clone().next().unwrap_or_default();
    let whole = lines.find_map(numbered);
    let number = whole.as_ref().map_or(1, |whole| whole.sequence.saturating_add(1));
    let tenant = whole.and_then(|whole| whole.tenant);
    let end = |next_sequence: u64, head: &[u8], torn| End {
        chain: Chain { next_sequence, head: LineHash::of(head), unsigned: 0 },
        torn,
        unclosed: None,
        last: next_sequence.saturating_sub(1),
        tenant: tenant.clone(),
    };
    if rest.is_empty() {
        // A crash just after this closed off a torn line leaves one.
        let torn = sequence_of(last).is_none();
        return Ok(Some(end(number.saturating_add(u64::from(torn)), last, torn)));
    }
    // The torn record had a number, which must not come twice.
    let next_sequence = sequence_of(rest).map_or(number, |sequence| sequence.max(number)).saturating_add(1);
    let unclosed = match close_off(&file.path) {
        Ok(()) => None,
        Err(error) if is_full(&error) => Some(file.path.clone()),
        Err(error) => return Err(error),
    };
    Ok(Some(End { unclosed, ..end(next_sequence, rest, true) }))
}

/// Looks back through the last lines for the last checkpoint, and the record that the head names.
fn survey(files: &[TrailFile], kept: Option<&KeptHead>, keys: &[PublicKey]) -> Result<Survey, Failed> {
    let named: Option<Head> = kept.map(|kept| kept.head);
    let mut survey = Survey::new(named, keys);
    let mut looked_through = 0;
    for file in files.iter().rev() {
        if keys.is_empty() && looked_through >= LOOKED_THROUGH {
            survey.cut_short();
            break;
        }
        if file.is_encrypted() {
            survey.note(note_of(file));
            break;
        }
        let failed = |error| (file.path.clone(), error);
        let before = survey.lines;
        let done = match file.is_closed() {
            false => lines::backwards(&file.path, |line| survey.look(line)),
            true => look_ahead(&mut survey, file),
        };
        if done.map_err(failed)?.is_break() {
            break;
        }
        looked_through += usize::from(survey.lines > before);
    }
    survey.finish();
    Ok(survey)
}

/// A compressed day may be more than memory holds.
fn look_ahead(survey: &mut Survey, file: &TrailFile) -> io::Result<ControlFlow<()>> {
    let mut ahead = survey.ahead();
    lines::forwards(file, |line| {
        // As where it is looked at from its end.
        if !line.is_empty() {
            ahead.look(line);
        }
        ControlFlow::Continue(())
    })?;
    Ok(ahead.end())
}

/// Of a file and of what is in it. Nothing is added to one that is closed.
fn days_of(file: &TrailFile, last: Option<OffsetDateTime>) -> Days {
    match file.is_closed() {
        true => Days::new(file.day.next_day().unwrap_or(file.day)),
        false => Days { name: file.day, within: days_within(file, last) },
    }
}

/// Of the first record in a file, and of the last in the trail.
fn days_within(file: &TrailFile, last: Option<OffsetDateTime>) -> Option<(Date, Date)> {
    let mut first = None;
    let look = |line: &[u8]| {
        first = time_of(line);
        ControlFlow::Break(())
    };
    lines::forwards(file, look).ok()?;
    let first = first?.date();
    Some((first, last.map_or(first, OffsetDateTime::date)))
}

/// Ends a line that was torn; where its file is gone there is nothing to end.
pub(super) fn close_off(path: &Path) -> io::Result<()> {
    let mut file = match regular::open_with(path, OpenOptions::new().append(true)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    file.write_all(b"\n")?;
    file.sync_data()
}

fn sequence_of(line: &[u8]) -> Option<u64> {
    numbered(line).map(|record| record.sequence)
}

fn numbered(line: &[u8]) -> Option<Numbered> {
    serde_json::from_slice(line).ok()
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

//! The file of a day that is over: compressed, encrypted, or read through to say what is in it.

use super::files::{self, Form, TrailFile};
use super::line_hash::LineHash;
use super::link;
use super::record::{FileClosed, Span};
use super::regular;
use super::reviewers::Reviewers;
use aws_lc_rs::digest;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::notation::hex;

/// Of Zstandard: records shrink to about a tenth, at about 300 MB/s of one core.
const LEVEL: i32 = 3;
/// Of a file that is not yet whole.
const PART: &str = "part";
/// Longer than any line that is ours.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;
/// Longer than any note about a file that was encrypted.
const LONGEST_NOTE: u64 = 4096;
/// Of what is written: its owner and group can read it.
const MODE: u32 = 0o640;

/// Writes a file anew as the form says, and deletes the old one when the disk keeps the new one. A crash leaves the old
/// one, both, or the new one. `None` for an empty file, which stays.
///
/// # Errors
/// What reading, writing or deleting gave; the old file is there then.
pub(super) fn close(
    file: &TrailFile,
    compress: bool,
    reviewers: Option<&Reviewers>,
) -> io::Result<Option<FileClosed>> {
    let directory = file.path.parent().unwrap_or(Path::new("."));
    let form = Form { compressed: compress, encrypted: reviewers.is_some() };
    let closed = TrailFile::new(directory, file.day, form);
    let mut lines = BufReader::with_capacity(1 << 18, regular::open(&file.path)?);
    let part = Part::of(&closed.path);
    let Some((lines, sha256)) = part.write(&mut lines, form, reviewers)? else { return Ok(None) };
    if form.encrypted {
        note(&note_of(file), &lines)?;
    }
    part.finish(&closed.path)?;
    fs::remove_file(&file.path)?;
    sync_directory(directory)?;
    let name = closed.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Some(FileClosed { file: name, lines, sha256 }))
}

/// Writes lines into a new file of the form, which is there when the disk keeps all of it.
///
/// # Errors
/// What reading or writing gave.
pub(super) fn write(
    from: &mut impl BufRead,
    to: &Path,
    form: Form,
    readers: Option<&Reviewers>,
) -> io::Result<()> {
    let part = Part::of(to);
    part.write(from, form, readers)?;
    part.finish(to)
}

/// What is in a file; of an encrypted one, what was noted when it was closed. `None` where that cannot be said.
pub(super) fn span_of(file: &TrailFile) -> Option<Span> {
    if file.is_encrypted() {
        return serde_json::from_slice(&regular::read(&note_of(file), LONGEST_NOTE).ok()?).ok();
    }
    copy(&mut file.open(&[]).ok()?, &mut io::sink()).ok().flatten()
}

/// Deletes a day's file in whatever forms it is there.
///
/// # Errors
/// What deleting gave.
pub(super) fn delete(file: &TrailFile) -> io::Result<()> {
    let directory = file.path.parent().unwrap_or(Path::new("."));
    fs::remove_file(&file.path)?;
    discard(&note_of(file));
    for twin in files::list(directory)?.iter().filter(|twin| twin.day == file.day) {
        fs::remove_file(&twin.path)?;
    }
    sync_directory(directory)
}

/// Deletes what a crash left half written.
pub(super) fn discard_parts(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ours = name.starts_with("audit-") || name.starts_with("unsent-");
        if ours && name.contains(".jsonl.") && name.ends_with(".part") {
            discard(&path);
        }
    }
    Ok(())
}

/// Beside an encrypted file: what its deletion will have to say, and the proxy can no longer read.
fn note_of(file: &TrailFile) -> PathBuf {
    file.path.with_file_name(format!("{}.closed", files::stem(file.day)))
}

fn note(path: &Path, lines: &Span) -> io::Result<()> {
    let mut line = serde_json::to_vec(lines)?;
    line.push(b'\n');
    regular::put(path, MODE, &line)
}

/// A file that is not yet whole; deleted unless it is finished.
struct Part(PathBuf);

impl Part {
    fn of(path: &Path) -> Self {
        Self(with_extension(path, PART))
    }

    /// What is in it, and its SHA-256. `None` where nothing is.
    fn write(
        &self,
        from: &mut impl BufRead,
        form: Form,
        reviewers: Option<&Reviewers>,
    ) -> io::Result<Option<(Span, String)>> {
        let to = Hashing {
            to: BufWriter::new(regular::replace(&self.0, MODE)?),
            hash: digest::Context::new(&digest::SHA256),
        };
        let (lines, to) = match reviewers {
            None => pack(from, to, form.compressed)?,
            Some(reviewers) => {
                let (lines, to) = pack(from, reviewers.encrypt(to)?, form.compressed)?;
                (lines, to.finish()?)
            }
        };
        to.to.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        let sha256 = hex::encode(to.hash.finish().as_ref());
        Ok(lines.map(|lines| (lines, sha256)))
    }

    fn finish(self, path: &Path) -> io::Result<()> {
        fs::rename(&self.0, path)?;
        sync_directory(path.parent().unwrap_or(Path::new(".")))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After it was finished there is none.
        discard(&self.0);
    }
}

fn pack<W: Write>(from: &mut impl BufRead, mut to: W, compress: bool) -> io::Result<(Option<Span>, W)> {
    if !compress {
        return Ok((copy(from, &mut to)?, to));
    }
    let mut encoder = zstd::Encoder::new(to, LEVEL)?;
    encoder.include_checksum(true)?;
    let lines = copy(from, &mut encoder)?;
    Ok((lines, encoder.finish()?))
}

fn copy(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<Option<Span>> {
    let mut span: Option<Span> = None;
    let mut buffer = Vec::new();
    while from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut buffer)? > 0 {
        to.write_all(&buffer)?;
        let bytes = buffer.strip_suffix(b"\n").unwrap_or(&buffer);
        let (number, head) = (link::parse(bytes).map(|head| head.sequence), LineHash::of(bytes));
        span = match (span, number) {
            (None, None) => None,
            (None, Some(first)) => Some(Span { first, last: first, head }),
            // A torn line had a number, too.
            (Some(span), number) => {
                let last = number.unwrap_or_else(|| span.last.saturating_add(1));
                Some(Span { last, head, ..span })
            }
        };
        buffer.clear();
    }
    Ok(span)
}

/// Hashes what it passes on.
struct Hashing<W> {
    to: W,
    hash: digest::Context,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn with_extension(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn discard(path: &Path) {
    // What is not there any more needs no deletion; what stays is written over by the next attempt.
    let _ = fs::remove_file(path);
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

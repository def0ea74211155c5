//! Writes an export: whole, or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use time::OffsetDateTime;

use super::history::history;
use super::period::{At, Bounds, Search, each_line, text_of};
use super::zip::Writer;
use super::{Configuration, HEAD, NotRead, RECORDS, STATEMENT, Statement, Told, UsedCertificate};
use crate::audit::files::{self, TrailFile};
use crate::audit::reading::{Identities, Kept, files_for, stamp};
use crate::audit::signing::{PublicKey, Purpose, SigningKey};
use crate::audit::verify::{Part, Place};
use crate::audit::{head, regular};

/// Longer than any head.
const LONGEST_HEAD: u64 = 4096;
const WRITE_SIZE: usize = 1 << 18;

/// What is to be exported.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The folder of the trail.
    pub directory: &'a Path,
    /// For encrypted files.
    pub identities: &'a Identities,
    /// The begin of the period.
    pub from: OffsetDateTime,
    /// Its end, which belongs to it.
    pub to: OffsetDateTime,
    /// What signs the export; absent: nobody does.
    pub key: Option<&'a SigningKey>,
    /// What goes with the records.
    pub beside: &'a Beside,
}

/// What goes with the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Names in the export, and what is in them.
    pub members: Vec<(String, Vec<u8>)>,
    /// The configuration among them.
    pub configuration: Option<Configuration>,
    /// The certificates and lists among them.
    pub certificates: Vec<UsedCertificate>,
    /// What should be among them and could not be read.
    pub not_read: Vec<NotRead>,
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Something has this name already.
    #[error("is there already, and is not written over; name another file with -o")]
    Exists,
    /// The trail cannot be listed, or changed while it was read: its day was closed.
    #[error("{}: {error}", path.display())]
    Trail {
        /// The folder or the file.
        path: PathBuf,
        /// What is wrong.
        error: String,
    },
    /// No record is of that time.
    #[error("no record is from {from} to {to}; dimsegate audit search shows which there are")]
    NoRecord {
        /// The begin of the period.
        from: String,
        /// Its end.
        to: String,
    },
    /// The export cannot be written.
    #[error("cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// Writes an export into a file that is not there yet. It is there when the disk keeps all of it.
///
/// # Errors
/// [`ExportError`]; nothing has the name then that had not before. What cannot be read of the trail is no error, and is
/// in the statement.
pub fn write(order: &Order<'_>, to: &Path) -> Result<Statement, ExportError> {
    if to.symlink_metadata().is_ok() {
        return Err(ExportError::Exists);
    }
    let files = files::list(order.directory).map_err(|error| trail(order.directory, &error))?;
    let (from, until) = (stamp(order.from), stamp(order.to));
    let mut search = Search {
        files: &files,
        identities: order.identities.all(),
        from: &from,
        to: &until,
        not_read: order.beside.not_read.clone(),
    };
    let Some(bounds) = search.bounds() else { return Err(no_record(search)) };
    let not_read = search.not_read;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let half = NamedTempFile::new_in(folder)?;
    let mut zip = Writer::new(BufWriter::with_capacity(WRITE_SIZE, half), OffsetDateTime::now_utc());
    let mut told = statement(order, (from, until), not_read);
    copy(order, &files, bounds, &mut zip, &mut told)?;
    beside(order, &mut zip, &told)?;
    let sign = |manifest: &[u8]| order.key.map(|key| key.sign_whole(manifest));
    let written = zip.finish(Purpose::Export.context(), sign)?;
    let half = written.into_inner().map_err(io::IntoInnerError::into_error)?;
    half.as_file().sync_all()?;
    half.persist_noclobber(to).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => ExportError::Exists,
        _ => ExportError::Write(error.error),
    })?;
    Ok(told)
}

fn trail(path: &Path, error: &dyn ToString) -> ExportError {
    ExportError::Trail { path: path.to_path_buf(), error: error.to_string() }
}

fn no_record(search: Search<'_>) -> ExportError {
    match search.not_read.into_iter().find(|one| one.file.contains("audit-")) {
        Some(NotRead { file, reason }) => ExportError::Trail { path: file.into(), error: reason },
        None => ExportError::NoRecord { from: search.from.to_owned(), to: search.to.to_owned() },
    }
}

fn statement(order: &Order<'_>, (from, to): (String, String), not_read: Vec<NotRead>) -> Statement {
    let mut told = Statement {
        made: stamp(OffsetDateTime::now_utc()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        trail: order.directory.display().to_string(),
        key: order.key.map(|key| key.id().to_string()),
        not_read,
        configuration: order.beside.configuration.clone(),
        certificates: order.beside.certificates.clone(),
        ..Statement::default()
    };
    if let Ok(files) = files_for(order.directory, order.identities) {
        let (versions, configurations, kept) = history(&files, &from, &to);
        if let Some(one) = &mut told.configuration {
            one.was_in_force = configurations.iter().any(|then| then.file_sha256 == one.file_sha256);
        }
        (told.versions, told.configurations) = (versions, configurations);
        told.not_read.extend(sealed(
            order,
            &kept,
            told.configurations.first().map(|one| one.since.as_str()),
            &from,
        ));
    }
    Statement { from, to, ..told }
}

/// An encrypted day of before may tell what was in force when the period began.
fn sealed(order: &Order<'_>, kept: &Kept, first: Option<&str>, from: &str) -> Option<NotRead> {
    let known = kept.encrypted.is_empty() || first.is_some_and(|first| first <= from);
    let reason = "has encrypted days, which may tell what was in force when the period began; name a reviewer's \
                  identity with --identity";
    (!known).then(|| NotRead { file: order.directory.display().to_string(), reason: reason.into() })
}

/// The lines of the period, byte for byte, and what they prove.
fn copy<W: Write>(
    order: &Order<'_>,
    files: &[TrailFile],
    bounds: Bounds,
    zip: &mut Writer<W>,
    told: &mut Statement,
) -> Result<(), ExportError> {
    let keys: Vec<PublicKey> = order.key.map(SigningKey::public_key).into_iter().collect();
    let mut part = Part::new(&keys);
    part.skip(order.directory);
    let wanted = files.iter().enumerate().skip(bounds.first.file);
    for (at, file) in wanted.take(bounds.last.file - bounds.first.file + 1) {
        let Ok(lines) = file.open(order.identities.all()) else {
            // Noted when the period was looked for; a file that was closed since then has another name now.
            match file.path.exists() {
                true => part.skip(&file.path),
                false => return Err(trail(&file.path, &"was closed meanwhile; export once more")),
            }
            continue;
        };
        let name = format!("{RECORDS}audit-{}.jsonl", file.day);
        zip.member(&name, |out| {
            let mut place = Place { file: file.path.as_path().into(), line: 0 };
            let mut failed = Ok(());
            let read = each_line(lines, |line, bytes| {
                place.line = line;
                let here = At { file: at, line };
                if here >= bounds.first && here <= bounds.last {
                    part.line(text_of(bytes), &place);
                    failed = out.write_all(bytes);
                }
                here < bounds.last && failed.is_ok()
            });
            // Noted when the period was looked for: what could be read is there.
            if read.is_err() {
                part.skip(&file.path);
            }
            failed
        })?;
    }
    let found = part.finish();
    let seen = |seen: crate::audit::verify::Seen| Told { sequence: seen.sequence, time: seen.time };
    told.damage = found.breaks.iter().map(ToString::to_string).collect();
    (told.first, told.last) = (found.first.map(seen), found.last.map(seen));
    (told.records, told.head, told.signed_up_to) = (found.records, found.head, found.signed_up_to);
    Ok(())
}

fn beside<W: Write>(order: &Order<'_>, zip: &mut Writer<W>, told: &Statement) -> Result<(), ExportError> {
    if let Ok(head) = regular::read(&head::path_of(order.directory), LONGEST_HEAD) {
        zip.whole(HEAD, &head)?;
    }
    for (name, bytes) in &order.beside.members {
        zip.whole(name, bytes)?;
    }
    let mut text = serde_json::to_vec_pretty(told).map_err(io::Error::other)?;
    text.push(b'\n');
    Ok(zip.whole(STATEMENT, &text)?)
}

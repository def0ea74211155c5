//! The files of a folder, in the order of their names, and of which days they are.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::Date;
use time::macros::format_description;

use super::ReadError;
use super::lines::Batches;
use crate::audit::files as trail;
use crate::audit::reviewers::Identity;
use crate::files::full;

/// How the lines of a file are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Lines as they were written: `.jsonl`.
    Plain,
    /// Compressed (RFC 8878): `.jsonl.zst`.
    Zstd,
    /// Only a reviewer's identity opens it.
    Encrypted,
}

/// Identities that open encrypted files.
#[derive(Clone, Default)]
pub struct Identities(Arc<[Identity]>);

impl Identities {
    /// Each of them is tried with each file.
    pub fn new(identities: Vec<Identity>) -> Self {
        Self(identities.into())
    }

    /// Each of them.
    pub(in crate::audit) fn all(&self) -> &[Identity] {
        &self.0
    }
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} identities", self.0.len())
    }
}

/// The records of one day (UTC).
#[derive(Clone, Debug)]
pub struct RecordFile {
    /// Where it is.
    pub path: PathBuf,
    /// The day in its name.
    pub day: Date,
    /// How its lines are kept.
    pub form: Form,
    identities: Identities,
}

impl RecordFile {
    /// Whether its lines can be read, as far as is known without trying.
    pub fn is_sealed(&self) -> bool {
        self.form == Form::Encrypted && self.identities.0.is_empty()
    }

    /// Its lines.
    ///
    /// # Errors
    /// The file cannot be read, or is for another identity.
    pub(super) fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
        let compressed = self.path.to_string_lossy().contains(".jsonl.zst");
        let form = trail::Form { compressed, encrypted: self.form == Form::Encrypted };
        match trail::open(&self.path, form, &self.identities.0) {
            Ok(lines) => Ok(Box::new(lines)),
            Err(trail::OpenError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

/// The files of a folder, oldest day first. Where a day is there both plain and packed, packing was interrupted, and
/// the plain one is read.
///
/// # Errors
/// [`ReadError`] where the folder cannot be listed or holds none.
pub fn files(folder: &Path) -> Result<Vec<RecordFile>, ReadError> {
    files_for(folder, &Identities::default())
}

/// The same, with what opens those that are encrypted.
///
/// # Errors
/// As [`files`].
pub fn files_for(folder: &Path, identities: &Identities) -> Result<Vec<RecordFile>, ReadError> {
    let failed = |error| ReadError::Folder { path: full(folder).to_string(), error };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(read_name);
        if let Some((day, part, form)) = name {
            found.push((day, part, form, path));
        }
    }
    found.sort();
    found.dedup_by(|later, kept| (later.0, &later.1) == (kept.0, &kept.1));
    let file = |(day, _, form, path)| RecordFile { path, day, form, identities: identities.clone() };
    let found: Vec<_> = found.into_iter().map(file).collect();
    if found.is_empty() {
        return Err(ReadError::Empty { path: full(folder).to_string() });
    }
    Ok(found)
}

/// Those that may hold records of the days from `first` to `last`, both included. The name of a file is never earlier than
/// a record in it. It may be later, where a clock was set back: so the first record of a file behind `last` is looked at,
/// which is of the earliest day of those in it.
pub fn of_days(files: &[RecordFile], first: Option<Date>, last: Option<Date>) -> Vec<RecordFile> {
    let within = |file: &&RecordFile| {
        first.is_none_or(|first| file.day >= first)
            && last.is_none_or(|last| file.day <= last || begin(file).is_some_and(|begin| begin <= last))
    };
    files.iter().filter(within).cloned().collect()
}

/// The day of the first record of a file; `None` where there is none that can be read.
fn begin(file: &RecordFile) -> Option<Date> {
    let batches = &mut Batches::open(file).ok()?;
    let line = batches.first().ok()?;
    let time = line.strip_prefix(b"{\"time\":\"")?.get(..10)?;
    Date::parse(std::str::from_utf8(time).ok()?, format_description!("[year]-[month]-[day]")).ok()
}

/// `audit-YYYY-MM-DD[PART].jsonl`, `….jsonl.zst`, or either with `.age` behind: the day, the part, the form.
fn read_name(name: &str) -> Option<(Date, String, Form)> {
    let (day, rest) = name.strip_prefix("audit-")?.split_at_checked(10)?;
    let day = Date::parse(day, format_description!("[year]-[month]-[day]")).ok()?;
    let forms = [
        (".jsonl", Form::Plain),
        (".jsonl.zst", Form::Zstd),
        (".jsonl.zst.age", Form::Encrypted),
        (".jsonl.age", Form::Encrypted),
    ];
    let (part, form) = forms.iter().find_map(|(end, form)| Some((rest.strip_suffix(end)?, *form)))?;
    Some((day, part.to_owned(), form))
}

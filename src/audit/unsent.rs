//! What a destination has not had of a day that is over.
//!
//! A day's file is compressed, encrypted for reviewers and deleted when its time comes, whatever a repository does. What
//! is still to be sent of it is first copied into `unsent-DAY-FROM-LENGTH.jsonl`, compressed where days are, and deleted
//! when everybody has had it. Where days are encrypted so is this, by a key that only the proxy's account can read
//! (`unsent.key`) and that is deleted with the last of these files: the reviewers' key is not there to send with.

use super::closing;
use super::files::{self, Form, TrailFile};
use super::hold::Hold;
use super::reviewers::OwnKey;
use super::settings::Keeping;
use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use time::Date;

/// The lines of a day from a byte on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsent {
    pub path: PathBuf,
    pub day: Date,
    /// Bytes of the day's lines before the first that is here.
    pub from: u64,
    /// Bytes of all of the day's lines.
    pub length: u64,
    form: Form,
}

impl Unsent {
    fn new(directory: &Path, day: Date, (from, length): (u64, u64), form: Form) -> Self {
        let name = format!("unsent-{}-{from}-{length}{}", files::date(day), form.suffix());
        Self { path: directory.join(name), day, from, length, form }
    }

    fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (stem, _) = name.split_once(".jsonl")?;
        let rest = stem.strip_prefix("unsent-")?;
        let (rest, length) = rest.rsplit_once('-')?;
        let (day, from) = rest.rsplit_once('-')?;
        let (day, span) = (files::read_date(day)?, (from.parse().ok()?, length.parse().ok()?));
        let directory = path.parent()?;
        let mut all = Form::ALL.into_iter().map(|form| Self::new(directory, day, span, form));
        all.find(|unsent| unsent.path == path)
    }

    /// Its lines.
    ///
    /// # Errors
    /// The file or its key cannot be read, or it was changed.
    pub(super) fn open(&self) -> io::Result<Box<dyn BufRead + Send>> {
        let identities = match self.form.encrypted {
            true => OwnKey::identities(&key_of(&self.path))?,
            false => Vec::new(),
        };
        files::open(&self.path, self.form, &identities).map_err(io::Error::other)
    }
}

/// Copies what somebody still has to read of a day's file that is not closed yet.
///
/// # Errors
/// What reading or writing gave; nothing may become of the day's file then.
pub(super) fn keep(file: &TrailFile, keeping: &Keeping) -> io::Result<()> {
    let directory = file.path.parent().unwrap_or(Path::new("."));
    let _files = keeping.hold.files();
    let length = fs::metadata(&file.path)?.len();
    let Some(from) = keeping.hold.needed_of(file.day).filter(|from| *from < length) else { return Ok(()) };
    let kept = list(directory)?;
    // A crash before the day's file was closed leaves both.
    if kept.iter().any(|kept| kept.day == file.day && kept.from <= from && kept.length == length) {
        return Ok(());
    }
    let form = Form { compressed: keeping.compress, encrypted: keeping.reviewers.is_some() };
    let unsent = Unsent::new(directory, file.day, (from, length), form);
    let own = form.encrypted.then(|| OwnKey::at(&key_of(&unsent.path))).transpose()?;
    let mut lines = file.open(&[]).map_err(io::Error::other)?;
    pass_over(&mut lines, from)?;
    closing::write(&mut lines, &unsent.path, form, own.as_ref().map(OwnKey::reader))?;
    Ok(())
}

/// Deletes what everybody has had, unless files are being written just now.
pub(super) fn discard(directory: &Path, hold: &Hold) -> io::Result<()> {
    let Some(_files) = hold.files_now() else { return Ok(()) };
    let (over, kept): (Vec<_>, Vec<_>) =
        list(directory)?.into_iter().partition(|unsent| hold.needed_of(unsent.day).is_none());
    for unsent in &over {
        fs::remove_file(&unsent.path)?;
    }
    if over.iter().any(|unsent| unsent.form.encrypted) && !kept.iter().any(|unsent| unsent.form.encrypted) {
        fs::remove_file(directory.join(KEY))?;
    }
    Ok(())
}

/// All of them, oldest first; of a day that is there twice, the one with more first.
pub(super) fn list(directory: &Path) -> io::Result<Vec<Unsent>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        found.extend(Unsent::from_path(&entry?.path()));
    }
    found.sort_by_key(|unsent| (unsent.day, unsent.from));
    Ok(found)
}

/// Reads so many bytes and drops them.
pub(super) fn pass_over(from: &mut impl BufRead, bytes: u64) -> io::Result<()> {
    io::copy(&mut from.by_ref().take(bytes), &mut io::sink()).map(drop)
}

const KEY: &str = "unsent.key";

fn key_of(unsent: &Path) -> PathBuf {
    unsent.with_file_name(KEY)
}

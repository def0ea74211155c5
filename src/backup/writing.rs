//! A backup is made.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::entry::{self, header, padding};
use super::error::BackupError;
use super::kind::Kind;
use super::manifest::{Manifest, Member};
use super::place::Place;
use crate::age::{self, Encryptor, Recipient};
use crate::files;
use crate::notation::hex;

const MODE: u32 = 0o600;
/// Bytes of a file that are in memory at once.
pub(super) const STEP: usize = 64 << 10;

/// Something that is to be a member, and was read once.
#[derive(Debug)]
pub struct Source {
    member: Member,
    path: PathBuf,
    content: Content,
}

/// Where its bytes are.
#[derive(Debug)]
pub enum Content {
    /// In a file that is open: what is appended later is not of the backup.
    File(File),
    /// Few, and here.
    Bytes(Vec<u8>),
}

/// A backup that is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Bytes of the file.
    pub length: u64,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}

impl Source {
    /// Of a file that is there.
    ///
    /// # Errors
    /// It cannot be opened or read.
    pub fn open(kind: Kind, place: Place, path: &Path) -> Result<Self, BackupError> {
        let opened = files::open(path).map_err(BackupError::io(path))?;
        Self::new(kind, place, path, Content::File(opened))
    }

    /// Of anything; errors call it by its path.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn new(kind: Kind, place: Place, path: &Path, mut content: Content) -> Result<Self, BackupError> {
        let length = match &content {
            Content::File(file) => file.metadata().map_err(BackupError::io(path))?.len(),
            Content::Bytes(bytes) => bytes.len() as u64,
        };
        let sha256 = content.copy(length, &mut io::sink()).map_err(BackupError::io(path))?;
        let sha256 = sha256.ok_or_else(|| BackupError::Changed(path.to_owned()))?;
        Ok(Self { member: Member { kind, place, length, sha256 }, path: path.to_owned(), content })
    }

    /// As the manifest has it.
    pub fn member(&self) -> &Member {
        &self.member
    }

    fn copy_into(&mut self, to: &mut dyn Write) -> Result<(), CopyError> {
        let copied = self.content.copy(self.member.length, to)?;
        match copied {
            Some(sha256) if sha256 == self.member.sha256 => Ok(()),
            _ => Err(CopyError::Changed),
        }
    }
}

enum CopyError {
    Io(io::Error),
    Changed,
}

impl From<io::Error> for CopyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Content {
    /// The digest of its first `length` bytes; `None` where there are fewer.
    fn copy(&mut self, length: u64, to: &mut dyn Write) -> io::Result<Option<String>> {
        match self {
            Self::Bytes(bytes) => digested(&mut bytes.as_slice(), length, to),
            Self::File(file) => {
                file.rewind()?;
                digested(file, length, to)
            }
        }
    }
}

/// Copies so many bytes; their SHA-256, lower-case hex, or `None` where there are fewer.
pub(super) fn digested(from: &mut dyn Read, length: u64, to: &mut dyn Write) -> io::Result<Option<String>> {
    let (mut context, mut buffer, mut left) = (Context::new(&SHA256), vec![0; STEP], length);
    while left > 0 {
        let most = usize::try_from(left).map_or(STEP, |left| left.min(STEP));
        let read = match from.read(buffer.get_mut(..most).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok(None);
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        context.update(bytes);
        to.write_all(bytes)?;
        left = left.saturating_sub(read as u64);
    }
    Ok(Some(hex::encode(context.finish().as_ref())))
}

/// SHA-256 of a whole file, lower-case hex, and its length.
///
/// # Errors
/// It cannot be opened or read.
pub fn digest_of(path: &Path) -> io::Result<(String, u64)> {
    let mut file = files::open(path)?;
    let length = file.metadata()?.len();
    let sha256 = digested(&mut file, length, &mut io::sink())?;
    sha256.map(|sha256| (sha256, length)).ok_or_else(|| io::Error::other("it changed while it was read"))
}

/// Writes a backup, for the recipients alone. It has its name only when all of it is on the disk; until then it is
/// beside, with `.part` behind its name.
///
/// # Errors
/// There is a file of this name, something changed while it was read, or cannot be read or written. Nothing is left.
pub fn write(
    path: &Path,
    recipients: &[Recipient],
    manifest: Manifest,
    mut sources: Vec<Source>,
) -> Result<Made, BackupError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(BackupError::Exists(path.to_owned()));
    }
    let members = sources.iter().map(|source| source.member.clone()).collect();
    let manifest = Manifest { members, ..manifest }.checked()?;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let file = files::replace(&part, MODE).map_err(BackupError::io(&part))?;
    let written = fill(&part, file, recipients, &manifest, &mut sources).and_then(|made| {
        name(&part, path)?;
        Ok(made)
    });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

fn fill(
    part: &Path,
    file: File,
    recipients: &[Recipient],
    manifest: &Manifest,
    sources: &mut [Source],
) -> Result<Made, BackupError> {
    let io_at = |path: &Path, error| BackupError::Io { path: path.to_owned(), error };
    let out = Digesting { to: BufWriter::new(file), context: Context::new(&SHA256), length: 0 };
    let mut out = age::encrypt(out, recipients).map_err(|error| io_at(part, error))?;
    first(&mut out, manifest).map_err(|error| io_at(part, error))?;
    for (number, source) in (1..).zip(sources) {
        let member = source.member();
        let head = header(&member.below().to_string_lossy(), number, member.length);
        out.write_all(&head).map_err(|error| io_at(part, error))?;
        let padding = padding(member.length);
        let mut to = Telling::new(&mut out);
        let copied = source.copy_into(&mut to);
        if let Some(error) = to.failed {
            return Err(io_at(part, error));
        }
        copied.map_err(|why| match why {
            CopyError::Changed => BackupError::Changed(source.path.clone()),
            CopyError::Io(error) => io_at(&source.path, error),
        })?;
        zeros(&mut out, padding).map_err(|error| io_at(part, error))?;
    }
    finish(out).map_err(|error| io_at(part, error))
}

fn first<W: Write>(out: &mut Encryptor<W>, manifest: &Manifest) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(manifest)?;
    let length = text.len() as u64;
    if length > entry::LONGEST_MANIFEST {
        return Err(io::Error::other("there are too many files to back up"));
    }
    out.write_all(&header(entry::MANIFEST, 0, length))?;
    out.write_all(&text)?;
    zeros(out, padding(length))
}

fn finish(mut out: Encryptor<Digesting>) -> io::Result<Made> {
    zeros(&mut out, entry::END)?;
    let Digesting { to, context, length } = out.finish()?;
    to.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(Made { length, sha256: hex::encode(context.finish().as_ref()) })
}

fn zeros(out: &mut impl Write, count: usize) -> io::Result<()> {
    out.write_all([0; entry::END].get(..count).unwrap_or_default())
}

/// Gives it its name, where nobody has it.
fn name(part: &Path, path: &Path) -> Result<(), BackupError> {
    renameat_with(CWD, part, CWD, path, RenameFlags::NOREPLACE).map_err(|error| {
        let error = io::Error::from(error);
        match error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(path.to_owned()),
            _ => BackupError::Io { path: path.to_owned(), error },
        }
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::io(folder))
}

/// What is written, counted and digested on its way.
struct Digesting {
    to: BufWriter<File>,
    context: Context,
    length: u64,
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.context.update(bytes.get(..written).unwrap_or_default());
        self.length = self.length.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Tells an error of what is written to from one of what is read.
pub(super) struct Telling<'w> {
    to: &'w mut dyn Write,
    pub(super) failed: Option<io::Error>,
}

impl<'w> Telling<'w> {
    pub(super) fn new(to: &'w mut dyn Write) -> Self {
        Self { to, failed: None }
    }
}

impl Write for Telling<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes).map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

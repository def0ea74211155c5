//! A backup is read, and unpacked.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::entry::{self, BLOCK, header, padding};
use super::error::BackupError;
use super::manifest::{Manifest, Member};
use super::writing::{Telling, digested};
use crate::age::{self, Decrypted, Identity};
use crate::files;

/// A backup whose manifest was read.
pub struct Archive {
    reader: Decrypted<BufReader<File>>,
    manifest: Manifest,
}

impl Archive {
    /// Opens a backup with the first identity that fits, and reads its manifest.
    ///
    /// # Errors
    /// It cannot be read, was encrypted for others, is damaged, no backup or one of a later version.
    pub fn open(path: &Path, identities: &[Identity]) -> Result<Self, BackupError> {
        let file = files::open(path).map_err(BackupError::io(path))?;
        let opened = age::decrypt(BufReader::new(file), identities);
        let mut reader = opened.map_err(BackupError::Closed)?;
        let mut first = [0; BLOCK];
        whole(&mut reader, &mut first)?;
        let length = entry::length_of_manifest(&first).ok_or(BackupError::NoBackup)?;
        let mut text = vec![0; usize::try_from(length).map_err(|_| BackupError::NoBackup)?];
        whole(&mut reader, &mut text)?;
        zeros(&mut reader, padding(length))?;
        Ok(Self { reader, manifest: Manifest::parse(&text)? })
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Writes every member below a folder that is there, empty, and nobody else's: files of mode 0600 in folders of mode 0700.
    ///
    /// # Errors
    /// It is damaged, ends early or late, or does not fit. What was written so far is for whoever made the folder to remove.
    pub fn unpack(mut self, root: &Path) -> Result<Manifest, BackupError> {
        has_room(root, &self.manifest)?;
        for (number, member) in (1..).zip(&self.manifest.members) {
            take(&mut self.reader, number, member, root)?;
        }
        zeros(&mut self.reader, entry::END)?;
        match self.reader.read(&mut [0]).map_err(|error| damaged(&error))? {
            0 => Ok(self.manifest),
            _ => Err(BackupError::Damaged("something comes behind its end".to_owned())),
        }
    }
}

fn has_room(folder: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let disk = rustix::fs::statvfs(folder).map_err(|error| BackupError::io(folder)(error.into()))?;
    let (needed, free) = (manifest.length(), disk.f_bavail.saturating_mul(disk.f_frsize));
    match needed <= free {
        true => Ok(()),
        false => Err(BackupError::NoRoom { folder: folder.to_owned(), needed, free }),
    }
}

fn take(reader: &mut impl Read, number: usize, member: &Member, root: &Path) -> Result<(), BackupError> {
    let (below, mut found) = (member.below(), [0; BLOCK]);
    whole(reader, &mut found)?;
    if found != header(&below.to_string_lossy(), number, member.length) {
        return Err(BackupError::Damaged(format!("{} is not where its manifest says", member.place)));
    }
    let path = root.join(below);
    let mut file = make(&path).map_err(BackupError::io(&path))?;
    let mut to = Telling::new(&mut file);
    let copied = digested(reader, member.length, &mut to);
    if let Some(error) = to.failed {
        return Err(BackupError::Io { path, error });
    }
    match copied.map_err(|error| damaged(&error))? {
        None => return Err(BackupError::Damaged(format!("it ends within {}", member.place))),
        Some(sha256) if sha256 != member.sha256 => {
            return Err(BackupError::Damaged(format!("{} has another SHA-256", member.place)));
        }
        Some(_) => {}
    }
    zeros(reader, padding(member.length))?;
    file.sync_all().map_err(BackupError::io(&path))
}

fn make(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn whole(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), BackupError> {
    reader.read_exact(bytes).map_err(|error| damaged(&error))
}

fn zeros(reader: &mut impl Read, count: usize) -> Result<(), BackupError> {
    let mut bytes = vec![0; count];
    whole(reader, &mut bytes)?;
    match bytes.iter().all(|byte| *byte == 0) {
        true => Ok(()),
        false => Err(BackupError::Damaged("something is between two members".to_owned())),
    }
}

fn damaged(error: &io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BackupError::Damaged("its end is missing".to_owned()),
        _ => BackupError::Damaged(error.to_string()),
    }
}

//! Secret files: pseudonym and record keys.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::report::{Located, Report, Wrong};
use crate::crosswalk::Secret;
use crate::files::{self, full};
use crate::users;

/// As strong as the HMAC-SHA-256 that it keys.
const MIN_SECRET: usize = 32;
const MAX_SECRET: u64 = 4096;

/// No key is longer in whatever form: as much as a digest is made of.
pub(super) const LONGEST: u64 = 1 << 20;

/// The key in a file that only its owner may read: at least 32 bytes, one newline at its end not counted.
pub(super) fn key(report: &Report<'_>, path: &Located<PathBuf>) -> Option<hmac::Key> {
    report.reads(&path.value);
    match read(&path.value) {
        Ok(secret) => Some(hmac::Key::new(hmac::HMAC_SHA256, &secret)),
        Err(wrong) => {
            report.wrong(&path.place, wrong);
            None
        }
    }
}

/// The key of a crosswalk, by the rules of every other secret file.
///
/// # Errors
/// What is wrong with the file, and what to do.
pub fn crosswalk_key(path: &Path) -> Result<Secret, String> {
    read(path).map(Secret::new).map_err(|wrong| format!("{}, {}", wrong.problem, wrong.remedy))
}

/// The key of one-time secrets, by the same rules.
///
/// # Errors
/// As [`crosswalk_key`].
pub fn users_key(path: &Path) -> Result<users::Key, String> {
    let secret = read(path).map_err(|wrong| format!("{}, {}", wrong.problem, wrong.remedy))?;
    users::Key::new(&secret).ok_or_else(|| format!("{} makes no key", full(path)))
}

/// As [`key`], the bytes themselves.
pub(super) fn bytes(report: &Report<'_>, path: &Located<PathBuf>) -> Option<Zeroizing<Vec<u8>>> {
    report.reads(&path.value);
    read(&path.value).map_err(|wrong| report.wrong(&path.place, wrong)).ok()
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    let make = format!("make it with: (umask 077; openssl rand -base64 48 > {})", path.display());
    let mut secret = read_file(path, &make)?;
    for end in [b'\n', b'\r'] {
        if secret.last() == Some(&end) {
            secret.pop();
        }
    }
    if secret.len() < MIN_SECRET {
        let problem = format!("{} holds {} bytes, fewer than {MIN_SECRET}", full(path), secret.len());
        return Err(Wrong::new(problem, make));
    }
    Ok(secret)
}

/// A small file that only its owner may read; `make` and its name are what would make one.
pub(super) fn read_owned(path: &Path, make: &str) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    read_file(path, &format!("{make} {}", path.display()))
}

fn read_file(path: &Path, make: &str) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    let shown = full(path);
    let unreadable = |error: std::io::Error| Wrong::new(format!("{shown} cannot be read: {error}"), make);
    let file = files::open(path).map_err(unreadable)?;
    if let Some(mode) = open_to_others(&file).map_err(unreadable)? {
        let problem = format!("{shown} can be read by others (mode {mode:04o})");
        return Err(Wrong::new(problem, format!("type: chmod 600 {}", path.display())));
    }
    // Grown beforehand, so that no copy is left behind.
    let mut secret = Zeroizing::new(Vec::with_capacity(MAX_SECRET as usize + 1));
    file.take(MAX_SECRET + 1).read_to_end(&mut secret).map_err(unreadable)?;
    if secret.len() as u64 > MAX_SECRET {
        return Err(Wrong::new(format!("{shown} is longer than {MAX_SECRET} bytes"), make));
    }
    Ok(secret)
}

/// The permissions, where they let group or others read or write.
#[cfg(unix)]
pub(super) fn open_to_others(file: &File) -> std::io::Result<Option<u32>> {
    use std::os::unix::fs::MetadataExt;
    let mode = file.metadata()?.mode() & 0o7777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// Other systems keep permissions elsewhere.
#[cfg(not(unix))]
pub(super) fn open_to_others(_: &File) -> std::io::Result<Option<u32>> {
    Ok(None)
}

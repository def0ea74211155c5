//! Which files are to be rewritten.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The files named, and those in the folders named, each once; and what could not be looked into. Links in folders are
/// not followed, and what is in `out` already is no input.
pub(super) fn files_of(inputs: &[PathBuf], out: &Path) -> (BTreeSet<PathBuf>, Vec<(PathBuf, io::Error)>) {
    let out = out.canonicalize().ok();
    let (mut files, mut unreadable) = (BTreeSet::new(), Vec::new());
    let mut waiting: Vec<PathBuf> = inputs.to_vec();
    while let Some(path) = waiting.pop() {
        if !path.is_dir() {
            files.insert(path);
            continue;
        }
        if out.is_some() && path.canonicalize().ok() == out {
            continue;
        }
        match fs::read_dir(&path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>()) {
            Ok(entries) => {
                let plain = |entry: &fs::DirEntry| {
                    entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_file())
                };
                waiting.extend(entries.iter().filter(|entry| plain(entry)).map(fs::DirEntry::path));
            }
            Err(error) => unreadable.push((path, error)),
        }
    }
    (files, unreadable)
}

/// A file's name without what could move a terminal's cursor.
pub(super) fn printable(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

//! Whether records can be written where they are to be, and by whom else.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::report::{Place, Report};

const EVERYBODY_WRITES: u32 = 0o002;
const OTHERS_WRITE: u32 = 0o022;
/// Only the owner of a file can take it away (restricted deletion).
const STICKY: u32 = 0o1000;

/// The risks of a folder for records. One that is missing is made at the start.
pub(super) fn risks(report: &Report<'_>, place: &Place, directory: &Path) {
    let shown = directory.display();
    if let Err(problem) = can_be_written(directory) {
        let remedy = "give it to the account that the proxy runs as, or run check as that account";
        return report.risk(place, format!("cannot be written: {problem}"), remedy);
    }
    if let Some(mode) = mode(directory).filter(|mode| mode & OTHERS_WRITE != 0) {
        let problem = format!(
            "{shown} can be written by others (mode {mode:04o}), who can take records away or put others in their place"
        );
        report.risk(place, problem, format!("type: chmod go-w {shown}"));
    }
    if let Some((parent, mode)) = open_parent(directory) {
        let parent = parent.display();
        let problem = format!(
            "lies in {parent}, which everybody can write (mode {mode:04o}): whoever does can put another folder in its place"
        );
        report.risk(place, problem, format!("type: chmod o-w {parent}"));
    }
}

/// Whether this account can write into the folder, or make it.
fn can_be_written(directory: &Path) -> Result<(), String> {
    match directory.metadata() {
        Ok(found) => allows(directory, &found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = existing(directory);
            let found = above.metadata().map_err(|error| told(&above, &error))?;
            allows(&above, &found).map_err(|problem| format!("it is missing and cannot be made, {problem}"))
        }
        Err(error) => Err(told(directory, &error)),
    }
}

fn allows(folder: &Path, found: &Metadata) -> Result<(), String> {
    if !found.is_dir() {
        return Err(format!("{} is not a folder", folder.display()));
    }
    let access = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK);
    access.map_err(|error| told(folder, &error.into()))
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// The nearest folder above that there is.
fn existing(directory: &Path) -> PathBuf {
    let above = directory.ancestors().skip(1);
    let named = above.map(|one| if one.as_os_str().is_empty() { Path::new(".") } else { one });
    named.into_iter().find(|one| one.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn mode(path: &Path) -> Option<u32> {
    path.metadata().ok().map(|found| found.permissions().mode() & 0o7777)
}

/// A folder above in which everybody can rename what is there.
fn open_parent(directory: &Path) -> Option<(PathBuf, u32)> {
    let there = if directory.exists() { directory.to_owned() } else { existing(directory) };
    let whole = there.canonicalize().ok()?;
    let skipped = usize::from(directory.exists());
    let above = whole.ancestors().skip(skipped).map(Path::to_owned);
    above
        .filter_map(|one| mode(&one).map(|mode| (one, mode)))
        .find(|(_, mode)| mode & EVERYBODY_WRITES != 0 && mode & STICKY == 0)
}

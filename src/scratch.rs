//! A test's own folder, which is gone when the test is; or the test fails, and tells what is left in it and who uses it.

use std::fs;
use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// For a process that was killed and has not ended yet, or a thread that writes its last file. Whoever waits for what it
/// started never needs it.
const PATIENCE: Duration = Duration::from_secs(10);

/// As [`TempDir`], which says nothing where a folder cannot be removed because something still writes into it.
pub(crate) struct Scratch {
    folder: TempDir,
    made: &'static Location<'static>,
    patience: Duration,
}

impl Scratch {
    #[track_caller]
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        Self { folder, made: Location::caller(), patience: PATIENCE }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Err(error) = removed(self.path(), self.patience) else { return };
        let test = thread::current().name().unwrap_or("a thread").to_owned();
        let (left, users) = (within(self.path()), users(self.path()));
        let folder = self.path().display();
        let told = format!(
            "{test} made {folder} at {} and cannot remove it: {error}; in it: {left:#?}; used by: {users:#?}",
            self.made
        );
        // A second panic would end the process, and hide the first.
        if thread::panicking() { eprintln!("{told}") } else { panic!("{told}") }
    }
}

/// What was written into it meanwhile is removed, too.
fn removed(folder: &Path, patience: Duration) -> io::Result<()> {
    let over = Instant::now() + patience;
    loop {
        let removed = fs::remove_dir_all(folder);
        if fs::symlink_metadata(folder).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        if Instant::now() >= over {
            return removed;
        }
        thread::park_timeout(Duration::from_millis(10));
    }
}

/// The folder and all that is in it.
fn within(path: &Path) -> Vec<PathBuf> {
    let mut all = vec![path.to_owned()];
    let is_folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let entries = fs::read_dir(path).into_iter().flatten().flatten().filter(|_| is_folder);
    all.extend(entries.flat_map(|entry| within(&entry.path())));
    all
}

/// The command lines of processes that work in the folder, have a file of it open, or were told of it.
fn users(folder: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    let command = |process: &Path| {
        let bytes = fs::read(process.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    let uses = |process: &PathBuf| {
        let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        let mut links = open.map(|entry| entry.path()).chain([process.join("cwd")]);
        command(process).contains(&*folder.to_string_lossy())
            || links.any(|link| fs::read_link(link).is_ok_and(|to| to.starts_with(folder)))
    };
    processes.filter(uses).map(|process| format!("{}: {}", process.display(), command(&process))).collect()
}

#[cfg(test)]
mod tests {
    // What the tests alone need is named in whole: a program without their harness has this module, too.
    use super::Scratch;
    use std::fs;
    use std::path::PathBuf;

    /// One that cannot be removed while its path is that of a file.
    fn in_the_way() -> (Scratch, PathBuf) {
        let scratch = Scratch::new();
        let path = scratch.path().to_owned();
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "in the way").unwrap();
        (scratch, path)
    }

    #[test]
    fn a_folder_that_cannot_be_removed_yet_is_removed_when_it_can() {
        let (scratch, path) = in_the_way();
        let clearing = std::thread::spawn(move || {
            std::thread::park_timeout(std::time::Duration::from_millis(50));
            fs::remove_file(&path).unwrap();
            path
        });
        drop(scratch);
        assert!(!clearing.join().unwrap().exists());
    }

    #[test]
    fn what_cannot_be_removed_fails_the_test_that_made_it() {
        let (mut scratch, path) = in_the_way();
        scratch.patience = std::time::Duration::ZERO;
        let dropping = std::panic::AssertUnwindSafe(|| drop(scratch));
        let told = std::panic::catch_unwind(dropping).unwrap_err();
        let told = told.downcast_ref::<String>().unwrap();
        for part in ["what_cannot_be_removed", path.to_str().unwrap(), "src/scratch.rs:"] {
            assert!(told.contains(part), "{part} in {told}");
        }
        fs::remove_file(path).unwrap();
    }
}

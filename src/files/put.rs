//! Small files that are written whole or not at all, and the folders that they lie in.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Makes a file that takes the place of whatever has this name: of a crash, or somebody else's.
///
/// # Errors
/// What removing that, or making the file, gave.
pub(crate) fn replace(path: &Path, mode: u32) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

/// Writes a small file that takes the place of whatever has this name, at once and for good: whoever reads sees the old one or
/// all of the new one, and so does the next start after a crash at any moment. It is written beside, kept by the disk, and only
/// then given its name.
///
/// # Errors
/// What a step of that gave; unless it was the last one, the old file is there as it was.
pub(crate) fn put(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    put_named(path, mode, bytes)?.map_or(Ok(()), Err)
}

/// As [`put`], for whoever has to know which of the files is there. With an error inside the new one is, and it is not sure that
/// it still is after a crash of the machine.
///
/// # Errors
/// What a step before the last one gave: the old file is there as it was.
pub(crate) fn put_named(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<Option<io::Error>> {
    put_open(path, mode, bytes).map(|(_, unsure)| unsure)
}

/// The same, with the new file, open behind what was written.
///
/// # Errors
/// As [`put_named`].
pub(super) fn put_open(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<(File, Option<io::Error>)> {
    let fresh = beside(path);
    let written = replace(&fresh, mode).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        Ok(file)
    });
    if written.is_err() {
        // What stays is written over by the next attempt.
        let _ = fs::remove_file(&fresh);
    }
    let file = written?;
    let synced = File::open(folder_of(path).unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
    Ok((file, synced.err()))
}

/// The name of a file before it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-new");
    name.into()
}

/// Makes the folder of a file that only its owner reads, where it is missing, and all above it.
///
/// # Errors
/// What making it gave.
pub(crate) fn make_folder_of(file: &Path) -> io::Result<()> {
    match folder_of(file) {
        Some(folder) => DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

/// `None` for a file of the working directory.
fn folder_of(file: &Path) -> Option<&Path> {
    file.parent().filter(|folder| !folder.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::put;
    use crate::files::read;
    use crate::scratch::Scratch;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn what_is_put_takes_the_place_of_anything_whole_or_not_at_all() {
        let home = Scratch::new();
        let (path, fresh) = (home.path().join("small"), home.path().join("small-new"));
        let names = || fs::read_dir(home.path()).unwrap().count();
        fs::write(home.path().join("secret"), "kept").unwrap();
        // Of a crash, or somebody else's.
        symlink(home.path().join("secret"), &fresh).unwrap();
        symlink(home.path().join("secret"), &path).unwrap();
        for text in ["first", "second"] {
            put(&path, 0o600, text.as_bytes()).unwrap();
            assert_eq!(read(&path, 9).unwrap(), text.as_bytes());
            assert_eq!(fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!((fs::read(home.path().join("secret")).unwrap(), names()), (b"kept".to_vec(), 2));
        // It cannot be written, or cannot be given its name: the old one stays, and nothing else.
        fs::create_dir_all(fresh.join("x")).unwrap();
        put(&path, 0o600, b"third").unwrap_err();
        assert_eq!(read(&path, 9).unwrap(), b"second");
        fs::remove_dir_all(&fresh).unwrap();
        fs::remove_file(&path).unwrap();
        fs::create_dir_all(path.join("x")).unwrap();
        put(&path, 0o600, b"fourth").unwrap_err();
        assert_eq!((path.join("x").exists(), names()), (true, 2));
    }
}

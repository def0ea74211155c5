//! A file that is written anew: whoever reads it sees the old one or the new one, and after a crash it is one of them.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Gid, Uid, fchown};

/// Writes `bytes` in the place of `path`, for the owner and with the permissions of `like`.
///
/// # Errors
/// What any step gave; then the old file is there as it was.
pub(super) fn replace(path: &Path, bytes: &[u8], like: &Metadata) -> io::Result<()> {
    // Through a link the file that it leads to is meant.
    let path = match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        real => real?,
    };
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    let own = new.as_file().metadata()?;
    if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
        fchown(new.as_file(), Some(Uid::from_raw(like.uid())), Some(Gid::from_raw(like.gid())))?;
    }
    new.as_file().set_permissions(Permissions::from_mode(like.mode() & 0o700))?;
    new.as_file().sync_all()?;
    new.persist(&path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

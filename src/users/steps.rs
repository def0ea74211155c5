//! Which one-time codes were used: the last step of each user, in `FILE.used` beside the file of users.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use super::error::UsersError;
use super::lock::io_error;
use super::replace::replace;
use super::user::User;
use crate::files;

/// Bytes: a name and a number for as many users as there may be.
const LARGEST: u64 = 2 << 20;

/// Marks a step as used. False where it was, or a later one. The file of users is held meanwhile; of `users` alone steps are
/// kept, so that there are never more of them.
pub(super) fn take(
    file: &Path,
    name: &str,
    step: i64,
    users: &[User],
    like: &Metadata,
) -> Result<bool, UsersError> {
    let path = beside(file);
    let mut used = read(&path)?;
    if used.get(name).is_some_and(|last| *last >= step) {
        return Ok(false);
    }
    used.retain(|name, _| users.iter().any(|user| user.name == *name));
    used.insert(name.to_owned(), step);
    let text = serde_json::to_string(&used).map_err(|error| io_error("write", &path, error.into()))?;
    replace(&path, text.as_bytes(), like).map_err(|source| io_error("write", &path, source))?;
    Ok(true)
}

fn read(path: &Path) -> Result<BTreeMap<String, i64>, UsersError> {
    let bytes = match files::read(path, LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        read => read.map_err(|source| io_error("read", path, source))?,
    };
    serde_json::from_slice(&bytes).map_err(|error| UsersError::Bad {
        file: path.to_owned(),
        line: error.line().max(1),
        column: error.column().max(1),
        detail: "does not say which codes were used; remove it when no code of the last two minutes can be known to others"
            .to_owned(),
    })
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".used");
    name.into()
}

//! The last good keys of an issuer, on the disk: a restart while its server is away locks nobody out whose keys still count.
//!
//! Whoever could write there could let anybody in, so a file that others can write counts as none. It holds public keys alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::key_set::{KeySet, LARGEST};
use super::keys::Fetched;
use crate::files::{self, Others, read_own};
use crate::notation::hex;

/// The file of one issuer.
#[derive(Clone, Debug)]
pub struct Stored {
    file: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// SHA-256 of where they come from: of another server none count.
    source: String,
    /// Seconds since 1970.
    fetched: i64,
    /// As the server has given it.
    keys: String,
}

impl Stored {
    /// In the folder that keeps what outlives a restart. Nothing is read or made yet.
    pub fn in_folder(folder: &Path, issuer: &str) -> Self {
        Self { file: folder.join(format!("keys-{issuer}.json")) }
    }

    /// Its name, for those who have to be told.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Keeps what a server has given. It waits for the disk.
    ///
    /// # Errors
    /// It cannot be written; what was there stays.
    pub fn keep(&self, source: &str, keys: &[u8], at: OffsetDateTime) -> io::Result<()> {
        let content = Content {
            source: hashed(source),
            fetched: at.unix_timestamp(),
            keys: String::from_utf8(keys.to_vec()).map_err(io::Error::other)?,
        };
        files::make_folder_of(&self.file)?;
        files::put(&self.file, 0o600, &serde_json::to_vec(&content)?)
    }

    /// Leaves nothing of it for the next start: what could not be kept has made it old.
    ///
    /// # Errors
    /// It stays.
    pub fn forget(&self) -> io::Result<()> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// What was kept of this source, and when it was fetched. `None` where there is nothing, or nothing of it is to be believed:
    /// others could have written it, it is of another source, or of a time that has not come.
    pub fn read(&self, source: &str, now: OffsetDateTime) -> Option<(KeySet, OffsetDateTime)> {
        // As JSON in a string of JSON, it may have become twice as long.
        let bytes = read_own(&self.file, Others::MayNotWrite, 2 * LARGEST + 1024).ok()??;
        let content: Content = serde_json::from_slice(&bytes).ok()?;
        let at = OffsetDateTime::from_unix_timestamp(content.fetched).ok()?;
        let is_meant = content.source == hashed(source) && at <= now;
        is_meant.then(|| KeySet::parse(content.keys.as_bytes()).ok()).flatten().map(|keys| (keys, at))
    }

    /// Goes on with what was kept, where nothing was fetched yet. It waits for the disk.
    pub fn recall(&self, keys: &Fetched, now: OffsetDateTime) {
        if keys.fetching(now).at.is_none()
            && let Some((set, at)) = self.read(keys.source(), now)
        {
            keys.keep(set, at);
        }
    }
}

fn hashed(source: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, source.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::Stored;
    use crate::scratch::Scratch;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use time::macros::datetime;
    use time::{Duration, OffsetDateTime};

    const AT: OffsetDateTime = datetime!(2026-12-01 08:00 UTC);
    /// RFC 8037, appendix A.2.
    const SET: &[u8] = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    #[test]
    fn what_was_fetched_is_there_again_of_the_same_source_with_its_time() {
        let folder = Scratch::new();
        let stored = Stored::in_folder(&folder.path().join("state"), "login");
        let read = |source: &str, now| stored.read(source, now).map(|(_, at)| at);
        assert_eq!(read("a", AT), None);
        stored.keep("a", SET, AT).unwrap();
        assert_eq!(read("a", AT + Duration::HOUR), Some(AT));
        assert_eq!(read("b", AT + Duration::HOUR), None, "of another server");
        assert_eq!(read("a", AT - Duration::SECOND), None, "of a time that has not come");
        for _ in 0..2 {
            // One that is gone is no failure.
            stored.forget().unwrap();
            assert_eq!(read("a", AT), None);
        }
        stored.keep("a", SET, AT).unwrap();
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(stored.path()), 0o600);
    }

    #[test]
    fn a_file_that_others_can_write_or_that_is_damaged_is_none() {
        let folder = Scratch::new();
        let stored = Stored::in_folder(folder.path(), "login");
        stored.keep("a", SET, AT).unwrap();
        let set_mode = |mode| fs::set_permissions(stored.path(), fs::Permissions::from_mode(mode)).unwrap();
        for mode in [0o620, 0o602] {
            set_mode(mode);
            assert!(stored.read("a", AT).is_none(), "{mode:o}");
        }
        set_mode(0o600);
        let bytes = fs::read(stored.path()).unwrap();
        for end in 0..bytes.len() {
            fs::write(stored.path(), &bytes[..end]).unwrap();
            assert!(stored.read("a", AT).is_none(), "{end} bytes");
        }
        fs::write(stored.path(), &bytes).unwrap();
        assert!(stored.read("a", AT).is_some());
    }
}

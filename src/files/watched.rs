//! Whether a file is still what it was, without anybody telling.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use aws_lc_rs::digest;

/// Nothing that is watched is longer: as much of a file as a digest is made of.
const LONGEST: usize = 64 << 20;

/// What the system says of a file, a look that costs no read. Another one where it may hold something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    place: (u64, u64),
    bytes: u64,
    /// Written, and changed in any way (its mode too), in nanoseconds.
    times: [(i64, i64); 2],
}

impl Stamp {
    /// `None` where there is no such file, or nobody may look.
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|found| Self::new(&found))
    }

    fn new(found: &Metadata) -> Self {
        let times = [(found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec())];
        Self { place: (found.dev(), found.ino()), bytes: found.len(), times }
    }
}

/// What is in a file, and who may read it. It is kept in memory only, since it may be of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Content {
    sha256: [u8; 32],
    mode: u32,
    owner: u32,
}

impl Content {
    /// `None` where it cannot be read.
    pub fn of(path: &Path) -> Option<Self> {
        read(path).ok()
    }
}

fn read(path: &Path) -> io::Result<Content> {
    let mut file = super::open(path)?;
    let found = file.metadata()?;
    let (mut context, mut left) = (digest::Context::new(&digest::SHA256), LONGEST);
    let mut part = zeroize::Zeroizing::new(vec![0; 1 << 16]);
    while left > 0 {
        let count = io::Read::read(&mut file, &mut part)?;
        if count == 0 {
            break;
        }
        context.update(part.get(..count).unwrap_or_default());
        left = left.saturating_sub(count);
    }
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(context.finish().as_ref());
    Ok(Content { sha256, mode: found.mode(), owner: found.uid() })
}

#[cfg(test)]
mod tests {
    use super::{Content, Stamp};
    use crate::scratch::Scratch;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_written_replaced_or_opened_to_others_is_seen() {
        let home = Scratch::new();
        let file = home.path().join("server.pem");
        assert!(Stamp::of(&file).is_none() && Content::of(&file).is_none());
        fs::write(&file, "one").unwrap();
        let (stamp, content) = (Stamp::of(&file), Content::of(&file));
        assert!(Stamp::of(&file) == stamp && Content::of(&file) == content && content.is_some());
        // Another file of the same length in its place.
        fs::write(home.path().join("next"), "two").unwrap();
        fs::rename(home.path().join("next"), &file).unwrap();
        assert!(Stamp::of(&file) != stamp && Content::of(&file) != content);
        fs::write(home.path().join("next"), "one").unwrap();
        fs::rename(home.path().join("next"), &file).unwrap();
        assert!(Stamp::of(&file) != stamp, "another file");
        assert!(Content::of(&file) == content, "with the same in it");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        assert!(Content::of(&file) != content, "for others to read, or not any more");
    }
}

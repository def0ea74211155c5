//! The head of the trail: the last record that is signed and on the disk, kept in a file of its own.
//!
//! A trail whose end was cut off reads like one that was never longer. So what its end was is kept beside it, signed for
//! this purpose alone: no checkpoint of the trail can be made into a head. The next run and [`verify`](super::verify)
//! hold the trail against it. Who has kept an old head can put it back: then only somebody else who knows a later one
//! can tell.

use super::line_hash::LineHash;
use super::record::Span;
use super::regular;
use super::signing::{self, PublicKey, Purpose, Signature, SigningKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

const NAME: &str = "audit.head";
/// Longer than any head.
const LONGEST: u64 = 4096;

/// A record of the trail, by its number and the SHA-256 of its line. Written `SEQUENCE:SHA256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number in the trail; the first record of all has 1.
    pub sequence: u64,
    /// SHA-256 of its line, without the line feed.
    pub sha256: LineHash,
}

impl From<Span> for Head {
    /// The last record of a file.
    fn from(lines: Span) -> Self {
        Self { sequence: lines.last, sha256: lines.head }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.sha256)
    }
}

/// Not `SEQUENCE:SHA256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no head; write SEQUENCE:SHA256 as dimsegate audit head prints it, such as 1042:9f86d081…, 64 digits"
)]
pub struct NotAHead;

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (sequence, sha256) = text.trim().split_once(':').ok_or(NotAHead)?;
        let sequence = sequence.parse().map_err(|_| NotAHead)?;
        let sha256 = LineHash::from_hex(sha256.to_ascii_lowercase().as_bytes()).ok_or(NotAHead)?;
        Ok(Self { sequence, sha256 })
    }
}

/// A head as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHead {
    /// The record that was the last one.
    pub head: Head,
    /// What its signature is worth.
    pub signature: Signature,
}

/// Where the head of a trail is kept.
pub fn path_of(directory: &Path) -> PathBuf {
    directory.join(NAME)
}

/// The head that is kept in a directory; `None` where none is.
///
/// # Errors
/// It cannot be read, or is no head.
pub fn read(directory: &Path, keys: &[PublicKey]) -> io::Result<Option<KeptHead>> {
    let text = match regular::read(&path_of(directory), LONGEST) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let line = text.strip_suffix(b"\n").unwrap_or(&text);
    let head = serde_json::from_slice(line).map_err(|_| io::Error::other("is not a head"))?;
    Ok(Some(KeptHead { head, signature: signing::check(Purpose::Head, line, keys) }))
}

/// Takes the place of the head that was kept, at once and for good.
pub(super) fn store(directory: &Path, head: &Head, key: Option<&SigningKey>) -> io::Result<()> {
    regular::put(&path_of(directory), 0o640, &line_of(head, key))
}

fn line_of(head: &Head, key: Option<&SigningKey>) -> Vec<u8> {
    let start = format!(r#"{{"sequence":{},"sha256":"{}""#, head.sequence, head.sha256);
    let mut line = match key {
        None => format!("{start}}}").into_bytes(),
        Some(key) => {
            let signed = format!(r#"{start},"key":"{}""#, key.id()).into_bytes();
            let end = key.sign(Purpose::Head, &signed);
            [signed, end].concat()
        }
    };
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::{Head, path_of, read, store};
    use crate::audit::LineHash;
    use crate::audit::signing::{Purpose, Signature, SigningKey, check};
    use crate::scratch::Scratch;
    use std::fs;

    fn head() -> Head {
        Head { sequence: 1042, sha256: LineHash::of(b"a line") }
    }

    #[test]
    fn a_head_reads_back_as_it_is_printed_and_nothing_else_is_one() {
        let text = head().to_string();
        assert_eq!(text.parse(), Ok(head()));
        assert_eq!(text.to_uppercase().parse(), Ok(head()));
        for wrong in
            ["", "1042", &text[1..], &text.replace(':', ""), &format!("{text}0"), &text[..text.len() - 1]]
        {
            let read: Result<Head, _> = wrong.parse();
            assert!(read != Ok(head()), "{wrong}");
        }
    }

    #[test]
    fn a_stored_head_says_who_signed_it_and_takes_the_place_of_whatever_was_there() {
        let home = Scratch::new();
        let (key, _) = SigningKey::generate().unwrap();
        let (other, _) = SigningKey::generate().unwrap();
        assert_eq!(read(home.path(), &[]).unwrap(), None);
        std::os::unix::fs::symlink("elsewhere", home.path().join("audit.head-new")).unwrap();
        store(home.path(), &head(), None).unwrap();
        assert!(!home.path().join("elsewhere").exists());
        let worth = |keys: &[_]| read(home.path(), keys).unwrap().unwrap().signature;
        assert_eq!((worth(&[]), worth(&[key.public_key()])), (Signature::None, Signature::None));
        store(home.path(), &head(), Some(&key)).unwrap();
        assert_eq!(read(home.path(), &[]).unwrap().unwrap().head, head());
        assert_eq!(worth(&[key.public_key()]), Signature::Good);
        assert_eq!(worth(&[other.public_key()]), Signature::OtherKey(key.id().to_string()));
        let text = fs::read_to_string(path_of(home.path())).unwrap();
        fs::write(path_of(home.path()), text.replace("1042", "1041")).unwrap();
        assert_eq!(worth(&[key.public_key()]), Signature::Wrong);
        fs::write(path_of(home.path()), "").unwrap();
        assert!(read(home.path(), &[]).is_err());
    }

    #[test]
    fn a_checkpoint_is_no_head_and_a_head_no_checkpoint() {
        let (key, _) = SigningKey::generate().unwrap();
        let start = format!(r#"{{"sequence":1,"sha256":"{}","key":"{}""#, LineHash::NONE, key.id());
        let line = [start.as_bytes(), &key.sign(Purpose::Checkpoint, start.as_bytes())].concat();
        assert_eq!(check(Purpose::Checkpoint, &line, &[key.public_key()]), Signature::Good);
        assert_eq!(check(Purpose::Head, &line, &[key.public_key()]), Signature::Wrong);
    }
}

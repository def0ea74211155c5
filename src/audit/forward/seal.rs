//! A seal on what a cursor remembers: studies, patients as the records name them, and who exchanged them.
//!
//! It has to be remembered, since a message tells of many records; and it outlives the day's file, which may be encrypted
//! for reviewers by then. The key lies beside, in a file that only the proxy's account can read, as that of what is still to
//! be sent: whoever gets hold of a cursor, in a copy of the folder or as a member of its group, learns how far a repository
//! has come and nothing else.

use crate::audit::{recovery, regular};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

const NAME: &str = "forward.key";
const LENGTH: usize = 32;

/// AES-256-GCM under a key of this folder. What is sealed begins with its nonce.
#[derive(Debug)]
pub(super) struct Seal(RandomizedNonceKey);

impl Seal {
    /// The seal of a folder. Its key is made where there is none; on a disk that takes nothing it is forgotten with this
    /// process.
    ///
    /// # Errors
    /// The file of the key cannot be read or written, or holds something else.
    pub(super) fn of(directory: &Path) -> io::Result<Self> {
        let path = directory.join(NAME);
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let bytes = match regular::read(&path, LENGTH as u64 + 1) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path).map_err(named)?,
            Err(error) => return Err(named(error)),
        };
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes);
        key.map(Self)
            .map_err(|_| named(io::Error::other("holds no key of 32 bytes; without it a new one is made")))
    }

    /// Seals bytes; they can be opened beside the same `clear` text only.
    ///
    /// # Errors
    /// There is no randomness.
    pub(super) fn close(&self, clear: &[u8], mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let nonce = self.0.seal_in_place_append_tag(Aad::from(clear), &mut bytes);
        let nonce = nonce.map_err(|_| io::Error::other("nothing can be sealed"))?;
        Ok([&nonce.as_ref()[..], &bytes].concat())
    }

    /// `None` for what was not sealed with this key, or was changed.
    pub(super) fn open(&self, clear: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, bytes) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = bytes.to_vec();
        let opened = self.0.open_in_place(Nonce::from(nonce), Aad::from(clear), &mut bytes).ok()?;
        Some(opened.to_vec())
    }
}

fn make(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; LENGTH]);
    rand::fill(&mut bytes).map_err(|_| io::Error::other("there is no randomness"))?;
    match regular::put(path, 0o600, &bytes) {
        Err(error) if !recovery::is_full(&error) => Err(error),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME, Seal};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_sealed_is_opened_by_its_own_folder_beside_the_same_text_only() {
        let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let seal = Seal::of(home.path()).unwrap();
        let sealed = seal.close(b"beside", b"1.2.840.99.1".to_vec()).unwrap();
        assert!(!sealed.windows(4).any(|bytes| bytes == b"1.2."));
        let again = Seal::of(home.path()).unwrap();
        assert_eq!(again.open(b"beside", &sealed).unwrap(), b"1.2.840.99.1");
        assert_eq!(again.open(b"elsewhere", &sealed), None);
        assert_eq!(again.open(b"beside", &sealed[..7]), None);
        assert_eq!(Seal::of(other.path()).unwrap().open(b"beside", &sealed), None);
        let key = home.path().join(NAME);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&key, "short").unwrap();
        assert!(Seal::of(home.path()).unwrap_err().to_string().contains("holds no key"));
    }
}

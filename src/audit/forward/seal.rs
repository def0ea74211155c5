//! A seal on what a cursor remembers: studies, patients as the records name them, and who exchanged them.
//!
//! It has to be remembered, since a message tells of many records; and it outlives the day's file, which may be encrypted
//! for reviewers by then. The key lies beside, in a file that only the proxy's account can read, as that of what is still to
//! be sent: whoever gets hold of a cursor, in a copy of the folder or as a member of its group, learns how far a repository
//! has come and nothing else.

use crate::audit::regular;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use zeroize::Zeroizing;

const NAME: &str = "forward.key";
const LENGTH: usize = 32;

/// AES-256-GCM under a key of this folder. What is sealed begins with its nonce.
#[derive(Debug)]
pub(super) struct Seal {
    path: PathBuf,
    key: OnceLock<RandomizedNonceKey>,
}

/// Held by whoever makes a key: destinations of one folder have one key.
static MAKING: Mutex<()> = Mutex::new(());

impl Seal {
    /// The seal of a folder. Where there is no key none is made before something is to be sealed.
    ///
    /// # Errors
    /// The file of the key cannot be read.
    pub(super) fn of(directory: &Path) -> io::Result<Self> {
        let seal = Self { path: directory.join(NAME), key: OnceLock::new() };
        if let Some(key) = seal.read()? {
            let _ = seal.key.set(key);
        }
        Ok(seal)
    }

    /// Seals bytes; they can be opened beside the same `clear` text only.
    ///
    /// # Errors
    /// There is no randomness, or no key and none can be kept: nothing is sealed with a key that a restart would not find.
    pub(super) fn close(&self, clear: &[u8], mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let nonce = self.key()?.seal_in_place_append_tag(Aad::from(clear), &mut bytes);
        let nonce = nonce.map_err(|_| io::Error::other("nothing can be sealed"))?;
        Ok([&nonce.as_ref()[..], &bytes].concat())
    }

    /// `None` for what was not sealed with this key, or was changed.
    pub(super) fn open(&self, clear: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, bytes) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = bytes.to_vec();
        let opened = self.key.get()?.open_in_place(Nonce::from(nonce), Aad::from(clear), &mut bytes).ok()?;
        Some(opened.to_vec())
    }

    fn key(&self) -> io::Result<&RandomizedNonceKey> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        // Another destination may have made it.
        let key = match self.read()? {
            Some(key) => key,
            None => self.make()?,
        };
        Ok(self.key.get_or_init(|| key))
    }

    /// `None` where there is none, or what is there is none: a new one takes its place, and what was sealed with the old one
    /// counts as not sealed.
    fn read(&self) -> io::Result<Option<RandomizedNonceKey>> {
        let bytes = match regular::read(&self.path, LENGTH as u64 + 1) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.named(&error)),
        };
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok();
        if key.is_none() {
            tracing::error!(file = %self.path.display(), "holds no key of 32 bytes; a new one takes its place");
        }
        Ok(key)
    }

    fn make(&self) -> io::Result<RandomizedNonceKey> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        let failed = |_| io::Error::other("there is no randomness");
        rand::fill(&mut *bytes).map_err(failed)?;
        regular::put(&self.path, 0o600, &*bytes).map_err(|error| self.named(&error))?;
        RandomizedNonceKey::new(&AES_256_GCM, &*bytes).map_err(failed)
    }

    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME, Seal};
    use crate::scratch::Scratch;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_sealed_is_opened_by_its_own_folder_beside_the_same_text_only() {
        let (home, other) = (Scratch::new(), Scratch::new());
        let seal = Seal::of(home.path()).unwrap();
        let sealed = seal.close(b"beside", b"1.2.840.99.1".to_vec()).unwrap();
        assert!(!sealed.windows(4).any(|bytes| bytes == b"1.2."));
        let again = Seal::of(home.path()).unwrap();
        assert_eq!(again.open(b"beside", &sealed).unwrap(), b"1.2.840.99.1");
        assert_eq!(again.open(b"elsewhere", &sealed), None);
        assert_eq!(again.open(b"beside", &sealed[..7]), None);
        assert_eq!(Seal::of(other.path()).unwrap().open(b"beside", &sealed), None);
        assert!(!other.path().join(NAME).exists(), "nothing was sealed there, so there is no key");
        let key = home.path().join(NAME);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_is_made_with_the_first_thing_that_is_sealed_and_once_for_all_of_a_folder() {
        let home = Scratch::new();
        let (one, other) = (Seal::of(home.path()).unwrap(), Seal::of(home.path()).unwrap());
        assert!(!home.path().join(NAME).exists());
        let sealed = [&one, &other].map(|seal| seal.close(b"", b"kept".to_vec()).unwrap());
        let again = Seal::of(home.path()).unwrap();
        assert!(sealed.iter().all(|sealed| again.open(b"", sealed).as_deref() == Some(b"kept")));
    }

    #[test]
    fn nothing_is_sealed_with_a_key_that_the_next_start_would_not_find() {
        let home = Scratch::new();
        let seal = Seal::of(home.path()).unwrap();
        // As a disk that takes nothing.
        let in_the_way = home.path().join("forward.key-new");
        fs::create_dir_all(in_the_way.join("x")).unwrap();
        seal.close(b"", b"lost".to_vec()).unwrap_err();
        fs::remove_dir_all(in_the_way).unwrap();
        let sealed = seal.close(b"", b"kept".to_vec()).unwrap();
        assert_eq!(Seal::of(home.path()).unwrap().open(b"", &sealed).unwrap(), b"kept");
    }

    #[test]
    fn what_is_no_key_gives_way_to_one() {
        let home = Scratch::new();
        fs::write(home.path().join(NAME), "short").unwrap();
        let seal = Seal::of(home.path()).unwrap();
        let sealed = seal.close(b"", b"kept".to_vec()).unwrap();
        assert_eq!(Seal::of(home.path()).unwrap().open(b"", &sealed).unwrap(), b"kept");
    }
}

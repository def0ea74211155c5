//! One-time secrets at rest: encrypted with the key of `[users] key-file`, each for its user.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hkdf, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::one_time::OneTimeSecret;

/// A secret that only the key opens, and only for the user that it was made for.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

/// No secret is longer once it is encrypted.
const LONGEST: usize = 256;

impl Sealed {
    pub(super) fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok().filter(|bytes| bytes.len() <= LONGEST).map(Self)
    }

    pub(super) fn text(&self) -> String {
        STANDARD.encode(&self.0)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

/// What the secrets are encrypted with: AES-256-GCM with a key derived from the file's bytes.
#[derive(Clone)]
pub struct Key(std::sync::Arc<LessSafeKey>);

impl Key {
    /// Of a key file's bytes: at least 32, which the configuration checks. `None` never happens with any.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"dimsegate users").extract(bytes);
        let key = UnboundKey::from(extracted.expand(&[b"one-time secrets"], &AES_256_GCM).ok()?);
        Some(Self(std::sync::Arc::new(LessSafeKey::new(key))))
    }

    /// Encrypts a secret for a user; with the name of another it does not open.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn seal(&self, name: &str, secret: &OneTimeSecret) -> Result<Sealed, Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce)?;
        let mut bytes = secret.bytes().to_vec();
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(nonce_used, Aad::from(bound(name)), &mut bytes)?;
        Ok(Sealed([nonce.as_slice(), &bytes].concat()))
    }

    /// The secret, where it was made for this user with this key.
    pub fn open(&self, name: &str, sealed: &Sealed) -> Option<OneTimeSecret> {
        let (nonce, encrypted) = sealed.0.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = Zeroizing::new(encrypted.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.0.open_in_place(nonce, Aad::from(bound(name)), &mut bytes).ok()?;
        OneTimeSecret::from_bytes(plain)
    }
}

fn bound(name: &str) -> Vec<u8> {
    [b"dimsegate user 1\0".as_slice(), name.as_bytes()].concat()
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

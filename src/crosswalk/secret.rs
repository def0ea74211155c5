//! The key of a crosswalk, and what is derived from it.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{constant_time, hkdf, hmac, rand};
use zeroize::Zeroizing;

/// Bytes of a domain's name and of a look-up key.
pub(super) const SHORT: usize = 16;

/// What a key file holds.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// At least 32 bytes, which the configuration checks.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A look-up key: HMAC-SHA-256 of a value, cut to 128 bits. Nobody finds a value's row without the key, nor guesses by
/// trying values; that two values share one by accident is out of the question.
pub(super) type Lookup = [u8; SHORT];

/// The keys of one database: which domain, which version.
///
/// Each seal has a random nonce of 96 bits. Of the 2^32 seals that NIST SP 800-38D §8.3 allows a key with such nonces, a
/// crosswalk uses one for each value in its life; rotating the key begins anew.
pub(super) struct Keys {
    pub(super) domain: [u8; SHORT],
    pub(super) version: u32,
    values: LessSafeKey,
    lookups: hmac::Key,
}

impl Keys {
    pub(super) fn derive(secret: &Secret, domain: [u8; SHORT], version: u32) -> Result<Self, Unspecified> {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &domain).extract(&secret.0);
        let values = UnboundKey::from(extracted.expand(&[b"dimsegate crosswalk values"], &AES_256_GCM)?);
        let lookups = extracted.expand(&[b"dimsegate crosswalk look-ups"], hmac::HMAC_SHA256)?;
        Ok(Self { domain, version, values: LessSafeKey::new(values), lookups: hmac::Key::from(lookups) })
    }

    /// What a value of a kind is found by; `side` keeps real values and pseudonyms apart.
    pub(super) fn lookup(&self, side: &[u8], kind: i64, value: &[u8]) -> Lookup {
        let mut context = hmac::Context::with_key(&self.lookups);
        context.update(side);
        context.update(&kind.to_be_bytes());
        context.update(value);
        context.sign().as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// The nonce, the encrypted bytes, the tag. `place` is bound to them: elsewhere they do not open.
    pub(super) fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce)?;
        let mut encrypted = plain.to_vec();
        let aad = Aad::from(self.bound(place));
        self.values.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut encrypted)?;
        Ok([nonce.as_slice(), &encrypted].concat())
    }

    pub(super) fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let (nonce, encrypted) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Unspecified)?;
        let mut plain = encrypted.to_vec();
        let aad = Aad::from(self.bound(place));
        let length = self.values.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut plain)?.len();
        plain.truncate(length);
        Ok(plain)
    }

    fn bound(&self, place: &[u8]) -> Vec<u8> {
        [b"dimsegate crosswalk 1".as_slice(), &self.domain, &self.version.to_be_bytes(), place].concat()
    }
}

//! One-time codes (RFC 6238): HMAC-SHA-1, 30 seconds, six digits, as every authenticator app makes them.
//!
//! It is one HMAC and a few shifts: with aws-lc-rs, which is here anyway, fewer lines than an interface to a crate for it.

use std::fmt;

use aws_lc_rs::{constant_time, hmac, rand};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::UsersError;

use crate::notation::uri::escaped;

/// Seconds that a code is shown for.
const STEP: i64 = 30;
/// Steps by which clocks may differ, either way.
const DRIFT: i64 = 1;
pub(super) const DIGITS: usize = 6;
/// Bytes: as many as SHA-1 gives (RFC 4226 §4).
const LENGTH: usize = 20;

/// What codes are made of.
#[derive(Clone)]
pub struct OneTimeSecret(Zeroizing<[u8; LENGTH]>);

impl OneTimeSecret {
    /// A new one.
    ///
    /// # Errors
    /// [`UsersError::System`].
    pub fn generate() -> Result<Self, UsersError> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| UsersError::System("random numbers"))?;
        Ok(Self(bytes))
    }

    /// A secret of 20 bytes, the length of a SHA-1 HMAC key (RFC 4226 §4); `None` for any other number.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// In Base 32 (RFC 4648), as people type it into an app.
    pub fn base32(&self) -> Zeroizing<String> {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut text = Zeroizing::new(String::with_capacity(LENGTH * 8 / 5));
        for five in self.0.chunks(5) {
            let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            let letters = (0..8).rev().map(|place| (bits >> (5 * place) & 31) as usize);
            text.extend(letters.filter_map(|index| LETTERS.get(index)).map(|letter| char::from(*letter)));
        }
        text
    }

    /// What a QR code for an app says. `issuer` and `name` are of letters that a URI takes as they are.
    pub fn uri(&self, issuer: &str, name: &str) -> Zeroizing<String> {
        let secret = self.base32();
        let secret = secret.as_str();
        let (issuer, name) = (escaped(issuer), escaped(name));
        Zeroizing::new(format!("otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}"))
    }

    fn code(&self, step: i64) -> Zeroizing<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.bytes());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 15);
        let word = tag.get(offset..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        let number = (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000;
        Zeroizing::new(format!("{number:0DIGITS$}"))
    }
}

impl fmt::Debug for OneTimeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeSecret")
    }
}

/// The step whose code this is, now or a step to either side. All of them are compared, whichever fits.
pub fn matching(secret: &OneTimeSecret, code: &str, now: OffsetDateTime) -> Option<i64> {
    let code: Zeroizing<String> = Zeroizing::new(code.chars().filter(|one| *one != ' ').take(16).collect());
    let current = now.unix_timestamp().div_euclid(STEP);
    let fits = |step: i64| {
        constant_time::verify_slices_are_equal(secret.code(step).as_bytes(), code.as_bytes()).is_ok()
    };
    let steps = current - DRIFT..=current + DRIFT;
    steps.fold(None, |found, step| if fits(step) { Some(step) } else { found })
}

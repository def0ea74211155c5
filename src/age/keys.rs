//! Whom files are for, and what opens them: X25519 keys as text, in Bech32 (BIP 173).

use std::fmt;
use std::io;
use std::str::FromStr;

use aws_lc_rs::agreement::{PrivateKey, X25519};
use aws_lc_rs::error::Unspecified;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use zeroize::{Zeroize, Zeroizing};

use super::{FileKey, stanza};

const PUBLIC: Hrp = Hrp::parse_unchecked("age");
const SECRET: Hrp = Hrp::parse_unchecked("age-secret-key-");

/// A text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no key of age")]
pub struct NoKey;

/// Whom a file is encrypted for: an X25519 public key, written as `age1…` (Bech32), 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(pub(super) [u8; 32]);

/// What opens files that were encrypted for its [`Recipient`]: an X25519 private key, written as `AGE-SECRET-KEY-1…`.
pub struct Identity {
    pub(super) secret: PrivateKey,
    public: Recipient,
}

impl Identity {
    /// A new one, and its text for a file that only its holder reads.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn generate() -> io::Result<(Self, Zeroizing<String>)> {
        let secret: Zeroizing<[u8; 32]> = super::random()?;
        let identity = Self::of(&secret).map_err(super::refused)?;
        let mut text = text(SECRET, &secret);
        text.make_ascii_uppercase();
        Ok((identity, Zeroizing::new(text)))
    }

    /// Whom to encrypt for, so that this opens it.
    pub fn public(&self) -> &Recipient {
        &self.public
    }

    fn of(bytes: &[u8; 32]) -> Result<Self, Unspecified> {
        let secret = PrivateKey::from_private_key(&X25519, bytes).map_err(|_| Unspecified)?;
        let public = secret.compute_public_key()?.as_ref().try_into().map_err(|_| Unspecified)?;
        Ok(Self { secret, public: Recipient(public) })
    }
}

impl FromStr for Identity {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        Self::of(&*bytes(SECRET, text)?).map_err(|_| NoKey)
    }
}

impl FromStr for Recipient {
    type Err = NoKey;

    /// A key with which every secret agrees on the same is none: it is refused here, by sealing something for it, and not
    /// when the first file is to be encrypted.
    fn from_str(text: &str) -> Result<Self, NoKey> {
        let recipient = Self(*bytes(PUBLIC, text)?);
        stanza::wrap(&FileKey::default(), &recipient).map_err(|_| NoKey)?;
        Ok(recipient)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(PUBLIC, &self.0))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Tells the public half only.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.public).finish()
    }
}

/// The key in a text, which has one form in either case: bits that fill up its last character are zero.
fn bytes(prefix: Hrp, key: &str) -> Result<Zeroizing<[u8; 32]>, NoKey> {
    let checked = CheckedHrpstring::new::<Bech32>(key).map_err(|_| NoKey)?;
    let mut bytes = Zeroizing::new([0; 32]);
    if checked.hrp() != prefix || checked.byte_iter().len() != bytes.len() {
        return Err(NoKey);
    }
    bytes.iter_mut().zip(checked.byte_iter()).for_each(|(byte, read)| *byte = read);
    let mut again = text(prefix, &bytes);
    let same = again.eq_ignore_ascii_case(key);
    again.zeroize();
    if same { Ok(bytes) } else { Err(NoKey) }
}

/// In small letters.
fn text(prefix: Hrp, key: &[u8; 32]) -> String {
    // The one error is a text longer than 1023 characters; these have 62 and 74.
    bech32::encode_lower::<Bech32>(prefix, key).unwrap_or_default()
}

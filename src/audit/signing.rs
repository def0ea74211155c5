//! Checkpoints: records that an Ed25519 key (RFC 8032) signed, and with them everything that they are chained to.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use pkcs8::LineEnding;
use pkcs8::der::pem;
use std::fmt;
use zeroize::Zeroizing;

use crate::notation::hex;

/// The event of a checkpoint.
pub(super) const CHECKPOINT: &str = "checkpoint";
const FIELD: &[u8] = b",\"signature\":\"";
const END: &[u8] = b"\"}";
/// Of a signature, in hexadecimal.
const DIGITS: usize = 128;
/// SubjectPublicKeyInfo of Ed25519 (RFC 8410 §4) before the 32 bytes of the key.
const SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What a signature is for. What is signed begins with it, so that no use of the key can be taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Checkpoint,
    Head,
    Export,
}

impl Purpose {
    pub(super) fn context(self) -> &'static [u8] {
        match self {
            Self::Checkpoint => b"dimsegate audit checkpoint 1\n",
            Self::Head => b"dimsegate audit head 1\n",
            // The first line of what is signed, which sha256sum(1) takes for a comment: whoever has that file and openssl(1) needs
            // nothing else.
            Self::Export => b"# dimsegate audit export 1\n",
        }
    }
}

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither such a PEM, nor one with a key that can sign.
    #[error("is not the PEM of an Ed25519 private key (PKCS#8)")]
    NotAPrivateKey,
    /// Neither such a PEM, nor one with a key of 32 bytes.
    #[error("is not the PEM of an Ed25519 public key")]
    NotAPublicKey,
    /// There were no random bytes.
    #[error("could not be made: the random number generator failed")]
    NotMade,
}

/// The key that signs checkpoints.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    id: KeyId,
}

/// The first 16 hexadecimal digits of the SHA-256 of the public key's SubjectPublicKeyInfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    fn of(public_key: &[u8]) -> Self {
        let hash = digest::digest(&digest::SHA256, &[SPKI, public_key].concat());
        Self(hex::encode(hash.as_ref().get(..8).unwrap_or_default()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SigningKey {
    /// A new key, and its PKCS#8 PEM.
    ///
    /// # Errors
    /// [`KeyError::NotMade`].
    pub fn generate() -> Result<(Self, Zeroizing<String>), KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::NotMade)?;
        let document: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::NotMade)?;
        let text = pem::encode_string("PRIVATE KEY", LineEnding::LF, document.as_ref());
        let text = Zeroizing::new(text.map_err(|_| KeyError::NotMade)?);
        Ok((Self::new(pair), text))
    }

    /// From PKCS#8 PEM, as [`generate`](Self::generate) and `openssl genpkey -algorithm ed25519` write it.
    ///
    /// # Errors
    /// [`KeyError::NotAPrivateKey`].
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let (label, document) = pem::decode_vec(text).map_err(|_| KeyError::NotAPrivateKey)?;
        let document = Zeroizing::new(document);
        if label != "PRIVATE KEY" {
            return Err(KeyError::NotAPrivateKey);
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document);
        pair.map(Self::new).map_err(|_| KeyError::NotAPrivateKey)
    }

    fn new(pair: Ed25519KeyPair) -> Self {
        let id = KeyId::of(pair.public_key().as_ref());
        Self { pair, id }
    }

    /// The digest by which checkpoints name it.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// What a reviewer needs to check checkpoints.
    pub fn public_key(&self) -> PublicKey {
        PublicKey { id: self.id.clone(), bytes: self.pair.public_key().as_ref().to_vec() }
    }

    /// The end of a line, from the bytes of the line so far.
    pub(super) fn sign(&self, purpose: Purpose, line: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&[purpose.context(), line].concat());
        let digits = hex::encode(signature.as_ref());
        [FIELD, digits.as_bytes(), END].concat()
    }
}

impl SigningKey {
    /// The signature, by itself, of a text that begins with the context of its purpose.
    pub(super) fn sign_whole(&self, text: &[u8]) -> Vec<u8> {
        self.pair.sign(text).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The key that checks checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// From the PEM of a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`KeyError::NotAPublicKey`].
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let (label, document) = pem::decode_vec(text).map_err(|_| KeyError::NotAPublicKey)?;
        match document.strip_prefix(SPKI) {
            Some(bytes) if label == "PUBLIC KEY" && bytes.len() == 32 => {
                Ok(Self { id: KeyId::of(bytes), bytes: bytes.to_vec() })
            }
            _ => Err(KeyError::NotAPublicKey),
        }
    }

    /// The PEM of a SubjectPublicKeyInfo, as OpenSSL reads it.
    pub fn to_pem(&self) -> String {
        let document = [SPKI, &self.bytes].concat();
        pem::encode_string("PUBLIC KEY", LineEnding::LF, &document).unwrap_or_default()
    }

    /// The digest by which checkpoints name it.
    pub fn id(&self) -> &KeyId {
        &self.id
    }
}

/// What the signature of a line is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Made by one of the keys, over exactly these bytes.
    Good,
    /// There is none.
    None,
    /// No key was given to check it with.
    Unchecked,
    /// Made by another key, or so it says.
    OtherKey(String),
    /// By the key that it names, but not over these bytes.
    Wrong,
}

#[derive(serde::Deserialize)]
struct Signed {
    key: String,
}

/// Checks a text and its signature, which is a file of its own. A text for another purpose is wrong.
pub(super) fn check_whole(purpose: Purpose, text: &[u8], signature: &[u8], keys: &[PublicKey]) -> Signature {
    if signature.is_empty() {
        return Signature::None;
    }
    if keys.is_empty() {
        return Signature::Unchecked;
    }
    let by = |key: &&PublicKey| UnparsedPublicKey::new(&ED25519, &key.bytes).verify(text, signature).is_ok();
    match text.starts_with(purpose.context()) && keys.iter().any(|key| by(&key)) {
        true => Signature::Good,
        false => Signature::Wrong,
    }
}

/// Checks a signed line, without its line feed.
pub(super) fn check(purpose: Purpose, line: &[u8], keys: &[PublicKey]) -> Signature {
    let Some((signed, signature)) = split(line) else {
        return if memchr::memmem::find(line, FIELD).is_some() { Signature::Wrong } else { Signature::None };
    };
    let Ok(Signed { key: id }) = serde_json::from_slice(line) else { return Signature::Wrong };
    if keys.is_empty() {
        return Signature::Unchecked;
    }
    let Some(key) = keys.iter().find(|key| key.id.0 == id) else { return Signature::OtherKey(id) };
    let public = UnparsedPublicKey::new(&ED25519, &key.bytes);
    match public.verify(&[purpose.context(), signed].concat(), &signature) {
        Ok(()) => Signature::Good,
        Err(_) => Signature::Wrong,
    }
}

/// What was signed, and the signature.
fn split(line: &[u8]) -> Option<(&[u8], [u8; DIGITS / 2])> {
    let before_end = line.strip_suffix(END)?;
    let (rest, digits) = before_end.split_at_checked(before_end.len().checked_sub(DIGITS)?)?;
    Some((rest.strip_suffix(FIELD)?, hex::decode(digits)?))
}

#[cfg(test)]
mod tests {
    use super::{KeyError, PublicKey, Purpose, Signature, SigningKey};

    fn check(line: &[u8], keys: &[PublicKey]) -> Signature {
        super::check(Purpose::Checkpoint, line, keys)
    }

    #[test]
    fn keys_read_back_and_nothing_else_is_a_key() {
        let (key, text) = SigningKey::generate().unwrap();
        assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{}", &text[..40]);
        assert_eq!(SigningKey::from_pem(text.as_bytes()).unwrap().id(), key.id());
        let public = key.public_key();
        assert_eq!(PublicKey::from_pem(public.to_pem().as_bytes()), Ok(public.clone()));
        assert_eq!(public.id().to_string().len(), 16);
        assert_eq!(PublicKey::from_pem(text.as_bytes()), Err(KeyError::NotAPublicKey));
        for wrong in ["", "x", &public.to_pem()] {
            assert_eq!(SigningKey::from_pem(wrong.as_bytes()).unwrap_err(), KeyError::NotAPrivateKey);
        }
        let shown = format!("{key:?}");
        assert!(shown.contains(&key.id().to_string()) && shown.len() < 80, "{shown}");
    }

    #[test]
    fn a_signature_holds_for_its_line_and_its_key_only() {
        let (key, _) = SigningKey::generate().unwrap();
        let (other, _) = SigningKey::generate().unwrap();
        let start = format!(r#"{{"event":"checkpoint","key":"{}""#, key.id());
        let line = [start.as_bytes(), &key.sign(Purpose::Checkpoint, start.as_bytes())].concat();
        assert_eq!(check(&line, &[other.public_key(), key.public_key()]), Signature::Good);
        assert_eq!(check(&line, &[]), Signature::Unchecked);
        assert_eq!(check(&line, &[other.public_key()]), Signature::OtherKey(key.id().to_string()));
        for at in 0..line.len() {
            let mut changed = line.clone();
            changed[at] ^= 1;
            assert_ne!(check(&changed, &[key.public_key()]), Signature::Good, "byte {at}");
            assert_ne!(check(&line[..at], &[key.public_key()]), Signature::Good, "cut at {at}");
        }
    }
}

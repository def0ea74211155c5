//! The age file format, version 1 (age-encryption.org/v1, <https://c2sp.org/age>): files for the eyes of those who hold a
//! key, with X25519 recipients only.
//!
//! ```text
//! age-encryption.org/v1                      header: who can find the file key (16 random bytes), and how
//! -> X25519 share                            one stanza for each recipient: a public key made for this file,
//! file key, sealed                              and the file key under what that key and the recipient's agree on
//! --- MAC                                    of all lines above, with a key made of the file key
//! nonce | 64 KiB, sealed | … | the rest      payload: every chunk with its number, the last one marked as the last
//! ```
//!
//! # Why not the crate `age`
//!
//! A third of all crates in the binary came through it, for this one format: its own X25519, SHA-2, HMAC, HKDF, ChaCha20
//! and Poly1305, the post-quantum recipients with ML-KEM and P-256, passphrases with scrypt, and translations of
//! messages that nobody saw. Its authors call it beta. A reviewer had two sets of cryptographic code to follow, of which
//! the second protected the records. Here every cryptographic step is a call of aws-lc-rs, which TLS and the signatures
//! stand on already, and what is our own is the order of lines and chunks: little enough to be read in one sitting beside
//! the specification.
//!
//! It is held to the public test vectors of the format (C2SP/CCTV, `tests/data/age`), to a file that the crate wrote,
//! and, both ways, to the reference implementation (Debian's package `age`). Passphrases, armour and plugins are left
//! out: no file of dimsegate has them.

mod header;
mod keys;
mod payload;
mod stanza;

use std::io::{self, BufRead, Write};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

pub use keys::{Identity, NoKey, Recipient};
pub use payload::{Decrypted, Encryptor};

use header::Header;

/// What the payload's key and the header's are made of; new for each file.
type FileKey = Zeroizing<[u8; 16]>;

/// Why a file cannot be opened. What is wrong with its payload shows when that is read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It does not begin as a file of version 1 does.
    #[error("it does not begin with age-encryption.org/v1")]
    Version,
    /// The header breaks a rule of the format.
    #[error("its header {0}")]
    Header(&'static str),
    /// It was encrypted for others than the identities.
    #[error("none of the identities opens it")]
    NoMatch,
    /// Somebody changed the header.
    #[error("its header was changed")]
    Mac,
}

/// Encrypts what is written into the result for each of the recipients. It is whole only after
/// [`finish`](Encryptor::finish).
///
/// # Errors
/// The header cannot be written, or the system has no random bytes.
pub fn encrypt<W: Write>(mut to: W, recipients: &[Recipient]) -> io::Result<Encryptor<W>> {
    let file_key: FileKey = random()?;
    let stanzas: Result<Vec<_>, _> =
        recipients.iter().map(|recipient| stanza::wrap(&file_key, recipient)).collect();
    let nonce: Zeroizing<[u8; 16]> = random()?;
    to.write_all(&header::write(&stanzas.map_err(refused)?, &file_key).map_err(refused)?)?;
    to.write_all(&*nonce)?;
    Encryptor::new(to, &file_key, &nonce).map_err(refused)
}

/// What an age file holds, read as it is decrypted, for the first identity that opens it.
///
/// # Errors
/// [`Error`]; reading on fails with [`io::ErrorKind::InvalidData`] where a chunk was changed, moved or cut off.
pub fn decrypt<R: BufRead>(mut file: R, identities: &[Identity]) -> Result<Decrypted<R>, Error> {
    let header = Header::read(&mut file)?;
    let file_key = stanza::find(&header.stanzas, identities)?.ok_or(Error::NoMatch)?;
    header.verify(&file_key)?;
    let mut nonce = [0; 16];
    file.read_exact(&mut nonce).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Header("has no nonce behind it"),
        _ => Error::Io(error),
    })?;
    Decrypted::new(file, &file_key, &nonce).map_err(|error| refused(error).into())
}

/// Base64 without padding, in the one form that a value has.
fn decode(text: &str) -> Result<Vec<u8>, Error> {
    STANDARD_NO_PAD.decode(text).map_err(|_| Error::Header("has a value that is not Base64"))
}

/// A key that follows from a secret (HKDF-SHA-256, RFC 5869).
fn derive(secret: &[u8], salt: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, Unspecified> {
    let mut key = Zeroizing::new([0; 32]);
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    extracted.expand(&[info], hkdf::HKDF_SHA256)?.fill(key.as_mut())?;
    Ok(key)
}

fn random<const N: usize>() -> io::Result<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    aws_lc_rs::rand::fill(bytes.as_mut()).map_err(refused)?;
    Ok(bytes)
}

/// The library does not say why; with keys of the right length there is nothing but the system to blame.
fn refused(_: Unspecified) -> io::Error {
    io::Error::other("the cryptographic library failed")
}

#[cfg(test)]
mod tests;

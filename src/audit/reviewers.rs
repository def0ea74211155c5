//! Closed files for the eyes of reviewers only, with age (age-encryption.org/v1): X25519 recipients.
//!
//! The crate `age` brings its own cryptography and about seventy crates with it, which nothing else here uses. The
//! alternative was Debian's program `age`: then a proxy that is one binary would need another one beside it, of whatever
//! version, would find out at midnight that it is missing, and would hand the records to a child process. The format is
//! the point, and it is the same: reviewers may use either. TLS, signatures and hashes never touch this second stack.

use super::files::OpenError;
use super::regular;
use age::{DecryptError, Decryptor, Encryptor, IdentityFile, x25519};
use std::fs::OpenOptions;
use std::io::{self, BufRead, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Whom closed files are encrypted for: at least one.
#[derive(Clone)]
pub struct Reviewers(Vec<x25519::Recipient>);

/// Not the public key of a reviewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a public key of age (age1…)")]
pub struct NotARecipient;

/// What opens files that were encrypted for a reviewer.
pub type Identity = Box<dyn age::Identity + Send + Sync>;

impl Reviewers {
    /// From public keys, `age1…` each. `None` where there are none.
    ///
    /// # Errors
    /// The index of the first that is none.
    pub fn new(keys: &[&str]) -> Result<Option<Self>, (usize, NotARecipient)> {
        let parse = |(at, key): (usize, &&str)| key.parse().map_err(|_| (at, NotARecipient));
        let recipients: Vec<x25519::Recipient> =
            keys.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        Ok((!recipients.is_empty()).then_some(Self(recipients)))
    }

    /// What is written into the result and finished can be read by each of the reviewers.
    pub(super) fn encrypt<W: Write>(&self, to: W) -> io::Result<age::stream::StreamWriter<W>> {
        let recipients = self.0.iter().map(|recipient| recipient as &dyn age::Recipient);
        Encryptor::with_recipients(recipients).map_err(io::Error::other)?.wrap_output(to)
    }
}

impl std::fmt::Debug for Reviewers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(ToString::to_string)).finish()
    }
}

/// A new identity as the text of a file, and its public key.
pub fn new_identity() -> (zeroize::Zeroizing<String>, String) {
    use age::secrecy::ExposeSecret;
    let identity = x25519::Identity::generate();
    let public = identity.to_public().to_string();
    let secret = identity.to_string();
    (zeroize::Zeroizing::new(format!("# public key: {public}\n{}\n", secret.expose_secret())), public)
}

/// The identities in a file, as `age-keygen` writes it. A reviewer may give a pipe.
///
/// # Errors
/// The file cannot be read, or holds something else.
pub fn read_identities(file: &Path) -> io::Result<Vec<Identity>> {
    identities_in(&zeroize::Zeroizing::new(std::fs::read(file)?))
}

fn identities_in(text: &[u8]) -> io::Result<Vec<Identity>> {
    let identities = IdentityFile::from_buffer(text)?;
    let identities = identities.into_identities().map_err(io::Error::other)?;
    match identities.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::InvalidData, "holds no identity (AGE-SECRET-KEY-1…)")),
        false => Ok(identities),
    }
}

/// Longer than any file of a key.
const LONGEST: u64 = 4096;

/// A key pair of the proxy's own, in a file that nobody but its account can read.
pub(super) struct OwnKey(Reviewers);

impl OwnKey {
    /// Reads it, or makes it where there is none.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds something else.
    pub(super) fn at(file: &Path) -> io::Result<Self> {
        let text = match regular::read(file, LONGEST) {
            Ok(text) => {
                let text = zeroize::Zeroizing::new(text);
                zeroize::Zeroizing::new(String::from_utf8_lossy(&text).into_owned())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (text, _) = new_identity();
                let mut fresh = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
                fresh.write_all(text.as_bytes())?;
                fresh.sync_all()?;
                text
            }
            Err(error) => return Err(error),
        };
        let secret = text.lines().find_map(|line| line.parse::<x25519::Identity>().ok());
        let secret = secret.ok_or_else(|| {
            let wrong = format!("{} holds no key (AGE-SECRET-KEY-1…)", file.display());
            io::Error::new(io::ErrorKind::InvalidData, wrong)
        })?;
        Ok(Self(Reviewers(vec![secret.to_public()])))
    }

    /// What opens what was encrypted with the one in a file.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub(super) fn identities(file: &Path) -> io::Result<Vec<Identity>> {
        identities_in(&zeroize::Zeroizing::new(regular::read(file, LONGEST)?))
    }

    /// Who can read what is encrypted with it.
    pub(super) fn reader(&self) -> &Reviewers {
        &self.0
    }
}

pub(super) fn decrypt<R: BufRead>(file: R, identities: &[Identity]) -> Result<impl Read + use<R>, OpenError> {
    if identities.is_empty() {
        return Err(OpenError::NoIdentity);
    }
    let failed = |error: DecryptError| match error {
        DecryptError::NoMatchingKeys => OpenError::OtherIdentity,
        other => OpenError::NotAge(other.to_string()),
    };
    let decryptor = Decryptor::new_buffered(file).map_err(failed)?;
    decryptor
        .decrypt(identities.iter().map(|identity| identity.as_ref() as &dyn age::Identity))
        .map_err(failed)
}

//! Closed files for the eyes of reviewers only, with [`age`]: X25519 recipients.
//!
//! Why a format of others, and not one of our own: a reviewer needs nothing of dimsegate's to open what is his, Debian's
//! program `age` does it. Why not that program here: a proxy that is one binary would need another one beside it, of
//! whatever version, would find out at midnight that it is missing, and would hand the records to a child process.

use super::regular;
use crate::age::{self, Decrypted, Encryptor, Recipient};
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

pub use crate::age::Identity;

/// Whom closed files are encrypted for: at least one.
#[derive(Clone, Debug)]
pub struct Reviewers(Vec<Recipient>);

/// Not the public key of a reviewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a public key of age (age1…)")]
pub struct NotARecipient;

impl Reviewers {
    /// From public keys, `age1…` each. `None` where there are none.
    ///
    /// # Errors
    /// The index of the first that is none.
    pub fn new(keys: &[&str]) -> Result<Option<Self>, (usize, NotARecipient)> {
        let parse = |(at, key): (usize, &&str)| key.parse().map_err(|_| (at, NotARecipient));
        let recipients: Vec<Recipient> = keys.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        Ok((!recipients.is_empty()).then_some(Self(recipients)))
    }

    /// What is written into the result and finished can be read by each of the reviewers.
    pub(super) fn encrypt<W: Write>(&self, to: W) -> io::Result<Encryptor<W>> {
        age::encrypt(to, &self.0)
    }
}

/// A new identity as the text of a file, and its public key.
///
/// # Errors
/// The system has no random bytes.
pub fn new_identity() -> io::Result<(Zeroizing<String>, String)> {
    let (identity, secret) = Identity::generate()?;
    let public = identity.public().to_string();
    Ok((Zeroizing::new(format!("# public key: {public}\n{}\n", *secret)), public))
}

/// The identities in a file, as `age-keygen` writes it: one a line, beside comments. A reviewer may give a pipe.
///
/// # Errors
/// The file cannot be read, is longer than files of identities are, or holds something else.
pub fn read_identities(file: &Path) -> io::Result<Vec<Identity>> {
    // As much at once as it may hold: a text that grows leaves what it held behind in memory.
    let mut text = Zeroizing::new(Vec::with_capacity(IDENTITIES + 1));
    File::open(file)?.take(IDENTITIES as u64 + 1).read_to_end(&mut text)?;
    match text.len() > IDENTITIES {
        true => {
            Err(invalid(format!("is longer than {} KiB, and so no file of identities", IDENTITIES / 1024)))
        }
        false => identities_in(&text),
    }
}

/// Longest file of a reviewer's identities: some hundreds with their comments.
const IDENTITIES: usize = 64 * 1024;

fn identities_in(text: &[u8]) -> io::Result<Vec<Identity>> {
    let text = std::str::from_utf8(text).map_err(|_| invalid("is no text".into()))?;
    let mut identities = Vec::new();
    for (number, line) in
        (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
    {
        // The line is not told: it may be most of a secret.
        let identity =
            line.parse().map_err(|_| invalid(format!("line {number} is no identity (AGE-SECRET-KEY-1…)")))?;
        identities.push(identity);
    }
    match identities.is_empty() {
        true => Err(invalid("holds no identity (AGE-SECRET-KEY-1…)".into())),
        false => Ok(identities),
    }
}

fn invalid(wrong: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, wrong)
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
                let text = Zeroizing::new(text);
                Zeroizing::new(String::from_utf8_lossy(&text).into_owned())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (text, _) = new_identity()?;
                regular::put(file, 0o600, text.as_bytes())?;
                text
            }
            Err(error) => return Err(error),
        };
        let secret = text.lines().find_map(|line| line.parse::<Identity>().ok());
        let secret =
            secret.ok_or_else(|| invalid(format!("{} holds no key (AGE-SECRET-KEY-1…)", file.display())))?;
        Ok(Self(Reviewers(vec![secret.public().clone()])))
    }

    /// What opens what was encrypted with the one in a file.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub(super) fn identities(file: &Path) -> io::Result<Vec<Identity>> {
        identities_in(&Zeroizing::new(regular::read(file, LONGEST)?))
    }

    /// Who can read what is encrypted with it.
    pub(super) fn reader(&self) -> &Reviewers {
        &self.0
    }
}

/// Why the lines of a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is encrypted, and no identity was given.
    #[error("is encrypted for a reviewer; name the reviewer's identity file with --identity")]
    NoIdentity,
    /// None of the identities that were given opens it.
    #[error("is encrypted for somebody else than the identities that were given")]
    OtherIdentity,
    /// With what is wrong of the format, or which part does not authenticate.
    #[error("is not an age file, or was changed: {0}")]
    NotAge(String),
}

pub(super) fn decrypt<R: BufRead>(file: R, identities: &[Identity]) -> Result<Decrypted<R>, OpenError> {
    if identities.is_empty() {
        return Err(OpenError::NoIdentity);
    }
    age::decrypt(file, identities).map_err(|error| match error {
        age::Error::NoMatch => OpenError::OtherIdentity,
        age::Error::Io(error) => OpenError::Io(error),
        other => OpenError::NotAge(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::{IDENTITIES, new_identity, read_identities};

    #[test]
    fn a_file_of_identities_has_an_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (identity, _) = new_identity().unwrap();
        let filled = |length: usize| format!("{}#{}", *identity, "x".repeat(length - identity.len() - 1));
        std::fs::write(file.path(), filled(IDENTITIES)).unwrap();
        assert_eq!(read_identities(file.path()).unwrap().len(), 1);
        std::fs::write(file.path(), filled(IDENTITIES + 1)).unwrap();
        let error = read_identities(file.path()).unwrap_err().to_string();
        assert!(error.contains("longer than 64 KiB"), "{error}");
        assert!(read_identities(std::path::Path::new("/dev/zero")).is_err());
    }
}

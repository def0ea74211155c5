//! Private keys: PKCS#8 (plain, or encrypted with PBES2), PKCS#1 and SEC1, in PEM.

use super::{TlsError, material};
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use x509_parser::pem::Pem;
use zeroize::Zeroizing;

const KEY: &str = "private-key";
const PASSPHRASE_KEY: &str = "private-key-passphrase-file";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// How a key file protects its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    Plain,
    /// `ENCRYPTED PRIVATE KEY` (RFC 5958).
    Encrypted,
    /// `Proc-Type: 4,ENCRYPTED` (RFC 1421 as OpenSSL used it).
    Legacy,
    NoKey,
}

impl Protection {
    pub(super) fn of(pem: &[u8]) -> Self {
        let has = |text: &str| pem.windows(text.len()).any(|window| window == text.as_bytes());
        if has("Proc-Type: 4,ENCRYPTED") {
            Self::Legacy
        } else if has("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            Self::Encrypted
        } else if has("PRIVATE KEY-----") {
            Self::Plain
        } else {
            Self::NoKey
        }
    }
}

/// The first private key of a file.
pub(super) fn load(file: &Path, passphrase: Option<&Path>) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = material::read(KEY, file)?;
    match Protection::of(&pem) {
        Protection::NoKey => Err(TlsError::NoPrivateKey { file: file.to_owned() }),
        Protection::Legacy => Err(TlsError::LegacyEncryption { file: file.to_owned() }),
        Protection::Plain => {
            PrivateKeyDer::from_pem_slice(&pem).map_err(|error| material::bad_pem(KEY, file, &error))
        }
        Protection::Encrypted => {
            let passphrase =
                passphrase.ok_or_else(|| TlsError::PassphraseNeeded { file: file.to_owned() })?;
            decrypt(file, &pem, passphrase)
        }
    }
}

fn decrypt(file: &Path, pem: &[u8], passphrase_file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let bad_pem =
        |detail: &str| TlsError::BadPem { key: KEY, file: file.to_owned(), detail: detail.to_owned() };
    let section =
        Pem::iter_from_buffer(pem).find(|section| !matches!(section, Ok(pem) if pem.label != ENCRYPTED));
    let section = match section {
        Some(Ok(section)) => section,
        _ => return Err(bad_pem("its encrypted section is cut off, or not base64")),
    };
    let info = EncryptedPrivateKeyInfoRef::try_from(section.contents.as_slice())
        .map_err(|error| unsupported(file, &error))?;
    let passphrase = passphrase_of(passphrase_file)?;
    let key = info.decrypt(&*passphrase).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) | pkcs8::Error::Asn1(_) => {
            TlsError::WrongPassphrase { file: file.to_owned(), passphrase: passphrase_file.to_owned() }
        }
        other => unsupported(file, &other),
    })?;
    // rustls wipes what it is given when it is done with it.
    Ok(PrivateKeyDer::Pkcs8(key.as_bytes().to_vec().into()))
}

fn unsupported(file: &Path, error: &pkcs8::Error) -> TlsError {
    TlsError::UnsupportedEncryption { file: file.to_owned(), detail: error.to_string() }
}

/// The only line of a passphrase file, without its line end.
fn passphrase_of(file: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let mut line = material::read(PASSPHRASE_KEY, file)?;
    while line.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
        line.pop();
    }
    match line.is_empty() || line.contains(&b'\n') {
        true => Err(TlsError::BadPassphraseFile { file: file.to_owned() }),
        false => Ok(line),
    }
}

//! What can be wrong with the files of a `tls` table.

use std::io;
use std::path::{Path, PathBuf};

use crate::files::full;

/// A TLS configuration that cannot be used. The text names the file, what was expected and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {}: {source}", full(file))]
    Unreadable { key: &'static str, file: PathBuf, source: io::Error },
    #[error("{} is larger than the {limit} bytes that such a file may have", full(file))]
    TooLarge { key: &'static str, file: PathBuf, limit: u64 },
    #[error("{} is not proper PEM ({detail})", full(file))]
    BadPem { key: &'static str, file: PathBuf, detail: String },
    #[error("{} holds no certificate; expected PEM with \"-----BEGIN CERTIFICATE-----\"{}", full(file), der_hint(*der))]
    NoCertificate { key: &'static str, file: PathBuf, der: bool },
    #[error("certificate {number} in {} cannot be used ({detail})", full(file))]
    BadCertificate { key: &'static str, file: PathBuf, number: usize, detail: String },
    #[error(
        "{} holds no private key; expected PEM with \"-----BEGIN PRIVATE KEY-----\" (also ENCRYPTED, RSA or EC)",
        full(file)
    )]
    NoPrivateKey { file: PathBuf },
    #[error(
        "{} holds a private key that cannot be used ({detail}); expected RSA of 2048 bits or more, ECDSA on P-256, P-384 or P-521, or Ed25519",
        full(file)
    )]
    BadPrivateKey { file: PathBuf, detail: String },
    #[error("{} is encrypted: put its passphrase, one line, into a file and name that file", full(file))]
    PassphraseNeeded { file: PathBuf },
    #[error("the passphrase in {} does not open {}", full(passphrase), full(file))]
    WrongPassphrase { file: PathBuf, passphrase: PathBuf },
    #[error("{}: expected the passphrase as the only line", full(file))]
    BadPassphraseFile { file: PathBuf },
    #[error("{} is encrypted in the legacy way of OpenSSL (Proc-Type: 4,ENCRYPTED), whose key derivation is too weak; convert it: openssl pkcs8 -topk8 -in {} -out NEW.key", full(file), file.display())]
    LegacyEncryption { file: PathBuf },
    #[error("{} is encrypted in a way that is not supported ({detail}); convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -in {} -out NEW.key", full(file), file.display())]
    UnsupportedEncryption { file: PathBuf, detail: String },
    #[error(
        "{} is not the key of the first certificate in {}; the chain starts with the own certificate, then the CA that signed it",
        full(private_key),
        full(chain)
    )]
    KeyMismatch { private_key: PathBuf, chain: PathBuf },
    #[error(
        "the certificates of clients are asked for, but there is no CA to check them against; name a PEM file of CA certificates, or set client-authentication = \"off\""
    )]
    ClientCaMissing,
    #[error(
        "there is nothing to check the upstream's certificate against; name a PEM file with the CA that signed it, or with the certificate itself, or pins"
    )]
    CaMissing,
    #[error(
        "{} holds no certificate that can be trusted: that of {subject} {why}; {}",
        full(file),
        super::trust::REMEDY
    )]
    NothingToTrust { key: &'static str, file: PathBuf, subject: String, why: String },
    #[error("a certificate needs its private key too; name both or neither")]
    PrivateKeyMissing,
    #[error("a private key needs its certificate too; name both or neither")]
    CertificateMissing,
    #[error(
        "{} holds no revocation list; expected PEM with \"-----BEGIN X509 CRL-----\", or DER",
        full(file)
    )]
    NoRevocationList { file: PathBuf },
    #[error("revocation list {number} in {} cannot be used ({detail})", full(file))]
    BadRevocationList { file: PathBuf, number: usize, detail: String },
    #[error(
        "\"{name}\" is neither a DNS name nor an IP address; expected the name that the upstream's certificate carries"
    )]
    BadServerName { name: String },
    #[error("TLS cannot be set up: {0}")]
    Setup(#[source] rustls::Error),
}

impl TlsError {
    /// The key of the `tls` table that the problem belongs to.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Unreadable { key, .. }
            | Self::TooLarge { key, .. }
            | Self::BadPem { key, .. }
            | Self::NoCertificate { key, .. }
            | Self::NothingToTrust { key, .. }
            | Self::BadCertificate { key, .. } => key,
            Self::NoPrivateKey { .. }
            | Self::BadPrivateKey { .. }
            | Self::LegacyEncryption { .. }
            | Self::UnsupportedEncryption { .. }
            | Self::KeyMismatch { .. }
            | Self::CertificateMissing => "private-key",
            Self::PassphraseNeeded { .. } | Self::WrongPassphrase { .. } | Self::BadPassphraseFile { .. } => {
                "private-key-passphrase-file"
            }
            Self::PrivateKeyMissing | Self::Setup(_) => "certificate-chain",
            Self::ClientCaMissing => "client-ca",
            Self::CaMissing => "ca",
            Self::NoRevocationList { .. } | Self::BadRevocationList { .. } => "revocation-lists",
            Self::BadServerName { .. } => "server-name",
        }
    }

    /// The file that the problem belongs to, where it is one file.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Unreadable { file, .. }
            | Self::TooLarge { file, .. }
            | Self::BadPem { file, .. }
            | Self::NoCertificate { file, .. }
            | Self::BadCertificate { file, .. }
            | Self::NothingToTrust { file, .. }
            | Self::NoPrivateKey { file }
            | Self::BadPrivateKey { file, .. }
            | Self::PassphraseNeeded { file }
            | Self::WrongPassphrase { file, .. }
            | Self::BadPassphraseFile { file }
            | Self::LegacyEncryption { file }
            | Self::UnsupportedEncryption { file, .. }
            | Self::NoRevocationList { file }
            | Self::BadRevocationList { file, .. } => Some(file),
            Self::KeyMismatch { private_key, .. } => Some(private_key),
            Self::ClientCaMissing
            | Self::CaMissing
            | Self::PrivateKeyMissing
            | Self::CertificateMissing
            | Self::BadServerName { .. }
            | Self::Setup(_) => None,
        }
    }

    pub(super) fn unreadable(key: &'static str, file: &Path, source: io::Error) -> Self {
        Self::Unreadable { key, file: file.to_owned(), source }
    }
}

fn der_hint(der: bool) -> &'static str {
    if der {
        "; this looks like DER, convert it: openssl x509 -inform DER -in FILE -out FILE.pem"
    } else {
        ""
    }
}

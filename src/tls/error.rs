//! What can be wrong with the files of a `tls` table.

use std::io;
use std::path::{Path, PathBuf};

use crate::files::full;

/// A TLS configuration that cannot be used. The text names the file, what was expected and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", full(file))]
    Unreadable {
        /// The key of the `tls` table that names the file; `file` where no configuration does.
        key: &'static str,
        /// The file, as it was opened.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is longer than any chain, key or list would be, and was not read whole.
    #[error("{} is larger than the {limit} bytes that such a file may have", full(file))]
    TooLarge {
        /// The key of the `tls` table that names the file; `file` where no configuration does.
        key: &'static str,
        /// The file, as it was opened.
        file: PathBuf,
        /// In bytes.
        limit: u64,
    },
    /// A section of the file is cut off, malformed, or not base64 (RFC 7468).
    #[error("{} is not proper PEM ({detail})", full(file))]
    BadPem {
        /// The key of the `tls` table that names the file; `file` where no configuration does.
        key: &'static str,
        /// The file, as it was opened.
        file: PathBuf,
        /// What is wrong with which section; nothing of what is in it.
        detail: String,
    },
    /// No section of the file is a certificate.
    #[error("{} holds no certificate; expected PEM with \"-----BEGIN CERTIFICATE-----\"{}", full(file), der_hint(*der))]
    NoCertificate {
        /// The key of the `tls` table that names the file.
        key: &'static str,
        /// The file, as it was opened.
        file: PathBuf,
        /// Whether it begins as DER does: the wrong encoding of, perhaps, the right certificate.
        der: bool,
    },
    /// A certificate cannot be read, is of a version that nobody verifies, or no CA's that rustls takes.
    #[error("certificate {number} in {} cannot be used ({detail})", full(file))]
    BadCertificate {
        /// The key of the `tls` table that names the file.
        key: &'static str,
        /// The file, as it was opened.
        file: PathBuf,
        /// Its place among the certificates of the file, counted from 1.
        number: usize,
        /// Why, as whoever read it says.
        detail: String,
    },
    /// No section of the file is a private key.
    #[error(
        "{} holds no private key; expected PEM with \"-----BEGIN PRIVATE KEY-----\" (also ENCRYPTED, RSA or EC)",
        full(file)
    )]
    NoPrivateKey {
        /// The file of `private-key`.
        file: PathBuf,
    },
    /// There is a private key, of a kind or a length that TLS does not take here.
    #[error(
        "{} holds a private key that cannot be used ({detail}); expected RSA of 2048 bits or more, ECDSA on P-256, P-384 or P-521, or Ed25519",
        full(file)
    )]
    BadPrivateKey {
        /// The file of `private-key`.
        file: PathBuf,
        /// Why, as rustls says it; nothing of the key.
        detail: String,
    },
    /// The key is encrypted, and no file with a passphrase is named.
    #[error("{} is encrypted: put its passphrase, one line, into a file and name that file", full(file))]
    PassphraseNeeded {
        /// The file of `private-key`.
        file: PathBuf,
    },
    /// The key is encrypted, and what comes out with this passphrase is no key.
    #[error("the passphrase in {} does not open {}", full(passphrase), full(file))]
    WrongPassphrase {
        /// The file of `private-key`.
        file: PathBuf,
        /// The file of `private-key-passphrase-file`.
        passphrase: PathBuf,
    },
    /// The passphrase file is empty, or has more than one line.
    #[error("{}: expected the passphrase as the only line", full(file))]
    BadPassphraseFile {
        /// The file of `private-key-passphrase-file`.
        file: PathBuf,
    },
    /// The key is encrypted as OpenSSL did before PKCS#8.
    #[error("{} is encrypted in the legacy way of OpenSSL (Proc-Type: 4,ENCRYPTED), whose key derivation is too weak; convert it: openssl pkcs8 -topk8 -in {} -out NEW.key", full(file), file.display())]
    LegacyEncryption {
        /// The file of `private-key`.
        file: PathBuf,
    },
    /// The key is encrypted as PKCS#8 allows, in a scheme that cannot be read here.
    #[error("{} is encrypted in a way that is not supported ({detail}); convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -in {} -out NEW.key", full(file), file.display())]
    UnsupportedEncryption {
        /// The file of `private-key`.
        file: PathBuf,
        /// Which part of the scheme is not known, or malformed.
        detail: String,
    },
    /// The key is good, but another one is in the certificate that would be shown with it.
    #[error(
        "{} is not the key of the first certificate in {}; the chain starts with the own certificate, then the CA that signed it",
        full(private_key),
        full(chain)
    )]
    KeyMismatch {
        /// The file of `private-key`.
        private_key: PathBuf,
        /// The file of `certificate-chain`, whose first certificate was compared.
        chain: PathBuf,
    },
    /// A listener asks for certificates, with neither `client-ca` nor `pins`.
    #[error(
        "the certificates of clients are asked for, but there is no CA to check them against; name a PEM file of CA certificates, or set client-authentication = \"off\""
    )]
    ClientCaMissing,
    /// An upstream has neither `ca` nor `pins`, so that nothing could tell it from another.
    #[error(
        "there is nothing to check the upstream's certificate against; name a PEM file with the CA that signed it, or with the certificate itself, or pins"
    )]
    CaMissing,
    /// No certificate of `client-ca` or `ca` is good for anything, and there are no pins besides.
    #[error(
        "{} holds no certificate that can be trusted: that of {subject} {why}; {}",
        full(file),
        super::unfit::REMEDY
    )]
    NothingToTrust {
        /// `client-ca` or `ca`.
        key: &'static str,
        /// The file that the first of them is in.
        file: PathBuf,
        /// The subject of the first of them, escaped.
        subject: String,
        /// What makes it useless, as in "is of X.509 version 1".
        why: String,
    },
    /// An upstream has a `certificate-chain` without a `private-key`.
    #[error("a certificate needs its private key too; name both or neither")]
    PrivateKeyMissing,
    /// An upstream has a `private-key` without a `certificate-chain`.
    #[error("a private key needs its certificate too; name both or neither")]
    CertificateMissing,
    /// The file holds neither a list in PEM nor anything that begins as DER does.
    #[error(
        "{} holds no revocation list; expected PEM with \"-----BEGIN X509 CRL-----\", or DER",
        full(file)
    )]
    NoRevocationList {
        /// A file of `revocation-lists`.
        file: PathBuf,
    },
    /// A list cannot be read, something follows it, or it does not say when the next one comes.
    #[error("revocation list {number} in {} cannot be used ({detail})", full(file))]
    BadRevocationList {
        /// A file of `revocation-lists`; the first of them where only the verifier refused a list.
        file: PathBuf,
        /// Its place among the lists of the file, counted from 1.
        number: usize,
        /// Why, as whoever read it says.
        detail: String,
    },
    /// The name that an upstream's certificate has to carry cannot be in one.
    #[error(
        "\"{name}\" is neither a DNS name nor an IP address; expected the name that the upstream's certificate carries"
    )]
    BadServerName {
        /// The value of `server-name`, escaped and cut.
        name: String,
    },
    /// rustls refuses the settings as a whole: the versions, or a verifier without anything to trust.
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

//! A private CA for sites that have none: certificates and revocation lists (RFC 5280), in memory.
//!
//! [`Directory`] keeps one in files.

mod directory;
mod name;

pub use directory::Directory;
pub use name::{SubjectName, SubjectNameError};

use crate::files::full;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, RsaKeySize, SerialNumber,
};
use std::io;
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// Why a CA could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file or folder of the CA cannot be made, read or written.
    #[error("cannot {doing} {}: {source}", full(file))]
    Io {
        /// What was tried, as a verb: `make`, `read` or `write`.
        doing: &'static str,
        /// The file or folder that it was tried on.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A certificate, key or CA would take the place of another.
    #[error("{} exists already and is not overwritten; choose another name, or move it away", full(file))]
    Exists {
        /// The file that is in the way; it is left as it is.
        file: PathBuf,
    },
    /// The folder has no CA, or half of one.
    #[error("{} is missing; make a CA there first: dimsegate certs init {}", full(file), directory.display())]
    NoAuthority {
        /// The file that is not there: `ca.pem` or `ca.key`.
        file: PathBuf,
        /// The folder that was looked in.
        directory: PathBuf,
    },
    /// A name, of a site say, that would lead out of the folder or to the CA's own files.
    #[error(
        "\"{0}\" cannot be a file name here; expected 1 to 64 letters, digits, dots, dashes and underscores, not \"ca\", beginning with a letter or digit"
    )]
    BadName(String),
    /// A file of the folder is there, and is not what its name says.
    #[error("{} cannot be used: {detail}", full(file))]
    BadFile {
        /// The certificate or revocation list that was read.
        file: PathBuf,
        /// What is wrong with it; nothing of a key.
        detail: String,
    },
    /// A certificate of another CA was to be revoked, which only that one can do.
    #[error("{} was not issued by the CA in {}", full(file), full(directory))]
    Foreign {
        /// The certificate whose issuer is somebody else.
        file: PathBuf,
        /// The folder of the CA that was asked.
        directory: PathBuf,
    },
    /// A key, certificate or list cannot be made of what was asked, or a CA of the PEM that was given.
    #[error("the certificate cannot be made: {0}")]
    Signing(#[from] rcgen::Error),
    /// Serial numbers need them; without them nothing is issued.
    #[error("the system gives no random numbers")]
    Random,
}

/// The kind of key that is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum KeyType {
    /// ECDSA on P-256.
    #[default]
    EcP256,
    /// ECDSA on P-384.
    EcP384,
    /// RSA with 3072 bits, for old peers.
    Rsa3072,
}

/// What is to be issued.
#[derive(Clone, Debug)]
pub struct Request {
    /// The common name of the subject.
    pub common_name: String,
    /// The alternative names.
    pub names: Vec<SubjectName>,
    /// Whether a server may show it (serverAuth, RFC 5280 §4.2.1.12): a listener.
    pub server: bool,
    /// Whether a client may show it (clientAuth): a remote site's, or that of dimsegate towards an upstream.
    pub client: bool,
    /// From when it counts; an hour in the past lets clocks differ.
    pub not_before: OffsetDateTime,
    /// The last moment at which it counts.
    pub not_after: OffsetDateTime,
    /// The kind of key that is made for it.
    pub key_type: KeyType,
}

impl Request {
    /// For both roles, from an hour ago (clocks differ) for 730 days.
    pub fn new(common_name: &str, names: Vec<SubjectName>) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            common_name: common_name.to_owned(),
            names,
            server: true,
            client: true,
            not_before: now - Duration::HOUR,
            not_after: now.saturating_add(Duration::days(730)),
            key_type: KeyType::default(),
        }
    }
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Issued {
    /// Of this certificate alone, without that of the CA.
    pub certificate_pem: String,
    /// PKCS#8, not encrypted; wiped when dropped.
    pub private_key_pem: Zeroizing<String>,
    /// Big endian, as it goes into a revocation list.
    pub serial: Vec<u8>,
}

/// A certificate that no longer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Big endian.
    pub serial: Vec<u8>,
    /// When it ceased to count, as the list says it.
    pub at: OffsetDateTime,
}

/// A CA with its key.
pub struct Authority {
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new CA, EC P-256, for ten years. It may sign end certificates only.
    ///
    /// # Errors
    /// [`AuthorityError`] where the system gives no random numbers.
    pub fn new(common_name: &str) -> Result<Self, AuthorityError> {
        let key = key_pair(KeyType::EcP256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name(common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.serial_number = Some(serial()?.into());
        params.not_before = OffsetDateTime::now_utc() - Duration::HOUR;
        params.not_after = OffsetDateTime::now_utc().saturating_add(Duration::days(3652));
        let certificate_pem = params.self_signed(&key)?.pem();
        Ok(Self { certificate_pem, issuer: Issuer::new(params, key) })
    }

    /// A name that no other CA has: two of one name and different keys are hard to tell apart when a check fails.
    ///
    /// # Errors
    /// [`AuthorityError::Random`].
    pub fn unique_name() -> Result<String, AuthorityError> {
        let mut random = [0; 4];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| AuthorityError::Random)?;
        let today = OffsetDateTime::now_utc().date();
        Ok(format!("dimsegate private CA {today} {:08x}", u32::from_be_bytes(random)))
    }

    /// A CA from its own PEM files.
    ///
    /// # Errors
    /// [`AuthorityError::Signing`] where either cannot be read.
    pub fn from_pem(certificate_pem: &str, private_key_pem: &str) -> Result<Self, AuthorityError> {
        let key = KeyPair::from_pem(private_key_pem)?;
        let issuer = Issuer::from_ca_cert_pem(certificate_pem, key)?;
        Ok(Self { certificate_pem: certificate_pem.to_owned(), issuer })
    }

    /// The CA's own certificate: what peers trust, and nothing secret.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The CA's key, in PKCS#8 and not encrypted; who has it can issue whatever it likes. Wiped when dropped.
    pub fn private_key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.issuer.key().serialize_pem())
    }

    /// A new key, and a certificate for it.
    ///
    /// # Errors
    /// [`AuthorityError`] where a name cannot be encoded, or the system gives no random numbers.
    pub fn issue(&self, request: &Request) -> Result<Issued, AuthorityError> {
        let key = key_pair(request.key_type)?;
        let serial = serial()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name(&request.common_name);
        params.subject_alt_names = request.names.iter().map(SubjectName::to_san).collect::<Result<_, _>>()?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = [
            request.server.then_some(ExtendedKeyUsagePurpose::ServerAuth),
            request.client.then_some(ExtendedKeyUsagePurpose::ClientAuth),
        ]
        .into_iter()
        .flatten()
        .collect();
        params.serial_number = Some(serial.clone().into());
        params.use_authority_key_identifier_extension = true;
        params.not_before = request.not_before;
        params.not_after = request.not_after;
        let certificate_pem = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { certificate_pem, private_key_pem: Zeroizing::new(key.serialize_pem()), serial })
    }

    /// A revocation list in PEM. `number` grows with every list.
    ///
    /// # Errors
    /// [`AuthorityError::Signing`] where `next_update` is not after `this_update`.
    pub fn revocation_list(
        &self,
        revoked: &[Revoked],
        number: u64,
        this_update: OffsetDateTime,
        next_update: OffsetDateTime,
    ) -> Result<String, AuthorityError> {
        let entry = |revoked: &Revoked| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&revoked.serial),
            revocation_time: revoked.at,
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(&self.issuer)?.pem()?)
    }
}

fn distinguished_name(common_name: &str) -> rcgen::DistinguishedName {
    let mut name = rcgen::DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn key_pair(key_type: KeyType) -> Result<KeyPair, AuthorityError> {
    Ok(match key_type {
        KeyType::EcP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?,
        KeyType::EcP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384)?,
        KeyType::Rsa3072 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_3072)?,
    })
}

/// 16 random bytes, positive and without a leading zero (RFC 5280 §4.1.2.2).
fn serial() -> Result<Vec<u8>, AuthorityError> {
    let mut serial = vec![0; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| AuthorityError::Random)?;
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    Ok(serial)
}

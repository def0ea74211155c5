//! Certificates that are trusted for their key, whoever signed them.

use rustls::CertificateError;
use rustls::pki_types::{CertificateRevocationListDer, UnixTime};
use std::collections::HashSet;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use crate::identity::CertificateBinding;
use crate::tls::Role;
use crate::tls::facts::Facts;

/// Keys and certificates that need no CA. Their dates and usages hold all the same, and so does a revocation list by
/// whoever signed them, where one is loaded.
#[derive(Debug)]
pub(super) struct Pinned {
    pub role: Role,
    /// `sha256:` of the certificates that are listed themselves, and the `pins`.
    pub bindings: Vec<CertificateBinding>,
    pub lists: Vec<List>,
}

/// What a revocation list says, to look one certificate up.
#[derive(Debug)]
pub(super) struct List {
    /// DER of the issuer's name.
    issuer: Vec<u8>,
    revoked: HashSet<Vec<u8>>,
    /// Seconds since 1970 from which on it is out of date.
    end: i64,
}

impl List {
    /// `None` for a list that cannot be read, which no verifier is built with.
    pub(super) fn of(der: &CertificateRevocationListDer<'_>) -> Option<Self> {
        let (_, list) = CertificateRevocationList::from_der(der).ok()?;
        Some(Self {
            issuer: list.issuer().as_raw().to_vec(),
            revoked: list.iter_revoked_certificates().map(|entry| entry.raw_serial().to_vec()).collect(),
            end: list.next_update()?.timestamp(),
        })
    }
}

impl Pinned {
    pub(super) fn holds(&self, facts: &Facts) -> bool {
        self.bindings.iter().any(|binding| binding.matches(&facts.certificate))
    }

    /// Whether it is pinned for its key alone. Whoever has the key can then write any name into a certificate for it.
    pub(super) fn holds_key_alone(&self, facts: &Facts) -> bool {
        let names = |binding: &&CertificateBinding| !binding.is_of_key();
        !self.bindings.iter().filter(names).any(|binding| binding.matches(&facts.certificate))
    }

    /// Everything about a certificate that is pinned but who signed it. That the peer has its key is proven by the
    /// handshake's own signature, as for every certificate.
    pub(super) fn check(&self, der: &[u8], facts: &Facts, now: UnixTime) -> Result<(), CertificateError> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if now < facts.not_before.unix_timestamp() {
            return Err(CertificateError::NotValidYet);
        }
        if now > facts.certificate.not_after.unix_timestamp() {
            return Err(CertificateError::Expired);
        }
        if !facts.proves || !self.role.allows(facts) {
            return Err(CertificateError::InvalidPurpose);
        }
        let (_, parsed) = X509Certificate::from_der(der).map_err(|_| CertificateError::BadEncoding)?;
        for list in self.lists.iter().filter(|list| list.issuer == parsed.issuer().as_raw()) {
            if list.revoked.contains(parsed.raw_serial()) {
                return Err(CertificateError::Revoked);
            }
            if now >= list.end {
                return Err(CertificateError::ExpiredRevocationList);
            }
        }
        Ok(())
    }
}

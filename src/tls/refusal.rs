//! The certificate behind a handshake that failed.
//!
//! rustls gives an error and drops what the peer showed. The verifiers note it, for the stream that hears of the error
//! right after, on the same thread.

use crate::identity::Certificate;
use rustls::{CertificateError, Error};
use std::cell::RefCell;
use std::error;
use std::fmt;

use super::unfit::Unfit;

thread_local! {
    static SHOWN: RefCell<Option<Box<Certificate>>> = const { RefCell::new(None) };
}

/// Notes that a verifier refuses what the peer showed. Nothing in it is proven.
pub(super) fn note(der: &[u8]) {
    SHOWN.set(Some(Box::new(Certificate::from_der_or_fingerprint(der))));
}

/// The error of a handshake, as an [`io::Error`](std::io::Error) carries it: with the certificate, where a verifier has just refused one.
pub(super) fn carried(error: Error) -> Box<dyn error::Error + Send + Sync> {
    let shown = SHOWN.take();
    match (error, shown) {
        (error @ Error::InvalidCertificate(_), Some(certificate))
        | (error @ Error::InvalidCertRevocationList(_), Some(certificate)) => {
            Box::new(OfCertificate { error, certificate })
        }
        (error, _) => Box::new(error),
    }
}

/// What a verifier of rustls found, and of which certificate.
#[derive(Debug)]
pub(super) struct OfCertificate {
    pub error: Error,
    pub certificate: Box<Certificate>,
}

impl fmt::Display for OfCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl error::Error for OfCertificate {}

/// What no verifier of rustls would say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Own {
    /// A root's own dates are not among what RFC 5280 §6 has a verifier check.
    #[error("the CA {authority} {ended}")]
    AuthorityEnded { authority: String, ended: String },
    #[error("the certificate is a CA's, made to sign others and not to be shown by a peer")]
    AuthorityShown,
    #[error("the certificate {0}")]
    Unfit(Unfit),
    #[error("{certificate}, which signed it, {why}")]
    UnfitAuthority { certificate: String, why: Unfit },
}

impl From<Own> for Error {
    fn from(own: Own) -> Self {
        Self::InvalidCertificate(CertificateError::Other(rustls::OtherError(std::sync::Arc::new(own))))
    }
}

impl Own {
    /// In an error that [`Error::from`] made of it.
    pub(super) fn of(error: &CertificateError) -> Option<&Self> {
        match error {
            CertificateError::Other(other) => other.0.downcast_ref(),
            _ => None,
        }
    }
}

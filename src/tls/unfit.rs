//! Certificates that nobody can show here, whoever signed them, and how to make one that will do.

use std::fmt;

use super::facts::Facts;

/// What makes a certificate that will do, in a sentence that ends in a command. `check` and refusals say it.
pub(crate) const REMEDY: &str = "a right one, signed by itself or then by a CA: openssl req -x509 -newkey rsa:3072 -sha256 -nodes \
     -days 730 -keyout SITE.key -out SITE.pem -subj /CN=NAME -addext subjectAltName=DNS:NAME \
     -addext basicConstraints=critical,CA:FALSE";

/// Why a certificate is of no use, whatever signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// RFC 5280 §4.1.2.1: without version 3 there are no extensions, so that it says neither whose name it is for nor
    /// what its key may be used for.
    Version(u32),
    /// Too short, or of an algorithm that TLS here does not know.
    Key(String),
    /// Signed with a digest for which collisions are made.
    Signature(String),
}

impl Unfit {
    /// As the certificate of a peer, which shows it.
    pub(crate) fn to_show(facts: &Facts) -> Option<Self> {
        let weak = || facts.weak_signature.then(|| Self::Signature(facts.signature.clone()));
        Self::to_sign(facts).or_else(weak)
    }

    /// As [`Unfit::to_show`], where that is not among the [concerns](Facts::concerns): they are of CA certificates too.
    pub(crate) fn beyond_concerns(facts: &Facts) -> Option<Self> {
        let told = facts.weak_key || facts.weak_signature && !facts.self_issued;
        Self::to_show(facts).filter(|_| !told)
    }

    /// As a CA to trust, whose own signature nobody checks.
    pub(crate) fn to_sign(facts: &Facts) -> Option<Self> {
        match facts.version {
            3 if facts.weak_key => Some(Self::Key(facts.key.clone())),
            3 => None,
            other => Some(Self::Version(other)),
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(
                f,
                "is of X.509 version {version}, which says neither its names nor what its key is for; version 3 is needed"
            ),
            Self::Key(key) => write!(f, "has a weak key ({key}); RSA needs 2048 bits, EC 256"),
            Self::Signature(signature) => {
                write!(f, "is signed with {signature}, which can be forged; SHA-256 is the least")
            }
        }
    }
}

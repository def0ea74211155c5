//! When what TLS rests on is no longer good, and how early somebody should know.

use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// When a certificate or a list is no longer good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The file that it stands in, as it was opened.
    pub file: PathBuf,
    /// Such as `the certificate of CN=lyon`.
    pub what: String,
    /// When: notAfter of a certificate, nextUpdate of a list.
    pub at: OffsetDateTime,
    /// A certificate's or a list's, which differ in how early somebody should know.
    pub kind: EndKind,
}

/// What it is that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndKind {
    /// Its own notAfter (RFC 5280 §4.1.2.5).
    Certificate,
    /// The moment by which the next list was promised (RFC 5280 §5.1.2.5).
    RevocationList,
}

impl EndKind {
    /// How long before its end somebody should know. Lists are made for days or weeks, so that a month's notice would never
    /// end.
    pub fn notice(self) -> Duration {
        match self {
            Self::Certificate => Duration::days(30),
            Self::RevocationList => Duration::days(7),
        }
    }

    /// How long before its end it is as bad as over. Who renews lists does it in their last days.
    pub fn urgent(self) -> Duration {
        match self {
            Self::Certificate => Duration::days(3),
            Self::RevocationList => Duration::ZERO,
        }
    }
}

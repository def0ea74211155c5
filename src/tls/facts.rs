//! What matters about a certificate to the one who runs the site: dates, strength, purpose.

use super::end::EndKind;
use crate::identity::{Certificate, CertificateError};
use time::OffsetDateTime;
use x509_parser::extensions::KeyUsage;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

/// The end of TLS that shows a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    Client,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Server => "a server",
            Self::Client => "a client",
        }
    }

    /// Whether extended key usage allows a certificate to be shown by it, or says nothing.
    pub(super) fn allows(self, facts: &Facts) -> bool {
        match self {
            Self::Server => facts.server,
            Self::Client => facts.client,
        }
    }
}

/// More than [`Certificate`] has, for `check` and `certs show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub certificate: Certificate,
    pub not_before: OffsetDateTime,
    /// Such as `EC 256 bit`.
    pub key: String,
    pub weak_key: bool,
    /// Such as `ECDSA with SHA-256`.
    pub signature: String,
    pub weak_signature: bool,
    pub ca: bool,
    /// 1 to 3.
    pub version: u32,
    /// Its key may sign certificates: it is a CA's, and key usage allows it, or there is none.
    pub signs: bool,
    /// Its key may prove in a handshake who has it: key usage allows it, or there is none.
    pub proves: bool,
    /// Extended key usage allows it, or there is none.
    pub server: bool,
    pub client: bool,
    pub self_issued: bool,
}

impl Facts {
    pub(crate) fn of(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = Certificate::from_der(der)?;
        let (_, parsed) =
            X509Certificate::from_der(der).map_err(|error| CertificateError::Malformed(error.to_string()))?;
        let (key, weak_key) = key(&parsed);
        let (signature, weak_signature) = signature(&parsed.signature_algorithm.algorithm.to_id_string());
        let usage = parsed.key_usage().ok().flatten().map(|extension| extension.value);
        let purposes = parsed.extended_key_usage().ok().flatten().map(|extension| extension.value);
        let allows = |one: fn(&x509_parser::extensions::ExtendedKeyUsage<'_>) -> bool| {
            purposes.is_none_or(|purposes| purposes.any || one(purposes))
        };
        Ok(Self {
            not_before: parsed.validity().not_before.to_datetime(),
            key,
            weak_key,
            weak_signature,
            signature,
            ca: parsed.is_ca(),
            version: parsed.version.0.saturating_add(1),
            signs: parsed.is_ca() && usage.is_none_or(KeyUsage::key_cert_sign),
            proves: usage.is_none_or(|usage| {
                usage.digital_signature() || usage.key_encipherment() || usage.key_agreement()
            }),
            server: allows(|purposes| purposes.server_auth),
            client: allows(|purposes| purposes.client_auth),
            self_issued: parsed.subject().as_raw() == parsed.issuer().as_raw(),
            certificate,
        })
    }

    /// Everything about its dates that a person should know, as [`Facts::concerns`].
    pub(super) fn concerns_of_dates(&self, now: OffsetDateTime) -> Vec<String> {
        let mut concerns = Vec::new();
        concerns.extend(ending(self.certificate.not_after, now, EndKind::Certificate.notice()));
        if self.not_before > now {
            concerns.push(format!("is not valid before {}", day(self.not_before)));
        }
        concerns
    }

    /// Everything about its dates and strength that a person should know, each a sentence part such as `ends in 3 days`.
    pub(super) fn concerns(&self, now: OffsetDateTime) -> Vec<String> {
        let mut concerns = self.concerns_of_dates(now);
        if self.weak_key {
            concerns.push(format!("has a weak key ({}); RSA needs 2048 bits, EC 256", self.key));
        }
        // Nobody checks the signature of a root.
        if self.weak_signature && !self.self_issued {
            concerns.push(format!(
                "is signed with {}, which most peers refuse; SHA-256 is the least",
                self.signature
            ));
        }
        concerns
    }
}

/// `ended 3 days ago (2026-01-02)` or `ends in 3 days (…)` when the end is within `notice`.
pub(super) fn ending(end: OffsetDateTime, now: OffsetDateTime, notice: time::Duration) -> Option<String> {
    let left = end - now;
    match left {
        _ if left > notice => None,
        _ if left.is_negative() => Some(format!("ended {} ago ({})", days(left.abs()), day(end))),
        _ => Some(format!("ends in {} ({})", days(left), day(end))),
    }
}

/// `1 day`, `12 days`, `5 hours`.
pub(super) fn days(span: time::Duration) -> String {
    match (span.whole_days(), span.whole_hours()) {
        (0, 1) => "1 hour".into(),
        (0, hours) => format!("{hours} hours"),
        (1, _) => "1 day".into(),
        (days, _) => format!("{days} days"),
    }
}

/// The day of a time in UTC, as people read it: `2026-01-02`.
pub(super) fn day(time: OffsetDateTime) -> String {
    let date = time.to_offset(time::UtcOffset::UTC).date();
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

fn key(parsed: &X509Certificate<'_>) -> (String, bool) {
    let algorithm = parsed.public_key().algorithm.algorithm.to_id_string();
    match parsed.public_key().parsed() {
        Ok(PublicKey::RSA(rsa)) => (format!("RSA {} bit", rsa.key_size()), rsa.key_size() < 2048),
        // Points of P-521 fill 66 bytes.
        Ok(PublicKey::EC(point)) if point.key_size() == 528 => ("EC 521 bit".into(), false),
        Ok(PublicKey::EC(point)) => (format!("EC {} bit", point.key_size()), point.key_size() < 256),
        _ if algorithm == "1.3.101.112" => ("Ed25519".into(), false),
        _ => (format!("unknown key algorithm {algorithm}"), true),
    }
}

/// RFC 3279, 4055, 5758, 8410.
fn signature(oid: &str) -> (String, bool) {
    let (name, weak) = match oid {
        "1.2.840.113549.1.1.2" => ("RSA with MD2", true),
        "1.2.840.113549.1.1.4" => ("RSA with MD5", true),
        "1.2.840.113549.1.1.5" => ("RSA with SHA-1", true),
        "1.2.840.113549.1.1.10" => ("RSA-PSS", false),
        "1.2.840.113549.1.1.11" => ("RSA with SHA-256", false),
        "1.2.840.113549.1.1.12" => ("RSA with SHA-384", false),
        "1.2.840.113549.1.1.13" => ("RSA with SHA-512", false),
        "1.2.840.10040.4.3" => ("DSA with SHA-1", true),
        "1.2.840.10045.4.1" => ("ECDSA with SHA-1", true),
        "1.2.840.10045.4.3.2" => ("ECDSA with SHA-256", false),
        "1.2.840.10045.4.3.3" => ("ECDSA with SHA-384", false),
        "1.2.840.10045.4.3.4" => ("ECDSA with SHA-512", false),
        "1.3.101.112" => ("Ed25519", false),
        _ => return (crate::identity::printable(oid, 64), false),
    };
    (name.into(), weak)
}

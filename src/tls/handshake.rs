//! Why a handshake failed, as a word of the vocabulary and a sentence.

use super::facts;
use super::refusal::{OfCertificate, Own};
use super::unfit::REMEDY;
use crate::identity::{Certificate, printable};
use crate::vocabulary::HandshakeFault;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};
use std::io;
use time::OffsetDateTime;

/// Why a handshake failed: a label for records and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeFailure {
    /// In the word of the vocabulary.
    pub fault: HandshakeFault,
    /// For people; escaped and bounded. Names the certificate, where one is the reason.
    pub detail: String,
    /// The TLS alert that the peer was sent, or that it sent (`peer-alert`), as RFC 8446 §6 spells it.
    pub alert: Option<String>,
    /// The certificate that the peer showed, where that is the reason. Nothing in it is proven.
    pub certificate: Option<Box<Certificate>>,
}

/// The reason in an error of a TLS stream, or of a deadline around it.
pub fn handshake_failure(error: &io::Error) -> HandshakeFailure {
    let inner = error.get_ref();
    let of_certificate = inner.and_then(|inner| inner.downcast_ref::<OfCertificate>());
    let certificate = of_certificate.map(|refused| refused.certificate.clone());
    let plain = inner.and_then(|inner| inner.downcast_ref::<Error>());
    let tls = of_certificate.map(|refused| &refused.error).or(plain);
    let fault = tls.map_or_else(|| fault_of_io(error), fault_of);
    let detail = tls.map_or_else(|| error.to_string(), said);
    let detail = match hint(fault, certificate.as_deref()) {
        Some(hint) => format!("{hint} ({})", printable(&detail, 300)),
        None => printable(&detail, 700),
    };
    let detail = match &certificate {
        Some(certificate) => format!("{detail}: {}", named(certificate)),
        None => detail,
    };
    HandshakeFailure { fault, detail, alert: tls.and_then(alert).map(alert_name), certificate }
}

/// The library's words, or those of this one where it found what is wrong.
fn said(error: &Error) -> String {
    match own(error) {
        Some(own @ (Own::Unfit(_) | Own::UnfitAuthority { .. })) => format!("{own}; {REMEDY}"),
        Some(own) => own.to_string(),
        None => out_of_date(error).unwrap_or_else(|| error.to_string()),
    }
}

/// The library says at which second it looked, so that no two refusals of one certificate would be told alike.
fn out_of_date(error: &Error) -> Option<String> {
    use CertificateError as E;
    let Error::InvalidCertificate(error) = error else { return None };
    let (what, at) = match error {
        E::ExpiredContext { not_after, .. } => ("a certificate of the chain ended on", not_after),
        E::NotValidYetContext { not_before, .. } => {
            ("a certificate of the chain is not valid before", not_before)
        }
        E::ExpiredRevocationListContext { next_update, .. } => ("it ended on", next_update),
        _ => return None,
    };
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(at.as_secs()).ok()?).ok()?;
    Some(format!("{what} {}", facts::day(at)))
}

fn own(error: &Error) -> Option<&Own> {
    match error {
        Error::InvalidCertificate(error) => Own::of(error),
        _ => None,
    }
}

/// A certificate by which people find it.
fn named(certificate: &Certificate) -> String {
    let Certificate { subject, issuer, serial, fingerprint, .. } = certificate;
    format!("certificate of {subject}, issuer {issuer}, serial {serial}, sha256:{fingerprint}")
}

fn fault_of(error: &Error) -> HandshakeFault {
    match error {
        Error::NoCertificatesPresented => HandshakeFault::CertificateMissing,
        Error::InvalidCertificate(error) => fault_of_certificate(error),
        Error::InvalidCertRevocationList(_) => HandshakeFault::RevocationUnknown,
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => HandshakeFault::TlsVersion,
        Error::PeerIncompatible(_) => HandshakeFault::NoCommonCipher,
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => HandshakeFault::NotTls,
        Error::AlertReceived(AlertDescription::CloseNotify) => HandshakeFault::PeerClosed,
        Error::AlertReceived(_) => HandshakeFault::PeerAlert,
        _ => HandshakeFault::Other,
    }
}

fn fault_of_certificate(error: &CertificateError) -> HandshakeFault {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => HandshakeFault::CertificateExpired,
        E::NotValidYet | E::NotValidYetContext { .. } => HandshakeFault::CertificateNotYetValid,
        E::Revoked => HandshakeFault::CertificateRevoked,
        E::UnknownIssuer => HandshakeFault::CertificateUnknownIssuer,
        E::Other(_) => match Own::of(error) {
            Some(Own::AuthorityEnded { .. }) => HandshakeFault::CertificateAuthorityExpired,
            Some(Own::Unfit(_) | Own::UnfitAuthority { .. }) => HandshakeFault::CertificateUnfit,
            Some(Own::AuthorityShown) => HandshakeFault::CertificateWrongPurpose,
            None => HandshakeFault::CertificateInvalid,
        },
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => HandshakeFault::CertificateWrongPurpose,
        E::NotValidForName | E::NotValidForNameContext { .. } => HandshakeFault::CertificateWrongName,
        E::UnknownRevocationStatus => HandshakeFault::RevocationUnknown,
        E::ExpiredRevocationList | E::ExpiredRevocationListContext { .. } => {
            HandshakeFault::RevocationListExpired
        }
        _ => HandshakeFault::CertificateInvalid,
    }
}

fn fault_of_io(error: &io::Error) -> HandshakeFault {
    match error.kind() {
        io::ErrorKind::TimedOut => HandshakeFault::Timeout,
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => HandshakeFault::PeerClosed,
        _ => HandshakeFault::Other,
    }
}

/// What an administrator would want to know, where the words of the TLS library do not say it.
fn hint(fault: HandshakeFault, certificate: Option<&Certificate>) -> Option<&'static str> {
    use HandshakeFault as Fault;
    let by_itself = certificate.is_some_and(|one| one.subject == one.issuer);
    let nameless = certificate.is_some_and(|one| one.san.is_empty());
    Some(match fault {
        Fault::CertificateUnknownIssuer if by_itself => {
            "the certificate signed itself and is not among those that this configuration trusts; if it is the peer's, add it to \
             client-ca of a listener, to ca of an upstream, or its key to pins"
        }
        Fault::CertificateWrongName if nameless => {
            "the certificate has a common name only, where nobody looks for the server's name; let it be made with \
             subjectAltName, or add its key to pins"
        }
        // The sentence behind says it better: with the date, the reason, or what the system reports.
        Fault::CertificateExpired
        | Fault::CertificateNotYetValid
        | Fault::CertificateAuthorityExpired
        | Fault::CertificateUnfit
        | Fault::PeerClosed
        | Fault::Timeout
        | Fault::Other => return None,
        other => other.word().what,
    })
}

fn alert(error: &Error) -> Option<AlertDescription> {
    match error {
        Error::AlertReceived(alert) => Some(*alert),
        Error::NoCertificatesPresented => Some(AlertDescription::CertificateRequired),
        Error::InvalidCertificate(error) => Some(error.clone().into()),
        Error::PeerIncompatible(_) if fault_of(error) == HandshakeFault::TlsVersion => {
            Some(AlertDescription::ProtocolVersion)
        }
        Error::PeerIncompatible(_) | Error::InvalidCertRevocationList(_) => {
            Some(AlertDescription::HandshakeFailure)
        }
        _ => None,
    }
}

/// `UnknownCA` is `unknown_ca` in RFC 8446.
fn alert_name(alert: AlertDescription) -> String {
    let Some(name) = alert.as_str() else {
        return format!("{}", u8::from(alert));
    };
    let mut spelled = String::with_capacity(name.len() + 4);
    let mut after_lower = false;
    for character in name.chars() {
        if character.is_ascii_uppercase() && after_lower {
            spelled.push('_');
        }
        after_lower = character.is_ascii_lowercase();
        spelled.push(character.to_ascii_lowercase());
    }
    spelled
}

//! Why a handshake failed, as a stable label and a sentence.

use crate::identity::printable;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};
use std::io;

/// A handshake that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeFailure {
    /// For records and metrics; kebab-case, stable.
    pub label: &'static str,
    /// For people; escaped and bounded.
    pub detail: String,
    /// The TLS alert that the peer was sent, or that it sent (`peer-alert`), as RFC 8446 §6 spells it.
    pub alert: Option<String>,
}

/// The reason in an error of `tokio_rustls`, or of a deadline around it.
pub fn handshake_failure(error: &io::Error) -> HandshakeFailure {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let (label, detail) = match tls {
        Some(error) => (label(error), error.to_string()),
        None => (label_of_io(error), error.to_string()),
    };
    let detail = match hint(label) {
        Some(hint) => format!("{hint} ({})", printable(&detail, 300)),
        None => printable(&detail, 300),
    };
    HandshakeFailure { label, detail, alert: tls.and_then(alert).map(alert_name) }
}

fn label(error: &Error) -> &'static str {
    match error {
        Error::NoCertificatesPresented => "certificate-missing",
        Error::InvalidCertificate(error) => label_of_certificate(error),
        Error::InvalidCertRevocationList(_) => "revocation-unknown",
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => "tls-version",
        Error::PeerIncompatible(_) => "no-common-cipher",
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => "not-tls",
        Error::AlertReceived(AlertDescription::CloseNotify) => "peer-closed",
        Error::AlertReceived(_) => "peer-alert",
        _ => "other",
    }
}

fn label_of_certificate(error: &CertificateError) -> &'static str {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => "certificate-expired",
        E::NotValidYet | E::NotValidYetContext { .. } => "certificate-not-yet-valid",
        E::Revoked => "certificate-revoked",
        E::UnknownIssuer => "certificate-unknown-issuer",
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => "certificate-wrong-purpose",
        E::NotValidForName | E::NotValidForNameContext { .. } => "certificate-wrong-name",
        E::UnknownRevocationStatus => "revocation-unknown",
        E::ExpiredRevocationList | E::ExpiredRevocationListContext { .. } => "revocation-list-expired",
        _ => "certificate-invalid",
    }
}

fn label_of_io(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::TimedOut => "timeout",
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => "peer-closed",
        _ => "other",
    }
}

/// What an administrator would want to know, where the words of the TLS library do not say it.
fn hint(label: &str) -> Option<&'static str> {
    Some(match label {
        "certificate-missing" => "the peer showed no certificate, and one is required",
        "certificate-unknown-issuer" => "the certificate is not signed by a CA of this configuration",
        "certificate-wrong-purpose" => "the extended key usage of the certificate does not allow this role",
        "certificate-wrong-name" => "the certificate does not carry the configured server name",
        "certificate-invalid" => {
            "the certificate or a signature is wrong; was a CA of the same name made anew, or the certificate altered?"
        }
        "certificate-revoked" => "the certificate is on a revocation list",
        "revocation-unknown" => "no good revocation list is loaded by the CA that signed the certificate",
        "revocation-list-expired" => "the revocation list is past its next update; fetch or sign a new one",
        "tls-version" => "the peer offers no TLS version that the profile allows",
        "no-common-cipher" => {
            "the peer and this configuration have no cipher suite or key exchange in common"
        }
        "not-tls" => "the peer does not speak TLS",
        "peer-alert" => "the peer refused",
        _ => return None,
    })
}

fn alert(error: &Error) -> Option<AlertDescription> {
    match error {
        Error::AlertReceived(alert) => Some(*alert),
        Error::NoCertificatesPresented => Some(AlertDescription::CertificateRequired),
        Error::InvalidCertificate(error) => Some(error.clone().into()),
        Error::PeerIncompatible(_) if label(error) == "tls-version" => {
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

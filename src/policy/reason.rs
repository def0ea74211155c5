//! Why something was refused: one word for the wire, the record and the metric.

use std::fmt;

/// Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 Table 9-21).
pub type Rejection = (u8, u8, u8);

/// Why a connection or an association was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No peer of this listener has a network that holds the address.
    AddressNotAllowed,
    ConnectionRate,
    TooManyConnections,
    /// A load balancer's PROXY protocol header that cannot be read.
    ProxyHeaderMalformed,
    TlsOnPlainPort,
    PlainDicomOnTlsPort,
    HttpOnDicomPort,
    UnknownProtocol,
    TlsHandshakeFailed,
    CertificateMissing,
    CertificateExpired,
    CertificateRevoked,
    CertificateUnknownCa,
    CertificateInvalid,
    RevocationListExpired,
    /// ARTIM: TLS and the A-ASSOCIATE-RQ took longer than `associate-timeout`.
    AssociateTimeout,
    /// The requestor left before an association was asked for.
    ConnectionLost,
    /// A load balancer or a monitor that only looked whether the proxy is there. Counted, and never recorded.
    HealthCheck,
    MalformedPdu,
    AssociateTooLong,
    ProtocolVersion,
    ApplicationContext,
    CallingAeTitleIllegal,
    CalledAeTitleIllegal,
    CallingAeTitleUnknown,
    /// The certificate (or its absence) does not go with the calling AE title.
    CertificateMismatch,
    CalledAeTitleUnknown,
    UserIdentity,
    TooManyAssociations,
    TooManyAssociationsOfAddress,
    TooManyAssociationsOfPeer,
    AssociationRate,
    AssociationRateOfAddress,
    AssociationRateOfPeer,
    /// Nothing that was proposed is allowed, so there is nothing to offer upstream.
    NoContextAllowed,
    /// The requestor takes P-DATA-TF only in pieces too short to carry a message.
    MaximumLengthTooShort,
    UpstreamUnreachable,
    UpstreamTls,
    UpstreamTimeout,
    /// The upstream's own A-ASSOCIATE-RJ, passed on as it came.
    UpstreamRejected {
        result: u8,
        source: u8,
        reason: u8,
    },
    UpstreamAborted,
    /// The upstream's answer cannot be read or contradicts what was offered.
    UpstreamMalformed,
    RecordsUnavailable,
    ShuttingDown,
}

const UNKNOWN_CALLING: Rejection = (1, 1, 3);
const UNKNOWN_CALLED: Rejection = (1, 1, 7);
const CONGESTION: Rejection = (2, 3, 1);
const LOCAL_LIMIT: Rejection = (2, 3, 2);

impl Reason {
    /// Kebab-case, stable: what records and metrics carry.
    pub fn label(self) -> &'static str {
        match self {
            Self::AddressNotAllowed => "address-not-allowed",
            Self::ConnectionRate => "connection-rate",
            Self::TooManyConnections => "too-many-connections",
            Self::ProxyHeaderMalformed => "proxy-header-malformed",
            Self::TlsOnPlainPort => "tls-on-plain-port",
            Self::PlainDicomOnTlsPort => "plain-dicom-on-tls-port",
            Self::HttpOnDicomPort => "http-on-dicom-port",
            Self::UnknownProtocol => "unknown-protocol",
            Self::TlsHandshakeFailed => "tls-handshake-failed",
            Self::CertificateMissing => "certificate-missing",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateRevoked => "certificate-revoked",
            Self::CertificateUnknownCa => "certificate-unknown-ca",
            Self::CertificateInvalid => "certificate-invalid",
            Self::RevocationListExpired => "revocation-list-expired",
            Self::AssociateTimeout => "associate-timeout",
            Self::ConnectionLost => "connection-lost",
            Self::HealthCheck => "health-check",
            Self::MalformedPdu => "malformed-pdu",
            Self::AssociateTooLong => "associate-too-long",
            Self::ProtocolVersion => "protocol-version",
            Self::ApplicationContext => "application-context",
            Self::CallingAeTitleIllegal => "calling-ae-title-illegal",
            Self::CalledAeTitleIllegal => "called-ae-title-illegal",
            Self::CallingAeTitleUnknown => "calling-ae-title-unknown",
            Self::CertificateMismatch => "certificate-mismatch",
            Self::CalledAeTitleUnknown => "called-ae-title-unknown",
            Self::UserIdentity => "user-identity",
            Self::TooManyAssociations => "too-many-associations",
            Self::TooManyAssociationsOfAddress => "too-many-associations-of-address",
            Self::TooManyAssociationsOfPeer => "too-many-associations-of-peer",
            Self::AssociationRate => "association-rate",
            Self::AssociationRateOfAddress => "association-rate-of-address",
            Self::AssociationRateOfPeer => "association-rate-of-peer",
            Self::NoContextAllowed => "no-context-allowed",
            Self::MaximumLengthTooShort => "maximum-length-too-short",
            Self::UpstreamUnreachable => "upstream-unreachable",
            Self::UpstreamTls => "upstream-tls",
            Self::UpstreamTimeout => "upstream-timeout",
            Self::UpstreamRejected { .. } => "upstream-rejected",
            Self::UpstreamAborted => "upstream-aborted",
            Self::UpstreamMalformed => "upstream-malformed",
            Self::RecordsUnavailable => "records-unavailable",
            Self::ShuttingDown => "shutting-down",
        }
    }

    /// The A-ASSOCIATE-RJ that the requestor gets; `None` where there is nothing to reject, so that the connection
    /// is closed, ended by a TLS alert, or aborted.
    pub fn rejection(self) -> Option<Rejection> {
        match self {
            Self::ProtocolVersion => Some((1, 2, 2)),
            Self::ApplicationContext => Some((1, 1, 2)),
            Self::CallingAeTitleIllegal | Self::CallingAeTitleUnknown | Self::CertificateMismatch => {
                Some(UNKNOWN_CALLING)
            }
            Self::CalledAeTitleIllegal | Self::CalledAeTitleUnknown => Some(UNKNOWN_CALLED),
            Self::UserIdentity => Some((1, 2, 1)),
            Self::NoContextAllowed | Self::MaximumLengthTooShort => Some((1, 1, 1)),
            Self::TooManyAssociations
            | Self::TooManyAssociationsOfAddress
            | Self::TooManyAssociationsOfPeer
            | Self::AssociationRate
            | Self::AssociationRateOfAddress
            | Self::AssociationRateOfPeer => Some(LOCAL_LIMIT),
            Self::UpstreamUnreachable
            | Self::UpstreamTls
            | Self::UpstreamTimeout
            | Self::UpstreamMalformed
            | Self::RecordsUnavailable
            | Self::ShuttingDown => Some(CONGESTION),
            Self::UpstreamRejected { result, source, reason } => Some((result, source, reason)),
            Self::AddressNotAllowed
            | Self::ConnectionRate
            | Self::TooManyConnections
            | Self::ProxyHeaderMalformed
            | Self::TlsOnPlainPort
            | Self::PlainDicomOnTlsPort
            | Self::HttpOnDicomPort
            | Self::UnknownProtocol
            | Self::TlsHandshakeFailed
            | Self::CertificateMissing
            | Self::CertificateExpired
            | Self::CertificateRevoked
            | Self::CertificateUnknownCa
            | Self::CertificateInvalid
            | Self::RevocationListExpired
            | Self::AssociateTimeout
            | Self::ConnectionLost
            | Self::HealthCheck
            | Self::MalformedPdu
            | Self::AssociateTooLong
            | Self::UpstreamAborted => None,
        }
    }

    /// The reason behind the label of a TLS handshake that failed.
    pub fn of_handshake(label: &str) -> Self {
        match label {
            "certificate-missing" => Self::CertificateMissing,
            "certificate-expired" | "certificate-authority-expired" | "certificate-not-yet-valid" => {
                Self::CertificateExpired
            }
            "certificate-revoked" => Self::CertificateRevoked,
            "certificate-unknown-issuer" => Self::CertificateUnknownCa,
            "revocation-list-expired" => Self::RevocationListExpired,
            // No list says anything of this certificate: it is not the lists that ended.
            "revocation-unknown" => Self::CertificateInvalid,
            "not-tls" => Self::UnknownProtocol,
            "timeout" => Self::AssociateTimeout,
            "peer-closed" => Self::ConnectionLost,
            other if other.starts_with("certificate-") => Self::CertificateInvalid,
            _ => Self::TlsHandshakeFailed,
        }
    }

    /// Whether somebody should look at it now: an identity was used that is not the sender's own.
    pub fn is_security_alert(self) -> bool {
        matches!(
            self,
            Self::CertificateMismatch
                | Self::CertificateRevoked
                | Self::CertificateUnknownCa
                | Self::UserIdentity
                | Self::CallingAeTitleIllegal
                | Self::CalledAeTitleIllegal
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddressNotAllowed => "no peer of this listener may connect from this address",
            Self::ConnectionRate => "more connections a minute than an address may open",
            Self::TooManyConnections => "too many connections at once",
            Self::ProxyHeaderMalformed => "the PROXY protocol header of the load balancer cannot be read",
            Self::TlsOnPlainPort => "TLS on a port that expects plain DICOM",
            Self::PlainDicomOnTlsPort => "plain DICOM on a port that expects TLS",
            Self::HttpOnDicomPort => "HTTP on a DICOM port",
            Self::UnknownProtocol => "neither TLS nor DICOM",
            Self::TlsHandshakeFailed => "the TLS handshake failed",
            Self::CertificateMissing => "no client certificate was shown",
            Self::CertificateExpired => {
                "the client certificate, or the CA that signed it, is not valid at this time"
            }
            Self::CertificateRevoked => "the client certificate is revoked",
            Self::CertificateUnknownCa => {
                "the client certificate is neither trusted by this listener nor signed by a CA that is"
            }
            Self::CertificateInvalid => "the client certificate is not acceptable",
            Self::RevocationListExpired => "no revocation list in force covers the client certificate",
            Self::AssociateTimeout => "no complete A-ASSOCIATE-RQ within associate-timeout",
            Self::ConnectionLost => "the requestor left before it asked for an association",
            Self::HealthCheck => "a health check",
            Self::MalformedPdu => "a PDU that breaks PS3.8",
            Self::AssociateTooLong => "an A-ASSOCIATE-RQ longer than max-associate-length",
            Self::ProtocolVersion => "protocol version 1 is not offered",
            Self::ApplicationContext => "an application context other than that of DICOM",
            Self::CallingAeTitleIllegal => "the calling AE title is blank or illegal",
            Self::CalledAeTitleIllegal => "the called AE title is blank or illegal",
            Self::CallingAeTitleUnknown => "calling AE title unknown",
            Self::CertificateMismatch => "the certificate does not go with the calling AE title",
            Self::CalledAeTitleUnknown => "called AE title unknown",
            Self::UserIdentity => "user identity wrong or missing",
            Self::TooManyAssociations => "as many associations as max-associations allows",
            Self::TooManyAssociationsOfAddress => "as many associations as one address may have",
            Self::TooManyAssociationsOfPeer => "as many associations as this peer may have",
            Self::AssociationRate => "more associations a minute than the proxy accepts",
            Self::AssociationRateOfAddress => "more associations a minute than an address may open",
            Self::AssociationRateOfPeer => "more associations a minute than this peer may open",
            Self::NoContextAllowed => "none of the presentation contexts is allowed",
            Self::MaximumLengthTooShort => "a maximum length (51H) under 128 bytes carries no message",
            Self::UpstreamUnreachable => "no address of the upstream answers",
            Self::UpstreamTls => "the TLS handshake with the upstream failed",
            Self::UpstreamTimeout => "the upstream did not answer in time",
            Self::UpstreamRejected { result, source, reason } => {
                return write!(f, "the upstream refused with {result}/{source}/{reason}");
            }
            Self::UpstreamAborted => "the upstream aborted",
            Self::UpstreamMalformed => "the upstream's answer breaks PS3.8",
            Self::RecordsUnavailable => "records cannot be written, and on-failure is \"block\"",
            Self::ShuttingDown => "the proxy is shutting down",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn each_reason_is_refused_as_the_table_says() {
        use Reason::*;
        for (reason, expected) in [
            (AddressNotAllowed, None),
            (ConnectionRate, None),
            (TooManyConnections, None),
            (TlsOnPlainPort, None),
            (HttpOnDicomPort, None),
            (CertificateExpired, None),
            (MalformedPdu, None),
            (CertificateMismatch, Some((1, 1, 3))),
            (CallingAeTitleUnknown, Some((1, 1, 3))),
            (CallingAeTitleIllegal, Some((1, 1, 3))),
            (CalledAeTitleUnknown, Some((1, 1, 7))),
            (CalledAeTitleIllegal, Some((1, 1, 7))),
            (UserIdentity, Some((1, 2, 1))),
            (ApplicationContext, Some((1, 1, 2))),
            (ProtocolVersion, Some((1, 2, 2))),
            (AssociationRateOfPeer, Some((2, 3, 2))),
            (TooManyAssociations, Some((2, 3, 2))),
            (TooManyAssociationsOfPeer, Some((2, 3, 2))),
            (UpstreamUnreachable, Some((2, 3, 1))),
            (RecordsUnavailable, Some((2, 3, 1))),
            (UpstreamRejected { result: 2, source: 1, reason: 7 }, Some((2, 1, 7))),
        ] {
            assert_eq!(reason.rejection(), expected, "{reason:?}");
        }
        assert!(CertificateMismatch.is_security_alert());
        assert!(!CallingAeTitleUnknown.is_security_alert());
    }
}

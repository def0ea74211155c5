//! Why TLS handshakes fail.

use super::Reason;

words! {
    /// Why a handshake failed, at whichever end of TLS: of a listener, it leads to a [`Reason`] of the record; of an upstream,
    /// it stands behind the sentence of `upstream-tls`, and `dimsegate echo` says it.
    HandshakeFault {
        CertificateMissing = "certificate-missing",
            "the peer showed no certificate, and one is required", "the certificate configured at the peer";
        CertificateExpired = "certificate-expired",
            "a certificate of the chain is past its end", "renew it, and both clocks";
        CertificateNotYetValid = "certificate-not-yet-valid",
            "a certificate of the chain is before its begin", "both clocks";
        CertificateAuthorityExpired = "certificate-authority-expired",
            "the CA certificate that vouches for it is outside its own dates",
            "the CA certificates of the configuration: check names those that end";
        CertificateRevoked = "certificate-revoked",
            "the certificate is on a revocation list", "who still uses it";
        CertificateUnknownIssuer = "certificate-unknown-issuer",
            "the certificate is not signed by a CA of this configuration",
            "client-ca of a listener, ca of an upstream, and who shows it";
        CertificateUnfit = "certificate-unfit",
            "a certificate of the chain is of no use to anybody: its version, its key or its signature",
            "whoever made it: the explanation has the command for a right one";
        CertificateWrongPurpose = "certificate-wrong-purpose",
            "the extended key usage of the certificate does not allow this role",
            "its purpose: certs show";
        CertificateWrongName = "certificate-wrong-name",
            "the certificate does not carry the configured server name",
            "server-name of the upstream, and the names in its certificate: certs show";
        CertificateInvalid = "certificate-invalid",
            "the certificate or a signature is wrong; was a CA of the same name made anew, or the certificate altered?",
            "its signature: certs show, and the CA that is said to have made it";
        RevocationUnknown = "revocation-unknown",
            "no good revocation list is loaded by the CA that signed the certificate",
            "revocation-lists, one of each CA";
        RevocationListExpired = "revocation-list-expired",
            "the revocation list is past its next update; fetch or sign a new one",
            "how revocation-lists are renewed";
        TlsVersion = "tls-version",
            "the peer offers no TLS version that the profile allows", "the peer's TLS, and profile";
        NoCommonCipher = "no-common-cipher",
            "the peer and this configuration have no cipher suite or key exchange in common",
            "the peer's ciphers and groups, and profile";
        NotTls = "not-tls",
            "the peer does not speak TLS", "whether TLS is switched on there, and the port";
        /// It sent an alert (RFC 8446 §6.2), which the record has, too.
        PeerAlert = "peer-alert",
            "the peer refused",
            "the alert: where it does not know the CA or the certificate, what it trusts; else its versions and ciphers";
        PeerClosed = "peer-closed",
            "the peer left in the middle of the handshake", "its log, and the network path";
        /// Of a listener, ARTIM: `associate-timeout`; of an upstream, `connect-timeout`.
        Timeout = "timeout",
            "the handshake took longer than it may", "the network path, and the load of the peer";
        /// The sentence of the TLS library says which.
        Other = "other",
            "the peer broke the protocol of TLS", "the peer's software";
    }
}

impl HandshakeFault {
    /// What the record of a requestor that failed so gives as its reason.
    pub fn reason(self) -> Reason {
        match self {
            Self::CertificateMissing => Reason::CertificateMissing,
            Self::CertificateExpired | Self::CertificateAuthorityExpired | Self::CertificateNotYetValid => {
                Reason::CertificateExpired
            }
            Self::CertificateRevoked => Reason::CertificateRevoked,
            Self::CertificateUnknownIssuer => Reason::CertificateUnknownCa,
            Self::RevocationListExpired => Reason::RevocationListExpired,
            Self::CertificateUnfit
            | Self::CertificateWrongPurpose
            | Self::CertificateWrongName
            | Self::CertificateInvalid
            // No list says anything of this certificate: it is not the lists that ended.
            | Self::RevocationUnknown => Reason::CertificateInvalid,
            Self::NotTls => Reason::UnknownProtocol,
            Self::Timeout => Reason::AssociateTimeout,
            Self::PeerClosed => Reason::ConnectionLost,
            Self::TlsVersion | Self::NoCommonCipher | Self::PeerAlert | Self::Other => {
                Reason::TlsHandshakeFailed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HandshakeFault;
    use crate::vocabulary::Reason;

    #[test]
    fn a_label_that_records_have_too_stands_for_the_same_thing_there() {
        for fault in HandshakeFault::ALL {
            if let Some(reason) = Reason::of(fault.label()) {
                assert_eq!(fault.reason(), reason, "{fault:?}");
            }
        }
    }

    #[test]
    fn every_fault_of_a_certificate_is_recorded_as_one() {
        for fault in HandshakeFault::ALL.iter().filter(|fault| fault.label().starts_with("certificate-")) {
            assert!(fault.reason().label().starts_with("certificate-"), "{fault:?}");
        }
    }
}

//! Why connections and associations are refused.

use std::fmt;

use super::Answer::{self, AsUpstream, Rejected, Silent};
use super::Rejection;

const UNKNOWN_CALLING: Answer = Rejected((1, 1, 3));
const UNKNOWN_CALLED: Answer = Rejected((1, 1, 7));
/// What the standard has for a user identity that is not accepted (PS3.7 D.3.3.7.3).
const NO_REASON: Answer = Rejected((1, 2, 1));
const CONGESTION: Answer = Rejected((2, 3, 1));
const LOCAL_LIMIT: Answer = Rejected((2, 3, 2));

words! {
    /// Why a connection or an association was refused.
    Reason {
        AddressNotAllowed = "address-not-allowed",
            "the address is in no network of a peer of this listener",
            "networks of [[peer]], or a scanner", Silent, AccessControl;
        ConnectionRate = "connection-rate",
            "the address connected more often than connections-per-minute-per-address",
            "a device that retries without pause, or a scanner", Silent, AccessControl;
        TooManyConnections = "too-many-connections",
            "more connections were open than the proxy accepts",
            "max-associations, and who holds them: audit report", Silent, AccessControl;
        ProxyHeaderMalformed = "proxy-header-malformed",
            "a load balancer's PROXY protocol header could not be read",
            "proxy-protocol-from and the load balancer", Silent, RestrictedFunction;
        TlsOnPlainPort = "tls-on-plain-port",
            "TLS was spoken to a listener without it",
            "the port that the sender is configured with", Silent, RestrictedFunction;
        PlainDicomOnTlsPort = "plain-dicom-on-tls-port",
            "plain DICOM was spoken to a TLS listener",
            "whether TLS is switched on at the sender", Silent, RestrictedFunction;
        HttpOnDicomPort = "http-on-dicom-port",
            "HTTP was spoken to a DICOM port",
            "a browser, a monitor or a scanner", Silent, RestrictedFunction;
        UnknownProtocol = "unknown-protocol",
            "neither DICOM nor TLS was spoken",
            "a scanner, or the wrong port", Silent, RestrictedFunction;
        TlsHandshakeFailed = "tls-handshake-failed",
            "the TLS handshake failed",
            "the alert: where the sender does not know the CA or the certificate, what it trusts; else its versions and ciphers",
            Silent, NodeAuthentication;
        CertificateMissing = "certificate-missing",
            "no client certificate was shown",
            "the certificate configured at the sender", Silent, NodeAuthentication;
        CertificateExpired = "certificate-expired",
            "the client certificate is outside its validity",
            "renew it, and both clocks", Silent, NodeAuthentication;
        CertificateRevoked = "certificate-revoked",
            "the client certificate is revoked",
            "who still uses it", Silent, NodeAuthentication;
        CertificateUnknownCa = "certificate-unknown-ca",
            "the client certificate is not signed by a CA of this listener",
            "client-ca, and who sent it", Silent, NodeAuthentication;
        CertificateInvalid = "certificate-invalid",
            "the client certificate is not acceptable",
            "its purpose, names and signature: certs show", Silent, NodeAuthentication;
        RevocationListExpired = "revocation-list-expired",
            "no revocation list in force covers the client certificate",
            "how revocation-lists are renewed", Silent, NodeAuthentication;
        /// ARTIM: TLS and the A-ASSOCIATE-RQ took longer than `associate-timeout`.
        AssociateTimeout = "associate-timeout",
            "no complete A-ASSOCIATE-RQ came within associate-timeout",
            "the network path, or a scanner that only connects", Silent, No;
        /// The requestor left before an association was asked for.
        ConnectionLost = "connection-lost",
            "the requestor left before it asked for an association",
            "a monitor's port check, or the network path", Silent, No;
        /// A load balancer or a monitor that only looked whether the proxy is there. Counted, and never recorded.
        HealthCheck = "health-check",
            "a load balancer or a monitor looked whether the proxy is there",
            "nothing", Silent, No;
        MalformedPdu = "malformed-pdu",
            "a PDU broke PS3.8",
            "the sender's software, or somebody probing", Silent, RestrictedFunction;
        AssociateTooLong = "associate-too-long",
            "an A-ASSOCIATE-RQ was longer than max-associate-length",
            "the sender's software", Silent, RestrictedFunction;
        ProtocolVersion = "protocol-version",
            "protocol version 1 was not offered",
            "the sender's software", Rejected((1, 2, 2)), RestrictedFunction;
        ApplicationContext = "application-context",
            "another application context than that of DICOM was named",
            "the sender's software", Rejected((1, 1, 2)), RestrictedFunction;
        CallingAeTitleIllegal = "calling-ae-title-illegal",
            "the calling AE title is blank or illegal",
            "the sender's AE title, or somebody probing", UNKNOWN_CALLING, AccessControl;
        CalledAeTitleIllegal = "called-ae-title-illegal",
            "the called AE title is blank or illegal",
            "the sender's configuration, or somebody probing", UNKNOWN_CALLED, AccessControl;
        CallingAeTitleUnknown = "calling-ae-title-unknown",
            "no peer that fits the address has this calling AE title",
            "calling-ae-titles of [[peer]]", UNKNOWN_CALLING, AccessControl;
        /// The certificate (or its absence) does not go with the calling AE title.
        CertificateMismatch = "certificate-mismatch",
            "the certificate does not go with the calling AE title",
            "who uses an AE title that is not theirs; certificates of [[peer]]",
            UNKNOWN_CALLING, NodeAuthentication;
        CalledAeTitleUnknown = "called-ae-title-unknown",
            "the peer may not call this AE title",
            "called-ae-titles of [[peer]], and the sender's configuration", UNKNOWN_CALLED, AccessControl;
        /// An administrator has shut it out while the proxy runs: by address before TLS, else with an answer.
        Blocked = "blocked",
            "an administrator has blocked it",
            "who blocked it and why: the explanation; dimsegate unblock", Rejected((1, 1, 1)), AccessControl;
        /// Its role asks for a later version of TLS, or for TLS at all.
        TlsTooOld = "tls-too-old",
            "its TLS is older than minimum-tls of its role",
            "the sender's TLS; minimum-tls of the [[role]]", Rejected((1, 1, 1)), NodeAuthentication;
        AgreementMissing = "agreement-missing",
            "the route crosses a border, and no agreement is about it",
            "country of both ends, and parties of [[agreement]]", Rejected((1, 1, 1)), AccessControl;
        AgreementNotInForce = "agreement-not-in-force",
            "the agreement of the route has ended, has not begun, or asks for another rewrite",
            "from, until and rewrite of its [[agreement]]", Rejected((1, 1, 1)), AccessControl;
        CountryBlocked = "country-blocked",
            "one end of the route is in a country that nothing travels to or from",
            "blocked-countries of [policy], and whether an authority has permitted it", Rejected((1, 1, 1)), AccessControl;
        OutsideHours = "outside-hours",
            "it is outside the hours of its role",
            "when it opens next: the explanation; hours of the [[role]]", Rejected((2, 1, 1)), AccessControl;
        UserIdentityMissing = "user-identity-missing",
            "no user identity came with a proof that user-identity of the listener requires",
            "whether the sender sends a user name and passcode", NO_REASON, Login;
        UserIdentityWrong = "user-identity-wrong",
            "the user identity is not that of a user who may come in",
            "the explanation, which tells apart what the sender is not told; else somebody guesses", NO_REASON, Login;
        TokenWrong = "token-wrong",
            "the token is not one to trust: its form, issuer, key, signature, audience or claims",
            "the explanation, which tells apart what the sender is not told; dimsegate explain --token", NO_REASON, Login;
        /// Also of one that has ended on an open association, where its issuer says so.
        TokenEnded = "token-ended",
            "the token has ended",
            "whether the sender gets a new token before it connects; at-end of the [[issuer]]", NO_REASON, Login;
        TokenUsed = "token-used",
            "the token was used before",
            "whether the sender gets a token for each association; else somebody has copied it", NO_REASON, Login;
        /// To a certificate, or to AE titles.
        TokenNotBound = "token-not-bound",
            "the token is for another certificate or calling AE title than it came with",
            "who got the token, and who came with it", NO_REASON, Login;
        /// A ticket, an assertion, a token where there is no issuer, or a type that no standard has.
        UserIdentityUnsupported = "user-identity-unsupported",
            "the user identity is of a type that cannot be checked here",
            "the sender's software: it has to send a user name and passcode, or a token", NO_REASON, Login;
        UserLockedOut = "user-locked-out",
            "too many wrong passcodes came for this user from this address",
            "who guesses from there; the user gets in from elsewhere", NO_REASON, Login;
        /// Too many at once, or the file of users, its key, or what says which tokens were used cannot be had.
        UserIdentityUnchecked = "user-identity-unchecked",
            "the user identity could not be checked now",
            "many attempts at once, or the file of users or of tokens: the explanation", CONGESTION, No;
        UserNotAllowed = "user-not-allowed",
            "the user is proven and may not come in here",
            "roles and peers of the user: dimsegate user list", NO_REASON, AccessControl;
        FactorMissing = "factor-missing",
            "a factor is not proven that a role requires",
            "require of the [[role]], and what the sender sends", NO_REASON, AccessControl;
        TooManyAssociations = "too-many-associations",
            "as many associations were open as max-associations allows",
            "max-associations", LOCAL_LIMIT, AccessControl;
        TooManyAssociationsOfAddress = "too-many-associations-of-address",
            "the address had as many associations as one may have",
            "max-associations-per-address", LOCAL_LIMIT, AccessControl;
        TooManyAssociationsOfPeer = "too-many-associations-of-peer",
            "the peer had as many associations as it may have",
            "max-associations of the [[peer]]", LOCAL_LIMIT, AccessControl;
        AssociationRate = "association-rate",
            "more associations a minute were asked for than the proxy accepts",
            "associations-per-minute", LOCAL_LIMIT, AccessControl;
        AssociationRateOfAddress = "association-rate-of-address",
            "the address asked for more associations a minute than it may",
            "a device that opens one association an image", LOCAL_LIMIT, AccessControl;
        AssociationRateOfPeer = "association-rate-of-peer",
            "the peer asked for more associations a minute than it may",
            "associations-per-minute of the [[peer]]", LOCAL_LIMIT, AccessControl;
        /// Nothing that was proposed is allowed, so there is nothing to offer upstream.
        NoContextAllowed = "no-context-allowed",
            "none of the presentation contexts is allowed",
            "sop-classes and transfer-syntaxes of the [[role]]", Rejected((1, 1, 1)), AccessControl;
        /// The requestor takes P-DATA-TF only in pieces too short to carry a message.
        MaximumLengthTooShort = "maximum-length-too-short",
            "a maximum length under 128 bytes carries no message",
            "the sender's software", Rejected((1, 1, 1)), AccessControl;
        UpstreamUnreachable = "upstream-unreachable",
            "no address of the upstream answered",
            "the PACS, and the network to it: dimsegate echo", CONGESTION, No;
        UpstreamTls = "upstream-tls",
            "the TLS handshake with the upstream failed",
            "[upstream.tls]: dimsegate echo", CONGESTION, UpstreamAuthentication;
        UpstreamTimeout = "upstream-timeout",
            "the upstream did not answer in time",
            "the load of the PACS", CONGESTION, No;
        /// The upstream's own A-ASSOCIATE-RJ, passed on as it came.
        UpstreamRejected {
            /// 1 permanent, 2 transient; as the upstream sent it (PS3.8 §9.3.4).
            result: u8,
            /// Who of the upstream's layers refused: 1, 2 or 3, as it sent it.
            source: u8,
            /// Why, in the words of that source, as it sent it.
            reason: u8
        } = "upstream-rejected",
            "the upstream refused the association",
            "the AE titles that the PACS knows", AsUpstream, AccessControl;
        UpstreamAborted = "upstream-aborted",
            "the upstream aborted",
            "the log of the PACS", Silent, No;
        /// The upstream's answer cannot be read or contradicts what was offered.
        UpstreamMalformed = "upstream-malformed",
            "the upstream's answer broke PS3.8",
            "the log of the PACS", CONGESTION, No;
        RecordsUnavailable = "records-unavailable",
            "records could not be written, and on-failure is \"block\"",
            "the disk under [audit] directory", CONGESTION, RecordingStopped;
        /// It is open, and what goes on is more than the configuration in force would allow.
        PolicyChanged = "policy-changed",
            "the configuration in force allows less than the one with which it began",
            "what the reload changed: configuration-loaded; it may come again under what is in force",
            Silent, AccessControl;
        /// A person or a program ended it through the administration interface.
        EndedByAdministrator = "ended-by-administrator",
            "it was ended through the administration interface",
            "who did it: the administration record of that time", Silent, No;
        ShuttingDown = "shutting-down",
            "the proxy was shutting down",
            "nothing, if the stop was meant", CONGESTION, No;
    }
}

impl Reason {
    /// The A-ASSOCIATE-RJ that the requestor gets; `None` where there is nothing to reject, so that the connection
    /// is closed, ended by a TLS alert, or aborted.
    pub fn rejection(self) -> Option<Rejection> {
        match (self, self.word().answer) {
            (Self::UpstreamRejected { result, source, reason }, _) => Some((result, source, reason)),
            (_, Rejected(rejection)) => Some(rejection),
            _ => None,
        }
    }

    /// Whether somebody should look at it now: an identity was used that is not the sender's own.
    pub fn is_security_alert(self) -> bool {
        matches!(
            self,
            Self::CertificateMismatch
                | Self::CertificateRevoked
                | Self::CertificateUnknownCa
                | Self::UserIdentityWrong
                | Self::UserLockedOut
                | Self::CallingAeTitleIllegal
                | Self::CalledAeTitleIllegal
        )
    }
}

impl fmt::Display for Reason {
    /// What happened, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word().what)?;
        match self {
            Self::UpstreamRejected { result, source, reason } => write!(f, ": {result}/{source}/{reason}"),
            _ => Ok(()),
        }
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
            (TlsTooOld, Some((1, 1, 1))),
            (AgreementMissing, Some((1, 1, 1))),
            (AgreementNotInForce, Some((1, 1, 1))),
            (CountryBlocked, Some((1, 1, 1))),
            (OutsideHours, Some((2, 1, 1))),
            (PolicyChanged, None),
            (UserIdentityWrong, Some((1, 2, 1))),
            (UserLockedOut, Some((1, 2, 1))),
            (FactorMissing, Some((1, 2, 1))),
            (UserIdentityUnchecked, Some((2, 3, 1))),
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

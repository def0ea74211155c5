//! What the stable labels of records mean, and where to look next.

/// For people: what happened, and what to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub what: &'static str,
    pub look: &'static str,
}

/// Label, what it means, what to look at.
type Row = (&'static str, &'static str, &'static str);

const REASONS: &[Row] = &[
    (
        "address-not-allowed",
        "the address is in no network of a peer of this listener",
        "networks of [[peer]], or a scanner",
    ),
    (
        "connection-rate",
        "the address connected more often than connections-per-minute-per-address",
        "a device that retries without pause, or a scanner",
    ),
    (
        "too-many-connections",
        "more connections were open than the proxy accepts",
        "max-associations, and who holds them: audit report",
    ),
    (
        "proxy-header-malformed",
        "a load balancer's PROXY protocol header could not be read",
        "proxy-protocol-from and the load balancer",
    ),
    (
        "tls-on-plain-port",
        "TLS was spoken to a listener without it",
        "the port that the sender is configured with",
    ),
    (
        "plain-dicom-on-tls-port",
        "plain DICOM was spoken to a TLS listener",
        "whether TLS is switched on at the sender",
    ),
    ("http-on-dicom-port", "HTTP was spoken to a DICOM port", "a browser, a monitor or a scanner"),
    ("unknown-protocol", "neither DICOM nor TLS was spoken", "a scanner, or the wrong port"),
    ("tls-handshake-failed", "the TLS handshake failed", "protocol versions and ciphers of the sender"),
    ("certificate-missing", "no client certificate was shown", "the certificate configured at the sender"),
    ("certificate-expired", "the client certificate is outside its validity", "renew it, and both clocks"),
    ("certificate-revoked", "the client certificate is revoked", "who still uses it"),
    (
        "certificate-unknown-ca",
        "the client certificate is not signed by a CA of this listener",
        "client-ca, and who sent it",
    ),
    (
        "certificate-invalid",
        "the client certificate is not acceptable",
        "its purpose, names and signature: certs show",
    ),
    (
        "revocation-list-expired",
        "no revocation list in force covers the client certificate",
        "how revocation-lists are renewed",
    ),
    (
        "associate-timeout",
        "no complete A-ASSOCIATE-RQ came within associate-timeout",
        "the network path, or a scanner that only connects",
    ),
    (
        "connection-lost",
        "the requestor left before it asked for an association",
        "a monitor's port check, or the network path",
    ),
    ("malformed-pdu", "a PDU broke PS3.8", "the sender's software, or somebody probing"),
    ("associate-too-long", "an A-ASSOCIATE-RQ was longer than max-associate-length", "the sender's software"),
    ("protocol-version", "protocol version 1 was not offered", "the sender's software"),
    (
        "application-context",
        "another application context than that of DICOM was named",
        "the sender's software",
    ),
    (
        "calling-ae-title-illegal",
        "the calling AE title is blank or illegal",
        "the sender's AE title, or somebody probing",
    ),
    (
        "called-ae-title-illegal",
        "the called AE title is blank or illegal",
        "the sender's configuration, or somebody probing",
    ),
    (
        "calling-ae-title-unknown",
        "no peer that fits the address has this calling AE title",
        "calling-ae-titles of [[peer]]",
    ),
    (
        "certificate-mismatch",
        "the certificate does not go with the calling AE title",
        "who uses an AE title that is not theirs; certificates of [[peer]]",
    ),
    (
        "called-ae-title-unknown",
        "the peer may not call this AE title",
        "called-ae-titles of [[peer]], and the sender's configuration",
    ),
    (
        "user-identity",
        "the user identity is wrong or missing",
        "the sender's credentials, or somebody guessing",
    ),
    (
        "too-many-associations",
        "as many associations were open as max-associations allows",
        "max-associations",
    ),
    (
        "too-many-associations-of-address",
        "the address had as many associations as one may have",
        "max-associations-per-address",
    ),
    (
        "too-many-associations-of-peer",
        "the peer had as many associations as it may have",
        "max-associations of the [[peer]]",
    ),
    (
        "association-rate",
        "more associations a minute were asked for than the proxy accepts",
        "associations-per-minute",
    ),
    (
        "association-rate-of-address",
        "the address asked for more associations a minute than it may",
        "a device that opens one association an image",
    ),
    (
        "association-rate-of-peer",
        "the peer asked for more associations a minute than it may",
        "associations-per-minute of the [[peer]]",
    ),
    (
        "no-context-allowed",
        "none of the presentation contexts is allowed",
        "sop-classes and transfer-syntaxes of the [[role]]",
    ),
    (
        "maximum-length-too-short",
        "a maximum length under 128 bytes carries no message",
        "the sender's software",
    ),
    (
        "upstream-unreachable",
        "no address of the upstream answered",
        "the PACS, and the network to it: dimsegate echo",
    ),
    ("upstream-tls", "the TLS handshake with the upstream failed", "[upstream.tls]: dimsegate echo"),
    ("upstream-timeout", "the upstream did not answer in time", "the load of the PACS"),
    ("upstream-rejected", "the upstream refused the association", "the AE titles that the PACS knows"),
    ("upstream-aborted", "the upstream aborted", "the log of the PACS"),
    ("upstream-malformed", "the upstream's answer broke PS3.8", "the log of the PACS"),
    (
        "records-unavailable",
        "records could not be written, and on-failure is \"block\"",
        "the disk under [audit] directory",
    ),
    ("shutting-down", "the proxy was shutting down", "nothing, if the stop was meant"),
    (
        "operation-not-allowed",
        "the role of the peer does not have the operation",
        "operations of the [[role]]",
    ),
    (
        "contradictory-command",
        "the command names one SOP class or instance as affected and another as requested",
        "the sender's software, or somebody probing",
    ),
    (
        "not-asked-for",
        "the upstream sent an object while no C-GET of the peer was open",
        "the upstream's software, or whether it is what it should be",
    ),
    (
        "data-set-mismatch",
        "the data set of a C-STORE names another SOP class or instance than its command",
        "the sender's software, or somebody who goes around the role; the record has both",
    ),
    (
        "data-set-unreadable",
        "the data set of a C-STORE cannot be read as far as its SOP class and instance",
        "the sender's software, or somebody who goes around the role",
    ),
    (
        "sop-class-not-allowed",
        "the role of the peer does not have the SOP class",
        "sop-classes of the [[role]]",
    ),
    (
        "move-destination-not-allowed",
        "the role of the peer does not have the move destination",
        "move-destinations of the [[role]]",
    ),
    (
        "unrecognized-operation",
        "the command is no DIMSE operation that dimsegate knows",
        "the sender's software",
    ),
    (
        "duplicate-invocation",
        "a message ID was used again while its operation was open",
        "the sender's software",
    ),
    (
        "invalid-sop-instance",
        "the SOP instance UID breaks the rules of UIDs",
        "the sender's software, or somebody probing",
    ),
    (
        "rewrite-failed",
        "the data set could not be rewritten, and was not passed on",
        "the object: dimsegate rewrite tells the element",
    ),
    ("never-answered", "no response came before the association ended", "how the association ended"),
    (
        "certificate-binding",
        "the certificate does not go with the calling AE title",
        "who uses an AE title that is not theirs",
    ),
    (
        "records-lost",
        "records were lost while none could be written",
        "the disk under [audit] directory, then audit verify",
    ),
    (
        "audit-file-replaced",
        "the audit file was removed or replaced while in use",
        "who did it; then audit verify",
    ),
    (
        "certificate-ending",
        "a certificate that this proxy shows or trusts ends soon",
        "certs/README.md, Renewing: before that day",
    ),
    (
        "certificate-ended",
        "a certificate that this proxy shows or trusts has ended",
        "certs/README.md, Renewing: peers are refused, or refuse",
    ),
    (
        "revocation-list-ending",
        "a revocation list ends soon",
        "how revocation-lists are renewed: dimsegate certs crl",
    ),
    (
        "revocation-list-ended",
        "a revocation list has ended: everybody whom its CA signed is refused",
        "dimsegate certs crl, then SIGHUP",
    ),
    (
        "repository-behind",
        "an audit repository has not had records for more than ten minutes",
        "the repository, and the network to it; nothing is lost",
    ),
    (
        "rate-of-operations",
        "operations came faster than the peer may send them",
        "operations-per-second of the [[peer]]",
    ),
    ("authentication-locked", "too many wrong credentials", "somebody guessing"),
    ("blocked", "an administrator blocked the sender", "dimsegate unblock, when it is over"),
    (
        "not-tls",
        "something other than TLS was spoken to a TLS listener",
        "whether TLS is switched on at the sender",
    ),
];

const ENDINGS: [Row; 10] = [
    ("released", "released in good order: everything asked for was answered", "nothing"),
    (
        "aborted-by-requestor",
        "the requestor broke it off (A-ABORT)",
        "the sender's log; operations without an answer may come again",
    ),
    ("aborted-by-upstream", "the upstream broke it off (A-ABORT)", "the log of the PACS"),
    (
        "lost-requestor",
        "the requestor's connection ended without a release",
        "the sender, and the network path to it",
    ),
    (
        "lost-upstream",
        "the upstream's connection ended without a release",
        "the PACS, and the network path to it",
    ),
    (
        "timeout",
        "a deadline passed",
        "the reason says which; dimse-timeout, response-timeout, idle-timeout and release-timeout in [limits]",
    ),
    (
        "protocol-error",
        "one side broke the protocol, and both were told (A-ABORT)",
        "the software of the side that the reason names, or somebody probing",
    ),
    ("policy", "dimsegate ended it because a rule did", "the reason names the rule or the element"),
    (
        "shutdown",
        "the proxy stopped before it was over",
        "nothing, if the stop was meant; a longer grace lets more end by themselves",
    ),
    (
        "defect",
        "dimsegate broke a promise of its own, and ended this association alone",
        "the log of that time, and a report with it to dimsegate's authors",
    ),
];

/// Every label of a `reason` that is known.
pub fn reasons() -> impl Iterator<Item = &'static str> {
    REASONS.iter().map(|row| row.0)
}

/// Every ending of an association.
pub fn endings() -> impl Iterator<Item = &'static str> {
    ENDINGS.iter().map(|row| row.0)
}

/// Of a `reason` label.
pub fn of_reason(label: &str) -> Option<Meaning> {
    find(REASONS, label)
}

/// Of a closing record's `ended`.
pub fn of_ending(ended: &str) -> Option<Meaning> {
    find(&ENDINGS, ended)
}

fn find(rows: &[Row], label: &str) -> Option<Meaning> {
    rows.iter().find(|row| row.0 == label).map(|(_, what, look)| Meaning { what, look })
}

/// An A-ASSOCIATE-RJ in words (PS3.8 Table 9-21).
pub fn of_rejection(result: u64, source: u64, reason: u64) -> String {
    let how = match result {
        1 => "rejected permanently",
        2 => "rejected for now",
        _ => "rejected",
    };
    let why = match (source, reason) {
        (1, 2) => "application context name not supported",
        (1, 3) => "calling AE title not recognized",
        (1, 7) => "called AE title not recognized",
        (2, 2) => "protocol version not supported",
        (3, 1) => "temporary congestion",
        (3, 2) => "local limit exceeded",
        _ => "no reason given",
    };
    format!("{how}: {why}")
}

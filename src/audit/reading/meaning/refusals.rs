//! Why connections and associations are refused.

use super::Row;

pub(super) const REASONS: &[Row] = &[
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
    (
        "tls-handshake-failed",
        "the TLS handshake failed",
        "the alert: where the sender does not know the CA or the certificate, what it trusts; else its versions and ciphers",
    ),
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
        "not-tls",
        "something other than TLS was spoken to a TLS listener",
        "whether TLS is switched on at the sender",
    ),
];

//! `[[audit.repository]]` and `[[audit.fhir]]`, with certificates and keys read.

use crate::audit::messages::Source;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;

/// Where records go, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Names its cursor, too.
    pub name: Arc<str>,
    /// The system in whose name messages are.
    pub source: Source,
    /// Where it begins, before it has a cursor.
    pub begin: Begin,
    /// What it understands, and where it is.
    pub kind: Kind,
}

/// Where a destination begins that never had anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With the next record.
    Now,
    /// With the first record that is still there.
    Oldest,
}

/// The form in which a repository takes records, with where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// DICOM audit messages in syslog (PS3.15 A.6, A.7).
    Syslog(Syslog),
    /// FHIR R4 AuditEvents, one POST each.
    Fhir(Endpoint),
}

/// A syslog receiver (RFC 5424).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    /// `host:port`.
    pub address: String,
    /// What carries messages there.
    pub transport: Transport,
    /// Facility, 0 to 23 (RFC 5424 Table 1).
    pub facility: u8,
    /// Severity, 0 to 7 (RFC 5424 Table 2).
    pub severity: u8,
    /// MSGID.
    pub message_id: String,
    /// Whether messages carry `[meta sequenceId="…"]` (RFC 5424 §7.3.1).
    pub numbered: bool,
}

/// The transport under syslog messages; the names of the RFCs that define each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// RFC 5425.
    Tls(Tls),
    /// RFC 5426.
    Udp,
}

/// An endpoint of a FHIR server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Path and query of the POST.
    pub path: String,
    /// `host:port` to connect to.
    pub address: String,
    /// The Host header.
    pub authority: String,
    /// Absent: plain HTTP.
    pub tls: Option<Tls>,
}

/// What a TLS handshake needs.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Roots, and the client's certificate where one is set.
    pub config: Arc<ClientConfig>,
    /// The name that its certificate has to be for.
    pub server_name: ServerName<'static>,
    /// Digest of the settings and of the files they name: a certificate that was renewed is a change.
    pub fingerprint: String,
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Tls {}

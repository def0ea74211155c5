//! What a configuration compiles into. Everything that it names has been read, parsed and checked against the rest.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::audit::{OnFailure, PatientIdentifiers};
use crate::policy::{self, Policy};
use crate::rewrite::Ruleset;
use crate::tls::{ClientSettings, ServerSettings};
use crate::wire::AeTitle;

/// A whole configuration, ready to be put into force.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file it came from.
    pub path: PathBuf,
    /// SHA-256 of the file, lower-case hex.
    pub digest: String,
    pub log: Log,
    pub audit: Audit,
    pub limits: Limits,
    /// In the order of the file, at least one.
    pub listeners: Vec<Arc<ListenerSettings>>,
    /// By name.
    pub upstreams: BTreeMap<Arc<str>, Arc<UpstreamSettings>>,
    pub policy: Arc<Policy>,
    /// By name.
    pub rewrites: BTreeMap<Arc<str>, Arc<Ruleset>>,
}

/// `[log]`: the operational log, apart from the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level or a tracing filter, known to parse.
    pub level: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// `[audit]`.
#[derive(Clone, Debug)]
pub struct Audit {
    pub directory: PathBuf,
    pub on_failure: OnFailure,
    /// How records name a patient.
    pub patient_identifiers: PatientIdentifiers,
}

/// `[limits]`: time, lengths and counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What the limiter counts.
    pub counts: policy::limits::Limits,
    /// ARTIM: TLS handshake done and A-ASSOCIATE-RQ read.
    pub associate_timeout: Duration,
    /// No byte moved while a message is under way.
    pub dimse_timeout: Duration,
    /// No message under way.
    pub idle_timeout: Duration,
    pub release_timeout: Duration,
    /// Bytes of a P-DATA-TF that each leg is told; never 0.
    pub max_pdu_length: u32,
    /// Bytes of an A-ASSOCIATE-RQ or -AC.
    pub max_associate_length: u32,
    /// Bytes of a command set.
    pub max_command_length: u32,
    /// How long a drain waits.
    pub grace: Duration,
}

/// `[[listener]]`.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    pub name: Arc<str>,
    pub address: SocketAddr,
    /// Where neither peer nor route says another.
    pub upstream: Option<Arc<str>>,
    /// Load balancers whose PROXY protocol header is believed, and required.
    pub proxy_protocol_from: Vec<IpNet>,
    /// Absent: plain TCP.
    pub tls: Option<ServerTls>,
    /// Where the file defines it, counted from 1.
    pub line: usize,
}

/// `[listener.tls]`, with certificates and keys read.
#[derive(Clone, Debug)]
pub struct ServerTls {
    pub settings: ServerSettings,
    pub config: Arc<rustls::ServerConfig>,
}

/// `[[upstream]]`.
#[derive(Clone, Debug)]
pub struct UpstreamSettings {
    pub name: Arc<str>,
    /// `host:port`, tried in order; at least one.
    pub addresses: Vec<String>,
    /// `None`: as the requestor wrote it.
    pub called_ae_title: Option<AeTitle>,
    /// `None`: as the requestor wrote it.
    pub calling_ae_title: Option<AeTitle>,
    pub connect_timeout: Duration,
    /// Whether a user identity (58H) goes on to the upstream; otherwise it ends here.
    pub pass_user_identity: bool,
    /// Absent: plain TCP.
    pub tls: Option<ClientTls>,
    /// Where the file defines it, counted from 1.
    pub line: usize,
}

/// `[upstream.tls]`, with certificates and keys read.
#[derive(Clone, Debug)]
pub struct ClientTls {
    pub settings: ClientSettings,
    pub config: Arc<rustls::ClientConfig>,
}

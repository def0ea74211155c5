//! What a configuration compiles into. Everything that it names has been read, parsed and checked against the rest.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use ipnet::IpNet;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::keys::Keys;
use super::places::Places;
use crate::audit::AuditSettings;
use crate::audit::forward::Destination;
use crate::backup::Recipient;
use crate::consent::List;
use crate::crosswalk::Secret;
use crate::files::Stamp;
use crate::identity::CertificateBinding;
use crate::notify::Target;
use crate::policy::{self, AutomaticBlocks, KeyLines, Policy};
use crate::rewrite::{FrameMemory, Ruleset};
use crate::tls::{self, ClientSettings, End, FileDigest, ServerSettings};
use crate::tokens::{Fetched, Issuer};
use crate::users;
use crate::wire::AeTitle;

/// A whole configuration, ready to be put into force.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose they are, in a file with a `[[tenant]]`; `None`: the machine's there, and everybody's in any other.
    pub tenant: Option<Arc<str>>,
    /// Whether they are what is no tenant's, in a file with a `[[tenant]]`.
    pub is_of_a_machine: bool,
    /// The file it came from.
    pub path: PathBuf,
    /// What is in force: SHA-256 of the lines that sha256sum(1) prints of the file and of `files`; of the file alone where
    /// there are none. Lower-case hex.
    pub digest: String,
    /// SHA-256 of the file, lower-case hex.
    pub file_digest: String,
    /// The certificates and revocation lists that it names, each once.
    pub files: Vec<FileDigest>,
    /// When they end, with the table that names each.
    pub ends: Vec<(String, End)>,
    /// Files of private keys for TLS, of all sides that speak it, and of what opens them.
    pub private_keys: Vec<PathBuf>,
    /// Another one where anything of `[audit]` is changed that counts from the next start on.
    pub audit_fingerprint: String,
    /// The text of the file.
    pub(super) text: Arc<str>,
    /// Every certificate, list, key and secret that it names, as the file was before it was read.
    pub watched: BTreeMap<PathBuf, Option<Stamp>>,
    /// What it says, to tell a later one from it.
    pub keys: Keys,
    /// What administrators decide while it runs is kept here, for the next start.
    pub state_directory: PathBuf,
    /// What of the operational log is written, and how.
    pub log: Log,
    /// Absent: no administration interface.
    pub admin: Option<AdminSettings>,
    /// Where and how records are kept.
    pub audit: AuditSettings,
    /// Where records are sent besides.
    pub forwarding: Vec<Destination>,
    /// Who is told what.
    pub notifications: Vec<Arc<Target>>,
    /// Time, lengths and counts, with the defaults of what the file leaves out.
    pub limits: Limits,
    /// Where `[limits]` states what refuses connections and associations.
    pub limit_keys: KeyLines,
    /// People, and what opens their one-time secrets; `None`: nobody can log in.
    pub users: Option<UsersSettings>,
    /// Whose tokens prove users, in the order of the file.
    pub issuers: Vec<Arc<Issuer>>,
    /// Where the keys of some of them are fetched.
    pub key_servers: Vec<Arc<KeyServer>>,
    /// Who is asked whether patients have consented, by name.
    pub consents: BTreeMap<Arc<str>, Arc<ConsentSettings>>,
    /// Whom a backup is encrypted for, where nobody says another.
    pub backup_recipients: Vec<Recipient>,
    /// Where metrics are served; `None`: nowhere.
    pub metrics: Option<SocketAddr>,
    /// In the order of the file, at least one.
    pub listeners: Vec<Arc<ListenerSettings>>,
    /// By name.
    pub upstreams: BTreeMap<Arc<str>, Arc<UpstreamSettings>>,
    /// Peers, routes and roles, as decisions need them.
    pub policy: Arc<Policy>,
    /// Who is shut out for being refused too often; `None`: nobody.
    pub automatic_blocks: Option<Arc<AutomaticBlocks>>,
    /// What a reload does with them.
    pub open_associations: OpenAssociations,
    /// By name.
    pub rewrites: BTreeMap<Arc<str>, Arc<Ruleset>>,
    /// Of the secrets of rewrites, by name, to tell whether one is another; nothing can be told of it.
    pub secret_fingerprints: BTreeMap<Arc<str>, hmac::Tag>,
    /// By name.
    pub crosswalks: BTreeMap<Arc<str>, CrosswalkSettings>,
    /// The crosswalk of a rewrite, both by name, where it has one.
    pub remembered: BTreeMap<Arc<str>, Arc<str>>,
}

impl Settings {
    /// What they were read from: the file, or a tenant's part of it, with spaces for the rest.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where each key of the file stands.
    pub fn places(&self) -> Places {
        Places::of(&self.text)
    }

    /// What tokens for the administration interface have in `aud`; none where it takes none.
    pub(crate) fn interface_audience(&self) -> &[String] {
        self.admin.as_ref().map_or(&[], |admin| &admin.audience)
    }

    /// Whether a rewrite is what it was before: what its table says, its secret, and what remembers its pseudonyms.
    pub fn rewrites_like(&self, before: &Self, name: &str) -> bool {
        let secret =
            |settings: &Self| settings.secret_fingerprints.get(name).map(|tag| tag.as_ref().to_vec());
        let remembered = |settings: &Self| {
            let crosswalk = settings.remembered.get(name).and_then(|name| settings.crosswalks.get(name));
            crosswalk.map(|one| one.path.clone())
        };
        // Files of words can change while their names stay.
        let words = |settings: &Self| {
            let ruleset = settings.rewrites.get(name)?;
            ruleset.profile().map(|profile| profile.vocabulary.clone())
        };
        self.keys.say_the_same(&before.keys, "rewrite", name)
            && secret(self) == secret(before)
            && remembered(self) == remembered(before)
            && words(self) == words(before)
    }
}

/// `[[crosswalk]]`, with its key read.
#[derive(Clone, Debug)]
pub struct CrosswalkSettings {
    /// The database; made where it is missing.
    pub path: PathBuf,
    /// The file that its key was read from.
    pub key_file: PathBuf,
    /// The key that it holds; each copy is wiped when it is dropped.
    pub secret: Secret,
    /// Where the file defines it, counted from 1.
    pub line: usize,
}

/// A server that the keys of an issuer are fetched from, over TLS.
#[derive(Clone, Debug)]
pub struct KeyServer {
    /// Name of the `[[issuer]]`.
    pub issuer: Arc<str>,
    /// `host:port` to connect to.
    pub address: String,
    /// The Host header.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Ready for handshakes.
    pub tls: Arc<ClientConfig>,
    /// What its certificate has to be for.
    pub server_name: ServerName<'static>,
    /// Where what was fetched is kept, for the issuer.
    pub keys: Arc<Fetched>,
}

/// `[[consent]]`, with its list read.
#[derive(Clone, Debug)]
pub struct ConsentSettings {
    /// What knows.
    pub source: ConsentSource,
    /// Whether an object goes on of whose patient nothing is known.
    pub passes_unknown: bool,
    /// Whose an identifier without an issuer is; empty: nobody's.
    pub issuer: Box<str>,
    /// Where the file defines it, counted from 1.
    pub line: usize,
}

/// What knows whether a patient has consented.
#[derive(Clone, Debug)]
pub enum ConsentSource {
    /// A list.
    File(Arc<List>),
    /// Each object says it of itself.
    Element,
    /// A server of FHIR R4.
    Fhir(Arc<ConsentServer>),
}

/// A server that is asked for consents, over TLS.
#[derive(Clone, Debug)]
pub struct ConsentServer {
    /// `host:port` to connect to.
    pub address: String,
    /// The Host header.
    pub authority: String,
    /// Of its base, with a slash at the end.
    pub path: String,
    /// Of the identifiers that it knows patients by.
    pub system: Box<str>,
    /// Ready for handshakes.
    pub tls: Arc<ClientConfig>,
    /// What its certificate has to be for.
    pub server_name: ServerName<'static>,
    /// For one question, the wait for its turn included.
    pub deadline: Duration,
    /// How long an answer counts.
    pub cache_for: Duration,
    /// Another one where anything of it is, by which an answer could be another.
    pub fingerprint: String,
}

/// `[users]`, with its key read.
#[derive(Clone, Debug)]
pub struct UsersSettings {
    /// Who may log in, as `dimsegate user` writes it.
    pub file: PathBuf,
    /// What one-time secrets are encrypted with.
    pub key: Option<users::Key>,
}

/// `[log]`: the operational log, apart from the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level or a tracing filter, known to parse.
    pub level: String,
    /// How a line of it looks.
    pub format: LogFormat,
}

/// `[admin]`: the administration interface.
#[derive(Clone, Debug)]
pub struct AdminSettings {
    /// Where, one or more; none twice.
    pub listen: Vec<AdminListen>,
    /// How long a session of a person who logged in lives without a request.
    pub session_idle: Duration,
    /// How long one lives at most.
    pub session_max: Duration,
    /// Whether whoever looks sees patients' identifiers.
    pub patient_identifiers: ShownIdentifiers,
    /// Of addresses only.
    pub tls: Option<ServerTls>,
    /// In the order of the file. Empty: the user that runs the proxy and root are administrators, over the socket.
    pub access: Vec<AdminAccess>,
    /// What tokens for it have in `aud`. Empty: it takes none.
    pub audience: Vec<String>,
    /// Another one where anything is changed that counts from the next start on.
    pub fingerprint: String,
    /// Where the file defines it, counted from 1.
    pub line: usize,
}

impl AdminSettings {
    /// Whether anybody is known by a token.
    pub(crate) fn takes_tokens(&self) -> bool {
        self.access.iter().any(AdminAccess::is_of_tokens)
    }

    /// Whether anybody is known by a token of this issuer.
    pub(crate) fn names_issuer(&self, name: &str) -> bool {
        let of = |text: &String| text.split_once('/').is_some_and(|(issuer, _)| issuer == name);
        self.access.iter().any(|one| one.token_users.iter().chain(&one.token_roles).any(of))
    }
}

/// A place at which the administration interface is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminListen {
    /// A Unix socket, which knows who connects.
    Unix(PathBuf),
    /// An address, on which a login, a certificate or nothing tells who connects.
    Tcp(SocketAddr),
}

/// What of patients, studies and instances the interface shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShownIdentifiers {
    /// None of them, to nobody.
    #[default]
    None,
    /// As the records have them.
    AsRecorded,
}

/// `[[admin.access]]`: who has a role.
#[derive(Clone, Debug)]
pub struct AdminAccess {
    /// What they may do; of several that fit, the highest counts.
    pub role: users::AdminRole,
    /// Names of accounts.
    pub users: Vec<String>,
    /// Names of groups of /etc/group; as the accounts, for whoever comes over a Unix socket.
    pub groups: Vec<String>,
    /// Certificates and keys of clients, behind `[admin.tls]`.
    pub certificates: Vec<CertificateBinding>,
    /// Users of tokens: the name of an issuer, a slash, and the name that the token has.
    pub token_users: Vec<String>,
    /// Roles of tokens: the name of an issuer, a slash, and what its tokens call the role.
    pub token_roles: Vec<String>,
}

impl AdminAccess {
    /// Whether it says of tokens what their role is.
    pub(crate) fn is_of_tokens(&self) -> bool {
        !self.token_users.is_empty() || !self.token_roles.is_empty()
    }
}

/// How the log is read: by people, or by programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for each event, times and fields in it.
    Text,
    /// A JSON object on each line.
    Json,
}

/// `[policy] open-associations`: by which configuration an association that is open is judged again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpenAssociations {
    /// By the one in force: it ends where that allows less than the one with which it began.
    #[default]
    JudgeAgain,
    /// By the one with which it began.
    Finish,
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
    /// Bytes a second that a message under way has to move, over each `dimse_timeout`.
    pub min_bytes_per_second: u32,
    /// How long whoever owes an answer may say nothing, where neither peer nor upstream says another.
    pub response_timeout: Duration,
    /// No message under way, and nobody waits for an answer.
    pub idle_timeout: Duration,
    /// For the answer to an A-RELEASE-RQ, and for a peer to close after it.
    pub release_timeout: Duration,
    /// Bytes of a P-DATA-TF that each leg is told; never 0.
    pub max_pdu_length: u32,
    /// Bytes of an A-ASSOCIATE-RQ or -AC.
    pub max_associate_length: u32,
    /// Bytes of a command set.
    pub max_command_length: u32,
    /// How long a drain waits.
    pub grace: Duration,
    /// Between two looks at the files that the configuration names; `None`: nobody looks.
    pub reload_files: Option<Duration>,
    /// What frames may take whose pixels are decoded, of all associations together.
    pub decoding_memory: FrameMemory,
    /// Bytes of data sets that wait for what they depend on, of all associations together, and of one at most.
    pub held_data_sets: u64,
    /// See [`held_data_sets`](Self::held_data_sets).
    pub held_data_set: u64,
}

impl Limits {
    /// Bytes of data sets that may wait, as memory is counted.
    pub(crate) fn all_held(&self) -> usize {
        usize::try_from(self.held_data_sets).unwrap_or(usize::MAX)
    }
}

/// `[[listener]]`.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// What records, routes and people call it.
    pub name: Arc<str>,
    /// Where it listens; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Where neither peer nor route says another.
    pub upstream: Option<Arc<str>>,
    /// Load balancers whose PROXY protocol header is believed, and required.
    pub proxy_protocol_from: Vec<IpNet>,
    /// Monitors whose connections, where they end without a request, are health checks.
    pub health_checks_from: Vec<IpNet>,
    /// What becomes of the users that requestors name.
    pub user_identity: UserIdentity,
    /// Types that are let through where the others are checked: claims, for the upstream.
    pub passed_identities: Vec<PassedIdentity>,
    /// Absent: plain TCP.
    pub tls: Option<ServerTls>,
    /// Where the file defines it, counted from 1.
    pub line: usize,
    /// Whose connections at this address may be, where several tenants have it.
    pub shared: Option<Arc<Shared>>,
}

impl Settings {
    /// A line of the file, for whoever may know it: a tenant would see by it how much of others is there.
    pub fn shown_line(&self, line: usize) -> Option<usize> {
        self.tenant.is_none().then_some(line)
    }
}

/// How a connection finds its tenant, at an address that several of them have.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The listeners there.
    pub leads: Vec<Lead>,
    /// Which of them a server name leads to, in lower case.
    pub by_name: BTreeMap<String, usize>,
    /// For whoever asks for no such name.
    pub common: tls::Common,
}

/// A listener of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Name of the `[[tenant]]`.
    pub tenant: Arc<str>,
    /// Its `[[listener]]`, by name.
    pub listener: Arc<str>,
}

/// `user-identity` of a listener: what becomes of a user identity (PS3.7 D.3.3.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserIdentity {
    /// Nobody looks at it.
    #[default]
    Ignore,
    /// One that is there has to be right; nobody needs one.
    Accept,
    /// Nobody is let in without one that is proven.
    Require,
}

impl ListenerSettings {
    /// Whether a user identity of this type is let through unchecked, though others are checked.
    pub(crate) fn passes(&self, kind: u8) -> bool {
        self.user_identity == UserIdentity::Accept
            && self.passed_identities.iter().any(|passed| passed.kind() == kind)
    }

    /// Whether a user identity of any type goes on to the upstream (PS3.7 D.3.3.7).
    pub(crate) fn passes_any(&self) -> bool {
        PassedIdentity::ALL.iter().any(|(_, passed)| self.passes(passed.kind()))
    }
}

/// An item of `user-identity-pass`: a type of user identity that nobody checks here (PS3.7 Table D.3-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedIdentity {
    /// A Kerberos service ticket.
    Kerberos,
    /// A SAML assertion.
    Saml,
}

impl PassedIdentity {
    /// Every one, with its word.
    pub(crate) const ALL: [(&'static str, Self); 2] = [("kerberos", Self::Kerberos), ("saml", Self::Saml)];

    /// Its number in the item.
    pub(crate) const fn kind(self) -> u8 {
        match self {
            Self::Kerberos => 3,
            Self::Saml => 4,
        }
    }
}

/// `user-identity` of an upstream: what it is told of the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedIdentity {
    /// Nothing.
    #[default]
    Strip,
    /// What the requestor sent, secrets too.
    Pass,
    /// The name of a user who is proven, as type 1; nothing of others.
    Replace,
}

impl ForwardedIdentity {
    /// Every one, with the value of `user-identity`.
    pub(crate) const ALL: [(&'static str, Self); 3] =
        [("strip", Self::Strip), ("pass", Self::Pass), ("replace", Self::Replace)];
}

/// `[listener.tls]`, with certificates and keys read.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// What the file says, paths among it.
    pub settings: ServerSettings,
    /// What was made of it, ready for handshakes.
    pub built: tls::Server,
}

/// `[[upstream]]`.
#[derive(Clone, Debug)]
pub struct UpstreamSettings {
    /// What records, routes and people call it.
    pub name: Arc<str>,
    /// `host:port`, tried in order; at least one.
    pub addresses: Vec<String>,
    /// `None`: as the requestor wrote it.
    pub called_ae_title: Option<AeTitle>,
    /// `None`: as the requestor wrote it.
    pub calling_ae_title: Option<AeTitle>,
    /// For one address: until it is connected, and then again until its TLS handshake is done.
    pub connect_timeout: Duration,
    /// How much longer than one that is free it may keep a requestor waiting while it is busy.
    pub wait: Duration,
    /// How long it may say nothing while it owes an answer; `None`: as the limits.
    pub response_timeout: Option<Duration>,
    /// Which of the addresses an association begins with.
    pub balance: Balance,
    /// Whether C-ECHOs show that it is there; `None`: only associations do.
    pub health: Option<Health>,
    /// How long what a name stands for is believed.
    pub resolve: Duration,
    /// Whether it is told by a PROXY protocol header, version 2, whose connection it is.
    pub send_proxy_protocol: bool,
    /// What it is told of the user (58H).
    pub user_identity: ForwardedIdentity,
    /// Absent: plain TCP.
    pub tls: Option<ClientTls>,
    /// Where the file defines it, counted from 1.
    pub line: usize,
}

/// `balance`: in which order the addresses of an upstream are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// As they are listed: another than the first only where it is down.
    Failover,
    /// Each in its turn.
    RoundRobin,
    /// The one with the fewest associations of this proxy.
    LeastAssociations,
}

impl Balance {
    /// Every one, with the value of `balance`.
    pub(crate) const ALL: [(&'static str, Self); 3] = [
        ("failover", Self::Failover),
        ("round-robin", Self::RoundRobin),
        ("least-associations", Self::LeastAssociations),
    ];

    /// The value of `balance` that means this, as a file has it.
    pub(crate) fn label(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("", |(label, _)| label)
    }
}

/// `health`: how C-ECHOs show that an upstream is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Between two C-ECHOs to an address.
    pub echo: Duration,
    /// So many have to succeed in a row for one that is down to be up; at least 1.
    pub rise: u32,
    /// So many have to fail in a row for one that is up to be down; at least 1.
    pub fall: u32,
}

/// `[upstream.tls]`, with certificates and keys read.
#[derive(Clone, Debug)]
pub struct ClientTls {
    /// What the file says, paths among it.
    pub settings: ClientSettings,
    /// What was made of it, ready for handshakes.
    pub built: tls::Client,
}

//! One struct for each kind of record. The sink puts `time`, `event` and `sequence` in front.

use super::chain::LineHash;
use super::continued::{ClockStepped, TrailContinued};
use super::{
    AssociationClosed, AssociationOpened, AssociationRejected, PatientIdentifier, Query, RefusedCertificate,
    Tls,
};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What happened. Strings may hold anything that came from the wire: they are escaped and bounded when written.
///
/// Fields that are `None` are left out of the record, except where [`Requestor`](super::Requestor) and
/// [`AssociationClosed`] say `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    Started(Started),
    ConfigurationLoaded(ConfigurationLoaded),
    ConfigurationRefused(ConfigurationRefused),
    ConnectionRefused(Box<ConnectionRefused>),
    AssociationRejected(Box<AssociationRejected>),
    AssociationOpened(Box<AssociationOpened>),
    Operation(Box<Operation>),
    AssociationClosed(Box<AssociationClosed>),
    SecurityAlert(Box<SecurityAlert>),
    FileClosed(FileClosed),
    RecordsDeleted(RecordsDeleted),
    AuditLogUsed(Box<AuditLogUsed>),
    TrailContinued(Box<TrailContinued>),
    ClockStepped(ClockStepped),
    Stopped(Stopped),
}

impl Event {
    /// The value of `event`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started(_) => "started",
            Self::ConfigurationLoaded(_) => "configuration-loaded",
            Self::ConfigurationRefused(_) => "configuration-refused",
            Self::ConnectionRefused(_) => "connection-refused",
            Self::AssociationRejected(_) => "association-rejected",
            Self::AssociationOpened(_) => "association-opened",
            Self::Operation(_) => "operation",
            Self::AssociationClosed(_) => "association-closed",
            Self::SecurityAlert(_) => "security-alert",
            Self::FileClosed(_) => "file-closed",
            Self::RecordsDeleted(_) => "records-deleted",
            Self::AuditLogUsed(_) => "audit-log-used",
            Self::TrailContinued(_) => TrailContinued::EVENT,
            Self::ClockStepped(_) => "clock-stepped",
            Self::Stopped(_) => "stopped",
        }
    }

    /// Whether a checkpoint is to stand right behind it: others rely on it before the next one is due.
    pub(super) fn is_signed_at_once(&self) -> bool {
        matches!(self, Self::TrailContinued(_) | Self::RecordsDeleted(_))
    }

    /// As the record of this many refusals, of which this is the last one: what is true of that one alone goes. With
    /// `anybody`, they came from more addresses than were told apart.
    pub(super) fn gathered(self, count: u64, anybody: bool) -> Self {
        match self {
            Self::ConnectionRefused(refused) if anybody => Self::ConnectionRefused(refused.of_anybody(count)),
            Self::ConnectionRefused(refused) => {
                Self::ConnectionRefused(Box::new(ConnectionRefused { count: Some(count), ..*refused }))
            }
            Self::AssociationRejected(rejected) if anybody => {
                let AssociationRejected { requestor, reason, explanation, .. } = *rejected;
                let refused = ConnectionRefused {
                    association: None,
                    listener: requestor.listener,
                    address: None,
                    port: None,
                    tls: None,
                    // Its request was read, so TLS was established where the listener has it.
                    transport: if requestor.tls.is_some() { Transport::Tls } else { Transport::Plain },
                    reason,
                    explanation,
                    alert: None,
                    certificate: None,
                    abort: None,
                    count: None,
                };
                Self::ConnectionRefused(refused.of_anybody(count))
            }
            Self::AssociationRejected(rejected) => {
                Self::AssociationRejected(Box::new(AssociationRejected { count: Some(count), ..*rejected }))
            }
            Self::Operation(operation) => Self::Operation(Box::new(operation.gathered(count))),
            other => other,
        }
    }

    /// Bytes of memory that it holds, about: what it takes of the room of the queue.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Operation(operation) => OWN_WEIGHT.saturating_add(operation.text()),
            Self::AssociationOpened(opened) => story_weight(opened.contexts.len()),
            Self::AssociationClosed(closed) => story_weight(closed.contexts.len()),
            Self::ConfigurationRefused(refused) => {
                refused.problems.iter().map(String::len).fold(OWN_WEIGHT, usize::saturating_add)
            }
            Self::ConnectionRefused(_) | Self::AssociationRejected(_) | Self::SecurityAlert(_) => {
                story_weight(0)
            }
            Self::ConfigurationLoaded(loaded) => {
                loaded.changed_keys.iter().map(String::len).fold(OWN_WEIGHT, usize::saturating_add)
            }
            _ => OWN_WEIGHT,
        }
    }
}

/// Every value of `event`, with that of the records that sign.
pub const EVENTS: [&str; 16] = [
    "started",
    "configuration-loaded",
    "configuration-refused",
    "connection-refused",
    "association-rejected",
    "association-opened",
    "operation",
    "association-closed",
    "security-alert",
    "file-closed",
    "records-deleted",
    "audit-log-used",
    "trail-continued",
    "clock-stepped",
    "checkpoint",
    "stopped",
];

/// A record of no text still costs its place.
const OWN_WEIGHT: usize = 512;

/// Of a record about a whole association.
fn story_weight(contexts: usize) -> usize {
    contexts.saturating_mul(256).saturating_add(OWN_WEIGHT.saturating_mul(4))
}

/// The process accepts associations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Started {
    pub version: String,
    pub process_id: u32,
    /// Digest of the configuration in force.
    pub configuration: String,
    pub listeners: Vec<StartedListener>,
    /// Whether the last line of an earlier run was torn by a crash; it stands closed off in its file. The sink sets it.
    pub recovered: bool,
}

/// A listener, bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StartedListener {
    pub name: String,
    pub address: SocketAddr,
}

/// A configuration is in force, at start or after a reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConfigurationLoaded {
    pub file: String,
    /// Digest of all that is in force: the file, and the certificates and lists that it names.
    pub configuration: String,
    /// Digest of the configuration that it takes the place of.
    #[serde(rename = "previous-configuration", skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// SHA-256 of the file alone.
    pub file_sha256: String,
    /// The certificates and revocation lists that it names; the first 200 are written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<UsedFile>,
    /// After a reload: the files of all of these that are not what they were, or new, or gone; the first 200 are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
    /// What was changed since the start and counts from the next start on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits_for_restart: Vec<Cow<'static, str>>,
    pub warnings: usize,
    /// Who had it read again.
    #[serde(flatten)]
    pub by: Option<ReloadedBy>,
    /// What is not as it was before, by the names of keys and of what they belong to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed_keys: Vec<String>,
}

/// Who sent SIGHUP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReloadedBy {
    /// Name of the account, where it has one here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    pub user_id: u32,
    pub process_id: u32,
}

/// A file, by what was in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct UsedFile {
    pub file: String,
    pub sha256: String,
}

/// A reload failed; what was in force stays in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConfigurationRefused {
    pub file: String,
    /// Digest of the configuration that stays in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    pub errors: usize,
    /// One `file:line:column: key: …` each; the first 20 are written.
    #[serde(serialize_with = "first_twenty")]
    pub problems: Vec<String>,
    /// Who had it read again.
    #[serde(flatten)]
    pub by: Option<ReloadedBy>,
}

/// A connection that did not come as far as an association request that could be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectionRefused {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association: Option<String>,
    pub listener: String,
    /// Absent where the record is about more addresses than were told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// What the listener speaks. Without `tls`, TLS was not established there, and nothing proved who it was.
    pub transport: Transport,
    /// A stable label, such as `address`, `connection-rate`, `certificate-revoked`, `not-tls`.
    pub reason: Cow<'static, str>,
    /// For people: what was found, and what was expected.
    pub explanation: String,
    /// The TLS alert that was sent or received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Cow<'static, str>>,
    /// What was shown, where the certificate is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<RefusedCertificate>,
    /// The A-ABORT that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort: Option<Abort>,
    /// How many the record stands for, where they were gathered; it tells of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl ConnectionRefused {
    fn of_anybody(self, count: u64) -> Box<Self> {
        let explanation = format!("{} refusals from more addresses than are told apart in a minute", count);
        Box::new(Self {
            association: None,
            address: None,
            port: None,
            tls: None,
            certificate: None,
            explanation,
            count: Some(count),
            ..self
        })
    }
}

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    Tls,
    Plain,
}

/// Source and reason of an A-ABORT (PS3.8 §9.3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Abort {
    pub source: u8,
    pub reason: u8,
}

/// One DIMSE operation, from its request to its last response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Operation {
    #[serde(serialize_with = "text")]
    pub association: Arc<str>,
    /// `C-STORE`, `N-CREATE`, …
    pub operation: Cow<'static, str>,
    pub message_id: u16,
    pub direction: Direction,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sop_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sop_instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_sop_instance: Option<String>,
    /// A C-STORE that was refused because its data set names another SOP class than its command: that class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_set_sop_class: Option<String>,
    /// As `data_set_sop_class`, for the SOP instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_set_sop_instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_study: Option<String>,
    /// Elements of the request's data set that the rewrite of the peer changed, removed or added. Absent where none was
    /// applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewritten: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientIdentifier>,
    /// C-FIND, C-MOVE and C-GET, where the identifier could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Box<Query>>,
    /// C-MOVE only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub move_destination: Option<String>,
    /// Of the last response, written `0x0000`; absent where none came.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "hexadecimal")]
    pub status: Option<u16>,
    /// Of the data sets, both directions.
    pub bytes: u64,
    pub duration_ms: u64,
    /// A stable label, where dimsegate itself refused or failed the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'static, str>>,
    /// What is wrong with a message that could not be rewritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Box<Fault>>,
    /// Stable labels of what its messages had that the standard does not allow, and that was read all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerated: Vec<Cow<'static, str>>,
    /// How many refused operations the record stands for, where they were gathered; the rest of it is about the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Where a message could not be rewritten, and why. Never a byte of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// By its tag, with the sequences around it, items counted from 1: `(0040,0275)[1].(0040,0009)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// Bytes of the data set before it, where its structure is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    pub problem: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Cow<'static, str>>,
}

impl Fault {
    /// Of a message of which no element is at fault.
    pub fn of(problem: impl Into<Cow<'static, str>>) -> Self {
        Self { element: None, offset: None, problem: problem.into(), expected: None }
    }

    fn weight(&self) -> usize {
        let expected = self.expected.as_ref().map_or(0, |text| text.len());
        self.element.as_ref().map_or(0, String::len) + self.problem.len() + expected
    }
}

impl Operation {
    /// An operation of which nothing but this is known: no SOP class, no status, no byte, no time taken.
    pub fn new(
        association: Arc<str>,
        operation: impl Into<Cow<'static, str>>,
        message_id: u16,
        direction: Direction,
    ) -> Self {
        Self {
            association,
            operation: operation.into(),
            message_id,
            direction,
            sop_class: None,
            sop_instance: None,
            new_sop_instance: None,
            data_set_sop_class: None,
            data_set_sop_instance: None,
            study: None,
            new_study: None,
            rewritten: None,
            patient: None,
            query: None,
            move_destination: None,
            status: None,
            bytes: 0,
            duration_ms: 0,
            reason: None,
            fault: None,
            tolerated: Vec::new(),
            count: None,
        }
    }

    /// As the record of this many, of which this is the last: without what is true of that one alone.
    fn gathered(self, count: u64) -> Self {
        Self {
            sop_class: self.sop_class,
            status: self.status,
            duration_ms: self.duration_ms,
            reason: self.reason,
            rewritten: self.rewritten,
            tolerated: self.tolerated,
            count: Some(count),
            ..Self::new(self.association, self.operation, self.message_id, self.direction)
        }
    }

    /// Bytes of its strings that have no bound of their own.
    fn text(&self) -> usize {
        let strings = [
            &self.sop_class,
            &self.sop_instance,
            &self.new_sop_instance,
            &self.data_set_sop_class,
            &self.data_set_sop_instance,
            &self.study,
            &self.new_study,
            &self.move_destination,
        ];
        let text = strings.into_iter().flatten().map(String::len).fold(0, usize::saturating_add);
        let query = self.query.as_ref().map_or(0, |query| query.weight());
        let tolerated = self.tolerated.iter().map(|label| label.len()).fold(0, usize::saturating_add);
        let text = text.saturating_add(tolerated);
        let query = query.saturating_add(self.fault.as_ref().map_or(0, |fault| fault.weight()));
        text.saturating_add(self.patient.as_ref().map_or(0, PatientIdentifier::len)).saturating_add(query)
    }
}

/// Which side invoked an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    FromPeer,
    ToPeer,
}

/// Something that a person should look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SecurityAlert {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calling_ae_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_ae_title: Option<String>,
    /// A stable label, such as `certificate-binding`, `records-lost`.
    pub reason: Cow<'static, str>,
    pub explanation: String,
    /// What was shown, where a certificate that was refused is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<RefusedCertificate>,
    /// `records-lost` only: how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
}

/// The file of an earlier day was compressed or encrypted; the lines in it are what they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileClosed {
    /// Its new name.
    pub file: String,
    #[serde(flatten)]
    pub lines: Span,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// The file of an earlier day is deleted because `retention-days` are over. The record is on the disk before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RecordsDeleted {
    pub file: String,
    /// Absent where the file could not be read.
    #[serde(flatten)]
    pub lines: Option<Span>,
    pub reason: Cow<'static, str>,
}

/// Somebody read the records with a command of dimsegate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AuditLogUsed {
    /// Name of the account, or its number where it has no name here.
    pub user: String,
    pub user_id: u32,
    /// The machine on which the reader ran, as it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Of the reader, as it said.
    pub process_id: u32,
    /// The audit directory.
    pub file: String,
    /// `search`, `show`, `report`, `verify`.
    pub command: String,
    /// Its arguments, without what must not be recorded.
    pub arguments: String,
}

/// The lines of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Sequence number of the first record.
    pub first: u64,
    /// Sequence number of the last.
    pub last: u64,
    /// Of the last line: `previous` of the line after it.
    pub head: LineHash,
}

/// The process ends in good order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stopped {
    /// Such as `SIGTERM`.
    pub reason: Cow<'static, str>,
    /// Associations that were aborted because the grace period ended.
    pub aborted: u64,
    /// Connections of load balancers and monitors that only looked whether the proxy is there; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_checks: Option<u64>,
    /// How long the process ran.
    pub duration_ms: u64,
}

fn text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn hexadecimal<S: Serializer>(status: &Option<u16>, serializer: S) -> Result<S::Ok, S::Error> {
    match status {
        Some(status) => serializer.collect_str(&format_args!("0x{status:04X}")),
        None => serializer.serialize_none(),
    }
}

fn first_twenty<S: Serializer>(problems: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(problems.iter().take(20))
}

//! Every kind of record: a struct each, which its own module has. The sink puts `time`, `event` and `sequence` in front.

use super::administration::Administration;
use super::checkpoint::Checkpoint;
use super::continued::{ClockStepped, TrailContinued};
use super::operation::{self, Operation};
use super::other::Other;
use super::process::{ConfigurationLoaded, ConfigurationRefused, Started, Stopped};
use super::refused::{ConnectionRefused, SecurityAlert, of_anybody};
use super::upkeep::{AuditLogUsed, FileClosed, RecordsDeleted};
use super::{AssociationClosed, AssociationOpened, AssociationRejected};
use crate::audit::json;
use crate::audit::signing::CHECKPOINT;
use serde::Serialize;
use serde_json::from_slice;

/// What happened. Strings may hold anything that came from the wire: they are escaped and bounded when written.
///
/// Fields that are `None` are left out of the record, except where [`Requestor`](super::Requestor) and
/// [`AssociationClosed`] say `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// `started`: the process lets associations in.
    Started(Started),
    /// `configuration-loaded`, at start and after a reload.
    ConfigurationLoaded(ConfigurationLoaded),
    /// `configuration-refused`: a reload failed.
    ConfigurationRefused(ConfigurationRefused),
    /// `connection-refused`: before a request for an association could be answered.
    ConnectionRefused(Box<ConnectionRefused>),
    /// `association-rejected`, with A-ASSOCIATE-RJ.
    AssociationRejected(Box<AssociationRejected>),
    /// `association-opened`, with A-ASSOCIATE-AC.
    AssociationOpened(Box<AssociationOpened>),
    /// `operation`: one DIMSE operation that is over.
    Operation(Box<Operation>),
    /// `association-closed`, with all that went over it.
    AssociationClosed(Box<AssociationClosed>),
    /// `security-alert`: something that a person should look at.
    SecurityAlert(Box<SecurityAlert>),
    /// `file-closed`: an earlier day was compressed or encrypted.
    FileClosed(FileClosed),
    /// `records-deleted`: an earlier day is deleted, its time being over.
    RecordsDeleted(RecordsDeleted),
    /// `audit-log-used`: somebody read the records with a command.
    AuditLogUsed(Box<AuditLogUsed>),
    /// `trail-continued`, the first record of a run: what it found of those before.
    TrailContinued(Box<TrailContinued>),
    /// `clock-stepped`: the system's clock was set while the process ran.
    ClockStepped(ClockStepped),
    /// `administration`: what was done or read through the administration interface.
    Administration(Box<Administration>),
    /// `checkpoint`: a signature over every line before it.
    Checkpoint(Box<Checkpoint>),
    /// `stopped`: the process ends in good order.
    Stopped(Stopped),
    /// Only read: of an event, or a shape of one, that this version does not know.
    Other(Box<Other>),
}

impl Event {
    /// The value of `event` in the record, such as `association-opened`.
    pub fn name(&self) -> &str {
        match self {
            Self::Other(other) => &other.event,
            known => known.known_name(),
        }
    }

    /// The same, of all that is written; empty for [`Event::Other`], which is not.
    pub(in crate::audit) fn known_name(&self) -> &'static str {
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
            Self::Administration(_) => "administration",
            Self::Checkpoint(_) => CHECKPOINT,
            Self::Stopped(_) => "stopped",
            Self::Other(_) => "",
        }
    }

    /// Of a line, by the name of its event.
    ///
    /// # Errors
    /// The line is no JSON object.
    pub(super) fn read(name: &str, line: &[u8]) -> serde_json::Result<Self> {
        match Self::known(name, line) {
            Ok(Some(event)) => Ok(event),
            Ok(None) | Err(_) => Other::read(name, line).map(|other| Self::Other(Box::new(other))),
        }
    }

    fn known(name: &str, line: &[u8]) -> serde_json::Result<Option<Self>> {
        Ok(Some(match name {
            "started" => Self::Started(from_slice(line)?),
            "configuration-loaded" => Self::ConfigurationLoaded(from_slice(line)?),
            "configuration-refused" => Self::ConfigurationRefused(from_slice(line)?),
            "connection-refused" => Self::ConnectionRefused(from_slice(line)?),
            "association-rejected" => Self::AssociationRejected(from_slice(line)?),
            "association-opened" => Self::AssociationOpened(from_slice(line)?),
            "operation" => Self::Operation(from_slice(line)?),
            "association-closed" => Self::AssociationClosed(from_slice(line)?),
            "security-alert" => Self::SecurityAlert(from_slice(line)?),
            "file-closed" => Self::FileClosed(from_slice(line)?),
            "records-deleted" => Self::RecordsDeleted(from_slice(line)?),
            "audit-log-used" => Self::AuditLogUsed(from_slice(line)?),
            TrailContinued::EVENT => Self::TrailContinued(from_slice(line)?),
            "clock-stepped" => Self::ClockStepped(from_slice(line)?),
            "administration" => Self::Administration(from_slice(line)?),
            CHECKPOINT => Self::Checkpoint(from_slice(line)?),
            "stopped" => Self::Stopped(from_slice(line)?),
            _ => return Ok(None),
        }))
    }

    /// The fields as a JSON object, without what the sink puts in front.
    ///
    /// # Errors
    /// A value has no JSON form: a patient identifier that was not rendered.
    pub(in crate::audit) fn fields(&self, to: &mut Vec<u8>) -> serde_json::Result<()> {
        match self {
            Self::Operation(operation) => operation::body(to, operation),
            event => json::body_of(to, event),
        }
    }

    /// Whether a checkpoint is to stand right behind it: others rely on it before the next one is due.
    pub(in crate::audit) fn is_signed_at_once(&self) -> bool {
        matches!(self, Self::TrailContinued(_) | Self::RecordsDeleted(_))
    }

    /// As the record of this many refusals, of which this is the last one: what is true of that one alone goes. With
    /// `anybody`, they came from more addresses than were told apart.
    pub(in crate::audit) fn gathered(self, count: u64, anybody: bool) -> Self {
        match self {
            Self::ConnectionRefused(refused) if anybody => Self::ConnectionRefused(refused.of_anybody(count)),
            Self::ConnectionRefused(refused) => {
                Self::ConnectionRefused(Box::new(ConnectionRefused { count: Some(count), ..*refused }))
            }
            Self::AssociationRejected(rejected) if anybody => {
                let AssociationRejected { requestor, reason, explanation, .. } = *rejected;
                Self::ConnectionRefused(of_anybody(requestor, reason, explanation).of_anybody(count))
            }
            Self::AssociationClosed(closed) if anybody => {
                let reason = closed.label().unwrap_or_default().to_owned().into();
                Self::ConnectionRefused(of_anybody(closed.requestor, reason, String::new()).of_anybody(count))
            }
            Self::AssociationClosed(closed) => {
                Self::AssociationClosed(Box::new(AssociationClosed { count: Some(count), ..*closed }))
            }
            Self::AssociationRejected(rejected) => {
                Self::AssociationRejected(Box::new(AssociationRejected { count: Some(count), ..*rejected }))
            }
            Self::Operation(operation) => Self::Operation(Box::new(operation.gathered(count))),
            other => other,
        }
    }

    /// Bytes of memory that it holds, about: what it takes of the room of the queue.
    pub(in crate::audit) fn weight(&self) -> usize {
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
pub const EVENTS: [&str; 17] = [
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
    "administration",
    "checkpoint",
    "stopped",
];

/// A record of no text still costs its place.
const OWN_WEIGHT: usize = 512;

/// Of a record about a whole association.
fn story_weight(contexts: usize) -> usize {
    contexts.saturating_mul(256).saturating_add(OWN_WEIGHT.saturating_mul(4))
}

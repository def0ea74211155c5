//! Every kind of record: a struct each, which its own module has. The sink puts `time`, `event` and `sequence` in front.

use super::administration::Administration;
use super::continued::{ClockStepped, TrailContinued};
use super::operation::Operation;
use super::process::{ConfigurationLoaded, ConfigurationRefused, Started, Stopped};
use super::refused::{ConnectionRefused, SecurityAlert, of_anybody};
use super::upkeep::{AuditLogUsed, FileClosed, RecordsDeleted};
use super::{AssociationClosed, AssociationOpened, AssociationRejected};
use serde::Serialize;

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
    Administration(Box<Administration>),
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
            Self::Administration(_) => "administration",
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

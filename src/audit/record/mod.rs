//! One record: the types that write it are those that read it back.
//!
//! # Why
//!
//! Lines are written once and read by many: search, report, repositories, `verify`. Where each had fields of its own for
//! them, a field that was renamed at one end was silently absent at the other. So each event is a struct here that is
//! both: what the sink writes of it, [`Record::read`] gives back, and `audit/tests/lines.rs` holds each to its bytes.
//!
//! What is read may be of an earlier version, of a later one, or of another writer. A field that is not there has its
//! default, one that is not known is passed over, a label that is not known is kept as text ([`Labelled`]), and an event
//! that is not known, or has a shape that is not, is [`Event::Other`] with what can be told of any record.

mod administration;
mod any;
mod association;
mod checkpoint;
mod continued;
mod event;
mod labelled;
mod operation;
mod other;
mod outcome;
pub(super) mod patient;
mod place;
mod process;
mod query;
mod refused;
mod said;
mod upkeep;

pub use administration::{Administration, AdministrationOutcome};
pub use association::{
    AssociationClosed, AssociationOpened, AssociationRejected, Authority, Bytes, Context, Identified,
    Implementation, OperationCounts, RefusedCertificate, Rejection, Requestor, Rewrite, Tls, Upstream,
};
pub use checkpoint::Checkpoint;
pub use continued::{ClockStepped, TrailContinued};
pub use event::{EVENTS, Event};
pub use labelled::Labelled;
pub use operation::{Direction, Fault, Operation, Originals};
pub use other::Other;
pub use outcome::Outcome;
pub use patient::{PatientIdentifier, PatientIdentifiers};
pub use process::{
    ConfigurationLoaded, ConfigurationRefused, ReloadedBy, Started, StartedListener, Stopped, UsedFile,
};
pub use query::Query;
pub use refused::{Abort, ConnectionRefused, SecurityAlert, Transport};
pub use upkeep::{AuditLogUsed, FileClosed, RecordsDeleted, Span};

pub(super) use place::{association_of_operation, begin};

use place::Place;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A line that is no record; holds what the JSON reader says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotARecord(pub String);

/// A line of the trail, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// RFC 3339, as it was written; see [`Record::at`].
    pub time: String,
    /// 0 where a record of another writer has none.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
}

impl Record {
    /// Reads a line, without its line feed.
    ///
    /// # Errors
    /// [`NotARecord`] for what is no JSON object with a time and an event.
    pub fn read(line: &[u8]) -> Result<Self, NotARecord> {
        let place = Place::of(line).map_err(|error| NotARecord(error.to_string()))?;
        if place.time.is_empty() || place.event.is_empty() {
            return Err(NotARecord("an object without time or event".into()));
        }
        let event = Event::read(&place.event, line).map_err(|error| NotARecord(error.to_string()))?;
        Ok(Self { time: place.time.into_owned(), sequence: place.sequence, event })
    }

    /// When, where `time` is one.
    pub fn at(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.time, &Rfc3339).ok().map(|at| at.to_offset(time::UtcOffset::UTC))
    }

    /// How many times what it tells of happened.
    pub fn times(&self) -> u64 {
        self.count().unwrap_or(1).max(1)
    }
}

/// The part of a reason before its explanation.
fn label_of(reason: &str) -> &str {
    reason.split_once(": ").map_or(reason, |(label, _)| label)
}

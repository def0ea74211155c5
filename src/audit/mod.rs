//! The record of what happened (PS3.15 Annex A.5): typed events, and the sink that keeps them as JSON lines.
//!
//! [`Audit::record`] gives an event its time and its place in the sequence, and hands it to a thread that appends it to
//! `audit-YYYY-MM-DD.jsonl`. Between the two is a queue that is bounded in bytes. While records cannot be written,
//! [`Audit::writable`] is false, and whoever lets associations in decides by [`OnFailure`] what that means.
//!
//! Those lines are the record of truth. [`messages`] reads them back and renders them as DICOM audit messages or FHIR
//! AuditEvents, and [`forward`] sends these to repositories from a cursor that survives restarts.

mod administration;
mod association;
mod chain;
mod clock;
mod closing;
mod continued;
mod days;
mod end;
mod event;
mod file;
pub mod files;
pub mod forward;
mod gathering;
pub mod head;
mod hex;
mod hold;
mod inbox;
mod json;
mod keeper;
mod lines;
mod lock;
mod marker;
pub mod messages;
mod operation;
mod patient;
mod process;
mod query;
mod queue;
pub mod reading;
mod recovery;
mod refused;
mod regular;
mod reserve;
pub mod reviewers;
mod room;
mod settings;
pub mod signing;
mod sink;
mod survey;
mod tap;
mod unsent;
mod upkeep;
pub mod used;
pub mod verify;
mod writer;

pub use administration::{Administration, AdministrationOutcome};
pub use association::{
    AssociationClosed, AssociationOpened, AssociationRejected, Authority, Bytes, Context, Identified,
    Implementation, OperationCounts, RefusedCertificate, Rejection, Requestor, Rewrite, Tls, Upstream,
};
pub use chain::LineHash;
pub use continued::{ClockStepped, TrailContinued};
pub use event::{EVENTS, Event};
pub use gathering::Gathering;
pub use hold::Hold;
pub use operation::{Direction, Fault, Operation};
pub use patient::{PatientIdentifier, PatientIdentifiers};
pub use process::{
    ConfigurationLoaded, ConfigurationRefused, ReloadedBy, Started, StartedListener, Stopped, UsedFile,
};
pub use query::Query;
pub use queue::Standing;
pub use refused::{Abort, ConnectionRefused, SecurityAlert, Transport};
pub use reserve::disk_has_room;
pub use settings::{AuditSettings, Checkpoints, Durability, Keeping, OnFailure};
pub use sink::{ANSWERED_WITHIN, Audit, AuditError, AuditTask, NotKept};
pub use tap::{Followed, Following};
pub use upkeep::{AuditLogUsed, FileClosed, RecordsDeleted, Span};

#[cfg(test)]
pub(crate) mod tests;

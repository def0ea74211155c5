//! The record of what happened (PS3.15 Annex A.5): typed events, and the sink that keeps them as JSON lines.
//!
//! [`Audit::record`] gives an event its time and its place in the sequence, and hands it to a thread that appends it to
//! `audit-YYYY-MM-DD.jsonl`. Between the two is a queue that is bounded in bytes. While records cannot be written,
//! [`Audit::writable`] is false, and whoever lets associations in decides by [`OnFailure`] what that means.
//!
//! Those lines are the record of truth. The types of [`record`] that write them read them back, for all who ask:
//! [`reading`] for search and report, [`verify`] for what was changed. [`messages`] renders them as DICOM audit messages or FHIR
//! AuditEvents, and [`forward`] sends these to repositories from a cursor that survives restarts.
//!
//! # Why
//!
//! - **Why lines in files, and no database.** A trail is read years later, by people who do not have this program, with tools that
//!   they trust. A line is written once and never changed, each names the hash of the one before, and files by day are what
//!   backups and retention rules understand.
//! - **Why one thread writes.** The place in the sequence and the hash of the line before are one order. A thread of its own also
//!   keeps the disk away from the runtime, so that a slow disk slows down who records and nobody's decryption.
//! - **Why the queue is bounded in bytes, and what happens when it is full** is a choice of whoever runs the proxy ([`OnFailure`]):
//!   nobody else can say whether a hospital would rather lose records or associations.
//! - **Why other formats are made from the lines, and not beside them.** DICOM audit messages and FHIR AuditEvents can be made
//!   anew, for a repository that was away or that comes later, and there is one truth that they can be held against.

mod chain;
mod clock;
mod closing;
mod days;
mod end;
pub mod export;
mod file;
pub mod files;
pub mod forward;
mod gathering;
pub mod head;
mod hold;
mod inbox;
mod json;
mod keeper;
mod line_hash;
mod lines;
mod link;
mod lock;
mod marker;
pub mod messages;
mod queue;
pub mod reading;
pub mod record;
mod recovery;
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
pub mod used;
pub mod verify;
mod writer;

pub use gathering::Gathering;
pub use hold::Hold;
pub use line_hash::LineHash;
pub use queue::Flow;
pub use record::{
    Abort, Administration, AdministrationOutcome, AssociationClosed, AssociationOpened, AssociationRejected,
    AuditLogUsed, Authority, Bytes, Checkpoint, ClockStepped, ConfigurationLoaded, ConfigurationRefused,
    ConnectionRefused, Context, Direction, EVENTS, Event, Fault, FileClosed, Identified, Implementation,
    Labelled, Operation, OperationCounts, Originals, Other, PatientIdentifier, PatientIdentifiers, Query,
    Record, RecordsDeleted, RefusedCertificate, Rejection, ReloadedBy, Requestor, Rewrite, SecurityAlert,
    Span, Started, StartedListener, Stopped, Tls, TrailContinued, Transport, Upstream, UsedFile,
};
pub use reserve::disk_has_room;
pub use settings::{AuditSettings, Checkpoints, Durability, Keeping, OnFailure};
pub use sink::{ANSWERED_WITHIN, Audit, AuditError, AuditTask, NotKept};
pub use tap::{Followed, Following};

#[cfg(test)]
pub(crate) mod tests;

//! Audit messages: what a record means to an audit record repository.
//!
//! A [`Record`], read back from its line, becomes a [`Message`] (PS3.15 A.5: event, participants, source, objects),
//! and that is written as DICOM XML ([`xml`]) or as a FHIR R4 AuditEvent ([`fhir`]). Rendering from the lines and not
//! from memory is what lets a repository that was away be served after a restart.
//!
//! Most records are one message. The `operation` records of an association are gathered into one *DICOM Instances
//! Transferred* for each study, direction and outcome by the [`Renderer`], whose state can be stored between two
//! records; the same records give the same messages again.

mod administration;
mod association;
mod authentication;
mod codes;
pub mod fhir;
mod message;
mod operation;
mod process;
mod refusal;
mod renderer;
mod source;
mod state;
mod text;
mod trail;
mod transfer;
pub mod xml;

pub use codes::Code;
pub use message::{Action, Description, Message, Network, Object, Outcome, Participant};
pub use renderer::{NOT_SENT, Renderer};
pub use source::Source;
pub use state::State;

use super::record::{EVENTS, Event, Record};
use time::OffsetDateTime;

/// Why a line gives no message.
#[derive(Debug, thiserror::Error)]
pub enum BadRecord {
    /// It is no JSON object with a time and an event.
    #[error("is not a record: {0}")]
    NotARecord(#[from] super::record::NotARecord),
    /// What it tells would be lost without a word.
    #[error("is a record of {0} in a form that this version does not know")]
    Form(String),
    /// Messages are dated.
    #[error("has no time that RFC 3339 knows")]
    Time,
}

/// A record that messages can be made of.
///
/// # Errors
/// [`BadRecord`] for what is no record, has no time, or is not what its event says.
pub fn read(line: &[u8]) -> Result<Record, BadRecord> {
    let record = Record::read(line)?;
    record.at().ok_or(BadRecord::Time)?;
    match &record.event {
        Event::Other(other) if EVENTS.contains(&&*other.event) => Err(BadRecord::Form(other.event.clone())),
        _ => Ok(record),
    }
}

/// When what a record tells of happened.
pub(in crate::audit) fn time_of(record: &Record) -> OffsetDateTime {
    process::time_of(record)
}

#[cfg(test)]
mod tests;

//! Audit messages: what a record means to an audit record repository.
//!
//! A record, as it stands in the JSON lines, becomes a [`Message`] (PS3.15 A.5: event, participants, source, objects),
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
mod record;
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
pub use record::{BadRecord, Record};
pub use renderer::{NOT_SENT, Renderer};
pub use source::Source;
pub use state::State;
pub(in crate::audit) use text::base64;

#[cfg(test)]
mod tests;

//! The record of what happened (PS3.15 Annex A.5): typed events, and the sink that keeps them as JSON lines.

mod association;
mod event;
mod json;
mod patient;

pub use association::{
    AssociationClosed, AssociationOpened, AssociationRejected, Bytes, Context, Ended, Implementation,
    OperationCounts, Rejection, Requestor, Rewrite, Tls, Upstream,
};
pub use event::{
    Abort, ConfigurationLoaded, ConfigurationRefused, ConnectionRefused, Direction, Event, Operation,
    SecurityAlert, Started, StartedListener, Stopped,
};
pub use patient::{PatientIdentifier, PatientIdentifiers};

//! Why a demonstration did not show what it should.

use std::io;

use super::requestor::RequestorError;
use crate::dimse::Status;

/// The step that did not work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{step}: {source}")]
    Io { step: &'static str, source: io::Error },
    #[error("making the certificates: {0}")]
    Certificates(String),
    #[error("making the study: {0}")]
    Study(String),
    #[error("starting the proxy: {0}")]
    Proxy(String),
    #[error("sending the study: {0}")]
    Requestor(#[from] RequestorError),
    #[error("object {instance} was answered with status {status}, not with success")]
    NotStored { instance: String, status: Status },
    #[error("the archive says it has {found} of the {sent} objects that were sent, and answered, as stored")]
    Lost { found: usize, sent: usize },
    #[error("{file}: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("{file}: still holds {what}, which the rules remove")]
    NotRewritten { file: String, what: &'static str },
    #[error("instance {instance} of the archive refers to an object that the archive does not have")]
    DanglingReference { instance: String },
    #[error("{folder}: no closing record of the association within {seconds} s")]
    NotRecorded { folder: String, seconds: u64 },
    #[error("{0} was let in, whom no peer of the configuration names")]
    LetIn(&'static str),
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// An I/O error and what it came in the way of.
    pub(super) fn io(step: &'static str, source: io::Error) -> Self {
        Self::Io { step, source }
    }
}

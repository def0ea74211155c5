//! Why an association came to nothing, or to an end before its time.

use std::fmt;
use std::io;
use std::time::Duration;

use super::request::Unproposable;
use crate::wire::associate::ContextResult;
use crate::wire::pdu::{Abort, Rejection};
use crate::wire::{AbortReason, Malformed};

/// What was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// As requestor: A-ASSOCIATE-RQ out, answer in.
    Asking,
    /// As acceptor: A-ASSOCIATE-RQ in, answer out.
    Answering,
    Sending,
    /// No byte of the next message has come.
    Waiting,
    Receiving,
    Releasing,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asking => "asking for the association",
            Self::Answering => "answering the association request",
            Self::Sending => "sending a message",
            Self::Waiting => "waiting for a message",
            Self::Receiving => "reading a message",
            Self::Releasing => "releasing the association",
        })
    }
}

/// What ended an association, or kept it from being.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Rejected(Rejection),
    #[error("while {doing}: the peer aborted with {abort}")]
    Aborted { doing: Doing, abort: Abort },
    #[error("while {doing}: the peer closed the connection")]
    Closed { doing: Doing },
    #[error("while {doing}: the peer released the association")]
    Released { doing: Doing },
    #[error("while {doing}: no byte moved in {patience:?}")]
    Silent { doing: Doing, patience: Duration },
    #[error("while {doing}: {moved} bytes moved in {patience:?}, at least {least} have to")]
    Slow { doing: Doing, patience: Duration, moved: u64, least: u64 },
    #[error("while {doing}: the peer broke the protocol: {malformed}")]
    Malformed { doing: Doing, malformed: Malformed },
    #[error("while {doing}: {source}")]
    Io { doing: Doing, source: io::Error },
    /// PS3.8 Table 9-18.
    #[error("the peer did not accept {abstract_syntax}: {result}")]
    ContextRefused { abstract_syntax: String, result: ContextResult },
    /// What dimsegate itself wanted to say cannot be said.
    #[error("cannot be sent: {0}")]
    Unsendable(String),
    #[error("a data set of more than {limit} bytes")]
    TooLong { limit: usize },
    #[error("a defect of dimsegate, please report it: what was to be sent lies outside of its buffer")]
    Defect,
    #[error("the association is over")]
    Over,
}

impl Error {
    /// What the peer is told of it; `None` where it need not be told, or cannot.
    pub(super) fn abort(&self) -> Option<Abort> {
        match self {
            Self::Malformed { malformed, .. } => Some(Abort::provider(malformed.reason)),
            Self::Silent { .. } | Self::Slow { .. } | Self::Defect => {
                Some(Abort::provider(AbortReason::NotSpecified))
            }
            Self::Unsendable(_) | Self::ContextRefused { .. } => Some(Abort::USER),
            Self::Rejected(_)
            | Self::Aborted { .. }
            | Self::Closed { .. }
            | Self::Released { .. }
            | Self::Io { .. }
            | Self::TooLong { .. }
            | Self::Over => None,
        }
    }

    pub(super) fn malformed(doing: Doing, malformed: Malformed) -> Self {
        Self::Malformed { doing, malformed }
    }

    pub(super) fn io(doing: Doing, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof if source.get_ref().is_none() => Self::Closed { doing },
            _ => Self::Io { doing, source },
        }
    }
}

impl From<Unproposable> for Error {
    fn from(unproposable: Unproposable) -> Self {
        Self::Unsendable(unproposable.to_string())
    }
}

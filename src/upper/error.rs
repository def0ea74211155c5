//! Why an association came to nothing, or to an end before its time.

use std::fmt;
use std::io;
use std::time::Duration;

use super::request::Unproposable;
use crate::wire::associate::ContextResult;
use crate::wire::pdu::{Abort, Rejection};
use crate::wire::{AbortReason, Malformed};

/// What was under way when it failed, for the sentence of the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// As requestor: A-ASSOCIATE-RQ out, answer in.
    Asking,
    /// As acceptor: A-ASSOCIATE-RQ in, answer out.
    Answering,
    /// Bytes go out: of a message, or of what releases the association.
    Sending,
    /// No byte of the next message has come.
    Waiting,
    /// A message has begun to come and is not whole.
    Receiving,
    /// A-RELEASE-RQ out or in, the answer to it, and the close.
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
    /// The peer, asked for an association, answered with an A-ASSOCIATE-RJ.
    #[error("{0}")]
    Rejected(Rejection),
    /// The peer sent an A-ABORT.
    #[error("while {doing}: the peer aborted with {abort}")]
    Aborted {
        /// What came to nothing by it.
        doing: Doing,
        /// Source and reason as the peer gave them.
        abort: Abort,
    },
    /// The peer's bytes ended, in the middle of something or where more had to come.
    #[error("while {doing}: the peer closed the connection")]
    Closed {
        /// What came to nothing by it.
        doing: Doing,
    },
    /// The peer asked for the release where it owed a response; it has had its answer.
    #[error("while {doing}: the peer released the association")]
    Released {
        /// What came to nothing by it.
        doing: Doing,
    },
    /// Nothing came, or nothing was taken, until a deadline.
    #[error("while {doing}: no byte moved in {patience:?}")]
    Silent {
        /// What was waited for.
        doing: Doing,
        /// The deadline that ran out: one of [`Deadlines`](super::Deadlines).
        patience: Duration,
    },
    /// Something moved, and too little of it, so that a message would take for ever.
    #[error("while {doing}: {moved} bytes moved in {patience:?}, at least {least} have to")]
    Slow {
        /// In which direction: sending or receiving.
        doing: Doing,
        /// The stretch of time that was looked at.
        patience: Duration,
        /// Bytes that moved in it.
        moved: u64,
        /// Bytes that `min_bytes_per_second` asks for in it.
        least: u64,
    },
    /// What came is no PDU or message that may come there.
    #[error("while {doing}: the peer broke the protocol: {malformed}")]
    Malformed {
        /// What was under way when it came.
        doing: Doing,
        /// What was read and expected, and the reason of the A-ABORT that the peer got.
        malformed: Malformed,
    },
    /// The connection, or TLS around it, failed.
    #[error("while {doing}: {source}")]
    Io {
        /// What was under way.
        doing: Doing,
        /// What the system or rustls says.
        source: io::Error,
    },
    /// PS3.8 Table 9-18.
    #[error("the peer did not accept {abstract_syntax}: {result}")]
    ContextRefused {
        /// What the context was proposed for, a UID.
        abstract_syntax: String,
        /// Why not, as the peer says.
        result: ContextResult,
    },
    /// What dimsegate itself wanted to say cannot be said.
    #[error("cannot be sent: {0}")]
    Unsendable(String),
    /// A data set that was to be read whole is longer than whoever reads it would hold. The association lives on.
    #[error("a data set of more than {limit} bytes")]
    TooLong {
        /// In bytes.
        limit: usize,
    },
    /// A promise of the code here was broken; no peer can bring it about.
    #[error("a defect of dimsegate, please report it: what was to be sent lies outside of its buffer")]
    Defect,
    /// It was released, aborted or lost before, and no more can be done on it.
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

//! How an association ended, and what each side is told.

use std::fmt;
use std::sync::Arc;

use crate::vocabulary::Reason;
use crate::wire::pdu::Abort;
use crate::wire::{AbortReason, Malformed};

/// One of the two peers of dimsegate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Requestor,
    Upstream,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Requestor => Self::Upstream,
            Self::Upstream => Self::Requestor,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requestor => "requestor",
            Self::Upstream => "upstream",
        })
    }
}

/// The deadline that passed and ended an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// No byte moved while a message was under way.
    Dimse,
    /// A message moved, but slower than it has to.
    Slow,
    /// This side owed an answer and said nothing.
    Response(Side),
    /// No message came, and nobody waited for an answer.
    Idle,
    /// A release was not answered.
    Release,
}

/// The end of an established association.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Every A-RELEASE-RQ has its A-RELEASE-RP; `by` asked first.
    Released {
        by: Side,
    },
    Aborted {
        by: Side,
        abort: Abort,
    },
    /// The connection ended without a release.
    Lost {
        side: Side,
        detail: String,
    },
    TimedOut {
        expired: Expired,
    },
    /// Bytes of this side that PS3.8 or PS3.7 do not allow.
    Protocol {
        side: Side,
        malformed: Malformed,
    },
    /// A data set could not be rewritten after some of it had been sent on.
    /// The leg that it was going to is condemned: it has had its abort.
    Policy {
        detail: String,
    },
    /// It was ordered from outside, for this reason of the vocabulary.
    Ordered {
        reason: Reason,
        detail: Arc<str>,
    },
    /// The proxy stops, and nothing was under way: both sides are asked for the release.
    Drained,
    /// The proxy stops, and what was under way took longer than the grace period.
    Shutdown,
    /// dimsegate broke a promise of its own. Nobody else has to suffer for it.
    Defect {
        detail: &'static str,
    },
}

impl Ended {
    /// What a side gets as its last PDU: the abort of the other with its source and reason, or one of dimsegate's own.
    pub(crate) fn abort_for(&self, told: Side) -> Option<Abort> {
        match self {
            Self::Released { .. } | Self::Drained => None,
            Self::Aborted { by, .. } | Self::Lost { side: by, .. } if *by == told => None,
            Self::Aborted { abort, .. } => Some(*abort),
            Self::Protocol { malformed, .. } => Some(Abort::provider(malformed.reason)),
            Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::Policy { .. }
            | Self::Ordered { .. }
            | Self::Shutdown
            | Self::Defect { .. } => Some(Abort::provider(AbortReason::NotSpecified)),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Released { by } => write!(f, "the {by} released the association"),
            Self::Aborted { by, abort } => {
                write!(f, "the {by} aborted with source {} and reason {}", abort.source, abort.reason)
            }
            Self::Lost { side, detail } => write!(f, "the connection to the {side} was lost: {detail}"),
            Self::TimedOut { expired: Expired::Dimse } => {
                f.write_str("no byte moved for dimse-timeout while a message was under way")
            }
            Self::TimedOut { expired: Expired::Slow } => {
                f.write_str("a message moved slower than min-bytes-per-second for dimse-timeout")
            }
            Self::TimedOut { expired: Expired::Idle } => f.write_str("no message came for idle-timeout"),
            Self::TimedOut { expired: Expired::Response(side) } => {
                write!(f, "the {side} owed an answer and said nothing for response-timeout")
            }
            Self::TimedOut { expired: Expired::Release } => {
                f.write_str("a release was not answered within release-timeout")
            }
            Self::Protocol { side, malformed } => write!(f, "the {side} broke the protocol: {malformed}"),
            Self::Policy { detail } => f.write_str(detail),
            Self::Ordered { reason, detail } => write!(f, "{}: {reason}: {detail}", reason.label()),
            Self::Drained => f.write_str("dimsegate was told to stop, and nothing was under way"),
            Self::Shutdown => f.write_str("dimsegate was told to stop"),
            Self::Defect { detail } => write!(f, "a defect of dimsegate: {detail}"),
        }
    }
}

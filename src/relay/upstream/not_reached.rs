//! Why an upstream cannot be had.

use crate::vocabulary::Reason;
use crate::wire::Malformed;
use crate::wire::pdu::Abort;

/// Why an upstream cannot be had, in the words of a record.
#[derive(Debug)]
pub(crate) struct NotReached {
    pub reason: Reason,
    pub detail: String,
    /// The upstream aborted: the requestor is told with the same source and reason.
    pub abort: Option<Abort>,
    /// Whether there was a connection: something is there, and perhaps busy.
    pub connected: bool,
}

impl NotReached {
    pub(in crate::relay) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), abort: None, connected: true }
    }

    /// Whether it is there and has no room for now (A-ASSOCIATE-RJ, rejected-transient by the presentation provider: temporary
    /// congestion or local limit exceeded).
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.reason, Reason::UpstreamRejected { result: 2, source: 3, reason: 1 | 2 })
    }

    /// Whether nothing was heard of it that an upper layer would say.
    pub(in crate::relay) fn is_silence(&self) -> bool {
        matches!(self.reason, Reason::UpstreamUnreachable | Reason::UpstreamTls | Reason::UpstreamTimeout)
    }

    pub(in crate::relay) fn malformed(malformed: &Malformed) -> Self {
        Self::new(Reason::UpstreamMalformed, malformed.to_string())
    }
}

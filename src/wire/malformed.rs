//! What is wrong with bytes of the upper layer, and the abort reason that says so (PS3.8 §9.3.8).

/// Reason/Diag of an A-ABORT with source 2, service-provider (PS3.8 Table 9-26).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AbortReason {
    /// What has no reason of its own: a side that is lost, a deadline, a rewrite that failed, a defect.
    NotSpecified = 0,
    /// The PDU type is none of 01H to 07H.
    UnrecognizedPdu = 1,
    /// A PDU of a known type, or a fragment in it, that may not come in this state (PS3.8 §9.2).
    UnexpectedPdu = 2,
    /// A parameter that nobody knows. No malformed PDU is answered with it: unknown items are ignored or carried on.
    UnrecognizedParameter = 4,
    /// A parameter that may be there once is there twice, or for the same context or SOP class again.
    UnexpectedParameter = 5,
    /// A length or a value that contradicts the standard, or another length.
    InvalidParameterValue = 6,
}

/// Bytes that are not what PS3.8 or PS3.7 allow at this place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Malformed {
    /// What the A-ABORT says.
    pub reason: AbortReason,
    /// What was read, where, and what was expected; values escaped.
    pub detail: String,
}

impl Malformed {
    pub(crate) fn new(reason: AbortReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(AbortReason::InvalidParameterValue, detail)
    }

    pub(crate) fn duplicate(detail: impl Into<String>) -> Self {
        Self::new(AbortReason::UnexpectedParameter, detail)
    }
}

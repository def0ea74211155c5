//! What is wrong with bytes of the upper layer, and the abort reason that says so (PS3.8 §9.3.8).

/// Reason/Diag of an A-ABORT with source 2, service-provider (PS3.8 Table 9-26).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AbortReason {
    NotSpecified = 0,
    UnrecognizedPdu = 1,
    UnexpectedPdu = 2,
    UnrecognizedParameter = 4,
    UnexpectedParameter = 5,
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

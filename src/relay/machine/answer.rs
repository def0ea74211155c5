//! How an operation ended.

use crate::dimse::{Outcome, Status};
use crate::metrics;
use crate::vocabulary::Cause;

/// How an operation ended, for its record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// By the peer that was asked.
    Status(Status),
    /// By dimsegate, because the policy does not allow it, or it cannot be done.
    Instead(Status, Cause),
    /// By dimsegate, because nothing can match what is looked for.
    Nothing(Cause),
    /// Not at all: the association ended first.
    Never,
}

impl Answer {
    /// The same, for whoever counts.
    pub(super) fn outcome(self) -> metrics::Outcome {
        use metrics::Outcome::{Failure, Refused, Success, Warning};
        match self {
            Self::Instead(_, cause) if cause.is_refusal() => Refused,
            Self::Instead(..) | Self::Never => Failure,
            Self::Nothing(_) => Success,
            Self::Status(status) => match status.outcome() {
                Outcome::Success | Outcome::Pending => Success,
                Outcome::Warning => Warning,
                Outcome::Failure => Failure,
            },
        }
    }
}

/// The status that the vocabulary has for a cause; of one whose status the service knows, that of any failure.
pub(super) fn status_of_cause(cause: Cause) -> Status {
    cause.status().map_or(Status::PROCESSING_FAILURE, Status)
}

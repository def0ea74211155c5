//! How what a record tells of turned out.

use super::{AdministrationOutcome, Event, Operation, Record, TrailContinued};
use crate::dimse::{self, Status};
use crate::vocabulary::{Cause, Ended};

/// How what a record tells of turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was done; of an association, it was let in, or released.
    Success,
    /// It was done, and somebody may want to know more: the warning statuses of PS3.7 Annex C.
    Warning,
    /// It was not done, and not because anybody forbade it.
    Failure,
    /// By dimsegate's policy.
    Refused,
}

impl Outcome {
    /// Each, the best first.
    pub const ALL: [Self; 4] = [Self::Success, Self::Warning, Self::Failure, Self::Refused];

    /// As filters are written and reports are read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Failure => "failure",
            Self::Refused => "refused",
        }
    }
}

impl Record {
    /// How it turned out; `None` for events that cannot fail.
    pub fn outcome(&self) -> Option<Outcome> {
        Some(match &self.event {
            Event::Operation(operation) => operation.outcome(),
            Event::AssociationClosed(closed) => match closed.ended.word() {
                Some(Ended::Released) => Outcome::Success,
                Some(Ended::Policy) => Outcome::Refused,
                _ => Outcome::Failure,
            },
            Event::ConfigurationRefused(_) => Outcome::Failure,
            Event::AssociationOpened(_) | Event::ConfigurationLoaded(_) => Outcome::Success,
            Event::AssociationRejected(_) | Event::ConnectionRefused(_) => Outcome::Refused,
            Event::TrailContinued(found) => found.outcome(),
            Event::ClockStepped(_) => Outcome::Warning,
            Event::Administration(done) => match done.outcome {
                AdministrationOutcome::Refused => Outcome::Refused,
                AdministrationOutcome::Failure => Outcome::Failure,
                AdministrationOutcome::Success => Outcome::Success,
            },
            _ => return None,
        })
    }
}

impl TrailContinued {
    /// Failure where the trail is not, or may not be, as the run before left it; a warning where that run ended without
    /// saying so, or nobody had signed what it left.
    fn outcome(&self) -> Outcome {
        match self.is_wrong() {
            true => Outcome::Failure,
            false if self.after_crash() || self.unsigned > 0 => Outcome::Warning,
            false => Outcome::Success,
        }
    }
}

impl Operation {
    /// Refused or failed by dimsegate, or by the status of its last response (PS3.7 Annex C).
    pub fn outcome(&self) -> Outcome {
        match self.reason.as_deref().map(Cause::of) {
            // A query that nothing can match is answered so.
            Some(Some(Cause::UnknownPseudonym)) | None => {}
            Some(Some(cause)) if !cause.is_refusal() => return Outcome::Failure,
            Some(_) => return Outcome::Refused,
        }
        match self.status.map(|status| Status(status).outcome()) {
            Some(dimse::Outcome::Success | dimse::Outcome::Pending) => Outcome::Success,
            Some(dimse::Outcome::Warning) => Outcome::Warning,
            Some(dimse::Outcome::Failure) | None => Outcome::Failure,
        }
    }
}

//! How what a record tells of turned out.

use super::Record;
use super::kinds::Ended;
use crate::dimse::{self, Status};
use crate::vocabulary::{self, Cause, HeadFound};

/// How what a record tells of turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Success,
    Warning,
    Failure,
    /// By dimsegate's policy.
    Refused,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Success, Self::Warning, Self::Failure, Self::Refused];

    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Failure => "failure",
            Self::Refused => "refused",
        }
    }
}

/// The event of what a run says of the trail that it found.
pub(super) const TRAIL_CONTINUED: &str = "trail-continued";

impl Record<'_> {
    /// How it turned out; `None` for events that cannot fail.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.event.as_str() {
            "operation" => Some(self.operation_outcome()),
            "association-closed" if self.ended() == Some(vocabulary::Ended::Released.label()) => {
                Some(Outcome::Success)
            }
            "association-closed" if self.ended() == Some(vocabulary::Ended::Policy.label()) => {
                Some(Outcome::Refused)
            }
            "association-closed" | "configuration-refused" => Some(Outcome::Failure),
            "association-opened" | "configuration-loaded" => Some(Outcome::Success),
            "association-rejected" | "connection-refused" => Some(Outcome::Refused),
            TRAIL_CONTINUED => Some(self.continued_outcome()),
            "clock-stepped" => Some(Outcome::Warning),
            "administration" => Some(match self.turned_out.as_deref() {
                Some("refused") => Outcome::Refused,
                Some("failure") => Outcome::Failure,
                _ => Outcome::Success,
            }),
            _ => None,
        }
    }

    /// Of a run that began: failure where the trail is not, or may not be, as the run before left it; a warning where that
    /// run ended without saying so, or nobody had signed what it left.
    fn continued_outcome(&self) -> Outcome {
        if self.head.as_deref().is_some_and(|label| HeadFound::of(label).is_none_or(HeadFound::is_wrong)) {
            return Outcome::Failure;
        }
        if self.after_crash() || self.unsigned.is_some_and(|unsigned| unsigned > 0) {
            Outcome::Warning
        } else {
            Outcome::Success
        }
    }

    /// Whether the run before this one left records, and no sign that it ended in good order.
    pub fn after_crash(&self) -> bool {
        self.last.is_some() && self.ended == Some(Ended::InOrder(false))
    }

    fn operation_outcome(&self) -> Outcome {
        match self.reason.as_deref().map(Cause::of) {
            // A query that nothing can match is answered so.
            Some(Some(Cause::UnknownPseudonym)) | None => {}
            Some(Some(cause)) if !cause.is_refusal() => return Outcome::Failure,
            Some(_) => return Outcome::Refused,
        }
        let status = self.status.as_deref().and_then(|text| text.strip_prefix("0x"));
        match status
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .map(|code| Status(code).outcome())
        {
            Some(dimse::Outcome::Success | dimse::Outcome::Pending) => Outcome::Success,
            Some(dimse::Outcome::Warning) => Outcome::Warning,
            Some(dimse::Outcome::Failure) | None => Outcome::Failure,
        }
    }
}

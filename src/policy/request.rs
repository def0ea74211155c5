//! A DIMSE request as it is judged, and the no to it.

use std::fmt;

use super::operation::{Direction, Operation};
use crate::vocabulary::Cause;
use crate::wire::Uid;

/// A DIMSE request, as far as a role looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// Which side asks.
    pub direction: Direction,
    /// Of the presentation context that carries the request.
    pub abstract_syntax: &'a Uid,
    /// Affected or requested SOP class UID of the command.
    pub sop_class: Option<&'a Uid>,
    /// (0000,0600), without padding; C-MOVE only.
    pub move_destination: Option<&'a str>,
    /// A C-GET of the peer waits for its last response.
    pub retrieving: bool,
}

/// Why a request was refused on an association that lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denial {
    /// Its rights do not have the operation.
    Operation,
    /// The upstream asks for what only a request of the peer brings about, and there is none.
    Unasked,
    /// They have it not for the SOP class of the request.
    SopClass,
    /// They let no C-MOVE send to that AE title.
    MoveDestination,
    /// At this level, or at none, it may not ask.
    QueryLevel,
    /// None of the keys that have to narrow a query does.
    QueryKeys,
    /// It would be matched on what is left out of answers.
    HiddenKey,
    /// There were as many retrievals within the hour as there may be.
    Retrievals,
}

impl Denial {
    /// What records and metrics call it.
    pub fn cause(self) -> Cause {
        match self {
            Self::Operation => Cause::OperationNotAllowed,
            Self::Unasked => Cause::NotAskedFor,
            Self::SopClass => Cause::SopClassNotAllowed,
            Self::MoveDestination => Cause::MoveDestinationNotAllowed,
            Self::QueryLevel => Cause::QueryLevelNotAllowed,
            Self::QueryKeys => Cause::QueryTooWide,
            Self::HiddenKey => Cause::QueryKeyHidden,
            Self::Retrievals => Cause::TooManyRetrievals,
        }
    }

    /// Status (0000,0900) of the response (PS3.7 Annex C, PS3.4 §C.4.2.1.5).
    pub fn status(self) -> u16 {
        self.cause().status().unwrap_or(0x0124)
    }
}

impl fmt::Display for Denial {
    /// Fits an Error Comment (0000,0902), VR LO: at most 64 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operation => "operation not allowed for this peer",
            Self::Unasked => "no C-GET of this peer is open",
            Self::SopClass => "SOP class not allowed for this peer or in this context",
            Self::MoveDestination => "move destination unknown",
            Self::QueryLevel => "query level not allowed for this peer",
            Self::QueryKeys => "no key of the query narrows it as far as it has to",
            Self::HiddenKey => "the query asks by an attribute that this peer may not see",
            Self::Retrievals => "as many retrievals in the last hour as may be",
        })
    }
}

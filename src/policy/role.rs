//! What a peer may do once its association is open.

use std::fmt;

use super::factors::Factors;
use super::query::{Queries, looks};
use super::{
    AePattern, Direction, Hours, KeyLines, Operation, SopClassSet, Sought, TlsVersion, TransferSyntaxSet,
    sop_class,
};
use crate::vocabulary::Cause;
use crate::wire::{AeTitle, Uid};

/// `[[role]]`: operations, SOP classes and transfer syntaxes. What is not listed is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// Where the configuration defines it, counted from 1.
    pub line: usize,
    /// Where its keys are, those of them that can refuse an association.
    pub keys: KeyLines,
    /// What it may ask for.
    pub operations: Vec<Operation>,
    /// The SOP classes that contexts may have, and operations be about.
    pub sop_classes: SopClassSet,
    /// The transfer syntaxes that contexts may have.
    pub transfer_syntaxes: TransferSyntaxSet,
    /// Where a C-MOVE may send to; `None` is anywhere.
    pub move_destinations: Option<Vec<AePattern>>,
    /// What protects the association at least; `None` is whatever its listener takes.
    pub minimum_tls: Option<TlsVersion>,
    /// When it may be used; `None` is always.
    pub hours: Option<Hours>,
    /// What an association has to have proven, each of them.
    pub require: Factors,
    /// What it says of queries and retrievals.
    pub queries: Queries,
}

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

impl Role {
    /// Whether it is counted how many patients its queries and retrievals show.
    pub fn counts_patients(&self) -> bool {
        self.queries.max_patients_per_day.is_some() && self.operations.iter().copied().any(looks)
    }

    /// Whether the request may pass. C-CANCEL is not asked about: it belongs to its request.
    ///
    /// # Errors
    /// [`Denial`], with the status that the sender of the request gets.
    pub fn permits_request(&self, request: &Request<'_>) -> Result<(), Denial> {
        if !self.permits_operation(request.operation, request.direction) {
            return Err(Denial::Operation);
        }
        let is_sub_operation =
            (request.direction, request.operation) == (Direction::ToPeer, Operation::CStore);
        if is_sub_operation && !request.retrieving {
            return Err(Denial::Unasked);
        }
        if !self.permits_sop_class(request) {
            return Err(Denial::SopClass);
        }
        if request.operation == Operation::CMove && !self.permits_destination(request.move_destination) {
            return Err(Denial::MoveDestination);
        }
        Ok(())
    }

    /// As [`permits_request`](Self::permits_request), of a query or retrieval that has been read.
    ///
    /// # Errors
    /// [`Denial`], with the status that the sender of the request gets.
    pub fn permits_query(&self, request: &Request<'_>, sought: &Sought) -> Result<(), Denial> {
        self.permits_request(request)?;
        if looks(request.operation) { self.queries.permit(request, sought) } else { Ok(()) }
    }

    /// Whether the role lists the operation. What an upstream may ask of a peer is less: C-STORE sub-operations, for
    /// which the role lists C-GET; event reports, for which it lists them, or N-ACTION or N-CREATE, which bring them about;
    /// and C-ECHO. The other operations are listed for the peer, and nobody waits for them in the other direction.
    pub fn permits_operation(&self, operation: Operation, direction: Direction) -> bool {
        use Operation::{CEcho, CGet, CStore, NAction, NCreate, NEventReport};
        let by: &[Operation] = match (direction, operation) {
            (Direction::FromPeer, _) | (_, CEcho) => &[operation],
            (Direction::ToPeer, CStore) => &[CGet],
            (Direction::ToPeer, NEventReport) => &[NEventReport, NAction, NCreate],
            (Direction::ToPeer, _) => &[],
        };
        self.operations.iter().any(|listed| by.contains(listed))
    }

    fn permits_sop_class(&self, request: &Request<'_>) -> bool {
        self.sop_classes.contains(request.abstract_syntax)
            && request.sop_class.is_none_or(|class| {
                sop_class::goes_with(class, request.abstract_syntax) || self.sop_classes.contains(class)
            })
    }

    fn permits_destination(&self, destination: Option<&str>) -> bool {
        let title = destination.map(str::parse::<AeTitle>);
        match (&self.move_destinations, title) {
            (None, None) => true,
            (None, Some(title)) => title.is_ok(),
            (Some(allowed), Some(Ok(title))) => allowed.iter().any(|pattern| pattern.matches(&title)),
            (Some(_), _) => false,
        }
    }
}

//! What a peer may do once its association is open.

use super::factors::Factors;
use super::query::{Queries, Sought, looks};
use super::request::{Denial, Request};
use super::{
    AePattern, Direction, Hours, KeyLines, Operation, SopClassSet, TlsVersion, TransferSyntaxSet, sop_class,
};
use crate::wire::AeTitle;

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

/// Whether an operation shows whose an object is, or that it is there.
fn shows(operation: Operation) -> bool {
    looks(operation) || matches!(operation, Operation::NGet | Operation::NAction)
}

impl Role {
    /// Whether it is counted how many patients its queries and retrievals show.
    pub fn counts_patients(&self) -> bool {
        self.queries.max_patients_per_day.is_some() && self.operations.iter().copied().any(shows)
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

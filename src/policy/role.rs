//! What a peer may do once its association is open.

use std::fmt;

use super::{AePattern, Direction, Operation, SopClassSet, TransferSyntaxSet, sop_class};
use crate::wire::{AeTitle, Uid};

/// `[[role]]`: operations, SOP classes and transfer syntaxes. What is not listed is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub name: Box<str>,
    /// Where the configuration defines it, counted from 1.
    pub line: usize,
    pub operations: Vec<Operation>,
    pub sop_classes: SopClassSet,
    pub transfer_syntaxes: TransferSyntaxSet,
    /// Where a C-MOVE may send to; `None` is anywhere.
    pub move_destinations: Option<Vec<AePattern>>,
}

/// A DIMSE request, as far as a role looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub operation: Operation,
    pub direction: Direction,
    /// Of the presentation context that carries the request.
    pub abstract_syntax: &'a Uid,
    /// Affected or requested SOP class UID of the command.
    pub sop_class: Option<&'a Uid>,
    /// (0000,0600), without padding; C-MOVE only.
    pub move_destination: Option<&'a str>,
}

/// Why a request was refused on an association that lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denial {
    Operation,
    SopClass,
    MoveDestination,
}

impl Denial {
    /// Kebab-case, stable: what records and metrics carry.
    pub fn label(self) -> &'static str {
        match self {
            Self::Operation => "operation-not-allowed",
            Self::SopClass => "sop-class-not-allowed",
            Self::MoveDestination => "move-destination-not-allowed",
        }
    }

    /// Status (0000,0900) of the response (PS3.7 Annex C, PS3.4 §C.4.2.1.5).
    pub fn status(self) -> u16 {
        match self {
            Self::Operation => 0x0124,
            Self::SopClass => 0x0122,
            // Says the same whether the destination exists or not.
            Self::MoveDestination => 0xA801,
        }
    }
}

impl fmt::Display for Denial {
    /// Fits an Error Comment (0000,0902), VR LO: at most 64 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operation => "operation not allowed for this peer",
            Self::SopClass => "SOP class not allowed for this peer or in this context",
            Self::MoveDestination => "move destination unknown",
        })
    }
}

impl Role {
    /// Whether the request may pass. C-CANCEL is not asked about: it belongs to its request.
    ///
    /// # Errors
    /// [`Denial`], with the status that the sender of the request gets.
    pub fn permits_request(&self, request: &Request<'_>) -> Result<(), Denial> {
        if !self.permits_operation(request.operation, request.direction) {
            return Err(Denial::Operation);
        }
        if !self.permits_sop_class(request) {
            return Err(Denial::SopClass);
        }
        if request.operation == Operation::CMove && !self.permits_destination(request.move_destination) {
            return Err(Denial::MoveDestination);
        }
        Ok(())
    }

    /// Whether the role lists the operation, or one whose course brings it about in the other direction: C-GET its
    /// C-STORE sub-operations, N-ACTION and N-CREATE their event reports.
    pub fn permits_operation(&self, operation: Operation, direction: Direction) -> bool {
        use Operation::{CGet, CStore, NAction, NCreate, NEventReport};
        let implied: &[Operation] = match (direction, operation) {
            (Direction::ToPeer, CStore) => &[CGet],
            (Direction::ToPeer, NEventReport) => &[NAction, NCreate],
            _ => &[],
        };
        self.operations.iter().any(|listed| *listed == operation || implied.contains(listed))
    }

    fn permits_sop_class(&self, request: &Request<'_>) -> bool {
        self.sop_classes.contains(request.abstract_syntax)
            && request.sop_class.is_none_or(|class| {
                sop_class::goes_with(class, request.abstract_syntax) || self.sop_classes.contains(class)
            })
    }

    fn permits_destination(&self, destination: Option<&str>) -> bool {
        let Some(allowed) = &self.move_destinations else { return true };
        let title = destination.and_then(|text| text.parse::<AeTitle>().ok());
        title.is_some_and(|title| allowed.iter().any(|pattern| pattern.matches(&title)))
    }
}

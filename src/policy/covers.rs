//! Whether one role allows all that another one does.

use super::{Operation, Role};

impl Role {
    /// Whether all that a peer of the other role may do on an open association, one of this role may too. Never true by mistake.
    ///
    /// When it may be opened, and how it has to be protected, is no part of that: these are asked for by themselves.
    pub fn covers(&self, other: &Self) -> bool {
        other.operations.iter().all(|operation| self.operations.contains(operation))
            && self.sop_classes.covers(&other.sop_classes)
            && self.transfer_syntaxes.covers(&other.transfer_syntaxes)
            && self.queries.cover(&other.queries, &other.operations)
            && (!other.operations.contains(&Operation::CMove) || self.covers_destinations(other))
    }

    fn covers_destinations(&self, other: &Self) -> bool {
        match (&self.move_destinations, &other.move_destinations) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wide), Some(narrow)) => narrow.iter().all(|one| wide.iter().any(|wide| wide.covers(one))),
        }
    }
}

//! What the closing record counts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::audit::OperationCounts;
use crate::dimse::Operation;
use crate::policy::Direction;

/// What the records call a request of no service that PS3.7 defines.
pub(super) const UNRECOGNIZED: &str = "unrecognized";

/// What an association came to.
#[derive(Default)]
pub(crate) struct Tally {
    operations: BTreeMap<Operation, OperationCounts>,
    elements: u64,
    /// Objects that a rewrite was begun on, from the peer and to it.
    numbers: [u64; 2],
    /// Requests of no service that PS3.7 defines.
    unrecognized: u64,
    /// Something was counted since this was asked last.
    has_news: bool,
    /// C-CANCEL-RQs that went on, and those that had nothing to cancel.
    cancels: [u64; 2],
}

impl Tally {
    pub(super) fn count(&mut self, operation: Operation, add: impl FnOnce(&mut OperationCounts)) {
        add(self.operations.entry(operation).or_default());
        self.has_news = true;
    }

    /// Elements that a rewrite changed.
    pub(crate) fn changed(&mut self, elements: u64) {
        self.elements += elements;
    }

    /// The number of an object among those of its direction that a rewrite is begun on, counted from 1.
    pub(crate) fn next_number(&mut self, direction: Direction) -> u64 {
        let [from_peer, to_peer] = &mut self.numbers;
        let number = if direction == Direction::FromPeer { from_peer } else { to_peer };
        *number += 1;
        *number
    }

    pub(crate) fn elements(&self) -> u64 {
        self.elements
    }

    /// A C-CANCEL-RQ came, for an operation that is open or for none.
    pub(crate) fn cancelled(&mut self, is_open: bool) {
        let [went_on, for_nothing] = &mut self.cancels;
        *(if is_open { went_on } else { for_nothing }) += 1;
    }

    /// A request of no service that PS3.7 defines came.
    pub(crate) fn unrecognized(&mut self) {
        self.unrecognized += 1;
    }

    /// What was counted, where something was since this was asked last.
    pub(crate) fn news(&mut self) -> Option<impl Iterator<Item = (Operation, OperationCounts)>> {
        let all = self.operations.iter().map(|(operation, counts)| (*operation, *counts));
        std::mem::take(&mut self.has_news).then_some(all)
    }

    /// By the operation's name, and what is none.
    pub(crate) fn operations(&self) -> BTreeMap<Cow<'static, str>, OperationCounts> {
        let [success, warning] = self.cancels;
        let refused = self.unrecognized;
        let others = [
            ("C-CANCEL", OperationCounts { success, warning, ..OperationCounts::default() }),
            (UNRECOGNIZED, OperationCounts { refused, ..OperationCounts::default() }),
        ];
        let others = others.into_iter().filter(|(_, counts)| *counts != OperationCounts::default());
        let operations = self.operations.iter().map(|(operation, counts)| (operation.name(), *counts));
        operations.chain(others).map(|(name, counts)| (name.into(), counts)).collect()
    }
}

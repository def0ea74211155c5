//! The exchange ledger: which operations of an association are waiting for their response, in both directions
//! (PS3.7 §6.1, Annex D.3.3.3).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::audit;
use crate::dimse::{Command, Operation, Status};
use crate::policy::Direction;
use crate::rewrite::Correspondence;

/// An operation that waits for its response, with what its record will say.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub operation: Operation,
    /// Of the request as it came.
    pub context_id: u8,
    /// Of the request as it was sent on: another one where its data set was decoded.
    pub sent_context_id: u8,
    pub message_id: u16,
    pub began: Instant,
    pub sop_class: Option<String>,
    pub sop_instance: Option<String>,
    pub move_destination: Option<String>,
    /// The whole request has been passed on.
    pub sent: bool,
    /// Bytes of the request's data set.
    pub bytes: u64,
    pub study: Option<String>,
    /// As it came; the audit renders it as configured.
    pub patient: Option<Vec<u8>>,
    /// What a query asked.
    pub query: Option<Box<audit::Query>>,
    /// What the SOP instance UID became.
    pub new_sop_instance: Option<String>,
    pub new_study: Option<String>,
    /// One of its responses could not cross: what its requestor is told once the other side is through with it.
    pub failed: Option<(Status, String)>,
    /// What the instance that it creates is called on both sides, and once it is there, of which patient.
    pub claims: Vec<Correspondence>,
}

impl Exchange {
    pub fn new(
        operation: Operation,
        context_id: u8,
        message_id: u16,
        command: &Command,
        began: Instant,
    ) -> Self {
        Self {
            operation,
            context_id,
            sent_context_id: context_id,
            message_id,
            began,
            sop_class: command.sop_class(),
            sop_instance: command.sop_instance(),
            move_destination: command.move_destination(),
            sent: !command.has_data_set,
            bytes: 0,
            study: None,
            patient: None,
            query: None,
            new_sop_instance: None,
            new_study: None,
            failed: None,
            claims: Vec::new(),
        }
    }
}

/// What the responses to a request need to know of it, where they cross a boundary.
#[derive(Clone)]
pub(crate) struct Asked {
    pub operation: Operation,
    pub context_id: u8,
    pub sent_context_id: u8,
    pub message_id: u16,
    pub sop_class: Option<String>,
    pub sop_instance: Option<String>,
    pub new_sop_instance: Option<String>,
    pub patient: Option<Vec<u8>>,
    pub failed: Option<(Status, String)>,
    pub claims: Vec<Correspondence>,
}

impl Exchange {
    pub fn asked(&self) -> Asked {
        Asked {
            operation: self.operation,
            context_id: self.context_id,
            sent_context_id: self.sent_context_id,
            message_id: self.message_id,
            sop_class: self.sop_class.clone(),
            sop_instance: self.sop_instance.clone(),
            new_sop_instance: self.new_sop_instance.clone(),
            patient: self.patient.clone(),
            failed: self.failed.clone(),
            claims: self.claims.clone(),
        }
    }
}

/// Requests that an association may leave unanswered; an unlimited window is not an unlimited table.
const MOST_OUTSTANDING: usize = 1024;

/// Why a request cannot be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOpened {
    #[error("this message ID waits for its response already")]
    Duplicate,
    #[error("too many requests wait for their responses")]
    TooMany,
}

/// Both tables; a message ID belongs to the side that sent the request.
#[derive(Default)]
pub(crate) struct Ledger {
    to_upstream: Mutex<HashMap<u16, Box<Exchange>>>,
    to_requestor: Mutex<HashMap<u16, Box<Exchange>>>,
}

impl Ledger {
    fn table(&self, direction: Direction) -> MutexGuard<'_, HashMap<u16, Box<Exchange>>> {
        let table = match direction {
            Direction::FromPeer => &self.to_upstream,
            Direction::ToPeer => &self.to_requestor,
        };
        table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request that goes in this direction can be entered.
    pub fn has_place_for(&self, direction: Direction, message_id: u16) -> Result<(), NotOpened> {
        let table = self.table(direction);
        match table.contains_key(&message_id) {
            true => Err(NotOpened::Duplicate),
            false if table.len() >= MOST_OUTSTANDING => Err(NotOpened::TooMany),
            false => Ok(()),
        }
    }

    /// Enters a request that goes in this direction, for which there is a place.
    pub fn open(&self, direction: Direction, exchange: Box<Exchange>) {
        self.table(direction).insert(exchange.message_id, exchange);
    }

    /// What `look` sees of the request of this direction with this message ID, as it stands.
    pub fn find<T>(
        &self,
        direction: Direction,
        message_id: u16,
        look: impl FnOnce(&Exchange) -> T,
    ) -> Option<T> {
        self.table(direction).get(&message_id).map(|exchange| look(exchange))
    }

    /// Changes what is known of a request.
    pub fn update(&self, direction: Direction, message_id: u16, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.table(direction).get_mut(&message_id) {
            change(exchange);
        }
    }

    /// Takes out a request that has had its last response, or was refused.
    pub fn close(&self, direction: Direction, message_id: u16) -> Option<Box<Exchange>> {
        self.table(direction).remove(&message_id)
    }

    /// What was never answered, oldest first.
    pub fn drain(&self) -> Vec<(Direction, Box<Exchange>)> {
        let mut all: Vec<_> = [Direction::FromPeer, Direction::ToPeer]
            .into_iter()
            .flat_map(|direction| {
                std::mem::take(&mut *self.table(direction)).into_values().map(move |e| (direction, e))
            })
            .collect();
        all.sort_by_key(|(_, exchange)| exchange.began);
        all
    }
}

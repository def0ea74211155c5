//! A query or retrieval that goes on as it came, but not before its role was asked about its identifier.

use super::desk::Context;
use super::examined::{self, Examined};
use super::exchange::unread;
use super::passage::{Passage, query_of};
use super::state::{Break, Came, Next, State};
use crate::dataset::Identifier;
use crate::dimse::Command;

/// The command waits for the end of its identifier. What has come of that waits too.
pub(super) struct Queried {
    command: Box<Command>,
    passage: Passage,
    /// For the record.
    identifier: Option<Box<Identifier>>,
    examined: Option<Box<Examined>>,
}

impl Queried {
    /// The state of a query whose identifier is kept back until it is read whole.
    pub(super) fn of(
        passage: Passage,
        command: Box<Command>,
        identifier: Option<Box<Identifier>>,
        examined: Box<Examined>,
    ) -> State {
        State::Queried(Box::new(Self { command, passage, identifier, examined: Some(examined) }))
    }

    pub(super) fn handle(mut self: Box<Self>, cx: &mut Context<'_>, came: &Came) -> Next {
        self.passage.take(cx, came).map_err(Break::inside)?;
        if let Some(identifier) = &mut self.identifier {
            identifier.observe(cx.desk.bytes(came.range.clone()).map_err(Break::inside)?);
        }
        if let Err(refused) = examined::look(cx, &mut self.examined, &self.passage, came) {
            let Self { command, passage, identifier, .. } = *self;
            return Ok(examined::refuse(cx, &command, &passage, identifier, refused, came.last));
        }
        if !came.range.is_empty() {
            cx.desk.pass(came.range.clone());
        }
        if came.last { self.complete(cx) } else { Ok(State::Queried(self)) }
    }

    /// The command goes, and the identifier behind it.
    fn complete(self, cx: &mut Context<'_>) -> Next {
        let Self { command, passage, identifier, .. } = self;
        cx.send(passage.to_context_id, command.bytes());
        let is_lost = identifier.as_ref().is_some_and(|identifier| identifier.is_lost());
        let query = identifier.map(|identifier| query_of(*identifier));
        passage.note(cx, |exchange| {
            exchange.query = query;
            exchange.tolerate(unread(is_lost));
        });
        cx.pack(passage.to_context_id, true).map_err(Break::inside)?;
        Ok(State::BETWEEN)
    }
}

//! A data set that goes on as it comes.

use super::desk::Context;
use super::exchange::unread;
use super::passage::{Passage, query_of};
use super::state::{Break, Came, Next, State};
use crate::dataset::Identifier;

/// More of it is awaited, and passed on.
pub(super) struct AsItCame {
    pub passage: Passage,
    /// Looks at what a query asks.
    pub identifier: Option<Box<Identifier>>,
}

impl AsItCame {
    /// From its first byte, and nobody looks at it.
    pub(super) fn of(passage: Passage) -> State {
        State::AsItCame(Box::new(Self { passage, identifier: None }))
    }

    pub(super) fn handle(mut self: Box<Self>, cx: &mut Context<'_>, came: &Came) -> Next {
        self.passage.take(cx, came).map_err(Break::inside)?;
        if let Some(identifier) = &mut self.identifier {
            identifier.observe(cx.desk.bytes(came.range.clone()).map_err(Break::inside)?);
        }
        if !came.range.is_empty() {
            cx.desk.pass(came.range.clone());
        }
        if came.last { self.complete(cx) } else { Ok(State::AsItCame(self)) }
    }

    fn complete(self, cx: &mut Context<'_>) -> Next {
        let is_lost = self.identifier.as_ref().is_some_and(|identifier| identifier.is_lost());
        let query = self.identifier.map(|identifier| query_of(*identifier));
        self.passage.note(cx, |exchange| {
            exchange.query = query;
            exchange.tolerate(unread(is_lost));
        });
        cx.pack(self.passage.to_context_id, true).map_err(Break::inside)?;
        Ok(State::BETWEEN)
    }
}

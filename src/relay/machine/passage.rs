//! A data set on its way, whatever becomes of it.

use super::command_set::{count_empty, of_another};
use super::desk::Context;
use super::ended::Ended;
use super::state::Came;
use crate::audit::Query;
use crate::dataset::Identifier;
use crate::wire::Kind;

/// Where a data set comes from and goes to, and how much of it has come.
pub(super) struct Passage {
    pub context_id: u8,
    /// The context that it goes on in: another one where it is decoded.
    pub to_context_id: u8,
    /// The request that it belongs to, where its record has use for what is in it.
    pub request: Option<u16>,
    pub bytes: u64,
    pub empty: u32,
}

impl Passage {
    /// The way of a request's data set, which goes on in the context that it came in.
    pub(super) fn of_request(context_id: u8, message_id: u16) -> Self {
        Self { request: Some(message_id), ..Self::of_response(context_id, context_id) }
    }

    /// Of a response, in one context, to go on in another.
    pub(super) fn of_response(context_id: u8, to_context_id: u8) -> Self {
        Self { context_id, to_context_id, request: None, bytes: 0, empty: 0 }
    }

    /// Takes a fragment that came.
    pub(super) fn take(&mut self, cx: &Context<'_>, came: &Came) -> Result<(), Ended> {
        if came.kind != Kind::DataSet || came.context_id != self.context_id {
            return Err(of_another(cx, came.context_id));
        }
        self.bytes += came.range.len() as u64;
        count_empty(cx, &mut self.empty, came)
    }

    /// All of it has gone on: what is known of its request now. One that is over already is written down with that.
    pub(super) fn note<T>(
        &self,
        cx: &mut Context<'_>,
        note: impl FnOnce(&mut super::exchange::Exchange) -> T,
    ) {
        let now = cx.books.progress.now();
        let Some(message_id) = self.request else { return };
        let Some(exchange) = cx.asked(message_id) else { return };
        (exchange.sent, exchange.sent_at) = (true, now);
        self.note_held(cx, note);
        let Some(exchange) = cx.asked(message_id) else { return };
        if let Some(answer) = exchange.early
            && let Some(exchange) = cx.books.ledger.close(cx.direction, message_id)
        {
            cx.record(*exchange, answer);
        }
    }

    /// All of it has come, and nothing has gone on: what is known of its request now.
    pub(super) fn note_held<T>(
        &self,
        cx: &mut Context<'_>,
        note: impl FnOnce(&mut super::exchange::Exchange) -> T,
    ) {
        if let Some(exchange) = self.request.and_then(|message_id| cx.asked(message_id)) {
            exchange.bytes = self.bytes;
            note(exchange);
        }
    }
}

/// What the record says of a query.
pub(super) fn query_of(identifier: Identifier) -> Box<Query> {
    let (transfer_syntax, keys) = (identifier.transfer_syntax(), identifier.keys());
    let (more_keys, cut_from) = (identifier.has_more_keys(), identifier.cut_from());
    let mut query = Query::new(transfer_syntax, keys, identifier.into_bytes());
    (query.more_keys, query.cut_from) = (more_keys, cut_from);
    Box::new(query)
}

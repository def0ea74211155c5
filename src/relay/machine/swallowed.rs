//! A data set that goes nowhere.

use super::answer::Answer;
use super::command_set::{count_empty, of_another};
use super::desk::Context;
use super::ended::Ended;
use super::exchange::Exchange;
use super::passage::Passage;
use super::request::Refused;
use super::state::{Break, Came, Next, State};
use crate::dimse::{self, Command};
use crate::wire::Kind;

/// The rest of a data set is awaited and thrown away; then the sender of the request gets this response, unless it has had
/// one, and an association that cannot go on ends.
pub(super) struct Swallowed {
    pub context_id: u8,
    pub empty: u32,
    pub response: Option<Vec<u8>>,
    pub ends_with: Option<Box<Ended>>,
}

impl Swallowed {
    /// The state of a data set that nobody gets; `response` is what its sender is answered when it has come.
    pub(super) fn of(context_id: u8, response: Option<Vec<u8>>) -> State {
        State::Swallowed(Box::new(Self { context_id, empty: 0, response, ends_with: None }))
    }

    pub(super) fn handle(mut self: Box<Self>, cx: &mut Context<'_>, came: &Came) -> Next {
        if came.kind != Kind::DataSet || came.context_id != self.context_id {
            return Err(Break::inside(of_another(cx, came.context_id)));
        }
        count_empty(cx, &mut self.empty, came).map_err(Break::inside)?;
        Ok(self.go_on(cx, came.last))
    }

    /// With `last` it has ended.
    pub(super) fn go_on(self: Box<Self>, cx: &mut Context<'_>, last: bool) -> State {
        if !last {
            return State::Swallowed(self);
        }
        if let Some(response) = self.response {
            cx.reply(self.context_id, response);
        }
        self.ends_with.map_or(State::BETWEEN, State::Ending)
    }
}

/// Answers a request whose data set has begun to come, and of which nothing has gone on, once all of it has come. It is written
/// down at once, with what `note` adds.
pub(super) fn refuse_held(
    cx: &mut Context<'_>,
    command: &Command,
    passage: &Passage,
    Refused { status, cause, comment }: Refused,
    note: impl FnOnce(&mut Exchange),
    last: bool,
) -> State {
    cx.desk.spans.clear();
    let Passage { context_id, request, empty, .. } = *passage;
    let closed = request.and_then(|message_id| cx.books.ledger.close(cx.direction, message_id));
    // Whoever guessed an answer has given it.
    let is_answered = closed.as_ref().is_none_or(|exchange| exchange.early.is_some());
    if let Some(mut exchange) = closed {
        note(&mut exchange);
        let answer = exchange.early.unwrap_or(Answer::Instead(status, cause));
        cx.record(*exchange, answer);
    }
    let response = (!is_answered).then(|| dimse::refusal(command, status, &comment));
    Box::new(Swallowed { context_id, empty, response, ends_with: None }).go_on(cx, last)
}

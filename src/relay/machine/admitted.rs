//! A request, a C-CANCEL-RQ or a request of no service, which waits until it is within the peer's rate of operations.

use std::time::Instant;

use super::answer::{Answer, status_of_cause};
use super::desk::Context;
use super::request::{self, Refused};
use super::state::{Break, Next, State};
use super::swallowed::Swallowed;
use crate::audit;
use crate::dimse::{self, Command, Operation, Status};
use crate::vocabulary::Cause;
use crate::wire::Malformed;

/// The pace of operations is awaited.
pub(super) struct AwaitsPace {
    pub context_id: u8,
    pub command: Box<Command>,
    pub paced: Paced,
    /// When the command set was complete.
    pub began: Instant,
}

/// What waits. A response does not.
pub(super) enum Paced {
    Request {
        operation: Operation,
        message_id: u16,
    },
    Cancel {
        responding_to: u16,
    },
    /// A C-CANCEL-RQ in a context that was not accepted.
    StrayCancel,
    Unrecognized {
        field: u16,
        message_id: u16,
    },
}

impl AwaitsPace {
    pub(super) fn handle(self, cx: &mut Context<'_>) -> Next {
        let Self { context_id, command, paced, began } = self;
        match paced {
            Paced::Request { operation, message_id } => {
                request::handle(cx, context_id, command, operation, message_id, began)
            }
            Paced::Cancel { responding_to } => cancel(cx, &command, responding_to),
            Paced::StrayCancel => {
                cx.books.tally.cancelled(false);
                Ok(State::BETWEEN)
            }
            Paced::Unrecognized { field, message_id } => {
                Ok(unrecognized(cx, context_id, &command, field, message_id))
            }
        }
    }
}

/// A C-CANCEL-RQ has no response of its own. One that comes after its operation is over means nothing any more, and one for
/// an operation that was refused here means nothing to the other side.
fn cancel(cx: &mut Context<'_>, command: &Command, responding_to: u16) -> Next {
    if command.has_data_set {
        let what = "a C-CANCEL-RQ that announces a data set";
        return Err(Break::between(cx.protocol(Malformed::invalid(what))));
    }
    let open = cx.asked(responding_to).map(|exchange| exchange.sent_context_id);
    cx.books.tally.cancelled(open.is_some());
    if let Some(context_id) = open {
        cx.send(context_id, command.bytes());
    }
    Ok(State::BETWEEN)
}

/// A request of no service that PS3.7 defines.
fn unrecognized(
    cx: &mut Context<'_>,
    context_id: u8,
    command: &Command,
    field: u16,
    message_id: u16,
) -> State {
    let entry = cx.books.record_unrecognized(cx.terms, cx.direction, command, message_id);
    cx.desk.records.push(entry);
    let comment = format!("command field {field:04X}H is no request of PS3.7");
    refuse(cx, context_id, command, status_of_cause(Cause::UnrecognizedOperation), &comment)
}

/// Answers a request that cannot be passed on, and writes it down.
pub(super) fn refuse_exchange(
    cx: &mut Context<'_>,
    command: &Command,
    mut exchange: Box<super::exchange::Exchange>,
    Refused { status, cause, comment }: Refused,
) -> State {
    let context_id = exchange.context_id;
    if cause == Cause::RewriteFailed {
        exchange.fault = Some(Box::new(audit::Fault::of(comment.clone())));
    }
    cx.record(*exchange, Answer::Instead(status, cause));
    refuse(cx, context_id, command, status, &comment)
}

/// Answers a request once all of it has come.
fn refuse(cx: &mut Context<'_>, context_id: u8, command: &Command, status: Status, comment: &str) -> State {
    let response = dimse::refusal(command, status, comment);
    if command.has_data_set {
        return Swallowed::of(context_id, Some(response));
    }
    cx.reply(context_id, response);
    State::BETWEEN
}

//! A response, which goes to whoever asked.

use super::answer::Answer;
use super::as_it_came::AsItCame;
use super::crossing;
use super::desk::Context;
use super::exchange::{Ending, labels};
use super::passage::Passage;
use super::scoped;
use super::state::{Break, Next, State};
use crate::dimse::{self, Command, Operation, Outcome, Status};
use crate::policy::{Direction, Part, Treatment};
use crate::rewrite::Way;
use crate::vocabulary::{OF_RESPONSE, Tolerance};
use crate::wire::Malformed;

pub(super) fn handle(
    cx: &mut Context<'_>,
    context_id: u8,
    command: Box<Command>,
    operation: Operation,
    responding_to: u16,
    status: Status,
) -> Next {
    let has_data_set = command.has_data_set;
    // No rule is for such a data set, so that it would go on as it came.
    if has_data_set && !operation.may_answer_with_data_set() {
        let what = format!("a response to {operation} {responding_to} with a data set, which it never has");
        return Err(Break::between(cx.protocol(Malformed::invalid(what))));
    }
    let treatment = cx.terms.grant.peer.treatment(operation, Part::Response, cx.direction);
    // By its message ID: some requestors of a C-GET answer every sub-operation in one context. A data set is written
    // in the transfer syntax of the context that it comes in, so there it has to be the right one.
    let fitting = cx.answered(responding_to).filter(|exchange| {
        let is_in_its_context = exchange.sent_context_id == context_id;
        let is_open = exchange.operation == operation && exchange.early.is_none();
        is_open && (is_in_its_context || !has_data_set)
    });
    let Some(exchange) = fitting else {
        let what = format!("a response to {operation} {responding_to}, which waits for none in this context");
        return Err(Break::between(cx.protocol(Malformed::invalid(what))));
    };
    if !exchange.sent && status.outcome() != Outcome::Failure {
        let what = format!("status {status} for {operation} {responding_to} before its data set had ended");
        return Err(Break::between(cx.protocol(Malformed::invalid(what))));
    }
    let is_in_its_context = exchange.sent_context_id == context_id;
    if !is_in_its_context || !command.tolerated().is_empty() {
        let mut labels = labels(&command, OF_RESPONSE);
        labels.extend((!is_in_its_context).then_some(Tolerance::ResponseContext.label().into()));
        exchange.tolerate(labels);
    }
    let way = match treatment {
        Treatment::AsItCame | Treatment::Rewrite => None,
        Treatment::Pseudonymise(_) => Some(Way::ToPseudonyms),
        Treatment::Restore(_) => Some(Way::ToReal),
    };
    let is_scoped = exchange.is_judged;
    let has_failed = exchange.failed.is_some();
    let is_held = matches!(operation, Operation::CFind | Operation::NGet | Operation::NAction);
    if has_data_set && is_scoped && is_held && !has_failed {
        let asked = exchange.request();
        return Ok(scoped::answer(command, context_id, asked, status, way));
    }
    // Nobody learns by its end that nobody else matches, once the ends of ten others told that day that somebody does.
    let is_last = operation == Operation::CFind && status.outcome() != Outcome::Pending;
    let most = exchange.counts_patients().filter(|_| is_scoped && is_last && !has_failed);
    if most.is_some() || way.is_some() || exchange.guards_answers() || has_failed {
        let asked = exchange.request();
        return Ok(match scoped::ended_too_often(cx, most, operation) {
            Some(why) => crossing::response_refused(cx, *command, asked, status, why),
            None => crossing::response(cx, *command, asked, status, way),
        });
    }
    let to_context_id = exchange.context_id;
    let mapped = exchange.new_sop_instance.as_ref().and(exchange.sop_instance.clone());
    answered(cx, responding_to, status);
    match mapped {
        Some(original) => {
            cx.send(to_context_id, &dimse::with_affected_sop_instance(&command, &original));
        }
        None => cx.send(to_context_id, command.bytes()),
    }
    let passage = Passage::of_response(context_id, to_context_id);
    Ok(if has_data_set { AsItCame::of(passage) } else { State::BETWEEN })
}

/// Writes an operation down that has had its last response.
pub(super) fn answered(cx: &mut Context<'_>, message_id: u16, status: Status) {
    let brought = cx.terms.brought.as_ref().filter(|_| cx.direction == Direction::ToPeer);
    let Some(exchange) = cx.answered(message_id) else { return };
    if let Some(brought) = brought.filter(|_| exchange.is_stored_by(status)) {
        // As the archive knows it.
        let stored = exchange.new_sop_instance.as_ref().or(exchange.sop_instance.as_ref());
        stored.into_iter().for_each(|instance| brought.note(instance));
    }
    match exchange.ending(status) {
        Ending::MoreFollow => exchange.answered = None,
        Ending::MoreMayFollow => exchange.answered = Some(Answer::Status(status)),
        Ending::Last => cx.over(message_id, Answer::Status(status)),
    }
}

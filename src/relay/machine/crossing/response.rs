//! Responses that cross, and those that cannot; with them, answers of which a role leaves something out, or counts how many go on.

use super::super::answer::Answer;
use super::super::desk::Context;
use super::super::exchange::{Ending, Exchange, Failed, OpenRequest};
use super::super::passage::Passage;
use super::super::request::Refused;
use super::super::response::answered;
use super::super::rewritten::{Origin, Rewritten, fault_of};
use super::super::state::{Next, State};
use super::super::stepping::not_stored;
use super::super::swallowed::Swallowed;
use super::super::want::Question;
use super::{Crossing, as_it_is, crossing, failure_of, instance_across, refused};
use crate::audit;
use crate::crosswalk::NotStored;
use crate::dimse::Operation::{self, CStore, NCreate};
use crate::dimse::{self, Command, Failure, Outcome, Status};
use crate::rewrite::{Correspondence, Instance, RewriteError, Subject, Summary, Way};
use crate::vocabulary::Cause;

/// A response that waits for its data set.
pub(in super::super) struct Crossed {
    response: Command,
    exchange: OpenRequest,
    status: Status,
}

/// A response whose instance is being remembered.
pub(in super::super) struct ResponseCrosses {
    crossed: Crossed,
    way: Option<Way>,
    sop_instance: Option<String>,
}

/// Sends a response across, or what stands for it. `way` is `None` where it does not cross, and its role looks at it.
pub(in super::super) fn handle(
    cx: &mut Context<'_>,
    response: Command,
    exchange: OpenRequest,
    status: Status,
    way: Option<Way>,
) -> State {
    let crossed = Crossed { response, exchange, status };
    if let Some(failed) = crossed.exchange.failed.clone() {
        return withhold(cx, &crossed, &failed);
    }
    if !may_follow(cx, &crossed) {
        let comment = "more answers than this peer may have";
        return refuse(cx, &crossed, Refused::new(Cause::TooManyAnswers, comment));
    }
    match instance_of(cx, &crossed, way) {
        Err(why) => refuse(cx, &crossed, why),
        Ok((sop_instance, made)) if made.is_empty() || cx.terms.crosswalk.is_none() => {
            cross(cx, crossed, way, sop_instance)
        }
        Ok((sop_instance, made)) => {
            let patient = crossed.exchange.patient.as_ref().filter(|patient| !patient.is_empty());
            let owned = |made| Correspondence { patient: patient.cloned(), ..made };
            cx.ask(Question::Store(made.into_iter().map(owned).collect()));
            State::ResponseCrosses(Box::new(ResponseCrosses { crossed, way, sop_instance }))
        }
    }
}

impl ResponseCrosses {
    pub(crate) fn handle(self: Box<Self>, cx: &mut Context<'_>, stored: Result<(), NotStored>) -> Next {
        let Self { crossed, way, sop_instance } = *self;
        Ok(match stored {
            Ok(()) => cross(cx, crossed, way, sop_instance),
            Err(error) => {
                let why = refused(crossed.exchange.operation, &not_stored(error));
                refuse(cx, &crossed, why)
            }
        })
    }
}

/// Whether it is no answer, or one of those that there may be.
fn may_follow(cx: &mut Context<'_>, crossed: &Crossed) -> bool {
    let is_answer = crossed.status.outcome() == Outcome::Pending;
    !is_answer || cx.answered(crossed.exchange.message_id).is_none_or(Exchange::takes_answer)
}

fn cross(cx: &mut Context<'_>, crossed: Crossed, way: Option<Way>, sop_instance: Option<String>) -> State {
    let Crossed { response, exchange, status } = &crossed;
    let crossing = match way {
        Some(way) => crossing(cx, response, exchange, way, sop_instance, Subject::Attributes),
        None => as_it_is(cx, response, exchange),
    };
    match crossing {
        Ok(Crossing { command, transform: Some(transform), .. }) => {
            let passage = Passage::of_response(exchange.sent_context_id, exchange.context_id);
            // Whoever still sends the data set of the request has its answer, whatever becomes of either.
            if let Some(open) = cx.answered(exchange.message_id).filter(|open| !open.sent) {
                open.early = Some(Answer::Status(*status));
            }
            let origin = Origin::Response(Box::new(crossed));
            State::Rewritten(Box::new(Rewritten::of(passage, transform, origin, command)))
        }
        Ok(Crossing { command, .. }) => {
            answered(cx, exchange.message_id, *status);
            cx.send(exchange.context_id, &command);
            State::BETWEEN
        }
        Err(why) => refuse(cx, &crossed, why),
    }
}

/// What the requestor calls the instance that a response names, and what has to be remembered of it: the one that it asked
/// about, or a new one, where the other side was to name what it made (PS3.7 §10.1.5.1.4). Of another, the requestor never
/// hears.
fn instance_of(
    cx: &Context<'_>,
    crossed: &Crossed,
    way: Option<Way>,
) -> Result<(Option<String>, Vec<Correspondence>), Refused> {
    let Some(way) = way else { return Ok((None, Vec::new())) };
    let Crossed { response, exchange, status } = crossed;
    let operation = exchange.operation;
    let named = response.sop_instance().filter(|uid| !uid.is_empty());
    let Some(named) = named else { return Ok((None, Vec::new())) };
    let sent = exchange.new_sop_instance.as_ref().or(exchange.sop_instance.as_ref());
    match sent.filter(|uid| !uid.is_empty()) {
        Some(sent) if *sent == named => Ok((exchange.sop_instance.clone(), Vec::new())),
        // What was not made needs no name.
        None if operation == NCreate && status.outcome() == Outcome::Failure => Ok((None, Vec::new())),
        None if operation == NCreate => {
            let Instance { uid, comes_back, made, .. } = instance_across(cx, operation, way, &named, false)?;
            if comes_back { Err(other_instance(operation)) } else { Ok((Some(uid), made)) }
        }
        _ => Err(other_instance(operation)),
    }
}

fn other_instance(operation: Operation) -> Refused {
    let status = if operation == CStore { Status::CANNOT_UNDERSTAND } else { Status::PROCESSING_FAILURE };
    Refused { status, cause: Cause::OtherInstance, comment: "the response names another SOP instance".into() }
}

/// The data set of a response has crossed whole.
pub(in super::super) fn response_complete(cx: &mut Context<'_>, crossed: &Crossed, summary: &Summary) {
    cx.books.tally.changed(summary.elements);
    if let Some(exchange) = cx.answered(crossed.exchange.message_id) {
        exchange.tolerate_in_data_set(summary.tolerated);
    }
    answered(cx, crossed.exchange.message_id, crossed.status);
}

/// The data set of a response could not cross, and nothing of it was sent. Gives what its sender is told.
pub(in super::super) fn response_failed(
    cx: &mut Context<'_>,
    crossed: &Crossed,
    error: &RewriteError,
) -> Option<Vec<u8>> {
    let failure = failure_of(crossed.exchange.operation, error);
    let failed = Failed { failure, cause: Cause::RewriteFailed };
    fail_later(cx, crossed, &failed, Some(fault_of(error)));
    tell_failure(cx, crossed, &failed);
    cancel(crossed)
}

/// A response that must not go on, of which all has come.
pub(in super::super) fn response_refused(
    cx: &mut Context<'_>,
    response: Command,
    exchange: OpenRequest,
    status: Status,
    why: Refused,
) -> State {
    match refuse(cx, &Crossed { response, exchange, status }, why) {
        State::Swallowed(swallowed) => swallowed.go_on(cx, true),
        state => state,
    }
}

/// A response that cannot cross. Its sender is told to stop where it can be.
fn refuse(cx: &mut Context<'_>, crossed: &Crossed, why: Refused) -> State {
    let Refused { status, cause, comment } = why;
    let is_whole = matches!(cause, Cause::TooManyAnswers | Cause::TooManyPatients);
    let fault = (!is_whole).then(|| Box::new(audit::Fault::of(comment.clone())));
    let failed = Failed { failure: Failure { status, comment, offending: None }, cause };
    fail_later(cx, crossed, &failed, fault);
    let state = withhold(cx, crossed, &failed);
    let context_id = crossed.exchange.sent_context_id;
    match cancel(crossed) {
        None => state,
        Some(cancel) if crossed.response.has_data_set => Swallowed::of(context_id, Some(cancel)),
        Some(cancel) => {
            cx.reply(context_id, cancel);
            state
        }
    }
}

/// Notes what is wrong for the record, and where more responses may follow, for the last of them.
fn fail_later(cx: &mut Context<'_>, crossed: &Crossed, failed: &Failed, fault: Option<Box<audit::Fault>>) {
    if let Some(exchange) = cx.answered(crossed.exchange.message_id) {
        exchange.fault = fault;
        if exchange.ending(crossed.status) != Ending::Last {
            exchange.failed = Some(failed.clone());
        }
    }
}

/// A response of an operation that has failed here: all but the last are dropped.
fn withhold(cx: &mut Context<'_>, crossed: &Crossed, failed: &Failed) -> State {
    tell_failure(cx, crossed, failed);
    match crossed.response.has_data_set {
        true => Swallowed::of(crossed.exchange.sent_context_id, None),
        false => State::BETWEEN,
    }
}

/// Tells the requestor in the place of the first response that may be the last, and once: what follows it goes nowhere.
fn tell_failure(cx: &mut Context<'_>, crossed: &Crossed, Failed { failure, cause }: &Failed) {
    let Crossed { response, exchange: OpenRequest { message_id, context_id, .. }, status } = crossed;
    let Some(open) = cx.answered(*message_id) else {
        // Its request has ended meanwhile and is written down; who asked still waits.
        return cx.send(*context_id, &dimse::failed_response(response, failure));
    };
    let told = open.answered.filter(|answer| matches!(answer, Answer::Instead(..)));
    let answer = told.unwrap_or(Answer::Instead(failure.status, *cause));
    match open.ending(*status) {
        Ending::MoreFollow => return,
        Ending::MoreMayFollow => open.answered = Some(answer),
        Ending::Last => cx.over(*message_id, answer),
    }
    if told.is_none() {
        cx.send(*context_id, &dimse::failed_response(response, failure));
    }
}

/// The C-CANCEL-RQ that ends an operation of which more responses follow.
fn cancel(crossed: &Crossed) -> Option<Vec<u8>> {
    let follows = crossed.status.outcome() == Outcome::Pending;
    follows.then(|| dimse::cancel(crossed.exchange.message_id))
}

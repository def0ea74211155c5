//! Requests that cross.

use super::super::admitted::refuse_exchange;
use super::super::answer::Answer;
use super::super::desk::Context;
use super::super::examined::Examined;
use super::super::exchange::{Exchange, OpenRequest};
use super::super::passage::Passage;
use super::super::request::{Refused, cannot, expected, withhold_titles};
use super::super::rewritten::{Origin, Rewritten, Scoped};
use super::super::scoped;
use super::super::state::{Next, State};
use super::super::stepping::not_stored;
use super::super::terms::AcceptedContext;
use super::super::want::Question;
use super::{Crossing, boundary, crossing, failure_of, instance_across, refused};
use crate::audit::Originals;
use crate::buffer::Held;
use crate::crosswalk::NotStored;
use crate::dataset::Identifier;
use crate::dimse::{self, Command, Operation};
use crate::policy::{Content, Direction};
use crate::rewrite::{
    Correspondence, Kind, RewriteError, RewriteProblem, Subject, Transform, Unavailable, Way,
};
use crate::vocabulary::Cause;

/// A request without a data set, whose instance is being remembered.
pub(in super::super) struct RequestCrosses {
    command: Command,
    asked: OpenRequest,
    crossing: Crossing,
}

/// Sends a request across, or answers it.
pub(in super::super) fn handle(
    cx: &mut Context<'_>,
    context: &AcceptedContext,
    mut command: Command,
    (mut exchange, examined): (Box<Exchange>, Option<Box<Examined>>),
    (way, content): (Way, Content),
) -> Next {
    if way == Way::ToPseudonyms {
        withhold_titles(cx, &mut command);
    }
    let asked = exchange.request();
    exchange.originals = match way {
        Way::ToPseudonyms => Originals::Came,
        Way::ToReal => Originals::Went,
    };
    // Entered before anything is awaited: whatever ends the association now, the operation is recorded.
    cx.books.ledger.open(cx.direction, exchange);
    match across(cx, &command, &asked, way, content) {
        // Whether somebody knows the instance is not told, either.
        Err(why)
            if why.cause == Cause::UnknownPseudonym && scoped::judges(asked.operation, asked.is_judged) =>
        {
            Ok(refuse(cx, &command, &asked, scoped::outside()))
        }
        Err(why) => Ok(refuse(cx, &command, &asked, why)),
        Ok((mut crossing, made)) => match crossing.transform.take() {
            Some(transform) => {
                note(cx, &asked, crossing.sop_instance, crossing.patient);
                let query = (examined, content);
                Ok(begin(cx, context, command, &asked, (crossing.command, transform), (query, way)))
            }
            None if scoped::judges(asked.operation, asked.is_judged) => {
                judge(cx, context, command, &asked, (crossing, made.is_empty()))
            }
            None if made.is_empty() || cx.terms.crosswalk.is_none() => Ok(send(cx, &asked, crossing)),
            None => {
                cx.ask(Question::Store(made));
                Ok(State::RequestCrosses(Box::new(RequestCrosses { command, asked, crossing })))
            }
        },
    }
}

impl RequestCrosses {
    pub(crate) fn handle(self: Box<Self>, cx: &mut Context<'_>, stored: Result<(), NotStored>) -> Next {
        let Self { command, asked, crossing } = *self;
        // It has had an answer that was guessed meanwhile: nobody waits for another one.
        if cx.asked(asked.message_id).is_none() {
            return Ok(State::BETWEEN);
        }
        Ok(match stored {
            Ok(()) => send(cx, &asked, crossing),
            Err(error) => {
                let why = refused(asked.operation, &not_stored(error));
                refuse(cx, &command, &asked, why)
            }
        })
    }
}

/// Has an N-GET judged by the instance that it names on the other side, where that is one that was there before.
fn judge(
    cx: &mut Context<'_>,
    context: &AcceptedContext,
    request: Command,
    asked: &OpenRequest,
    (crossing, is_known): (Crossing, bool),
) -> Next {
    let Some(encoding) = context.encoding.filter(|_| is_known) else {
        return Ok(refuse(cx, &request, asked, scoped::outside()));
    };
    let Crossing { command, sop_instance, patient, .. } = crossing;
    note(cx, asked, sop_instance, patient);
    let (context_id, message_id) = (asked.context_id, asked.message_id);
    let (data, commitment) = (Held::default(), None);
    scoped::decide(
        cx,
        scoped::HeldRequest { request, command, context_id, message_id, encoding, data, commitment },
    )
}

fn refuse(cx: &mut Context<'_>, command: &Command, asked: &OpenRequest, why: Refused) -> State {
    match cx.books.ledger.close(cx.direction, asked.message_id) {
        Some(exchange) => refuse_exchange(cx, command, exchange, why),
        None => State::BETWEEN,
    }
}

fn note(cx: &mut Context<'_>, asked: &OpenRequest, sop_instance: Option<String>, patient: Option<Vec<u8>>) {
    if let Some(exchange) = cx.asked(asked.message_id) {
        exchange.new_sop_instance = sop_instance.filter(|uid| Some(uid) != exchange.sop_instance.as_ref());
        exchange.patient = patient;
    }
}

/// Sends a request that is a command set alone.
fn send(cx: &mut Context<'_>, asked: &OpenRequest, crossing: Crossing) -> State {
    let Crossing { command, sop_instance, patient, .. } = crossing;
    note(cx, asked, sop_instance, patient);
    cx.send(asked.context_id, &command);
    State::BETWEEN
}

/// Holds the command set back until its data set can be trusted.
fn begin(
    cx: &mut Context<'_>,
    context: &AcceptedContext,
    command: Command,
    asked: &OpenRequest,
    (held, transform): (Vec<u8>, Transform),
    ((examined, content), way): ((Option<Box<Examined>>, Content), Way),
) -> State {
    let encoding = context.encoding.filter(|_| content == Content::Keys);
    // What comes to the peer was judged before.
    let is_asked = cx.direction == Direction::FromPeer;
    let scoped = match is_asked && scoped::judges(asked.operation, asked.is_judged) {
        true => Scoped::Asks,
        false if asked.operation == Operation::CStore => {
            let header = scoped::header_of(cx, asked.is_judged, context.encoding);
            // Consent is of the real patient; a scope never has to do with what comes from pseudonyms.
            let is_restored = way == Way::ToReal && cx.terms.consent.is_some();
            header.map_or(Scoped::Not, |header| match is_restored {
                true => Scoped::Restored(header, 0),
                false => Scoped::Object(header),
            })
        }
        false => Scoped::Not,
    };
    let passage = Passage::of_request(asked.context_id, asked.message_id);
    State::Rewritten(Box::new(Rewritten {
        identifier: encoding.map(Identifier::new).map(Box::new),
        examined,
        native: cx.terms.native_context(context),
        scoped,
        ..Rewritten::of(passage, transform, Origin::Request(command), held)
    }))
}

/// A request as it crosses, and what has to be remembered of it where no data set says more.
fn across(
    cx: &mut Context<'_>,
    command: &Command,
    exchange: &OpenRequest,
    way: Way,
    content: Content,
) -> Result<(Crossing, Vec<Correspondence>), Refused> {
    use Operation::{CStore, NAction, NCreate, NDelete, NGet, NSet};
    if content != Content::Attributes && !command.has_data_set {
        return Err(cannot("a request without the data set that it needs"));
    }
    let exists = matches!(exchange.operation, NAction | NDelete | NGet | NSet);
    let named = exchange.sop_instance.as_ref();
    let instance = named.map(|uid| instance_across(cx, exchange.operation, way, uid, exists));
    let instance = instance.transpose()?.unwrap_or_default();
    if instance.comes_back && matches!(exchange.operation, CStore | NCreate) {
        let comment = "the original of this instance is on the other side";
        return Err(Refused::new(Cause::DuplicateInstance, comment));
    }
    let patient = patient_of(cx, exchange, way)?;
    let subject = match content {
        Content::Object => {
            Subject::Object(expected(exchange.sop_class.as_deref(), exchange.sop_instance.as_deref())?)
        }
        Content::Keys => Subject::Keys,
        Content::Attributes => Subject::Attributes,
    };
    let exchange = &OpenRequest { patient: patient.clone(), ..exchange.clone() };
    let sop_instance = named.map(|_| instance.uid.clone());
    let crossing = Crossing { patient, ..crossing(cx, command, exchange, way, sop_instance, subject)? };
    Ok(match crossing.transform {
        // Whose the instance is, the data set says; with it, it is remembered.
        Some(transform) => {
            (Crossing { transform: Some(transform.of_instance(instance)), ..crossing }, Vec::new())
        }
        None => (crossing, instance.made),
    })
}

/// The real Patient ID that an instance from the world of pseudonyms belongs to, where that is known.
fn patient_of(cx: &Context<'_>, exchange: &OpenRequest, way: Way) -> Result<Option<Vec<u8>>, Refused> {
    let Some(uid) = exchange.sop_instance.as_ref().filter(|_| way == Way::ToReal) else {
        return Ok(None);
    };
    let (_, known) = boundary(cx)?;
    let found = known.behind(Kind::Uid, uid.as_bytes());
    let found = found.map_err(|Unavailable| refused(exchange.operation, &RewriteError::not_remembered()))?;
    Ok(found.and_then(|found| found.patient))
}

/// What a request is answered whose data set cannot cross, and how that is written down.
pub(in super::super) fn request_failed(
    request: &Command,
    operation: Operation,
    error: &RewriteError,
) -> (Vec<u8>, Answer) {
    use Operation::{CFind, CGet, CMove};
    let looks_for = matches!(operation, CFind | CGet | CMove);
    if error.problem == RewriteProblem::MatchesNothing && looks_for {
        return (dimse::nothing_matches(request), Answer::Nothing(Cause::UnknownPseudonym));
    }
    let why = failure_of(operation, error);
    (dimse::refusal_of_data_set(request, &why), Answer::Instead(why.status, Cause::RewriteFailed))
}

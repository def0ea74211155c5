//! Messages that cross the boundary between real values and pseudonyms, where a peer's rewrite goes two ways.
//!
//! A command set waits for its data set until that can be trusted. A request that cannot cross is answered here, and the
//! other side never hears of it. A response that cannot cross is withheld: its sender is told to stop where it can be, and
//! the requestor learns why in the place of the last response.

mod request;
mod response;

use crate::vocabulary::Cause;
use std::sync::Arc;

use super::desk::Context;
use super::exchange::OpenRequest;
use super::request::{Refused, cannot};
use crate::dataset::number;
use crate::dimse::{self, Command, Failure, FreeText, Named, Operation, Status};
use crate::policy::Hidden;
use crate::rewrite::{Correspondences, Instance, LeftOut, RewriteError, Ruleset, Subject, Transform, Way};

pub(super) use request::{RequestCrosses, handle as request, request_failed};
pub(super) use response::{
    Crossed, ResponseCrosses, handle as response, response_complete, response_failed, response_refused,
};

/// A message as it goes on.
struct Crossing {
    command: Vec<u8>,
    /// What its SOP instance UID became.
    sop_instance: Option<String>,
    /// By the real Patient ID, where the instance tells.
    patient: Option<Vec<u8>>,
    transform: Option<Transform>,
}

fn crossing(
    cx: &mut Context<'_>,
    command: &Command,
    exchange: &OpenRequest,
    way: Way,
    sop_instance: Option<String>,
    subject: Subject,
) -> Result<Crossing, Refused> {
    let text = if way == Way::ToPseudonyms { FreeText::Withheld } else { FreeText::Passes };
    let named = Named { class: exchange.sop_class.as_deref(), instance: sop_instance.as_deref() };
    let bytes = dimse::across(command, named, text);
    let transform = match command.has_data_set {
        true => Some(transform_across(cx, exchange, way, subject)?),
        false => None,
    };
    Ok(Crossing { command: bytes, sop_instance, patient: None, transform })
}

/// An answer that does not cross, without what its role leaves out.
fn as_it_is(cx: &Context<'_>, response: &Command, exchange: &OpenRequest) -> Result<Crossing, Refused> {
    let transform = match response.has_data_set {
        true => Some(transform_as_it_is(cx, exchange)?),
        false => None,
    };
    let command = response.bytes().to_vec();
    Ok(Crossing { command, sop_instance: None, patient: None, transform })
}

fn transform_as_it_is(cx: &Context<'_>, exchange: &OpenRequest) -> Result<Transform, Refused> {
    let Some(hidden) = exchange.hidden.clone() else { return Ok(Transform::identity()) };
    let terms = cx.terms;
    let encoding = terms.context(exchange.sent_context_id).and_then(|context| context.encoding);
    let encoding = encoding.ok_or_else(|| cannot("this transfer syntax cannot be rewritten"))?;
    let rules = Ruleset::nothing();
    let transform = Transform::across(rules, Way::ToPseudonyms, Subject::Attributes, encoding);
    Ok(terms.waiting.of(transform).leaving_out(left_out(hidden)))
}

fn left_out(hidden: Arc<Hidden>) -> LeftOut {
    Arc::new(move |tag| hidden.hides(number(tag)))
}

fn transform_across(
    cx: &mut Context<'_>,
    exchange: &OpenRequest,
    way: Way,
    subject: Subject,
) -> Result<Transform, Refused> {
    let terms = cx.terms;
    let (rules, known) = boundary(cx)?;
    let sent = terms.context(exchange.sent_context_id);
    let encoding = sent.and_then(|context| context.encoding);
    let encoding = encoding.ok_or_else(|| cannot("this transfer syntax cannot be rewritten"))?;
    let (peer, is_object) = (&terms.grant.peer, matches!(subject, Subject::Object(_)));
    let is_answer = subject == Subject::Attributes;
    let transform = terms
        .waiting
        .of(Transform::across(Arc::clone(rules), way, subject, encoding))
        .in_syntax(sent.map_or("", |context| context.transfer_syntax.as_str()))
        .holding_in(terms.frames.clone())
        .for_peer(Arc::clone(&peer.name))
        .of_tenant(peer.tenant.clone())
        .with_crosswalk(known)
        .on(cx.books.today)
        .about(exchange.patient.clone())
        .retrieving(matches!(exchange.operation, Operation::CMove | Operation::CGet))
        .asked_by(terms.grant.calling.to_string().into(), exchange.own_schedule);
    let hidden = exchange.hidden.clone().filter(|_| is_answer);
    let transform = hidden.map(left_out).into_iter().fold(transform, Transform::leaving_out);
    if !is_object {
        return Ok(transform);
    }
    let transform = transform.numbered(cx.books.tally.next_number(cx.direction));
    let context = terms.context(exchange.context_id).filter(|_| way == Way::ToPseudonyms);
    Ok(match context.filter(|context| terms.native_context(context).is_some()) {
        Some(context) => transform.may_decode(context.transfer_syntax.as_str()),
        None => transform,
    })
}

/// What the SOP instance UID of a command becomes.
fn instance_across(
    cx: &Context<'_>,
    operation: Operation,
    way: Way,
    uid: &str,
    exists: bool,
) -> Result<Instance, Refused> {
    let (rules, known) = boundary(cx)?;
    let across = rules.instance_across(way, uid, exists, known);
    let across = across.map_err(|error| refused(operation, &error))?;
    across.ok_or_else(|| Refused {
        status: Status::NO_SUCH_INSTANCE,
        cause: Cause::UnknownPseudonym,
        comment: "no such SOP instance".into(),
    })
}

fn boundary<'m>(cx: &Context<'m>) -> Result<(&'m Arc<Ruleset>, Arc<dyn Correspondences>), Refused> {
    let both = cx.terms.ruleset.as_ref().zip(cx.terms.crosswalk.clone());
    both.ok_or_else(|| cannot("the rewrite or its crosswalk is gone"))
}

fn refused(operation: Operation, error: &RewriteError) -> Refused {
    Refused { status: status_of(operation, error), cause: Cause::RewriteFailed, comment: error.comment() }
}

/// What the sender of a data set that cannot cross is told.
fn failure_of(operation: Operation, error: &RewriteError) -> Failure {
    let offending = error.offending().map(|tag| (tag.0, tag.1));
    Failure { status: status_of(operation, error), comment: error.comment(), offending }
}

/// The status that the service knows for it: PS3.4 B.2.3, C.4.1.1.4, C.4.2.1.5; PS3.7 Annex C.
fn status_of(operation: Operation, error: &RewriteError) -> Status {
    use Operation::{CEcho, CFind, CGet, CMove, CStore};
    match (operation, error.status) {
        (CMove | CGet, 0xA700) => Status(0xA701),
        (CEcho | CStore | CFind | CMove | CGet, status) => Status(status),
        _ => Status::PROCESSING_FAILURE,
    }
}

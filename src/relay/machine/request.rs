//! A request: whether it may pass, and how.

use std::sync::Arc;
use std::time::Instant;

use super::admitted::refuse_exchange;
use super::answer::status_of_cause;
use super::as_it_came::AsItCame;
use super::compared::Compared;
use super::crossing;
use super::desk::Context;
use super::examined::{self, Examined};
use super::exchange::Exchange;
use super::passage::Passage;
use super::queried::Queried;
use super::rewritten::{Origin, Rewritten, Scoped};
use super::scoped;
use super::state::{Break, Next, State};
use super::terms::AcceptedContext;
use crate::dataset::{Encoding, Identifier};
use crate::dimse::{self, Command, Operation, Status};
use crate::policy::{Denial, Direction, Part, Request, Sought, Treatment};
use crate::rewrite::{Expected, RewriteError, Transform, Unavailable, Way};
use crate::vocabulary::Cause;
use crate::wire::Uid;

/// Why a request is answered here and goes nowhere.
pub(super) struct Refused {
    pub status: Status,
    /// Of the record.
    pub cause: Cause,
    pub comment: String,
}

impl Refused {
    /// With the status that the table of causes has.
    pub(super) fn new(cause: Cause, comment: impl Into<String>) -> Self {
        Self { status: status_of_cause(cause), cause, comment: comment.into() }
    }
}

/// A request that is within its peer's pace.
pub(super) fn handle(
    cx: &mut Context<'_>,
    context_id: u8,
    command: Box<Command>,
    operation: Operation,
    message_id: u16,
    began: Instant,
) -> Next {
    let terms = cx.terms;
    let context = terms.known_context(context_id).map_err(Break::between)?;
    let mut exchange = Exchange::new(operation, context_id, message_id, &command, began);
    exchange.is_judged = scoped::has_to_judge(cx, context, &exchange);
    if let Err(refused) = judge(cx, context, &exchange, &command) {
        return Ok(refuse_exchange(cx, &command, exchange, refused));
    }
    if let Some((before, answer)) = cx.books.ledger.close_answered(cx.direction, message_id) {
        cx.record(*before, answer);
    }
    if let Err(no_place) = cx.books.ledger.has_place_for(cx.direction, message_id) {
        let refused = Refused::new(Cause::DuplicateInvocation, no_place.to_string());
        return Ok(refuse_exchange(cx, &command, exchange, refused));
    }
    let examined = match examine(cx, context, &mut exchange, &command) {
        Ok(examined) => examined,
        Err(refused) => return Ok(refuse_exchange(cx, &command, exchange, refused)),
    };
    match terms.grant.peer.treatment(operation, Part::Request, cx.direction) {
        Treatment::AsItCame | Treatment::Rewrite if scoped::judges(operation, exchange.is_judged) => {
            scoped::request(cx, context, command, (exchange, examined))
        }
        // Judged by what the archive says, before that crosses.
        Treatment::Pseudonymise(_) | Treatment::Restore(_) if scoped::judges_report(cx, &exchange) => {
            scoped::request(cx, context, command, (exchange, None))
        }
        Treatment::AsItCame => Ok(relay_as_it_came(cx, context, command, exchange, examined)),
        Treatment::Rewrite => Ok(rewrite(cx, context, *command, exchange)),
        Treatment::Pseudonymise(content) => {
            crossing::request(cx, context, *command, (exchange, examined), (Way::ToPseudonyms, content))
        }
        Treatment::Restore(content) => {
            crossing::request(cx, context, *command, (exchange, examined), (Way::ToReal, content))
        }
    }
}

/// Whether the request may pass, whatever is in its data set.
fn judge(
    cx: &Context<'_>,
    context: &AcceptedContext,
    exchange: &Exchange,
    command: &Command,
) -> Result<(), Refused> {
    if command.has_dangerous_sop_instance() {
        let comment = "the SOP instance UID is not a UID";
        return Err(Refused::new(Cause::InvalidSopInstance, comment));
    }
    if command.names_two_objects() {
        let comment = "affected and requested SOP class or instance differ";
        return Err(Refused::new(Cause::ContradictoryCommand, comment));
    }
    asks(cx, context, exchange, |request| cx.terms.grant.rights.permits_request(request))?;
    scoped::permits(cx, context, exchange, command)
}

/// What the role makes of a request.
pub(super) fn asks<T>(
    cx: &Context<'_>,
    context: &AcceptedContext,
    exchange: &Exchange,
    judge: impl FnOnce(&Request<'_>) -> Result<T, Denial>,
) -> Result<T, Refused> {
    let denied = |denial: Denial| Refused::new(denial.cause(), denial.to_string());
    let sop_class = exchange.sop_class.as_deref().filter(|text| !text.is_empty());
    // Nearly always that of the context, which is known to be a UID.
    let other = sop_class.filter(|text| *text != context.abstract_syntax.as_str());
    let other = other.map(str::parse::<Uid>).transpose().map_err(|_| denied(Denial::SopClass))?;
    let request = Request {
        operation: exchange.operation,
        direction: cx.direction,
        abstract_syntax: &context.abstract_syntax,
        sop_class: other.as_ref().or(sop_class.map(|_| &context.abstract_syntax)),
        move_destination: exchange.move_destination.as_deref(),
        retrieving: cx.direction == Direction::ToPeer
            && cx.books.ledger.is_waiting(Direction::FromPeer, Operation::CGet),
    };
    judge(&request).map_err(denied)
}

/// Begins to examine the identifier of a query or retrieval, where the role says something of what is in it. Where it says something
/// else of queries, it is asked now.
fn examine(
    cx: &Context<'_>,
    context: &AcceptedContext,
    exchange: &mut Exchange,
    command: &Command,
) -> Result<Option<Box<Examined>>, Refused> {
    use Operation::{CFind, CGet, CMove, NAction, NGet};
    let rights = &cx.terms.grant.rights;
    let is_query = match exchange.operation {
        CFind | CMove | CGet => true,
        // These show whose the instances are that they name.
        NAction | NGet => exchange.is_judged,
        _ => false,
    };
    if !is_query || cx.direction != Direction::FromPeer || !rights.says_of_queries() {
        return Ok(None);
    }
    if rights.reads_identifiers(exchange.operation) {
        return Examined::of(context, command).map(Some);
    }
    let allowed = examined::allowed(cx, context, exchange, &Sought::default())?;
    exchange.allow(allowed);
    Ok(None)
}

fn relay_as_it_came(
    cx: &mut Context<'_>,
    context: &AcceptedContext,
    command: Box<Command>,
    exchange: Box<Exchange>,
    examined: Option<Box<Examined>>,
) -> State {
    use Operation::{CFind, CGet, CMove, CStore};
    let (context_id, operation) = (context.id, exchange.operation);
    let passage = Passage::of_request(context_id, exchange.message_id);
    let state = match (command.has_data_set, operation) {
        (false, _) => State::BETWEEN,
        (true, CStore) => {
            let encoding = Encoding::to_read(context.transfer_syntax.as_str());
            let scoped = scoped::header_of(cx, exchange.is_judged, encoding);
            cx.books.ledger.open(cx.direction, exchange);
            return Compared::of(passage, command, encoding, scoped);
        }
        (true, CFind | CMove | CGet) => {
            let identifier = context.encoding.map(|encoding| Box::new(Identifier::new(encoding)));
            if let Some(examined) = examined {
                cx.books.ledger.open(cx.direction, exchange);
                return Queried::of(passage, command, identifier, examined);
            }
            State::AsItCame(Box::new(AsItCame { passage, identifier }))
        }
        (true, _) => AsItCame::of(passage),
    };
    cx.books.ledger.open(cx.direction, exchange);
    cx.send(context_id, command.bytes());
    state
}

/// Rewrites an object on its way.
fn rewrite(
    cx: &mut Context<'_>,
    context: &AcceptedContext,
    mut command: Command,
    mut exchange: Box<Exchange>,
) -> State {
    withhold_titles(cx, &mut command);
    let (transform, new_instance) = match rewriting(cx, context, &exchange, &command) {
        Ok(rewriting) => rewriting,
        Err(refused) => return refuse_exchange(cx, &command, exchange, refused),
    };
    let held = dimse::with_affected_sop_instance(&command, &new_instance);
    if exchange.sop_instance.as_deref() != Some(&new_instance) {
        exchange.new_sop_instance = Some(new_instance);
        exchange.originals = crate::audit::Originals::Came;
    }
    let passage = Passage::of_request(context.id, exchange.message_id);
    let scoped = scoped::header_of(cx, exchange.is_judged, context.encoding);
    let scoped = scoped.map_or(Scoped::Not, Scoped::Object);
    cx.books.ledger.open(cx.direction, exchange);
    let (origin, native) = (Origin::Request(command), cx.terms.native_context(context));
    let rewritten = Rewritten::of(passage, transform, origin, held);
    State::Rewritten(Box::new(Rewritten { native, scoped, ..rewritten }))
}

/// The title of who asked for a C-MOVE goes where those of stations do.
pub(super) fn withhold_titles(cx: &Context<'_>, command: &mut Command) {
    if cx.terms.ruleset.as_ref().is_some_and(|ruleset| !ruleset.keeps_ae_titles()) {
        command.withhold_move_originator();
    }
}

/// The transform for a C-STORE, with what its SOP instance UID becomes.
fn rewriting(
    cx: &mut Context<'_>,
    context: &AcceptedContext,
    exchange: &Exchange,
    command: &Command,
) -> Result<(Transform, String), Refused> {
    let terms = cx.terms;
    let ruleset = terms.ruleset.as_ref().ok_or_else(|| cannot("the rewrite is gone"))?;
    let encoding = context.encoding.ok_or_else(|| cannot("this transfer syntax cannot be rewritten"))?;
    if !command.has_data_set {
        return Err(cannot("a C-STORE without a data set"));
    }
    let expected = expected(exchange.sop_class.as_deref(), exchange.sop_instance.as_deref())?;
    let instance = expected.sop_instance_uid.as_str();
    let new_instance = ruleset.map_known_sop_instance_uid(instance, terms.crosswalk.as_deref());
    let new_instance = new_instance.map_err(|Unavailable| {
        let error = RewriteError::not_remembered();
        Refused { status: Status(error.status), cause: Cause::RewriteFailed, comment: error.comment() }
    })?;
    let peer = &terms.grant.peer;
    let transform = terms
        .waiting
        .of(Transform::new(ruleset.clone(), encoding, expected))
        .for_peer(Arc::clone(&peer.name))
        .of_tenant(peer.tenant.clone())
        .numbered(cx.books.tally.next_number(cx.direction))
        .in_syntax(context.transfer_syntax.as_str())
        .holding_in(terms.frames.clone());
    let transform = match terms.native_context(context) {
        Some(_) => transform.may_decode(context.transfer_syntax.as_str()),
        None => transform,
    };
    let transform = terms.crosswalk.clone().into_iter().fold(transform, Transform::with_crosswalk);
    Ok((transform, new_instance))
}

pub(super) fn cannot(comment: &str) -> Refused {
    Refused { status: Status::CANNOT_UNDERSTAND, cause: Cause::RewriteFailed, comment: comment.into() }
}

/// What a command says that its data set is.
pub(super) fn expected(sop_class: Option<&str>, sop_instance: Option<&str>) -> Result<Expected, Refused> {
    let uid = |text: Option<&str>| text.and_then(|text| text.parse::<Uid>().ok());
    let named = uid(sop_class).zip(uid(sop_instance));
    let (sop_class_uid, sop_instance_uid) = named.ok_or_else(|| cannot("a C-STORE without legal UIDs"))?;
    Ok(Expected { sop_class_uid, sop_instance_uid })
}

//! The identifier of a query or retrieval, held until it is known what may come of it.

use super::super::admitted::refuse_exchange;
use super::super::answer::Answer;
use super::super::crossing;
use super::super::desk::Context;
use super::super::ended::Ended;
use super::super::examined::{self, Examined};
use super::super::exchange::{Exchange, unread};
use super::super::granted::{By, Granted};
use super::super::passage::{Passage, query_of};
use super::super::request::Refused;
use super::super::state::{Break, Came, Next, State};
use super::super::swallowed::refuse_held;
use super::super::terms::AcceptedContext;
use super::super::want::LookedUp;
use super::instances::{self, Commitment};
use super::reading::{self, Wish};
use super::{LONGEST, counted, ended_too_often, outside};
use crate::buffer::Held;
use crate::dataset::{Encoding, Identifier};
use crate::dimse::{self, Command, Operation};
use crate::policy::{Content, Direction, Part, Treatment};
use crate::rewrite::Way;
use crate::vocabulary::Cause;

/// More of the identifier is awaited.
pub(in super::super) struct GathersRequest {
    passage: Passage,
    command: Box<Command>,
    encoding: Encoding,
    /// Until the role was asked about it too, which comes first.
    examined: Option<Box<Examined>>,
    /// Of an identifier, to say in its record what it asks; of what names instances, nothing.
    identifier: Option<Box<Identifier>>,
    bytes: Held,
    /// How many of these there may be.
    most: usize,
}

/// A request that was read, and what it is sent on as.
pub(in super::super) struct HeldRequest {
    /// As it came, for its refusal.
    pub request: Command,
    /// As it goes on.
    pub command: Vec<u8>,
    pub context_id: u8,
    pub message_id: u16,
    pub encoding: Encoding,
    pub data: Held,
    /// What it names where it asks for storage commitment, once that is known.
    pub commitment: Option<Commitment>,
}

/// What it names is being looked up.
pub(in super::super) struct AwaitsLookUp {
    asked: HeldRequest,
    granted: Granted,
}

/// From its first byte. It can be judged: see [`permits`](super::permits).
pub(in super::super) fn request(
    cx: &mut Context<'_>,
    context: &AcceptedContext,
    command: Box<Command>,
    (exchange, examined): (Box<Exchange>, Option<Box<Examined>>),
) -> Next {
    let Some(encoding) = context.encoding else {
        let detail = "an identifier that nobody can read is to be judged";
        return Err(Break::inside(Ended::Defect { detail }));
    };
    let (operation, message_id) = (exchange.operation, exchange.message_id);
    let names_instances = matches!(operation, Operation::NAction | Operation::NEventReport);
    let passage = Passage::of_request(context.id, message_id);
    cx.books.ledger.open(cx.direction, exchange);
    if !command.has_data_set {
        let (bytes, data) = (command.bytes().to_vec(), Held::default());
        let asked = HeldRequest {
            request: *command,
            command: bytes,
            context_id: context.id,
            message_id,
            encoding,
            data,
            commitment: None,
        };
        return decide(cx, asked);
    }
    let identifier = (!names_instances).then(|| Box::new(Identifier::new(encoding)));
    let held = usize::try_from(cx.terms.waiting.most).unwrap_or(usize::MAX);
    let most = if names_instances { held.max(LONGEST) } else { LONGEST };
    let bytes = Held::default();
    let gathers = GathersRequest { passage, command, encoding, examined, identifier, bytes, most };
    Ok(State::GathersRequest(Box::new(gathers)))
}

impl GathersRequest {
    pub(in super::super) fn handle(mut self: Box<Self>, cx: &mut Context<'_>, came: &Came) -> Next {
        self.passage.take(cx, came).map_err(Break::inside)?;
        let bytes = cx.desk.bytes(came.range.clone()).map_err(Break::inside)?;
        if let Some(identifier) = &mut self.identifier {
            identifier.observe(bytes);
        }
        let is_too_long = self.bytes.len() + bytes.len() > self.most;
        let is_held = is_too_long || self.bytes.append(bytes, Some(&cx.terms.waiting.corner)).is_ok();
        if let Err(refused) = examined::look(cx, &mut self.examined, &self.passage, came) {
            return Ok(self.refuse(cx, refused, came.last));
        }
        match (is_too_long, is_held) {
            (true, _) => Ok(self.refuse(cx, outside(), came.last)),
            (_, false) => Ok(self.refuse(cx, no_room(), came.last)),
            _ if came.last => self.complete(cx),
            _ => Ok(State::GathersRequest(self)),
        }
    }

    /// The role does not allow it, or it is too long to be judged.
    fn refuse(self, cx: &mut Context<'_>, why: Refused, last: bool) -> State {
        let Self { passage, command, identifier, .. } = self;
        match identifier {
            Some(identifier) => examined::refuse(cx, &command, &passage, Some(identifier), why, last),
            None => {
                let note = |exchange: &mut Exchange| exchange.bytes = passage.bytes;
                refuse_held(cx, &command, &passage, why, note, last)
            }
        }
    }

    fn complete(self, cx: &mut Context<'_>) -> Next {
        let Self { passage, command, encoding, bytes: data, identifier, .. } = self;
        let is_lost = identifier.as_ref().is_some_and(|identifier| identifier.is_lost());
        passage.note_held(cx, |exchange| {
            exchange.query = identifier.map(|identifier| query_of(*identifier));
            exchange.tolerate(unread(is_lost));
        });
        let Passage { context_id, request, .. } = passage;
        let (command, request, message_id) =
            (command.bytes().to_vec(), *command, request.unwrap_or_default());
        let commitment = None;
        decide(cx, HeldRequest { request, command, context_id, message_id, encoding, data, commitment })
    }
}

/// The data sets that wait leave no room for it.
fn no_room() -> Refused {
    Refused::new(Cause::OutsideScope, "there is no room to hold what has to be judged")
}

/// What becomes of a request that is there whole, with real values.
pub(in super::super) fn decide(cx: &mut Context<'_>, asked: HeldRequest) -> Next {
    if is_answered(cx, asked.message_id) {
        return Ok(State::BETWEEN);
    }
    let Some(exchange) = cx.asked(asked.message_id) else { return Ok(State::BETWEEN) };
    let (operation, most) = (exchange.operation, exchange.counts_patients());
    if let Some(why) = ended_too_often(cx, most, operation) {
        return Ok(refuse(cx, &asked, why));
    }
    match wish(cx, operation, &asked) {
        Err(why) => Ok(refuse(cx, &asked, why)),
        Ok((Wish::GoesOn { data, granted }, commitment)) => {
            let data = data.map_or(asked.data, Held::from);
            send(cx, HeldRequest { data, commitment, ..asked }, granted)
        }
        // Consent is all that is asked for, and each object that comes is judged by that.
        Ok((Wish::LookUp { granted, .. }, commitment))
            if operation == Operation::CGet && most.is_none() && asks_for_consent_alone(cx) =>
        {
            send(cx, HeldRequest { commitment, ..asked }, granted)
        }
        Ok((Wish::LookUp { look_up, granted }, commitment)) => {
            // Nothing of this message has gone out: whoever has to say something there need not wait too.
            (cx.desk.writes, cx.desk.gives_back) = (true, true);
            cx.ask(counted::look_up(most, look_up, operation));
            let asked = HeldRequest { commitment, ..asked };
            Ok(State::AwaitsLookUp(Box::new(AwaitsLookUp { asked, granted })))
        }
    }
}

fn asks_for_consent_alone(cx: &Context<'_>) -> bool {
    let scope = cx.terms.grant.peer.scope.as_ref();
    cx.terms.consent.is_some() && scope.is_some_and(|scope| scope.conditions().is_empty())
}

/// What a request asks for, and which commitment it is about.
fn wish(
    cx: &mut Context<'_>,
    operation: Operation,
    asked: &HeldRequest,
) -> Result<(Wish, Option<Commitment>), Refused> {
    let cannot = |comment| Refused::new(Cause::OutsideScope, comment);
    let HeldRequest { encoding, data, message_id, .. } = asked;
    match operation {
        Operation::NGet => {
            let exchange = cx.asked(*message_id);
            let named = exchange.and_then(|one| one.new_sop_instance.as_ref().or(one.sop_instance.as_ref()));
            let (look_up, granted) = named.and_then(|one| instances::of_one(one)).ok_or_else(outside)?;
            Ok((Wish::LookUp { look_up, granted }, None))
        }
        Operation::NAction | Operation::NEventReport => {
            let is_report = operation == Operation::NEventReport;
            let read = data.look(|data| instances::commitment(*encoding, data, is_report));
            let commitment = read.map_err(|_| no_room())?;
            let commitment = commitment.ok_or_else(|| cannot("what this names cannot be judged"))?;
            let wish = if is_report { report(cx, &commitment)? } else { to_be_kept(cx, &commitment) };
            Ok((wish, Some(commitment)))
        }
        _ => {
            let scope = cx.terms.grant.peer.scope.clone().ok_or_else(outside)?;
            let read = |data: &[u8]| reading::read(&scope, cx.books.today, operation, *encoding, data);
            let wish = data.look(read).map_err(|_| no_room())?;
            Ok((wish.map_err(cannot)?, None))
        }
    }
}

/// Asks for the studies of those instances that the peer did not bring itself.
fn to_be_kept(cx: &Context<'_>, commitment: &Commitment) -> Wish {
    let is_known = |instance: &&String| cx.terms.brought.as_ref().is_some_and(|known| known.has(instance));
    let unknown: Vec<String> =
        commitment.instances.iter().filter(|instance| !is_known(instance)).cloned().collect();
    let granted = Granted::new(By::Names, Vec::new());
    match unknown.is_empty() {
        true => Wish::GoesOn { data: None, granted },
        false => Wish::LookUp { look_up: instances::alone(unknown), granted },
    }
}

/// That a request was granted, so that its report is let through: on this association, or on another one of the same peer, user, AE
/// titles and archive.
fn remember(cx: &Context<'_>, transaction: &str, instances: &[String]) {
    if let Some(known) = &cx.terms.brought {
        instances.iter().for_each(|instance| known.note(&asked_for(transaction, instance)));
    }
}

/// What is remembered of an instance of a request. No UID has a blank.
fn asked_for(transaction: &str, instance: &str) -> String {
    format!("{transaction} {instance}")
}

/// A report goes on where it is about a request that was granted.
fn report(cx: &Context<'_>, commitment: &Commitment) -> Result<Wish, Refused> {
    let Commitment { transaction, instances } = commitment;
    let is_awaited = cx.terms.brought.as_ref().is_some_and(|known| {
        !instances.is_empty() && instances.iter().all(|one| known.has(&asked_for(transaction, one)))
    });
    let granted = Granted::new(By::Names, Vec::new());
    is_awaited.then_some(Wish::GoesOn { data: None, granted }).ok_or_else(outside)
}

impl AwaitsLookUp {
    pub(in super::super) fn handle(self, cx: &mut Context<'_>, found: LookedUp) -> Next {
        let Self { asked, granted } = self;
        if is_answered(cx, asked.message_id) {
            return Ok(State::BETWEEN);
        }
        let exchange = cx.asked(asked.message_id);
        let Some((operation, most)) = exchange.map(|one| (one.operation, one.counts_patients())) else {
            return Ok(State::BETWEEN);
        };
        if let Some(why) = ended_too_often(cx, most, operation) {
            return Ok(refuse(cx, &asked, why));
        }
        match found {
            LookedUp::Inside => send(cx, asked, granted),
            // As of a study that there is not.
            LookedUp::Outside | LookedUp::NoConsent if operation == Operation::CFind => {
                if let Some(exchange) = cx.books.ledger.close(cx.direction, asked.message_id) {
                    let is_outside = found == LookedUp::Outside;
                    let cause = if is_outside { Cause::OutsideScope } else { Cause::NoConsent };
                    cx.record(*exchange, Answer::Nothing(cause));
                    cx.reply(asked.context_id, dimse::nothing_matches(&asked.request));
                }
                Ok(State::BETWEEN)
            }
            _ => Ok(refuse(cx, &asked, counted::refused(found, operation))),
        }
    }
}

/// Whether it has had an answer that was guessed, before anything of it was sent: then nobody waits for another one.
fn is_answered(cx: &mut Context<'_>, message_id: u16) -> bool {
    let Some(answer) = cx.asked(message_id).and_then(|exchange| exchange.early) else { return false };
    if let Some(exchange) = cx.books.ledger.close(cx.direction, message_id) {
        cx.record(*exchange, answer);
    }
    true
}

fn send(cx: &mut Context<'_>, mut asked: HeldRequest, granted: Granted) -> Next {
    let Ok(data) = asked.data.take() else { return Ok(refuse(cx, &asked, no_room())) };
    if let Some(way) = crosses(cx, &asked) {
        return across(cx, asked, data, way);
    }
    let HeldRequest { command, request, context_id, message_id, commitment, .. } = asked;
    let now = cx.books.progress.now();
    if let Some(exchange) = cx.asked(message_id) {
        exchange.granted = Some(Box::new(granted));
        (exchange.sent, exchange.sent_at) = (true, now);
    }
    if let Some(Commitment { transaction, instances }) =
        commitment.filter(|_| cx.direction == Direction::FromPeer)
    {
        remember(cx, &transaction, &instances);
    }
    cx.send(context_id, &command);
    if request.has_data_set {
        cx.desk.put(&data);
        cx.pack(context_id, true).map_err(Break::inside)?;
    }
    Ok(State::BETWEEN)
}

/// The way across a boundary that a report still has to go, which is judged by what the archive says. Requests of the peer have
/// crossed before.
fn crosses(cx: &Context<'_>, asked: &HeldRequest) -> Option<(Way, Content)> {
    let exchange = cx.books.ledger.find(cx.direction, asked.message_id);
    let operation = exchange.filter(|_| cx.direction == Direction::ToPeer)?.operation;
    match cx.terms.grant.peer.treatment(operation, Part::Request, cx.direction) {
        Treatment::Pseudonymise(content) => Some((Way::ToPseudonyms, content)),
        Treatment::Restore(content) => Some((Way::ToReal, content)),
        Treatment::AsItCame | Treatment::Rewrite => None,
    }
}

/// Sends a report across that was held whole.
fn across(cx: &mut Context<'_>, asked: HeldRequest, data: Vec<u8>, way: (Way, Content)) -> Next {
    let terms = cx.terms;
    let context = terms.known_context(asked.context_id).map_err(Break::inside)?;
    let Some(exchange) = cx.books.ledger.close(cx.direction, asked.message_id) else {
        return Ok(State::BETWEEN);
    };
    match crossing::request(cx, context, asked.request, (exchange, None), way)? {
        State::Rewritten(rewritten) => rewritten.whole(cx, data.into()),
        State::Swallowed(swallowed) => Ok(swallowed.go_on(cx, true)),
        state => Ok(state),
    }
}

/// All of its data set has come.
fn refuse(cx: &mut Context<'_>, asked: &HeldRequest, why: Refused) -> State {
    let Some(exchange) = cx.books.ledger.close(cx.direction, asked.message_id) else { return State::BETWEEN };
    match refuse_exchange(cx, &asked.request, exchange, why) {
        State::Swallowed(swallowed) => swallowed.go_on(cx, true),
        state => state,
    }
}

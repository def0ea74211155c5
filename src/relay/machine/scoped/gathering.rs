//! The identifier of a query or retrieval, held until it is known what may come of it.

use super::super::admitted::refuse_exchange;
use super::super::answer::Answer;
use super::super::desk::Context;
use super::super::ended::Ended;
use super::super::examined::{self, Examined};
use super::super::exchange::{Exchange, unread};
use super::super::granted::Granted;
use super::super::passage::{Passage, query_of};
use super::super::request::Refused;
use super::super::state::{Break, Came, Next, State};
use super::super::terms::AcceptedContext;
use super::super::want::LookedUp;
use super::reading::{self, Wish};
use super::{LONGEST, counted, ended_too_often, outside};
use crate::dataset::{Encoding, Identifier};
use crate::dimse::{self, Command, Operation};
use crate::vocabulary::Cause;

/// More of the identifier is awaited.
pub(in super::super) struct GathersRequest {
    passage: Passage,
    command: Box<Command>,
    encoding: Encoding,
    /// Until the role was asked about it too, which comes first.
    examined: Option<Box<Examined>>,
    bytes: Vec<u8>,
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
    pub data: Vec<u8>,
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
    let passage = Passage::of_request(context.id, exchange.message_id);
    cx.books.ledger.open(cx.direction, exchange);
    let bytes = Vec::new();
    Ok(State::GathersRequest(Box::new(GathersRequest { passage, command, encoding, examined, bytes })))
}

impl GathersRequest {
    pub(in super::super) fn handle(mut self: Box<Self>, cx: &mut Context<'_>, came: &Came) -> Next {
        self.passage.take(cx, came).map_err(Break::inside)?;
        let bytes = cx.desk.bytes(came.range.clone()).map_err(Break::inside)?;
        let room = (LONGEST + 1).saturating_sub(self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
        if let Err(refused) = examined::look(cx, &mut self.examined, &self.passage, came) {
            return Ok(self.refuse(cx, refused, came.last));
        }
        if self.bytes.len() > LONGEST {
            return Ok(self.refuse(cx, outside(), came.last));
        }
        if came.last { self.complete(cx) } else { Ok(State::GathersRequest(self)) }
    }

    /// The role does not allow it, or it is too long to be judged.
    fn refuse(self, cx: &mut Context<'_>, why: Refused, last: bool) -> State {
        let Self { passage, command, encoding, bytes, .. } = self;
        let identifier = Some(Box::new(identifier_of(encoding, &bytes)));
        examined::refuse(cx, &command, &passage, identifier, why, last)
    }

    fn complete(self, cx: &mut Context<'_>) -> Next {
        let Self { passage, command, encoding, bytes, .. } = self;
        let identifier = identifier_of(encoding, &bytes);
        let is_lost = identifier.is_lost();
        passage.note_held(cx, |exchange| {
            exchange.query = Some(query_of(identifier));
            exchange.tolerate(unread(is_lost));
        });
        let Passage { context_id, request, .. } = passage;
        let (command, request, message_id) =
            (command.bytes().to_vec(), *command, request.unwrap_or_default());
        decide(cx, HeldRequest { request, command, context_id, message_id, encoding, data: bytes })
    }
}

/// For the record.
fn identifier_of(encoding: Encoding, bytes: &[u8]) -> Identifier {
    let mut identifier = Identifier::new(encoding);
    identifier.observe(bytes);
    identifier
}

/// What becomes of a request that is there whole, with real values.
pub(in super::super) fn decide(cx: &mut Context<'_>, asked: HeldRequest) -> Next {
    if is_answered(cx, asked.message_id) {
        return Ok(State::BETWEEN);
    }
    let Some(operation) = cx.asked(asked.message_id).map(|exchange| exchange.operation) else {
        return Ok(State::BETWEEN);
    };
    let Some(scope) = cx.terms.grant.peer.scope.clone() else {
        return Ok(refuse(cx, &asked, outside()));
    };
    let most = cx.asked(asked.message_id).and_then(|exchange| exchange.counts_patients());
    if let Some(why) = ended_too_often(cx, most, operation) {
        return Ok(refuse(cx, &asked, why));
    }
    let today = cx.books.today;
    match reading::read(&scope, today, operation, asked.encoding, &asked.data) {
        Err(comment) => Ok(refuse(cx, &asked, Refused::new(Cause::OutsideScope, comment))),
        Ok(Wish::GoesOn { data, granted }) => send(cx, HeldRequest { data, ..asked }, granted),
        Ok(Wish::LookUp { look_up, granted }) => {
            // Nothing of this message has gone out: whoever has to say something there need not wait too.
            (cx.desk.writes, cx.desk.gives_back) = (true, true);
            cx.ask(counted::look_up(most, look_up, operation));
            Ok(State::AwaitsLookUp(Box::new(AwaitsLookUp { asked, granted })))
        }
    }
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
            LookedUp::Outside if operation == Operation::CFind => {
                if let Some(exchange) = cx.books.ledger.close(cx.direction, asked.message_id) {
                    cx.record(*exchange, Answer::Nothing(Cause::OutsideScope));
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

fn send(cx: &mut Context<'_>, asked: HeldRequest, granted: Granted) -> Next {
    let HeldRequest { command, context_id, message_id, data, .. } = asked;
    let now = cx.books.progress.now();
    if let Some(exchange) = cx.asked(message_id) {
        exchange.granted = Some(Box::new(granted));
        (exchange.sent, exchange.sent_at) = (true, now);
    }
    cx.send(context_id, &command);
    cx.desk.put(&data);
    cx.pack(context_id, true).map_err(Break::inside)?;
    Ok(State::BETWEEN)
}

/// All of its data set has come.
fn refuse(cx: &mut Context<'_>, asked: &HeldRequest, why: Refused) -> State {
    let Some(exchange) = cx.books.ledger.close(cx.direction, asked.message_id) else { return State::BETWEEN };
    match refuse_exchange(cx, &asked.request, exchange, why) {
        State::Swallowed(swallowed) => swallowed.go_on(cx, true),
        state => state,
    }
}

//! Answers to a query: each is read whole and judged before its first byte goes on.

use super::super::consented::{self, AwaitsConsent};
use super::super::crossing;
use super::super::desk::Context;
use super::super::exchange::OpenRequest;
use super::super::granted::By;
use super::super::passage::Passage;
use super::super::response::{self, answered};
use super::super::state::{Break, Came, Next, State};
use super::super::terms::Consented;
use super::super::want::{LookUp, LookedUp, Question};
use super::{LONGEST, counted, outside};
use crate::dataset::{ISSUER_OF_PATIENT_ID, STUDY_INSTANCE_UID, Small, Tag};
use crate::dimse::{self, Command, Operation, Outcome, Status};
use crate::policy::scope::Attribute;
use crate::rewrite::Way;

/// More of an answer is awaited.
pub(in super::super) struct GathersAnswer {
    passage: Passage,
    answer: HeldResponse,
    bytes: Vec<u8>,
    is_too_long: bool,
}

/// A response with an identifier.
struct HeldResponse {
    response: Box<Command>,
    asked: OpenRequest,
    status: Status,
    /// The way that it goes across a boundary.
    way: Option<Way>,
}

/// The study of an answer is being looked up.
pub(in super::super) struct AwaitsJudged {
    answer: HeldResponse,
    bytes: Vec<u8>,
}

/// What becomes of one.
enum Verdict {
    Withheld,
    Goes(Vec<u8>),
    Ask(Question),
}

/// The state of an answer to a query of a peer with a scope, whose identifier is to come.
pub(in super::super) fn answer(
    response: Box<Command>,
    context_id: u8,
    asked: OpenRequest,
    status: Status,
    way: Option<Way>,
) -> State {
    let passage = Passage::of_response(context_id, asked.context_id);
    let answer = HeldResponse { response, asked, status, way };
    State::GathersAnswer(Box::new(GathersAnswer { passage, answer, bytes: Vec::new(), is_too_long: false }))
}

impl GathersAnswer {
    pub(in super::super) fn handle(mut self: Box<Self>, cx: &mut Context<'_>, came: &Came) -> Next {
        self.passage.take(cx, came).map_err(Break::inside)?;
        let bytes = cx.desk.bytes(came.range.clone()).map_err(Break::inside)?;
        self.is_too_long |= self.bytes.len() + bytes.len() > LONGEST;
        match self.is_too_long {
            true => self.bytes = Vec::new(),
            false => self.bytes.extend_from_slice(bytes),
        }
        if came.last { self.complete(cx) } else { Ok(State::GathersAnswer(self)) }
    }

    fn complete(self: Box<Self>, cx: &mut Context<'_>) -> Next {
        let Self { answer, bytes, is_too_long, passage } = *self;
        let is_answer = match answer.asked.operation {
            Operation::NGet => true,
            operation => operation == Operation::CFind && answer.status.outcome() == Outcome::Pending,
        };
        // A final response has no identifier, one to storage commitment nothing; it goes on without what this one brought.
        if !is_answer {
            withhold(cx, &answer);
            return last_word(cx, answer, passage.context_id);
        }
        if is_too_long {
            return Ok(is_withheld(cx, answer));
        }
        let encoding = cx.terms.context(answer.asked.sent_context_id).and_then(|context| context.encoding);
        let consents = cx.terms.consent.clone().filter(|_| says_whose(cx, &answer));
        let Some(consents) = consents else { return decide(cx, answer, bytes) };
        let whom = consented::whom(encoding, &bytes);
        match (consents.of(whom.as_ref()), whom) {
            (None, Some(whom)) => {
                let waits = Self { passage, answer, bytes, is_too_long };
                Ok(AwaitsConsent::Answer(Box::new(waits)).ask(cx, Box::new(whom)))
            }
            (consented, _) => by_consent(cx, (answer, bytes), consented.unwrap_or(Consented::No)),
        }
    }

    /// It is known whether its patient has consented.
    pub(in super::super) fn consented(self, cx: &mut Context<'_>, consented: Consented) -> Next {
        by_consent(cx, (self.answer, self.bytes), consented)
    }
}

/// Whether an answer says itself whose it is. Those of other queries are of a study that was looked up, with its patient.
fn says_whose(cx: &mut Context<'_>, answer: &HeldResponse) -> bool {
    let granted = cx.answered(answer.asked.message_id).and_then(|exchange| exchange.granted.as_deref());
    granted.is_some_and(|granted| matches!(granted.by, By::Themselves | By::OfIssuer(_) | By::TheirStudies))
}

fn by_consent(cx: &mut Context<'_>, (answer, bytes): (HeldResponse, Vec<u8>), consented: Consented) -> Next {
    match consented {
        Consented::Yes => decide(cx, answer, bytes),
        Consented::No => Ok(is_withheld(cx, answer)),
        // One less of many would look as if there were none.
        Consented::NotKnown => {
            let HeldResponse { response, asked, status, .. } = answer;
            let why = counted::refused(LookedUp::ConsentNotKnown, asked.operation);
            Ok(crossing::response_refused(cx, *response, asked, status, why))
        }
    }
}

/// What becomes of an answer by scope and count.
fn decide(cx: &mut Context<'_>, answer: HeldResponse, bytes: Vec<u8>) -> Next {
    match verdict(cx, &answer, &bytes) {
        Verdict::Withheld => Ok(is_withheld(cx, answer)),
        Verdict::Goes(data) => deliver(cx, answer, &data),
        Verdict::Ask(question) => {
            // Nothing of this message has gone out: whoever has to say something there need not wait too.
            (cx.desk.writes, cx.desk.gives_back) = (true, true);
            cx.ask(question);
            Ok(State::AwaitsJudged(Box::new(AwaitsJudged { answer, bytes })))
        }
    }
}

impl AwaitsJudged {
    pub(in super::super) fn handle(self, cx: &mut Context<'_>, found: LookedUp) -> Next {
        let Self { answer, bytes } = self;
        if !matches!(found, LookedUp::Inside | LookedUp::Outside | LookedUp::NoConsent) {
            let HeldResponse { response, asked, status, .. } = answer;
            let why = counted::refused(found, asked.operation);
            return Ok(crossing::response_refused(cx, *response, asked, status, why));
        }
        match (found, stripped(cx, &answer, &bytes)) {
            (LookedUp::Inside, Some(data)) => deliver(cx, answer, &data),
            _ => Ok(is_withheld(cx, answer)),
        }
    }
}

fn verdict(cx: &mut Context<'_>, answer: &HeldResponse, bytes: &[u8]) -> Verdict {
    let today = cx.books.today;
    let scope = cx.terms.grant.peer.scope.clone();
    let encoding = cx.terms.context(answer.asked.sent_context_id).and_then(|context| context.encoding);
    let read = encoding.and_then(|encoding| Small::read(encoding, bytes));
    // One too many is withheld behind this: nobody is counted by it.
    let most = cx
        .answered(answer.asked.message_id)
        .filter(|exchange| !exchange.has_had_all_answers())
        .and_then(|exchange| exchange.counts_patients());
    let granted = cx.answered(answer.asked.message_id).and_then(|exchange| exchange.granted.as_deref());
    let (Some(small), Some(granted), Some(scope)) = (read, granted, scope) else { return Verdict::Withheld };
    let study = small.value(STUDY_INSTANCE_UID);
    let is_asked_for = match &granted.by {
        By::OfIssuer(issuer) => small.value(ISSUER_OF_PATIENT_ID) == Some(issuer),
        _ => true,
    };
    let value_of = |attribute: Attribute| small.value(Tag::from(attribute.tag()));
    // That of an N-GET says what an object says, and not what an archive does of its study.
    let says = || match answer.asked.operation {
        Operation::NGet => scope.judge_object(today, value_of).is_inside(),
        _ => is_asked_for && scope.judge(today, value_of).is_inside(),
    };
    let is_inside = match &granted.by {
        By::Themselves | By::OfIssuer(_) if most.is_some() && says() => {
            let question = most.and_then(|most| counted::count(cx, most, &small));
            return question.map_or(Verdict::Withheld, Verdict::Ask);
        }
        By::Themselves | By::OfIssuer(_) => says(),
        By::Names => false,
        By::Studies(_) => study.is_some_and(|study| granted.names(study)),
        By::TheirStudies => {
            let study = study.and_then(|study| std::str::from_utf8(study).ok());
            return match study.filter(|study| says() && is_uid(study)) {
                None => Verdict::Withheld,
                Some(study) => {
                    let look_up = LookUp { studies: vec![study.to_owned()], below: None };
                    Verdict::Ask(counted::look_up(most, look_up, answer.asked.operation))
                }
            };
        }
    };
    if is_inside { Verdict::Goes(small.without(&granted.added)) } else { Verdict::Withheld }
}

fn is_uid(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Without the keys that nobody asked for.
fn stripped(cx: &mut Context<'_>, answer: &HeldResponse, bytes: &[u8]) -> Option<Vec<u8>> {
    let encoding = cx.terms.context(answer.asked.sent_context_id)?.encoding?;
    let granted = cx.answered(answer.asked.message_id)?.granted.as_deref()?;
    Some(Small::read(encoding, bytes)?.without(&granted.added))
}

/// An answer of a query is one less of many. That of an N-GET is what was waited for, and its requestor is told that there is none.
fn is_withheld(cx: &mut Context<'_>, answer: HeldResponse) -> State {
    let state = withhold(cx, &answer);
    if answer.asked.operation != Operation::NGet {
        return state;
    }
    let HeldResponse { response, asked, status, .. } = answer;
    crossing::response_refused(cx, *response, asked, status, outside())
}

fn withhold(cx: &mut Context<'_>, answer: &HeldResponse) -> State {
    let exchange = cx.answered(answer.asked.message_id);
    if let Some(granted) = exchange.and_then(|exchange| exchange.granted.as_deref_mut()) {
        granted.withheld += 1;
    }
    State::BETWEEN
}

/// Sends it on: as it came, across a boundary, or without what a role leaves out.
fn deliver(cx: &mut Context<'_>, answer: HeldResponse, data: &[u8]) -> Next {
    let HeldResponse { response, asked, status, way } = answer;
    // Its request may have ended while its study was looked up.
    let Some(guards) = cx.answered(asked.message_id).map(|exchange| exchange.guards_answers()) else {
        return Ok(State::BETWEEN);
    };
    if way.is_none() && !guards {
        let to_context_id = asked.context_id;
        answered(cx, asked.message_id, status);
        cx.send(to_context_id, response.bytes());
        cx.desk.put(data);
        cx.pack(to_context_id, true).map_err(Break::inside)?;
        return Ok(State::BETWEEN);
    }
    match crossing::response(cx, *response, asked, status, way) {
        State::Rewritten(rewritten) => rewritten.whole(cx, data.into()),
        State::Swallowed(swallowed) => Ok(swallowed.go_on(cx, true)),
        state => Ok(state),
    }
}

fn last_word(cx: &mut Context<'_>, answer: HeldResponse, context_id: u8) -> Next {
    let HeldResponse { response, asked, status, .. } = answer;
    let bare = Command::parse(dimse::without_data_set(&response));
    let bare = bare.map_err(|malformed| Break::between(cx.protocol(malformed)))?;
    response::handle(cx, context_id, Box::new(bare), asked.operation, asked.message_id, status)
}

//! A data set that is rewritten on its way, and with it a way to fail.

use super::answer::Answer;
use super::consented::{self, AwaitsConsent};
use super::crossing::{self, Crossed};
use super::desk::{Context, Desk, OUTSIDE};
use super::ended::Ended;
use super::examined::{self, Examined};
use super::exchange::{Exchange, Named, unread};
use super::passage::{Passage, query_of};
use super::request::Refused;
use super::scoped::{self, Header, Verdict};
use super::state::{Break, Came, Next, State};
use super::stepping::{AwaitsStored, Part, Then};
use super::swallowed::{Swallowed, refuse_held};
use super::terms::Consented;
use super::want::Question;
use crate::audit;
use crate::dataset::Identifier;
use crate::dimse::Command;
use crate::rewrite::{RewriteError, RewriteProblem, Step, Transform};
use crate::vocabulary::Cause;
use crate::wire::pdu::Abort;
use crate::wire::{AbortReason, escape};

/// More of it is awaited, rewritten and sent on.
pub(super) struct Rewritten {
    pub passage: Passage,
    pub transform: Transform,
    /// Looks at what a query asks.
    pub identifier: Option<Box<Identifier>>,
    /// Until the role was asked about an identifier, nothing of which goes on before.
    pub examined: Option<Box<Examined>>,
    /// Why it cannot be rewritten, while the role is still to be asked.
    pub failed: Option<RewriteError>,
    pub origin: Origin,
    /// The command set to send, held back until the transform has seen enough of the data set to be trusted: until
    /// then a failure leaves the other side untouched.
    pub held: Option<Vec<u8>>,
    /// The context for it where it is decoded.
    pub native: Option<u8>,
    /// Whether it is held back for longer, since its peer may see some studies only.
    pub scoped: Scoped,
    /// The data set, where it was held whole before.
    pub own: Option<Box<[u8]>>,
}

/// What the scope of a peer has to do with a data set.
pub(super) enum Scoped {
    Not,
    /// An object, whose header is judged as it came.
    Object(Box<Header>),
    /// One whose header is judged as it goes on, with its real values; so many spans of that were looked at.
    Restored(Box<Header>, usize),
    /// A query or retrieval, which is judged as it goes on.
    Asks,
}

/// Whom to tell if the rewrite fails, and what.
pub(super) enum Origin {
    /// A request as it came, for its response.
    Request(Command),
    /// A response that crosses a boundary.
    Response(Box<Crossed>),
}

impl Rewritten {
    /// `held` is the command set to send. Nobody looks at what is in the data set, besides the transform.
    pub(super) fn of(passage: Passage, transform: Transform, origin: Origin, held: Vec<u8>) -> Self {
        Self {
            passage,
            transform,
            identifier: None,
            examined: None,
            failed: None,
            origin,
            held: Some(held),
            native: None,
            scoped: Scoped::Not,
            own: None,
        }
    }

    pub(super) fn handle(mut self: Box<Self>, cx: &mut Context<'_>, came: &Came) -> Next {
        self.passage.take(cx, came).map_err(Break::inside)?;
        if let Some(identifier) = &mut self.identifier {
            identifier.observe(cx.desk.bytes(came.range.clone()).map_err(Break::inside)?);
        }
        if let Err(refused) = examined::look(cx, &mut self.examined, &self.passage, came) {
            return Ok(self.refuse(cx, refused, came.last));
        }
        // What is wrong with a query is not told before its role has let it pass.
        if let Some(error) = self.failed.take() {
            return Ok(self.fail(cx, &error, came.last));
        }
        if matches!(self.scoped, Scoped::Asks) && self.passage.bytes > scoped::LONGEST as u64 {
            return Ok(self.refuse(cx, scoped::outside(), came.last));
        }
        if let Scoped::Object(header) = &mut self.scoped
            && header.look(cx.desk.bytes(came.range.clone()).map_err(Break::inside)?, came.last)
        {
            match header.verdict(cx) {
                Verdict::Refused(why) => return Ok(self.refuse_by_header(cx, why, came.last)),
                Verdict::Asks(whom) => {
                    let part = Part { range: came.range.clone(), at: 0, last: came.last };
                    return Ok(AwaitsConsent::Rewritten(self, part).ask(cx, whom));
                }
                Verdict::Goes => self.scoped = Scoped::Not,
            }
        }
        self.step(cx, Part { range: came.range.clone(), at: 0, last: came.last })
    }

    /// It is known whether its patient has consented, for which a fragment has waited.
    pub(super) fn consented(
        mut self: Box<Self>,
        cx: &mut Context<'_>,
        consented: Consented,
        part: Part,
    ) -> Next {
        if let Some(why) = consented::refused(consented) {
            return Ok(self.refuse_by_header(cx, why, part.last));
        }
        self.scoped = Scoped::Not;
        self.step(cx, part)
    }

    /// The same of one that has got its real values back.
    pub(super) fn restored_consented(
        mut self: Box<Self>,
        cx: &mut Context<'_>,
        consented: Consented,
        last: bool,
    ) -> Next {
        if let Some(why) = consented::refused(consented) {
            return Ok(self.refuse_by_header(cx, why, last));
        }
        self.scoped = Scoped::Not;
        self.taken(cx, last)
    }

    fn refuse_by_header(self: Box<Self>, cx: &mut Context<'_>, why: Refused, last: bool) -> State {
        let Self { passage, origin, scoped, .. } = *self;
        match (origin, scoped) {
            (Origin::Request(command), Scoped::Object(header) | Scoped::Restored(header, _)) => {
                consented::refuse_object(cx, (&command, &passage), &header, why, last)
            }
            (Origin::Request(command), _) => refuse_held(cx, &command, &passage, why, |_| (), last),
            // No response is an object.
            (Origin::Response(_), _) => Swallowed::of(passage.context_id, None),
        }
    }

    /// Looks at what was made of an object that gets its real values back, before any of it goes on.
    fn judge_restored(mut self: Box<Self>, cx: &mut Context<'_>, last: bool) -> Next {
        let Scoped::Restored(header, looked) = &mut self.scoped else { return self.taken(cx, last) };
        let mut is_known = false;
        for span in cx.desk.spans.get(*looked..).unwrap_or_default() {
            is_known = header.look(cx.desk.span(span).map_err(Break::inside)?, false);
        }
        *looked = cx.desk.spans.len();
        is_known |= last && header.look(&[], true);
        if !is_known {
            return self.taken(cx, last);
        }
        match header.verdict(cx) {
            Verdict::Refused(why) => Ok(self.refuse_by_header(cx, why, last)),
            Verdict::Asks(whom) => Ok(AwaitsConsent::Restored(self, last).ask(cx, whom)),
            Verdict::Goes => {
                self.scoped = Scoped::Not;
                self.taken(cx, last)
            }
        }
    }

    /// Takes a data set that was held whole, and is no longer in the inbox.
    pub(super) fn whole(mut self: Box<Self>, cx: &mut Context<'_>, data: Box<[u8]>) -> Next {
        let range = 0..data.len();
        self.passage.bytes = range.len() as u64;
        self.own = Some(data);
        self.step(cx, Part { range, at: 0, last: true })
    }

    /// Takes a step over a fragment.
    pub(super) fn step(mut self: Box<Self>, cx: &mut Context<'_>, mut part: Part) -> Next {
        match self.transform_on(cx, &mut part).map_err(Break::inside)? {
            Ok(Step::Done) => self.judge_restored(cx, part.last),
            Ok(step) => self.between_steps(cx, part, step),
            Err(error) => Ok(self.fail(cx, &error, part.last)),
        }
    }

    fn transform_on(
        &mut self,
        cx: &mut Context<'_>,
        part: &mut Part,
    ) -> Result<Result<Step, RewriteError>, Ended> {
        let Desk { inbox, output, .. } = &mut *cx.desk;
        let lies_in = self.own.as_deref().unwrap_or(inbox.all());
        let input = lies_in.get(part.range.clone()).ok_or(OUTSIDE)?;
        let mut step = self.transform.step(input, &mut part.at, output);
        if part.last && matches!(step, Ok(Step::Done)) {
            step = self.transform.finish_step(output);
        }
        match &self.own {
            Some(own) => cx.desk.take_pieces_of(own)?,
            None => cx.desk.take_pieces(part.range.start),
        }
        Ok(step)
    }

    /// The transform took a fragment whole. Before anything goes out that has a pseudonym in it, what that stands for is on
    /// the disk: of a header before the command set, of what comes later before the fragment that it is in.
    fn taken(mut self: Box<Self>, cx: &mut Context<'_>, last: bool) -> Next {
        if (last || self.may_go()) && self.asks_to_store(cx) {
            let then = Then::Taken { last };
            return Ok(State::AwaitsStored(Box::new(AwaitsStored { data: self, then })));
        }
        self.go_on(cx, last)
    }

    /// Whether there is something to be remembered first. HeldRequest after each fragment, and nearly never is there.
    pub(super) fn asks_to_store(&mut self, cx: &mut Context<'_>) -> bool {
        let made = self.transform.take_correspondences();
        let asks = !made.is_empty() && cx.terms.crosswalk.is_some();
        if asks {
            cx.ask(Question::Store(made));
        }
        asks
    }

    /// What has come so far can go.
    pub(super) fn go_on(mut self: Box<Self>, cx: &mut Context<'_>, last: bool) -> Next {
        if last {
            return self.complete(cx);
        }
        if self.may_go() {
            self.release(cx);
        }
        Ok(State::Rewritten(self))
    }

    /// Whether enough is known for the beginning to go.
    pub(super) fn may_go(&self) -> bool {
        self.examined.is_none() && self.transform.settled()
    }

    /// A query that its role does not allow, or that is too long to be judged.
    fn refuse(self: Box<Self>, cx: &mut Context<'_>, why: Refused, last: bool) -> State {
        let Self { passage, identifier, origin, .. } = *self;
        match origin {
            Origin::Request(command) => examined::refuse(cx, &command, &passage, identifier, why, last),
            // No response is examined.
            Origin::Response(_) => Swallowed::of(passage.context_id, None),
        }
    }

    /// Sends the command set that waited for its data set.
    pub(super) fn release(&mut self, cx: &mut Context<'_>) {
        if !matches!(self.scoped, Scoped::Not) {
            return;
        }
        let Some(command) = self.held.take() else { return };
        if let Some(native) = self.native.filter(|_| self.transform.decodes()) {
            self.passage.to_context_id = native;
            if let Some(exchange) = self.passage.request.and_then(|message_id| cx.asked(message_id)) {
                exchange.sent_context_id = native;
            }
        }
        cx.send(self.passage.to_context_id, &command);
    }

    /// Packs what was made so far; while the command is held back, it is kept instead.
    pub(super) fn pack(&self, cx: &mut Context<'_>) -> Result<(), Ended> {
        match self.held {
            Some(_) => cx.desk.keep_spans(),
            None => cx.pack(self.passage.to_context_id, false),
        }
    }

    fn complete(mut self: Box<Self>, cx: &mut Context<'_>) -> Next {
        if matches!(self.scoped, Scoped::Asks) {
            return self.ask(cx);
        }
        self.release(cx);
        self.note(cx, true);
        let context_id = self.passage.to_context_id;
        if let Origin::Response(crossed) = self.origin {
            crossing::response_complete(cx, &crossed, self.transform.summary());
        }
        cx.pack(context_id, true).map_err(Break::inside)?;
        Ok(State::BETWEEN)
    }

    /// Has a query or retrieval judged, which is there whole with its real values.
    fn ask(mut self: Box<Self>, cx: &mut Context<'_>) -> Next {
        self.note(cx, false);
        let data = cx.desk.take_back().map_err(Break::inside)?;
        let Passage { context_id, request, .. } = self.passage;
        let encoding = cx.terms.known_context(context_id).map_err(Break::inside)?.encoding;
        let (Origin::Request(request_came), Some(command), Some(encoding)) =
            (self.origin, self.held, encoding)
        else {
            let detail = "a request that is to be judged is no request";
            return Err(Break::inside(Ended::Defect { detail }));
        };
        let message_id = request.unwrap_or_default();
        let (data, commitment) = (data.into(), None);
        let asked = scoped::HeldRequest {
            request: request_came,
            command,
            context_id,
            message_id,
            encoding,
            data,
            commitment,
        };
        scoped::decide(cx, asked)
    }

    /// Tells the request's record what its data set held, which was sent on or is held.
    fn note(&mut self, cx: &mut Context<'_>, is_sent: bool) {
        if self.passage.request.is_none() {
            return;
        }
        let is_lost = self.identifier.as_ref().is_some_and(|identifier| identifier.is_lost());
        let query = self.identifier.take().map(|identifier| query_of(*identifier));
        let summary = self.transform.summary();
        cx.books.tally.changed(summary.elements);
        // A crosswalk knows patients by text already.
        let is_text = cx.terms.crosswalk.is_some();
        let note = |exchange: &mut Exchange| {
            exchange.rewritten = Some(summary.elements);
            exchange.study = summary.study_instance_uid.as_deref().map(escape);
            let patient = summary.patient_id.as_deref().filter(|patient| !self.transform.is_pattern(patient));
            let known = self.transform.patient().filter(|_| is_text).map(<[u8]>::to_vec);
            let patient = known.or_else(|| patient.map(|patient| self.transform.text_of(patient)));
            exchange.patient = patient.or(exchange.patient.take());
            exchange.own_schedule = self.transform.asks_own_schedule();
            exchange.query = query;
            exchange.tolerate(unread(is_lost));
            exchange.tolerate_in_data_set(summary.tolerated);
            exchange.new_study = summary.new_study_instance_uid.as_deref().map(escape);
        };
        if is_sent { self.passage.note(cx, note) } else { self.passage.note_held(cx, note) }
    }

    /// The data set cannot be rewritten. Where nothing of it was sent on, the other side never hears of it; where
    /// something was, that side gets an A-ABORT and never a last fragment.
    pub(super) fn fail(mut self: Box<Self>, cx: &mut Context<'_>, error: &RewriteError, last: bool) -> State {
        if !last && self.examined.is_some() {
            cx.desk.spans.clear();
            self.failed = Some(error.clone());
            return State::Rewritten(self);
        }
        let Self { passage, transform, identifier, origin, held, .. } = *self;
        let Passage { context_id, request, empty, .. } = passage;
        cx.desk.spans.clear();
        let ends_with = if held.is_some() { None } else { Some(condemn(cx, error)) };
        let message_id = request.unwrap_or_default();
        cx.terms.span.in_scope(|| {
            tracing::warn!("message-id" = message_id, %error, "a data set could not be rewritten");
        });
        let summary = transform.summary();
        let response = match origin {
            Origin::Request(command) => {
                if let Some(exchange) = cx.asked(message_id) {
                    exchange.query = identifier.map(|identifier| query_of(*identifier));
                    exchange.named = Named::instead(summary);
                    exchange.tolerate_in_data_set(summary.tolerated);
                }
                unsent(cx, &command, message_id, error)
            }
            Origin::Response(crossed) if held.is_some() => crossing::response_failed(cx, &crossed, error),
            Origin::Response(_) => None,
        };
        Box::new(Swallowed { context_id, empty, response, ends_with }).go_on(cx, last)
    }
}

/// What a request is answered whose data set could not be rewritten, unless it has had its answer.
fn unsent(cx: &mut Context<'_>, command: &Command, message_id: u16, error: &RewriteError) -> Option<Vec<u8>> {
    let mut exchange = cx.books.ledger.close(cx.direction, message_id)?;
    exchange.fault = Some(fault_of(error));
    if let Some(answer) = exchange.early {
        cx.record(*exchange, answer);
        return None;
    }
    let hidden = match error.problem {
        RewriteProblem::MatchesNothing => scoped::as_outside(command, &exchange),
        _ => None,
    };
    let (response, answer) =
        hidden.unwrap_or_else(|| crossing::request_failed(command, exchange.operation, error));
    let answer = match answer {
        Answer::Instead(status, _) if exchange.named != Named::default() => {
            Answer::Instead(status, Cause::DataSetMismatch)
        }
        answer => answer,
    };
    cx.record(*exchange, answer);
    Some(response)
}

/// Aborts the side that the data set was going to. The association ends once its sender knows.
fn condemn(cx: &mut Context<'_>, error: &RewriteError) -> Box<Ended> {
    cx.outlet.is_condemned = true;
    cx.outlet.packer.forget();
    cx.outlet.packer.clear();
    cx.send_pdu(&Abort::provider(AbortReason::NotSpecified).to_pdu());
    cx.desk.gives_back = true;
    let detail = format!("a data set could not be rewritten after its beginning had been sent on: {error}");
    Box::new(Ended::Policy { detail })
}

/// What the record says of a data set that could not be rewritten.
pub(super) fn fault_of(error: &RewriteError) -> Box<audit::Fault> {
    Box::new(audit::Fault {
        element: error.element(),
        offset: error.offset,
        problem: error.problem.to_string().into(),
        expected: Some(error.problem.expected().into()),
    })
}

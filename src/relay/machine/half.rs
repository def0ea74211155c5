//! One direction of an association: a read, all that it leads to, what that is to be written, and the next read.
//!
//! There is no queue between reading and writing, so a slow reader slows the writer. What is to be done before a half goes on
//! lies on its [`Desk`], and is done in this order: records, what is packed, an answer, a question.

use super::books::Books;
use super::desk::{Context, Desk, Reply};
use super::ended::{Ended, Side};
use super::outlet::Outlet;
use super::state::{Break, Came, State};
use super::terms::{Terms, opposite, sender};
use super::want::{Learned, Question, Want};
use crate::policy::Direction;
use crate::wire::{AbortReason, Deframer, Event, Fragment, Malformed, Outgoing, Packer, pdu};

/// Where a half is in its turn.
enum Turn {
    /// It waits for bytes.
    Read,
    /// Some have come; their rate is waited for.
    Pace,
    /// It takes events out of the inbox.
    Work,
    /// It has taken all that came.
    Flush,
    /// It does not go on. What was whole before that is still written.
    Close(Break),
    /// The other half, or whoever drives both, tells how the association ends.
    Over,
}

/// What was handed out and is not answered yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HandedOut {
    Nothing,
    Record,
    Question,
}

/// What both halves work with.
pub(super) struct Shared {
    pub terms: Terms,
    pub books: Books,
    pub to_upstream: Outlet,
    pub to_requestor: Outlet,
    /// A turn was given back that the other half waits for.
    pub has_handed_over: bool,
    /// No message begins any more; those that have begun go on to their end.
    pub is_closing: bool,
}

impl Shared {
    fn outlet(&mut self, side: Side) -> &mut Outlet {
        match side {
            Side::Upstream => &mut self.to_upstream,
            Side::Requestor => &mut self.to_requestor,
        }
    }

    fn give_turn_back(&mut self, side: Side, half: Direction) {
        self.has_handed_over |= self.outlet(side).give_turn_back(half);
    }
}

/// One direction of an association.
pub(super) struct Half {
    direction: Direction,
    deframer: Deframer,
    state: State,
    turn: Turn,
    handed_out: HandedOut,
    pub desk: Desk,
    /// An answer that is being written to the side that this half hears.
    answer: Option<Box<Packer>>,
}

/// What became of the unread bytes.
enum Step {
    Taken,
    /// Nobody looked at them, and nothing has to be done.
    Passed,
    MoreToRead,
}

impl Half {
    pub(super) fn new(direction: Direction, offered: u32) -> Self {
        Self {
            direction,
            deframer: Deframer::new(offered),
            state: State::BETWEEN,
            turn: Turn::Read,
            handed_out: HandedOut::Nothing,
            desk: Desk::default(),
            answer: None,
        }
    }

    fn from(&self) -> Side {
        sender(self.direction)
    }

    fn to(&self) -> Side {
        sender(opposite(self.direction))
    }

    fn context<'m>(&'m mut self, shared: &'m mut Shared) -> (Context<'m>, &'m mut State, &'m mut Deframer) {
        let outlet = match self.direction {
            Direction::FromPeer => &mut shared.to_upstream,
            Direction::ToPeer => &mut shared.to_requestor,
        };
        let (terms, books, desk) = (&shared.terms, &mut shared.books, &mut self.desk);
        let context = Context { direction: self.direction, terms, books, outlet, desk };
        (context, &mut self.state, &mut self.deframer)
    }

    /// A PDU of dimsegate's own, before anything is relayed in this direction.
    pub(super) fn begin_with(&mut self, shared: &mut Shared, pdu: &[u8]) {
        self.context(shared).0.send_pdu(pdu);
        shared.books.progress.under_way(self.direction, true);
        self.turn = Turn::Flush;
    }

    /// Goes on as far as it can without its driver; gives what has to be done then.
    pub(super) fn next(&mut self, shared: &mut Shared) -> Want {
        loop {
            if let Some(want) = self.unfinished(shared) {
                return want;
            }
            match &self.turn {
                Turn::Read if self.is_through(shared) => return Want::Nothing,
                Turn::Read => return Want::Read { unfinished: self.is_inside(shared) },
                Turn::Pace | Turn::Work => self.work(shared),
                Turn::Flush => self.rest(shared),
                Turn::Close(_) => match self.close(shared) {
                    Some(ended) => return Want::End(*ended),
                    None => return Want::Nothing,
                },
                Turn::Over => return Want::Nothing,
            }
        }
    }

    /// Whether a message is under way, or as long as messages may begin, a part of a PDU.
    pub(super) fn is_inside(&self, shared: &Shared) -> bool {
        let is_inside_pdu = !shared.is_closing && self.deframer.is_inside_pdu();
        !self.state.is_between() || self.deframer.is_inside_pdv() || is_inside_pdu
    }

    /// Whether some of the next message has come.
    pub(super) fn has_begun(&self) -> bool {
        self.state.is_between() && self.deframer.is_inside_pdu()
    }

    /// Whether what comes next, or has come already, is no longer taken: a message begins with its first PDV.
    fn is_through(&self, shared: &Shared) -> bool {
        shared.is_closing && !self.is_inside(shared)
    }

    /// What has to be done first.
    fn unfinished(&mut self, shared: &mut Shared) -> Option<Want> {
        if self.handed_out != HandedOut::Nothing {
            return Some(Want::Answer);
        }
        if !self.desk.records.is_empty() {
            self.handed_out = HandedOut::Record;
            return Some(Want::Record(self.desk.records.remove(0)));
        }
        self.outgoing_first(shared).or_else(|| {
            let question = self.desk.question.take()?;
            self.handed_out = HandedOut::Question;
            Some(Want::Ask(question))
        })
    }

    /// What is to be written before anything else is done.
    fn outgoing_first(&mut self, shared: &mut Shared) -> Option<Want> {
        let (direction, from, to) = (self.direction, self.from(), self.to());
        if self.answer.is_none() && (self.desk.writes || self.desk.answer.is_some()) {
            let outlet = shared.outlet(to);
            if !outlet.packer.plan().is_empty() {
                let is_ours = false;
                let has_turn = outlet.take_turn(direction);
                return Some(if has_turn { Want::Write(to) } else { Want::Turn { is_ours } });
            }
            self.desk.writes = false;
            self.desk.written();
        }
        if std::mem::take(&mut self.desk.gives_back) {
            shared.give_turn_back(to, direction);
        }
        if self.answer.is_none() && self.desk.answer.is_some() {
            shared.give_turn_back(to, direction);
            // Who has been asked for the release hears no more messages (PS3.8 Table 9-10, Sta7 and Sta8).
            if shared.books.release.was_asked_by(to) {
                self.desk.answer = None;
                shared.give_turn_back(from, direction);
                return None;
            }
            let outlet = shared.outlet(from);
            if !outlet.take_turn(direction) {
                return Some(Want::Turn { is_ours: true });
            }
            self.answer = self.desk.answer.take().map(|reply| {
                let Reply { context_id, command } = *reply;
                let mut packer = Box::new(outlet.guest());
                packer.command(context_id, &command);
                packer
            });
        }
        self.answer.is_some().then_some(Want::Write(from))
    }

    /// The plan that [`Want::Write`] wants written: an answer of dimsegate's own, or what goes on of what came.
    pub(super) fn outgoing<'m>(&'m self, host: &'m Packer) -> Outgoing<'m> {
        match &self.answer {
            Some(answer) => Outgoing { packer: answer, input: &[], made: &[] },
            None => Outgoing { packer: host, input: self.desk.inbox.all(), made: &self.desk.output.made },
        }
    }

    /// So many bytes have come into the inbox.
    pub(super) fn read(&mut self, shared: &mut Shared, count: usize) {
        debug_assert!(matches!(self.turn, Turn::Read));
        shared.books.progress.moved(self.direction);
        self.desk.question = Some(Question::PaceOfBytes(count));
        self.turn = Turn::Pace;
    }

    /// No more come. Where that was to be expected, the other direction tells how the association ends.
    pub(super) fn stream_ended(&mut self, shared: &mut Shared, detail: String) {
        let side = self.from();
        if self.state.is_between() && shared.books.release.was_asked_by(side) {
            self.turn = Turn::Over;
        } else {
            self.turn = Turn::Close(self.lost(side, detail));
        }
    }

    fn lost(&self, side: Side, detail: String) -> Break {
        let is_between_messages = self.state.is_outside_message();
        Break { ended: Box::new(Ended::Lost { side, detail }), is_between_messages }
    }

    /// What was to be written is.
    pub(super) fn written(&mut self, shared: &mut Shared) {
        let (direction, from, to) = (self.direction, self.from(), self.to());
        if self.answer.take().is_some() {
            shared.give_turn_back(from, direction);
            return;
        }
        shared.outlet(to).packer.clear();
        self.desk.writes = false;
        self.desk.written();
    }

    /// It cannot be. A side that has its abort does not need to hear more.
    pub(super) fn not_written(&mut self, shared: &mut Shared, detail: String) {
        let side = if self.answer.is_some() { self.from() } else { self.to() };
        let tells = matches!(self.turn, Turn::Close(_)) || shared.outlet(side).is_condemned;
        self.written(shared);
        if !tells {
            (self.desk.answer, self.desk.question) = (None, None);
            self.turn = Turn::Close(self.lost(side, detail));
        }
    }

    /// A record is kept, or a question answered.
    pub(super) fn learns(&mut self, shared: &mut Shared, learned: Learned) {
        match std::mem::replace(&mut self.handed_out, HandedOut::Nothing) {
            HandedOut::Nothing => self.stop(shared, Break::inside(NOBODY_ASKED)),
            HandedOut::Record => {}
            HandedOut::Question if matches!(self.turn, Turn::Pace) => self.turn = Turn::Work,
            HandedOut::Question => {
                let (mut context, state, _) = self.context(shared);
                match std::mem::replace(state, State::BETWEEN).learns(&mut context, learned) {
                    Ok(next) => self.state = next,
                    Err(stopped) => self.stop(shared, stopped),
                }
            }
        }
    }

    /// Takes events out of the inbox until something has to be done first, or more has to be read.
    fn work(&mut self, shared: &mut Shared) {
        debug_assert!(self.state.takes_bytes(), "an answer is awaited that nobody was asked for");
        loop {
            if self.is_through(shared) {
                return self.flush(shared);
            }
            match self.step(shared) {
                Ok(Step::Passed) => {}
                Ok(Step::Taken) if self.desk.has_to_wait() => return,
                Ok(Step::Taken) => {}
                Ok(Step::MoreToRead) => return self.flush(shared),
                Err(stopped) => return self.stop(shared, stopped),
            }
        }
    }

    /// Takes one event out of the inbox.
    fn step(&mut self, shared: &mut Shared) -> Result<Step, Break> {
        if matches!(self.state, State::Ending(_))
            && let State::Ending(ended) = std::mem::replace(&mut self.state, State::BETWEEN)
        {
            return Err(Break { ended, is_between_messages: true });
        }
        let (mut cx, state, deframer) = self.context(shared);
        if state.is_between() {
            cx.outlet.packer.is_whole();
        }
        let next = deframer.next(cx.desk.inbox.unread());
        let (used, event) = next.map_err(|malformed| stops(state, cx.protocol(malformed)))?;
        let end = cx.desk.inbox.position() + used;
        let Some(event) = event else {
            cx.desk.inbox.consume(used);
            return Ok(if cx.desk.inbox.next_piece() { Step::Taken } else { Step::MoreToRead });
        };
        match event {
            Event::Fragment(Fragment { context_id, kind, bytes, last }) => {
                // A fragment borrows the inbox; its bytes are the last ones used.
                let range = end - bytes.len()..end;
                cx.desk.inbox.consume(used);
                let came = Came { context_id, kind, range, last };
                if state.passes_on(&mut cx, &came) {
                    return Ok(Step::Passed);
                }
                *state = std::mem::replace(state, State::BETWEEN).handle(&mut cx, &came)?;
            }
            Event::ReleaseRq => {
                cx.desk.inbox.consume(used);
                release_asked(&mut cx, state).map_err(|ended| stops(state, ended))?;
            }
            Event::ReleaseRp => {
                cx.desk.inbox.consume(used);
                let complete = release_answered(&mut cx, state).map_err(|ended| stops(state, ended))?;
                if let Some(by) = complete {
                    *state = State::Ending(Box::new(Ended::Released { by }));
                }
            }
            Event::Abort(abort) => return Err(stops(state, Ended::Aborted { by: cx.sender(), abort })),
        }
        Ok(Step::Taken)
    }

    /// Packs what this turn produced.
    fn flush(&mut self, shared: &mut Shared) {
        let (mut cx, state, _) = self.context(shared);
        if let Err(ended) = state.pack(&mut cx) {
            return self.stop(shared, Break::inside(ended));
        }
        let waits = state.waits_for_a_data_set() && cx.outlet.packer.has_a_command_alone();
        cx.desk.writes = !waits;
        self.turn = Turn::Flush;
    }

    /// The turn is over.
    fn rest(&mut self, shared: &mut Shared) {
        debug_assert!(
            shared.outlet(self.to()).packer.plan().is_empty() || self.state.waits_for_a_data_set(),
            "something is left unwritten"
        );
        if self.state.is_between() {
            let (direction, to) = (self.direction, self.to());
            shared.outlet(to).packer.shrink();
            shared.give_turn_back(to, direction);
            self.desk.rest();
        }
        let has_more = !self.is_through(shared) && !self.desk.inbox.unread().is_empty();
        let under_way = self.is_inside(shared) || has_more;
        shared.books.progress.under_way(self.direction, under_way);
        self.turn = Turn::Read;
    }

    /// The half does not go on. What was whole before goes on, as it does if it comes in another read; what was not, never.
    pub(super) fn stop(&mut self, shared: &mut Shared, stopped: Break) {
        let packer = &mut shared.outlet(self.to()).packer;
        if !stopped.is_between_messages {
            packer.keep_whole();
        }
        self.desk.writes = !matches!(*stopped.ended, Ended::Defect { .. });
        (self.desk.gives_back, self.desk.answer, self.desk.question) = (false, None, None);
        // Nobody waits for what was asked, nor writes on.
        (self.handed_out, self.answer) = (HandedOut::Nothing, None);
        self.turn = Turn::Close(stopped);
    }

    /// How the association ends, unless this half has yet to let the other one answer the sender of a bad object. Where both
    /// have had one, the first to be through ends it.
    fn close(&mut self, shared: &mut Shared) -> Option<Box<Ended>> {
        let (direction, from, to) = (self.direction, self.from(), self.to());
        let Turn::Close(stopped) = std::mem::replace(&mut self.turn, Turn::Over) else { return None };
        let has_its_own = matches!(*stopped.ended, Ended::Policy { .. });
        if shared.outlet(from).is_condemned && stopped.is_between_messages && !has_its_own {
            shared.give_turn_back(to, direction);
            return None;
        }
        Some(stopped.ended)
    }
}

const NOBODY_ASKED: Ended = Ended::Defect { detail: "an answer came that nobody awaits" };

/// What ends a half in this state.
fn stops(state: &State, ended: Ended) -> Break {
    if state.is_between() { Break::between(ended) } else { Break::inside(ended) }
}

fn release_asked(cx: &mut Context<'_>, state: &State) -> Result<(), Ended> {
    if !state.is_between() {
        let what = "an A-RELEASE-RQ inside a message";
        return Err(cx.protocol(Malformed::new(AbortReason::UnexpectedPdu, what)));
    }
    let asked = cx.books.release.ask(cx.sender());
    asked.map_err(|malformed| cx.protocol(malformed))?;
    cx.books.progress.release();
    cx.send_pdu(&pdu::RELEASE_RQ);
    cx.desk.gives_back = true;
    Ok(())
}

/// Who asked first, once everything that was asked is answered.
fn release_answered(cx: &mut Context<'_>, state: &State) -> Result<Option<Side>, Ended> {
    if !state.is_between() {
        let what = "an A-RELEASE-RP inside a message";
        return Err(cx.protocol(Malformed::new(AbortReason::UnexpectedPdu, what)));
    }
    let complete = cx.books.release.answer(cx.sender());
    let complete = complete.map_err(|malformed| cx.protocol(malformed))?;
    cx.send_pdu(&pdu::RELEASE_RP);
    cx.desk.gives_back = true;
    Ok(complete)
}

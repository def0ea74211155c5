//! Two legs and a machine between them: the only place where an association waits, for bytes, for room to write, for the
//! answers to the machine's questions, and for its deadlines.
//!
//! # Why by hand
//!
//! All that an association waits for belongs to one task, and most of it never happens: an association waits for hours, and
//! what it holds meanwhile counts. So what it waits for is told by the machine at each wake-up, and only what is rare, and has
//! a future of its own, is boxed while it lasts.

mod day;
mod open;
mod outside;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep};

use super::alarm::Alarm;
use super::caught::caught;
use super::gate::{Gate, Stage};
use super::leg::NotWritten;
use super::live::{Entry as Entered, Waits, When};
use super::looking_up::Way;
use super::machine::{Consented, Ended, Entry, Learned, LookedUp, Question, Side, Want};
use super::seldom::Seldom;
use crate::audit::Event;
use crate::consent::Who;
use crate::crosswalk::NotStored;
use crate::dimse::Operation;
use crate::policy::Direction;
use crate::upper::Written;
use day::Day;
pub(super) use day::today;
pub(super) use open::Open;
use outside::{Call, Waiting, called, ended_by};

/// How often a half that waits for a rate or for the other direction says that it still lives: well within the shortest
/// sensible deadline.
const PACE_TICK: Duration = Duration::from_millis(100);

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An association that is driven.
pub(super) struct Drive<'o, 'a> {
    open: &'o mut Open,
    gate: &'a Gate,
    from_peer: Lane<'a>,
    to_peer: Lane<'a>,
    turns: Turns,
    day: Day,
    alarm: Alarm,
    /// Where others see how far it has come, and order its end.
    entry: &'a Entered,
    call: Seldom<Boxed<'a, Call>>,
    stage: Stage,
    ordered: Option<Box<Waiting>>,
}

/// Which half goes on first. They take turns at that, since the first may use up the share of work that the runtime gives
/// to a task.
#[derive(Default)]
struct Turns {
    is_reversed: bool,
}

impl Turns {
    fn next(&mut self) -> [Direction; 2] {
        self.is_reversed = !self.is_reversed;
        match self.is_reversed {
            true => [Direction::ToPeer, Direction::FromPeer],
            false => [Direction::FromPeer, Direction::ToPeer],
        }
    }
}

/// What one half waits for.
#[derive(Default)]
struct Lane<'a> {
    written: Written,
    /// What came is acknowledged, and no more has come since.
    acknowledged: bool,
    answer: Option<Answer<'a>>,
    /// What it waited for when it was last looked at.
    waits: Waits,
    /// While it is dimsegate that it waits for.
    tick: Option<Pin<Box<Sleep>>>,
}

struct Answer<'a> {
    future: Boxed<'a, Learned>,
    holds_up: bool,
    is_record: bool,
}

impl<'o, 'a> Drive<'o, 'a> {
    pub(super) fn new(open: &'o mut Open, gate: &'a Gate, entry: &'a Entered) -> Self {
        Self {
            open,
            gate,
            from_peer: Lane::default(),
            to_peer: Lane::default(),
            turns: Turns::default(),
            day: Day::default(),
            // The machine asks for a look at the deadlines at once.
            alarm: Alarm::new(),
            entry,
            call: Seldom::new(called(gate, entry, Stage::Running, None)),
            stage: Stage::Running,
            ordered: None,
        }
    }

    /// Goes on until it waits, or the association ends. Both halves go on at each wake-up, since a socket wakes the task and
    /// not the half that waits for it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let now = Instant::now().into_std();
        self.open.machine.woken(now, self.day.at(now));
        // First what has come: a proxy that could not run for a while has not been waiting in vain.
        loop {
            for direction in self.turns.next() {
                if let Poll::Ready(ended) = self.poll_half(direction, cx) {
                    return Poll::Ready(ended);
                }
            }
            if !self.open.machine.has_handed_over() {
                self.show();
                return self.poll_interruption(cx);
            }
        }
    }

    fn lane(&mut self, direction: Direction) -> &mut Lane<'a> {
        match direction {
            Direction::FromPeer => &mut self.from_peer,
            Direction::ToPeer => &mut self.to_peer,
        }
    }

    /// Does what a half wants until it waits.
    fn poll_half(&mut self, direction: Direction, cx: &mut Context<'_>) -> Poll<Ended> {
        loop {
            let want = self.open.machine.next(direction);
            self.lane(direction).waits = waits(&want);
            match want {
                Want::Read { unfinished } => ready!(self.poll_read(direction, unfinished, cx)),
                Want::Write(side) => ready!(self.poll_write(direction, side, cx)),
                Want::Turn { is_ours: false } | Want::Nothing => return Poll::Pending,
                Want::Turn { is_ours: true } => ready!(self.poll_tick(direction, cx)),
                Want::Record(entry) => self.record(direction, entry),
                Want::Ask(question) => self.ask(direction, question),
                Want::Answer => ready!(self.poll_answer(direction, cx)),
                Want::End(ended) => return Poll::Ready(ended),
            }
        }
    }

    fn poll_read(&mut self, direction: Direction, unfinished: bool, cx: &mut Context<'_>) -> Poll<()> {
        let lane = match direction {
            Direction::FromPeer => &mut self.from_peer,
            Direction::ToPeer => &mut self.to_peer,
        };
        let Open { machine, requestor, upstream, .. } = &mut *self.open;
        let leg = if direction == Direction::FromPeer { requestor } else { upstream };
        let Poll::Ready(read) = leg.poll_fill(cx, machine.inbox(direction)) else {
            if unfinished && !std::mem::replace(&mut lane.acknowledged, true) {
                leg.quick_ack();
            }
            return Poll::Pending;
        };
        lane.acknowledged = false;
        match read {
            Ok(0) => machine.stream_ended(direction, "it was closed without a release".to_owned()),
            Ok(count) => machine.read(direction, count),
            Err(error) => machine.stream_ended(direction, error.to_string()),
        }
        Poll::Ready(())
    }

    fn poll_write(&mut self, direction: Direction, side: Side, cx: &mut Context<'_>) -> Poll<()> {
        let lane = match direction {
            Direction::FromPeer => &mut self.from_peer,
            Direction::ToPeer => &mut self.to_peer,
        };
        let Open { machine, requestor, upstream, .. } = &mut *self.open;
        let leg = if side == Side::Requestor { requestor } else { upstream };
        let before = leg.sent();
        lane.tick = None;
        let written = leg.poll_write_plan(cx, machine.outgoing(direction), &mut lane.written);
        if leg.sent() > before {
            machine.moved(direction);
        }
        match ready!(written) {
            Ok(()) => machine.written(direction),
            Err(NotWritten::Io(error)) => machine.not_written(direction, error.to_string()),
            Err(NotWritten::Outside(_)) => {
                machine.defect(direction, "what is to be written lies outside of its buffer")
            }
        }
        Poll::Ready(())
    }

    fn record(&mut self, direction: Direction, entry: Entry) {
        self.open.count(&entry);
        self.open.rest();
        let (gate, machine) = (self.gate, &mut self.open.machine);
        let Some(event) = event_of(gate, &machine.terms().grant.peer.name, entry) else {
            return machine.learns(direction, Learned::Now);
        };
        let future = Box::pin(async move {
            gate.audit.record(event).await;
            Learned::Now
        });
        self.lane(direction).answer = Some(Answer { future, holds_up: false, is_record: true });
    }

    /// Begins to find an answer, where it is not there at once.
    fn ask(&mut self, direction: Direction, question: Question) {
        let (pace, gate) = (&self.open.pace, self.gate);
        let holds_up = question.holds_up();
        let future: Boxed<'a, Learned> = match question {
            Question::PaceOfBytes(count) if pace.limits_bytes() => {
                let pace = pace.clone();
                Box::pin(async move {
                    pace.bytes(count).await;
                    Learned::Now
                })
            }
            Question::PaceOfOperations if pace.limits_operations() => {
                let pace = pace.clone();
                Box::pin(async move {
                    pace.operation().await;
                    Learned::Now
                })
            }
            Question::PaceOfBytes(_) | Question::PaceOfOperations => {
                return self.open.machine.learns(direction, Learned::Now);
            }
            Question::Store(made) => {
                let crosswalk = self.open.crosswalk.clone();
                Box::pin(async move {
                    Learned::Stored(match crosswalk {
                        Some(crosswalk) => crosswalk.store(made).await,
                        None => Err(NotStored::Unavailable),
                    })
                })
            }
            Question::Decode(frame) => {
                let peer = Arc::clone(&self.open.machine.terms().grant.peer.name);
                Box::pin(async move { Learned::Pixels(gate.decoders.decode(peer, frame).await) })
            }
            Question::LookUp(look_up) => {
                let way = self.open.scope.clone();
                Box::pin(async move {
                    Learned::LookedUp(match way {
                        Some(way) => gate.looking_up.judge(&way, &look_up).await,
                        None => LookedUp::NotKnown,
                    })
                })
            }
            Question::Count(count) => {
                let (way, viewer) = (self.open.scope.clone(), self.open.viewer.clone());
                Box::pin(async move {
                    Learned::LookedUp(match way {
                        Some(way) => gate.looking_up.count(&way, &count, &gate.counting, &viewer).await,
                        None => LookedUp::NotKnown,
                    })
                })
            }
            Question::Consent(whom) => consented(self.open.scope.clone(), whom),
            Question::Others => Box::pin(async {
                yield_now().await;
                Learned::Now
            }),
        };
        self.lane(direction).answer = Some(Answer { future, holds_up, is_record: false });
    }

    fn poll_answer(&mut self, direction: Direction, cx: &mut Context<'_>) -> Poll<()> {
        let lane = self.lane(direction);
        let told = match &mut lane.answer {
            Some(answer) => match answer.future.as_mut().poll(cx) {
                Poll::Ready(told) => told,
                Poll::Pending if answer.holds_up => return self.poll_tick(direction, cx),
                Poll::Pending => return Poll::Pending,
            },
            None => {
                self.open.machine.defect(direction, "an answer is awaited that nobody looks for");
                return Poll::Ready(());
            }
        };
        (lane.answer, lane.tick) = (None, None);
        self.open.machine.learns(direction, told);
        Poll::Ready(())
    }

    /// Says from time to time that a wait is no stall. Mostly nothing has to wait, and then no timer is needed.
    fn poll_tick(&mut self, direction: Direction, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let lane = self.lane(direction);
            let tick = lane.tick.get_or_insert_with(|| Box::pin(sleep(PACE_TICK)));
            ready!(tick.as_mut().poll(cx));
            lane.tick = None;
            self.open.machine.held_up(direction);
        }
    }

    /// Whether a deadline has passed or dimsegate has to stop.
    fn poll_interruption(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let asks = self.open.machine.has_to_look();
        let Self { open, alarm, .. } = self;
        if let Err(expired) = alarm.poll(cx, asks, || open.machine.look(open.moved())) {
            return Poll::Ready(Ended::TimedOut { expired });
        }
        while let Poll::Ready(call) = Pin::new(&mut self.call).poll(cx) {
            match call {
                Call::Stage(Stage::Stopping) => return Poll::Ready(Ended::Shutdown),
                Call::Stage(stage) => {
                    self.stage = stage;
                    self.open.machine.drain();
                }
                Call::Order(order) if order.when == When::AtOnce => return Poll::Ready(ended_by(&order)),
                Call::Order(order) => {
                    let until = Instant::now().checked_add(self.gate.grace());
                    self.ordered = Some(Box::new(Waiting { order, until }));
                    self.open.machine.begin_no_more();
                }
                Call::Overdue => {
                    if let Some(waiting) = &self.ordered {
                        return Poll::Ready(ended_by(&waiting.order));
                    }
                }
            }
            self.call = Seldom::new(called(self.gate, self.entry, self.stage, self.ordered.as_deref()));
        }
        match &self.ordered {
            Some(waiting) if self.is_between_messages() => Poll::Ready(ended_by(&waiting.order)),
            _ if self.open.machine.may_end() => Poll::Ready(Ended::Drained),
            _ => Poll::Pending,
        }
    }

    /// Whether neither direction has anything to do before the next message begins.
    fn is_between_messages(&self) -> bool {
        let rests = |direction, lane: &Lane| {
            let waits_for_nothing = matches!(lane.waits, Waits::Bytes | Waits::Nothing);
            waits_for_nothing && !self.open.machine.is_inside(direction)
        };
        rests(Direction::FromPeer, &self.from_peer) && rests(Direction::ToPeer, &self.to_peer)
    }

    /// Says how far it has come, to whoever looks.
    fn show(&mut self) {
        let (Open { machine, requestor, upstream, .. }, course) = (&mut *self.open, &self.entry.course);
        course.set_bytes([requestor.received(), requestor.sent(), upstream.received(), upstream.sent()]);
        for (direction, lane) in [(Direction::FromPeer, &self.from_peer), (Direction::ToPeer, &self.to_peer)]
        {
            course.set_lane(direction, &machine.lane(direction, lane.waits));
        }
        if let Some(counted) = machine.counted() {
            counted.for_each(|(operation, counts)| course.set_counts(operation, counts));
        }
    }

    /// What was begun to be recorded is, before the association's own end is.
    pub(super) async fn end(self) {
        for answer in [self.from_peer.answer, self.to_peer.answer].into_iter().flatten() {
            if answer.is_record {
                // One that panicked does so again, and the others are kept all the same.
                let _ = caught(answer.future).await;
            }
        }
    }
}

/// Asks about a patient.
fn consented<'a>(way: Option<Arc<Way>>, whom: Box<Who>) -> Boxed<'a, Learned> {
    Box::pin(async move {
        Learned::Consented(match way.as_ref().and_then(|way| way.consent()) {
            Some(asked) => asked.ask(&whom).await,
            None => Consented::NotKnown,
        })
    })
}

fn waits(want: &Want) -> Waits {
    match want {
        Want::Read { .. } => Waits::Bytes,
        Want::Write(Side::Upstream) => Waits::RoomAtUpstream,
        Want::Write(Side::Requestor) => Waits::RoomAtRequestor,
        Want::Turn { .. } => Waits::OtherDirection,
        Want::Record(_) | Want::Ask(_) | Want::Answer => Waits::Dimsegate,
        Want::Nothing | Want::End(_) => Waits::Nothing,
    }
}

/// Writes down an operation that is over.
pub(super) async fn record(gate: &Gate, peer: &Arc<str>, entry: Entry) {
    if let Some(event) = event_of(gate, peer, entry) {
        gate.audit.record(event).await;
    }
}

/// Those that are refused, and C-ECHOs, are gathered where they are many.
fn event_of(gate: &Gate, peer: &Arc<str>, entry: Entry) -> Option<Event> {
    let is_refusal = entry.is_refusal();
    let operation = entry.operation;
    let is_echo = operation.operation == Operation::CEcho.name();
    let event = Event::Operation(operation);
    match is_refusal {
        true => gate.refusals.of_operation(peer, event),
        false if is_echo => gate.refusals.of_echo(peer, event),
        false => Some(event),
    }
}

#[cfg(test)]
mod tests {
    use super::{Drive, Open, Turns};
    use crate::policy::Direction::{FromPeer, ToPeer};

    #[test]
    fn both_halves_take_turns_at_being_the_first() {
        let mut order = Turns::default();
        let orders: Vec<_> = (0..3).map(|_| order.next()).collect();
        assert_eq!(orders, [[ToPeer, FromPeer], [FromPeer, ToPeer], [ToPeer, FromPeer]]);
    }

    /// An association that waits holds this for hours perhaps. What makes it larger belongs in a box, if it is rare.
    #[test]
    fn an_association_that_waits_is_small() {
        let bytes = size_of::<Open>() + size_of::<Drive<'_, '_>>();
        assert!(bytes <= 2_048, "{bytes} bytes");
    }
}

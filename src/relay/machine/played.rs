//! The machine without a driver, for `tests/fuzz`: a list of what happens in place of sockets and a clock, and what both sides
//! hear of it. Nothing of the proxy itself uses it.

use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use time::Date;

use super::{
    AcceptedContext, Deadlines, Ended, Learned, LookedUp, Machine, Question, Side, Terms, Waiting, Want,
    sender,
};
use crate::buffer::Shelf;
use crate::dataset::Encoding;
use crate::policy::{Direction, Grant};
use crate::rewrite::{Recalled, Ruleset};
use crate::wire::Uid;

/// What both sides were told that they may send, in bytes.
pub const MAXIMUM_LENGTH: u32 = 16_384;

/// Bytes of the PDU that stands for the A-ASSOCIATE-AC: what the requestor hears first.
pub const ANSWER: [u8; 10] = [2, 0, 0, 0, 0, 4, 0, 0, 0, 0];

/// What happens to an association.
#[derive(Clone, Copy, Debug)]
pub enum Happens<'a> {
    /// Bytes come on their way in this direction.
    Bytes(Direction, &'a [u8]),
    /// No more come, and nothing can be written back.
    Lost(Direction),
    /// So many seconds pass.
    Seconds(u16),
    /// The proxy stops.
    Drain,
    /// Its end is ordered, as soon as no message is under way.
    NoMore,
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// All that the upstream heard, and all that the requestor did, an abort at the end included.
    pub heard: [Vec<u8>; 2],
    /// A word for each record of an operation: its name, and its status where it was answered.
    pub records: Vec<String>,
    /// Why it is over, in words; `None` where it goes on when nothing happens any more.
    pub ended: Option<String>,
    /// Whether a promise of dimsegate's own was broken.
    pub is_defect: bool,
}

/// An association whose deadlines are a minute, in which both sides agreed on these contexts.
pub struct Stage<'a> {
    /// What its peer may do.
    pub grant: Grant,
    /// The rules for what the peer sends, where there are some.
    pub ruleset: Option<Arc<Ruleset>>,
    /// ID, abstract syntax and transfer syntax of each accepted context.
    pub contexts: &'a [(u8, Uid, Uid)],
    /// When it begins, and on which day.
    pub began: (Instant, Date),
    /// Bytes that a side takes at once.
    pub takes: usize,
}

struct Playing {
    machine: Machine,
    now: Instant,
    today: Date,
    takes: usize,
    /// By the direction that they go in.
    waiting: [Vec<u8>; 2],
    lost: [bool; 2],
    answers: [Option<Learned>; 2],
    written: [usize; 2],
    rests: [bool; 2],
    moved: [u64; 2],
    is_ordered: bool,
    played: Played,
}

/// Plays what happens, one after the other: before each, all is done that can be.
pub fn play<'h>(stage: &Stage<'_>, happens: impl IntoIterator<Item = Happens<'h>>) -> Played {
    let mut playing = Playing::new(stage);
    let mut ended = playing.go_on();
    for happens in happens {
        if ended.is_some() {
            break;
        }
        playing.happen(happens);
        ended = playing.go_on().or_else(|| playing.ended_from_outside());
    }
    playing.end(ended)
}

const MINUTE: Duration = Duration::from_secs(60);

fn terms(stage: &Stage<'_>) -> Terms {
    let context = |(id, abstract_syntax, transfer_syntax): &(u8, Uid, Uid)| AcceptedContext {
        id: *id,
        abstract_syntax: abstract_syntax.clone(),
        transfer_syntax: transfer_syntax.clone(),
        encoding: Encoding::of(transfer_syntax.as_str()),
    };
    Terms {
        id: "played".into(),
        span: tracing::Span::none(),
        grant: stage.grant.clone(),
        ruleset: stage.ruleset.clone(),
        crosswalk: None,
        contexts: stage.contexts.iter().map(context).collect(),
        frames: Shelf::of_one(),
        waiting: Waiting { corner: Shelf::of_one(), most: 1 << 20, recalled: Recalled::default() },
        max_command_length: 4096,
        offered: MAXIMUM_LENGTH,
        retrievals: None,
        queries: None,
        brought: None,
        consent: None,
    }
}

impl Playing {
    fn new(stage: &Stage<'_>) -> Self {
        let deadlines = Deadlines {
            dimse: MINUTE,
            min_bytes_per_second: 0,
            response: [MINUTE; 2],
            idle: MINUTE,
            release: MINUTE,
        };
        let machine = Machine::new(terms(stage), [MAXIMUM_LENGTH; 2], deadlines, &ANSWER, stage.began);
        let (now, today) = stage.began;
        Self {
            machine,
            now,
            today,
            takes: stage.takes.max(1),
            waiting: Default::default(),
            lost: [false; 2],
            answers: [None, None],
            written: [0; 2],
            rests: [false; 2],
            moved: [0; 2],
            is_ordered: false,
            played: Played::default(),
        }
    }

    fn happen(&mut self, happens: Happens<'_>) {
        match happens {
            Happens::Bytes(direction, bytes) if !*of(&mut self.lost, direction) => {
                of(&mut self.waiting, direction).extend_from_slice(bytes);
            }
            Happens::Bytes(..) => {}
            Happens::Lost(direction) => *of(&mut self.lost, direction) = true,
            Happens::Seconds(seconds) => self.now += Duration::from_secs(seconds.into()),
            Happens::Drain => self.machine.drain(),
            Happens::NoMore => {
                self.machine.begin_no_more();
                self.is_ordered = true;
            }
        }
    }

    /// Until both halves wait for something that has not come.
    fn go_on(&mut self) -> Option<Ended> {
        self.machine.woken(self.now, self.today);
        loop {
            let mut has_moved = false;
            for direction in [Direction::FromPeer, Direction::ToPeer] {
                match self.step(direction) {
                    Ok(moved) => has_moved |= moved,
                    Err(ended) => return Some(*ended),
                }
            }
            if !has_moved && !self.machine.has_handed_over() {
                break;
            }
        }
        self.machine.has_to_look();
        self.machine.look(self.moved).err().map(|expired| Ended::TimedOut { expired })
    }

    /// As whoever drives a machine looks for it.
    fn ended_from_outside(&self) -> Option<Ended> {
        let rests = self.rests.iter().all(|rests| *rests)
            && !self.machine.is_inside(Direction::FromPeer)
            && !self.machine.is_inside(Direction::ToPeer);
        let is_over = self.is_ordered && rests;
        is_over.then_some(Ended::Shutdown).or_else(|| self.machine.may_end().then_some(Ended::Drained))
    }

    /// Does what a half wants; `false`: it waits.
    fn step(&mut self, direction: Direction) -> Result<bool, Box<Ended>> {
        let want = self.machine.next(direction);
        *of(&mut self.rests, direction) = matches!(want, Want::Read { .. } | Want::Nothing);
        match want {
            Want::Read { .. } => Ok(self.read(direction)),
            Want::Write(side) => {
                self.write(direction, side);
                Ok(true)
            }
            Want::Turn { .. } | Want::Nothing => Ok(false),
            Want::Record(entry) => {
                let (operation, status) = (&entry.operation.operation, entry.operation.status);
                self.played.records.push(format!("{operation} {status:?}"));
                *of(&mut self.answers, direction) = Some(Learned::Now);
                Ok(true)
            }
            Want::Ask(question) => {
                *of(&mut self.answers, direction) = Some(answer(question));
                Ok(true)
            }
            Want::Answer => {
                let learned = of(&mut self.answers, direction).take().unwrap_or(Learned::Now);
                self.machine.learns(direction, learned);
                Ok(true)
            }
            Want::End(ended) => Err(Box::new(ended)),
        }
    }

    fn read(&mut self, direction: Direction) -> bool {
        let (is_lost, waiting) = (*of(&mut self.lost, direction), of(&mut self.waiting, direction));
        if waiting.is_empty() {
            if is_lost {
                self.machine.stream_ended(direction, "it is lost".to_owned());
            }
            return is_lost;
        }
        let inbox = self.machine.inbox(direction);
        let received = inbox.receive(|room| {
            let fits = waiting.len().min(room.remaining());
            room.put_slice(waiting.get(..fits).unwrap_or_default());
            Poll::Ready(Ok(()))
        });
        let Poll::Ready(Ok(count)) = received else {
            self.machine.stream_ended(direction, "there is no room for it".to_owned());
            return true;
        };
        inbox.unseal();
        waiting.drain(..count.min(waiting.len()));
        *of(&mut self.moved, direction) += count as u64;
        self.machine.read(direction, count);
        true
    }

    fn write(&mut self, direction: Direction, side: Side) {
        // What a side is told goes against the direction of what it sends.
        if *of(&mut self.lost, from(side)) {
            *of(&mut self.written, direction) = 0;
            return self.machine.not_written(direction, "it is lost".to_owned());
        }
        let outgoing = self.machine.outgoing(direction);
        let mut plan = Vec::new();
        for span in outgoing.packer.plan() {
            match outgoing.packer.bytes(span, outgoing.input, outgoing.made) {
                Some(bytes) => plan.extend_from_slice(bytes),
                None => return self.machine.defect(direction, "a span lies outside of its buffer"),
            }
        }
        let written = of(&mut self.written, direction);
        let rest = plan.get(*written..).unwrap_or_default();
        let some = rest.get(..self.takes).unwrap_or(rest);
        self.played.heard_by(side).extend_from_slice(some);
        *written += some.len();
        self.machine.moved(direction);
        if *written >= plan.len() {
            *written = 0;
            self.machine.written(direction);
        }
    }

    fn end(mut self, ended: Option<Ended>) -> Played {
        if let Some(ended) = &ended {
            for side in [Side::Requestor, Side::Upstream] {
                let abort = ended.abort_for(side).filter(|_| !self.machine.is_condemned(side));
                if let Some(abort) = abort {
                    self.played.heard_by(side).extend_from_slice(&abort.to_pdu());
                }
            }
        }
        self.played.is_defect = matches!(ended, Some(Ended::Defect { .. }));
        self.played.ended = ended.map(|ended| ended.to_string());
        self.played
    }
}

impl Played {
    fn heard_by(&mut self, side: Side) -> &mut Vec<u8> {
        let [upstream, requestor] = &mut self.heard;
        if side == Side::Upstream { upstream } else { requestor }
    }
}

/// That what is asked of others is there, and that nobody knows a study.
fn answer(question: Question) -> Learned {
    match question {
        Question::PaceOfBytes(_) | Question::PaceOfOperations | Question::Others => Learned::Now,
        Question::Store(_) => Learned::Stored(Ok(())),
        Question::LookUp(_) => Learned::LookedUp(LookedUp::NotKnown),
        Question::Count(_) => Learned::LookedUp(LookedUp::NotCounted),
        Question::Consent(_) => Learned::Consented(super::Consented::NotKnown),
        Question::Decode(frame) => Learned::Pixels(frame.decode(1 << 20)),
    }
}

fn of<T>(both: &mut [T; 2], direction: Direction) -> &mut T {
    let [from_peer, to_peer] = both;
    if direction == Direction::FromPeer { from_peer } else { to_peer }
}

/// The direction of what a side sends.
fn from(side: Side) -> Direction {
    if sender(Direction::FromPeer) == side { Direction::FromPeer } else { Direction::ToPeer }
}

//! Two peers, two links and a machine between them, all of whose chances come from one seed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::super::{
    Consented, Count, Deadlines, Ended, Entry, Learned, LookUp, LookedUp, Machine, Question, Side, Terms,
    Waiting, Want,
};
use super::peers::Peer;
use super::wire::{CONTEXTS, Ear, Heard};
use crate::buffer::Shelf;
use crate::consent::Who;
use crate::crosswalk::NotStored;
use crate::dataset::{Encoding, Syntax};
use crate::dimse::Operation;
use crate::policy::Direction::{self, FromPeer, ToPeer};
use crate::policy::{Grant, Peer as Rights, RewriteDirection, Role, SopClassSet, TransferSyntaxSet};
use crate::relay::machine::AcceptedContext;
use crate::rewrite::{Correspondence, Correspondences, Kind, Recalled, Ruleset, Unavailable};

/// Numbers that look like chance and are the same for the same seed (splitmix64).
pub(super) struct Chance(pub u64);

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    /// At least one: often few, sometimes many.
    pub(super) fn some(&mut self, most: usize) -> usize {
        let few = [3, 40, 700, 5_000, 100_000][self.below(5)];
        1 + self.below(most.min(few))
    }
}

/// What two peers heard, and what the relay wrote down.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Story {
    pub archive: Vec<Heard>,
    pub requestor: Vec<Heard>,
    pub records: Vec<String>,
    pub ended: String,
}

struct Link {
    to_machine: VecDeque<u8>,
    to_peer: VecDeque<u8>,
    ear: Ear,
    heard: Vec<Heard>,
    is_lost: bool,
}

#[derive(Default)]
struct Lane {
    answer: Option<Learned>,
    written: usize,
    /// It waits for bytes, or for nothing, as far as is known.
    rests: bool,
}

pub(super) struct Simulation<'p> {
    pub machine: Machine,
    peers: [&'p mut dyn Peer; 2],
    links: [Link; 2],
    lanes: [Lane; 2],
    chance: Chance,
    now: Instant,
    moved: [u64; 2],
    is_ordered: bool,
    records: Vec<String>,
    /// What becomes of correspondences that are to be stored.
    pub disk: Result<(), NotStored>,
    /// What is found when studies are looked up.
    pub looked_up: Box<dyn Fn(&LookUp) -> LookedUp + 'p>,
    /// How patients are counted, those of studies that are looked up too.
    pub counted: Box<dyn Fn(&Count) -> LookedUp + 'p>,
    /// What whoever is asked says of a patient's consent.
    pub consented: Box<dyn Fn(&Who) -> Consented + 'p>,
    /// What happens from outside, by the step at which it does.
    pub happens: BTreeMap<usize, Happens>,
}

/// What may happen to an association at any moment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Happens {
    /// The connection to a side is lost: nothing more comes of it than what has come, and nothing can be written.
    Lost(Side),
    /// So many seconds pass in which nobody does anything.
    Silence(u16),
    /// The proxy stops.
    Drain,
    /// Its end is ordered, as soon as no message is under way.
    NoMore,
}

/// A crosswalk that knows nothing yet.
struct Empty;

impl Correspondences for Empty {
    fn pseudonym_of(&self, _: Kind, _: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(None)
    }

    fn behind(&self, _: Kind, _: &[u8]) -> Result<Option<Correspondence>, Unavailable> {
        Ok(None)
    }
}

const SIDES: [Side; 2] = [Side::Requestor, Side::Upstream];

fn index(side: Side) -> usize {
    usize::from(side == Side::Upstream)
}

fn lane(direction: Direction) -> usize {
    usize::from(direction == ToPeer)
}

pub(super) const MAXIMUM_LENGTH: u32 = 16_384;

/// The terms of a peer that may do all but C-MOVE. More than one rule is remembered in a crosswalk.
pub(super) fn terms(rules: Option<Arc<Ruleset>>) -> Terms {
    let peer = Rights {
        name: "peer".into(),
        line: 1,
        keys: Default::default(),
        listeners: None,
        networks: Vec::new(),
        calling: Vec::new(),
        certificates: None,
        issuers: None,
        called: None,
        role: Arc::new(all_but_moves()),
        upstream: None,
        rewrite: rules.as_ref().map(|_| "rules".into()),
        tenant: None,
        rewrite_direction: RewriteDirection::FromPeer,
        two_way: false,
        consent: None,
        strip_asynchronous_window: false,
        response_timeout: None,
        max_associations: None,
        associations_per_minute: None,
        operations_per_second: None,
        scope: None,
        bytes_per_second: None,
    };
    let (calling, called) = ("CT1".parse().unwrap(), "PACS".parse().unwrap());
    let context = |(id, class): (u8, &str)| AcceptedContext {
        id,
        abstract_syntax: class.parse().unwrap(),
        transfer_syntax: "1.2.840.10008.1.2.1".parse().unwrap(),
        encoding: Some(Encoding { syntax: Syntax::EXPLICIT_LE, deflated: false }),
    };
    Terms {
        id: "a-1".into(),
        span: tracing::Span::none(),
        grant: Grant {
            rights: crate::policy::Rights::of_peer(peer.role.clone()),
            peer: Arc::new(peer),
            calling,
            called,
            upstream: "pacs".into(),
            contexts: Vec::new(),
        },
        crosswalk: rules.as_ref().filter(|rules| rules.len() > 1).map(|_| Arc::new(Empty) as _),
        ruleset: rules,
        contexts: CONTEXTS.map(context).into(),
        frames: Shelf::of_one(),
        waiting: Waiting { corner: Shelf::of_one(), most: 16 << 20, recalled: Recalled::default() },
        max_command_length: 4_096,
        offered: MAXIMUM_LENGTH,
        retrievals: None,
        queries: None,
        brought: None,
        consent: None,
    }
}

fn all_but_moves() -> Role {
    use Operation::{CEcho, CFind, CGet, CStore};
    let mut sop_classes = SopClassSet::default();
    sop_classes.add("all").unwrap();
    Role {
        name: "all but moves".into(),
        line: 1,
        keys: Default::default(),
        operations: vec![CEcho, CStore, CFind, CGet],
        sop_classes,
        transfer_syntaxes: TransferSyntaxSet::all(),
        move_destinations: None,
        minimum_tls: None,
        hours: None,
        require: crate::policy::Factors::default(),
        queries: Default::default(),
    }
}

pub(super) const DEADLINES: Deadlines = Deadlines {
    dimse: Duration::from_secs(60),
    min_bytes_per_second: 0,
    response: [Duration::from_secs(3600); 2],
    idle: Duration::from_secs(300),
    release: Duration::from_secs(30),
};

/// The day of every simulation.
pub(super) const TODAY: time::Date = time::macros::date!(2026 - 01 - 01);
/// What stands for an A-ASSOCIATE-AC.
pub(super) const ANSWER: [u8; 10] = [7, 0, 0, 0, 0, 4, 0, 0, 9, 9];

impl<'p> Simulation<'p> {
    pub(super) fn new(terms: Terms, peers: [&'p mut dyn Peer; 2], seed: u64) -> Self {
        let now = Instant::now();
        let takes = [MAXIMUM_LENGTH, 4_000];
        let link = || Link {
            to_machine: VecDeque::new(),
            to_peer: VecDeque::new(),
            ear: Ear::new(MAXIMUM_LENGTH),
            heard: Vec::new(),
            is_lost: false,
        };
        Self {
            machine: Machine::new(terms, takes, DEADLINES, &ANSWER, (now, TODAY)),
            peers,
            links: [link(), link()],
            lanes: [Lane::default(), Lane::default()],
            chance: Chance(seed),
            now,
            moved: [0; 2],
            is_ordered: false,
            records: Vec::new(),
            disk: Ok(()),
            looked_up: Box::new(|_| LookedUp::NotKnown),
            counted: Box::new(|_| LookedUp::NotCounted),
            consented: Box::new(|_| Consented::NotKnown),
            happens: BTreeMap::new(),
        }
    }

    /// Until the association ends.
    pub(super) fn run(mut self) -> Story {
        let mut first = Vec::new();
        self.peers[0].begin(&mut first);
        self.links[0].to_machine.extend(first);
        for step in 0..2_000_000 {
            self.machine.woken(self.now, TODAY);
            if let Some(happens) = self.happens.remove(&step) {
                self.happen(happens);
            }
            let ended = match self.chance.below(7) {
                0 | 1 => self.go_on(FromPeer),
                2 | 3 => self.go_on(ToPeer),
                4 => self.deliver(Side::Requestor),
                5 => self.deliver(Side::Upstream),
                _ => self.wait(),
            };
            if let Some(ended) = ended.or_else(|| self.ended_from_outside()) {
                return self.story(&ended);
            }
        }
        panic!("it never ended: {:?} {:?}", self.links[0].heard.last(), self.links[1].heard.last())
    }

    fn happen(&mut self, happens: Happens) {
        match happens {
            Happens::Lost(side) => self.links[index(side)].is_lost = true,
            Happens::Silence(seconds) => self.now += Duration::from_secs(seconds.into()),
            Happens::Drain => self.machine.drain(),
            Happens::NoMore => {
                self.machine.begin_no_more();
                self.is_ordered = true;
            }
        }
    }

    /// As whoever drives a machine looks for it.
    fn ended_from_outside(&self) -> Option<Ended> {
        let is_between = |direction| self.lanes[lane(direction)].rests && !self.machine.is_inside(direction);
        if self.is_ordered && is_between(FromPeer) && is_between(ToPeer) {
            return Some(Ended::Shutdown);
        }
        self.machine.may_end().then_some(Ended::Drained)
    }

    fn story(mut self, ended: &Ended) -> Story {
        SIDES.into_iter().for_each(|side| self.deliver_all(side));
        for side in SIDES {
            let abort = ended.abort_for(side).filter(|_| !self.machine.is_condemned(side));
            let link = &mut self.links[index(side)];
            assert!(
                !link.ear.is_inside_message()
                    || abort.is_some()
                    || self.machine.is_condemned(side)
                    || matches!(ended, Ended::Aborted { by, .. } if *by == side)
                    || matches!(ended, Ended::Protocol { .. })
                    || link.is_lost,
                "{side} is left inside a message: {ended}"
            );
            link.heard.extend(abort.map(|abort| Heard::Abort(abort.source, abort.reason)));
        }
        let (_, _, left) = self.machine.end();
        self.records.extend(left.iter().map(told));
        let [requestor, archive] = self.links.map(|link| link.heard);
        Story { archive, requestor, records: self.records, ended: ended.to_string() }
    }

    /// A little of what a half wants.
    fn go_on(&mut self, direction: Direction) -> Option<Ended> {
        let lane = lane(direction);
        let want = self.machine.next(direction);
        self.lanes[lane].rests = matches!(want, Want::Read { .. } | Want::Nothing);
        match want {
            Want::Read { .. } => self.read(direction),
            Want::Write(side) => self.write(direction, side),
            Want::Turn { .. } | Want::Nothing => {}
            Want::Record(entry) => {
                self.records.push(told(&entry));
                self.lanes[lane].answer = Some(Learned::Now);
            }
            Want::Ask(question) => {
                self.lanes[lane].answer = Some(match question {
                    Question::PaceOfBytes(_) | Question::PaceOfOperations | Question::Others => Learned::Now,
                    Question::Store(_) => Learned::Stored(self.disk),
                    Question::LookUp(look_up) => Learned::LookedUp((self.looked_up)(&look_up)),
                    Question::Count(count) => Learned::LookedUp((self.counted)(&count)),
                    Question::Consent(whom) => Learned::Consented((self.consented)(&whom)),
                    Question::Decode(frame) => Learned::Pixels(frame.decode(u64::MAX)),
                });
            }
            Want::Answer => {
                let answer = self.lanes[lane].answer.take().expect("an answer to what was asked");
                self.machine.learns(direction, answer);
            }
            Want::End(ended) => return Some(ended),
        }
        None
    }

    fn read(&mut self, direction: Direction) {
        let link = &mut self.links[lane(direction)];
        let most = link.to_machine.len().min(200_000);
        if most == 0 {
            if link.is_lost {
                self.machine.stream_ended(direction, "it is lost".into());
            }
            return;
        }
        let piece: Vec<u8> = link.to_machine.drain(..self.chance.some(most)).collect();
        self.moved[lane(direction)] += piece.len() as u64;
        let inbox = self.machine.inbox(direction);
        let count = inbox.receive(|room| {
            room.put_slice(&piece);
            Poll::Ready(Ok(()))
        });
        assert!(matches!(count, Poll::Ready(Ok(count)) if count == piece.len()));
        inbox.unseal();
        self.machine.read(direction, piece.len());
    }

    fn write(&mut self, direction: Direction, side: Side) {
        if self.links[index(side)].is_lost {
            return self.machine.not_written(direction, "it is lost".into());
        }
        let outgoing = self.machine.outgoing(direction);
        let spans = outgoing.packer.plan().iter();
        let bytes = |span| outgoing.packer.bytes(span, outgoing.input, outgoing.made);
        let plan = spans.map(|span| bytes(span).expect("a span in its buffer")).collect::<Vec<_>>().concat();
        let lane = &mut self.lanes[lane(direction)];
        let count = self.chance.some(plan.len() - lane.written);
        self.links[index(side)].to_peer.extend(&plan[lane.written..lane.written + count]);
        lane.written += count;
        self.machine.moved(direction);
        if lane.written == plan.len() {
            lane.written = 0;
            self.machine.written(direction);
        }
    }

    /// Some of what was written comes to a peer, which answers.
    fn deliver(&mut self, side: Side) -> Option<Ended> {
        let most = self.links[index(side)].to_peer.len();
        if most > 0 {
            let count = self.chance.some(most);
            self.give(side, count);
        }
        None
    }

    fn deliver_all(&mut self, side: Side) {
        self.give(side, self.links[index(side)].to_peer.len());
    }

    fn give(&mut self, side: Side, count: usize) {
        let link = &mut self.links[index(side)];
        let bytes: Vec<u8> = link.to_peer.drain(..count).collect();
        for heard in link.ear.hear(&bytes) {
            let mut out = Vec::new();
            self.peers[index(side)].hear(&heard, &mut out);
            link.to_machine.extend(out);
            // It stands for the A-ASSOCIATE-AC.
            if heard != Heard::Abort(9, 9) {
                link.heard.push(heard);
            }
        }
    }

    /// A little time goes by.
    fn wait(&mut self) -> Option<Ended> {
        self.now += Duration::from_micros(self.chance.below(50) as u64);
        self.machine.woken(self.now, TODAY);
        self.machine.has_to_look();
        self.machine.look(self.moved).err().map(|expired| Ended::TimedOut { expired })
    }
}

/// What a record says, but for how long it took.
fn told(entry: &Entry) -> String {
    let operation = &entry.operation;
    format!(
        "{:?} {} {} {:?} {:?} {:?} {} bytes {:?} {:?} {}",
        operation.direction,
        operation.operation,
        operation.message_id,
        operation.sop_instance,
        operation.new_sop_instance,
        operation.study,
        operation.bytes,
        operation.status,
        operation.reason,
        entry.is_refusal()
    )
}

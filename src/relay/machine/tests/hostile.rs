//! Peers that keep to nothing, legs that are lost, and time that passes: whatever comes, nothing is called whole that was
//! not, and it costs nobody but the association.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::data::{identifier, image};
use super::peers::Peer;
use super::simulation::{Chance, Happens, MAXIMUM_LENGTH, Simulation, Story, terms};
use super::wire::{
    CONTEXTS, CT, ECHO, FIND, GET, Heard, MOVE, cancel, context_of, message, release_rp, release_rq, request,
    response,
};
use super::{data_sets, remembered, rules};
use crate::dimse::{Command, CommandField, Operation, Status};
use crate::relay::machine::Side;
use crate::rewrite::Ruleset;
use crate::wire::pdu::Abort;
use crate::wire::{AbortReason, Deframer, Event, Kind};

/// Associations that are tried, of each kind.
const SEEDS: u64 = 2_000;

/// Says whatever chance puts into its mouth: messages of every kind, whole ones and broken ones.
struct Wild {
    chance: Chance,
    says: usize,
    /// All that it has said.
    said: Rc<RefCell<Vec<u8>>>,
    /// Bytes of a message that may be broken; behind them is its data set.
    breaks: usize,
}

impl Wild {
    fn new(seed: u64, said: &Rc<RefCell<Vec<u8>>>, breaks: usize) -> Self {
        let mut chance = Chance(seed);
        let says = 1 + chance.below(12);
        Self { chance, says, said: said.clone(), breaks }
    }

    fn speak(&mut self, heard: Option<&Heard>, out: &mut Vec<u8>) {
        let Some(left) = self.says.checked_sub(1) else { return };
        self.says = left;
        let mut bytes = self.thing(heard);
        if self.chance.below(10) == 0 {
            self.break_somewhere(&mut bytes);
        }
        self.said.borrow_mut().extend(&bytes);
        out.extend(bytes);
    }

    fn thing(&mut self, heard: Option<&Heard>) -> Vec<u8> {
        match self.chance.below(40) {
            0 => release_rq(),
            1 => release_rp(),
            2 => Abort::provider(AbortReason::NotSpecified).to_pdu().to_vec(),
            3 => {
                let number = self.number();
                self.message(ECHO, &cancel(number), None)
            }
            4 => (0..self.chance.some(300)).map(|_| self.chance.next() as u8).collect(),
            5..25 => self.request(),
            _ => self.response(heard),
        }
    }

    /// Of few, so that they meet.
    fn number(&mut self) -> u16 {
        u16::try_from(self.chance.below(4)).unwrap()
    }

    fn message(&mut self, class: &str, command: &[u8], data: Option<&[u8]>) -> Vec<u8> {
        let context = match self.chance.below(20) {
            0 => 1 + 2 * self.chance.below(8) as u8,
            _ => context_of(class),
        };
        message(context, command, data, [2, 500, 4_000, 16_000][self.chance.below(4)])
    }

    fn request(&mut self) -> Vec<u8> {
        let operations = [
            (Operation::CEcho, ECHO),
            (Operation::CStore, CT),
            (Operation::CStore, CT),
            (Operation::CFind, FIND),
            (Operation::CGet, GET),
            (Operation::CMove, MOVE),
        ];
        let (operation, class) = operations[self.chance.below(operations.len())];
        let instance = ["1.2.3.4", "1.2.3.5"][self.chance.below(2)];
        let data = match operation {
            Operation::CEcho => None,
            Operation::CStore => Some(image(instance, [0, 3_000, 90_000][self.chance.below(3)])),
            _ => Some(identifier()),
        };
        let command =
            request(operation, class, self.number(), (operation == Operation::CStore).then_some(instance));
        self.message(class, &command, data.as_deref())
    }

    /// To what was heard, or to what nobody asked.
    fn response(&mut self, heard: Option<&Heard>) -> Vec<u8> {
        let asked = heard.and_then(|heard| match heard {
            Heard::Message { command, .. } => Command::parse(command.clone()).ok(),
            _ => None,
        });
        let asked = asked
            .filter(|command| matches!(command.field, CommandField::Request { .. }))
            .unwrap_or_else(|| Command::parse(request(Operation::CFind, FIND, self.number(), None)).unwrap());
        let status = [Status(0xFF00), Status::SUCCESS, Status(0xA700)][self.chance.below(3)];
        let data = (status == Status(0xFF00)).then(|| image("1.2.3.9", 40));
        let (_, class) = CONTEXTS[self.chance.below(CONTEXTS.len())];
        let class = asked.sop_class().filter(|_| self.chance.below(9) > 0).unwrap_or(class.into());
        let class = CONTEXTS.iter().find(|(_, known)| *known == class).map_or(FIND, |(_, known)| known);
        self.message(class, &response(&asked, status, data.is_some()), data.as_deref())
    }

    fn break_somewhere(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.chance.below(bytes.len().min(self.breaks));
        match self.chance.below(3) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << self.chance.below(8),
            _ => bytes.insert(at, self.chance.next() as u8),
        }
    }
}

impl Peer for Wild {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.speak(None, out);
        self.speak(None, out);
    }

    fn hear(&mut self, heard: &Heard, out: &mut Vec<u8>) {
        (0..self.chance.below(3)).for_each(|_| self.speak(Some(heard), out));
    }
}

/// Data sets of which a last fragment was said.
fn whole(said: &[u8]) -> Vec<Vec<u8>> {
    let (mut deframer, mut at) = (Deframer::new(MAXIMUM_LENGTH), 0);
    let (mut whole, mut begun) = (Vec::new(), Vec::new());
    while let Ok((used, Some(event))) = deframer.next(&said[at..]) {
        at += used;
        let Event::Fragment(fragment) = event else { continue };
        if fragment.kind == Kind::DataSet {
            begun.extend_from_slice(fragment.bytes);
            if fragment.last {
                whole.push(std::mem::take(&mut begun));
            }
        }
    }
    whole
}

struct Told {
    story: Story,
    /// What the requestor said, and what the archive did.
    said: [Vec<u8>; 2],
}

/// An association of two of them, to which something happens.
fn told(seed: u64, rules: Option<Arc<Ruleset>>) -> Told {
    let said = [Rc::default(), Rc::default()];
    // Bytes of a data set that are broken may well be another data set, which says a name where no rule looks for it.
    let breaks = if rules.is_some() { 100 } else { usize::MAX };
    let mut requestor = Wild::new(seed ^ 0xBAD, &said[0], breaks);
    let mut archive = Wild::new(seed ^ 0xF00D, &said[1], breaks);
    let mut simulation = Simulation::new(terms(rules), [&mut requestor, &mut archive], seed);
    let mut chance = Chance(seed ^ 0xFA11);
    for _ in 0..chance.below(4) {
        let happens = match chance.below(5) {
            0 => Happens::Lost(Side::Requestor),
            1 => Happens::Lost(Side::Upstream),
            2 => Happens::Drain,
            3 => Happens::NoMore,
            _ => Happens::Silence(u16::try_from(chance.below(400)).unwrap()),
        };
        simulation.happens.insert(chance.some(3_000), happens);
    }
    // Whoever is still there then has nothing to say any more.
    simulation.happens.insert(200_000, Happens::Silence(4_000));
    let story = simulation.run();
    Told { story, said: said.map(|said: Rc<RefCell<Vec<u8>>>| said.take()) }
}

fn holds(seed: u64, told: &Told) {
    let story = &told.story;
    assert!(!story.ended.contains("defect"), "seed {seed}: {}", story.ended);
    let aborts = |heard: &[Heard]| heard.iter().filter(|heard| matches!(heard, Heard::Abort(..))).count();
    assert!(aborts(&story.archive) <= 1 && aborts(&story.requestor) <= 1, "seed {seed}: {story:?}");
    let spoken = |heard: &[Heard]| heard.iter().position(|heard| matches!(heard, Heard::Abort(..)));
    for heard in [&story.archive, &story.requestor] {
        assert!(spoken(heard).is_none_or(|at| at + 1 == heard.len()), "seed {seed}: words behind an abort");
    }
}

#[test]
fn whatever_two_peers_say_what_goes_on_whole_was_whole() {
    let mut went_on = 0;
    for seed in 0..SEEDS {
        let told = told(seed, None);
        holds(seed, &told);
        for (heard, said) in [(&told.story.archive, &told.said[0]), (&told.story.requestor, &told.said[1])] {
            let whole = whole(said);
            for data in data_sets(heard) {
                assert!(
                    whole.iter().any(|whole| whole == data),
                    "seed {seed}: {} bytes of {whole:?}",
                    data.len()
                );
                went_on += 1;
            }
        }
    }
    assert!(went_on > 500, "too little goes on for the test to mean anything: {went_on}");
}

#[test]
fn whatever_two_peers_say_no_rule_is_left_out() {
    let mut went_on = 0;
    for (kind, rules) in [rules(), remembered()].into_iter().enumerate() {
        for seed in 0..SEEDS {
            let told = told(seed, rules.clone());
            holds(seed, &told);
            let reached: Vec<_> =
                data_sets(&told.story.archive).into_iter().filter(|data| is_image(data)).collect();
            went_on += reached.len();
            let must_go: &[u8] = [&b"Doe^Jane"[..], b"4711"][kind];
            let left = |data: &&[u8]| data.windows(must_go.len()).any(|window| window == must_go);
            assert!(!reached.iter().any(left), "seed {seed}: {:?}", told.story);
        }
    }
    assert!(went_on > 200, "too little goes on for the test to mean anything: {went_on}");
}

/// A stored one, and no query.
fn is_image(data: &[u8]) -> bool {
    data.starts_with(&[8, 0, 0x16, 0])
}

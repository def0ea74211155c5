//! Storage commitment and N-GET, which name instances and not their studies.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::super::super::{LookedUp, Remembers};
use super::super::data::image;
use super::super::peers::{Ask, Leaves, Peer, Requestor};
use super::super::simulation::{Chance, Simulation, Story};
use super::super::wire::{COMMITMENT, Heard, context_of, message, release_rp, request, response};
use super::super::{data_sets, statuses};
use super::{
    Drawn, EXPLICIT, STUDY_INSTANCE_UID, Study, a_scope, data_set, looked_up, of_lyon, scoped, studies, study,
};
use crate::dataset::Tag;
use crate::dimse::{Command, CommandField, Operation, Status};

const TRANSACTION: Tag = Tag(0x0008, 0x1195);
const FAILED: u8 = 0x98;
const REFERENCED: u8 = 0x99;

/// (0008,11xx) with an item for each instance.
fn sequence(element: u8, instances: &[String]) -> Vec<u8> {
    let items = instances.iter().flat_map(|instance| {
        let content =
            data_set(&[(Tag(0x0008, 0x1150), "1.2.840.10008.5.1.4.1.1.2"), (Tag(0x0008, 0x1155), instance)]);
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        [&[0xFE, 0xFF, 0x00, 0xE0][..], &length, &content].concat()
    });
    let items: Vec<u8> = items.collect();
    let length = u32::try_from(items.len()).unwrap().to_le_bytes();
    [&[8, 0, element, 0x11, b'S', b'Q', 0, 0][..], &length, &items].concat()
}

fn commitment(transaction: &str, instances: &[String]) -> Vec<u8> {
    [data_set(&[(TRANSACTION, transaction)]), sequence(REFERENCED, instances)].concat()
}

/// The instances of a request or of a report, by hand.
fn named(data: &[u8]) -> BTreeSet<String> {
    let header = [8, 0, 0x55, 0x11, b'U', b'I'];
    let places = data.windows(header.len()).enumerate().filter(|(_, window)| *window == header);
    places.map(|(place, _)| text_at(data, place)).collect()
}

/// The value of an element with a short header.
fn text_at(data: &[u8], place: usize) -> String {
    let length = usize::from(u16::from_le_bytes([data[place + 6], data[place + 7]]));
    String::from_utf8_lossy(&data[place + 8..place + 8 + length]).trim_end_matches('\0').to_owned()
}

#[derive(Default)]
struct Stored(Mutex<BTreeSet<String>>);

impl Remembers for Stored {
    fn note(&self, instance: &str) {
        self.0.lock().unwrap().insert(instance.to_owned());
    }

    fn has(&self, instance: &str) -> bool {
        self.0.lock().unwrap().contains(instance)
    }
}

/// It keeps what it was given, says of every instance whatever is asked, and reports more than it was asked, where it is told to.
struct Keeper<'l> {
    studies: &'l [Study],
    kept: BTreeSet<String>,
    says_more: Option<String>,
    /// Whether what it takes is kept for long.
    loses: bool,
    fragment: usize,
    number: u16,
}

impl Keeper<'_> {
    fn report(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let asked: BTreeSet<String> = named(data).into_iter().chain(self.says_more.clone()).collect();
        let has =
            |uid: &String| self.kept.contains(uid) || self.studies.iter().any(|one| one.instance() == *uid);
        let (kept, failed): (Vec<String>, Vec<String>) = asked.into_iter().partition(has);
        let transaction = text_at(data, 0);
        let mut report = data_set(&[(TRANSACTION, &transaction)]);
        for (element, instances) in [(FAILED, failed), (REFERENCED, kept)] {
            if !instances.is_empty() {
                report.extend(sequence(element, &instances));
            }
        }
        self.number += 1;
        let [class, instance] = COMMITMENT;
        let command = request(Operation::NEventReport, class, 500 + self.number, Some(instance));
        out.extend(message(context_of(class), &command, Some(&report), self.fragment));
    }
}

impl Peer for Keeper<'_> {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn hear(&mut self, heard: &Heard, out: &mut Vec<u8>) {
        let Heard::Message { context_id, command, data } = heard else {
            return if *heard == Heard::ReleaseRq {
                out.extend(release_rp())
            };
        };
        let command = Command::parse(command.clone()).unwrap();
        let CommandField::Request { operation, .. } = command.field else { return };
        let instance = command.sop_instance().unwrap();
        let mut answer = None;
        match operation {
            Operation::CStore if !self.loses => {
                self.kept.insert(instance);
            }
            Operation::NGet => {
                let study = self.studies.iter().find(|one| one.instance() == instance);
                answer = study.map(|study| study.object(0)[..].to_vec());
            }
            Operation::NAction => self.report(data.as_deref().unwrap(), out),
            _ => {}
        }
        let said = response(&command, Status::SUCCESS, answer.is_some());
        out.extend(message(*context_id, &said, answer.as_deref(), self.fragment));
    }
}

struct Run<'r> {
    studies: &'r [Study],
    scope: &'r Drawn,
    says_more: Option<String>,
    loses: bool,
    /// What is looked up is not known.
    is_deaf: bool,
}

impl Run<'_> {
    fn of<'r>(studies: &'r [Study], scope: &'r Drawn) -> Run<'r> {
        Run { studies, scope, says_more: None, loses: false, is_deaf: false }
    }

    fn tell(&self, asks: &[Ask], seed: u64) -> Story {
        let mut chance = Chance(seed ^ 0xC0_3317);
        let mut fragment = || [30, 1_000, 16_000][chance.below(3)];
        let mut requestor = Requestor::new(asks, Leaves::Requestor, fragment());
        let (studies, says_more, loses) = (self.studies, self.says_more.clone(), self.loses);
        let (kept, fragment) = (BTreeSet::new(), fragment());
        let mut keeper = Keeper { studies, kept, says_more, loses, fragment, number: 0 };
        let mut terms = scoped(self.scope.scope.clone());
        terms.brought = Some(Arc::new(Stored::default()));
        let mut simulation = Simulation::new(terms, [&mut requestor, &mut keeper], seed);
        simulation.looked_up = Box::new(|asked| match self.is_deaf {
            true => LookedUp::NotKnown,
            false => looked_up(self.studies, self.scope, asked),
        });
        simulation.run()
    }
}

/// Field, and what it names: messages of this operation that somebody heard.
fn heard_of(heard: &[Heard], operation: Operation) -> Vec<BTreeSet<String>> {
    let messages = heard.iter().filter_map(|heard| match heard {
        Heard::Message { command, data, .. } => Some((Command::parse(command.clone()).unwrap(), data)),
        _ => None,
    });
    let of_it = messages.filter(|(command, _)| {
        matches!(command.field, CommandField::Request { operation: asked, .. } if asked == operation)
    });
    of_it.map(|(_, data)| data.as_deref().map(named).unwrap_or_default()).collect()
}

#[test]
fn whether_something_is_kept_is_told_of_what_is_inside_or_was_brought_and_of_nothing_else() {
    let (mut granted, mut refused) = (0, 0);
    for seed in 0..500 {
        let mut chance = Chance(seed);
        let (studies, scope) = (studies(&mut chance), a_scope(&mut chance));
        let brought: Vec<&'static str> = ["1.3.1", "1.3.2"].into_iter().take(chance.below(3)).collect();
        let all = studies.iter().map(Study::instance).chain(["1.3.1", "1.3.2"].map(str::to_owned));
        let asked: Vec<String> = all.filter(|_| chance.below(3) == 0).collect();
        if asked.is_empty() {
            continue;
        }
        let stores = brought.iter().map(|instance| Ask::Store(instance, image(instance, 200)));
        let asks: Vec<Ask> = stores.chain([Ask::Commit(commitment("1.9.1", &asked))]).collect();
        let loses = chance.below(2) == 0;
        let story = Run { loses, ..Run::of(&studies, &scope) }.tell(&asks, seed);
        let may = asked.iter().all(|uid| {
            brought.contains(&uid.as_str())
                || studies.iter().any(|one| one.instance() == *uid && one.is_inside(&scope))
        });
        let expected: Vec<BTreeSet<String>> =
            may.then(|| asked.iter().cloned().collect()).into_iter().collect();
        assert_eq!(heard_of(&story.archive, Operation::NAction), expected, "seed {seed}: {}", scope.scope);
        // Its report comes, also of what was brought and is lost.
        assert_eq!(heard_of(&story.requestor, Operation::NEventReport), expected, "seed {seed}");
        let last = statuses(&story.requestor).last().copied();
        assert_eq!(last, Some(if may { 0 } else { 0x0124 }), "seed {seed}");
        if may { granted += 1 } else { refused += 1 }
    }
    assert!(granted > 50 && refused > 50, "{granted}, {refused}");
}

#[test]
fn an_instance_outside_and_one_that_is_not_there_have_the_same_answer() {
    let studies = [study(1, "LYON"), study(2, "PARIS")];
    let scope = of_lyon();
    let answers = |uid: &str| {
        let both = [studies[0].instance(), uid.to_owned()];
        let asks = [Ask::Commit(commitment("1.9.1", &both)), Ask::Attributes(uid.to_owned())];
        let story = Run::of(&studies, &scope).tell(&asks, 3);
        assert_eq!(story.archive, [Heard::ReleaseRq]);
        story.requestor
    };
    let outside = answers(&studies[1].instance());
    assert_eq!(statuses(&outside), [0x0124; 2]);
    // The instance is in the answer of the N-GET as it was in its request.
    let first = |heard: &[Heard]| heard[0].clone();
    assert_eq!(first(&outside), first(&answers("1.2.9.7.1")));
    assert_eq!(statuses(&answers("1.2.9.7.1")), [0x0124; 2]);
}

#[test]
fn a_report_that_names_more_than_was_asked_goes_nowhere() {
    let studies = [study(1, "LYON"), study(2, "PARIS")];
    let scope = of_lyon();
    let asks = [Ask::Commit(commitment("1.9.1", &[studies[0].instance()]))];
    let run = Run { says_more: Some(studies[1].instance()), ..Run::of(&studies, &scope) };
    for seed in 0..50 {
        let story = run.tell(&asks, seed);
        assert!(heard_of(&story.requestor, Operation::NEventReport).is_empty(), "seed {seed}");
        assert_eq!(statuses(&story.archive), [0x0124], "seed {seed}");
        assert_eq!(statuses(&story.requestor), [0], "seed {seed}");
    }
}

#[test]
fn an_answer_with_attributes_is_judged_by_what_it_says() {
    let scope = of_lyon();
    for (study, expected) in [
        (study(1, "LYON"), true),
        (study(1, "PARIS"), false),
        (Study { claims: Some("PARIS"), ..study(1, "LYON") }, false),
        (Study { claims: Some(""), ..study(1, "LYON") }, false),
    ] {
        let studies = [study];
        let asks = [Ask::Attributes(studies[0].instance())];
        for seed in 0..50 {
            let story = Run::of(&studies, &scope).tell(&asks, seed);
            let got = data_sets(&story.requestor);
            let studies_got: Vec<&[u8]> = got
                .iter()
                .map(|data| {
                    crate::dataset::Small::read(EXPLICIT, data).unwrap().value(STUDY_INSTANCE_UID).unwrap()
                })
                .collect();
            let wanted: &[&[u8]] = if expected { &[b"1.2.1"] } else { &[] };
            assert_eq!(studies_got, wanted, "seed {seed}: {studies:?}");
            assert_eq!(statuses(&story.requestor), [if expected { 0 } else { 0x0124 }], "seed {seed}");
        }
    }
}

#[test]
fn where_nothing_can_be_looked_up_nothing_is_told() {
    let studies = [study(1, "LYON")];
    let scope = of_lyon();
    let instance = studies[0].instance();
    let asks = [Ask::Commit(commitment("1.9.1", std::slice::from_ref(&instance))), Ask::Attributes(instance)];
    let story = Run { is_deaf: true, ..Run::of(&studies, &scope) }.tell(&asks, 1);
    assert_eq!(story.archive, [Heard::ReleaseRq]);
    assert_eq!(statuses(&story.requestor), [0x0124; 2]);
    assert!(story.records.iter().all(|record| record.contains("scope-not-known")), "{:?}", story.records);
}

#[test]
fn what_cannot_be_read_in_one_way_never_reaches_the_archive() {
    let studies = [study(1, "LYON")];
    let scope = of_lyon();
    let instance = || vec![studies[0].instance()];
    let good = commitment("1.9.1", &instance());
    let nested = [
        data_set(&[(TRANSACTION, "1.9.1")]),
        sequence(REFERENCED, &instance()),
        // (0008,1200), of which nobody knows what an archive does with it.
        [&[8, 0, 0, 0x12, b'S', b'Q', 0, 0][..], &0_u32.to_le_bytes()].concat(),
    ]
    .concat();
    let bad = [
        Vec::new(),
        commitment("1.9.1", &[]),
        commitment("1.9.x", &instance()),
        commitment("1.9.1", &["1.2\\1.3".to_owned()]),
        commitment("1.9.1", &[String::new()]),
        sequence(REFERENCED, &instance()),
        [data_set(&[(TRANSACTION, "1.9.1")]), sequence(FAILED, &instance())].concat(),
        [
            data_set(&[(TRANSACTION, "1.9.1")]),
            sequence(REFERENCED, &instance()),
            sequence(REFERENCED, &instance()),
        ]
        .concat(),
        nested,
        good[..good.len() - 1].to_vec(),
        [
            data_set(&[(Tag(0x0008, 0x0018), "1.2.3"), (TRANSACTION, "1.9.1")]),
            sequence(REFERENCED, &instance()),
        ]
        .concat(),
    ];
    let asks: Vec<Ask> = bad.iter().filter(|data| !data.is_empty()).cloned().map(Ask::Commit).collect();
    for seed in 0..20 {
        let story = Run::of(&studies, &scope).tell(&asks, seed);
        assert_eq!(story.archive, [Heard::ReleaseRq], "seed {seed}");
        assert_eq!(statuses(&story.requestor), vec![0x0124; asks.len()], "seed {seed}");
    }
}

#[test]
fn thousands_of_instances_are_held_until_they_are_judged() {
    let studies = [study(1, "LYON")];
    let scope = of_lyon();
    let instance = studies[0].instance();
    let many = |count: usize| Ask::Commit(commitment("1.9.1", &vec![instance.clone(); count]));
    let story = Run::of(&studies, &scope).tell(&[many(20_000), many(20_001)], 7);
    assert_eq!(statuses(&story.requestor), [0, 0x0124]);
    assert_eq!(heard_of(&story.archive, Operation::NAction).len(), 1);
}

//! Objects of patients who have to consent: nothing of one goes on before that is known, however it comes.

use std::cell::Cell;
use std::sync::Arc;

use super::super::{Consented, Consents};
use super::data::{element, image};
use super::peers::{Archive, Ask, Leaves, Requestor};
use super::simulation::{Chance, Simulation, Story, terms};
use super::{SEEDS, compiled, data_sets, statuses};
use crate::consent::{Distribution, Who};
use crate::rewrite::Ruleset;

/// Who has an identifier that begins with `Y` has consented; of one that begins with `A`, somebody else has to be asked.
struct Source {
    is_in_objects: bool,
}

impl Consents for Source {
    fn is_in_objects(&self) -> bool {
        self.is_in_objects
    }

    fn of(&self, who: Option<&Who>) -> Option<Consented> {
        match who.and_then(|who| who.identifier.chars().next()) {
            Some('Y') => Some(Consented::Yes),
            Some('A') => None,
            _ => Some(Consented::No),
        }
    }

    fn by_object(&self, items: &[Distribution], protocol: &[u8]) -> Consented {
        let is_meant = |item: &Distribution| {
            item.flag == b"YES" && item.kind == b"NAMED_PROTOCOL" && item.protocol == b"OWN"
        };
        if protocol == b"OUTER" && items.len() == 2 && items.iter().all(is_meant) {
            Consented::Yes
        } else {
            Consented::No
        }
    }
}

/// What others say who are asked.
fn asked(who: &Who) -> Consented {
    match who.identifier.as_str() {
        "A yes" => Consented::Yes,
        "A no" => Consented::No,
        _ => Consented::NotKnown,
    }
}

fn of(instance: &str, patient: &str) -> Vec<u8> {
    replaced(instance, &element((0x10, 0x20), b"LO", patient.as_bytes()))
}

/// With these bytes in the place of its Patient ID.
fn replaced(instance: &str, bytes: &[u8]) -> Vec<u8> {
    let (whole, id) = (image(instance, 3_000), element((0x10, 0x20), b"LO", b"4711"));
    let at = whole.windows(id.len()).position(|part| part == id).unwrap();
    [&whole[..at], bytes, &whole[at + id.len()..]].concat()
}

fn run(asks: &[Ask], rules: Option<Arc<Ruleset>>, source: Source, seed: u64) -> (Story, usize) {
    let mut chance = Chance(seed ^ 0xC0C5);
    let mut fragment = || [30, 100, 1_000, 16_000][chance.below(4)];
    let mut requestor = Requestor::new(asks, Leaves::Requestor, fragment());
    let mut archive = Archive::new(asks, Leaves::Requestor, fragment(), asks.len());
    let mut terms = terms(rules);
    terms.consent = Some(Arc::new(source));
    let questions = Cell::new(0);
    let mut simulation = Simulation::new(terms, [&mut requestor, &mut archive], seed);
    simulation.consented = Box::new(|who| {
        questions.set(questions.get() + 1);
        asked(who)
    });
    (simulation.run(), questions.into_inner())
}

#[test]
fn the_upstream_hears_of_those_alone_who_have_consented() {
    let twice = [element((0x10, 0x20), b"LO", b"Y1"), element((0x10, 0x20), b"LO", b"Y2")].concat();
    let long = element((0x10, 0x20), b"LO", &[b'Y'; 300]);
    // What a header may have before its patient, and more than is read.
    let much = [8, 9].map(|number| element((9, number), b"LO", &vec![7; 60_000])).concat();
    let more =
        (0..5).map(|number| element((9, number), b"LO", &vec![7; 60_000])).collect::<Vec<_>>().concat();
    let objects: [(&str, Vec<u8>, bool); 11] = [
        ("1.2.3.1", of("1.2.3.1", "Yes "), true),
        ("1.2.3.2", of("1.2.3.2", "No"), false),
        ("1.2.3.3", of("1.2.3.3", "A yes "), true),
        ("1.2.3.4", of("1.2.3.4", "A no"), false),
        ("1.2.3.5", of("1.2.3.5", "A late"), false),
        ("1.2.3.6", of("1.2.3.6", ""), false),
        ("1.2.3.7", replaced("1.2.3.7", &[]), false),
        ("1.2.3.8", replaced("1.2.3.8", &twice), false),
        ("1.2.3.9", replaced("1.2.3.9", &long), false),
        ("1.2.3.10", before_patient("1.2.3.10", &much), true),
        ("1.2.3.11", before_patient("1.2.3.11", &more), false),
    ];
    let mut asks: Vec<Ask> =
        objects.iter().map(|(instance, object, _)| Ask::Store(instance, object.clone())).collect();
    asks.push(Ask::Echo);
    let expected: Vec<u16> =
        objects.iter().map(|(_, _, goes)| if *goes { 0 } else { 0x0124 }).chain([0]).collect();
    let going: Vec<&[u8]> =
        objects.iter().filter(|(.., goes)| *goes).map(|(_, object, _)| &object[..]).collect();
    for seed in 0..SEEDS {
        let (story, questions) = run(&asks, None, Source { is_in_objects: false }, seed);
        assert_eq!(statuses(&story.requestor), expected, "seed {seed}");
        assert_eq!(data_sets(&story.archive), going, "seed {seed}");
        assert_eq!(questions, 3, "seed {seed}: each once");
        let not_known = story.records.iter().filter(|record| record.contains("consent-not-known")).count();
        let refused = story.records.iter().filter(|record| record.contains("no-consent")).count();
        assert_eq!((refused, not_known), (7, 1), "{:?}", story.records);
    }
    // The same where objects are rewritten, by what they were before.
    let rules = compiled(&[("PatientID", "remove")]);
    for seed in 0..SEEDS {
        let (story, questions) = run(&asks, rules.clone(), Source { is_in_objects: false }, seed);
        assert_eq!(statuses(&story.requestor), expected, "seed {seed}");
        assert_eq!((data_sets(&story.archive).len(), questions), (going.len(), 3), "seed {seed}");
        let shows = |data: &&[u8]| data.windows(4).any(|tag| tag == [0x10, 0, 0x20, 0]);
        assert!(!data_sets(&story.archive).iter().any(shows), "seed {seed}");
    }
}

/// Of somebody who has consented, with these elements of group 9.
fn before_patient(instance: &str, more: &[u8]) -> Vec<u8> {
    let whole = of(instance, "Yes ");
    let at = whole.windows(4).position(|tag| tag == [0x10, 0, 0x10, 0]).unwrap();
    [&whole[..at], more, &whole[at..]].concat()
}

fn sequence(items: &[&[Vec<u8>]], is_defined: bool) -> Vec<u8> {
    let with = |head: &[u8], content: Vec<u8>, end: &[u8]| {
        let length = if is_defined { u32::try_from(content.len()).unwrap() } else { u32::MAX };
        let end = if is_defined { &[] } else { end };
        [head, &length.to_le_bytes(), &content, end].concat()
    };
    let item = |elements: &&[Vec<u8>]| {
        with(&[0xFE, 0xFF, 0, 0xE0], elements.concat(), &[0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0])
    };
    let items: Vec<u8> = items.iter().flat_map(item).collect();
    with(&[0x12, 0, 0x83, 0, b'S', b'Q', 0, 0], items, &[0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0])
}

#[test]
fn items_of_a_consent_are_read_as_they_are_encoded_and_one_that_says_something_twice_says_nothing() {
    let flag = |value: &[u8]| element((0x12, 0x85), b"CS", value);
    let protocol = |value: &[u8]| element((0x12, 0x20), b"LO", value);
    let kind = || element((0x12, 0x84), b"CS", b"NAMED_PROTOCOL");
    let own = [protocol(b"OWN "), kind(), flag(b"YES ")];
    let twice = [protocol(b"OWN "), kind(), flag(b"YES "), flag(b"YES ")];
    let outer = || protocol(b"OUTER ");
    let with = |behind: Vec<u8>| {
        let whole = of("1.2.3.4", "No");
        let at = whole.windows(4).position(|tag| tag == [0x20, 0, 0x0D, 0]).unwrap();
        [&whole[..at], &behind, &whole[at..]].concat()
    };
    let as_text = element((0x12, 0x83), b"LO", b"YES ");
    let both = |is_defined| sequence(&[&own, &own], is_defined);
    let objects = [
        (with([outer(), both(true)].concat()), true),
        (with([outer(), both(false)].concat()), true),
        (with(both(true)), false),
        (with([outer(), sequence(&[&own], true)].concat()), false),
        (with([outer(), sequence(&[&own, &twice], false)].concat()), false),
        (with([outer(), both(true), both(true)].concat()), false),
        (with([outer(), as_text].concat()), false),
        (with(Vec::new()), false),
    ];
    for (number, (object, goes)) in objects.iter().enumerate() {
        for seed in 0..20 {
            let asks = [Ask::Store("1.2.3.4", object.clone())];
            let (story, _) = run(&asks, None, Source { is_in_objects: true }, seed);
            let expected: &[u16] = if *goes { &[0] } else { &[0x0124] };
            assert_eq!(statuses(&story.requestor), expected, "{number}, seed {seed}");
            assert_eq!(data_sets(&story.archive).len(), usize::from(*goes), "{number}, seed {seed}");
        }
    }
}

#[test]
fn what_brings_no_object_is_refused_where_consent_is_in_objects_alone() {
    let asks = [Ask::Find(super::data::identifier())];
    let (story, _) = run(&asks, None, Source { is_in_objects: true }, 1);
    assert_eq!(statuses(&story.requestor), [0x0124]);
    assert!(data_sets(&story.archive).is_empty(), "{:?}", story.records);
}

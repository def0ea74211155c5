//! The machine without sockets: two peers with small scripts, and chances that come from a seed.

mod data;
mod early_answers;
mod ends;
mod looked_at;
mod peers;
mod simulation;
mod states;
mod wire;

use std::sync::Arc;

use data::{cut_off, identifier, image};
use peers::{Archive, Ask, Leaves, Requestor};
use simulation::{Chance, Simulation, Story, terms};
use wire::Heard;

use aws_lc_rs::hmac;

use crate::crosswalk::NotStored;
use crate::dimse::{Command, CommandField};
use crate::rewrite::{RuleSpec, Ruleset, RulesetSpec};

/// Seeds that each script is run with.
const SEEDS: u64 = 150;

struct Script {
    asks: Vec<Ask>,
    leaves: Leaves,
    rules: Option<Arc<Ruleset>>,
    /// Operations that the archive hears of.
    reach: usize,
    disk: Result<(), NotStored>,
}

fn script(asks: Vec<Ask>) -> Script {
    let reach = asks.iter().filter(|ask| !matches!(ask, Ask::Move(_))).count();
    Script { asks, leaves: Leaves::Requestor, rules: None, reach, disk: Ok(()) }
}

/// Whatever the seed is, it also says how the peers cut their data sets.
fn run(script: &Script, seed: u64) -> Story {
    let mut chance = Chance(seed ^ 0xD1C0);
    let mut fragment = || [30, 1_000, 4_000, 16_000][chance.below(4)];
    let mut requestor = Requestor::new(&script.asks, script.leaves, fragment());
    let mut archive = Archive::new(&script.asks, script.leaves, fragment(), script.reach);
    let mut simulation = Simulation::new(terms(script.rules.clone()), [&mut requestor, &mut archive], seed);
    simulation.disk = script.disk;
    simulation.run()
}

/// Any chunking, any interleaving of both directions and any pause give the same messages and records.
fn told_the_same(script: &Script) -> Story {
    let story = run(script, 0);
    for seed in 1..SEEDS {
        assert_eq!(run(script, seed), story, "seed {seed}");
    }
    story
}

fn compiled(rules: &[(&str, &str)]) -> Option<Arc<Ruleset>> {
    let rule = |(tag, action): &(&str, &str)| RuleSpec {
        tag: (*tag).into(),
        action: (*action).into(),
        ..RuleSpec::default()
    };
    let secret = Some(hmac::Key::new(hmac::HMAC_SHA256, b"a test's secret"));
    let rules = rules.iter().map(rule).collect();
    Some(Arc::new(Ruleset::compile(RulesetSpec { rules, secret, ..RulesetSpec::default() }).unwrap()))
}

/// The patient's name goes.
fn rules() -> Option<Arc<Ruleset>> {
    compiled(&[("PatientName", "remove")])
}

/// UIDs get others, which are remembered.
fn remembered() -> Option<Arc<Ruleset>> {
    compiled(&[("SOPInstanceUID", "uid"), ("PatientID", "pseudonym")])
}

/// Statuses of the responses that a requestor heard.
fn statuses(heard: &[Heard]) -> Vec<u16> {
    let responses = heard.iter().filter_map(|heard| match heard {
        Heard::Message { command, .. } => Some(Command::parse(command.clone()).unwrap().field),
        _ => None,
    });
    let status = |field| match field {
        CommandField::Response { status, .. } => Some(status.0),
        _ => None,
    };
    responses.filter_map(status).collect()
}

fn data_sets(heard: &[Heard]) -> Vec<&[u8]> {
    let data = heard.iter().filter_map(|heard| match heard {
        Heard::Message { data, .. } => data.as_deref(),
        _ => None,
    });
    data.collect()
}

const RELEASED: &str = "the requestor released the association";

#[test]
fn objects_go_on_as_they_came() {
    let objects = [image("1.2.3.4", 0), image("1.2.3.5", 30_000), image("1.2.3.6", 5_001)];
    let asks = [("1.2.3.4", 0), ("1.2.3.5", 1), ("1.2.3.6", 2)]
        .map(|(instance, n): (_, usize)| Ask::Store(instance, objects[n].clone()));
    let story = told_the_same(&script([vec![Ask::Echo], asks.to_vec()].concat()));
    assert_eq!(data_sets(&story.archive), objects.each_ref().map(Vec::as_slice));
    assert_eq!(statuses(&story.requestor), [0, 0, 0, 0]);
    assert_eq!((story.records.len(), story.ended.as_str()), (4, RELEASED));
    assert_eq!(story.archive.last(), Some(&Heard::ReleaseRq));
    assert_eq!(story.requestor.last(), Some(&Heard::ReleaseRp));
}

#[test]
fn queries_have_all_their_answers_and_can_be_given_up() {
    let story = told_the_same(&script(vec![Ask::Find(identifier()), Ask::Echo, Ask::Find(identifier())]));
    assert_eq!(statuses(&story.requestor), [0xFF00, 0xFF00, 0xFF00, 0, 0, 0xFF00, 0xFF00, 0xFF00, 0]);
    let story = told_the_same(&script(vec![Ask::FindAndCancel(identifier())]));
    assert_eq!(statuses(&story.requestor), [0xFF00, 0xFF00, 0xFF00, 0xFE00]);
    assert_eq!(story.records.len(), 1);
}

#[test]
fn what_is_retrieved_comes_back_in_the_same_association() {
    let story = told_the_same(&script(vec![Ask::Get(identifier()), Ask::Echo]));
    assert_eq!(data_sets(&story.requestor), [image("1.2.3.1", 10), image("1.2.3.2", 2_000)]);
    assert_eq!(statuses(&story.archive), [0, 0]);
    assert_eq!((story.records.len(), story.ended.as_str()), (4, RELEASED));
}

#[test]
fn what_is_refused_is_answered_and_never_heard_of() {
    let other = Ask::Store("1.2.3.5", image("1.2.3.4", 3_000));
    let asks = vec![Ask::Move(identifier()), other, Ask::Move(vec![7; 40_000]), Ask::Echo];
    let story = told_the_same(&Script { reach: 1, ..script(asks) });
    assert_eq!(statuses(&story.requestor), [0x0124, 0xA900, 0x0124, 0]);
    assert_eq!(story.archive.len(), 2, "a C-ECHO and the release");
    assert_eq!((story.records.len(), story.ended.as_str()), (4, RELEASED));
}

#[test]
fn a_rewrite_that_fails_early_is_answered_and_the_next_goes_on() {
    let asks = vec![
        Ask::Store("1.2.3.4", image("1.2.3.4", 10_000)),
        Ask::Store("1.2.3.5", cut_off("1.2.3.5", 10)),
        Ask::Store("1.2.3.6", image("1.2.3.6", 10)),
    ];
    let story = told_the_same(&Script { rules: rules(), ..script(asks) });
    let got = data_sets(&story.archive);
    let name = |data: &[u8]| data.windows(8).any(|window| window == b"Doe^Jane");
    assert!(got.len() >= 2 && !got.iter().any(|data| name(data)), "{}", got.len());
    assert_eq!(story.records.len(), 3);
}

#[test]
fn a_rewrite_that_fails_late_is_never_called_whole() {
    let asks = vec![Ask::Store("1.2.3.4", cut_off("1.2.3.4", 150_000)), Ask::Echo];
    let story = told_the_same(&Script { rules: rules(), ..script(asks) });
    assert_eq!(data_sets(&story.archive), Vec::<&[u8]>::new());
    assert_eq!(story.archive.last(), Some(&Heard::Abort(2, 0)));
    assert_eq!(statuses(&story.requestor).len(), 1);
    assert_eq!(story.requestor.last(), Some(&Heard::Abort(2, 0)));
    assert!(story.ended.starts_with("a data set could not be rewritten"), "{}", story.ended);
}

#[test]
fn what_is_made_goes_out_once_it_is_remembered_and_never_before() {
    let asks =
        vec![Ask::Store("1.2.3.4", image("1.2.3.4", 90_000)), Ask::Store("1.2.3.5", image("1.2.3.5", 9))];
    let story = told_the_same(&Script { rules: remembered(), ..script(asks.clone()) });
    assert_eq!((statuses(&story.requestor), data_sets(&story.archive).len()), (vec![0, 0], 2));
    let disk = Err(NotStored::Unavailable);
    let story = told_the_same(&Script { rules: remembered(), reach: 0, disk, ..script(asks) });
    assert_eq!(statuses(&story.requestor), [0xA700, 0xA700]);
    assert_eq!(story.archive, [Heard::ReleaseRq], "nothing was heard of it");
    assert_eq!(story.records.len(), 2);
}

#[test]
fn the_archive_may_leave_first() {
    let asks = vec![Ask::Store("1.2.3.4", image("1.2.3.4", 3_000))];
    let story = told_the_same(&Script { leaves: Leaves::Archive, ..script(asks) });
    assert_eq!(story.ended, "the upstream released the association");
}

/// Who is first depends on the seed; that both have their answer does not.
#[test]
fn both_may_leave_at_once() {
    let script = Script { leaves: Leaves::Both, ..script(vec![Ask::Echo, Ask::Find(identifier())]) };
    for seed in 0..SEEDS {
        let story = run(&script, seed);
        assert!(story.ended.ends_with("released the association"), "seed {seed}: {}", story.ended);
        assert_eq!(story.records.len(), 2);
    }
}

//! The machine without sockets: two peers with small scripts, and chances that come from a seed.

mod closing;
mod consented;
mod data;
mod early_answers;
mod ends;
mod hostile;
mod limit_reached;
mod looked_at;
mod peers;
mod queries;
mod scoped;
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
use crate::policy::{Queries, Rights, Role};
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
    /// What the requestor's role says of queries.
    queries: Queries,
}

fn script(asks: Vec<Ask>) -> Script {
    let reach = asks.iter().filter(|ask| !matches!(ask, Ask::Move(_))).count();
    let queries = Queries::default();
    Script { asks, leaves: Leaves::Requestor, rules: None, reach, disk: Ok(()), queries }
}

/// Whatever the seed is, it also says how the peers cut their data sets.
fn run(script: &Script, seed: u64) -> Story {
    let mut chance = Chance(seed ^ 0xD1C0);
    let mut fragment = || [30, 1_000, 4_000, 16_000][chance.below(4)];
    let mut requestor = Requestor::new(&script.asks, script.leaves, fragment());
    let mut archive = Archive::new(&script.asks, script.leaves, fragment(), script.reach);
    let mut terms = terms(script.rules.clone());
    let role = Role { queries: script.queries.clone(), ..(*terms.grant.peer.role).clone() };
    terms.grant.rights = Rights::of_peer(Arc::new(role));
    let mut simulation = Simulation::new(terms, [&mut requestor, &mut archive], seed);
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

/// The record of an operation that was done, as [`Story`] has it.
fn done(operation: &str, id: u16, bytes: usize) -> String {
    format!("FromPeer {operation} {id} None None None {bytes} bytes Some(0) None false")
}

/// The record of an object of the study that [`image`] makes.
fn stored(direction: &str, id: u16, instance: &str, bytes: usize) -> String {
    format!(
        "{direction} C-STORE {id} Some({instance:?}) None Some(\"1.2.3\") {bytes} bytes Some(0) None false"
    )
}

/// The record of an operation that came to nothing: its instance as it was and as it would have become, if it has one.
fn failed(operation: &str, id: u16, instances: &str, status: u16, reason: &str, is_refusal: bool) -> String {
    format!("FromPeer {operation} {id} {instances} None 0 bytes Some({status}) Some({reason:?}) {is_refusal}")
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
    let [first, second, third] = objects.each_ref().map(Vec::len);
    let stored = [("1.2.3.4", first), ("1.2.3.5", second), ("1.2.3.6", third)];
    let stored =
        (2..).zip(stored).map(|(id, (instance, bytes))| self::stored("FromPeer", id, instance, bytes));
    assert_eq!(story.records, [done("C-ECHO", 1, 0)].into_iter().chain(stored).collect::<Vec<_>>());
    assert_eq!(story.ended, RELEASED);
    assert_eq!(story.archive.last(), Some(&Heard::ReleaseRq));
    assert_eq!(story.requestor.last(), Some(&Heard::ReleaseRp));
}

#[test]
fn queries_have_all_their_answers_and_can_be_given_up() {
    let story = told_the_same(&script(vec![Ask::Find(identifier()), Ask::Echo, Ask::Find(identifier())]));
    assert_eq!(statuses(&story.requestor), [0xFF00, 0xFF00, 0xFF00, 0, 0, 0xFF00, 0xFF00, 0xFF00, 0]);
    let asked = identifier().len();
    assert_eq!(story.records, [done("C-FIND", 1, asked), done("C-ECHO", 2, 0), done("C-FIND", 3, asked)]);
    let story = told_the_same(&script(vec![Ask::FindAndCancel(identifier())]));
    assert_eq!(statuses(&story.requestor), [0xFF00, 0xFF00, 0xFF00, 0xFE00]);
    let cancelled = done("C-FIND", 1, asked).replace("Some(0)", &format!("Some({})", 0xFE00));
    assert_eq!(story.records, [cancelled]);
}

#[test]
fn what_is_retrieved_comes_back_in_the_same_association() {
    let story = told_the_same(&script(vec![Ask::Get(identifier()), Ask::Echo]));
    assert_eq!(data_sets(&story.requestor), [image("1.2.3.1", 10), image("1.2.3.2", 2_000)]);
    assert_eq!(statuses(&story.archive), [0, 0]);
    let got = [("1.2.3.1", 10, 901), ("1.2.3.2", 2_000, 900)]
        .map(|(instance, pixels, id)| stored("ToPeer", id, instance, image(instance, pixels).len()));
    let own = [done("C-GET", 1, identifier().len()), done("C-ECHO", 2, 0)];
    assert_eq!(story.records, [got, own].concat());
    assert_eq!(story.ended, RELEASED);
}

#[test]
fn what_is_refused_is_answered_and_never_heard_of() {
    let other = Ask::Store("1.2.3.5", image("1.2.3.4", 3_000));
    let asks = vec![Ask::Move(identifier()), other, Ask::Move(vec![7; 40_000]), Ask::Echo];
    let story = told_the_same(&Script { reach: 1, ..script(asks) });
    assert_eq!(statuses(&story.requestor), [0x0124, 0xA900, 0x0124, 0]);
    assert_eq!(story.archive.len(), 2, "a C-ECHO and the release");
    let expected = [
        failed("C-MOVE", 1, "None None", 0x0124, "operation-not-allowed", true),
        failed("C-STORE", 2, "Some(\"1.2.3.5\") None", 0xA900, "data-set-mismatch", true),
        failed("C-MOVE", 3, "None None", 0x0124, "operation-not-allowed", true),
        done("C-ECHO", 4, 0),
    ];
    assert_eq!((story.records.as_slice(), story.ended.as_str()), (&expected[..], RELEASED));
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
    let expected = [
        stored("FromPeer", 1, "1.2.3.4", image("1.2.3.4", 10_000).len()),
        failed("C-STORE", 2, "Some(\"1.2.3.5\") None", 0xC000, "rewrite-failed", false),
        stored("FromPeer", 3, "1.2.3.6", image("1.2.3.6", 10).len()),
    ];
    assert_eq!(story.records, expected);
}

#[test]
fn a_rewrite_that_fails_late_is_never_called_whole() {
    let asks = vec![Ask::Store("1.2.3.4", cut_off("1.2.3.4", 150_000)), Ask::Echo];
    let story = told_the_same(&Script { rules: rules(), ..script(asks) });
    assert_eq!(data_sets(&story.archive), Vec::<&[u8]>::new());
    assert_eq!(story.archive.last(), Some(&Heard::Abort(2, 0)));
    assert_eq!(statuses(&story.requestor), [0xC000]);
    assert_eq!(
        story.records,
        [failed("C-STORE", 1, "Some(\"1.2.3.4\") None", 0xC000, "rewrite-failed", false)]
    );
    assert_eq!(story.requestor.last(), Some(&Heard::Abort(2, 0)));
    assert!(story.ended.starts_with("a data set could not be rewritten"), "{}", story.ended);
}

/// Of 1.2.3.4 and 1.2.3.5, with the secret of these tests.
const PSEUDONYMS: [&str; 2] =
    ["2.25.15976249565425266525576615113897536287", "2.25.35688211930467675026486652390463145214"];

#[test]
fn what_is_made_goes_out_once_it_is_remembered_and_never_before() {
    let asks =
        vec![Ask::Store("1.2.3.4", image("1.2.3.4", 90_000)), Ask::Store("1.2.3.5", image("1.2.3.5", 9))];
    let story = told_the_same(&Script { rules: remembered(), ..script(asks.clone()) });
    assert_eq!((statuses(&story.requestor), data_sets(&story.archive).len()), (vec![0, 0], 2));
    let instances = [("1.2.3.4", PSEUDONYMS[0]), ("1.2.3.5", PSEUDONYMS[1])]
        .map(|(real, new)| format!("Some({real:?}) Some({new:?})"));
    for (record, (instances, pixels)) in story.records.iter().zip(instances.iter().zip([90_000, 9])) {
        let bytes = image("1.2.3.4", pixels).len();
        assert!(
            record.contains(&format!("{instances} Some(\"1.2.3\") {bytes} bytes Some(0) None")),
            "{record}"
        );
    }
    assert_eq!(story.records.len(), 2);
    let disk = Err(NotStored::Unavailable);
    let story = told_the_same(&Script { rules: remembered(), reach: 0, disk, ..script(asks) });
    assert_eq!(statuses(&story.requestor), [0xA700, 0xA700]);
    assert_eq!(story.archive, [Heard::ReleaseRq], "nothing was heard of it");
    let failed = |id, instances: &String| failed("C-STORE", id, instances, 0xA700, "rewrite-failed", false);
    assert_eq!(story.records, [failed(1, &instances[0]), failed(2, &instances[1])]);
}

#[test]
fn the_archive_may_leave_first() {
    let asks = vec![Ask::Store("1.2.3.4", image("1.2.3.4", 3_000))];
    let story = told_the_same(&Script { leaves: Leaves::Archive, ..script(asks) });
    assert_eq!(story.ended, "the upstream released the association");
    assert_eq!(story.records, [stored("FromPeer", 1, "1.2.3.4", image("1.2.3.4", 3_000).len())]);
}

/// Who is first depends on the seed; that both have their answer does not.
#[test]
fn both_may_leave_at_once() {
    let script = Script { leaves: Leaves::Both, ..script(vec![Ask::Echo, Ask::Find(identifier())]) };
    for seed in 0..SEEDS {
        let story = run(&script, seed);
        assert!(story.ended.ends_with("released the association"), "seed {seed}: {}", story.ended);
        assert_eq!(story.records, [done("C-ECHO", 1, 0), done("C-FIND", 2, identifier().len())]);
    }
}

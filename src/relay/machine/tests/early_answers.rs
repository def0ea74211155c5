//! Answers to requests that have not gone whole: each is the only one.

use super::super::{Learned, Machine, Question, Side, Want};
use super::data::{identifier, image};
use super::states::{
    begin_to_store, machine, machine_between_two_worlds, read, read_of, written, written_of,
};
use super::wire::{CT, FIND, context_of, message, request, response};
use crate::dimse::Operation::{CFind, CStore, NGet};
use crate::dimse::{Command, Status};
use crate::policy::Direction::{FromPeer, ToPeer};

/// Some servers give an object up at its first bytes; most read the rest all the same.
#[test]
fn the_record_of_an_object_that_is_refused_on_its_way_says_what_went() {
    let mut machine = machine();
    let (command, rest) = begin_to_store(&mut machine);
    let refusal = message(context_of(CT), &response(&command, Status(0xA700), false), None, 0);
    read_of(&mut machine, ToPeer, &refusal);
    assert_eq!(written_of(&mut machine, ToPeer, Side::Requestor), refusal, "at once, and no record yet");
    assert!(matches!(machine.next(ToPeer), Want::Read { .. }));
    read(&mut machine, &rest);
    let Want::Record(entry) = machine.next(FromPeer) else { panic!("no record") };
    let whole = image("1.2.3.4", 9_000).len() as u64;
    assert_eq!((entry.operation.status, entry.operation.bytes), (Some(0xA700), whole));
    assert_eq!(entry.operation.study.as_deref(), Some("1.2.3"));
    machine.learns(FromPeer, Learned::Now);
    assert!(!written(&mut machine, Side::Upstream).is_empty());
    assert!(machine.end().2.is_empty(), "one record");
}

#[test]
fn what_is_refused_on_its_way_and_never_ends_is_recorded_with_its_answer() {
    let mut machine = machine();
    let (command, _) = begin_to_store(&mut machine);
    let refusal = message(context_of(CT), &response(&command, Status(0xA700), false), None, 0);
    read_of(&mut machine, ToPeer, &refusal);
    assert_eq!(written_of(&mut machine, ToPeer, Side::Requestor), refusal);
    let statuses: Vec<_> = machine.end().2.iter().map(|entry| entry.operation.status).collect();
    assert_eq!(statuses, [Some(0xA700)]);
}

#[test]
fn a_second_answer_to_what_is_refused_on_its_way_ends_the_association() {
    let mut machine = machine();
    let (command, _) = begin_to_store(&mut machine);
    let refusal = message(context_of(CT), &response(&command, Status(0xA700), false), None, 0);
    read_of(&mut machine, ToPeer, &[refusal.clone(), refusal.clone()].concat());
    assert_eq!(written_of(&mut machine, ToPeer, Side::Requestor), refusal);
    let Want::End(ended) = machine.next(ToPeer) else { panic!("it goes on") };
    assert!(ended.to_string().contains("waits for none"), "{ended}");
}

/// An archive that guesses an answer before the command went has given it: the requestor hears no other one.
#[test]
fn what_is_not_what_its_command_says_is_answered_once() {
    let mut machine = machine();
    let command = request(CStore, CT, 1, Some("1.2.3.5"));
    let mut store = message(context_of(CT), &command, Some(&image("1.2.3.4", 9_000)), 1_000);
    let rest = store.split_off(message(context_of(CT), &command, None, 0).len());
    read(&mut machine, &store);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { .. }));
    let guess = response(&Command::parse(command).unwrap(), Status(0xA700), false);
    let guess = message(context_of(CT), &guess, None, 0);
    read_of(&mut machine, ToPeer, &guess);
    assert_eq!(written_of(&mut machine, ToPeer, Side::Requestor), guess);
    read(&mut machine, &rest);
    let Want::Record(entry) = machine.next(FromPeer) else { panic!("no record") };
    assert_eq!(entry.operation.status, Some(0xA700));
    assert_eq!(entry.operation.data_set_sop_instance.as_deref(), Some("1.2.3.4"));
    machine.learns(FromPeer, Learned::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }), "nobody hears more");
}

/// An answer that was guessed is one; there is no second.
#[test]
fn a_request_that_is_answered_before_it_went_goes_nowhere() {
    let mut machine = machine_between_two_worlds();
    let command = request(NGet, CT, 1, Some("1.2.3.4"));
    read(&mut machine, &message(context_of(CT), &command, None, 0));
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::Store(_))));
    let guess = response(&Command::parse(command).unwrap(), Status(0x0112), false);
    read_of(&mut machine, ToPeer, &message(context_of(CT), &guess, None, 0));
    assert!(matches!(machine.next(ToPeer), Want::Record(_)));
    machine.learns(ToPeer, Learned::Now);
    assert!(!written_of(&mut machine, ToPeer, Side::Requestor).is_empty());
    machine.learns(FromPeer, Learned::Stored(Ok(())));
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }), "nothing is written");
    assert!(machine.end().2.is_empty(), "it is recorded once");
}

/// A query all but for the end of its data set, and behind its beginning an answer that has a data set of its own; gives
/// what is left of the query.
fn answered_while_asking() -> (Machine, Vec<u8>) {
    let mut machine = machine_between_two_worlds();
    let command = request(CFind, FIND, 1, None);
    let mut find = message(context_of(FIND), &command, Some(&identifier()), 10);
    let rest = find.split_off(find.len() - 16);
    read(&mut machine, &find);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: true }));
    let guess = response(&Command::parse(command).unwrap(), Status(0xC001), true);
    read_of(&mut machine, ToPeer, &message(context_of(FIND), &guess, None, 0));
    assert!(matches!(machine.next(ToPeer), Want::Read { unfinished: true }));
    (machine, rest)
}

/// Its data set waits to be made another one when the request fails here.
#[test]
fn a_request_whose_answer_has_begun_gets_no_other_one() {
    let (mut machine, _) = answered_while_asking();
    // A fragment that ends inside of an element.
    read(&mut machine, &message(context_of(FIND), &[], Some(b"\x08\0"), 2)[12..]);
    let Want::Record(entry) = machine.next(FromPeer) else { panic!("no record") };
    assert_eq!(entry.operation.status, Some(0xC001));
    machine.learns(FromPeer, Learned::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }), "one answer");
}

/// The request has ended, with its answer on the way, when that cannot be made another one.
#[test]
fn who_asked_is_told_that_an_early_answer_cannot_cross() {
    let (mut machine, rest) = answered_while_asking();
    read(&mut machine, &rest);
    loop {
        match machine.next(FromPeer) {
            Want::Record(_) => break machine.learns(FromPeer, Learned::Now),
            Want::Write(_) => drop(written_of(&mut machine, FromPeer, Side::Upstream)),
            _ => panic!("neither written nor recorded"),
        }
    }
    // A fragment that ends inside of an element.
    read_of(&mut machine, ToPeer, &message(context_of(FIND), &[], Some(b"\x08\0"), 2)[12..]);
    assert!(!written_of(&mut machine, ToPeer, Side::Requestor).is_empty(), "an answer");
}

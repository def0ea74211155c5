//! States one at a time.

use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::super::state::State;
use super::super::{Deadlines, Expired, Learned, Machine, Question, Side, Terms, Want};
use super::data::{identifier, image};
use super::remembered;
use super::simulation::{ANSWER, DEADLINES, TODAY, terms};
use super::wire::{CT, ECHO, FIND, cancel, context_of, message, request};
use crate::dimse::Command;
use crate::dimse::Operation::{CEcho, CFind, CStore, NGet};
use crate::policy::Direction::{self, FromPeer, ToPeer};
use crate::policy::Rights;

pub(super) fn machine_at(began: Instant) -> Machine {
    Machine::new(terms(None), [0, 0], DEADLINES, &ANSWER, (began, TODAY))
}

/// One whose answer is written.
pub(super) fn machine() -> Machine {
    under_way(machine_at(Instant::now()))
}

/// The same of a peer that lives in a world of pseudonyms, and may ask for attributes there.
pub(super) fn machine_between_two_worlds() -> Machine {
    let mut terms: Terms = terms(remembered());
    let peer = Arc::get_mut(&mut terms.grant.peer).unwrap();
    peer.two_way = true;
    Arc::make_mut(&mut peer.role).operations.push(NGet);
    terms.grant.rights = Rights::of_peer(peer.role.clone());
    under_way(Machine::new(terms, [0, 0], DEADLINES, &ANSWER, (Instant::now(), TODAY)))
}

pub(super) fn under_way(mut machine: Machine) -> Machine {
    assert!(matches!(machine.next(ToPeer), Want::Write(Side::Requestor)));
    machine.written(ToPeer);
    assert!(matches!(machine.next(ToPeer), Want::Read { unfinished: false }));
    machine
}

pub(super) fn read(machine: &mut Machine, bytes: &[u8]) {
    read_of(machine, FromPeer, bytes);
}

pub(super) fn read_of(machine: &mut Machine, direction: Direction, bytes: &[u8]) {
    assert!(matches!(machine.next(direction), Want::Read { .. }));
    let inbox = machine.inbox(direction);
    let count = inbox.receive(|room| {
        room.put_slice(bytes);
        Poll::Ready(Ok(()))
    });
    assert!(count.is_ready());
    inbox.unseal();
    machine.read(direction, bytes.len());
    let Want::Ask(Question::PaceOfBytes(count)) = machine.next(direction) else { panic!("no pace") };
    assert_eq!(count, bytes.len());
    machine.learns(direction, Learned::Now);
}

pub(super) fn written(machine: &mut Machine, side: Side) -> Vec<u8> {
    written_of(machine, FromPeer, side)
}

pub(super) fn written_of(machine: &mut Machine, direction: Direction, side: Side) -> Vec<u8> {
    assert!(matches!(machine.next(direction), Want::Write(to) if to == side));
    let outgoing = machine.outgoing(direction);
    let bytes = |span| outgoing.packer.bytes(span, outgoing.input, outgoing.made).unwrap();
    let all = outgoing.packer.plan().iter().map(bytes).collect::<Vec<_>>().concat();
    machine.written(direction);
    all
}

/// The beginning of an object that goes on; the rest of it is given back.
pub(super) fn begin_to_store(machine: &mut Machine) -> (Command, Vec<u8>) {
    let command = request(CStore, CT, 1, Some("1.2.3.4"));
    let mut store = message(context_of(CT), &command, Some(&image("1.2.3.4", 9_000)), 1_000);
    let (alone, pdu) = (message(context_of(CT), &command, None, 0).len(), 12 + 1_000);
    let rest = store.split_off(alone + 3 * pdu);
    read(machine, &store);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
    assert!(!written(machine, Side::Upstream).is_empty());
    (Command::parse(command).unwrap(), rest)
}

/// Its own command set is held back until it is known to be what that says.
#[test]
fn a_message_does_not_wait_for_the_data_set_of_the_next_one() {
    let mut machine = machine();
    let echo = message(context_of(ECHO), &request(CEcho, ECHO, 1, None), None, 0);
    let store = message(context_of(CT), &request(CStore, CT, 2, Some("1.2.3")), None, 0);
    read(&mut machine, &[echo.clone(), store].concat());
    for _ in 0..2 {
        assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
        machine.learns(FromPeer, Learned::Now);
    }
    assert_eq!(written(&mut machine, Side::Upstream), echo);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: true }));
}

#[test]
fn a_request_waits_for_its_pace_and_then_goes_on_as_it_came() {
    let mut machine = machine();
    let echo = message(context_of(ECHO), &request(CEcho, ECHO, 1, None), None, 0);
    read(&mut machine, &echo);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    assert!(matches!(machine.next(FromPeer), Want::Answer), "it is asked once");
    machine.learns(FromPeer, Learned::Now);
    assert_eq!(written(&mut machine, Side::Upstream), echo);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }));
}

/// Each is an effort, so that whoever sends many waits.
#[test]
fn a_cancel_in_a_context_that_was_not_accepted_has_its_pace_and_is_counted() {
    let mut machine = machine();
    read(&mut machine, &message(77, &cancel(1), None, 0));
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }), "nothing is written");
    let (_, books, _) = machine.end();
    assert_eq!(books.tally.operations()["C-CANCEL"].warning, 1);
}

#[test]
fn a_message_is_unfinished_until_its_last_fragment() {
    let mut machine = machine();
    let echo = message(context_of(ECHO), &request(CEcho, ECHO, 1, None), None, 0);
    read(&mut machine, &echo[..20]);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: true }));
}

#[test]
fn a_store_without_its_data_set_is_held_back() {
    let mut machine = machine();
    let store = message(context_of(CT), &request(CStore, CT, 1, Some("1.2.3")), None, 0);
    read(&mut machine, &store);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: true }), "nothing is written");
    machine.stream_ended(FromPeer, "gone".into());
    assert!(matches!(machine.next(FromPeer), Want::End(ended) if ended.to_string().contains("gone")));
    assert_eq!(machine.end().2.len(), 1, "it is recorded all the same");
}

#[test]
fn a_command_set_that_came_alone_is_written_with_the_first_of_its_data_set() {
    let mut machine = machine();
    let command = request(CFind, FIND, 1, None);
    let query = message(context_of(FIND), &command, Some(&identifier()), 1_000);
    let alone = message(context_of(FIND), &command, None, 0).len();
    read(&mut machine, &query[..alone]);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: true }), "nothing is written");
    read(&mut machine, &query[alone..]);
    assert_eq!(written(&mut machine, Side::Upstream), query);
}

/// How much of an answer a kernel takes for a peer that does not read is the kernel's business; here it is nothing.
#[test]
fn an_answer_that_the_requestor_does_not_read_is_under_way_until_a_deadline() {
    let began = Instant::now();
    let mut machine = machine_at(began);
    machine.deadlines = Deadlines { idle: Duration::from_secs(30), ..DEADLINES };
    assert!(matches!(machine.next(ToPeer), Want::Write(Side::Requestor)));
    machine.woken(began + Duration::from_secs(59), TODAY);
    assert!(machine.look([0, 0]).is_ok());
    machine.woken(began + Duration::from_secs(61), TODAY);
    assert_eq!(machine.look([0, 0]), Err(Expired::Dimse));
}

/// An association that waits holds this for hours perhaps. What makes it larger belongs in a box, if it is rare.
#[test]
fn an_idle_association_is_small() {
    assert!(size_of::<State>() <= 48, "{} bytes", size_of::<State>());
    assert!(size_of::<Machine>() <= 2_048, "{} bytes", size_of::<Machine>());
}

//! States one at a time.

use std::task::Poll;
use std::time::{Duration, Instant};

use super::super::state::State;
use super::super::{Deadlines, Expired, Machine, Question, Side, Told, Want};
use super::data::identifier;
use super::simulation::{ANSWER, DEADLINES, terms};
use super::wire::{CT, ECHO, FIND, context_of, message, request};
use crate::dimse::Operation::{CEcho, CFind, CStore};
use crate::policy::Direction::{FromPeer, ToPeer};
use crate::wire::AbortReason;
use crate::wire::pdu::{Abort, RELEASE_RQ};

fn machine_at(began: Instant) -> Machine {
    Machine::new(terms(None), [0, 0], DEADLINES, &ANSWER, began)
}

/// One whose answer is written.
fn machine() -> Machine {
    let mut machine = machine_at(Instant::now());
    assert!(matches!(machine.next(ToPeer), Want::Write(Side::Requestor)));
    machine.written(ToPeer);
    assert!(matches!(machine.next(ToPeer), Want::Read { unfinished: false }));
    machine
}

fn read(machine: &mut Machine, bytes: &[u8]) {
    assert!(matches!(machine.next(FromPeer), Want::Read { .. }));
    let inbox = machine.inbox(FromPeer);
    let count = inbox.receive(|room| {
        room.put_slice(bytes);
        Poll::Ready(Ok(()))
    });
    assert!(count.is_ready());
    inbox.unseal();
    machine.read(FromPeer, bytes.len());
    let Want::Ask(Question::PaceOfBytes(count)) = machine.next(FromPeer) else { panic!("no pace") };
    assert_eq!(count, bytes.len());
    machine.told(FromPeer, Told::Now);
}

fn written(machine: &mut Machine, side: Side) -> Vec<u8> {
    assert!(matches!(machine.next(FromPeer), Want::Write(to) if to == side));
    let outgoing = machine.outgoing(FromPeer);
    let bytes = |span| outgoing.packer.bytes(span, outgoing.input, outgoing.made).unwrap();
    let all = outgoing.packer.plan().iter().map(bytes).collect::<Vec<_>>().concat();
    machine.written(FromPeer);
    all
}

#[test]
fn a_request_waits_for_its_pace_and_then_goes_on_as_it_came() {
    let mut machine = machine();
    let echo = message(context_of(ECHO), &request(CEcho, ECHO, 1, None), None, 0);
    read(&mut machine, &echo);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    assert!(matches!(machine.next(FromPeer), Want::Answer), "it is asked once");
    machine.told(FromPeer, Told::Now);
    assert_eq!(written(&mut machine, Side::Upstream), echo);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }));
}

#[test]
fn a_message_is_unfinished_until_its_last_fragment() {
    let mut machine = machine();
    let echo = message(context_of(ECHO), &request(CEcho, ECHO, 1, None), None, 0);
    read(&mut machine, &echo[..20]);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: true }));
}

#[test]
fn an_answer_that_nobody_awaits_is_a_defect_and_both_sides_hear_of_the_end() {
    let mut machine = machine();
    let echo = message(context_of(ECHO), &request(CEcho, ECHO, 1, None), None, 0);
    read(&mut machine, &echo);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.told(FromPeer, Told::Stored(Ok(())));
    let Want::End(ended) = machine.next(FromPeer) else { panic!("it goes on") };
    assert_eq!(ended.to_string(), "a defect of dimsegate: an answer came that nobody awaits");
    assert!([Side::Requestor, Side::Upstream].iter().all(|side| ended.abort_for(*side).is_some()));
    let (_, _, left) = machine.end();
    assert_eq!(left.len(), 0, "the request was not entered yet");
}

#[test]
fn a_store_without_its_data_set_is_held_back() {
    let mut machine = machine();
    let store = message(context_of(CT), &request(CStore, CT, 1, Some("1.2.3")), None, 0);
    read(&mut machine, &store);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.told(FromPeer, Told::Now);
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
    machine.told(FromPeer, Told::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: true }), "nothing is written");
    read(&mut machine, &query[alone..]);
    assert_eq!(written(&mut machine, Side::Upstream), query);
}

#[test]
fn whole_messages_before_an_abort_go_on() {
    let mut machine = machine();
    let echo = message(context_of(ECHO), &request(CEcho, ECHO, 1, None), None, 0);
    read(
        &mut machine,
        &[echo.clone(), Abort::provider(AbortReason::NotSpecified).to_pdu().to_vec()].concat(),
    );
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.told(FromPeer, Told::Now);
    assert_eq!(written(&mut machine, Side::Upstream), echo);
    assert!(matches!(machine.next(FromPeer), Want::End(_)));
}

#[test]
fn what_cannot_be_done_is_a_defect_that_ends_the_association_alone() {
    let mut machine = machine();
    machine.defect(FromPeer, "a test's");
    let Want::End(ended) = machine.next(FromPeer) else { panic!("it goes on") };
    assert_eq!(ended.to_string(), "a defect of dimsegate: a test's");
}

#[test]
fn who_has_asked_for_the_release_may_close() {
    let mut machine = machine();
    read(&mut machine, &RELEASE_RQ);
    assert_eq!(written(&mut machine, Side::Upstream), RELEASE_RQ);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }));
    machine.stream_ended(FromPeer, "gone".into());
    assert!(matches!(machine.next(FromPeer), Want::Nothing));
    assert!(machine.has_to_look());
}

/// How much of an answer a kernel takes for a peer that does not read is the kernel's business; here it is nothing.
#[test]
fn an_answer_that_the_requestor_does_not_read_is_under_way_until_a_deadline() {
    let began = Instant::now();
    let mut machine = machine_at(began);
    machine.deadlines = Deadlines { idle: Duration::from_secs(30), ..DEADLINES };
    assert!(matches!(machine.next(ToPeer), Want::Write(Side::Requestor)));
    machine.woken(began + Duration::from_secs(59));
    assert!(machine.look([0, 0]).is_ok());
    machine.woken(began + Duration::from_secs(61));
    assert_eq!(machine.look([0, 0]), Err(Expired::Dimse));
}

/// An association that waits holds this for hours perhaps. What makes it larger belongs in a box, if it is rare.
#[test]
fn an_idle_association_is_small() {
    assert!(size_of::<State>() <= 48, "{} bytes", size_of::<State>());
    assert!(size_of::<Machine>() <= 2_048, "{} bytes", size_of::<Machine>());
}

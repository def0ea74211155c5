//! States one at a time.

use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::super::state::{Break, State};
use super::super::{Deadlines, Ended, Expired, Machine, Question, Side, Terms, Told, Want};
use super::data::{identifier, image};
use super::remembered;
use super::simulation::{ANSWER, DEADLINES, terms};
use super::wire::{CT, ECHO, FIND, MOVE, context_of, message, request, response};
use crate::dimse::Operation::{CEcho, CFind, CMove, CStore, NGet};
use crate::dimse::{Command, Status};
use crate::policy::Direction::{self, FromPeer, ToPeer};
use crate::wire::AbortReason;
use crate::wire::pdu::{Abort, RELEASE_RP, RELEASE_RQ};

fn machine_at(began: Instant) -> Machine {
    Machine::new(terms(None), [0, 0], DEADLINES, &ANSWER, began)
}

/// One whose answer is written.
pub fn machine() -> Machine {
    under_way(machine_at(Instant::now()))
}

/// The same of a peer that lives in a world of pseudonyms, and may ask for attributes there.
fn machine_between_two_worlds() -> Machine {
    let mut terms: Terms = terms(remembered());
    let peer = Arc::get_mut(&mut terms.grant.peer).unwrap();
    peer.two_way = true;
    Arc::get_mut(&mut peer.role).unwrap().operations.push(NGet);
    under_way(Machine::new(terms, [0, 0], DEADLINES, &ANSWER, Instant::now()))
}

pub fn under_way(mut machine: Machine) -> Machine {
    assert!(matches!(machine.next(ToPeer), Want::Write(Side::Requestor)));
    machine.written(ToPeer);
    assert!(matches!(machine.next(ToPeer), Want::Read { unfinished: false }));
    machine
}

pub fn read(machine: &mut Machine, bytes: &[u8]) {
    read_of(machine, FromPeer, bytes);
}

pub fn read_of(machine: &mut Machine, direction: Direction, bytes: &[u8]) {
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
    machine.told(direction, Told::Now);
}

pub fn written(machine: &mut Machine, side: Side) -> Vec<u8> {
    written_of(machine, FromPeer, side)
}

fn written_of(machine: &mut Machine, direction: Direction, side: Side) -> Vec<u8> {
    assert!(matches!(machine.next(direction), Want::Write(to) if to == side));
    let outgoing = machine.outgoing(direction);
    let bytes = |span| outgoing.packer.bytes(span, outgoing.input, outgoing.made).unwrap();
    let all = outgoing.packer.plan().iter().map(bytes).collect::<Vec<_>>().concat();
    machine.written(direction);
    all
}

/// The beginning of an object that goes on; the rest of it is given back.
fn begin_to_store(machine: &mut Machine) -> (Command, Vec<u8>) {
    let command = request(CStore, CT, 1, Some("1.2.3.4"));
    let mut store = message(context_of(CT), &command, Some(&image("1.2.3.4", 9_000)), 1_000);
    let (alone, pdu) = (message(context_of(CT), &command, None, 0).len(), 12 + 1_000);
    let rest = store.split_off(alone + 3 * pdu);
    read(machine, &store);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.told(FromPeer, Told::Now);
    assert!(!written(machine, Side::Upstream).is_empty());
    (Command::parse(command).unwrap(), rest)
}

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
    machine.told(FromPeer, Told::Now);
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
    machine.told(FromPeer, Told::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { .. }));
    let guess = response(&Command::parse(command).unwrap(), Status(0xA700), false);
    let guess = message(context_of(CT), &guess, None, 0);
    read_of(&mut machine, ToPeer, &guess);
    assert_eq!(written_of(&mut machine, ToPeer, Side::Requestor), guess);
    read(&mut machine, &rest);
    let Want::Record(entry) = machine.next(FromPeer) else { panic!("no record") };
    assert_eq!(entry.operation.status, Some(0xA700));
    assert_eq!(entry.operation.data_set_sop_instance.as_deref(), Some("1.2.3.4"));
    machine.told(FromPeer, Told::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }), "nobody hears more");
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
        machine.told(FromPeer, Told::Now);
    }
    assert_eq!(written(&mut machine, Side::Upstream), echo);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: true }));
}

#[test]
fn an_answer_to_the_release_inside_a_message_breaks_the_protocol() {
    let mut machine = machine();
    read_of(&mut machine, ToPeer, &RELEASE_RQ);
    assert_eq!(written_of(&mut machine, ToPeer, Side::Requestor), RELEASE_RQ);
    let (_, _) = begin_to_store(&mut machine);
    read(&mut machine, &RELEASE_RP);
    let Want::End(ended) = machine.next(FromPeer) else { panic!("it goes on") };
    assert!(ended.to_string().contains("an A-RELEASE-RP inside a message"), "{ended}");
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
fn whole_messages_before_an_abort_inside_another_go_on() {
    let find = message(context_of(FIND), &request(CFind, FIND, 1, None), Some(&identifier()), 1_000);
    let begun = message(context_of(FIND), &request(CFind, FIND, 2, None), None, 0);
    let abort = Abort::provider(AbortReason::NotSpecified).to_pdu();
    for begun in [&begun[..], &begun[..begun.len() - 10]] {
        let mut machine = machine();
        read(&mut machine, &[&find[..], begun, &abort].concat());
        assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
        machine.told(FromPeer, Told::Now);
        let mut next = machine.next(FromPeer);
        if matches!(next, Want::Ask(Question::PaceOfOperations)) {
            machine.told(FromPeer, Told::Now);
            next = machine.next(FromPeer);
        }
        assert!(matches!(next, Want::Write(Side::Upstream)));
        assert_eq!(written(&mut machine, Side::Upstream), find);
    }
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
    assert!(machine.has_to_look() && !machine.has_to_look());
    read(&mut machine, &RELEASE_RQ);
    assert_eq!(written(&mut machine, Side::Upstream), RELEASE_RQ);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }));
    machine.stream_ended(FromPeer, "gone".into());
    assert!(matches!(machine.next(FromPeer), Want::Nothing));
    assert!(machine.has_to_look());
}

/// It hears no messages any more (PS3.8 Table 9-10, Sta7 and Sta8).
#[test]
fn who_was_asked_for_the_release_gets_no_answer_of_ours() {
    let mut machine = machine();
    read_of(&mut machine, ToPeer, &RELEASE_RQ);
    assert_eq!(written_of(&mut machine, ToPeer, Side::Requestor), RELEASE_RQ);
    let refused = message(context_of(MOVE), &request(CMove, MOVE, 1, None), Some(&identifier()), 1_000);
    read(&mut machine, &[refused, RELEASE_RP.to_vec()].concat());
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.told(FromPeer, Told::Now);
    let Want::Record(entry) = machine.next(FromPeer) else { panic!("no record") };
    assert_eq!(entry.operation.status, Some(0x0124));
    machine.told(FromPeer, Told::Now);
    assert_eq!(written(&mut machine, Side::Upstream), RELEASE_RP);
    assert!(matches!(machine.next(FromPeer), Want::End(_)));
}

#[test]
fn what_is_awaited_or_written_when_a_defect_shows_is_given_up() {
    let mut machine = machine();
    read(&mut machine, &message(context_of(ECHO), &request(CEcho, ECHO, 1, None), None, 0));
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.defect(FromPeer, "a test's");
    assert!(matches!(machine.next(FromPeer), Want::End(_)), "nobody waits for the answer");
}

#[test]
fn an_answer_that_cannot_be_written_is_not_written_again() {
    let mut machine = machine();
    let refused = message(context_of(MOVE), &request(CMove, MOVE, 1, None), Some(&identifier()), 1_000);
    read(&mut machine, &refused);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.told(FromPeer, Told::Now);
    assert!(matches!(machine.next(FromPeer), Want::Record(_)));
    machine.told(FromPeer, Told::Now);
    assert!(matches!(machine.next(FromPeer), Want::Write(Side::Requestor)));
    machine.defect(FromPeer, "a test's");
    assert!(matches!(machine.next(FromPeer), Want::End(_)));
}

fn stop(machine: &mut Machine, ended: Ended) {
    let (half, shared) = machine.half(FromPeer);
    half.stop(shared, Break::between(ended));
}

/// Neither waits for the other.
#[test]
fn two_objects_that_fail_on_their_way_to_both_sides_end_the_association() {
    let mut machine = machine();
    machine.shared.to_requestor.is_condemned = true;
    stop(&mut machine, Ended::Policy { detail: "an object failed".into() });
    assert!(matches!(machine.next(FromPeer), Want::End(_)));
    let mut machine = machine_at(Instant::now());
    machine.shared.to_requestor.is_condemned = true;
    stop(&mut machine, Ended::Lost { side: Side::Requestor, detail: "gone".into() });
    assert!(matches!(machine.next(FromPeer), Want::Nothing), "the other half still has an answer to give");
}

/// An answer that was guessed is one; there is no second.
#[test]
fn a_request_that_is_answered_before_it_went_goes_nowhere() {
    let mut machine = machine_between_two_worlds();
    let command = request(NGet, CT, 1, Some("1.2.3.4"));
    read(&mut machine, &message(context_of(CT), &command, None, 0));
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.told(FromPeer, Told::Now);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::Store(_))));
    let guess = response(&Command::parse(command).unwrap(), Status(0x0112), false);
    read_of(&mut machine, ToPeer, &message(context_of(CT), &guess, None, 0));
    assert!(matches!(machine.next(ToPeer), Want::Record(_)));
    machine.told(ToPeer, Told::Now);
    assert!(!written_of(&mut machine, ToPeer, Side::Requestor).is_empty());
    machine.told(FromPeer, Told::Stored(Ok(())));
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }), "nothing is written");
    assert!(machine.end().2.is_empty(), "it is recorded once");
}

/// Its data set waits to be made another one when the request fails here.
#[test]
fn a_request_whose_answer_has_begun_gets_no_other_one() {
    let mut machine = machine_between_two_worlds();
    let command = request(CFind, FIND, 1, None);
    let find = message(context_of(FIND), &command, Some(&identifier()), 10);
    read(&mut machine, &find[..find.len() - 16]);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.told(FromPeer, Told::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: true }));
    let guess = response(&Command::parse(command).unwrap(), Status(0xC001), true);
    read_of(&mut machine, ToPeer, &message(context_of(FIND), &guess, None, 0));
    assert!(matches!(machine.next(ToPeer), Want::Read { unfinished: true }));
    // A fragment that ends inside of an element.
    read(&mut machine, &message(context_of(FIND), &[], Some(b"\x08\0"), 2)[12..]);
    let Want::Record(entry) = machine.next(FromPeer) else { panic!("no record") };
    assert_eq!(entry.operation.status, Some(0xC001));
    machine.told(FromPeer, Told::Now);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }), "one answer");
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

//! The end of an association, and what is still said before it.

use std::time::Instant;

use super::super::state::Break;
use super::super::{Ended, Learned, Machine, Question, Side, Want};
use super::data::{identifier, image};
use super::states::{begin_to_store, machine, machine_at, read, read_of, written, written_of};
use super::wire::{CT, ECHO, FIND, MOVE, context_of, message, request, response};
use crate::dimse::Operation::{CEcho, CFind, CMove, CStore};
use crate::dimse::{Command, Status};
use crate::policy::Direction::{FromPeer, ToPeer};
use crate::wire::AbortReason;
use crate::wire::pdu::{Abort, RELEASE_RP, RELEASE_RQ};

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
fn an_answer_that_nobody_awaits_is_a_defect_and_both_sides_hear_of_the_end() {
    let mut machine = machine();
    let echo = message(context_of(ECHO), &request(CEcho, ECHO, 1, None), None, 0);
    read(&mut machine, &echo);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Stored(Ok(())));
    let Want::End(ended) = machine.next(FromPeer) else { panic!("it goes on") };
    assert_eq!(ended.to_string(), "a defect of dimsegate: an answer came that nobody awaits");
    assert!([Side::Requestor, Side::Upstream].iter().all(|side| ended.abort_for(*side).is_some()));
    let (_, _, left) = machine.end();
    assert_eq!(left.len(), 0, "the request was not entered yet");
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
    machine.learns(FromPeer, Learned::Now);
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
        machine.learns(FromPeer, Learned::Now);
        let mut next = machine.next(FromPeer);
        if matches!(next, Want::Ask(Question::PaceOfOperations)) {
            machine.learns(FromPeer, Learned::Now);
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
    machine.learns(FromPeer, Learned::Now);
    let Want::Record(entry) = machine.next(FromPeer) else { panic!("no record") };
    assert_eq!(entry.operation.status, Some(0x0124));
    machine.learns(FromPeer, Learned::Now);
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
    machine.learns(FromPeer, Learned::Now);
    assert!(matches!(machine.next(FromPeer), Want::Record(_)));
    machine.learns(FromPeer, Learned::Now);
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

#[test]
fn a_data_set_behind_a_response_that_has_none_goes_nowhere() {
    for operation in [CStore, CEcho] {
        let mut machine = machine();
        let class = if operation == CStore { CT } else { ECHO };
        let asked = request(operation, class, 7, Some("1.2.3.4").filter(|_| operation == CStore));
        let data = image("1.2.3.4", 10);
        read(
            &mut machine,
            &message(context_of(class), &asked, Some(&*data).filter(|_| operation == CStore), 900),
        );
        while let Some(()) = goes_on(&mut machine) {}
        let answer = response(&Command::parse(asked).unwrap(), Status::SUCCESS, true);
        read_of(&mut machine, ToPeer, &message(context_of(class), &answer, Some(&data), 900));
        let Want::End(ended) = machine.next(ToPeer) else { panic!("it goes on") };
        assert!(ended.to_string().contains("with a data set, which it never has"), "{ended}");
    }
}

/// Does what the requestor's half wants, unless it waits.
fn goes_on(machine: &mut Machine) -> Option<()> {
    match machine.next(FromPeer) {
        Want::Ask(_) => machine.learns(FromPeer, Learned::Now),
        Want::Write(_) => machine.written(FromPeer),
        _ => return None,
    }
    Some(())
}

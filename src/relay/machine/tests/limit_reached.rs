//! A repository query whose answers were cut short, with a word that may be the last or not (PS3.4 Annex HH).

use super::super::{Learned, Machine, Question, Side, Want};
use super::data::identifier;
use super::states::{machine, machine_between_two_worlds, read, read_of, written, written_of};
use super::wire::{REPOSITORY, context_of, message, request, response};
use crate::dimse::Operation::CFind;
use crate::dimse::{Command, CommandField, Outcome, Status};
use crate::policy::Direction::{FromPeer, ToPeer};

fn ask(machine: &mut Machine, message_id: u16) {
    let command = request(CFind, REPOSITORY, message_id, None);
    read(machine, &message(context_of(REPOSITORY), &command, Some(&identifier()), 1_000));
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
}

/// The archive answers query 1.
fn answer(machine: &mut Machine, status: Status, data: Option<&[u8]>) {
    let asked = Command::parse(request(CFind, REPOSITORY, 1, None)).unwrap();
    let response = response(&asked, status, data.is_some());
    read_of(machine, ToPeer, &message(context_of(REPOSITORY), &response, data, 1_000));
}

/// An element that is cut off, so that the answer it is in cannot cross.
const CUT_OFF: Option<&[u8]> = Some(b"\x08\0");

/// The status of what the requestor is sent, in one PDU.
fn heard(machine: &mut Machine) -> Status {
    let bytes = written_of(machine, ToPeer, Side::Requestor);
    match Command::parse(bytes[12..].to_vec()).unwrap().field {
        CommandField::Response { status, .. } => status,
        other => panic!("{other:?} is no response"),
    }
}

#[test]
fn a_query_whose_answers_were_cut_short_keeps_no_association_open_that_is_to_end() {
    let mut machine = machine();
    ask(&mut machine, 1);
    assert!(!written(&mut machine, Side::Upstream).is_empty());
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }));
    machine.drain();
    assert!(!machine.may_end(), "it waits for its answer");
    answer(&mut machine, Status::LIMIT_REACHED, None);
    assert_eq!(heard(&mut machine), Status::LIMIT_REACHED);
    assert!(matches!(machine.next(ToPeer), Want::Read { unfinished: false }));
    assert!(machine.may_end());
    let statuses: Vec<_> = machine.end().2.iter().map(|entry| entry.operation.status).collect();
    assert_eq!(statuses, [Some(0xB001)]);
}

#[test]
fn what_follows_an_answer_that_could_not_cross_goes_nowhere_and_ends_nothing() {
    for follow in [&[Status::SUCCESS][..], &[Status(0xFF00), Status::LIMIT_REACHED, Status::SUCCESS]] {
        let mut machine = machine_between_two_worlds();
        ask(&mut machine, 1);
        assert!(!written(&mut machine, Side::Upstream).is_empty());
        answer(&mut machine, Status::LIMIT_REACHED, CUT_OFF);
        assert_eq!(heard(&mut machine).outcome(), Outcome::Failure);
        for status in follow {
            assert!(matches!(machine.next(ToPeer), Want::Read { unfinished: false }), "one answer");
            answer(&mut machine, *status, None);
        }
        let Want::Record(entry) = machine.next(ToPeer) else { panic!("no record") };
        assert_eq!(entry.operation.reason.as_deref(), Some("rewrite-failed"));
        machine.learns(ToPeer, Learned::Now);
        assert!(matches!(machine.next(ToPeer), Want::Read { unfinished: false }), "one answer");
        assert!(machine.end().2.is_empty(), "one record");
    }
}

#[test]
fn an_answer_that_could_not_cross_was_the_last_if_its_number_is_used_again() {
    let mut machine = machine_between_two_worlds();
    ask(&mut machine, 1);
    assert!(!written(&mut machine, Side::Upstream).is_empty());
    answer(&mut machine, Status::LIMIT_REACHED, CUT_OFF);
    assert_eq!(heard(&mut machine).outcome(), Outcome::Failure);
    ask(&mut machine, 1);
    let Want::Record(entry) = machine.next(FromPeer) else { panic!("no record") };
    assert_eq!(entry.operation.reason.as_deref(), Some("rewrite-failed"));
    machine.learns(FromPeer, Learned::Now);
    assert!(!written(&mut machine, Side::Upstream).is_empty());
    answer(&mut machine, Status::SUCCESS, None);
    let Want::Record(entry) = machine.next(ToPeer) else { panic!("no record") };
    assert_eq!(entry.operation.status, Some(0), "nothing of the one before is left");
}

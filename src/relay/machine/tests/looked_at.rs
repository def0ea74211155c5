//! What is seen of messages on their way: in their records, and by the other side.

use std::time::Instant;

use super::super::{Entry, Learned, Machine, Question, Side, Want};
use super::data::{element, image};
use super::simulation::{ANSWER, DEADLINES, TODAY, terms};
use super::states::{machine, read, read_of, under_way, written};
use super::wire::{CT, FIND, context_of, message, request, response};
use super::{compiled, rules};
use crate::dimse::Operation::{CFind, CStore};
use crate::dimse::{Command, Status};
use crate::policy::Direction::{FromPeer, ToPeer};

/// What goes on of a request.
fn sent(machine: &mut Machine, class: &str, command: &[u8], data: &[u8]) -> Vec<u8> {
    read(machine, &message(context_of(class), command, Some(data), 16_000));
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
    written(machine, Side::Upstream)
}

/// The record of a request that goes on as it came, and is answered.
fn record_of(class: &str, command: &[u8], data: &[u8]) -> Entry {
    let mut machine = machine();
    let all = message(context_of(class), command, Some(data), 16_000);
    assert_eq!(sent(&mut machine, class, command, data), all);
    let answer = response(&Command::parse(command.to_vec()).unwrap(), Status::SUCCESS, false);
    read_of(&mut machine, ToPeer, &message(context_of(class), &answer, None, 0));
    let Want::Record(entry) = machine.next(ToPeer) else { panic!("no record") };
    entry
}

#[test]
fn a_record_says_that_it_does_not_know_of_whom_an_object_is() {
    let store = request(CStore, CT, 1, Some("1.2.3.4"));
    let whole = image("1.2.3.4", 100);
    let record = record_of(CT, &store, &whole).operation;
    assert_eq!((record.study.as_deref(), record.tolerated.len()), (Some("1.2.3"), 0));
    // Behind its patient, out of order.
    let at = whole.windows(4).position(|tag| tag == [0x20, 0, 0x0D, 0]).unwrap();
    let (front, behind) = whole.split_at(at);
    let broken = [front, &element((8, 0x60), b"CS", b"CT"), behind].concat();
    let record = record_of(CT, &store, &broken).operation;
    assert_eq!((record.study, record.tolerated), (None, vec!["data-set-not-read".into()]));
}

#[test]
fn what_says_the_same_twice_goes_on_and_is_recorded() {
    let store = request(CStore, CT, 1, Some("1.2.3.4"));
    let whole = image("1.2.3.4", 100);
    let at = whole.windows(4).position(|tag| tag == [0xE0, 0x7F, 0x10, 0]).unwrap();
    let (header, pixels) = whole.split_at(at);
    let twice = [header, &element((8, 0x18), b"UI", b"1.2.3.4\0"), pixels].concat();
    let record = record_of(CT, &store, &twice).operation;
    assert_eq!((record.status, record.tolerated), (Some(0), vec!["data-set-repeated".into()]));
}

/// A long value is no way to keep a query out of the records.
#[test]
fn the_record_of_a_long_query_says_how_long_it_is() {
    let name = element((0x10, 0x10), b"PN", b"Doe*");
    let long = [element((8, 0x1030), b"LO", &[b'x'; 1_000]), name.clone()].concat();
    let find = request(CFind, FIND, 1, None);
    let query = record_of(FIND, &find, &long).operation.query.unwrap();
    assert_eq!((query.keys, query.cut_from), (vec!["00081030".into(), "00100010".into()], Some(1_020)));
    assert_eq!(record_of(FIND, &find, &name).operation.query.unwrap().cut_from, None);
}

/// The title of who asked for the C-MOVE that a C-STORE belongs to.
fn with_originator(mut command: Vec<u8>) -> Vec<u8> {
    command.extend([0, 0, 0x30, 0x10, 4, 0, 0, 0]);
    command.extend(b"WS12");
    let length = u32::try_from(command.len() - 12).unwrap();
    command[8..12].copy_from_slice(&length.to_le_bytes());
    command
}

#[test]
fn who_asked_for_an_object_is_withheld_where_titles_of_stations_go() {
    let store = with_originator(request(CStore, CT, 1, Some("1.2.3.4")));
    let titles = compiled(&[("PatientName", "remove"), ("StationAETitle", "empty")]);
    for (rules, passes) in [(None, true), (rules(), true), (titles, false)] {
        let mut machine =
            under_way(Machine::new(terms(rules), [0, 0], DEADLINES, &ANSWER, (Instant::now(), TODAY)));
        if machine.terms().crosswalk.is_some() {
            machine.shared.terms.crosswalk = None;
        }
        let sent = sent(&mut machine, CT, &store, &image("1.2.3.4", 9_000));
        assert_eq!(sent.windows(4).any(|part| part == b"WS12"), passes);
    }
}

//! No message begins any more, and what has begun goes on to its end.

use std::task::Poll;

use super::super::{Learned, Machine, Question, Side, Want};
use super::data::{identifier, image};
use super::simulation::MAXIMUM_LENGTH;
use super::states::{begin_to_store, machine, read, read_of, written, written_of};
use super::wire::{CT, ECHO, Ear, FIND, GET, Heard, cancel, context_of, message, request, response};
use crate::dimse::Operation::{CEcho, CFind, CGet, CStore};
use crate::dimse::{Command, Status};
use crate::policy::Direction::{FromPeer, ToPeer};

fn echo(id: u16) -> Vec<u8> {
    message(context_of(ECHO), &request(CEcho, ECHO, id, None), None, 0)
}

fn is_through(machine: &mut Machine) -> bool {
    matches!(machine.next(FromPeer), Want::Nothing) && !machine.is_inside(FromPeer)
}

#[test]
fn a_message_that_has_come_already_does_not_begin() {
    let mut machine = machine();
    read(&mut machine, &[echo(1), echo(2)].concat());
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.begin_no_more();
    machine.learns(FromPeer, Learned::Now);
    assert_eq!(written(&mut machine, Side::Upstream), echo(1));
    assert!(is_through(&mut machine));
    assert!(machine.shared.books.progress.is_quiet(), "no deadline runs for what is not taken");
    assert!(matches!(machine.next(ToPeer), Want::Nothing), "nor does an answer begin");
}

#[test]
fn nor_one_in_the_same_pdu() {
    let mut machine = machine();
    let [one, two] = [echo(1), echo(2)];
    let mut pdu = [&one[..], &two[6..]].concat();
    let length = u32::try_from(pdu.len() - 6).unwrap();
    pdu[2..6].copy_from_slice(&length.to_be_bytes());
    read(&mut machine, &pdu);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.begin_no_more();
    machine.learns(FromPeer, Learned::Now);
    assert_eq!(written(&mut machine, Side::Upstream), one);
    assert!(is_through(&mut machine), "the rest of the PDU is waited for by nobody");
}

#[test]
fn an_object_that_is_under_way_goes_on_and_the_message_behind_it_does_not_begin() {
    let mut machine = machine();
    let (_, rest) = begin_to_store(&mut machine);
    machine.begin_no_more();
    assert!(machine.is_inside(FromPeer));
    read(&mut machine, &[rest, echo(2)].concat());
    assert!(!written(&mut machine, Side::Upstream).is_empty(), "the rest of the object");
    assert!(is_through(&mut machine));
}

fn takes(machine: &mut Machine, bytes: &[u8]) {
    read(machine, bytes);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
    assert_eq!(written(machine, Side::Upstream), bytes);
}

#[test]
fn while_the_proxy_stops_an_operation_under_way_goes_on_to_its_answer_and_none_begins_beside_it() {
    let mut machine = machine();
    takes(&mut machine, &echo(1));
    machine.drain();
    assert!(!machine.may_end());
    // In one read.
    read(&mut machine, &[echo(2), echo(3)].concat());
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }));
    assert!(machine.leaves_untaken(Side::Requestor));
    assert!(machine.outgoing(FromPeer).packer.plan().is_empty(), "nothing of it goes on");
    assert!(!machine.may_end(), "the first is not answered yet");
    let asked = Command::parse(request(CEcho, ECHO, 1, None)).unwrap();
    // A request of the upstream before it holds nothing up.
    let late = message(context_of(ECHO), &request(CEcho, ECHO, 9, None), None, 0);
    let answer = message(context_of(ECHO), &response(&asked, Status::SUCCESS, false), None, 0);
    read_of(&mut machine, ToPeer, &[late, answer].concat());
    let Want::Record(entry) = machine.next(ToPeer) else { panic!("no record") };
    assert_eq!((entry.operation.message_id, entry.operation.status), (1, Some(0)));
    machine.learns(ToPeer, Learned::Now);
    assert!(!written_of(&mut machine, ToPeer, Side::Requestor).is_empty());
    assert!(matches!(machine.next(ToPeer), Want::Read { unfinished: false }));
    assert!(machine.may_end() && machine.leaves_untaken(Side::Upstream));
    assert!(machine.end().2.is_empty(), "what was not taken is no operation");
}

#[test]
fn what_belongs_to_an_operation_under_way_begins_also_while_the_proxy_stops() {
    let mut machine = machine();
    let get = request(CGet, GET, 1, None);
    takes(&mut machine, &message(context_of(GET), &get, Some(&identifier()), 1_000));
    machine.drain();
    let store = request(CStore, CT, 7, Some("1.2.3.4"));
    read_of(&mut machine, ToPeer, &message(context_of(CT), &store, Some(&image("1.2.3.4", 900)), 1_000));
    assert!(matches!(machine.next(ToPeer), Want::Ask(Question::PaceOfOperations)), "an object of the C-GET");
    machine.learns(ToPeer, Learned::Now);
    assert!(!written_of(&mut machine, ToPeer, Side::Requestor).is_empty());
    takes(&mut machine, &message(context_of(GET), &cancel(1), None, 0));
    let other = message(context_of(ECHO), &request(CEcho, ECHO, 9, None), None, 0);
    read_of(&mut machine, ToPeer, &other);
    assert!(matches!(machine.next(ToPeer), Want::Read { unfinished: false }));
    assert!(machine.leaves_untaken(Side::Upstream), "another request is none");
}

#[test]
fn a_message_that_had_begun_before_the_proxy_stops_goes_on() {
    let mut machine = machine();
    let (begun, rest) = (&echo(1)[..30], &echo(1)[30..]);
    read(&mut machine, begun);
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: true }));
    machine.drain();
    assert!(!machine.may_end());
    read(&mut machine, rest);
    assert!(matches!(machine.next(FromPeer), Want::Ask(Question::PaceOfOperations)));
    machine.learns(FromPeer, Learned::Now);
    assert_eq!(written(&mut machine, Side::Upstream), echo(1));
    read(&mut machine, &echo(2));
    assert!(matches!(machine.next(FromPeer), Want::Read { unfinished: false }));
    assert!(machine.leaves_untaken(Side::Requestor), "the next one does not");
}

/// Wherever what has come ends when nothing more is to begin.
#[test]
fn whole_messages_go_on_and_no_others_wherever_the_order_falls() {
    let store = request(CStore, CT, 2, Some("1.2.3.4"));
    let find = request(CFind, FIND, 3, None);
    let messages = [
        echo(1),
        message(context_of(CT), &store, Some(&image("1.2.3.4", 900)), 400),
        message(context_of(FIND), &find, Some(&identifier()), 1_000),
        echo(4),
    ];
    let stream = messages.concat();
    let mut all = Ear::new(MAXIMUM_LENGTH);
    let all = all.hear(&stream);
    for cut in 1..stream.len() {
        let mut machine = machine();
        let mut ear = Ear::new(MAXIMUM_LENGTH);
        let mut heard = go_on(&mut machine, &stream[..cut], &mut ear);
        // What has come so far is all looked at.
        let had_begun = heard.len() + usize::from(!has_ended(&messages, cut));
        machine.begin_no_more();
        heard.extend(go_on(&mut machine, &stream[cut..], &mut ear));
        assert!(is_through(&mut machine), "after {cut} bytes");
        assert!(!ear.is_inside_message(), "half a message went on after {cut} bytes");
        assert_eq!(heard, all[..heard.len()], "after {cut} bytes");
        assert!(heard.len() <= had_begun, "after {cut} bytes, {} messages", heard.len());
    }
}

/// Whether so many bytes end with a message.
fn has_ended(messages: &[Vec<u8>], cut: usize) -> bool {
    let ends = messages.iter().scan(0, |end, message| {
        *end += message.len();
        Some(*end)
    });
    ends.into_iter().any(|end| end == cut)
}

/// All that these bytes lead to, as far as they are wanted.
fn go_on(machine: &mut Machine, bytes: &[u8], ear: &mut Ear) -> Vec<Heard> {
    let (mut bytes, mut heard) = (bytes, Vec::new());
    loop {
        match machine.next(FromPeer) {
            Want::Read { .. } if bytes.is_empty() => return heard,
            Want::Read { .. } => {
                let inbox = machine.inbox(FromPeer);
                let _ = inbox.receive(|room| {
                    room.put_slice(bytes);
                    Poll::Ready(Ok(()))
                });
                inbox.unseal();
                machine.read(FromPeer, bytes.len());
                bytes = &[];
            }
            Want::Write(side) => heard.extend(ear.hear(&written_of(machine, FromPeer, side))),
            Want::Ask(_) | Want::Record(_) => machine.learns(FromPeer, Learned::Now),
            Want::Nothing => return heard,
            Want::End(ended) => panic!("{ended}"),
            Want::Turn { .. } | Want::Answer => panic!("nobody else is there"),
        }
    }
}

//! What is seen of a stream of bytes, and who sees it.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

use proptest::prelude::*;
use serde_json::Value;

use super::filter::{Filter, MOST_OPEN, Whose};
use super::following::{Followed, Following};
use super::leg::Leg;
use super::reading::{Found, Reading};
use super::seen::{Node, What};
use super::shown::Shown;
use super::traces::Traces;
use super::witness::Witness;
use crate::dimse::{self, Command, Status};
use crate::wire::Packer;
use crate::wire::pdu::{Abort, RELEASE_RQ, Rejection};

const PATIENT: &[u8] = b"DOE^JANE";
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

/// A C-STORE-RQ with a data set, as a peer writes it that takes PDUs of this length, and a release.
fn store(maximum_length: u32) -> Vec<u8> {
    let mut packer = Packer::new(maximum_length);
    packer.command(3, &dimse::store_request(CT, "1.2.3.4", 7));
    let data = PATIENT.repeat(100);
    let span = crate::wire::Span { source: crate::wire::Source::Input, range: 0..data.len() };
    packer.data_set(3, &[span], &data, &[], true).unwrap();
    packer.pdu(&RELEASE_RQ);
    packer.plan().iter().flat_map(|span| packer.bytes(span, &data, &[]).unwrap()).copied().collect()
}

fn found_in<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> Vec<String> {
    let (mut reading, mut all) = (Reading::default(), Vec::new());
    let mut found = |found: Found, _| all.push(format!("{found:?}"));
    let now = Instant::now();
    pieces.for_each(|piece| reading.take(piece, now, &mut found));
    reading.end(&mut found);
    all
}

fn to(address: &str) -> Filter {
    Filter { address: Some(address.parse().unwrap()), ..Filter::default() }
}

fn witness(traces: &Arc<Traces>) -> Option<Arc<Witness>> {
    traces.witness(&"run-1".into(), ([127, 0, 0, 1], 4711).into())
}

/// A trace of everybody, and an association that is in it.
fn traced() -> (Following, Arc<Witness>, Arc<Traces>) {
    let traces = Arc::new(Traces::default());
    let following = Following::begin(&traces, Filter::default()).unwrap();
    let witness = witness(&traces).unwrap();
    witness.is_of(&Whose::Peer("lyon"), Some("CT"));
    (following, witness, traces)
}

/// What waits for its reader, in JSON.
fn lines(following: &mut Following, identifiers: bool) -> Vec<Value> {
    let mut shown = Shown::since(following.began);
    let mut lines = Vec::new();
    while let Some(Followed::Seen(seen)) = following.next_now() {
        lines.push(serde_json::from_str(&shown.line(&seen, identifiers).unwrap()).unwrap());
    }
    lines
}

proptest! {
    #[test]
    fn whatever_comes_is_read_the_same_in_any_pieces(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            Just(store(128)), Just(store(512)), Just(store(0)),
            (0..2000_usize).prop_map(|length| { let mut all = store(256); all.truncate(length); all }),
        ],
        size in 1..300_usize,
    ) {
        prop_assert_eq!(found_in(bytes.chunks(size)), found_in(std::iter::once(&*bytes)));
    }
}

#[test]
fn a_message_is_seen_with_its_lengths_and_nothing_of_its_data_set() {
    let (mut following, witness, _traces) = traced();
    let mut leg = Leg::new(witness, Node::Requestor);
    let bytes = store(256);
    leg.received(bytes.len(), bytes.chunks(100));
    leg.sent(&[IoSlice::new(&Abort::provider(crate::wire::AbortReason::NotSpecified).to_pdu())], 10);
    leg.received(0, std::iter::empty());
    drop(leg);
    let lines = lines(&mut following, true);
    let what: Vec<&str> = lines.iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["command", "data-set", "pdu", "pdu", "closed"], "{lines:#?}");
    let command = &lines[0];
    assert_eq!((&command["message"], &command["leg"]), (&"C-STORE-RQ".into(), &"requestor".into()));
    assert_eq!(command["bytes"], dimse::store_request(CT, "1.2.3.4", 7).len());
    let element = |name: &str| {
        let elements = command["elements"].as_array().unwrap();
        elements.iter().find(|element| element["name"] == name).unwrap()["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(element("Affected SOP Class UID"), CT);
    assert_eq!(element("Affected SOP Instance UID"), "1.2.3.4");
    assert_eq!(element("Priority"), "MEDIUM");
    let data = &lines[1];
    assert_eq!((&data["bytes"], &data["context"], &data["whole"]), (&800.into(), &3.into(), &true.into()));
    assert!(data["fragments"].as_u64().unwrap() > 3);
    assert_eq!((&lines[2]["text"], &lines[2]["from"]), (&"A-RELEASE-RQ".into(), &"requestor".into()));
    assert!(lines[3]["text"].as_str().unwrap().starts_with("A-ABORT 2/0") && lines[3]["from"] == "dimsegate");
    assert_eq!((&lines[4]["by"], &lines[4]["sent"]), (&"requestor".into(), &10.into()));
    assert!(lines.iter().all(|line| !line.to_string().contains("DOE")));
}

#[test]
fn without_identifiers_an_instance_is_a_number_and_what_somebody_wrote_a_length() {
    let (mut following, witness, _traces) = traced();
    let mut leg = Leg::new(witness, Node::Upstream);
    let request = |instance: &str| dimse::store_request(CT, instance, 7);
    let asked = Command::parse(request("1.2.3.4")).unwrap();
    let response = dimse::refusal(&asked, Status(0xA700), "no room for DOE^JANE");
    let mut packer = Packer::new(0);
    let instances = ["1.2.3.4", "1.2.3.5", "1.2.840.10008.1.20.1.1", "1.2.3.4"];
    for command in instances.map(request).into_iter().chain([response]) {
        packer.command(1, &command);
    }
    let bytes: Vec<u8> =
        packer.plan().iter().flat_map(|span| packer.bytes(span, &[], &[]).unwrap()).copied().collect();
    leg.received(bytes.len(), std::iter::once(&*bytes));
    let lines = lines(&mut following, false);
    let value = |line: usize, name: &str| {
        let elements = lines[line]["elements"].as_array().unwrap();
        let found = elements.iter().find(|element| element["name"] == name);
        found.map(|element| element["value"].as_str().unwrap().to_owned())
    };
    let instances = [0, 1, 2, 3].map(|line| value(line, "Affected SOP Instance UID"));
    let expected = ["instance 1", "instance 2", "1.2.840.10008.1.20.1.1", "instance 1"];
    assert_eq!(instances.map(Option::unwrap), expected);
    assert_eq!(value(4, "Error Comment").unwrap(), "20 bytes of text, not shown");
    assert_eq!(value(4, "Status").unwrap(), "0xA700 failure");
    let text = lines.iter().map(Value::to_string).collect::<String>();
    assert!(!text.contains("DOE") && !text.contains("1.2.3.4"), "{text}");
}

#[test]
fn a_stranger_in_a_command_set_is_a_length() {
    let element = |number: u16, value: &[u8]| {
        let length = u32::try_from(value.len()).unwrap();
        [&[0, 0], &number.to_le_bytes()[..], &length.to_le_bytes(), value].concat()
    };
    let bytes = [element(0x0002, PATIENT), element(0x4000, PATIENT), element(0x0110, b"abc"), vec![1, 2, 3]];
    let (message, elements) = super::command::read(&bytes.concat());
    assert_eq!(message, "a command set without a command field");
    let values: Vec<&str> = elements.iter().map(|element| &*element.value).collect();
    assert_eq!(values, ["8 bytes that are no UID", "8 bytes", "3 bytes", "3 bytes that are no element"]);
}

#[test]
fn only_those_that_are_wanted_are_seen_and_from_their_beginning() {
    let traces = Arc::new(Traces::default());
    assert!(witness(&traces).is_none(), "nobody traces");
    let mut of_peer =
        Following::begin(&traces, Filter { peer: Some("lyon".into()), ..Filter::default() }).unwrap();
    let mut of_title =
        Following::begin(&traces, Filter { calling: Some("MR".into()), ..Filter::default() }).unwrap();
    let mut elsewhere = Following::begin(&traces, to("192.0.2.0/24")).unwrap();
    let early = || What::Pdu { way: way(), text: "early".into() };
    let lyon = witness(&traces).unwrap();
    lyon.tell(early());
    lyon.is_of(&Whose::Peer("lyon"), Some("CT"));
    lyon.tell(early());
    let perhaps = witness(&traces).unwrap();
    perhaps.is_of(&Whose::Perhaps(&|name| name == "lyon"), None);
    perhaps.tell(early());
    let oslo = witness(&traces).unwrap();
    oslo.is_of(&Whose::Peer("oslo"), Some("CT"));
    assert!(oslo.is_over());
    let counts = [&mut of_peer, &mut of_title, &mut elsewhere].map(|following| lines(following, true).len());
    assert_eq!(counts, [3, 0, 0]);
    drop(of_peer);
    lyon.tell(early());
    assert!(lyon.is_over(), "nobody reads it any more");
    drop((of_title, elsewhere));
    assert!(witness(&traces).is_none());
}

#[test]
fn there_are_four_traces_at_once_and_a_place_is_free_again_once_one_ends() {
    let traces = Arc::new(Traces::default());
    let mut open: Vec<_> =
        (0..MOST_OPEN).map(|_| Following::begin(&traces, Filter::default()).unwrap()).collect();
    assert!(Following::begin(&traces, Filter::default()).is_err());
    open.pop();
    assert_eq!(Following::begin(&traces, Filter::default()).unwrap().number, 5);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_loses_what_comes_and_hears_how_much() {
    let (mut following, witness, _traces) = traced();
    // More than may wait, by their number and by their memory.
    for _ in 0..5000 {
        witness.tell(What::Pdu { way: way(), text: "A-RELEASE-RQ".into() });
    }
    let Some(Followed::Lost(lost)) = following.next().await else { panic!("nothing is lost") };
    assert_eq!(lost, 5000 - 4096);
    let kept = lines(&mut following, true).len();
    assert_eq!(kept, 4096);
    witness.tell_of(What::Pdu { way: way(), text: String::new() }, 3 << 20);
    assert_eq!(following.lost(), Some(1), "nothing that is so large may wait");
    witness.tell(What::Pdu { way: way(), text: String::new() });
    assert!(following.next_now().is_some(), "what is lost holds no room");
}

fn way() -> super::seen::Way {
    let none = super::seen::Micros::default();
    super::seen::Way {
        leg: Node::Requestor,
        from: Node::Requestor,
        bytes: 10,
        gap_us: None,
        took_us: none,
        waited_us: none,
        held_us: None,
    }
}

#[test]
fn who_is_refused_is_told_in_the_words_of_the_standard() {
    let rejection = Rejection { result: 1, source: 1, reason: 3 }.to_pdu();
    let (mut following, witness, _traces) = traced();
    let mut leg = Leg::new(witness, Node::Requestor);
    leg.sent(&[IoSlice::new(&rejection)], rejection.len());
    let text = lines(&mut following, true)[0]["text"].clone();
    assert_eq!(text, "A-ASSOCIATE-RJ 1/1/3: rejected-permanent, calling-AE-title-not-recognized");
}

//! The data set of a C-STORE is what its command says, or it goes nowhere: a role judges the command, a record names what
//! it says, and an archive keeps the data set.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

use crate::command::{AFFECTED_SOP_INSTANCE, C_GET_RQ, Command, ERROR_COMMENT, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::peers;
use crate::raw::{self, Peer};
use crate::upper::{self, Request};

const PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";
const GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
const PRIVATE: &str = "1.2.840.113619.5.2";
const OTHER: &str = "2.25.4711";

const CT_ROLE: &str = r#"[[role]]
name = "all"
operations = ["C-STORE", "C-GET"]
sop-classes = ["CTImageStorage", "query-retrieve"]
transfer-syntaxes = ["all"]"#;

/// Contexts 1, 3, 5 and 7 for CT images in four transfer syntaxes, 9 for a retrieval.
fn opened(setup: impl FnOnce(&mut Setup)) -> (Gate, Peer, Peer) {
    let request = [upper::EXPLICIT_LITTLE, DEFLATED, BIG_ENDIAN, PRIVATE]
        .iter()
        .fold(Request::new("SITE", "PACS"), |all, syntax| all.context(upper::CT_IMAGE_STORAGE, &[syntax]))
        .context(GET, &[upper::EXPLICIT_LITTLE]);
    let (gate, _, requestor, acceptor) = raw::opened(&request, |settings| {
        settings.roles = CT_ROLE;
        setup(settings);
    });
    (gate, requestor, acceptor)
}

fn deflated(data_set: &[u8]) -> Vec<u8> {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(data_set).expect("bytes deflated");
    deflate.finish().expect("bytes deflated")
}

/// Elements with a short header, in explicit VR big endian.
fn big_endian(elements: &[(u16, u16, &str)]) -> Vec<u8> {
    let element = |(group, element, value): &(u16, u16, &str)| {
        let padded = [value.as_bytes(), &b"\0"[..value.len() % 2]].concat();
        let length = u16::try_from(padded.len()).expect("a short value").to_be_bytes();
        [&group.to_be_bytes()[..], &element.to_be_bytes(), b"UI", &length, &padded].concat()
    };
    elements.iter().flat_map(element).collect()
}

fn refused(gate: &Gate, reason: &str) -> Vec<Value> {
    gate.event("association-closed");
    gate.records().into_iter().filter(|record| record["reason"] == reason).collect()
}

/// Context, data set, and what it names instead of the command's SOP class and instance.
type Case = (u8, Vec<u8>, Option<&'static str>, Option<&'static str>);

#[test]
fn another_class_or_instance_in_the_data_set_goes_nowhere_and_is_recorded_with_both() {
    let object = Object::ct(40_000);
    let pdf = Object::ct(40_000).named(PDF, &object.sop_instance);
    let other = Object::ct(40_000).named(&object.sop_class, OTHER);
    let both = Object::ct(40_000).named(PDF, OTHER);
    let (gate, mut requestor, mut acceptor) = opened(|_| ());
    let cases: [Case; 8] = [
        (1, pdf.data_set.clone(), Some(PDF), None),
        (1, other.data_set.clone(), None, Some(OTHER)),
        (1, both.data_set, Some(PDF), Some(OTHER)),
        (3, deflated(&pdf.data_set), Some(PDF), None),
        (5, big_endian(&[(8, 0x16, upper::CT_IMAGE_STORAGE), (8, 0x18, OTHER)]), None, Some(OTHER)),
        // Whatever a transfer syntax is called, this can be read in one way only.
        (7, other.data_set, None, Some(OTHER)),
        (7, pdf.data_set.clone(), Some(PDF), None),
        // Out of order is no way around it.
        (1, [short(8, 0x60, "CS", b"CT"), pdf.data_set].concat(), Some(PDF), None),
    ];
    for (id, (context, data_set, ..)) in cases.iter().enumerate() {
        let store = Command::c_store_rq(id as u16, &object.sop_class, &object.sop_instance);
        // In fragments so small that the names come late and in pieces.
        requestor.send_message(*context, &store, Some(data_set), 64);
        let answer = requestor.message().command;
        assert_eq!((answer.number(0x0120), answer.number(STATUS)), (Some(id as u16), Some(0xA900)));
        assert_eq!(answer.text(AFFECTED_SOP_INSTANCE).as_deref(), Some(&*object.sop_instance));
        let comment = answer.text(ERROR_COMMENT).expect("a comment");
        assert!(comment.starts_with("the data set names another SOP") && comment.len() <= 64, "{comment}");
    }
    // The first thing that the archive sees is what is the same.
    let store = Command::c_store_rq(70, &object.sop_class, &object.sop_instance);
    requestor.send_message(1, &store, Some(&object.data_set), 64);
    let stored = acceptor.message();
    assert_eq!((&stored.command, stored.data_set.as_ref()), (&store, Some(&object.data_set)));
    acceptor.send_message(1, &store.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    let records = refused(&gate, "data-set-mismatch");
    assert_eq!(records.len(), cases.len());
    for (record, (_, _, class, instance)) in records.iter().zip(cases) {
        assert_eq!(record["sop-class"], upper::CT_IMAGE_STORAGE);
        assert_eq!(record["sop-instance"], object.sop_instance);
        assert_eq!(record["data-set-sop-class"], json!(class), "{record}");
        assert_eq!(record["data-set-sop-instance"], json!(instance), "{record}");
        assert_eq!(record["status"], "0xA900");
    }
    assert_eq!(
        gate.event("association-closed")["operations"]["C-STORE"],
        json!({"success": 1, "warning": 0, "failure": 0, "refused": 8})
    );
}

const RULES: &str = r#"[[rewrite]]
name = "site"
profile = "none"
secret-file = "conf/pseudonym.key"
rules = [{ tag = "InstitutionName", action = "remove" }]"#;

#[test]
fn with_rules_it_is_recorded_in_the_same_words() {
    let (gate, mut requestor, acceptor) = opened(|setup| {
        setup.peers = gate::peer("rewrite = \"site\"");
        setup.extra = RULES;
    });
    let object = Object::ct(2_000);
    for (id, (class, instance)) in
        [(PDF, &*object.sop_instance), (&*object.sop_class, OTHER)].iter().enumerate()
    {
        let store = Command::c_store_rq(id as u16, &object.sop_class, &object.sop_instance);
        let other = object.clone().named(class, instance);
        requestor.send_message(1, &store, Some(&other.data_set), 4096);
        assert_eq!(requestor.message().command.number(STATUS), Some(0xA900));
    }
    raw::release(requestor, acceptor);
    let records = refused(&gate, "data-set-mismatch");
    let told =
        |record: &Value| (record["data-set-sop-class"].clone(), record["data-set-sop-instance"].clone());
    let told: Vec<_> = records.iter().map(told).collect();
    assert_eq!(told, [(json!(PDF), Value::Null), (Value::Null, json!(OTHER))]);
}

#[test]
fn what_an_archive_sends_to_a_peer_is_compared_too() {
    let (gate, mut requestor, mut acceptor) = opened(|_| ());
    let get = Command::new(C_GET_RQ).uid(2, GET).us(0x0110, 9).us(0x0700, 0).us(0x0800, 0);
    requestor.send_message(9, &get, Some(&short(0x0020, 0x000D, "UI", b"1.2.3")), 16384);
    acceptor.message();
    let object = Object::ct(2_000);
    let store = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    acceptor.send_message(1, &store, Some(&object.clone().named(PDF, &object.sop_instance).data_set), 16384);
    assert_eq!(acceptor.message().command.number(STATUS), Some(0xA900));
    acceptor.send_message(9, &get.response(0), None, 16384);
    assert_eq!(requestor.message().command, get.response(0));
    raw::release(requestor, acceptor);
    assert_eq!(refused(&gate, "data-set-mismatch")[0]["direction"], "to-peer");
}

#[test]
fn a_data_set_that_does_not_say_what_it_is_goes_by_its_command_if_it_is_read_whole() {
    let (gate, mut requestor, mut acceptor) = opened(|_| ());
    let patient = short(0x0010, 0x0020, "LO", b"P1");
    let class = short(8, 0x16, "UI", upper::CT_IMAGE_STORAGE.as_bytes());
    let large = short(0x0032, 0x4000, "LT", &[b'x'; 60_000]).repeat(2);
    let none = [short(8, 8, "??", b"X "), class.clone()].concat();
    let unknown = [short(8, 8, "ZZ", b"X "), class.clone()].concat();
    let named = Object::ct(2_000).named(upper::CT_IMAGE_STORAGE, "2.25.1").data_set;
    let others = big_endian(&[(8, 0x16, upper::CT_IMAGE_STORAGE), (8, 0x18, OTHER)]);
    for (id, (context, data_set, labels)) in [
        (1, patient.clone(), json!(["data-set-without-sop-class", "data-set-without-sop-instance"])),
        (3, deflated(&patient), json!(["data-set-without-sop-class", "data-set-without-sop-instance"])),
        (1, [class, patient].concat(), json!(["data-set-without-sop-instance"])),
        (1, none, json!(["data-set-without-sop-instance", "data-set-vr"])),
        // In a syntax that nobody knows, it says so in the only way in which it can be read, or it may say anything.
        (7, named, Value::Null),
        (7, others, json!(["data-set-not-compared"])),
        // Nobody can tell how to read it.
        (7, vec![0xFF; 300], json!(["data-set-not-compared"])),
    ]
    .into_iter()
    .enumerate()
    {
        let store = Command::c_store_rq(id as u16, upper::CT_IMAGE_STORAGE, "2.25.1");
        requestor.send_message(context, &store, Some(&data_set), 4096);
        let stored = acceptor.message();
        assert_eq!((&stored.command, stored.data_set.as_ref()), (&store, Some(&data_set)));
        acceptor.send_message(context, &store.response(0), None, 16384);
        assert_eq!(requestor.message().command.number(STATUS), Some(0));
        let record = gate.record("the object", |record| record["message-id"] == id);
        assert_eq!(record["tolerated"], labels);
    }
    // What others could find in them and dimsegate does not, nobody has judged.
    for (context, data_set) in [(1, large), (1, unknown), (3, vec![0xFF; 300])] {
        let store = Command::c_store_rq(20, upper::CT_IMAGE_STORAGE, "2.25.1");
        requestor.send_message(context, &store, Some(&data_set), 4096);
        let answer = requestor.message().command;
        assert_eq!(answer.number(STATUS), Some(0xC000), "{answer:?}");
        assert!(answer.text(ERROR_COMMENT).is_some_and(|comment| !comment.is_empty()));
    }
    raw::release(requestor, acceptor);
    assert_eq!(refused(&gate, "data-set-unreadable").len(), 3);
}

#[test]
fn a_command_waits_for_its_data_set_and_an_abort_before_it_reaches_nobody() {
    let (gate, mut requestor, mut acceptor) = opened(|_| ());
    let object = Object::ct(2_000);
    let store = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    requestor.send(&upper::p_data(1, upper::COMMAND, &store.encode(), 16384));
    requestor.send(&upper::pdu(upper::P_DATA, &upper::pdv(1, 0, &object.data_set[..40])));
    requestor.send(&upper::abort(0, 0));
    assert_eq!(acceptor.rest(), upper::abort(0, 0));
    let operation = gate.record("the object", |record| record["event"] == "operation");
    assert_eq!(operation["reason"], "never-answered");
}

/// As storescu does it, which takes SOP class and instance of the command from the data set.
#[test]
fn dcmtk_stores_what_it_has() {
    let archive = peers::storescp(&[]);
    let gate = Gate::start(&Setup { roles: CT_ROLE, ..Setup::plain(archive.address) });
    let object = Object::ct(30_000).named(upper::CT_IMAGE_STORAGE, OTHER);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    peers::requestor("storescu", gate.address, &["-xe", "-aec", "PACS"], &[&files[0]]).expect_success();
    assert_eq!(archive.stored(1)[0].sop_instance, OTHER);
    let stored = gate.record("the object", |record| record["event"] == "operation");
    assert_eq!((&stored["status"], &stored["tolerated"]), (&json!("0x0000"), &Value::Null));
}

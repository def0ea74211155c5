//! Whose what is remembered is, where it was first seen without a Patient ID.

use serde_json::{Value, json};

use crate::command::{AFFECTED_SOP_CLASS, AFFECTED_SOP_INSTANCE, C_FIND_RQ, C_FIND_RSP, Command, STATUS};
use crate::crosswalk::{command, exported, remembering};
use crate::gate::{self, Gate, Setup};
use crate::object::short;
use crate::raw::{self, Peer, Upstream};
use crate::upper::{self, Request};

const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const STEP: &str = "1.2.840.10008.3.1.2.3.3";
const N_CREATE_RQ: u16 = 0x0140;
const N_CREATE_RSP: u16 = 0x8140;
const STUDY: &str = "1.2.826.0.1.77.1";

fn two_way(upstream: &Upstream, direction: &str) -> Gate {
    let keys = format!("rewrite = \"site\"\nrewrite-direction = \"{direction}\"\ntwo-way = true");
    Gate::start(&Setup { peers: gate::peer(&keys), ..remembering(upstream.address) })
}

fn open(gate: &Gate, upstream: &Upstream, class: &str) -> (Peer, Peer) {
    let request = Request::new("SITE", "PACS").context(class, &[upper::EXPLICIT_LITTLE]);
    raw::open(&gate.plain(), upstream, &request, 16384)
}

/// The row of a real UID.
fn row(gate: &Gate, real: &str) -> Option<Value> {
    exported(&gate.site).into_iter().find(|one| one["kind"] == "uid" && one["real"] == real)
}

/// A query at STUDY level that asks for nothing but UIDs, and for whom, where `patient` is to be told.
fn found(requestor: &mut Peer, acceptor: &mut Peer, id: u16, patient: Option<&[u8]>) {
    let request = Command::new(C_FIND_RQ).uid(2, FIND).us(0x0110, id).us(0x0700, 0).us(0x0800, 1);
    let data_set = |patient: Option<&[u8]>, study: &[u8]| {
        let patient = patient.map(|patient| short(0x10, 0x20, "LO", patient));
        [patient.unwrap_or_default(), short(0x20, 0x0D, "UI", study)].concat()
    };
    requestor.send_message(1, &request, Some(&data_set(patient.map(|_| &b""[..]), b"")), 16384);
    acceptor.message();
    let response = |status: u16, announced: u16| {
        let response = Command::new(C_FIND_RSP).uid(2, FIND).us(0x0120, id);
        response.us(0x0800, announced).us(STATUS, status)
    };
    let answer = data_set(patient, STUDY.as_bytes());
    acceptor.send_message(1, &response(0xFF00, 1), Some(&answer), 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0xFF00));
    acceptor.send_message(1, &response(0, 0x0101), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
}

#[test]
fn a_study_first_found_without_its_patient_is_erased_with_it() {
    let upstream = Upstream::bind();
    let mut gate = two_way(&upstream, "to-peer");
    let (mut requestor, mut acceptor) = open(&gate, &upstream, FIND);
    found(&mut requestor, &mut acceptor, 1, None);
    assert_eq!(row(&gate, STUDY).expect("the study")["patient"], json!(null));
    found(&mut requestor, &mut acceptor, 2, Some(b"PID-0815"));
    assert_eq!(row(&gate, STUDY).expect("the study")["patient"], "PID-0815");
    raw::release(requestor, acceptor);
    assert!(gate.stop().success());
    let (status, _, err) = command(&gate.site, &["erase", "--rewrite", "site", "--patient", "PID-0815"]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(exported(&gate.site), Vec::<Value>::new());
}

#[test]
fn nobody_gets_a_name_an_identifier_or_a_row() {
    let upstream = Upstream::bind();
    let gate = two_way(&upstream, "to-peer");
    let (mut requestor, mut acceptor) = open(&gate, &upstream, STEP);
    // An unscheduled procedure step; the archive answers with its attributes.
    let create = Command::new(N_CREATE_RQ).uid(AFFECTED_SOP_CLASS, STEP).us(0x0110, 1).us(0x0800, 1);
    let create = create.uid(AFFECTED_SOP_INSTANCE, "2.25.78");
    requestor.send_message(1, &create, Some(&short(0x10, 0x20, "LO", b"")), 16384);
    let instance = acceptor.message().command.text(AFFECTED_SOP_INSTANCE).expect("an instance");
    let created = Command::new(N_CREATE_RSP).uid(AFFECTED_SOP_CLASS, STEP).us(0x0120, 1).us(0x0800, 1);
    let created = created.us(STATUS, 0).uid(AFFECTED_SOP_INSTANCE, &instance);
    let attributes = [short(0x10, 0x10, "PN", b""), short(0x10, 0x20, "LO", b"")].concat();
    acceptor.send_message(1, &created, Some(&attributes), 16384);
    assert_eq!(requestor.message().data_set, Some(attributes));
    raw::release(requestor, acceptor);
    let is_uid = |one: &Value| matches!(one["kind"].as_str(), Some("uid" | "own-uid"));
    let people: Vec<_> = exported(&gate.site).into_iter().filter(|one| !is_uid(one)).collect();
    assert_eq!(people, Vec::<Value>::new());
}

#[test]
fn a_new_instance_is_remembered_before_its_pseudonym_goes_out() {
    let upstream = Upstream::bind();
    let gate = two_way(&upstream, "from-peer");
    let (mut requestor, mut acceptor) = open(&gate, &upstream, STEP);
    let create = Command::new(N_CREATE_RQ).uid(AFFECTED_SOP_CLASS, STEP).us(0x0110, 1).us(0x0800, 1);
    let create = create.uid(AFFECTED_SOP_INSTANCE, "1.2.826.0.1.78");
    requestor.send_message(1, &create, Some(&short(0x10, 0x20, "LO", b"PID-0815")), 16384);
    let shown = acceptor.message().command.text(AFFECTED_SOP_INSTANCE).expect("an instance");
    // No answer yet, and perhaps none ever.
    let before = row(&gate, "1.2.826.0.1.78").expect("the instance, remembered");
    assert_eq!((&before["pseudonym"], &before["patient"]), (&json!(shown), &json!("PID-0815")));
    let created = Command::new(N_CREATE_RSP).uid(AFFECTED_SOP_CLASS, STEP).us(0x0120, 1).us(0x0800, 0x0101);
    let created = created.us(STATUS, 0).uid(AFFECTED_SOP_INSTANCE, &shown);
    acceptor.send_message(1, &created, None, 16384);
    let answer = requestor.message().command;
    assert_eq!(answer.text(AFFECTED_SOP_INSTANCE).as_deref(), Some("1.2.826.0.1.78"));
    raw::release(requestor, acceptor);
}

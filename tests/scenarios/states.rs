//! What PS3.8 Table 9-10 and PS3.7 ask for in the places that a well-behaved peer never comes to.

use serde_json::json;

use crate::command::{Command, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::raw::{self, Peer, Upstream, verification};
use crate::upper::{self, Request};
use crate::wait;

const UNEXPECTED_PDU: [u8; 4] = [0, 0, 2, 2];

fn storage() -> Request {
    verification("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
}

fn echo(message_id: u16) -> Vec<u8> {
    upper::p_data(1, upper::COMMAND, &Command::c_echo_rq(message_id).encode(), 16384)
}

#[test]
fn a_requestor_that_does_not_wait_for_its_answer_is_aborted() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let mut requestor = Peer::plain(gate.address);
    requestor.send(&verification("SITE", "PACS").encode());
    let mut acceptor = upstream.accept();
    acceptor.associate(upper::ASSOCIATE_RQ);
    requestor.send(&echo(1));
    // Sta3, AA-8.
    assert_eq!(requestor.expect(upper::ABORT), UNEXPECTED_PDU);
    acceptor.expect_close();
    assert_eq!(gate.event("connection-refused")["reason"], "malformed-pdu");
}

#[test]
fn a_message_after_its_senders_release_is_aborted_and_goes_nowhere() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &storage(), 16384);
    requestor.send(&[upper::release_rq(), echo(1)].concat());
    acceptor.expect(upper::RELEASE_RQ);
    assert_eq!(acceptor.expect(upper::ABORT), UNEXPECTED_PDU);
    assert_eq!(requestor.expect(upper::ABORT), UNEXPECTED_PDU);
    assert_eq!(gate.event("association-closed")["ended"], "protocol-error");
}

#[test]
fn a_message_that_stops_in_its_first_fragment_is_under_way() {
    let whole = echo(1);
    // Inside the PDU header, and inside the fragment: the idle time is far longer.
    for end in [4, 40] {
        let upstream = Upstream::bind();
        let limits = "dimse-timeout = \"1s\"";
        let gate = Gate::start(&Setup { limits, ..Setup::plain(upstream.address) });
        let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &storage(), 16384);
        requestor.send(&whole[..end]);
        assert_eq!(requestor.expect(upper::ABORT)[2], 2);
        assert_eq!(acceptor.expect(upper::ABORT)[2], 2);
        assert_eq!(gate.event("association-closed")["ended"], "timeout");
    }
}

const REWRITE: &str = r#"[[rewrite]]
name = "site"
profile = "none"
secret-file = "conf/pseudonym.key"
rules = [{ tag = "InstitutionName", action = "replace", value = "SITE-07" }]"#;

/// A data set that cannot be rewritten, and shows it only behind what has been sent on.
fn bad_in_the_middle() -> Object {
    let mut object = Object::ct(2_000);
    let pixels = object.data_set.windows(4).position(|tag| tag == [0xE0, 0x7F, 0x10, 0x00]);
    object.data_set.truncate(pixels.expect("pixel data"));
    object.data_set.extend(short(0x0032, 0x4000, "LT", &[b'x'; 20_000]));
    let open =
        [&[0x40, 0, 0x75, 0x02][..], b"SQ\0\0", &[0xFF; 4], &[0xFE, 0xFF, 0x00, 0xE0], &[0xFF; 4]].concat();
    object.data_set.extend(open.repeat(100));
    object
}

fn condemned() -> (Gate, Peer) {
    let upstream = Upstream::bind();
    let peers = gate::peer("rewrite = \"site\"");
    let gate = Gate::start(&Setup { extra: REWRITE, peers, ..Setup::plain(upstream.address) });
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &storage(), 16384);
    let object = bad_in_the_middle();
    let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    requestor.send(&upper::p_data(3, upper::COMMAND, &command.encode(), 16384));
    let (beginning, end) = object.data_set.split_at(15_000);
    requestor.send(&upper::pdu(upper::P_DATA, &upper::pdv(3, 0, beginning)));
    // The command and the beginning have to be there before the rest makes the object a bad one.
    while acceptor.pdu().pdvs().expect("PDVs")[0].control & upper::COMMAND != 0 {}
    requestor.send(&upper::pdu(upper::P_DATA, &upper::pdv(3, 0, end)));
    loop {
        let pdu = acceptor.pdu();
        if pdu.kind == upper::ABORT {
            break;
        }
        assert!(pdu.pdvs().expect("PDVs").iter().all(|pdv| pdv.control & upper::LAST == 0));
    }
    // An abort that crosses ours is of no interest any more.
    acceptor.try_send(&upper::abort(0, 0));
    drop(acceptor);
    (gate, requestor)
}

#[test]
fn the_sender_of_an_object_that_went_bad_still_gets_its_response() {
    let (gate, mut requestor) = condemned();
    requestor.send(&upper::pdu(upper::P_DATA, &upper::pdv(3, upper::LAST, &[0; 64])));
    let status = requestor.message().command.number(STATUS).expect("a status");
    assert_eq!(status & 0xF000, 0xC000, "{status:04X}H");
    assert_eq!(requestor.expect(upper::ABORT)[2], 2);
    assert_eq!(gate.event("association-closed")["ended"], "policy");
}

#[test]
fn a_sender_that_leaves_while_its_bad_object_is_swallowed_is_lost_at_once() {
    let (gate, requestor) = condemned();
    drop(requestor);
    assert_eq!(gate.event("association-closed")["ended"], "lost-requestor");
}

const CT_ONLY: &str = r#"[[role]]
name = "all"
operations = ["all"]
sop-classes = ["1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.2"]
transfer-syntaxes = ["all"]"#;

#[test]
fn a_sop_class_that_cannot_be_judged_is_not_allowed() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { roles: CT_ONLY, ..Setup::plain(upstream.address) });
    let (mut requestor, acceptor) = raw::open(&gate.plain(), &upstream, &storage(), 16384);
    let unreadable = Command::c_store_rq(1, "1.2.840.10008.5.1.4.1.1.4\\", "2.25.1");
    requestor.send_message(3, &unreadable, Some(&[0; 8]), 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0122));
    // N-DELETE-RQ with the affected class of one object and the requested class of another.
    let two = Command::new(0x0150)
        .uid(0x0002, upper::CT_IMAGE_STORAGE)
        .uid(0x0003, "1.2.840.10008.5.1.4.1.1.4")
        .us(0x0110, 2)
        .us(0x0800, 0x0101)
        .uid(0x1001, "2.25.1");
    requestor.send_message(3, &two, None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0212));
    raw::release(requestor, acceptor);
    assert_eq!(gate.because("sop-class-not-allowed")["status"], "0x0122");
    assert_eq!(gate.because("contradictory-command")["status"], "0x0212");
}

/// A reader that takes a path or a line from it would be led astray.
#[test]
fn an_instance_whose_uid_is_none_is_refused_before_the_upstream_hears_of_it() {
    let (gate, _upstream, mut requestor, acceptor) = raw::opened(&storage(), |_| ());
    let object = Object::ct(1_000);
    for (id, instance) in [(1, "2.25.1/../2"), (2, "1.2..3"), (3, "2.25.1\n")] {
        let store = Command::c_store_rq(id, upper::CT_IMAGE_STORAGE, instance);
        requestor.send_message(3, &store, Some(&object.data_set), 16384);
        assert_eq!(requestor.message().command.number(STATUS), Some(0x0117), "{instance:?}");
    }
    // The first that the upstream hears is the release.
    raw::release(requestor, acceptor);
    let refused = gate.because("invalid-sop-instance");
    assert_eq!((&refused["operation"], &refused["status"]), (&json!("C-STORE"), &json!("0x0117")));
    assert_eq!(gate.event("association-closed")["operations"]["C-STORE"]["refused"], 3);
}

#[test]
fn an_association_without_any_context_still_obeys_its_states() {
    let upstream = Upstream::bind();
    let roles = "[[role]]\nname = \"all\"\noperations = [\"all\"]\nsop-classes = [\"1.2.3\"]\ntransfer-syntaxes = [\"all\"]";
    let gate = Gate::start(&Setup { roles, ..Setup::plain(upstream.address) });
    for (sent, expected) in [
        (echo(1), upper::abort(2, 2)),
        (upper::release_rq(), upper::release_rp()),
        (vec![9, 0, 0, 0, 0, 4, 0, 0, 0, 0], upper::abort(2, 1)),
    ] {
        let mut requestor = Peer::plain(gate.address);
        requestor.send(&verification("SITE", "PACS").encode());
        requestor.associate(upper::ASSOCIATE_AC);
        let (first, rest) = sent.split_at(6);
        requestor.send(first);
        requestor.try_send(rest);
        assert_eq!(requestor.rest(), expected);
    }
    upstream.expect_nobody();
    let closed = gate.because("no-context-allowed");
    assert_eq!((&closed["event"], &closed["ended"]), (&json!("association-closed"), &json!("policy")));
}

#[test]
fn associations_of_a_listener_that_a_reload_took_away_are_waited_for() {
    let upstream = Upstream::bind();
    let finish = "[policy]\nopen-associations = \"finish\"\n";
    let setup = Setup { limits: "grace = \"1s\"", extra: finish, ..Setup::plain(upstream.address) };
    let mut gate = Gate::start(&setup);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &storage(), 16384);
    let loaded = gate.count("configuration-loaded");
    gate.reload(&setup.toml().replace("name = \"remote\"", "name = \"elsewhere\""));
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    requestor.send(&echo(1));
    acceptor.message();
    gate.signal("TERM");
    assert_eq!(requestor.expect(upper::ABORT)[2], 2);
    assert_eq!(acceptor.expect(upper::ABORT)[2], 2);
    assert!(gate.wait().success());
    assert_eq!(gate.event("association-closed")["ended"], "shutdown");
    assert_eq!(gate.event("stopped")["aborted"], 1);
}

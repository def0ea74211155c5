//! How associations end: released, aborted, lost, timed out; each leg learns of the other's end, and one record tells.

use std::net::Shutdown;

use serde_json::{Value, json};

use crate::command::{C_STORE_RSP, Command, STATUS};
use crate::gate::{Gate, Setup};
use crate::object::Object;
use crate::raw::{self, Peer, Upstream, verification};
use crate::upper::{self, Request};

struct Opened {
    gate: Gate,
    requestor: Peer,
    acceptor: Peer,
}

fn opened(limits: &'static str) -> Opened {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { limits, ..Setup::tls(upstream.address) });
    let request = verification("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &request, 16384);
    Opened { gate, requestor, acceptor }
}

impl Opened {
    /// The one closing record.
    fn closed(&self) -> Value {
        let closed = self.gate.event("association-closed");
        assert_eq!(self.gate.count("association-closed"), 1);
        closed
    }

    /// Brings a C-STORE of `object` as far as the upstream having read some of its data set, but not the end.
    fn in_mid_store(&mut self, object: &Object) {
        let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
        self.requestor.send(&upper::p_data(3, upper::COMMAND, &command.encode(), 16384));
        let half = upper::p_data(3, 0, &object.data_set, 16384);
        self.requestor.send(&half[..half.len() / 2]);
        while self.acceptor.pdu().pdvs().expect("PDVs")[0].control & upper::COMMAND != 0 {}
    }
}

/// The A-ABORT at the end of what a peer still reads; no data PDV before it may be a last one.
fn abort_after_fragments(peer: &mut Peer) -> Vec<u8> {
    loop {
        let pdu = peer.pdu();
        if pdu.kind == upper::ABORT {
            peer.expect_close();
            return pdu.body;
        }
        for pdv in pdu.pdvs().expect("PDVs") {
            assert_eq!(pdv.control & upper::LAST, 0, "a cut-off object was called complete");
        }
    }
}

#[test]
fn a_release_goes_end_to_end() {
    let mut opened = opened("");
    opened.requestor.send(&upper::release_rq());
    opened.acceptor.expect(upper::RELEASE_RQ);
    opened.acceptor.send(&upper::release_rp());
    opened.requestor.expect(upper::RELEASE_RP);
    let closed = opened.closed();
    assert_eq!((&closed["ended"], &closed["reason"]), (&json!("released"), &Value::Null));
}

#[test]
fn an_upstream_may_ask_for_the_release_too() {
    let mut opened = opened("");
    opened.acceptor.send(&upper::release_rq());
    opened.requestor.expect(upper::RELEASE_RQ);
    opened.requestor.send(&upper::release_rp());
    opened.acceptor.expect(upper::RELEASE_RP);
    assert_eq!(opened.closed()["ended"], "released");
}

#[test]
fn both_sides_may_ask_for_the_release_at_once() {
    let mut opened = opened("");
    opened.requestor.send(&upper::release_rq());
    opened.acceptor.send(&upper::release_rq());
    opened.requestor.expect(upper::RELEASE_RQ);
    opened.acceptor.expect(upper::RELEASE_RQ);
    // PS3.8 §9.2.3: the acceptor's A-RELEASE-RP comes first, and the requestor answers it.
    opened.acceptor.send(&upper::release_rp());
    opened.requestor.expect(upper::RELEASE_RP);
    opened.requestor.send(&upper::release_rp());
    opened.acceptor.expect(upper::RELEASE_RP);
    assert_eq!(opened.closed()["ended"], "released");
}

#[test]
fn an_abort_keeps_its_source_and_reason() {
    for (source, reason) in [(0, 0), (2, 0), (2, 6), (2, 9)] {
        let mut from_requestor = opened("");
        from_requestor.requestor.send(&upper::abort(source, reason));
        assert_eq!(from_requestor.acceptor.expect(upper::ABORT), [0, 0, source, reason]);
        from_requestor.acceptor.expect_close();
        assert_eq!(from_requestor.closed()["ended"], "aborted-by-requestor");
        let mut from_upstream = opened("");
        from_upstream.acceptor.send(&upper::abort(source, reason));
        assert_eq!(from_upstream.requestor.expect(upper::ABORT), [0, 0, source, reason]);
        from_upstream.requestor.expect_close();
        assert_eq!(from_upstream.closed()["ended"], "aborted-by-upstream");
    }
}

#[test]
fn an_abort_during_negotiation_reaches_the_other_side() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&verification("SITE", "PACS").encode());
    let mut acceptor = upstream.accept();
    acceptor.associate(upper::ASSOCIATE_RQ);
    acceptor.send(&upper::abort(2, 1));
    assert_eq!(requestor.expect(upper::ABORT), [0, 0, 2, 1]);
    requestor.expect_close();
    assert_eq!(gate.because("upstream-aborted")["event"], "connection-refused");
}

#[test]
fn an_upstream_lost_in_mid_store_is_an_abort_and_never_a_success() {
    let mut opened = opened("");
    opened.in_mid_store(&Object::ct(400_000));
    opened.acceptor.stream.socket().shutdown(Shutdown::Both).expect("a connection");
    let pdu = opened.requestor.pdu();
    assert_eq!((pdu.kind, pdu.body[2]), (upper::ABORT, 2), "{pdu:?}");
    opened.requestor.rest();
    let closed = opened.closed();
    assert_eq!(closed["ended"], "lost-upstream");
    assert_eq!(
        closed["operations"]["C-STORE"],
        json!({"success": 0, "warning": 0, "failure": 1, "refused": 0})
    );
}

#[test]
fn an_upstream_lost_before_its_response_is_an_abort_and_never_a_success() {
    let mut opened = opened("");
    let object = Object::ct(30_000);
    let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    opened.requestor.send_message(3, &command, Some(&object.data_set), 16384);
    assert!(opened.acceptor.message().data_set == Some(object.data_set));
    opened.acceptor.stream.socket().shutdown(Shutdown::Both).expect("a connection");
    assert_eq!(opened.requestor.expect(upper::ABORT)[2], 2);
    assert_eq!(opened.closed()["ended"], "lost-upstream");
}

#[test]
fn a_requestor_lost_in_mid_store_is_an_abort_upstream_without_a_last_fragment() {
    let mut opened = opened("");
    opened.in_mid_store(&Object::ct(400_000));
    opened.requestor.stream.socket().shutdown(Shutdown::Both).expect("a connection");
    assert_eq!(abort_after_fragments(&mut opened.acceptor)[2], 2);
    let closed = opened.closed();
    assert_eq!(closed["ended"], "lost-requestor");
    assert_eq!(closed["operations"]["C-STORE"]["success"], 0);
}

#[test]
fn a_requestor_lost_between_messages_is_an_abort_upstream() {
    let mut opened = opened("");
    opened.requestor.stream.socket().shutdown(Shutdown::Both).expect("a connection");
    assert_eq!(opened.acceptor.expect(upper::ABORT)[2], 2);
    opened.acceptor.expect_close();
    assert_eq!(opened.closed()["ended"], "lost-requestor");
}

#[test]
fn an_upstream_that_dies_takes_only_its_own_associations_along() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let request = verification("SITE", "PACS");
    let (mut first, first_acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let (mut second, mut second_acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    drop(first_acceptor);
    assert_eq!(first.expect(upper::ABORT)[2], 2);
    raw::echo(&mut second, &mut second_acceptor);
    raw::release(second, second_acceptor);
}

#[test]
fn a_response_in_flight_arrives_before_the_release() {
    let mut opened = opened("");
    let object = Object::ct(2_000);
    let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    opened.requestor.send_message(3, &command, Some(&object.data_set), 16384);
    let stored = opened.acceptor.message();
    opened.acceptor.send_message(3, &stored.command.response(0), None, 16384);
    opened.requestor.send(&upper::release_rq());
    assert_eq!(opened.requestor.message().command.field(), C_STORE_RSP);
    opened.acceptor.expect(upper::RELEASE_RQ);
    opened.acceptor.send(&upper::release_rp());
    opened.requestor.expect(upper::RELEASE_RP);
}

const SHORT: &str =
    "associate-timeout = \"1s\"\ndimse-timeout = \"1s\"\nidle-timeout = \"1s\"\nrelease-timeout = \"1s\"";

/// Asserts that a connection ends before the scenario's own patience does.
fn ends(mut peer: Peer) {
    peer.rest();
}

#[test]
fn a_slow_requestor_is_ended_at_every_stage_before_the_association() {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&Setup { limits: SHORT, ..Setup::tls(upstream.address) });
    // No byte at all; half a ClientHello; TLS done but no request; half a request.
    ends(Peer::plain(gate.address));
    let mut half_hello = Peer::plain(gate.address);
    half_hello.send(&[0x16, 3, 1, 2, 0, 1, 0]);
    ends(half_hello);
    ends(Peer::connect(&gate.tls()));
    let mut half_request = Peer::connect(&gate.tls());
    let bytes = verification("SITE", "PACS").encode();
    half_request.send(&bytes[..bytes.len() / 2]);
    ends(half_request);
    upstream.expect_nobody();
    assert!(gate.stop().success());
    assert_eq!(gate.refusals("associate-timeout"), 4);
    let records = gate.records();
    // The first by itself, the rest of a minute counted together.
    let mut late = records.iter().filter(|record| record["reason"] == "associate-timeout");
    assert!(late.all(|record| record["explanation"].to_string().contains("(associate-timeout in line ")));
}

#[test]
fn one_byte_now_and_then_does_not_hold_the_associate_timeout_off() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { limits: SHORT, ..Setup::plain(upstream.address) });
    let mut requestor = Peer::plain(gate.address);
    let bytes = verification("SITE", "PACS").encode();
    let refused = || gate.records().iter().any(|record| record["reason"] == "associate-timeout");
    let mut sent = bytes.iter();
    crate::wait::until("the end of a slow request", || {
        if let Some(byte) = sent.next().filter(|_| sent.len() > 1) {
            requestor.try_send(&[*byte]);
        }
        refused().then_some(())
    });
    requestor.rest();
    upstream.expect_nobody();
}

#[test]
fn an_upstream_that_never_answers_the_request_is_congestion() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { limits: SHORT, ..Setup::plain(upstream.address) });
    let mut requestor = Peer::connect(&gate.plain());
    requestor.send(&verification("SITE", "PACS").encode());
    let mut silent = upstream.accept();
    silent.associate(upper::ASSOCIATE_RQ);
    assert_eq!(requestor.expect(upper::ASSOCIATE_RJ), [0, 2, 3, 1]);
    assert_eq!(silent.rest(), upper::abort(2, 0));
    assert_eq!(gate.event("association-rejected")["reason"], "upstream-timeout");
}

#[test]
fn an_idle_association_is_aborted_on_both_legs() {
    let mut opened = opened(SHORT);
    assert_eq!(opened.requestor.expect(upper::ABORT)[2], 2);
    assert_eq!(opened.acceptor.expect(upper::ABORT)[2], 2);
    assert_eq!(opened.closed()["ended"], "timeout");
}

#[test]
fn a_message_that_stops_in_the_middle_is_aborted_on_both_legs() {
    let mut opened = opened("dimse-timeout = \"1s\"");
    opened.in_mid_store(&Object::ct(400_000));
    assert_eq!(opened.requestor.expect(upper::ABORT)[2], 2);
    assert_eq!(abort_after_fragments(&mut opened.acceptor)[2], 2);
    assert_eq!(opened.closed()["ended"], "timeout");
}

/// Asserts that an association ended because this limit passed.
fn assert_limit(closed: &Value, limit: &str) {
    assert_eq!(closed["ended"], "timeout");
    assert!(closed["reason"].as_str().is_some_and(|reason| reason.contains(limit)), "{closed}");
}

const IMPATIENT: &str = "dimse-timeout = \"200ms\"\nidle-timeout = \"200ms\"";

#[test]
fn an_answer_that_never_comes_has_a_limit_of_its_own() {
    let in_limits = Setup {
        limits: "dimse-timeout = \"200ms\"\nidle-timeout = \"200ms\"\nresponse-timeout = \"1s\"",
        ..Setup::plain(([127, 0, 0, 1], 1).into())
    };
    let of_upstream = Setup {
        limits: IMPATIENT,
        upstream_keys: "response-timeout = \"1s\"",
        ..Setup::plain(in_limits.upstream)
    };
    for setup in [in_limits, of_upstream] {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup { upstream: upstream.address, ..setup });
        let (mut requestor, mut acceptor) =
            raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
        requestor.send_message(1, &Command::c_echo_rq(1), None, 16384);
        acceptor.message();
        assert_eq!(requestor.expect(upper::ABORT)[2], 2);
        assert_eq!(acceptor.expect(upper::ABORT)[2], 2);
        assert_limit(&gate.event("association-closed"), "response-timeout");
    }
}

#[test]
fn an_answer_of_the_requestor_has_the_limit_of_its_peer() {
    let upstream = Upstream::bind();
    let peers = crate::gate::peer("response-timeout = \"1s\"");
    let gate = Gate::start(&Setup { limits: IMPATIENT, peers, ..Setup::plain(upstream.address) });
    let (requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    acceptor.send_message(1, &Command::c_echo_rq(1), None, 16384);
    assert_limit(&gate.event("association-closed"), "response-timeout");
    drop(requestor);
}

/// As when a PACS recalls what it is asked for from tape.
#[test]
fn who_waits_for_an_answer_is_not_idle() {
    let mut opened = opened("idle-timeout = \"500ms\"");
    opened.requestor.send_message(1, &Command::c_echo_rq(1), None, 16384);
    let asked = opened.acceptor.message();
    crate::wait::beyond(std::time::Duration::from_millis(1500));
    opened.acceptor.send_message(1, &asked.command.response(0), None, 16384);
    assert_eq!(opened.requestor.message().command.number(STATUS), Some(0));
    // Now nobody waits.
    assert_eq!(opened.requestor.expect(upper::ABORT)[2], 2);
    assert_limit(&opened.closed(), "idle-timeout");
}

#[test]
fn one_byte_now_and_then_does_not_hold_half_a_message() {
    let mut opened = opened("dimse-timeout = \"1s\"\nmin-bytes-per-second = \"100KiB\"");
    let object = Object::ct(400_000);
    opened.in_mid_store(&object);
    let half = upper::p_data(3, 0, &object.data_set, 16384);
    let mut rest = half[half.len() / 2..].iter();
    crate::wait::until("the end of a slow message", || {
        if let Some(byte) = rest.next() {
            opened.requestor.try_send(&[*byte]);
        }
        (opened.gate.count("association-closed") == 1).then_some(())
    });
    assert_limit(&opened.closed(), "min-bytes-per-second");
}

/// A peer that lost its power is found out on either leg, however long an answer may take: the kernel asks it.
#[test]
fn both_legs_are_kept_alive_by_tcp() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    // Of proc_pid_net(5), tcp: addresses, state and the timer that is set, of which 2 is that of keep-alive.
    let kept_alive = |local: bool, port: u16| {
        let sockets = std::fs::read_to_string("/proc/net/tcp").expect("the sockets of this network");
        sockets.lines().skip(1).any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let end = fields[if local { 1 } else { 2 }];
            end.ends_with(&format!(":{port:04X}")) && fields[3] == "01" && fields[5].starts_with("02:")
        })
    };
    crate::wait::until("keep-alive of the requestor's leg", || {
        kept_alive(true, gate.address.port()).then_some(())
    });
    crate::wait::until("keep-alive of the upstream's leg", || {
        kept_alive(false, upstream.address.port()).then_some(())
    });
    raw::release(requestor, acceptor);
}

#[test]
fn a_release_that_is_never_answered_ends() {
    let mut opened = opened("release-timeout = \"1s\"");
    opened.requestor.send(&upper::release_rq());
    opened.acceptor.expect(upper::RELEASE_RQ);
    opened.requestor.rest();
    opened.acceptor.rest();
    assert_eq!(opened.closed()["ended"], "timeout");
}

#[test]
fn an_upstream_that_does_not_read_blocks_nobody_for_ever() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { limits: "dimse-timeout = \"1s\"", ..Setup::plain(upstream.address) });
    let request = Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let object = Object::ct(1 << 20);
    let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    requestor.send(&upper::p_data(1, upper::COMMAND, &command.encode(), 16384));
    requestor.send_until_closed(&upper::pdu(upper::P_DATA, &upper::pdv(1, 0, &object.data_set[..130_000])));
    assert_eq!(gate.event("association-closed")["ended"], "timeout");
    drop(acceptor);
}

#[test]
fn a_success_for_an_object_that_is_still_on_its_way_is_never_believed() {
    let mut opened = opened("");
    let object = Object::ct(400_000);
    opened.in_mid_store(&object);
    let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    opened.acceptor.send_message(3, &command.response(0), None, 16384);
    assert_eq!(opened.requestor.expect(upper::ABORT)[2..4], [2, 6]);
    assert_eq!(abort_after_fragments(&mut opened.acceptor)[2..4], [2, 6]);
    let closed = opened.closed();
    assert_eq!(closed["ended"], "protocol-error");
    assert_eq!(closed["operations"]["C-STORE"]["success"], 0, "{closed}");
}

#[test]
fn a_refusal_for_an_object_that_is_still_on_its_way_reaches_the_requestor() {
    let mut opened = opened("");
    let object = Object::ct(400_000);
    opened.in_mid_store(&object);
    let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    opened.acceptor.send_message(3, &command.response(0xA700), None, 16384);
    assert_eq!(opened.requestor.message().command.number(STATUS), Some(0xA700));
    let Opened { gate, requestor, mut acceptor } = opened;
    drop(requestor);
    assert_eq!(abort_after_fragments(&mut acceptor)[2], 2);
    assert_eq!(gate.event("association-closed")["operations"]["C-STORE"]["failure"], 1);
}

/// What came whole has come, whether the abort is in the same segment or in another one.
#[test]
fn a_response_right_before_an_abort_reaches_its_requestor() {
    let mut opened = opened("");
    let object = Object::ct(2_000);
    let command = Command::c_store_rq(7, &object.sop_class, &object.sop_instance);
    opened.requestor.send_message(3, &command, Some(&object.data_set), 16384);
    let stored = opened.acceptor.message();
    let response = upper::p_data(3, upper::COMMAND, &stored.command.response(0).encode(), 16384);
    opened.acceptor.send(&[&response[..], &upper::abort(2, 0)].concat());
    assert_eq!(opened.requestor.message().command, command.response(0));
    assert_eq!(opened.requestor.rest(), upper::abort(2, 0));
    assert_eq!(opened.closed()["operations"]["C-STORE"]["success"], 1);
}

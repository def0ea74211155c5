//! What no peer should send: an A-ABORT for it on both legs, one record, no panic, no unbounded memory, and nobody else
//! hurt.

use serde_json::json;

use crate::command::{Command, STATUS};
use crate::gate::{Gate, Setup};
use crate::object::{Object, short};
use crate::peers;
use crate::raw::{self, Peer, Upstream, verification};
use crate::upper::{self, Request};

/// Reasons of an A-ABORT by the service provider (PS3.8 §9.3.8).
const UNRECOGNIZED_PDU: u8 = 1;
const UNEXPECTED_PDU: u8 = 2;
const INVALID_PARAMETER: u8 = 6;

fn storage() -> Request {
    verification("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
}

/// Opens an association, sends `bytes` on it, and expects the reason on the requestor's leg and an abort upstream, while
/// another association goes on.
fn assert_aborted(what: &str, bytes: &[u8], reasons: &[u8]) {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { limits: "max-command-length = 65536", ..Setup::plain(upstream.address) });
    let (mut other, mut others_acceptor) = raw::open(&gate.plain(), &upstream, &storage(), 16384);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &storage(), 16384);
    requestor.try_send(bytes);
    let pdu = requestor.pdu();
    assert_eq!((pdu.kind, pdu.body[2]), (upper::ABORT, 2), "{what}: {pdu:?}");
    assert!(reasons.contains(&pdu.body[3]), "{what}: reason {} instead of {reasons:?}", pdu.body[3]);
    requestor.rest();
    let upstreams = loop {
        let pdu = acceptor.pdu();
        if pdu.kind != upper::P_DATA {
            break pdu;
        }
    };
    assert_eq!((upstreams.kind, upstreams.body[2]), (upper::ABORT, 2), "{what}: {upstreams:?}");
    acceptor.expect_close();
    let closed = gate.event("association-closed");
    assert_eq!(closed["ended"], "protocol-error", "{what}: {closed}");
    other.send_message(1, &Command::c_echo_rq(1), None, 16384);
    let echo = others_acceptor.message();
    others_acceptor.send_message(1, &echo.command.response(0), None, 16384);
    assert_eq!(other.message().command.number(STATUS), Some(0), "{what}");
    raw::release(other, others_acceptor);
    assert!(!gate.output().contains("panicked"), "{what}: {}", gate.output());
    assert!(gate.peak_resident_kib() < 200 << 10, "{what}: {} KiB", gate.peak_resident_kib());
}

fn data_pdu(context: u8, control: u8, value: &[u8]) -> Vec<u8> {
    upper::pdu(upper::P_DATA, &upper::pdv(context, control, value))
}

fn store_command() -> Vec<u8> {
    Command::c_store_rq(1, upper::CT_IMAGE_STORAGE, "2.25.1").encode()
}

#[test]
fn a_pdu_of_an_unknown_type() {
    assert_aborted("type 9", &[9, 0, 0, 0, 0, 4, 0, 0, 0, 0], &[UNRECOGNIZED_PDU]);
}

#[test]
fn a_pdu_in_the_wrong_place() {
    assert_aborted("a second request", &storage().encode(), &[UNEXPECTED_PDU]);
    let answer = upper::associate_ac("PACS", "SITE", &[], 16384, &[]);
    assert_aborted("an answer from the requestor", &answer, &[UNEXPECTED_PDU]);
    assert_aborted("an A-RELEASE-RP unasked", &upper::release_rp(), &[UNEXPECTED_PDU]);
}

#[test]
fn lengths_that_cannot_be() {
    let huge = [upper::P_DATA, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 10, 1, 3];
    assert_aborted("a P-DATA-TF of 4 GiB", &huge, &[INVALID_PARAMETER]);
    // Judged by its header alone: nothing else is wrong with it. A kibibyte over is forgiven.
    let over = [&data_pdu(3, 3, &store_command())[..], &[upper::P_DATA, 0, 0, 2, 4, 1]].concat();
    assert_aborted("a P-DATA-TF over our maximum", &over, &[INVALID_PARAMETER]);
    let beyond = upper::pdu(upper::P_DATA, &[0, 0, 1, 0, 1, 3]);
    assert_aborted("a PDV longer than its PDU", &beyond, &[INVALID_PARAMETER]);
    assert_aborted(
        "a PDV without its header",
        &upper::pdu(upper::P_DATA, &[0, 0, 0, 1, 1]),
        &[INVALID_PARAMETER],
    );
    assert_aborted("half a PDV length", &upper::pdu(upper::P_DATA, &[0, 0]), &[INVALID_PARAMETER]);
    assert_aborted("a release of five bytes", &upper::pdu(upper::RELEASE_RQ, &[0; 5]), &[INVALID_PARAMETER]);
}

#[test]
fn a_context_that_was_never_negotiated() {
    assert_aborted("context 99", &data_pdu(99, 3, &Command::c_echo_rq(1).encode()), &[INVALID_PARAMETER]);
    let command = upper::pdv(3, upper::COMMAND | upper::LAST, &store_command());
    let data = upper::pdv(1, upper::LAST, &[0; 8]);
    let mixed = upper::pdu(upper::P_DATA, &[command, data].concat());
    assert_aborted("data on another context than its command", &mixed, &[INVALID_PARAMETER]);
}

#[test]
fn data_before_a_command() {
    let reasons = [UNEXPECTED_PDU, INVALID_PARAMETER];
    assert_aborted("data first", &data_pdu(3, upper::LAST, &[0; 16]), &reasons);
    let echo = data_pdu(1, 3, &Command::c_echo_rq(1).encode());
    let data = data_pdu(1, upper::LAST, &[0; 16]);
    assert_aborted("data after a command without any", &[echo, data].concat(), &reasons);
    let command = data_pdu(3, 3, &store_command());
    assert_aborted(
        "a command in mid data set",
        &[command.clone(), data_pdu(3, 0, &[0; 16]), command].concat(),
        &reasons,
    );
}

#[test]
fn commands_that_are_none() {
    assert_aborted("a command set cut short", &data_pdu(1, 3, &store_command()[..30]), &[INVALID_PARAMETER]);
    assert_aborted("an empty command set", &data_pdu(1, 3, &[]), &[INVALID_PARAMETER]);
    let mut twice = Command::c_echo_rq(1).encode();
    twice.extend_from_within(twice.len() - 10..);
    assert_aborted("an element that comes twice", &data_pdu(1, 3, &twice), &[INVALID_PARAMETER]);
}

#[test]
fn a_command_field_that_nobody_knows_is_an_unrecognized_operation() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let (mut requestor, acceptor) = raw::open(&gate.plain(), &upstream, &storage(), 16384);
    let unknown = Command::new(0x0555).us(0x0110, 1).us(0x0800, 0x0101);
    requestor.send_message(1, &unknown, None, 16384);
    // PS3.7 Annex C.4.2: unrecognized operation.
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0211));
    // The next thing that the upstream sees is the release.
    raw::release(requestor, acceptor);
}

#[test]
fn a_command_that_never_ends() {
    let piece = data_pdu(1, upper::COMMAND, &[0; 16_000]);
    assert_aborted("a megabyte of command", &piece.repeat(64), &[INVALID_PARAMETER]);
}

#[test]
fn pdvs_of_no_length_are_accepted_but_not_for_ever() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &storage(), 16384);
    let empty = data_pdu(1, upper::COMMAND, &[]);
    requestor.send(&empty);
    requestor.send(&data_pdu(1, upper::COMMAND | upper::LAST, &Command::c_echo_rq(5).encode()));
    let echo = acceptor.message();
    assert_eq!(echo.command, Command::c_echo_rq(5));
    acceptor.send_message(1, &echo.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    assert_aborted("nothing but empty PDVs", &empty.repeat(100_000), &[INVALID_PARAMETER, UNEXPECTED_PDU, 0]);
}

#[test]
fn requests_that_are_none() {
    let good = storage().encode();
    let mut long = good.clone();
    long[2..6].copy_from_slice(&[0xFF; 4]);
    let mut item_beyond = good.clone();
    item_beyond[76] = 0xFF;
    let mut no_syntax = storage();
    no_syntax.contexts[0].2.clear();
    let cut = upper::pdu(upper::ASSOCIATE_RQ, &good[6..good.len() - 4]);
    let cases = [
        ("a request of 4 GiB", long),
        ("a request of ten bytes", upper::pdu(upper::ASSOCIATE_RQ, &[0; 10])),
        ("an item longer than the request", item_beyond),
        ("a context without a transfer syntax", no_syntax.encode()),
        ("a request cut at its end", cut),
        ("data before any request", data_pdu(1, 3, &Command::c_echo_rq(1).encode())),
        ("a release before any request", upper::release_rq()),
    ];
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&Setup::plain(upstream.address));
    for (what, bytes) in &cases {
        let mut requestor = Peer::plain(gate.address);
        requestor.try_send(bytes);
        let pdu = requestor.pdu();
        assert_eq!((pdu.kind, pdu.body[2]), (upper::ABORT, 2), "{what}: {pdu:?}");
        requestor.rest();
    }
    upstream.expect_nobody();
    assert!(gate.peak_resident_kib() < 200 << 10, "{} KiB", gate.peak_resident_kib());
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &storage(), 16384);
    raw::release(requestor, acceptor);
    assert!(gate.stop().success());
    assert_eq!(gate.refusals("malformed-pdu") + gate.refusals("associate-too-long"), cases.len() as u64);
}

#[test]
fn an_upstream_that_answers_nonsense_is_aborted_and_the_requestor_told() {
    let accepted = |contexts: &[(u8, u8, String)]| upper::associate_ac("PACS", "SITE", contexts, 16384, &[]);
    let explicit = || upper::EXPLICIT_LITTLE.to_string();
    let cases = [
        (
            "a context that was not proposed",
            accepted(&[(1, 0, upper::IMPLICIT_LITTLE.into()), (77, 0, explicit())]),
        ),
        ("a transfer syntax that was not proposed", accepted(&[(1, 0, explicit()), (3, 0, explicit())])),
        ("an answer cut short", upper::pdu(upper::ASSOCIATE_AC, &[0; 20])),
        ("a PDU of an unknown type", vec![9, 0, 0, 0, 0, 0]),
        ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
    ];
    for (what, bytes) in cases {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup::plain(upstream.address));
        let mut requestor = Peer::plain(gate.address);
        requestor.send(&storage().encode());
        let mut acceptor = upstream.accept();
        acceptor.associate(upper::ASSOCIATE_RQ);
        acceptor.try_send(&bytes);
        assert_eq!(requestor.expect(upper::ASSOCIATE_RJ), [0, 2, 3, 1], "{what}");
        assert_eq!(acceptor.rest(), upper::abort(2, INVALID_PARAMETER), "{what}");
        assert_eq!(gate.event("association-rejected")["reason"], "upstream-malformed", "{what}");
    }
}

#[test]
fn memory_does_not_depend_on_the_size_of_an_object() {
    let (address, totals) = crate::sink::start(
        std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        crate::sink::Options { maximum_length: 131_072, tls: None, checksums: false },
    )
    .expect("a sink");
    let gate = Gate::start(&Setup::tls(address));
    let object = Object::ct(200 << 20);
    let target = gate.tls();
    let plan = crate::store::Plan {
        target: &target,
        calling: "SITE",
        called: "PACS",
        object: &object,
        objects: 1,
        associations: 1,
        maximum_length: 131_072,
    };
    plan.run().expect("an object stored");
    assert_eq!(totals.bytes.load(std::sync::atomic::Ordering::Relaxed), 200 << 20);
    assert!(gate.peak_resident_kib() < 64 << 10, "{} KiB", gate.peak_resident_kib());
}

/// Undefined-length sequences and items, one in the other (PS3.5 §7.5).
pub fn nested(depth: usize) -> Object {
    let mut object = Object::ct(2_000);
    let pixels =
        object.data_set.windows(4).position(|tag| tag == [0xE0, 0x7F, 0x10, 0x00]).expect("pixel data");
    object.data_set.truncate(pixels);
    object.data_set.extend(short(0x0032, 0x4000, "LT", b"before the depths"));
    let open =
        [&[0x40, 0, 0x75, 0x02][..], b"SQ\0\0", &[0xFF; 4], &[0xFE, 0xFF, 0x00, 0xE0], &[0xFF; 4]].concat();
    let close = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
    object.data_set.extend(open.repeat(depth));
    object.data_set.extend(close.repeat(depth));
    object
}

const REWRITE: &str = r#"[[rewrite]]
name = "site"
profile = "none"
secret-file = "conf/pseudonym.key"
rules = [{ tag = "InstitutionName", action = "replace", value = "SITE-07" }]"#;

#[test]
fn nesting_that_kills_the_archive_stops_at_the_gate() {
    let mut archive = peers::storescp(&["-pm"]);
    let peers = crate::gate::peer("rewrite = \"site\"");
    let gate = Gate::start(&Setup { extra: REWRITE, peers, ..Setup::plain(archive.address) });
    let request =
        Request::new("SITE", "STORESCP").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let mut requestor = Peer::plain(gate.address);
    requestor.send(&request.encode());
    requestor.associate(upper::ASSOCIATE_AC);
    let deep = nested(10_000);
    let command = Command::c_store_rq(1, &deep.sop_class, &deep.sop_instance);
    requestor.send_message(1, &command, Some(&deep.data_set), 16384);
    let status = requestor.message().command.number(STATUS).expect("a status");
    assert_eq!(status & 0xF000, 0xC000, "{status:04X}H");
    drop(requestor);
    assert_eq!(
        gate.event("association-closed")["operations"]["C-STORE"],
        json!({"success": 0, "warning": 0, "failure": 1, "refused": 0})
    );
    assert!(archive.process.ended().is_none(), "the archive died");
    assert_eq!(archive.files().len(), 0);
    // A depth that anatomy needs passes.
    let mut requestor = Peer::plain(gate.address);
    requestor.send(&request.encode());
    requestor.associate(upper::ASSOCIATE_AC);
    let flat = nested(20);
    requestor.send_message(1, &command, Some(&flat.data_set), 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    requestor.release();
    let stored = archive.stored(1);
    assert!(stored[0].data_set.windows(7).any(|window| window == b"SITE-07"));
}

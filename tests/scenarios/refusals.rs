//! Every row of the table of refusals, on the bytes that the requestor gets, and the record that says why.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::command::{C_FIND_RQ, C_STORE_RSP, Command, ERROR_COMMENT, STATUS};
use crate::connection::Target;
use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::process;
use crate::raw::{self, Peer, Upstream, rejection, verification};
use crate::site::CLIENT_NAME;
use crate::upper::{self, Request};

const UNKNOWN_CALLING: [u8; 4] = [0, 1, 1, 3];
const UNKNOWN_CALLED: [u8; 4] = [0, 1, 1, 7];
const CONGESTION: [u8; 4] = [0, 2, 3, 1];
const LOCAL_LIMIT: [u8; 4] = [0, 2, 3, 2];
const NOT_AUTHORIZED: u16 = 0x0124;

/// A gate whose upstream must never be reached.
fn closed(change: impl FnOnce(&mut Setup)) -> (Gate, Upstream) {
    let upstream = Upstream::bind();
    let mut setup = Setup::plain(upstream.address);
    change(&mut setup);
    (Gate::start(&setup), upstream)
}

fn assert_refused(gate: &Gate, reason: &str) -> Value {
    let record = gate.event("connection-refused");
    assert_eq!(record["reason"], reason, "{record}");
    assert_eq!((&record["listener"], &record["address"]), (&json!("remote"), &json!("127.0.0.1")));
    record
}

fn assert_rejected(gate: &Gate, triple: [u8; 4], reason: &str) -> Value {
    let record = gate.event("association-rejected");
    assert_eq!(record["reason"], reason, "{record}");
    let [_, result, source, diagnostic] = triple;
    assert_eq!(record["rejection"], json!({"result": result, "source": source, "reason": diagnostic}));
    record
}

#[test]
fn an_address_that_no_peer_has_is_closed_before_tls() {
    let (gate, upstream) = closed(|setup| {
        setup.tls = true;
        setup.peers = gate::peer(r#"networks = ["10.0.0.0/8"]"#);
    });
    Peer::plain(gate.address).expect_close();
    assert_refused(&gate, "address-not-allowed");
    upstream.expect_nobody();
}

#[test]
fn more_connections_a_minute_than_allowed_are_closed() {
    let (gate, upstream) = closed(|setup| setup.limits = "connections-per-minute-per-address = 2");
    for _ in 0..2 {
        let mut requestor = Peer::plain(gate.address);
        requestor.send(&verification("SITE", "PACS").encode());
        let (acceptor, _) = upstream.accept_all(16384);
        requestor.associate(upper::ASSOCIATE_AC);
        raw::release(requestor, acceptor);
    }
    Peer::plain(gate.address).expect_close();
    assert_refused(&gate, "connection-rate");
    upstream.expect_nobody();
}

#[test]
fn tls_on_a_plain_port_is_named() {
    let (gate, upstream) = closed(|_| ());
    let error = gate.tls().connect().err().expect("no handshake");
    assert!(!error.to_string().contains("timed out"), "{error}");
    assert_refused(&gate, "tls-on-plain-port");
    upstream.expect_nobody();
}

#[test]
fn plain_dicom_on_a_tls_port_is_named() {
    let (gate, upstream) = closed(|setup| setup.tls = true);
    let mut requestor = Peer::plain(gate.address);
    requestor.try_send(&verification("SITE", "PACS").encode());
    requestor.rest();
    assert_refused(&gate, "plain-dicom-on-tls-port");
    upstream.expect_nobody();
}

#[test]
fn http_is_named_on_either_port() {
    for tls in [false, true] {
        let (gate, upstream) = closed(|setup| setup.tls = tls);
        let mut requestor = Peer::plain(gate.address);
        requestor.try_send(b"GET / HTTP/1.1\r\nHost: pacs\r\n\r\n");
        requestor.rest();
        assert_refused(&gate, "http-on-dicom-port");
        upstream.expect_nobody();
    }
}

/// The TLS alert that a requestor with that certificate gets.
fn alert(gate: &Gate, identity: Option<&str>) -> String {
    let target = gate.site.tls(gate.address, "ca", identity);
    // With TLS 1.3 the requestor is done before the acceptor has judged its certificate: the alert comes with a read.
    let refused = target.connect().and_then(|mut stream| {
        let _ = stream.write_all(&verification("SITE", "PACS").encode());
        stream.read_exact(&mut [0]).map(|()| panic!("an answer without an acceptable certificate"))
    });
    refused.expect_err("a refusal").to_string()
}

#[test]
fn certificates_that_prove_nothing_get_a_tls_alert() {
    let cases = [
        (None, "CertificateRequired", "certificate-missing"),
        (Some("expired"), "CertificateExpired", "certificate-expired"),
        (Some("revoked"), "CertificateRevoked", "certificate-revoked"),
        (Some("stranger"), "UnknownCA", "certificate-unknown-ca"),
    ];
    for (identity, expected, reason) in cases {
        let (gate, upstream) = closed(|setup| {
            setup.tls = true;
            setup.listener_tls = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n\
                client-authentication = \"required\"\nclient-ca = \"certs/ca.pem\"\nrevocation-lists = [\"certs/ca.crl\"]";
        });
        let said = alert(&gate, identity);
        assert!(said.contains(expected), "{identity:?}: {said} instead of {expected}");
        assert_refused(&gate, reason);
        upstream.expect_nobody();
    }
}

#[test]
fn a_revocation_list_past_its_date_refuses_everybody() {
    let upstream = Upstream::bind();
    let setup = Setup {
        listener_tls: "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n\
            client-authentication = \"required\"\nclient-ca = \"certs/ca.pem\"\nrevocation-lists = [\"certs/ended.crl\"]",
        ..Setup::tls(upstream.address)
    };
    let gate = Gate::start(&setup);
    alert(&gate, Some("client"));
    assert_refused(&gate, "revocation-list-expired");
    upstream.expect_nobody();
}

#[test]
fn a_certificate_has_to_go_with_the_calling_ae_title() {
    let upstream = Upstream::bind();
    let bound = format!("calling-ae-titles = [\"SITE\"]\ncertificates = [\"dns:{CLIENT_NAME}\"]");
    let other = "\n[[peer]]\nname = \"other\"\nnetworks = [\"127.0.0.0/8\"]\ncalling-ae-titles = [\"OTHER\"]\n\
        called-ae-titles = [\"*\"]\ncertificates = [\"dns:other.example\"]\nrole = \"all\"";
    let setup = Setup { peers: gate::peer(&bound) + other, ..Setup::tls(upstream.address) };
    let gate = Gate::start(&setup);
    assert_eq!(rejection(&gate.tls(), &verification("OTHER", "PACS")), UNKNOWN_CALLING);
    assert_rejected(&gate, UNKNOWN_CALLING, "certificate-mismatch");
    let alert = gate.event("security-alert");
    assert_eq!(
        (&alert["reason"], &alert["calling-ae-title"]),
        (&json!("certificate-mismatch"), &json!("OTHER"))
    );
    assert_eq!(alert["tls"]["san"], json!([format!("dns:{CLIENT_NAME}")]));
    upstream.expect_nobody();
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn unknown_ae_titles_are_rejected_in_dicoms_own_terms() {
    let cases = [
        ("calling-ae-titles = [\"LYON*\"]", UNKNOWN_CALLING, "calling-ae-title-unknown"),
        ("called-ae-titles = [\"PACS2\"]", UNKNOWN_CALLED, "called-ae-title-unknown"),
    ];
    for (keys, triple, reason) in cases {
        let (gate, upstream) = closed(|setup| setup.peers = gate::peer(keys));
        assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), triple);
        let record = assert_rejected(&gate, triple, reason);
        assert_eq!(
            (&record["calling-ae-title"], &record["called-ae-title"]),
            (&json!("SITE"), &json!("PACS"))
        );
        upstream.expect_nobody();
    }
}

#[test]
fn ae_titles_that_are_none_are_rejected_and_cannot_forge_a_record() {
    let cases = [
        ("", "PACS", UNKNOWN_CALLING),
        ("A\r\nB", "PACS", UNKNOWN_CALLING),
        ("SITE", "", UNKNOWN_CALLED),
        ("SITE", "A\x1b[31m", UNKNOWN_CALLED),
    ];
    for (calling, called, triple) in cases {
        let (gate, upstream) = closed(|_| ());
        assert_eq!(
            rejection(&gate.plain(), &verification(calling, called)),
            triple,
            "{calling:?} {called:?}"
        );
        let record = gate.event("association-rejected").to_string();
        assert!(!record.contains(['\r', '\n', '\x1b']), "{record:?}");
        assert!(!gate.output().contains('\x1b'), "an escape sequence in the log");
        upstream.expect_nobody();
    }
}

#[test]
fn a_limit_of_associations_is_a_transient_rejection() {
    let cases = [
        ("max-associations = 1", "", "too-many-associations"),
        ("", "max-associations = 1", "too-many-associations-of-peer"),
        ("", "associations-per-minute = 1", "association-rate-of-peer"),
    ];
    for (limits, keys, reason) in cases {
        let upstream = Upstream::bind();
        let gate = Gate::start(&Setup { limits, peers: gate::peer(keys), ..Setup::plain(upstream.address) });
        let request = verification("SITE", "PACS");
        let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
        assert_eq!(rejection(&gate.plain(), &request), LOCAL_LIMIT, "{reason}");
        assert_rejected(&gate, LOCAL_LIMIT, reason);
        upstream.expect_nobody();
        raw::release(requestor, acceptor);
    }
}

#[test]
fn a_place_is_free_again_when_an_association_ended() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { limits: "max-associations = 1", ..Setup::plain(upstream.address) });
    for round in 1..=3 {
        let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
        raw::release(requestor, acceptor);
        crate::wait::until("the closing record", || {
            (gate.count("association-closed") == round).then_some(())
        });
    }
}

#[test]
fn an_upstream_that_is_not_there_is_congestion() {
    let (_closed, address) = process::closed_address();
    let gate = Gate::start(&Setup::plain(address));
    assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), CONGESTION);
    assert_rejected(&gate, CONGESTION, "upstream-unreachable");
}

#[test]
fn the_next_address_of_an_upstream_is_tried() {
    let upstream = Upstream::bind();
    let (_closed, nobody) = process::closed_address();
    let setup = Setup::plain(nobody);
    let two = format!("addresses = [\"{}\", \"{}\"]", setup.upstream, upstream.address);
    let toml = setup.toml().replace(&format!("addresses = [\"{}\"]", setup.upstream), &two);
    let gate = Gate::start_with(crate::site::Site::new(), &toml, "");
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    assert_eq!(closed["upstream"]["address"], upstream.address.to_string());
}

#[test]
fn an_upstreams_rejection_is_passed_on_verbatim() {
    for triple in [[0, 1, 1, 7], [0, 2, 3, 2], [0, 1, 2, 2], [0, 2, 1, 10]] {
        let upstream = Upstream::bind();
        let upstream_keys = "wait = \"0s\"";
        let gate = Gate::start(&Setup { upstream_keys, ..Setup::plain(upstream.address) });
        let mut requestor = Peer::plain(gate.address);
        requestor.send(&verification("SITE", "PACS").encode());
        let mut acceptor = upstream.accept();
        acceptor.associate(upper::ASSOCIATE_RQ);
        acceptor.send(&upper::reject(triple[1], triple[2], triple[3]));
        assert_eq!(requestor.expect(upper::ASSOCIATE_RJ), triple);
        requestor.expect_close();
        assert_rejected(&gate, triple, "upstream-rejected");
    }
}

const STORAGE_ONLY: &str = r#"[[role]]
name = "all"
operations = ["C-ECHO", "C-STORE"]
sop-classes = ["1.2.840.10008.1.1", "CTImageStorage"]
transfer-syntaxes = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]"#;

#[test]
fn contexts_that_are_not_allowed_are_user_rejections_and_never_reach_the_upstream() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { roles: STORAGE_ONLY, ..Setup::plain(upstream.address) });
    let jpeg = "1.2.840.10008.1.2.4.50";
    let request = Request::new("SITE", "PACS")
        .context("1.2.840.10008.5.1.4.1.1.4", &[upper::EXPLICIT_LITTLE])
        .context(upper::CT_IMAGE_STORAGE, &[jpeg])
        .context(upper::CT_IMAGE_STORAGE, &[jpeg, upper::EXPLICIT_LITTLE])
        .context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
    let mut requestor = Peer::plain(gate.address);
    requestor.send(&request.encode());
    let (acceptor, seen) = upstream.accept_all(16384);
    let seen: Vec<_> =
        seen.contexts.into_iter().map(|(id, _, class, syntaxes)| (id, class, syntaxes)).collect();
    let explicit = vec![upper::EXPLICIT_LITTLE.to_string()];
    let implicit = vec![upper::IMPLICIT_LITTLE.to_string()];
    let allowed = vec![
        (5, upper::CT_IMAGE_STORAGE.to_string(), explicit),
        (7, upper::VERIFICATION.to_string(), implicit),
    ];
    assert_eq!(seen, allowed);
    let answer = requestor.associate(upper::ASSOCIATE_AC);
    let results: Vec<(u8, u8)> = answer.contexts.iter().map(|(id, result, ..)| (*id, *result)).collect();
    assert_eq!(results, [(1, 1), (3, 1), (5, 0), (7, 0)]);
    raw::release(requestor, acceptor);
}

#[test]
fn an_operation_that_is_not_allowed_is_answered_and_the_association_lives() {
    let find = "1.2.840.10008.5.1.4.1.2.2.1";
    let upstream = Upstream::bind();
    let roles = "[[role]]\nname = \"all\"\noperations = [\"C-ECHO\"]\nsop-classes = [\"all\"]\ntransfer-syntaxes = [\"all\"]";
    let gate = Gate::start(&Setup { roles, ..Setup::plain(upstream.address) });
    let request = verification("SITE", "PACS")
        .context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
        .context(find, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let object = Object::ct(100_000);
    let store = Command::c_store_rq(41, &object.sop_class, &object.sop_instance);
    requestor.send_message(3, &store, Some(&object.data_set), 16384);
    let refused = requestor.message();
    assert_eq!((refused.context, refused.command.field(), refused.data_set), (3, C_STORE_RSP, None));
    assert_eq!(refused.command.number(STATUS), Some(NOT_AUTHORIZED));
    assert_eq!(refused.command.number(crate::command::MESSAGE_ID_RESPONDED_TO), Some(41));
    assert!(
        refused.command.text(ERROR_COMMENT).is_some_and(|comment| !comment.is_empty() && comment.len() <= 64)
    );
    let query = Command::new(C_FIND_RQ).uid(2, find).us(0x0110, 42).us(0x0700, 0).us(0x0800, 0);
    requestor.send_message(5, &query, Some(&[]), 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(NOT_AUTHORIZED));
    // The next thing that the upstream sees is the echo.
    requestor.send_message(1, &Command::c_echo_rq(43), None, 16384);
    let echo = acceptor.message();
    assert_eq!(echo.command, Command::c_echo_rq(43));
    acceptor.send_message(1, &echo.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    let refused = json!({"success": 0, "warning": 0, "failure": 0, "refused": 1});
    assert_eq!((&closed["operations"]["C-STORE"], &closed["operations"]["C-FIND"]), (&refused, &refused));
    assert_eq!(closed["ended"], "released");
}

#[test]
fn another_application_context_or_protocol_version_is_rejected() {
    let (gate, upstream) = closed(|_| ());
    let bytes = verification("SITE", "PACS").encode();
    let mut version = bytes.clone();
    let mut application = bytes;
    version[6..8].copy_from_slice(&[0, 2]);
    let at = application
        .windows(21)
        .position(|window| window == b"1.2.840.10008.3.1.1.1")
        .expect("the application context");
    application[at + 20] = b'9';
    let cases =
        [(version, [0, 1, 2, 2], "protocol-version"), (application, [0, 1, 1, 2], "application-context")];
    for (bytes, triple, reason) in cases {
        let mut requestor = Peer::connect(&Target::plain(gate.address));
        requestor.send(&bytes);
        assert_eq!(requestor.expect(upper::ASSOCIATE_RJ), triple);
        requestor.expect_close();
        let rejected = gate
            .record(reason, |record| record["event"] == "association-rejected" && record["reason"] == reason);
        assert_eq!(rejected["rejection"], json!({"result": 1, "source": triple[2], "reason": triple[3]}));
    }
    upstream.expect_nobody();
}

#[test]
fn a_requestor_that_takes_no_message_is_rejected_and_the_shortest_that_does_is_not() {
    let (gate, upstream) = closed(|_| ());
    for bytes in [1, 127] {
        let request = verification("SITE", "PACS").maximum_length(bytes);
        assert_eq!(rejection(&gate.plain(), &request), [0, 1, 1, 1]);
    }
    assert_rejected(&gate, [0, 1, 1, 1], "maximum-length-too-short");
    upstream.expect_nobody();
    let request = verification("SITE", "PACS").maximum_length(128);
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::release(requestor, acceptor);
}

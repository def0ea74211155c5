//! `dimsegate echo` as somebody reads it at two in the morning: what it says of a PACS that answers, and of each way in which
//! one does not.

use std::fs;
use std::net::SocketAddr;

use crate::gate::{Ran, Setup, UPSTREAM_TLS, run};
use crate::peers;
use crate::process;
use crate::raw::{Peer, Upstream};
use crate::site::Site;
use crate::upper;

const ECHO: [&str; 5] = ["echo", "-c", "dimsegate.toml", "--upstream", "pacs"];

/// What it says of an upstream that `answers` to it.
fn echo(setup: &Setup, answers: impl FnOnce()) -> Ran {
    let site = Site::new();
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a file written");
    std::thread::scope(|scope| {
        let echo = scope.spawn(|| run(&site, &ECHO));
        answers();
        echo.join().expect("no panic")
    })
}

/// What it says on standard error, which is one line, of an upstream that answers the A-ASSOCIATE-RQ like this.
fn refused(answer: impl FnOnce(Peer)) -> (String, SocketAddr) {
    let upstream = Upstream::bind();
    let ran = echo(&Setup { upstream_keys: "wait = \"0s\"", ..Setup::plain(upstream.address) }, || {
        let mut peer = upstream.accept();
        peer.associate(upper::ASSOCIATE_RQ);
        answer(peer);
    });
    assert_eq!((ran.status, ran.out.as_str()), (69, ""), "{}", ran.err);
    (ran.err, upstream.address)
}

/// As [`refused`], behind the association.
fn unanswered(limits: &'static str, answer: impl FnOnce(Peer)) -> Ran {
    let upstream = Upstream::bind();
    let setup = Setup { limits, ..Setup::plain(upstream.address) };
    let mut ran = echo(&setup, || {
        let (mut peer, _) = upstream.accept_all(16384);
        peer.message();
        answer(peer);
    });
    assert_eq!(ran.status, 69, "{}", ran.err);
    ran.err = ran.err.replace(&upstream.address.to_string(), "ADDRESS");
    ran
}

#[test]
fn echo_asks_as_the_proxy_would() {
    let site = Site::new();
    let [key, certificate, ca] =
        ["pacs.key", "pacs.pem", "ca.pem"].map(|file| site.text(&format!("certs/{file}")));
    let archive = peers::storescp(&["+tls", &key, &certificate, "+cf", &ca]);
    let setup = Setup { upstream_tls: UPSTREAM_TLS, ..Setup::plain(archive.address) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let echo = |name: &str| run(&site, &["echo", "-c", "dimsegate.toml", "--upstream", name]);
    let Ran { status, out, err } = echo("pacs");
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let address = archive.address.to_string();
    for expected in [address.as_str(), "TLS", "1.3", "CN=pacs", "OFFIS_DCMTK_367", "0x0000"] {
        assert!(out.contains(expected), "{expected} in {out}");
    }
    let unknown = echo("pax");
    assert_eq!(unknown.status, 78);
    assert!(unknown.err.contains("dimsegate.toml") && unknown.err.contains("pacs"), "{}", unknown.err);
    let (_closed, address) = process::closed_address();
    let nobody = Setup::plain(address);
    fs::write(site.path("dimsegate.toml"), nobody.toml()).expect("a configuration written");
    let Ran { status, out, err } = echo("pacs");
    assert_eq!((status, out.as_str()), (69, ""));
    assert!(err.contains("pacs") && err.lines().count() == 1, "{err}");
}

#[test]
fn echo_hears_an_answer_that_comes_in_pieces() {
    let (site, upstream) = (Site::new(), Upstream::bind());
    fs::write(site.path("dimsegate.toml"), Setup::plain(upstream.address).toml()).expect("a file written");
    std::thread::scope(|scope| {
        let echo = scope.spawn(|| run(&site, &["echo", "-c", "dimsegate.toml", "--upstream", "pacs"]));
        let (mut acceptor, request) = upstream.accept_all(16384);
        assert_eq!((request.calling.as_str(), request.called.as_str()), ("DIMSEGATE", "DIMSEGATE"));
        let asked = acceptor.message();
        let answer = upper::p_data(1, upper::COMMAND, &asked.command.response(0).encode(), 16384);
        answer.iter().for_each(|byte| acceptor.send(&[*byte]));
        acceptor.expect_release();
        let Ran { status, err, .. } = echo.join().expect("no panic");
        assert_eq!((status, err.as_str()), (0, ""));
    });
}

#[test]
fn a_refusal_says_who_asked_for_whom() {
    let (told, address) = refused(|mut peer| peer.send(&upper::reject(1, 1, 7)));
    assert_eq!(
        told,
        format!(
            "dimsegate: upstream \"pacs\" at {address} was asked as \"DIMSEGATE\" for \"DIMSEGATE\" and answered \
             A-ASSOCIATE-RJ 1/1/7: rejected-permanent, called-AE-title-not-recognized\n"
        )
    );
    let (told, address) = refused(|mut peer| peer.send(&upper::abort(2, 1)));
    assert_eq!(
        told,
        format!(
            "dimsegate: upstream \"pacs\" at {address}: it answered the A-ASSOCIATE-RQ with A-ABORT 2/1: \
             service-provider, unrecognized-PDU\n"
        )
    );
    let (told, address) = refused(drop);
    assert_eq!(
        told,
        format!("dimsegate: upstream \"pacs\" at {address}: it closed unanswered: unexpected end of file\n")
    );
}

#[test]
fn an_upstream_without_verification_is_asked_about_it() {
    let (told, address) = refused(|mut peer| {
        let refused = [(1, 3, upper::IMPLICIT_LITTLE.to_owned())];
        peer.send(&upper::associate_ac("DIMSEGATE", "DIMSEGATE", &refused, 16384, &[]));
        peer.expect_release();
    });
    assert_eq!(
        told,
        format!(
            "dimsegate: upstream \"pacs\" at {address} accepted the association, but not the Verification SOP class (3, \
             abstract-syntax-not-supported); is C-ECHO switched off there?\n"
        )
    );
}

#[test]
fn an_answer_that_is_none_is_told() {
    let silent = unanswered("dimse-timeout = \"100ms\"", |mut peer| {
        assert_eq!(peer.expect(upper::ABORT), [0, 0, 2, 0]);
    });
    assert_eq!(
        (silent.out.as_str(), silent.err.as_str()),
        (
            "",
            "dimsegate: upstream \"pacs\" at ADDRESS: no C-ECHO-RSP: while waiting for a message: no byte moved in 100ms\n"
        )
    );
    let closed = unanswered("", drop);
    assert_eq!(
        closed.err,
        "dimsegate: upstream \"pacs\" at ADDRESS: no C-ECHO-RSP: while waiting for a message: the peer closed the \
         connection\n"
    );
    let broken = unanswered("", |mut peer| {
        peer.send(b"HTTP/1.1 400 Bad Request\r\n");
        assert_eq!(peer.expect(upper::ABORT), [0, 0, 2, 1]);
    });
    assert_eq!(
        broken.err,
        "dimsegate: upstream \"pacs\" at ADDRESS: no C-ECHO-RSP: while reading a message: the peer broke the protocol: \
         PDU type 48H is none of 01H to 07H\n"
    );
}

#[test]
fn a_status_that_is_no_success_is_told_twice() {
    let upstream = Upstream::bind();
    let ran = echo(&Setup::plain(upstream.address), || {
        let (mut peer, _) = upstream.accept_all(16384);
        let asked = peer.message();
        peer.send_message(1, &asked.command.response(0x0122), None, 16384);
        peer.expect_release();
    });
    assert_eq!(ran.status, 69);
    assert_eq!(
        ran.err,
        "dimsegate: upstream \"pacs\" answered the C-ECHO with status 0x0122, not with success\n"
    );
    assert!(ran.out.contains("C-ECHO          status 0x0122 in "), "{}", ran.out);
}

#[test]
fn a_busy_upstream_is_waited_for_as_the_proxy_would() {
    let upstream = Upstream::bind();
    let setup = Setup { upstream_keys: "wait = \"1h\"", ..Setup::plain(upstream.address) };
    let ran = echo(&setup, || {
        for reason in [1, 2] {
            let mut busy = upstream.accept();
            busy.associate(upper::ASSOCIATE_RQ);
            busy.send(&upper::reject(2, 3, reason));
            busy.rest();
        }
        let (mut peer, _) = upstream.accept_all(16384);
        let asked = peer.message();
        peer.send_message(1, &asked.command.response(0), None, 16384);
        peer.expect_release();
    });
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{}", ran.out);
}

/// Addresses in their order, with why one was passed over; no word twice in what is said of one.
#[test]
fn an_address_that_does_not_answer_is_named() {
    let ((_closed, nobody), upstream) = (process::closed_address(), Upstream::bind());
    let upstream_keys = "called-ae-title = \"PACS\"\ncalling-ae-title = \"GATE\"";
    let setup = Setup { upstream_keys, ..Setup::plain(upstream.address) };
    let one = format!("addresses = [\"{}\"]", upstream.address);
    let both = format!("addresses = [\"{nobody}\", \"{}\"]", upstream.address);
    let site = Site::new();
    fs::write(site.path("dimsegate.toml"), setup.toml().replace(&one, &both)).expect("a file written");
    let ran = std::thread::scope(|scope| {
        let echo = scope.spawn(|| run(&site, &ECHO));
        let (mut peer, request) = upstream.accept_all(0);
        assert_eq!((request.calling.as_str(), request.called.as_str()), ("GATE", "PACS"));
        let asked = peer.message();
        peer.send_message(1, &asked.command.response(0), None, 16384);
        peer.expect_release();
        echo.join().expect("no panic")
    });
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let lines: Vec<&str> = ran.out.lines().collect();
    let refused = "Connection refused (os error 111)";
    for (line, expected) in lines.iter().zip([
        format!("upstream        pacs at {}", upstream.address),
        format!("not reached     {nobody}: {refused}"),
        "connected       in ".into(),
        "TLS             none: this leg is not encrypted".into(),
        "AE titles       calling GATE, called PACS".into(),
        "association     in ".into(),
        "implementation  - ".into(),
        "maximum length  unlimited".into(),
        "C-ECHO          status 0x0000 in ".into(),
    ]) {
        assert!(line.starts_with(&expected), "{expected} in {line}");
    }
    assert_eq!(lines.len(), 9, "{}", ran.out);
    fs::write(site.path("dimsegate.toml"), Setup::plain(nobody).toml()).expect("a file written");
    let ran = run(&site, &ECHO);
    assert_eq!(ran.err, format!("dimsegate: upstream \"pacs\": {nobody}: {refused}\n"));
}

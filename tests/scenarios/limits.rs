//! Every kind of limit on connections and associations, each by its own reason, and free again when its holder has gone; and
//! those on operations and bytes, which slow down.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::corpus;
use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::raw::{self, Peer, Upstream, rejection, verification};
use crate::sink;
use crate::store::Plan;
use crate::upper;
use crate::wait;

const LOCAL_LIMIT: [u8; 4] = [0, 2, 3, 2];

#[test]
fn each_limit_of_associations_has_a_reason_of_its_own() {
    let cases = [
        ("max-associations = 1", "", "too-many-associations"),
        ("max-associations-per-address = 1", "", "too-many-associations-of-address"),
        ("", "max-associations = 1", "too-many-associations-of-peer"),
        ("associations-per-minute = 1", "", "association-rate"),
        ("associations-per-minute-per-address = 1", "", "association-rate-of-address"),
        ("", "associations-per-minute = 1", "association-rate-of-peer"),
    ];
    for (limits, keys, reason) in cases {
        let upstream = Upstream::bind();
        let setup = Setup { limits, peers: gate::peer(keys), ..Setup::plain(upstream.address) };
        let gate = Gate::start(&setup);
        let request = verification("SITE", "PACS");
        let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
        assert_eq!(rejection(&gate.plain(), &request), LOCAL_LIMIT, "{reason}");
        let rejected = gate.event("association-rejected");
        assert_eq!(rejected["reason"], reason, "{rejected}");
        assert_names_line(&rejected, &setup, &format!("{limits}{keys}"));
        upstream.expect_nobody();
        raw::release(requestor, acceptor);
        wait::until("the closing record", || (gate.count("association-closed") == 1).then_some(()));
        // A place is free again; a minute is not over.
        if reason.contains("rate") {
            assert_eq!(rejection(&gate.plain(), &request), LOCAL_LIMIT, "{reason}");
        } else {
            let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
            raw::release(requestor, acceptor);
        }
    }
}

/// An administrator finds what to change, whether the limit is the peer's or of all.
fn assert_names_line(refused: &serde_json::Value, setup: &Setup, stated: &str) {
    let (key, _) = stated.split_once(" = ").expect("a key and its value");
    let line = setup.toml().lines().position(|line| line == stated).expect("the limit") + 1;
    let why = refused["explanation"].as_str().expect("an explanation");
    assert!(why.ends_with(&format!("({key} in line {line})")), "{why}");
}

#[test]
fn connections_that_say_nothing_do_not_take_the_places_of_associations() {
    let upstream = Upstream::bind();
    let limits = "max-associations-per-address = 2";
    let setup = Setup { limits, ..Setup::plain(upstream.address) };
    let gate = Gate::start(&setup);
    let descriptors = gate.descriptors();
    let silent: Vec<Peer> = (0..3).map(|_| Peer::plain(gate.address)).collect();
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    // The fifth connection of an address that may have two associations.
    Peer::plain(gate.address).expect_close();
    let refused = gate.event("connection-refused");
    assert_eq!(refused["reason"], "too-many-connections");
    assert_names_line(&refused, &setup, limits);
    drop(silent);
    raw::release(requestor, acceptor);
    wait::until("the silent ones to be gone", || (gate.descriptors() <= descriptors).then_some(()));
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn a_limit_of_one_peer_does_not_touch_another() {
    let upstream = Upstream::bind();
    let other = "\n[[peer]]\nname = \"other\"\nnetworks = [\"127.0.0.0/8\"]\ncalling-ae-titles = [\"OTHER\"]\nrole = \"all\"";
    let peers = gate::peer("calling-ae-titles = [\"SITE\"]\nmax-associations = 1") + other;
    let gate = Gate::start(&Setup { peers, ..Setup::plain(upstream.address) });
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), LOCAL_LIMIT);
    let (others, others_acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("OTHER", "PACS"), 16384);
    raw::release(others, others_acceptor);
    raw::release(requestor, acceptor);
    assert_eq!(gate.event("association-rejected")["peer"], json!("site"));
}

#[test]
fn a_reload_that_allows_more_associations_takes_more_connections() {
    let upstream = Upstream::bind();
    let many = "connections-per-minute-per-address = 100000\nassociate-timeout = \"1h\"";
    let few = format!("max-associations = 1\n{many}").leak();
    let more = format!("max-associations = 100\nmax-associations-per-address = 100\n{many}").leak();
    let gate = Gate::start(&Setup { limits: few, ..Setup::plain(upstream.address) });
    let loaded = gate.count("configuration-loaded");
    gate.reload(&Setup { limits: more, ..Setup::plain(upstream.address) }.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    let silent: Vec<Peer> = (0..120).map(|_| Peer::plain(gate.address)).collect();
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    drop(silent);
}

#[test]
fn a_limit_of_operations_slows_down_and_never_fails() {
    let upstream = Upstream::bind();
    let peers = gate::peer("operations-per-second = 10");
    let gate = Gate::start(&Setup { peers, ..Setup::plain(upstream.address) });
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    let start = Instant::now();
    for _ in 0..30 {
        raw::echo(&mut requestor, &mut acceptor);
    }
    // A burst of at most a second's worth, then ten a second: a lower bound, which no slow machine can break.
    assert!(start.elapsed() > Duration::from_millis(1500), "30 operations in {:?}", start.elapsed());
    raw::release(requestor, acceptor);
    assert_eq!(
        gate.event("association-closed")["operations"]["C-ECHO"],
        json!({"success": 30, "warning": 0, "failure": 0, "refused": 0})
    );
}

#[test]
fn a_limit_of_bytes_slows_down_and_never_fails() {
    let options = sink::Options { maximum_length: 16384, tls: None, checksums: true };
    let (address, totals) = sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).expect("a sink");
    let peers = gate::peer("bytes-per-second = \"1MiB\"");
    let gate = Gate::start(&Setup { peers, ..Setup::plain(address) });
    let object = Object::ct(3 << 20);
    let target = gate.plain();
    let plan = Plan {
        target: &target,
        calling: "SITE",
        called: "PACS",
        object: &object,
        objects: 1,
        associations: 1,
        maximum_length: 16384,
    };
    let figures = plan.run().expect("an object stored");
    assert!(figures.wall > Duration::from_millis(1500), "3 MiB in {:?}", figures.wall);
    assert_eq!(
        *totals.received.lock().expect("no panic in the sink"),
        corpus::digests(std::slice::from_ref(&object))
    );
}

/// PROXY protocol version 1, and version 2 for IPv4 and IPv6.
fn headers(source: &str) -> Vec<u8> {
    let source: SocketAddr = source.parse().expect("an address");
    let port = source.port().to_be_bytes();
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    match source {
        SocketAddr::V4(v4) => {
            [&signature[..], &[0x21, 0x11, 0, 12], &v4.ip().octets(), &[198, 51, 100, 1], &port, &[0, 104]]
                .concat()
        }
        SocketAddr::V6(v6) => {
            [&signature[..], &[0x21, 0x21, 0, 36], &v6.ip().octets(), &[0; 16], &port, &[0, 104]].concat()
        }
    }
}

fn balanced(upstream: &Upstream) -> Setup {
    let peers = gate::peer("networks = [\"192.0.2.0/24\", \"2001:db8::/32\"]");
    Setup { listener: "proxy-protocol-from = [\"127.0.0.0/8\"]", peers, ..Setup::plain(upstream.address) }
}

#[test]
fn behind_a_load_balancer_the_address_is_the_one_that_it_names() {
    let upstream = Upstream::bind();
    let v1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 104\r\n".to_vec();
    let v1_six = b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 104\r\n".to_vec();
    for (header, address) in [
        (v1, "192.0.2.7"),
        (v1_six, "2001:db8::7"),
        (headers("192.0.2.8:56324"), "192.0.2.8"),
        (headers("[2001:db8::8]:56324"), "2001:db8::8"),
    ] {
        let gate = Gate::start(&balanced(&upstream));
        let mut requestor = Peer::plain(gate.address);
        requestor.send(&[header, verification("SITE", "PACS").encode()].concat());
        let (acceptor, _) = upstream.accept_all(16384);
        requestor.associate(upper::ASSOCIATE_AC);
        raw::release(requestor, acceptor);
        let closed = gate.event("association-closed");
        assert_eq!((&closed["address"], &closed["port"]), (&json!(address), &json!(56324)));
    }
}

#[test]
fn an_address_that_a_balancer_names_is_judged_like_any_other() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&balanced(&upstream));
    let mut refused = Peer::plain(gate.address);
    refused.try_send(&[headers("203.0.113.9:1"), verification("SITE", "PACS").encode()].concat());
    assert_eq!(refused.rest(), b"");
    let record = gate.event("connection-refused");
    assert_eq!(
        (&record["reason"], &record["address"]),
        (&json!("address-not-allowed"), &json!("203.0.113.9"))
    );
    upstream.expect_nobody();
}

#[test]
fn a_balancer_has_to_say_whom_it_speaks_for() {
    let upstream = Upstream::bind();
    let cases: [Vec<u8>; 3] = [
        verification("SITE", "PACS").encode(),
        b"PROXY TCP4 nobody nowhere 1 2\r\n".to_vec(),
        [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[0x21, 0x31, 0, 4, 0, 0, 0, 0]].concat(),
    ];
    for bytes in cases {
        let gate = Gate::start(&balanced(&upstream));
        let mut requestor = Peer::plain(gate.address);
        requestor.try_send(&bytes);
        assert_eq!(requestor.rest(), b"");
        assert_eq!(gate.event("connection-refused")["reason"], "proxy-header-malformed");
        upstream.expect_nobody();
    }
}

#[test]
fn nobody_else_can_name_another_address() {
    let upstream = Upstream::bind();
    let mut setup = balanced(&upstream);
    setup.listener = "proxy-protocol-from = [\"10.0.0.0/8\"]";
    setup.peers = gate::peer("networks = [\"127.0.0.0/8\", \"192.0.2.0/24\"]");
    let gate = Gate::start(&setup);
    let mut requestor = Peer::plain(gate.address);
    requestor.try_send(b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 104\r\n");
    requestor.rest();
    let record = gate.event("connection-refused");
    assert_eq!((&record["reason"], &record["address"]), (&json!("unknown-protocol"), &json!("127.0.0.1")));
    upstream.expect_nobody();
}

/// Waits until so many health checks were counted.
fn seen(gate: &Gate, checks: usize) {
    let told = || gate.output().matches("health check").count();
    wait::until("the health checks", || (told() == checks).then_some(()));
}

/// What load balancers and monitors do every few seconds, on a listener with TLS or without.
#[test]
fn health_checks_are_counted_and_no_refusals() {
    let upstream = Upstream::bind();
    let local = [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[0x20, 0, 0, 0]].concat();
    for tls in [false, true] {
        // No peer has their address.
        let peers = gate::peer("networks = [\"192.0.2.0/24\"]");
        let balancers = "proxy-protocol-from = [\"127.0.0.1\"]\nhealth-checks-from = [\"127.0.0.2\", \"198.51.100.0/24\"]";
        let mut gate =
            Gate::start(&Setup { tls, peers, listener: balancers, ..Setup::plain(upstream.address) });
        let monitored = b"PROXY TCP4 198.51.100.7 198.51.100.1 56324 104\r\n".to_vec();
        for sent in [&b""[..], &local, b"PROXY UNKNOWN\r\n", &monitored] {
            let mut check = Peer::plain(gate.address);
            check.try_send(sent);
            drop(check);
        }
        // HAProxy does not close in order: it resets.
        let reset = Peer::plain(gate.address);
        socket2::SockRef::from(reset.stream.socket()).set_linger(Some(Duration::ZERO)).expect("a socket");
        drop(reset);
        // Whoever says something is judged as before.
        let mut speaks = Peer::plain(gate.address);
        speaks.try_send(&[&local[..], &verification("SITE", "PACS").encode()].concat());
        speaks.rest();
        gate.event("connection-refused");
        seen(&gate, 5);
        assert!(gate.stop().success());
        assert_eq!(gate.event("stopped")["health-checks"], 5);
        assert_eq!(gate.count("connection-refused"), 1);
        assert_eq!(gate.refusals("address-not-allowed"), 1);
    }
}

#[test]
fn a_monitor_that_shakes_hands_and_leaves_is_a_health_check() {
    let upstream = Upstream::bind();
    let listener = "health-checks-from = [\"127.0.0.0/8\"]";
    let mut gate = Gate::start(&Setup { listener, ..Setup::tls(upstream.address) });
    drop(Peer::connect(&gate.tls()));
    seen(&gate, 1);
    assert!(gate.stop().success());
    assert_eq!(
        (gate.event("stopped")["health-checks"].as_u64(), gate.count("connection-refused")),
        (Some(1), 0)
    );
}

#[test]
fn tls_comes_behind_the_header() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { tls: true, ..balanced(&upstream) });
    let target = gate.tls();
    let (config, name) = target.tls.expect("TLS");
    let mut socket = std::net::TcpStream::connect(gate.address).expect("a connection");
    std::io::Write::write_all(&mut socket, &headers("192.0.2.8:56324")).expect("a header written");
    let session = rustls::ClientConnection::new(config, name).expect("a session");
    let stream = rustls::StreamOwned::new(session, socket);
    let mut requestor = Peer { stream: crate::connection::Connection::Client(Box::new(stream)) };
    requestor.send(&verification("SITE", "PACS").encode());
    let (acceptor, _) = upstream.accept_all(16384);
    requestor.associate(upper::ASSOCIATE_AC);
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    assert_eq!((&closed["address"], &closed["tls"]["version"]), (&json!("192.0.2.8"), &json!("1.3")));
}

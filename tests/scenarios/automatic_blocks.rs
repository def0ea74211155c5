//! Whoever is refused again and again is shut out for a while, and nobody else.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::balancer::Balancer;
use crate::connection::Connection;
use crate::gate::{self, Gate, Setup};
use crate::judged_again::{FAKED, set_clock};
use crate::peers;
use crate::raw::{self, Peer, Upstream, rejection, verification};
use crate::site::Site;
use crate::upper;
use crate::wait::PATIENCE;

const REJECTED: [u8; 4] = [0, 1, 1, 1];
const UNKNOWN_CALLING: [u8; 4] = [0, 1, 1, 3];
/// Another than that of all other requestors.
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 4));

fn extra(keys: &str) -> &'static str {
    gate::leaked(format!(
        "[admin]\nlisten = \"unix:admin.sock\"\nstate-directory = \"state\"\n[automatic-blocks]\n{keys}\n"
    ))
}

fn setup(upstream: &Upstream, keys: &str) -> Setup {
    let peers = gate::peer("calling-ae-titles = [\"SITE\"]");
    Setup { peers, extra: extra(keys), ..Setup::plain(upstream.address) }
}

/// The alert of a block, of which there is one.
fn blocked(gate: &Gate, of: &str) -> String {
    let is_it = |record: &Value| {
        record["event"] == "security-alert"
            && record["reason"] == "automatically-blocked"
            && record["explanation"].as_str().is_some_and(|why| why.contains(of))
    };
    let alert = gate.record("the alert of the block", is_it);
    assert_eq!(gate.records().iter().filter(|record| is_it(record)).count(), 1);
    alert["explanation"].as_str().expect("an explanation").to_owned()
}

fn expect_no_byte(peer: &mut Peer) {
    peer.try_send(&verification("SITE", "PACS").encode());
    assert_eq!(peer.rest(), Vec::<u8>::new());
}

fn from(gate: &Gate, address: IpAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((address, 0)).into()).expect("a free port");
    socket.connect_timeout(&gate.address.into(), PATIENCE).expect("a connection");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

fn unknown(stream: TcpStream) {
    let mut peer = Peer { stream: Connection::Plain(stream) };
    peer.send(&verification("NOBODY", "PACS").encode());
    assert_eq!(peer.expect(upper::ASSOCIATE_RJ), UNKNOWN_CALLING);
}

#[test]
fn an_address_that_is_refused_too_often_is_shut_out_until_it_is_over_also_across_a_restart_and_what_is_open_goes_on()
 {
    let (site, upstream) = (Site::new(), Upstream::bind());
    set_clock(&site, "2026-03-01 12:00:00");
    let keys = "refusals = 3\nwithin = \"1h\"\nfor = \"10m\"";
    let setup = Setup { shell: FAKED, ..setup(&upstream, keys) };
    let mut gate = Gate::start_in(site, &setup);
    let request = verification("SITE", "PACS");
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    for _ in 0..3 {
        assert_eq!(rejection(&gate.plain(), &verification("NOBODY", "PACS")), UNKNOWN_CALLING);
    }
    let why = blocked(&gate, "address:127.0.0.1 is blocked until 2026-03-01T12:10:0");
    assert!(
        why.contains("by automatic-blocks: 3 refusals within 3600 s, the last: calling-ae-title-unknown"),
        "{why}"
    );
    expect_no_byte(&mut Peer::connect(&gate.plain()));
    assert_eq!(gate.event("connection-refused")["reason"], "blocked");
    raw::echo(&mut requestor, &mut acceptor);
    raw::release(requestor, acceptor);
    let listed = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml"]).out;
    assert!(listed.starts_with("block 1: address:127.0.0.1 until 2026-03-01T12:10:0"), "{listed}");
    let asks = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let asks =
        [&asks[..], &["--calling", "SITE", "--called", "PACS", "--at", "2026-03-01T12:05:00Z"]].concat();
    let (status, told) = gate::told(&gate.site, &asks);
    assert!(status != 0 && told.contains("block 1: address:127.0.0.1 is blocked until"), "{told}");
    assert!(gate.stop().success());
    let gate = Gate::start_in(gate.site, &setup);
    expect_no_byte(&mut Peer::connect(&gate.plain()));
    set_clock(&gate.site, "2026-03-01 12:11:00");
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn what_speaks_no_dicom_counts_as_five_and_the_block_is_lifted_as_any_other() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&setup(&upstream, "refusals = 10"));
    for spoken in [&b"GET / HTTP/1.0\r\n\r\n"[..], b"SSH-2.0-OpenSSH_9.6\r\n"] {
        let mut peer = Peer::connect(&gate.plain());
        peer.try_send(spoken);
        peer.rest();
    }
    blocked(&gate, "10 refusals within 60 s, the last: unknown-protocol");
    expect_no_byte(&mut Peer::connect(&gate.plain()));
    let back = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml", "1"]);
    assert_eq!(back.status, 0, "{}", back.err);
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn dcmtk_that_names_itself_as_the_scripts_of_nmap_do_is_counted_as_five_when_it_is_refused_and_not_when_it_is_let_in()
 {
    let upstream = peers::storescp(&[]);
    let titles = "calling-ae-titles = [\"ECHOSCU\"]\ncalled-ae-titles = [\"ANY-SCP\", \"PACS\"]";
    let open =
        Setup { peers: gate::peer(titles), extra: extra("refusals = 5"), ..Setup::plain(upstream.address) };
    let gate = Gate::start(&open);
    for _ in 0..2 {
        let echo = ["-aet", "ECHOSCU", "-aec", "ANY-SCP"];
        peers::requestor("echoscu", gate.address, &echo, &[]).expect_success();
    }
    assert_eq!(gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml"]).out, "nobody is blocked\n");
    let peers = gate::peer("calling-ae-titles = [\"SITE\"]");
    let gate = Gate::start(&Setup { peers, ..open });
    assert!(!peers::requestor("echoscu", gate.address, &["-aet", "ECHOSCU", "-aec", "ANY-SCP"], &[]).success);
    blocked(&gate, "address:127.0.0.1 is blocked until");
}

#[test]
fn a_certificate_that_proved_itself_is_shut_out_and_not_the_address_that_others_share() {
    let upstream = Upstream::bind();
    let peers = gate::peer("calling-ae-titles = [\"SITE\"]");
    let gate = Gate::start(&Setup { peers, extra: extra("refusals = 3"), ..Setup::tls(upstream.address) });
    for _ in 0..3 {
        assert_eq!(rejection(&gate.tls(), &verification("NOBODY", "PACS")), UNKNOWN_CALLING);
    }
    let why = blocked(&gate, "certificate:sha256:");
    assert!(!why.contains("address:"), "{why}");
    // It comes as far as its request: the address is not blocked.
    assert_eq!(rejection(&gate.tls(), &verification("SITE", "PACS")), REJECTED);
    let listed = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml"]).out;
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[test]
fn behind_haproxy_whoever_is_refused_is_shut_out_and_never_the_balancer() {
    let upstream = Upstream::bind();
    let setup =
        Setup { listener: "proxy-protocol-from = [\"127.0.0.1\"]", ..setup(&upstream, "refusals = 3") };
    let gate = Gate::start(&setup);
    // The balancer itself, or whoever is on its machine.
    for _ in 0..3 {
        let mut peer = Peer::connect(&gate.plain());
        peer.try_send(b"PROXY UNKNOWN\r\nGET / HTTP/1.0\r\n\r\n");
        peer.rest();
    }
    let mut balancer = Balancer::start(gate.address, "send-proxy-v2");
    let client = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
    for _ in 0..3 {
        unknown(balancer.connect_from(client));
    }
    blocked(&gate, "address:127.0.0.3 is blocked until");
    expect_no_byte(&mut Peer { stream: Connection::Plain(balancer.connect_from(client)) });
    let mut other = Peer { stream: Connection::Plain(balancer.connect_from(OTHER)) };
    other.send(&verification("SITE", "PACS").encode());
    let (acceptor, _) = upstream.accept_all(16384);
    other.associate(upper::ASSOCIATE_AC);
    raw::release(other, acceptor);
    let listed = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml"]).out;
    assert!(listed.lines().count() == 1 && listed.contains("127.0.0.3"), "{listed}");
}

#[test]
fn who_is_exempt_is_never_shut_out() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&setup(&upstream, "refusals = 2\nexempt = [\"127.0.0.1/32\"]"));
    for _ in 0..4 {
        assert_eq!(rejection(&gate.plain(), &verification("NOBODY", "PACS")), UNKNOWN_CALLING);
    }
    for _ in 0..2 {
        unknown(from(&gate, OTHER));
    }
    blocked(&gate, "address:127.0.0.4");
    let listed = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml"]).out;
    assert!(listed.lines().count() == 1 && listed.contains("127.0.0.4"), "{listed}");
}

#[test]
fn a_block_that_nobody_decided_on_is_in_force_also_where_the_disk_does_not_take_it() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&setup(&upstream, "refusals = 2"));
    fs::create_dir_all(gate.site.path("state/blocks.json-new/x")).expect("a folder");
    for _ in 0..2 {
        assert_eq!(rejection(&gate.plain(), &verification("NOBODY", "PACS")), UNKNOWN_CALLING);
    }
    blocked(&gate, "address:127.0.0.1");
    gate.record("the alert of the disk", |record| record["reason"] == "block-not-kept");
    expect_no_byte(&mut Peer::connect(&gate.plain()));
}

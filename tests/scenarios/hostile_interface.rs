//! Whoever reaches the administration interface, and whoever is refused so that it shows there: bounded, and nobody else notices.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use serde_json::Value;

use crate::administration::exchange;
use crate::command::Command;
use crate::gate::{self, Gate, Setup};
use crate::login::{PASSCODE, Scene, with};
use crate::object::Object;
use crate::raw::{self, Upstream, rejection, verification};
use crate::upper::{self, Request};
use crate::wait;

/// What the proxy may have needed more after an attempt than before it: it is debug code, and the least that is too much is more.
const LITTLE: u64 = 48 << 10;

const GIGABYTE: usize = 1 << 30;

/// Announces a gigabyte, reads what is said of it, and goes on for as long as anything is taken. How much that was.
fn pushed(mut stream: impl Read + Write, framing: &str, status: &str) -> usize {
    write!(stream, "POST /api/v1/blocks HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n").expect("a head");
    let mut answer = [0; 13];
    stream.read_exact(&mut answer).expect("an answer before the content");
    assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status} "));
    let piece = [b"10000\r\n".to_vec(), vec![b' '; 1 << 16], b"\r\n".to_vec()].concat();
    let pieces = GIGABYTE / piece.len();
    (0..pieces).take_while(|_| stream.write_all(&piece).is_ok()).count() * piece.len()
}

#[test]
fn a_gigabyte_is_refused_before_it_comes_however_it_is_announced_and_by_whomever() {
    let scene = Scene::start("");
    let before = scene.gate.peak_resident_kib();
    for (framing, status) in [("Content-Length: 1073741824", "413"), ("Transfer-Encoding: chunked", "411")] {
        let nobody = TcpStream::connect(scene.address).expect("the interface");
        let administrator = UnixStream::connect(scene.gate.site.path("admin.sock")).expect("the socket");
        for taken in [pushed(nobody, framing, status), pushed(administrator, framing, status)] {
            assert!(taken < GIGABYTE / 2, "{framing}: {taken} bytes");
        }
    }
    let more = scene.gate.peak_resident_kib() - before;
    assert!(more < LITTLE, "{more} KiB more");
    assert_eq!(scene.gate.count("administration"), 0, "nothing was asked for");
    let (requestor, acceptor) =
        raw::open(&scene.gate.plain(), &scene.upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
}

/// So many requests of one connection, each with a session that somebody made up: the statuses that came.
fn made_up(scene: &Scene, numbers: std::ops::Range<usize>) -> Vec<String> {
    let mut stream = TcpStream::connect(scene.address).expect("the interface");
    let mut sending = stream.try_clone().expect("the same connection");
    let requests: String = numbers
        .clone()
        .map(|number| {
            let last = if number + 1 == numbers.end { "Connection: close\r\n" } else { "" };
            let cookie = format!("Cookie: __Host-dimsegate={number:064x}\r\n");
            format!("GET /api/v1/peers HTTP/1.1\r\nHost: localhost\r\n{cookie}{last}\r\n")
        })
        .collect();
    let mut answers = String::new();
    std::thread::scope(|scope| {
        scope.spawn(move || sending.write_all(requests.as_bytes()).expect("requests"));
        stream.read_to_string(&mut answers).expect("answers");
    });
    answers.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].to_owned()).collect()
}

#[test]
fn ten_thousand_made_up_sessions_are_none_and_one_that_is_goes_on() {
    let scene = Scene::start("");
    let vera = with(&scene.log_in("vera", PASSCODE, ""));
    let before = scene.gate.peak_resident_kib();
    for first in (0..10_000).step_by(500) {
        let statuses = made_up(&scene, first..first + 500);
        assert!(statuses.len() == 500 && statuses.iter().all(|status| status == "401"), "{statuses:?}");
    }
    let more = scene.gate.peak_resident_kib() - before;
    assert!(more < LITTLE, "{more} KiB more");
    assert_eq!(scene.ask("GET", "/api/v1/peers", &vera, "").status, 200);
    let refused = scene.gate.records().into_iter().filter(|record| record["outcome"] == "refused").count();
    assert!(refused < 100, "{refused} records");
}

/// Each by another AE title, so that nothing gathers them.
#[test]
fn however_many_are_refused_the_interface_tells_the_last_of_them_and_an_association_goes_on() {
    let upstream = Upstream::bind();
    let setup = Setup {
        peers: gate::peer("calling-ae-titles = [\"LYON\"]"),
        extra: "[admin]\nlisten = \"unix:admin.sock\"\n",
        limits: "connections-per-minute-per-address = 100000\nassociations-per-minute-per-address = 100000",
        ..Setup::plain(upstream.address)
    };
    let gate = Gate::start(&setup);
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("LYON", "PACS"), 16384);
    for number in 0..1000 {
        let title = format!("<b id=x{number}>");
        assert_eq!(rejection(&gate.plain(), &verification(&title, "PACS")), [0, 1, 1, 3]);
        if number % 100 == 0 {
            raw::echo(&mut requestor, &mut acceptor);
        }
    }
    let refusals = || {
        let mut stream = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
        exchange(&mut stream, "GET", "/api/v1/refusals", "", "").body
    };
    let told = refusals();
    let told: &Vec<Value> = told.as_array().expect("a list");
    assert_eq!(told.len(), 500);
    assert_eq!(
        (&told[0]["calling-ae-title"], &told[499]["calling-ae-title"]),
        (&"<b id=x999>".into(), &"<b id=x500>".into())
    );
    assert!(told[0]["remedy"].as_str().is_some_and(|remedy| remedy.contains("<b id=x999>")), "{}", told[0]);
    raw::release(requestor, acceptor);
}

/// Connections of one site at once: for one more the one that has been idle longest is closed.
const SHARE: usize = 16;

/// Heads that begin, and never end.
fn slow_heads(scene: &Scene, count: usize) -> Vec<TcpStream> {
    let begin = |number: usize| {
        let mut stream = TcpStream::connect(scene.address).expect("the interface");
        let head = format!("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nX-{number}: ");
        // It may be closed already for one that came later.
        let _ = stream.write_all(head.as_bytes());
        stream.set_read_timeout(Some(wait::PATIENCE)).expect("a timeout");
        stream
    };
    (0..count).map(begin).collect()
}

/// Whether the other end has closed it, and had nothing to say.
fn is_closed(mut stream: &TcpStream) -> bool {
    match stream.read(&mut [0; 64]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// All at once that somebody can do who reaches the interface or the port; whoever may look still can.
fn harassed(scene: &Scene, vera: &str) {
    let slow = slow_heads(scene, 100);
    assert_eq!(scene.ask("GET", "/api/v1/peers", vera, "").status, 200, "between heads that never end");
    assert!(slow[..100 - SHARE].iter().all(is_closed), "of one site there are {SHARE} at once");
    let nobody = TcpStream::connect(scene.address).expect("the interface");
    assert!(pushed(nobody, "Transfer-Encoding: chunked", "411") < GIGABYTE / 2);
    for number in 0..200 {
        assert_eq!(
            rejection(&scene.gate.plain(), &verification(&format!("X{number}"), "PACS")),
            [0, 1, 1, 3]
        );
    }
    assert!(made_up(scene, 0..500).iter().all(|status| status == "401"));
    assert_eq!(scene.ask("GET", "/api/v1/peers", vera, "").status, 200);
}

#[test]
fn an_object_under_way_arrives_whole_whatever_comes_to_interface_and_port_meanwhile() {
    let scene = Scene::start_with("", |setup| {
        setup.peers = gate::peer("calling-ae-titles = [\"LYON\"]");
        setup.limits = "connections-per-minute-per-address = 100000";
    });
    let vera = with(&scene.log_in("vera", PASSCODE, ""));
    let object = Object::ct(2_000_000);
    let request = Request::new("LYON", "PACS").context(&object.sop_class, &[&object.transfer_syntax]);
    let (mut requestor, mut acceptor) = raw::open(&scene.gate.plain(), &scene.upstream, &request, 16384);
    let command = Command::c_store_rq(2, &object.sop_class, &object.sop_instance);
    let sent = [
        upper::p_data(1, upper::COMMAND, &command.encode(), 16384),
        upper::p_data(1, 0, &object.data_set, 16384),
    ]
    .concat();
    let (half, rest) = sent.split_at(sent.len() / 2);
    let before = scene.gate.peak_resident_kib();
    let message = std::thread::scope(|scope| {
        let receiving = scope.spawn(|| acceptor.message());
        requestor.send(half);
        harassed(&scene, &vera);
        requestor.send(rest);
        receiving.join().expect("the object")
    });
    let more = scene.gate.peak_resident_kib() - before;
    assert!(more < LITTLE, "{more} KiB more");
    assert!(message.data_set.as_deref() == Some(&object.data_set[..]), "byte for byte");
    acceptor.send_message(1, &message.command.response(0), None, 16384);
    requestor.message();
    raw::release(requestor, acceptor);
    let stored = scene.gate.record("the operation", |record| record["operation"] == "C-STORE");
    assert_eq!(stored["status"], "0x0000");
}

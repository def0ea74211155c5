//! What an administrator does to a running proxy: reload it, and stop it.

use std::net::SocketAddr;
use std::process::Command as Program;

use serde_json::json;

use crate::association::Association;
use crate::command::{Command, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::raw::{self, Peer, Upstream, rejection, verification};
use crate::site::Site;
use crate::upper;
use crate::wait;

const UNKNOWN_CALLING: [u8; 4] = [0, 1, 1, 3];

#[test]
fn a_reload_counts_for_new_associations_and_open_ones_finish_where_that_is_wanted() {
    let upstream = Upstream::bind();
    let setup = Setup::plain(upstream.address);
    let gate = Gate::start(&setup);
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    let loaded = gate.count("configuration-loaded");
    let finish = "[policy]\nopen-associations = \"finish\"";
    let stricter = Setup { peers: gate::peer("calling-ae-titles = [\"LYON\"]"), extra: finish, ..setup };
    gate.reload(&stricter.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), UNKNOWN_CALLING);
    raw::echo(&mut requestor, &mut acceptor);
    raw::release(requestor, acceptor);
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("LYON", "PACS"), 16384);
    raw::release(requestor, acceptor);
    wait::until("both closing records", || (gate.count("association-closed") == 2).then_some(()));
    let records = gate.records();
    let closed: Vec<_> = records.iter().filter(|record| record["event"] == "association-closed").collect();
    assert_ne!(closed[0]["configuration"], closed[1]["configuration"]);
    assert_eq!(closed[0]["configuration"], gate.event("started")["configuration"]);
}

#[test]
fn a_listener_moves_with_a_reload_and_its_associations_go_on() {
    let upstream = Upstream::bind();
    let setup = Setup::plain(upstream.address);
    let gate = Gate::start(&setup);
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    let moved = crate::process::free_address();
    let loaded = gate.count("configuration-loaded");
    gate.reload(&setup.toml().replace("127.0.0.1:0", &moved.to_string()));
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    let target = crate::connection::Target { address: moved, ..gate.plain() };
    let (others, others_acceptor) = raw::open(&target, &upstream, &verification("SITE", "PACS"), 16384);
    wait::until("the old place to close", || {
        std::net::TcpStream::connect(gate.address).is_err().then_some(())
    });
    raw::echo(&mut requestor, &mut acceptor);
    raw::release(requestor, acceptor);
    raw::release(others, others_acceptor);
}

/// A listener more.
fn and(name: &str, address: &str) -> String {
    format!("[[listener]]\nname = \"{name}\"\naddress = \"{address}\"\nupstream = \"pacs\"\n")
}

/// An association goes in.
fn goes_in(gate: &Gate, upstream: &Upstream, address: SocketAddr) {
    let target = crate::connection::Target { address, ..gate.plain() };
    let (requestor, acceptor) = raw::open(&target, upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn a_reload_gives_the_address_of_a_listener_to_another() {
    let upstream = Upstream::bind();
    let (here, there) = (crate::process::free_address(), crate::process::free_address());
    let setup = |listener: &str, extra: [&str; 2]| {
        let toml = Setup::plain(upstream.address).toml().replace("127.0.0.1:0", listener);
        format!("{toml}{}", and(extra[0], extra[1]))
    };
    let [one, other] = [here, there].map(|address| address.to_string());
    let any = format!("0.0.0.0:{}", here.port());
    let gate = Gate::start_with(Site::new(), &setup(&any, ["more", &other]), "");
    // They swap; then one goes under another name; then it listens at one address of its port, and at all again.
    let steps =
        [(&other, "more", &any), (&any, "other", &other), (&one, "other", &other), (&any, "more", &other)];
    for (count, (listener, name, address)) in steps.into_iter().enumerate() {
        gate.reload(&setup(listener, [name, address]));
        reloaded(&gate, count + 1);
        goes_in(&gate, &upstream, here);
        goes_in(&gate, &upstream, there);
    }
}

#[test]
fn a_listener_that_made_room_for_one_that_cannot_be_had_listens_again() {
    let upstream = Upstream::bind();
    let here = crate::process::free_address();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("its address").to_string();
    let setup = |listener: &str| Setup::plain(upstream.address).toml().replace("127.0.0.1:0", listener);
    let any = format!("0.0.0.0:{}", here.port());
    let gate = Gate::start_with(Site::new(), &setup(&any), "");
    gate.reload(&format!("{}{}", setup(&here.to_string()), and("more", &taken)));
    let refused = gate.event("configuration-refused")["problems"].to_string();
    assert!(refused.contains("is another program listening there"), "{refused}");
    goes_in(&gate, &upstream, here);
    // One that stays makes no room.
    gate.reload(&format!("{}{}", setup(&any), and("more", &here.to_string())));
    wait::until("the second refusal", || (gate.count("configuration-refused") == 2).then_some(()));
    let refused = gate.records().into_iter().rfind(|record| record["event"] == "configuration-refused");
    let refused = refused.expect("a record")["problems"].to_string();
    assert!(refused.contains("listener \\\"remote\\\" listens there already"), "{refused}");
    goes_in(&gate, &upstream, here);
}

#[test]
fn a_bad_file_leaves_the_last_good_configuration_in_force() {
    let upstream = Upstream::bind();
    let setup = Setup::plain(upstream.address);
    let mut gate = Gate::start(&setup);
    gate.reload("[limits]\nmax-associations = \"many\"\n");
    let refused = gate.event("configuration-refused");
    assert_eq!(refused["configuration"], gate.event("started")["configuration"]);
    let problems = refused["problems"].to_string();
    assert!(problems.contains("dimsegate.toml:2:") && problems.contains("max-associations"), "{problems}");
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    // A missing certificate is as bad as a wrong key.
    let missing = Setup {
        tls: true,
        listener_tls: "certificate-chain = \"certs/none.pem\"\nprivate-key = \"certs/server.key\"\nclient-authentication = \"off\"",
        ..setup
    };
    gate.reload(&missing.toml());
    wait::until("the second refusal", || (gate.count("configuration-refused") == 2).then_some(()));
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    assert!(gate.is_running());
}

#[test]
fn a_reload_brings_new_certificates_and_revocations() {
    let upstream = Upstream::bind();
    let setup = Setup::tls(upstream.address);
    let gate = Gate::start(&setup);
    let target = gate.site.tls(gate.address, "ca", Some("revoked"));
    let (requestor, acceptor) = raw::open(&target, &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    let loaded = gate.count("configuration-loaded");
    let stricter = setup.toml().replace(
        "client-ca = \"certs/ca.pem\"",
        "client-ca = \"certs/ca.pem\"\nrevocation-lists = [\"certs/ca.crl\"]",
    );
    gate.reload(&stricter);
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    assert!(
        Association::open(&target, &verification("SITE", "PACS")).is_err(),
        "a revoked certificate went in"
    );
    assert_eq!(gate.event("connection-refused")["reason"], "certificate-revoked");
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
}

/// The record of the reload that comes after so many.
fn reloaded(gate: &Gate, loaded: usize) -> serde_json::Value {
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    let records = gate.records();
    records.into_iter().rfind(|record| record["event"] == "configuration-loaded").expect("a record")
}

#[test]
fn a_reload_of_certificates_alone_is_another_configuration_and_says_which_file() {
    let setup = Setup::tls(crate::process::free_address());
    let gate = Gate::start(&setup);
    let first = gate.event("configuration-loaded");
    assert!(
        first["changed"].is_null() && first["certificates"].as_array().is_some_and(|all| all.len() == 2),
        "{first}"
    );
    let ca = gate.site.path("certs/ca.pem");
    let text = std::fs::read_to_string(&ca).expect("PEM");
    std::fs::write(&ca, format!("the same CA\n{text}")).expect("a file written");
    gate.reload(&setup.toml());
    let second = reloaded(&gate, 1);
    assert_eq!(second["changed"], json!(["certs/ca.pem"]));
    assert_eq!(second["file-sha256"], first["file-sha256"]);
    assert_eq!(second["previous-configuration"], first["configuration"]);
    assert_ne!(second["configuration"], first["configuration"]);
    assert!(second["waits-for-restart"].is_null(), "{second}");
    // By other tools, in the order of the record.
    let files =
        second["certificates"].as_array().expect("files").iter().filter_map(|one| one["file"].as_str());
    let files: Vec<&str> = std::iter::once("dimsegate.toml").chain(files).collect();
    let mut command = Program::new("sh");
    command.current_dir(gate.site.root()).args(["-c", &format!("sha256sum {} | sha256sum", files.join(" "))]);
    let sum = crate::process::Finished::run(command).expect_success();
    assert_eq!(second["configuration"].as_str(), sum.split_whitespace().next());
    gate.reload(&setup.toml());
    let third = reloaded(&gate, 2);
    assert_eq!((&third["changed"], &third["configuration"]), (&json!([]), &second["configuration"]));
}

#[test]
fn another_log_level_counts_at_once_and_what_waits_for_a_restart_is_said() {
    let upstream = Upstream::bind();
    let toml = Setup::plain(upstream.address).toml().replace("level = \"debug\"", "level = \"warn\"");
    let gate = Gate::start_with(crate::site::Site::new(), &toml, "");
    let associate = || {
        let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
        raw::release(requestor, acceptor);
    };
    associate();
    wait::until("the closing record", || (gate.count("association-closed") == 1).then_some(()));
    assert!(!gate.output().contains("association opened"), "{}", gate.output());
    let louder = toml.replace("level = \"warn\"", "level = \"info\"");
    gate.reload(&louder);
    assert!(reloaded(&gate, 1)["waits-for-restart"].is_null());
    // The level follows the record.
    wait::until("the new level", || {
        associate();
        gate.output().contains("association opened").then_some(())
    });
    let other = louder.replace("[audit]", "format = \"json\"\n[audit]\ndurability = \"every-record\"");
    gate.reload(&other);
    assert_eq!(reloaded(&gate, 2)["waits-for-restart"], json!(["[audit]", "[log] format"]));
    // The log is written behind the record.
    wait::until("the same in the log", || {
        gate.output().contains("[audit] has changed since the start, and waits for a restart").then_some(())
    });
    // It waits however often the file is read, until it is what it was.
    gate.reload(&other);
    assert_eq!(reloaded(&gate, 3)["waits-for-restart"], json!(["[audit]", "[log] format"]));
    let secret = std::fs::read(gate.site.path("conf/audit.key")).expect("the secret");
    std::fs::write(gate.site.path("conf/audit.key"), [7; 64]).expect("another secret");
    gate.reload(&louder);
    assert_eq!(reloaded(&gate, 4)["waits-for-restart"], json!(["[audit]"]));
    std::fs::write(gate.site.path("conf/audit.key"), secret).expect("the secret of before");
    gate.reload(&louder);
    assert!(reloaded(&gate, 5)["waits-for-restart"].is_null());
}

/// Answers the A-RELEASE-RQ of a proxy that stops.
fn is_released(mut peer: Peer) {
    peer.expect(upper::RELEASE_RQ);
    peer.send(&upper::release_rp());
    peer.expect_close();
}

/// A pipe that nobody writes, in the place of a file.
fn pipe(gate: &Gate, name: &str) {
    let path = gate.site.path(name);
    std::fs::remove_file(&path).expect("a file to put it in the place of");
    assert!(Program::new("mkfifo").arg(path).status().expect("mkfifo of coreutils").success());
}

#[test]
fn what_nobody_writes_holds_up_neither_a_reload_nor_a_stop() {
    let setup = Setup::tls(crate::process::free_address());
    let mut gate = Gate::start(&setup);
    pipe(&gate, "certs/ca.pem");
    gate.reload(&setup.toml());
    let refused = gate.event("configuration-refused")["problems"].to_string();
    assert!(refused.contains("certs/ca.pem") && refused.contains("a pipe, not a regular file"), "{refused}");
    // The configuration itself may be one, and is read until its other end closes.
    pipe(&gate, "dimsegate.toml");
    gate.signal("HUP");
    let end = std::fs::OpenOptions::new().write(true).open(gate.site.path("dimsegate.toml"));
    assert!(gate.stop().success());
    drop(end);
}

#[test]
fn sigterm_releases_what_is_idle_at_once() {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&Setup { limits: "grace = \"1h\"", ..Setup::plain(upstream.address) });
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    let (mut other, others) = raw::open(&gate.plain(), &upstream, &verification("OTHER", "PACS"), 16384);
    gate.signal("TERM");
    is_released(requestor);
    is_released(acceptor);
    // PS3.8 Table 9-10, Sta9 to Sta12: both have asked, and the requestor of the association answers first.
    other.expect(upper::RELEASE_RQ);
    other.send(&[upper::release_rq(), upper::release_rp()].concat());
    other.expect(upper::RELEASE_RP);
    let mut others = others;
    others.expect(upper::RELEASE_RQ);
    others.send(&upper::release_rq());
    others.expect(upper::RELEASE_RP);
    others.send(&upper::release_rp());
    drop((other, others));
    assert!(gate.wait().success());
    assert_eq!(gate.event("association-closed")["ended"], "shutdown");
    assert_eq!(gate.event("stopped")["aborted"], 0);
}

#[test]
fn whoever_does_not_answer_the_release_of_a_stop_is_aborted() {
    let upstream = Upstream::bind();
    let limits = "grace = \"1h\"\nrelease-timeout = \"1s\"";
    let mut gate = Gate::start(&Setup { limits, ..Setup::plain(upstream.address) });
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    gate.signal("TERM");
    requestor.expect(upper::RELEASE_RQ);
    acceptor.expect(upper::RELEASE_RQ);
    // A message that begins now is not taken, and its sender learns that.
    acceptor.send_message(1, &Command::c_echo_rq(1), None, 16384);
    assert_eq!(acceptor.expect(upper::ABORT)[2], 2);
    assert_eq!(requestor.expect(upper::ABORT)[2], 2);
    drop((requestor, acceptor));
    assert!(gate.wait().success());
}

#[test]
fn whoever_is_not_let_in_yet_does_not_hold_up_a_stop() {
    let upstream = Upstream::bind();
    let limits = "grace = \"1h\"\nassociate-timeout = \"1h\"";
    let mut gate = Gate::start(&Setup { limits, ..Setup::plain(upstream.address) });
    let silent = Peer::plain(gate.address);
    let mut half = Peer::plain(gate.address);
    half.send(&verification("SITE", "PACS").encode()[..50]);
    let mut waits = Peer::plain(gate.address);
    waits.send(&verification("SITE", "PACS").encode());
    let mut busy = upstream.accept();
    busy.associate(upper::ASSOCIATE_RQ);
    assert!(gate.stop().success());
    assert_eq!(waits.expect(upper::ASSOCIATE_RJ), [0, 2, 3, 1]);
    // The silent ones are refused for the same reason, each in its own moment.
    gate.record("the rejection", |record| {
        record["event"] == "association-rejected" && record["reason"] == "shutting-down"
    });
    drop((silent, half));
}

#[test]
fn sigterm_lets_messages_under_way_end_and_takes_no_more() {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&Setup { limits: "grace = \"1h\"", ..Setup::plain(upstream.address) });
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    requestor.send_message(1, &Command::c_echo_rq(1), None, 16384);
    let asked = acceptor.message();
    gate.signal("TERM");
    wait::until("the listener to close", || match std::net::TcpStream::connect(gate.address) {
        Err(_) => Some(()),
        Ok(stream) => {
            drop(stream);
            None
        }
    });
    assert!(gate.is_running());
    acceptor.send_message(1, &asked.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    is_released(requestor);
    is_released(acceptor);
    assert!(gate.wait().success());
    assert_eq!(gate.event("association-closed")["operations"]["C-ECHO"]["success"], 1);
    assert_eq!(gate.event("stopped")["aborted"], 0);
}

#[test]
fn an_operation_that_begins_beside_one_under_way_while_the_proxy_stops_is_not_taken_and_its_sender_learns_that()
 {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&Setup { limits: "grace = \"1h\"", ..Setup::plain(upstream.address) });
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    requestor.send_message(1, &Command::c_echo_rq(1), None, 16384);
    let asked = acceptor.message();
    gate.signal("TERM");
    // It is waited for, and knows that.
    wait::until("it to be named", || gate.output().contains("still open").then_some(()));
    requestor.send_message(1, &Command::c_echo_rq(2), None, 16384);
    acceptor.send_message(1, &asked.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0), "the first is answered");
    // Whether the second came before or after the end of the first, nobody has heard of it.
    let told = requestor.pdu();
    if told.kind == upper::RELEASE_RQ {
        assert_eq!(requestor.expect(upper::ABORT)[2], 2);
    } else {
        assert_eq!((told.kind, told.body[2]), (upper::ABORT, 2));
    }
    is_released(acceptor);
    drop(requestor);
    assert!(gate.wait().success());
    let operations = &gate.event("association-closed")["operations"];
    assert_eq!(operations["C-ECHO"]["success"], 1, "{operations}");
    assert_eq!(gate.records().iter().filter(|record| record["event"] == "operation").count(), 1);
}

#[test]
fn what_does_not_end_within_the_grace_period_is_aborted_on_both_legs() {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&Setup { limits: "grace = \"1s\"", ..Setup::plain(upstream.address) });
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    requestor.send_message(1, &Command::c_echo_rq(1), None, 16384);
    acceptor.message();
    gate.signal("TERM");
    assert_eq!(requestor.expect(upper::ABORT)[2], 2);
    assert_eq!(acceptor.expect(upper::ABORT)[2], 2);
    assert!(gate.wait().success());
    assert_eq!(gate.event("association-closed")["ended"], "shutdown");
    assert_eq!(gate.event("stopped")["aborted"], 1);
    let log = gate.output();
    let said = log.lines().find(|line| line.contains("still open")).expect("a line on what was waited for");
    let id = gate.event("association-closed")["association"].as_str().expect("an id").to_owned();
    for part in [id.as_str(), "upstream=pacs", "calling-ae-title=SITE"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

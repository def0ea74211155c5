//! Whoever reaches the port, or is let in and may do little: many times over, and still nothing fills up.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Command as Program;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::association::Association;
use crate::command::{Command, STATUS};
use crate::gate::{self, Gate, Setup, command};
use crate::object::Object;
use crate::process::Finished;
use crate::raw::{self, Peer, Upstream, rejection, verification};
use crate::sink;
use crate::site::Site;
use crate::upper;
use crate::wait;

/// Records of an event, of a proxy that has stopped: one at once and one for each minute, of which a slow machine may begin
/// another.
fn few(gate: &Gate, event: &str) {
    let count = gate.count(event);
    assert!((2..=4).contains(&count), "{count} records of {event}");
}

#[test]
fn connections_of_an_address_that_nobody_has_fill_neither_disk_nor_log() {
    let upstream = Upstream::bind();
    let peers = gate::peer(r#"networks = ["10.0.0.0/8"]"#);
    let mut gate = Gate::start(&Setup { peers, ..Setup::plain(upstream.address) });
    for _ in 0..300 {
        Peer::plain(gate.address).expect_close();
    }
    assert!(gate.stop().success());
    assert_eq!(gate.refusals("address-not-allowed"), 300);
    few(&gate, "connection-refused");
    let lines = gate.output().lines().filter(|line| line.contains("refused")).count();
    assert!((1..=4).contains(&lines), "{lines} lines");
    let gathered = gate.records().into_iter().find(|record| !record["count"].is_null()).expect("the rest");
    assert_eq!(
        (&gathered["address"], &gathered["event"]),
        (&json!("127.0.0.1"), &json!("connection-refused"))
    );
    // What a reviewer sees.
    let found =
        command(&gate.site, &["audit", "search", "audit", "--event", "connection-refused", "--table"]);
    let table = Finished::run(found).expect_success();
    assert!(table.contains(" times: address-not-allowed"), "{table}");
}

#[test]
fn requests_that_are_rejected_are_gathered_too_and_their_alerts() {
    let upstream = Upstream::bind();
    let peers = gate::peer(r#"calling-ae-titles = ["LYON"]"#);
    let mut gate = Gate::start(&Setup { peers, ..Setup::plain(upstream.address) });
    for _ in 0..20 {
        assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), [0, 1, 1, 3]);
        assert_eq!(rejection(&gate.plain(), &verification("SITE\r\n", "PACS")), [0, 1, 1, 3]);
    }
    assert!(gate.stop().success());
    assert_eq!(gate.refusals("calling-ae-title-unknown"), 20);
    assert_eq!(gate.refusals("calling-ae-title-illegal"), 20);
    assert!(gate.count("association-rejected") <= 8, "{}", gate.count("association-rejected"));
    assert!((1..=2).contains(&gate.count("security-alert")), "{}", gate.count("security-alert"));
}

const ECHO_ONLY: &str = "[[role]]\nname = \"all\"\noperations = [\"C-ECHO\"]\nsop-classes = [\"all\"]\ntransfer-syntaxes = [\"all\"]";

/// A C-FIND-RQ without its identifier, which nobody looks at before the operation is refused.
fn find(message_id: u16) -> Command {
    Command::new(0x0020)
        .uid(0x0002, upper::VERIFICATION)
        .us(0x0110, message_id)
        .us(0x0700, 0)
        .us(0x0800, 0x0101)
}

fn unknown(message_id: u16) -> Command {
    Command::new(0x0099).us(0x0110, message_id).us(0x0800, 0x0101)
}

fn cancel(message_id: u16) -> Command {
    Command::new(0x0FFF).us(0x0120, message_id).us(0x0800, 0x0101)
}

#[test]
fn refused_operations_are_a_record_each_until_they_are_many() {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&Setup { roles: ECHO_ONLY, ..Setup::plain(upstream.address) });
    let (mut requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    let mut refused = |command: Command, status| {
        requestor.send_message(1, &command, None, 16384);
        assert_eq!(requestor.message().command.number(STATUS), Some(status));
    };
    for message_id in 0..500 {
        refused(find(message_id), 0x0124);
        refused(unknown(message_id), 0x0211);
    }
    raw::release(requestor, acceptor);
    assert!(gate.stop().success());
    assert_eq!(gate.refusals("operation-not-allowed"), 500);
    assert_eq!(gate.refusals("unrecognized-operation"), 500);
    assert!((102..=204).contains(&gate.count("operation")), "{} records", gate.count("operation"));
    let closed = gate.event("association-closed");
    let refused = json!({"success": 0, "warning": 0, "failure": 0, "refused": 500});
    assert_eq!(
        (&closed["operations"]["C-FIND"], &closed["operations"]["unrecognized"]),
        (&refused, &refused)
    );
    let records = gate.records();
    let place = |wanted: &dyn Fn(&Value) -> bool| records.iter().rposition(wanted).expect("a record");
    assert!(
        place(&|record| !record["count"].is_null())
            < place(&|record| record["event"] == "association-closed")
    );
}

#[test]
fn echoes_are_a_record_each_until_they_are_many_and_no_other_operation_is_gathered() {
    let options = sink::Options { maximum_length: 16384, tls: None, checksums: true };
    let upstream = sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).expect("a sink").0;
    let mut gate = Gate::start(&Setup::plain(upstream));
    let request = verification("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let mut association = Association::open(&gate.plain(), &request).expect("an association");
    let object = Object::ct(0);
    let store = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    for id in 1..=300 {
        assert_eq!(association.echo(1, id).expect("an answer"), 0);
        association.send(3, &store, Some(&object.data_set)).expect("an object sent");
        assert_eq!(association.status().expect("an answer"), 0);
    }
    association.release().expect("a release");
    assert!(gate.stop().success());
    let of = |operation: &str| -> Vec<Value> {
        gate.records().into_iter().filter(|record| record["operation"] == operation).collect()
    };
    assert_eq!(of("C-STORE").len(), 300);
    let echoes = of("C-ECHO");
    let counts: Vec<Option<u64>> = echoes.iter().map(|record| record["count"].as_u64()).collect();
    assert_eq!(counts.iter().map(|count| count.unwrap_or(1)).sum::<u64>(), 300, "none is lost");
    // The minute of the gathering may end just then.
    assert!((101..=202).contains(&counts.len()), "{} records", counts.len());
    let counted = echoes.iter().find(|record| record["count"].is_u64()).expect("a record of many");
    assert_eq!((&counted["status"], &counted["reason"]), (&json!("0x0000"), &Value::Null));
    let closed = gate.event("association-closed");
    assert_eq!(closed["operations"]["C-ECHO"]["success"], 300);
    assert!(counted["sequence"].as_u64() < closed["sequence"].as_u64());
}

#[test]
fn whatever_is_asked_for_goes_at_the_pace_of_the_peer() {
    let upstream = Upstream::bind();
    let peers = gate::peer("operations-per-second = 10");
    let gate = Gate::start(&Setup { peers, roles: ECHO_ONLY, ..Setup::plain(upstream.address) });
    let request = verification("SITE", "PACS");
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let mut thirty = |kind: &str, command: &dyn Fn(u16) -> Command| {
        let start = Instant::now();
        for message_id in 0..30 {
            requestor.send_message(1, &command(message_id), None, 16384);
        }
        // Its answer comes behind all of them.
        requestor.send_message(1, &Command::c_echo_rq(99), None, 16384);
        let echo = acceptor.message();
        acceptor.send_message(1, &echo.command.response(0), None, 16384);
        while requestor.message().command.number(STATUS) != Some(0) {}
        // A burst of at most a second's worth, then ten a second: a lower bound, which no slow machine can break.
        assert!(start.elapsed() > Duration::from_millis(1500), "30 of {kind} in {:?}", start.elapsed());
    };
    thirty("refused operations", &find);
    thirty("unknown command fields", &unknown);
    thirty("C-CANCELs", &cancel);
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    let for_nothing = json!({"success": 0, "warning": 30, "failure": 0, "refused": 0});
    assert_eq!(closed["operations"]["C-CANCEL"], for_nothing, "{closed}");
}

#[test]
fn unfinished_requests_share_a_bounded_memory_and_keep_nobody_out() {
    let upstream = Upstream::bind();
    let limits = "request-memory = \"1MiB\"\nassociate-timeout = \"1h\"\nmax-associations-per-address = 500\nconnections-per-minute-per-address = 100000";
    let gate = Gate::start(&Setup { limits, ..Setup::plain(upstream.address) });
    let unfinished = [&[1, 0][..], &250_000_u32.to_be_bytes(), &[0; 249_000]].concat();
    let mut flood: Vec<(Peer, usize)> = (0..300).map(|_| (Peer::plain(gate.address), 0)).collect();
    let mut quiet = 0;
    // As much as anybody takes.
    while quiet < 20 {
        let before: usize = flood.iter().map(|(_, sent)| sent).sum();
        for (peer, sent) in &mut flood {
            let mut socket = peer.stream.socket();
            socket.set_nonblocking(true).expect("a socket");
            *sent += socket.write(&unfinished[*sent..]).unwrap_or(0);
        }
        let after: usize = flood.iter().map(|(_, sent)| sent).sum();
        quiet = if before == after { quiet + 1 } else { 0 };
        wait::beyond(Duration::from_millis(10));
    }
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    assert!(gate.peak_resident_kib() < 60 << 10, "{} KiB", gate.peak_resident_kib());
    drop(flood);
    // Room that was taken is given back.
    let mut large = verification("SITE", "PACS");
    large = large.user_item(upper::item(0x5F, &[7; 60_000]));
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &large, 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn a_request_that_is_too_long_is_called_so() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let mut requestor = Peer::plain(gate.address);
    requestor.send(&[1, 0, 0x7F, 0xFF, 0xFF, 0xFF]);
    requestor.expect(upper::ABORT);
    let refused = gate.event("connection-refused");
    assert_eq!(refused["reason"], "associate-too-long");
    let why = refused["explanation"].as_str().expect("an explanation");
    assert!(why.ends_with("(the default of max-associate-length in [limits])"), "{why}");
}

/// The soft and the hard limit of file descriptors, of proc_pid_limits(5).
fn descriptor_limits(gate: &Gate) -> (String, String) {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gate.pid())).expect("its limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    let fields: Vec<&str> = line.split_whitespace().collect();
    (fields[3].to_owned(), fields[4].to_owned())
}

#[test]
fn the_soft_limit_of_file_descriptors_is_raised_to_the_hard_one() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { shell: "ulimit -Sn 64; exec \"$@\"", ..Setup::plain(upstream.address) });
    let (soft, hard) = descriptor_limits(&gate);
    assert_eq!(soft, hard);
    assert_ne!(soft, "64");
}

#[test]
fn too_few_file_descriptors_are_named_by_check_and_at_the_start() {
    let upstream = Upstream::bind();
    let setup = Setup {
        limits: "max-associations = 300",
        shell: "ulimit -n 400; exec \"$@\"",
        ..Setup::plain(upstream.address)
    };
    let gate = Gate::start(&setup);
    let named =
        "allows 300 associations, which may need 1028 file descriptors, and a process may have 400 here";
    assert!(gate.output().contains(named), "{}", gate.output());
    let site = Site::new();
    std::fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let mut check = Program::new("sh");
    check.current_dir(site.root()).args(["-c", setup.shell, "sh", env!("CARGO_BIN_EXE_dimsegate")]);
    let checked = Finished::run({
        check.args(["check", "-c", "dimsegate.toml"]);
        check
    });
    assert!(checked.output.contains(&format!("limits.max-associations: {named}")), "{}", checked.output);
}

//! A disk that takes no more records: who asks is answered, who stops the proxy is heard, and a start says what is full.

use std::net::SocketAddr;
use std::process::{self, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::administration;
use crate::association::Association;
use crate::command::Command;
use crate::connection::Target;
use crate::gate::{self, Gate, Setup};
use crate::monitoring;
use crate::notifications::Hook;
use crate::object::Object;
use crate::process::{Process, free_address};
use crate::raw::{self, verification};
use crate::sink::{self, Totals};
use crate::upper;
use crate::wait;

/// An upstream that accepts everything by itself.
pub fn sink() -> (SocketAddr, Arc<Totals>) {
    let options = sink::Options { maximum_length: 16384, tls: None, checksums: true };
    sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).expect("a sink")
}

/// No file of the proxy grows from now on.
pub fn fill_disk(gate: &Gate) {
    limit(gate.pid(), "1");
}

/// There is room again.
pub fn empty_disk(gate: &Gate) {
    limit(gate.pid(), "unlimited");
}

fn limit(process: u32, bytes: &str) {
    let arguments = ["--pid", &process.to_string(), &format!("--fsize={bytes}:unlimited")];
    let status = process::Command::new("prlimit").args(arguments).status();
    assert!(status.expect("prlimit, of util-linux").success());
}

/// The A-ASSOCIATE-RJ that a requestor gets.
fn rejected(gate: &Gate) -> Vec<u8> {
    raw::rejection(&gate.plain(), &verification("SITE", "PACS"))
}

/// The grace period is longer than any test: only a stop that waits for nothing ends within it.
const LIMITS: &str = "grace = \"1h\"\nidle-timeout = \"1h\"\ndimse-timeout = \"1h\"";
/// Rejected transient, by the presentation provider, temporary congestion.
const TRANSIENT: [u8; 4] = [0, 2, 3, 1];

/// Its records and its log are files, and a write over the limit is an error as on a full disk, not the end of the
/// process as SIGXFSZ would be (setrlimit(2)).
pub const DISK_THAT_CAN_BE_FULL: &str = "trap '' XFSZ; exec \"$@\"";

#[test]
fn no_new_association_while_records_cannot_be_written() {
    let (address, totals) = sink();
    let setup = Setup { shell: DISK_THAT_CAN_BE_FULL, ..Setup::plain(address) };
    let mut gate = Gate::start(&setup);
    let (target, request) = (gate.plain(), verification("SITE", "PACS"));
    let mut open = Association::open(&target, &request).expect("an association");
    fill_disk(&gate);
    // The first record that fails may be that of the association which finds out.
    wait::until("a refusal", || Association::open(&target, &request).is_err().then_some(()));
    let reached = totals.associations.load(Relaxed);
    assert_eq!(raw::rejection(&target, &request), TRANSIENT);
    assert_eq!(totals.associations.load(Relaxed), reached, "a refused association reached the upstream");
    // What is open goes on, and the proxy lives.
    assert_eq!(open.echo(1, 1).expect("an answer"), 0);
    open.release().expect("a release");
    assert!(gate.is_running());
    empty_disk(&gate);
    let mut again = wait::until("associations again", || Association::open(&target, &request).ok());
    assert_eq!(again.echo(1, 2).expect("an answer"), 0);
    again.release().expect("a release");
    assert!(gate.stop().success());
    assert!(
        gate.records().iter().any(|record| record["reason"] == "records-unavailable"),
        "no refusal recorded"
    );
    assert_nothing_lost(&gate, totals.associations.load(Relaxed));
}

/// Every association that reached the upstream has its records, those that had to wait for room included.
fn assert_nothing_lost(gate: &Gate, associations: u64) {
    let records = gate.records();
    let sequences: Vec<u64> = records.iter().filter_map(|record| record["sequence"].as_u64()).collect();
    assert_eq!(sequences, (1..=records.len() as u64).collect::<Vec<_>>());
    for event in ["association-opened", "association-closed"] {
        assert_eq!(gate.count(event) as u64, associations, "{event}");
    }
}

#[test]
fn readiness_status_and_a_hook_say_that_records_cannot_be_written_and_when_they_can_again() {
    let (hook, told) = Hook::bind();
    let metrics = free_address();
    let extra = gate::leaked(format!(
        "[metrics]\nlisten = \"{metrics}\"\n[admin]\nlisten = \"unix:admin.sock\"\n\
         [[notify]]\nname = \"on-call\"\nurl = \"http://{told}/told\"\nwhen = [\"records-failing\"]\n"
    ));
    let setup = Setup { shell: DISK_THAT_CAN_BE_FULL, extra, ..Setup::plain(sink().0) };
    let gate = Gate::start(&setup);
    let ready = || monitoring::get(metrics, "/ready");
    let status = || administration::get(&gate, "/api/v1/status");
    assert_eq!(ready().0, "HTTP/1.0 200 OK");
    fill_disk(&gate);
    let (code, why) = wait::until("a record that cannot be written", || {
        let _ = Association::open(&gate.plain(), &verification("SITE", "PACS"));
        Some(ready()).filter(|(code, _)| !code.contains("200"))
    });
    assert_eq!(code, "HTTP/1.0 503 Service Unavailable");
    assert!(why.contains("\"detail\":\"records cannot be written\""), "{why}");
    let failing = status();
    assert_eq!(failing["health"], "critical");
    assert_eq!(failing["problems"][0], json!({"level": "critical", "what": "records cannot be written"}));
    assert_eq!(failing["records"], json!({"writable": false, "admitting": false}));
    let nagios = gate::run(&gate.site, &["status", "-c", "dimsegate.toml", "--nagios"]);
    let expected = "DIMSEGATE CRITICAL - records cannot be written";
    assert!(nagios.status == 2 && nagios.out.starts_with(expected), "{}", nagios.out);
    let prtg = gate::run(&gate.site, &["status", "-c", "dimsegate.toml", "--prtg"]);
    let sensor: serde_json::Value = serde_json::from_str(&prtg.out).expect("JSON");
    assert_eq!(sensor, json!({"prtg": {"error": 1, "text": "records cannot be written"}}));
    let told = hook.told("200 OK").json();
    assert_eq!((&told["occasion"], &told["count"]), (&json!("records-failing"), &json!(1)), "{told}");
    empty_disk(&gate);
    wait::until("records again", || {
        let _ = Association::open(&gate.plain(), &verification("SITE", "PACS"));
        (ready().0.contains("200") && status()["health"] == "ok").then_some(())
    });
}

#[test]
fn allow_goes_on_and_writes_the_records_when_it_can_again() {
    let (address, totals) = sink();
    let audit = "on-failure = \"allow\"";
    let mut gate = Gate::start(&Setup { shell: DISK_THAT_CAN_BE_FULL, audit, ..Setup::plain(address) });
    let round = || {
        let mut association =
            Association::open(&gate.plain(), &verification("SITE", "PACS")).expect("an association");
        assert_eq!(association.echo(1, 1).expect("an answer"), 0);
        association.release().expect("a release");
    };
    fill_disk(&gate);
    (0..3).for_each(|_| round());
    empty_disk(&gate);
    round();
    assert!(gate.stop().success());
    assert_nothing_lost(&gate, totals.associations.load(Relaxed));
}

#[test]
fn with_a_full_queue_requestors_are_answered_and_a_stop_is_heard() {
    let mut gate = Gate::start(&Setup { limits: LIMITS, ..Setup::plain(sink().0) });
    let request = || verification("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let open = || Association::open(&gate.plain(), &request()).expect("an association");
    let associations: Vec<Association> = (0..8).map(|_| open()).collect();
    fill_disk(&gate);
    let stored = Arc::new(AtomicUsize::new(0));
    let storing = associations.into_iter().map(|mut association| {
        let stored = stored.clone();
        thread::spawn(move || {
            let object = Object::ct(0);
            let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
            // Eight mebibytes have room for at most 16,384 records.
            (0..4_000).all(|_| {
                let sent = association.send(3, &command, Some(&object.data_set));
                sent.and_then(|()| association.status())
                    .is_ok_and(|_| stored.fetch_add(1, Relaxed) < usize::MAX)
            })
        })
    });
    let storing: Vec<_> = storing.collect();
    let count = || stored.load(Relaxed);
    for some in [1_000, 4_000, 7_000, 10_000] {
        wait::until("the queue to fill", || (count() >= some).then_some(()));
    }
    let mut before = 0;
    wait::until("everybody to wait for room", || {
        wait::beyond(Duration::from_millis(300));
        (std::mem::replace(&mut before, count()) == count()).then_some(())
    });
    assert_eq!(rejected(&gate), TRANSIENT);
    assert!(gate.stop().success());
    let done: Vec<bool> = storing.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    assert!(done.contains(&false), "the queue was not full");
}

#[test]
fn where_every_record_is_waited_for_a_full_disk_hinders_neither_answers_nor_a_stop() {
    let audit = "durability = \"every-record\"";
    let mut gate = Gate::start(&Setup { audit, limits: LIMITS, ..Setup::plain(sink().0) });
    let mut association =
        Association::open(&gate.plain(), &verification("SITE", "PACS")).expect("an association");
    fill_disk(&gate);
    // Its record waits for the disk, and so does the association.
    let waiting = thread::spawn(move || (1..=2).all(|id| association.echo(1, id).is_ok()));
    // Also those whose record is the first that fails.
    assert_eq!([rejected(&gate), rejected(&gate)], [TRANSIENT; 2]);
    gate.signal("HUP");
    assert!(gate.stop().success());
    assert!(!waiting.join().expect("no panic"));
}

#[test]
fn the_association_that_finds_the_disk_full_is_rejected_and_its_records_say_so_when_there_is_room() {
    let audit = "durability = \"every-record\"";
    let mut gate = Gate::start(&Setup { audit, limits: LIMITS, ..Setup::plain(sink().0) });
    fill_disk(&gate);
    assert_eq!([rejected(&gate), rejected(&gate)], [TRANSIENT; 2]);
    empty_disk(&gate);
    let mut association = wait::until("an association", || {
        Association::open(&gate.plain(), &verification("SITE", "PACS")).ok()
    });
    association.release().expect("a release");
    let closed = gate
        .record("the first", |record| record["event"] == "association-closed" && record["ended"] == "policy");
    let reason = "records-unavailable: records could not be written, and on-failure is \"block\"";
    assert_eq!((closed["reason"].as_str(), &closed["operations"]), (Some(reason), &json!({})));
    let opened = gate.record("its beginning", |record| {
        record["event"] == "association-opened" && record["association"] == closed["association"]
    });
    assert!(opened["sequence"].as_u64() < closed["sequence"].as_u64());
    assert!(gate.stop().success());
    assert!(gate.refusals("records-unavailable") > 0, "the second was counted");
}

/// The proxy of a site, under a limit that lets no file grow, until it is raised.
fn run_on_a_full_disk(gate: &Gate) -> process::Command {
    let mut command = process::Command::new("sh");
    command.current_dir(gate.site.root()).args(["-c", "ulimit -S -f 0; trap '' XFSZ; exec \"$@\"", "sh"]);
    command.args([env!("CARGO_BIN_EXE_dimsegate"), "run", "-c", "dimsegate.toml"]);
    command
}

#[test]
fn a_start_on_a_full_disk_names_the_file_and_goes_on_where_records_may_be_missing() {
    let setup = Setup::plain(sink().0);
    let mut gate = Gate::start(&setup);
    assert!(gate.stop().success());
    let output = run_on_a_full_disk(&gate).output().expect("a start");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(69), "{said}");
    let folder = gate.site.path("audit");
    let named = format!("cannot write to the audit file {}/audit-20", folder.display());
    assert!(said.contains(&named), "{said}");

    let address = free_address();
    let repository = "[[audit.repository]]\nname = \"arr\"\naddress = \"127.0.0.1:9\"\ntransport = \"udp\"";
    let toml = setup.toml().replace("127.0.0.1:0", &address.to_string());
    let toml = toml
        .replace("[audit]", "[audit]\non-failure = \"allow\"")
        .replace("[limits]", &format!("{repository}\n[limits]"));
    std::fs::write(gate.site.path("dimsegate.toml"), toml).expect("a configuration");
    // What it says goes nowhere: its log is a file that cannot grow, too.
    let mut process = Process::start(run_on_a_full_disk(&gate), &gate.site.path("again.log"));
    let target = Target { patience: wait::PATIENCE, ..Target::plain(address) };
    let mut association = wait::until("an association", || {
        assert!(process.ended().is_none(), "it ended");
        Association::open(&target, &verification("SITE", "PACS")).ok()
    });
    assert_eq!(association.echo(1, 1).expect("an answer"), 0);
    association.release().expect("a release");
    limit(process.pid(), "unlimited");
    gate.record("what waited in memory", |record| record["operation"] == "C-ECHO");
    process.signal("TERM");
    assert!(process.wait().success());
    let verified = gate::command(&gate.site, &["audit", "verify", "audit"]).stdout(Stdio::null()).status();
    assert!(verified.expect("a status").success(), "nothing was half written");
}

//! Records that a reviewer can trust: chained, signed, and there after a crash.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;

use crate::association::Association;
use crate::gate::{self, Gate, Setup};
use crate::process::Finished;
use crate::raw::verification;
use crate::sink;
use crate::site::Site;
use crate::wait;

const BROKEN: i32 = 4;

fn sink() -> SocketAddr {
    let options = sink::Options { maximum_length: 16384, tls: None, checksums: true };
    sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).expect("a sink").0
}

/// Exit status and output of `dimsegate audit verify audit ARGUMENTS…`.
fn verify(site: &Site, arguments: &[&str]) -> (Option<i32>, String) {
    let all = [&["audit", "verify", "audit"], arguments].concat();
    let output = gate::command(site, &all).output().expect("dimsegate audit verify");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code(), text)
}

/// The one file of records.
fn file(site: &Site) -> PathBuf {
    let entries = fs::read_dir(site.path("audit")).expect("records");
    let mut paths = entries.flatten().map(|entry| entry.path());
    paths.find(|path| path.to_string_lossy().contains("audit-20")).expect("a file")
}

/// Echoes on one association until the proxy is killed in the middle of it; gives how many were answered before.
fn echo_until_killed(gate: &mut Gate, echoes: u16) -> usize {
    let target = gate.plain();
    let mut association = Association::open(&target, &verification("SITE", "PACS")).expect("an association");
    for id in 1..=echoes {
        assert_eq!(association.echo(1, id).expect("an answer"), 0);
    }
    gate.signal("KILL");
    gate.wait();
    usize::from(echoes)
}

fn operations(records: &[Value]) -> usize {
    records.iter().filter(|record| record["event"] == "operation").count()
}

/// Starts the proxy again where it was killed, and stops it in good order.
fn start_and_stop(gate: Gate, setup: &Setup) -> Gate {
    let before = gate.count("started");
    let mut again = Gate::start_in(gate.site, setup);
    wait::until("the second start", || (again.count("started") > before).then_some(()));
    assert!(again.stop().success());
    again
}

#[test]
fn every_record_that_was_waited_for_is_there_after_kill_9() {
    let audit = "durability = \"every-record\"";
    let setup = Setup { audit, ..Setup::plain(sink()) };
    let mut gate = Gate::start(&setup);
    let answered = echo_until_killed(&mut gate, 50);
    // The record of an operation is on the disk before the next operation of its association is looked at.
    let kept = operations(&gate.records());
    assert!((answered - 1..=answered).contains(&kept), "{kept} of {answered}");
    let (status, said) = verify(&gate.site, &[]);
    assert_eq!(status, Some(0), "{said}");
    let gate = start_and_stop(gate, &setup);
    let (status, said) = verify(&gate.site, &[]);
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn every_second_loses_only_the_end_and_nothing_that_was_seen_in_the_file() {
    let setup = Setup::plain(sink());
    let mut gate = Gate::start(&setup);
    let seen = {
        let mut association =
            Association::open(&gate.plain(), &verification("SITE", "PACS")).expect("an association");
        assert_eq!(association.echo(1, 1).expect("an answer"), 0);
        association.release().expect("a release");
        gate.event("association-closed");
        gate.records().len()
    };
    let answered = 1 + echo_until_killed(&mut gate, 200);
    let records = gate.records();
    let sequences: Vec<u64> = records.iter().filter_map(|record| record["sequence"].as_u64()).collect();
    assert_eq!(sequences, (1..=records.len() as u64).collect::<Vec<_>>());
    assert!(records.len() >= seen && operations(&records) <= answered);
    let gate = start_and_stop(gate, &setup);
    let (status, said) = verify(&gate.site, &[]);
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn a_line_that_a_crash_tore_is_told_and_is_no_damage() {
    let setup = Setup::plain(sink());
    let mut gate = Gate::start(&setup);
    echo_until_killed(&mut gate, 3);
    let lines = fs::read(file(&gate.site)).expect("records");
    fs::write(file(&gate.site), &lines[..lines.len() - 20]).expect("a torn line");
    let (status, said) = verify(&gate.site, &[]);
    assert!(status == Some(0) && said.contains("unfinished"), "{said}");
    let before = lines.iter().filter(|&&byte| byte == b'\n').count();
    let command = gate::command(&gate.site, &["run", "-c", "dimsegate.toml"]);
    let mut process = crate::process::Process::start(command, &gate.site.path("again.log"));
    wait::until("the start to be recorded", || {
        let text = fs::read_to_string(file(&gate.site)).ok()?;
        (text.lines().count() > before && text.contains("\"recovered\":true") && text.ends_with('\n'))
            .then_some(())
    });
    process.signal("TERM");
    assert!(process.wait().success());
    let (status, said) = verify(&gate.site, &[]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains(&format!(":{before}: torn by a crash")), "{said}");
}

#[test]
fn a_reviewer_finds_what_was_changed_and_who_signed() {
    let site = Site::new();
    let made = gate::command(&site, &["audit", "key", "conf/signing.key"]);
    assert!(Finished::run(made).expect_success().contains("conf/signing.key.pub"));
    let again = gate::command(&site, &["audit", "key", "conf/signing.key"]).status().expect("a status");
    assert_eq!(again.code(), Some(73), "a key is never overwritten");
    let audit = "signing-key = \"conf/signing.key\"\ncheckpoint-records = 4";
    let setup = Setup { audit, ..Setup::plain(sink()) };
    let mut gate = Gate::start_in(site, &setup);
    let mut association =
        Association::open(&gate.plain(), &verification("SITE", "PACS")).expect("an association");
    for id in 1..=10 {
        assert_eq!(association.echo(1, id).expect("an answer"), 0);
    }
    association.release().expect("a release");
    gate.event("association-closed");
    assert!(gate.stop().success());
    let key = ["--public-key", "conf/signing.key.pub"];
    let (status, said) = verify(&gate.site, &key);
    assert!(status == Some(0) && said.contains("signed up to the last"), "{said}");

    let good = fs::read_to_string(file(&gate.site)).expect("records");
    let lines: Vec<&str> = good.lines().collect();
    let opened = lines.iter().position(|line| line.contains("association-opened")).expect("a record");
    let edited = good.replacen("\"SITE\"", "\"SIDE\"", 1);
    let cut: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != 6).map(|(_, line)| *line).collect();
    for (text, place, what) in
        [(edited, opened + 1, "edited"), (cut.join("\n") + "\n", 7, "cut: record 7 is missing")]
    {
        fs::write(file(&gate.site), text).expect("changed records");
        let (status, said) = verify(&gate.site, &key);
        let place = format!(".jsonl:{place}: ");
        assert!(
            said.lines().any(|line| line.contains(&place) && line.contains(what)),
            "{place}{what} in {said}"
        );
        assert_eq!(status, Some(BROKEN), "{said}");
    }
    fs::write(file(&gate.site), &good).expect("the records as they were");
    assert!(Finished::run(gate::command(&gate.site, &["audit", "key", "conf/other.key"])).success);
    let (status, said) = verify(&gate.site, &["--public-key", "conf/other.key.pub"]);
    assert!(status == Some(BROKEN) && said.contains("whose public key was not given"), "{said}");
}

#[test]
fn openssl_checks_a_checkpoint_too() {
    let site = Site::new();
    assert!(Finished::run(gate::command(&site, &["audit", "key", "conf/signing.key"])).success);
    let audit = "signing-key = \"conf/signing.key\"";
    let mut gate = Gate::start_in(site, &Setup { audit, ..Setup::plain(sink()) });
    assert!(gate.stop().success());
    let text = fs::read_to_string(file(&gate.site)).expect("records");
    let line = text.lines().last().expect("a checkpoint");
    let (signed, signature) = line.rsplit_once(",\"signature\":\"").expect("a signature");
    let signature: Vec<u8> = (0..64)
        .map(|at| u8::from_str_radix(&signature[2 * at..2 * at + 2], 16).expect("hexadecimal"))
        .collect();
    fs::write(gate.site.path("message"), format!("dimsegate audit checkpoint 1\n{signed}")).expect("a file");
    fs::write(gate.site.path("signature"), signature).expect("a file");
    let mut openssl = std::process::Command::new("openssl");
    openssl.current_dir(gate.site.root()).args(["pkeyutl", "-verify", "-rawin", "-in", "message"]);
    openssl.args(["-pubin", "-inkey", "conf/signing.key.pub", "-sigfile", "signature"]);
    assert!(Finished::run(openssl).expect_success().contains("Verified Successfully"));
}

/// A proxy that has stopped, the day before of which is encrypted for `reviewer.txt`.
fn encrypted(setup: &Setup, day_before: impl Fn(&Gate)) -> Gate {
    let site = Site::new();
    let made = Finished::run(gate::command(&site, &["audit", "identity", "reviewer.txt"])).expect_success();
    let key = made.split('"').nth(1).expect("a public key").to_owned();
    let mut gate = Gate::start_in(site, setup);
    day_before(&gate);
    assert!(gate.stop().success());
    let old = gate.site.path("audit/audit-2026-01-01.jsonl");
    fs::rename(file(&gate.site), &old).expect("an old file");
    let toml =
        setup.toml().replace("[audit]", &format!("[audit]\ncompress = true\nencrypt-to = [\"{key}\"]"));
    let mut gate = Gate::start_with(gate.site, &toml, "");
    wait::until("the old file to be closed", || (!old.exists()).then_some(()));
    gate.event("file-closed");
    assert!(gate.stop().success());
    gate
}

#[test]
fn yesterdays_file_is_for_the_reviewer_only() {
    let gate = encrypted(&Setup::plain(sink()), |_| {});
    let (status, said) = verify(&gate.site, &["--identity", "reviewer.txt"]);
    assert_eq!(status, Some(0), "{said}");
    let (status, said) = verify(&gate.site, &[]);
    assert!(status == Some(65) && said.contains("encrypted for a reviewer"), "{said}");
}

#[test]
fn questions_about_encrypted_days_are_answered_to_the_reviewer_only() {
    let loaded = std::cell::OnceCell::new();
    let gate = encrypted(&Setup::tls(sink()), |gate| {
        let target = gate.site.tls(gate.address, "ca", Some("client"));
        let mut association =
            Association::open(&target, &verification("SITE", "PACS")).expect("an association");
        association.release().expect("a release");
        gate.event("association-closed");
        let configuration = gate.event("configuration-loaded")["configuration"].clone();
        loaded.set(configuration.as_str().expect("a hash").to_owned()).expect("one day before");
    });
    let loaded = loaded.get().expect("a hash");
    let of_client = "the certificate of CN=client";
    for (command, more, found) in [
        ("search", &["--event", "association-opened"][..], "\"association-opened\""),
        ("certificates", &["--within", "2100y"], of_client),
        ("configurations", &[], loaded),
    ] {
        let ask = |identity: &[&str]| {
            gate::told(&gate.site, &[&["audit", command, "audit"], more, identity].concat())
        };
        let (status, said) = ask(&["--identity", "reviewer.txt"]);
        assert!(status == 0 && said.contains(found), "{command}: {said}");
        assert!(!said.contains("skipped"), "{command}: {said}");
        let (status, said) = ask(&[]);
        assert!(status == 65 && !said.contains(found), "{command}: {said}");
        assert!(said.contains(".age: skipped: encrypted for a reviewer"), "{command}: {said}");
    }
}

#[test]
fn a_second_proxy_in_one_audit_directory_is_told_so_and_does_not_start() {
    let setup = Setup::plain(sink());
    let mut gate = Gate::start(&setup);
    let output =
        gate::command(&gate.site, &["run", "-c", "dimsegate.toml"]).output().expect("a second proxy");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("writes to the audit directory") && said.contains("audit.directory"), "{said}");
    assert!(gate.stop().success());
    assert_eq!(verify(&gate.site, &[]).0, Some(0));
}

/// Exit status and output of `dimsegate audit head audit ARGUMENTS…`.
fn head(site: &Site, arguments: &[&str]) -> (Option<i32>, String) {
    let all = [&["audit", "head", "audit"], arguments].concat();
    let output = gate::command(site, &all).output().expect("dimsegate audit head");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code(), text)
}

const SIGNED: &str = "signing-key = \"conf/signing.key\"";
const KEY: [&str; 2] = ["--public-key", "conf/signing.key.pub"];

/// A proxy that signs and has ended in good order after some echoes.
fn signed_and_stopped(setup: &Setup) -> Gate {
    let site = Site::new();
    assert!(Finished::run(gate::command(&site, &["audit", "key", "conf/signing.key"])).success);
    let mut gate = Gate::start_in(site, setup);
    let mut association =
        Association::open(&gate.plain(), &verification("SITE", "PACS")).expect("an association");
    for id in 1..=4 {
        assert_eq!(association.echo(1, id).expect("an answer"), 0);
    }
    association.release().expect("a release");
    gate.event("association-closed");
    assert!(gate.stop().success());
    gate
}

#[test]
fn a_trail_is_signed_and_verifies_from_its_first_moment_on() {
    let site = Site::new();
    assert!(Finished::run(gate::command(&site, &["audit", "key", "conf/signing.key"])).success);
    let mut gate = Gate::start_in(site, &Setup { audit: SIGNED, ..Setup::plain(sink()) });
    let (status, said) = verify(&gate.site, &KEY);
    assert!(status == Some(0) && said.contains("nothing is known of them"), "{said}");
    assert!(gate.stop().success());
}

#[test]
fn a_cut_trail_stays_cut_and_a_head_that_was_handed_out_finds_what_the_files_do_not_tell() {
    let setup = Setup { audit: SIGNED, ..Setup::plain(sink()) };
    let gate = signed_and_stopped(&setup);
    let path = file(&gate.site);
    let head_file = gate.site.path("audit/audit.head");
    let early = (fs::read(&path).expect("records"), fs::read(&head_file).expect("a head"));
    let gate = start_and_stop(gate, &setup);
    let (status, handed_out) = head(&gate.site, &KEY);
    let since = ["--since", handed_out.trim()];
    assert_eq!(status, Some(0), "{handed_out}");
    assert_eq!(verify(&gate.site, &[&KEY[..], &since].concat()).0, Some(0));
    assert_eq!(verify(&gate.site, &["--since", "12:abc"]).0, Some(2), "no head");

    // Everything of the second run is cut off, at a signature; then the proxy runs again.
    let whole = fs::read(&path).expect("records");
    fs::write(&path, &early.0).expect("a cut");
    let (status, said) = verify(&gate.site, &KEY);
    assert!(status == Some(BROKEN) && said.contains("audit.head") && said.contains("cut: record"), "{said}");
    let gate = start_and_stop(gate, &setup);
    let (status, said) = verify(&gate.site, &KEY);
    assert!(
        status == Some(BROKEN) && said.contains("the run that begins here found the trail cut"),
        "{said}"
    );
    assert_eq!(gate.event("security-alert")["reason"], "trail-changed");

    // The head of that time is put back, too: only who knows a later one can tell.
    fs::write(&path, &early.0).expect("an early trail");
    fs::write(&head_file, &early.1).expect("its head");
    assert_eq!(verify(&gate.site, &KEY).0, Some(0));
    let (status, said) = verify(&gate.site, &[&KEY[..], &since].concat());
    assert!(status == Some(BROKEN) && said.contains("cut: record"), "{said}");

    // A head that was changed is not handed out.
    let text = fs::read_to_string(&head_file).expect("a head").replacen("\"sequence\":", "\"sequence\":1", 1);
    fs::write(&head_file, text).expect("another head");
    let (status, said) = head(&gate.site, &KEY);
    assert!(status == Some(BROKEN) && said.contains("signature does not fit"), "{said}");
    fs::write(&path, &whole).expect("the records");
    assert_eq!(verify(&gate.site, &KEY).0, Some(BROKEN));
}

#[test]
fn what_a_crash_leaves_unsigned_is_taken_over_and_told_until_somebody_has_seen_it() {
    let setup = Setup {
        audit: "signing-key = \"conf/signing.key\"\ndurability = \"every-record\"",
        ..Setup::plain(sink())
    };
    let site = Site::new();
    assert!(Finished::run(gate::command(&site, &["audit", "key", "conf/signing.key"])).success);
    let mut gate = Gate::start_in(site, &setup);
    echo_until_killed(&mut gate, 5);
    let (status, said) = verify(&gate.site, &KEY);
    assert!(status == Some(0) && said.contains("nothing is known of them"), "{said}");
    let gate = start_and_stop(gate, &setup);
    let (status, said) = verify(&gate.site, &KEY);
    assert!(status == Some(5) && said.contains("is not proven") && said.contains("intact but for"), "{said}");
    let (_, since) = head(&gate.site, &KEY);
    let (status, said) = verify(&gate.site, &[&KEY[..], &["--since", since.trim()]].concat());
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn a_start_that_fails_ends_its_records_in_good_order() {
    let site = Site::new();
    Finished::run(gate::command(&site, &["audit", "key", "conf/signing.key"])).expect_success();
    let setup = Setup { audit: "signing-key = \"conf/signing.key\"", ..Setup::plain(sink()) };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("a bound address").to_string();
    let toml = setup.toml().replace("address = \"127.0.0.1:0\"", &format!("address = \"{address}\""));
    fs::write(site.path("dimsegate.toml"), toml).expect("a configuration written");
    let ran = gate::run(&site, &["run", "-c", "dimsegate.toml"]);
    assert!(ran.status == 69 && ran.err.contains(&address), "{}", ran.err);
    let gate = Gate::start_in(site, &setup);
    let stopped = gate.event("stopped");
    assert!(stopped["reason"].as_str().is_some_and(|reason| reason.contains(&address)), "{stopped}");
    let second = gate
        .record("the second start", |record| record["event"] == "trail-continued" && record["sequence"] != 1);
    assert_eq!(second["ended"], true, "{second}");
    assert_eq!(second["unsigned"], 0, "{second}");
}

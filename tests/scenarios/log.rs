//! The operational log: JSON where asked for, one object a line, with the spans of an association, and never a patient.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command as Program;

use serde_json::{Value, json};

use crate::command::{Command, STATUS};
use crate::gate::{Gate, Setup};
use crate::object::Object;
use crate::raw::{self, Upstream};
use crate::rewriting;
use crate::site::Site;
use crate::upper::{self, Request};

#[test]
fn each_line_of_a_json_log_says_which_connection_it_is_about() {
    let upstream = Upstream::bind();
    let toml = Setup::plain(upstream.address)
        .toml()
        .replace("level = \"debug\"", "level = \"trace\"\nformat = \"json\"");
    let mut gate = Gate::start_with(Site::new(), &toml, "");
    let request = Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let object = Object::ct(5_000);
    let store = Command::c_store_rq(2, &object.sop_class, &object.sop_instance);
    requestor.send_message(1, &store, Some(&object.data_set), 16384);
    let stored = acceptor.message();
    acceptor.send_message(1, &stored.command.response(0), None, 16384);
    requestor.message();
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    let id = &closed["association"];
    // The log is written behind the records; all of it when the proxy has stopped.
    assert!(gate.stop().success());
    let output = gate.output();
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ours: Vec<&Value> = lines.iter().filter(|line| line["spans"][0]["association"] == *id).collect();
    assert!(ours.len() >= 2, "{output}");
    let opened = ours.iter().find(|line| line["fields"]["message"] == "association opened");
    let opened = opened.unwrap_or_else(|| panic!("no line of the opening in {output}"));
    let span = &opened["spans"][1];
    assert_eq!((&span["calling-ae-title"], &span["called-ae-title"]), (&json!("SITE"), &json!("PACS")));
    for secret in ["PHANTOM", "PID-0815", "A-4711"] {
        assert!(!output.contains(secret), "{secret} in the log");
    }
}

#[test]
fn a_warning_from_inside_an_association_says_which_one() {
    let upstream = Upstream::bind();
    let setup = rewriting::rewriting(upstream.address);
    let toml = setup.toml().replace("level = \"debug\"", "level = \"info\"\nformat = \"json\"");
    let mut gate = Gate::start_with(Site::new(), &toml, "");
    let (mut requestor, acceptor) = rewriting::ct_association(&gate, &upstream);
    let object = Object::ct(1_000);
    let store = Command::c_store_rq(3, &object.sop_class, "2.25.99");
    requestor.send_message(1, &store, Some(&object.data_set), 16384);
    assert_ne!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    // The log is written behind the records; all of it when the proxy has stopped.
    assert!(gate.stop().success());
    let output = gate.output();
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let spans_of = |message: &str| {
        let line = lines.iter().find(|line| line["fields"]["message"] == message);
        line.unwrap_or_else(|| panic!("no {message:?} in {output}"))["spans"].clone()
    };
    let warned = spans_of("a data set could not be rewritten");
    let line = lines.iter().find(|line| line["fields"]["message"] == "a data set could not be rewritten");
    assert_eq!(line.map(|line| &line["fields"]["message-id"]), Some(&json!(3)), "as the records call it");
    let address = warned[0]["address"].as_str().filter(|address| address.starts_with("127.0.0.1:"));
    assert_eq!(
        warned,
        json!([
            { "name": "connection", "address": address, "association": closed["association"] },
            { "name": "association", "calling-ae-title": "SITE", "called-ae-title": "PACS" },
        ])
    );
    for other in ["association opened", "association closed"] {
        assert_eq!(spans_of(other), warned, "{other}");
    }
}

#[test]
fn a_log_that_nobody_reads_holds_nothing_up_and_says_later_how_much_is_lost() {
    let upstream = Upstream::bind();
    let site = Site::new();
    let full = full_pipe(&site.path("log"));
    let setup = Setup { shell: "exec \"$@\" 2<>log", ..Setup::plain(upstream.address) };
    let toml = setup.toml().replace("level = \"debug\"", "level = \"trace\"\nformat = \"json\"");
    let toml = toml.replace("[limits]", "[limits]\nconnections-per-minute-per-address = 100000");
    let mut gate = Gate::start_with(site, &toml, setup.shell);
    // Until what waits before the pipe is full: 1024 lines, and each association is at least two.
    for _ in 0..1500 {
        let request = raw::verification("SITE", "PACS");
        let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
        raw::release(requestor, acceptor);
    }
    let pipe = File::open(gate.site.path("log")).expect("the log's other end");
    drop(full);
    let mut lines = BufReader::new(pipe).lines().map(|line| line.expect("a line of the log"));
    let told = lines.find(|line| line.contains("lines of this log were lost")).expect("a line about it");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert!(told["fields"]["lost"].as_u64().is_some_and(|lost| lost > 0), "{told}");
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(lines.any(|line| line.contains("\"stopped\"")), "no line of the stop"));
        assert!(gate.stop().success());
    });
}

/// A pipe that takes nothing more, however large it is: it has a reader, who does not read. It is full of empty lines.
fn full_pipe(path: &Path) -> File {
    let made = Program::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo, of coreutils").success());
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let mut pipe = options.open(path).expect("a pipe");
    for lines in [&[b'\n'; 4096][..], b"\n"] {
        while pipe.write(lines).is_ok() {}
    }
    pipe
}

#[test]
fn the_log_says_what_started_what_was_closed_and_that_it_stopped() {
    let upstream = Upstream::bind();
    let toml = Setup::plain(upstream.address)
        .toml()
        .replace("level = \"debug\"", "level = \"info\"\nformat = \"json\"");
    let mut gate = Gate::start_with(Site::new(), &toml, "");
    let request = raw::verification("SITE", "PACS");
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    assert!(gate.stop().success());
    let output = gate.output();
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let fields = |message: &str| {
        let line = lines.iter().find(|line| line["fields"]["message"] == message);
        line.unwrap_or_else(|| panic!("no {message:?} in {output}"))["fields"].clone()
    };
    let started = fields("started");
    assert_eq!(started["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&started["listeners"], &started["peers"]), (&json!(1), &json!(1)));
    assert!(started["file"].as_str().is_some_and(|file| file.ends_with("dimsegate.toml")), "{started}");
    let told = fields("association closed");
    assert_eq!((&told["peer"], &told["ended"]), (&json!("site"), &json!("released")));
    assert_eq!(told["bytes.in"], closed["bytes"]["in"]);
    assert_eq!(told["duration-ms"], closed["duration-ms"]);
    assert_eq!(fields("stopped")["reason"], "SIGTERM");
}

#[test]
fn a_start_says_which_certificate_ends_first() {
    let upstream = Upstream::bind();
    let toml = Setup::tls(upstream.address).toml();
    let gate = Gate::start_with(Site::new(), &toml.replace("level = \"debug\"", "format = \"json\""), "");
    let output = gate.output();
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let started = lines.iter().find(|line| line["fields"]["message"] == "started");
    let fields = &started.unwrap_or_else(|| panic!("no start in {output}"))["fields"];
    assert!(fields["first-end"].as_str().is_some_and(|day| day.len() == 10), "{fields}");
    assert!(fields["first-end-of"].as_str().is_some_and(|of| of.contains(" in certs/")), "{fields}");
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_in_the_format_of_its_log() {
    let upstream = Upstream::bind();
    let site = Site::new();
    let wrong = Setup::plain(upstream.address).toml() + "\nnobody-knows = 1\n";
    for (format, syntax) in [("json", ""), ("json", "\n[open"), ("text", "")] {
        let log = format!("level = \"info\"\nformat = \"{format}\"");
        let toml = wrong.replace("level = \"debug\"", &log) + syntax;
        std::fs::write(site.path("wrong.toml"), toml).expect("a file");
        let ran = crate::gate::run(&site, &["run", "-c", "wrong.toml"]);
        assert_eq!(ran.status, 78, "{}", ran.err);
        let is_json = |line: &str| {
            let line: Option<Value> = serde_json::from_str(line).ok();
            line.is_some_and(|line| line["level"] == "ERROR" && line["fields"]["message"].is_string())
        };
        assert!(ran.err.lines().count() > 0, "nothing is said");
        assert!(ran.err.lines().all(|line| is_json(line) == (format == "json")), "{}", ran.err);
    }
}

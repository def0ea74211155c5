//! `dimsegate demo`, however it ends: nothing is left running, and nothing is left but the folder that was asked for.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::gate::{Ran, run};
use crate::monitoring;
use crate::scratch::Scratch;
use crate::site::Site;
use crate::wait;

/// A demonstration that stays up, with what it prints read as far as was asked for.
struct Demonstration {
    child: Child,
    /// Where temporary folders go.
    folder: Scratch,
    out: Option<BufReader<ChildStdout>>,
}

impl Demonstration {
    /// `shell`: a line that ends in `exec "$@"`.
    fn start(shell: &str) -> Self {
        let folder = Scratch::new();
        // Whoever runs the tests in the background may have them ignore signals, and a shell cannot undo that.
        let mut command = Command::new("env");
        command.args(["--default-signal", "sh", "-c", shell, "sh", env!("CARGO_BIN_EXE_dimsegate"), "demo"]);
        // Whatever it makes is in that folder, wherever it is started.
        command.current_dir(folder.path());
        command.env("TMPDIR", folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("a demonstration");
        let out = child.stdout.take().map(BufReader::new);
        Self { child, folder, out }
    }

    /// Its output, up to the line that has `text`.
    fn read_until(&mut self, text: &str) -> String {
        let mut all = String::new();
        while !all.lines().last().unwrap_or_default().contains(text) {
            let read = self.out.as_mut().expect("a pipe").read_line(&mut all).expect("lines of text");
            assert!(read > 0, "{text} is not in {all}");
        }
        all
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill(1)").success());
    }

    /// As proc(5) shows it: signal 1 is the lowest bit.
    fn ignores_hangup(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("a mask");
        u64::from_str_radix(ignored.trim(), 16).expect("hexadecimal digits") & 1 == 1
    }

    /// Waits for its end, at which nothing may be left of it: its folders and ports.
    fn ended(&mut self, ports: &[SocketAddr]) -> ExitStatus {
        let status = wait::until("the demonstration to end", || self.child.try_wait().expect("a child"));
        let left: Vec<_> = fs::read_dir(self.folder.path()).expect("the folder").flatten().collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(ports.iter().all(|port| TcpStream::connect(port).is_err()), "{ports:?}");
        status
    }
}

impl Drop for Demonstration {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Those of the archive and of the proxy.
fn ports(told: &str) -> Vec<SocketAddr> {
    let address = |line: &str| line.split([' ', ',']).find_map(|word| word.parse().ok());
    let ports: Vec<_> =
        told.lines().filter(|line| line.contains(" on 127.0.0.1:")).filter_map(address).collect();
    assert_eq!(ports.len(), 2, "{told}");
    assert!(ports.iter().all(|port| TcpStream::connect(port).is_ok()), "{told}");
    ports
}

const LAST: &str = "--diff";
const PLAIN: &str = "exec \"$@\"";

#[test]
fn every_signal_that_ends_it_leaves_nothing() {
    for signal in ["INT", "TERM", "HUP"] {
        let mut demonstration = Demonstration::start(PLAIN);
        let ports = ports(&demonstration.read_until(LAST));
        demonstration.signal(signal);
        let status = demonstration.ended(&ports);
        assert!(status.success(), "{signal}: {status}");
    }
}

#[test]
fn the_page_that_it_prints_is_there_and_asks_its_interface() {
    let mut demonstration = Demonstration::start(PLAIN);
    let told = demonstration.read_until(LAST);
    let page = told.split_once("page of the proxy: http://").expect("a page").1;
    let address: SocketAddr = page.split('/').next().expect("an address").parse().expect("an address");
    let (status, page) = monitoring::get(address, "/");
    assert!(status.contains(" 200 ") && page.contains("<title>dimsegate"), "{status} {page}");
    let (status, told) = monitoring::get(address, "/api/v1/status");
    assert!(status.contains(" 200 ") && told.contains("\"state\":\"running\""), "{status} {told}");
    demonstration.signal("TERM");
    assert!(demonstration.ended(&[address]).success());
}

#[test]
fn somebody_is_refused_again_and_again_and_the_page_can_say_why() {
    let mut demonstration = Demonstration::start(PLAIN);
    let told = demonstration.read_until(LAST);
    assert!(told.contains("  STRANGER got A-ASSOCIATE-RJ 1/1/3: "), "{told}");
    let page = told.split_once("page of the proxy: http://").expect("a page").1;
    let address: SocketAddr = page.split('/').next().expect("an address").parse().expect("an address");
    let refusals = || -> Value {
        let (status, told) = monitoring::get(address, "/api/v1/refusals");
        assert!(status.contains(" 200 "), "{status} {told}");
        serde_json::from_str(&told).expect("refusals")
    };
    let first = refusals();
    assert_eq!(first.as_array().map(Vec::len), Some(1), "{first}");
    assert_eq!(first[0]["calling-ae-title"], "STRANGER");
    assert_eq!(first[0]["reason"], "calling-ae-title-unknown");
    assert_eq!(first[0]["stated"]["key"], "calling-ae-titles");
    wait::until("it to come again", || (refusals()[0]["count"].as_u64()? > 1).then_some(()));
    demonstration.signal("TERM");
    assert!(demonstration.ended(&[address]).success());
}

#[test]
fn a_signal_while_it_is_being_prepared_leaves_nothing_either() {
    for signal in ["INT", "TERM", "HUP"] {
        let mut demonstration = Demonstration::start(PLAIN);
        demonstration.read_until("dimsegate demo");
        demonstration.signal(signal);
        demonstration.ended(&[]);
    }
}

#[test]
fn it_ends_when_nobody_reads_on() {
    let mut demonstration = Demonstration::start(PLAIN);
    let ports = ports(&demonstration.read_until(LAST));
    demonstration.out = None;
    assert!(demonstration.ended(&ports).success());
}

#[test]
fn it_outlives_its_terminal_where_nohup_says_so() {
    let mut demonstration = Demonstration::start("trap '' HUP; exec \"$@\"");
    let ports = ports(&demonstration.read_until(LAST));
    assert!(demonstration.ignores_hangup());
    demonstration.signal("HUP");
    demonstration.signal("TERM");
    assert!(demonstration.ended(&ports).success());
}

#[test]
fn the_demonstration_ends_well_and_leaves_what_it_promises() {
    let site = Site::new();
    let Ran { status, out, err } = run(&site, &["demo", "--once", "--dir", "demo"]);
    assert_eq!(status, 0, "{out}{err}");
    let mut files = fs::read_dir(site.path("demo/audit")).expect("records").flatten();
    let records =
        files.find(|file| file.file_name().to_string_lossy().starts_with("audit-20")).expect("a file");
    let records = fs::read_to_string(records.path()).expect("records");
    let closed = records.lines().find(|line| line.contains("\"association-closed\"")).expect("a record");
    let closed: Value = serde_json::from_str(closed).expect("a record");
    assert_eq!(closed["ended"], "released");
    let sent = closed["operations"]["C-STORE"]["success"].as_u64().expect("a number");
    let archived = fs::read_dir(site.path("demo/archive")).expect("an archive").count() as u64;
    assert!(sent > 0 && archived == sent, "{archived} of {sent}");
    assert!(out.contains("PatientName") && out.contains("SITE-07"), "{out}");
    assert!(!records.contains("STRANGER"), "nobody stays up to look at a refusal");
}

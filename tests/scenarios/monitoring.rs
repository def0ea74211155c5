//! What a monitor sees: metrics, health and readiness over HTTP.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use crate::command::Command;
use crate::gate::{self, Gate, Setup};
use crate::process;
use crate::raw::{self, Upstream, rejection, verification};
use crate::site::Site;
use crate::upper;
use crate::wait;

/// The first line and the content of an answer.
pub fn get(address: SocketAddr, path: &str) -> (String, String) {
    ask(address, path).unwrap_or_else(|error| panic!("{address}{path}: {error}"))
}

pub fn ask(address: SocketAddr, path: &str) -> std::io::Result<(String, String)> {
    let mut stream = TcpStream::connect(address)?;
    // Before 1.1 nothing comes in chunks.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, content) = answer.split_once("\r\n\r\n").expect("an answer");
    Ok((head.lines().next().unwrap_or_default().to_owned(), content.to_owned()))
}

/// A proxy with metrics, and where they are.
pub fn watched(setup: &Setup) -> (Gate, SocketAddr) {
    let metrics = process::free_address();
    let toml = format!("[metrics]\nlisten = \"{metrics}\"\n{}", setup.toml());
    let gate = Gate::start_with(Site::new(), &toml, "");
    wait::until("metrics", || TcpStream::connect(metrics).ok());
    (gate, metrics)
}

fn has_line(text: &str, line: &str) {
    assert!(text.lines().any(|one| one == line), "{line}\n{text}");
}

#[test]
fn what_happens_is_counted_and_nothing_that_a_stranger_says_becomes_a_label() {
    let upstream = Upstream::bind();
    let setup =
        Setup { peers: gate::peer("calling-ae-titles = [\"SITE\"]"), ..Setup::plain(upstream.address) };
    let (gate, metrics) = watched(&setup);
    assert_eq!(get(metrics, "/health"), ("HTTP/1.0 200 OK".into(), "the process answers\n".into()));
    assert_eq!(get(metrics, "/ready").0, "HTTP/1.0 200 OK");
    rejection(&gate.plain(), &verification("<script>", "PACS"));
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::echo(&mut requestor, &mut acceptor);
    // The answer goes out before it is counted.
    gate.event("operation");
    let (_, text) = get(metrics, "/metrics");
    has_line(&text, "dimsegate_associations_open{peer=\"site\",upstream=\"pacs\"} 1");
    has_line(&text, "dimsegate_limit_used{limit=\"max-associations\",peer=\"none\"} 1");
    has_line(&text, "dimsegate_limit_used{limit=\"request-memory\",peer=\"none\"} 0");
    has_line(&text, "dimsegate_limit_used{limit=\"decoding-memory\",peer=\"none\"} 0");
    has_line(&text, "dimsegate_limit_allowed{limit=\"request-memory\",peer=\"none\"} 33554432");
    assert!(text.contains("\ndimsegate_limit_allowed{limit=\"decoding-memory\",peer=\"none\"} "), "{text}");
    let open = "\ndimsegate_limit_used{limit=\"descriptors\",peer=\"none\"} ";
    let open: u64 =
        text.split_once(open).expect("descriptors").1.lines().next().expect("a number").parse().expect("one");
    assert!(open > 3, "{open}");
    has_line(&text, "dimsegate_operations_total{peer=\"site\",operation=\"C-ECHO\",outcome=\"success\"} 1");
    requestor.send(&upper::release_rq());
    acceptor.expect_release();
    requestor.expect(upper::RELEASE_RP);
    // It does not close: an association whose end is written down is not open, however long its socket lingers.
    gate.event("association-closed");
    let (_, text) = get(metrics, "/metrics");
    drop(requestor);
    for line in [
        "dimsegate_associations_opened_total{listener=\"remote\",peer=\"site\",upstream=\"pacs\"} 1",
        "dimsegate_associations_closed_total{listener=\"remote\",peer=\"site\",ended=\"released\"} 1",
        "dimsegate_associations_refused_total{listener=\"remote\",peer=\"none\",reason=\"calling-ae-title-unknown\"} 1",
        "dimsegate_dial_seconds_count{upstream=\"pacs\"} 1",
        "dimsegate_negotiation_seconds_count{upstream=\"pacs\"} 1",
        "dimsegate_records_writable 1",
    ] {
        has_line(&text, line);
    }
    for said in ["<script", "script>", "SITE", "dimsegate_associations_open{"] {
        assert!(!text.contains(said), "{said}\n{text}");
    }
    let closed = gate.event("association-closed");
    for (direction, bytes) in [("in", &closed["bytes"]["in"]), ("out", &closed["bytes"]["out"])] {
        let line =
            format!("dimsegate_traffic_bytes_total{{peer=\"site\",direction=\"{direction}\"}} {bytes}");
        has_line(&text, &line);
    }
}

#[test]
fn an_address_that_is_taken_ends_the_start_and_leaves_a_reload_as_it_was() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().map(|address| (taken, address)).expect("its address");
    let site = Site::new();
    let upstream = Upstream::bind();
    let setup = Setup::plain(upstream.address).toml();
    let with = |address: SocketAddr| format!("[metrics]\nlisten = \"{address}\"\n{setup}");
    fs::write(site.path("dimsegate.toml"), with(taken.1)).expect("a configuration written");
    let (status, told) = gate::told(&site, &["run", "-c", "dimsegate.toml"]);
    assert_eq!(status, 69, "{told}");
    let sentence = format!(
        "metrics: cannot listen at {}: another program listens there already; stop it, or choose another port",
        taken.1
    );
    assert!(told.contains(&sentence), "{told}");

    let (first, second) = (process::free_address(), process::free_address());
    let gate = Gate::start_with(site, &with(first), "");
    gate.reload(&with(taken.1));
    let refused = gate.event("configuration-refused")["problems"].to_string();
    assert!(refused.contains(&sentence), "{refused}");
    let (_, text) = get(first, "/metrics");
    has_line(&text, "dimsegate_configuration_reloads_total{result=\"refused\"} 1");
    // It moves, and what it counted goes with it; then it is gone.
    gate.reload(&with(second));
    let text = wait::until("metrics at another address", || ask(second, "/metrics").ok()).1;
    has_line(&text, "dimsegate_configuration_reloads_total{result=\"in-force\"} 1");
    wait::until("the old address to close", || TcpStream::connect(first).is_err().then_some(()));
    gate.reload(&setup);
    wait::until("metrics to end", || TcpStream::connect(second).is_err().then_some(()));
}

#[test]
fn who_drains_is_healthy_and_not_ready() {
    let upstream = Upstream::bind();
    let (mut gate, metrics) = watched(&Setup::plain(upstream.address));
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    // An answer is waited for, so that the association goes on.
    requestor.send_message(1, &Command::c_echo_rq(1), None, 16384);
    acceptor.message();
    gate.signal("TERM");
    let problem = wait::until("the drain", || {
        let (status, content) = get(metrics, "/ready");
        (status == "HTTP/1.0 503 Service Unavailable").then_some(content)
    });
    assert!(problem.contains("\"detail\":\"it is told to stop, and takes no new connections\""), "{problem}");
    assert_eq!(get(metrics, "/health").0, "HTTP/1.0 200 OK");
    has_line(&get(metrics, "/metrics").1, "dimsegate_draining 1");
    drop((requestor, acceptor));
    assert!(gate.wait().success());
}

/// What a plugin of a Nagios, Icinga or Checkmk says, and its exit status.
fn plugin(gate: &Gate, line: &[&str]) -> (i32, String) {
    let [name, arguments @ ..] = line else { panic!("no plugin") };
    let mut command = std::process::Command::new(format!("/usr/lib/nagios/plugins/{name}"));
    command.current_dir(gate.site.root()).args(arguments);
    let output = process::output(command);
    let said = String::from_utf8(output.stdout).expect("text");
    (output.status.code().expect("a status"), said)
}

#[test]
fn the_plugins_of_a_monitor_read_status_health_and_readiness() {
    let upstream = Upstream::bind();
    let extra = "[admin]\nlisten = \"unix:admin.sock\"\n";
    let (mut gate, metrics) = watched(&Setup { extra, ..Setup::plain(upstream.address) });
    let port = metrics.port().to_string();
    let http = |path: &str| ["check_http", "-H", "127.0.0.1", "-p", &port, "-u", path].map(str::to_owned);
    let asked = |gate: &Gate, path: &str| plugin(gate, &http(path).each_ref().map(String::as_str));
    for path in ["/health", "/ready"] {
        let (status, said) = asked(&gate, path);
        assert!(status == 0 && said.starts_with("HTTP OK: HTTP/1.1 200 OK"), "{path}: {status} {said}");
    }
    // It reads the status, and the word for it in what is said.
    let own = [env!("CARGO_BIN_EXE_dimsegate"), "status", "-c", "dimsegate.toml", "--nagios"];
    let (status, said) = plugin(&gate, &[&["negate", "-s"][..], &own].concat());
    let expected = "DIMSEGATE CRITICAL - 0 associations open";
    assert!(status == 2 && said.starts_with(expected), "{status} {said}");
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    requestor.send_message(1, &Command::c_echo_rq(1), None, 16384);
    acceptor.message();
    gate.signal("TERM");
    let (status, said) = wait::until("the drain", || {
        let (status, said) = asked(&gate, "/ready");
        (status != 0).then_some((status, said))
    });
    let expected = "HTTP CRITICAL: HTTP/1.1 503 Service Unavailable";
    assert!(status == 2 && said.starts_with(expected), "{status} {said}");
    assert_eq!(asked(&gate, "/health").0, 0, "it is healthy all the same");
    drop((requestor, acceptor));
    assert!(gate.wait().success());
    let (status, said) = plugin(&gate, &[&["negate", "-s"][..], &own].concat());
    assert!(status == 0 && said.starts_with("DIMSEGATE OK - no dimsegate answers"), "{status} {said}");
}

#[test]
fn who_has_no_upstream_is_not_ready_and_status_and_metrics_say_the_same_at_the_socket_too() {
    let upstream = Upstream::bind();
    let setup = Setup {
        upstream_keys: "health = { echo = \"100ms\", rise = 1, fall = 1 }",
        extra: "[admin]\nlisten = \"unix:admin.sock\"\n",
        ..Setup::plain(upstream.address)
    };
    drop(upstream);
    let (gate, metrics) = watched(&setup);
    let problem = wait::until("an upstream that is down", || {
        let (status, content) = get(metrics, "/ready");
        (status == "HTTP/1.0 503 Service Unavailable").then_some(content)
    });
    assert!(problem.contains("\"detail\":\"no upstream is up\""), "{problem}");
    has_line(&get(metrics, "/metrics").1, "dimsegate_upstream_up{upstream=\"pacs\"} 0");
    has_line(&get(metrics, "/metrics").1, "dimsegate_upstream_addresses_down{upstream=\"pacs\"} 1");
    let status = gate::run(&gate.site, &["status", "-c", "dimsegate.toml", "--nagios"]);
    assert!(status.status == 2 && status.out.contains("upstream \"pacs\" is down"), "{}", status.out);
    let mut socket = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
    socket.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("a request written");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    has_line(&answer, "dimsegate_upstream_up{upstream=\"pacs\"} 0");
}

#[test]
fn a_monitor_away_from_loopback_is_a_risk() {
    let site = Site::new();
    let text =
        format!("[metrics]\nlisten = \"0.0.0.0:9108\"\n{}", Setup::plain(process::free_address()).toml());
    fs::write(site.path("dimsegate.toml"), text).expect("a configuration written");
    let (_, told) = gate::told(&site, &["check", "-c", "dimsegate.toml"]);
    let risk = "risk: dimsegate.toml:2:10: metrics.listen: 0.0.0.0:9108 tells every machine that reaches it";
    assert!(told.contains(risk), "{told}");
}

#[test]
fn a_page_of_a_stranger_does_not_learn_what_a_monitor_does() {
    let upstream = Upstream::bind();
    let (_gate, metrics) = watched(&Setup::plain(upstream.address));
    let ask = |version: &str, headers: String| {
        let mut stream = TcpStream::connect(metrics).expect("the port");
        let request = format!("GET /metrics HTTP/{version}\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).expect("a request written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    let port = metrics.port();
    for headers in [
        format!("Host: evil.example:{port}\r\n"),
        format!("Host: {metrics}\r\nOrigin: https://evil.example\r\n"),
        format!("Host: {metrics}\r\nSec-Fetch-Site: cross-site\r\n"),
    ] {
        let answer = ask("1.1", headers);
        assert!(answer.starts_with("HTTP/1.1 403 ") && !answer.contains("dimsegate_"), "{answer}");
    }
    for (version, headers) in [("1.1", format!("Host: localhost:{port}\r\n")), ("1.0", String::new())] {
        let answer = ask(version, headers);
        assert!(answer.contains("dimsegate_draining 0"), "{answer}");
    }
}

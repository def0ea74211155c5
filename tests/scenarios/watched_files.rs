//! Certificates and keys that somebody renews on disk, and says nothing to dimsegate.

use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::gate::{Gate, LISTENER_TLS, Setup, leaked};
use crate::process::{Finished, free_address};
use crate::raw::Upstream;
use crate::site::Site;
use crate::wait;

/// The certificate that openssl(1) is shown.
fn served(gate: &Gate) -> String {
    served_at(gate.address)
}

fn served_at(address: SocketAddr) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address.to_string()]);
    let shown = Finished::run(command).output;
    let begin =
        shown.find("-----BEGIN CERTIFICATE-----").unwrap_or_else(|| panic!("no certificate in {shown}"));
    let end = shown.find("-----END CERTIFICATE-----").expect("the end of a certificate");
    shown[begin..end].replace(['\r', '\n'], "")
}

fn in_file(site: &Site) -> String {
    let text = fs::read_to_string(site.path("certs/server.pem")).expect("PEM");
    text[..text.find("-----END").expect("PEM")].replace(['\r', '\n'], "")
}

/// Files of another site, one right behind the other, whatever keeps the test from running.
pub fn put_in_place(gate: &Gate, renewed: &Site, files: &[&str]) {
    let next = |file: &str| gate.site.path(&format!("{file}-next"));
    for file in files {
        fs::copy(renewed.path(file), next(file)).expect("a copy");
    }
    for file in files {
        fs::rename(next(file), gate.site.path(file)).expect("its name");
    }
}

pub fn refused(gate: &Gate) -> Vec<Value> {
    gate.records().into_iter().filter(|record| record["event"] == "configuration-refused").collect()
}

#[test]
fn a_renewed_certificate_is_shown_without_a_signal_and_a_broken_key_is_told_once() {
    let upstream = Upstream::bind();
    let limits = "reload-files = \"50ms\"";
    let gate = Gate::start(&Setup { limits, ..Setup::tls(upstream.address) });
    assert_eq!(served(&gate), in_file(&gate.site));
    // Somebody edits it, and is not done.
    fs::write(gate.site.path("dimsegate.toml"), "[limits]\nreload-files = \"off\"\n[[lis").expect("a file");
    let renewed = Site::new();
    put_in_place(&gate, &renewed, &["certs/server.pem", "certs/server.key"]);
    wait::until("the renewed certificate", || (served(&gate) == in_file(&renewed)).then_some(()));
    let loaded = gate.record("what was renewed", |record| record["watched-files"].is_array());
    assert_eq!(loaded["event"], "configuration-loaded");
    assert_eq!(loaded["process-id"], gate.pid());
    assert_eq!(loaded["changed"], json!(["certs/server.pem"]), "keys are in no digest");
    assert_eq!(loaded["changed-keys"], Value::Null, "{loaded}");

    fs::write(gate.site.path("certs/server.key"), "no key").expect("a file written");
    let told = wait::until("the refusal", || refused(&gate).pop());
    assert_eq!(told["watched-files"], json!(["certs/server.key"]));
    let problem = told["problems"][0].as_str().expect("a problem");
    assert!(problem.contains("private-key") && problem.contains("certs/server.key"), "{problem}");
    // Some looks later.
    wait::beyond(Duration::from_millis(400));
    assert_eq!(served(&gate), in_file(&renewed), "the last good one");
    assert_eq!(refused(&gate).len(), 1);
    let log = gate.output();
    assert_eq!(log.matches("configuration refused; the one before stays in force").count(), 1, "{log}");

    let loaded = gate.count("configuration-loaded");
    fs::copy(renewed.path("certs/server.key"), gate.site.path("certs/server.key")).expect("a copy");
    wait::until("the key to be taken", || (gate.count("configuration-loaded") > loaded).then_some(()));
    assert_eq!(served(&gate), in_file(&renewed));
}

/// A request on a connection that is kept, and its answer.
fn asked_again(connection: &mut (impl Read + Write), path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("a request written");
    let (mut answer, mut some) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.expect("a length").parse::<usize>().expect("a number") {
                return text;
            }
        }
        let read = connection.read(&mut some).expect("an answer");
        assert_ne!(read, 0, "closed after {text:?}");
        answer.extend_from_slice(&some[..read]);
    }
}

#[test]
fn the_administration_interface_shows_a_renewed_certificate_and_keeps_it_when_the_next_is_bad() {
    let upstream = Upstream::bind();
    let (limits, interface) = ("reload-files = \"50ms\"", free_address());
    let access = "[[admin.access]]\nrole = \"viewer\"\ncertificates = [\"cn:client\"]\n";
    let extra = format!("[admin]\nlisten = \"{interface}\"\n[admin.tls]\n{LISTENER_TLS}\n{access}");
    let gate = Gate::start(&Setup { limits, extra: leaked(extra), ..Setup::plain(upstream.address) });
    assert_eq!(served_at(interface), in_file(&gate.site));
    let mut open = gate.site.tls(interface, "ca", Some("client")).connect().expect("TLS");
    assert!(asked_again(&mut open, "/api/v1/peers").starts_with("HTTP/1.1 200"));

    // Another CA signs for both sides now.
    let renewed = Site::new();
    put_in_place(&gate, &renewed, &["certs/server.pem", "certs/server.key", "certs/ca.pem"]);
    wait::until("the renewed certificate", || (served_at(interface) == in_file(&renewed)).then_some(()));
    let loaded = gate.record("what was renewed", |record| record["watched-files"].is_array());
    assert_eq!(loaded["changed"], json!(["certs/ca.pem", "certs/server.pem"]));
    assert_eq!(loaded["waits-for-restart"], Value::Null, "{loaded}");
    let mut new = renewed.tls(interface, "ca", Some("client")).connect().expect("the client of the new CA");
    assert!(asked_again(&mut new, "/api/v1/peers").starts_with("HTTP/1.1 200"));
    let shown = asked_again(&mut open, "/api/v1/status");
    assert!(shown.starts_with("HTTP/1.1 200"), "what is open goes on: {shown}");

    fs::write(gate.site.path("certs/server.key"), "no key").expect("a file written");
    let told = wait::until("the refusal", || refused(&gate).pop());
    let problem = told["problems"][0].as_str().expect("a problem");
    assert!(problem.contains("admin.tls.private-key") && problem.contains("certs/server.key"), "{problem}");
    assert_eq!(served_at(interface), in_file(&renewed), "the last good one");
    let log = gate.output();
    assert!(log.contains("configuration refused; the one before stays in force"), "{log}");
    let status = asked_again(&mut open, "/api/v1/status");
    assert!(status.contains("was read last was refused") && status.contains("server.key"), "{status}");
    let metrics = asked_again(&mut open, "/metrics");
    assert!(metrics.contains("dimsegate_configuration_reloads_total{result=\"refused\"} 1"), "{metrics}");

    let without = Setup {
        limits,
        extra: leaked(format!("[admin]\nlisten = \"{interface}\"\n{access}")),
        ..Setup::plain(upstream.address)
    };
    gate.reload(&without.toml());
    let loaded = gate.record("TLS that is to go", |record| !record["waits-for-restart"].is_null());
    assert_eq!(loaded["waits-for-restart"], json!(["[admin]"]));
    assert_eq!(
        served_at(interface),
        in_file(&renewed),
        "behind TLS still, as it was last and not as at the start"
    );
}

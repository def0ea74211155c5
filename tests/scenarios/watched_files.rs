//! Certificates and keys that somebody renews on disk, and says nothing to dimsegate.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::gate::{Gate, Setup};
use crate::process::Finished;
use crate::raw::Upstream;
use crate::site::Site;
use crate::wait;

/// The certificate that openssl(1) is shown.
fn served(gate: &Gate) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &gate.address.to_string()]);
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

fn refused(gate: &Gate) -> Vec<Value> {
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
    for file in ["certs/server.pem", "certs/server.key"] {
        fs::copy(renewed.path(file), gate.site.path(&format!("{file}-next"))).expect("a copy");
    }
    // One right behind the other, whatever keeps the test from running.
    for file in ["certs/server.pem", "certs/server.key"] {
        fs::rename(gate.site.path(&format!("{file}-next")), gate.site.path(file)).expect("its name");
    }
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

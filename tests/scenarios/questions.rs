//! What a reviewer asks of a trail, each question in one command, of records that real requestors made.

use std::net::SocketAddr;

use crate::gate::{self, Gate, Setup, UPSTREAM_TLS};
use crate::object::Object;
use crate::peers::{self, Archive};
use crate::process::Finished;
use crate::raw::{self, Peer, verification};
use crate::site::Site;
use crate::wait;

/// A second listener without TLS, and what the first peer's objects are rewritten by.
const EXTRA: &str = r#"[[listener]]
name = "local"
address = "127.0.0.1:0"
upstream = "pacs"
[[rewrite]]
name = "cross-border"
profile = "none"
rules = [{ tag = "PatientName", action = "empty" }]
"#;

const PEERS: &str = r#"[[peer]]
name = "lyon"
listeners = ["remote"]
networks = ["127.0.0.0/8"]
calling-ae-titles = ["LYON_CT1"]
called-ae-titles = ["PACS"]
role = "all"
rewrite = "cross-border"
[[peer]]
name = "modality"
listeners = ["local"]
networks = ["127.0.0.0/8"]
calling-ae-titles = ["MR2"]
called-ae-titles = ["*"]
role = "all"
"#;

const STUDY: &str = "2.25.200000000000000000000000000000000002";

/// A site at which lyon stored over TLS and a modality without, six were refused, and a reload let a third AE title in.
struct Trail {
    gate: Gate,
    _archive: Archive,
}

fn recorded() -> Trail {
    let site = Site::new();
    let [key, certificate, ca] =
        ["pacs.key", "pacs.pem", "ca.pem"].map(|file| site.text(&format!("certs/{file}")));
    let archive = peers::storescp(&["+tls", &key, &certificate, "+cf", &ca]);
    let setup = Setup {
        peers: PEERS.into(),
        extra: EXTRA,
        upstream_tls: UPSTREAM_TLS,
        listener_tls: LISTENER_TLS,
        ..Setup::tls(archive.address)
    };
    let mut gate = Gate::start_in(site, &setup);
    let local: SocketAddr = {
        let started = gate.event("started");
        started["listeners"][1]["address"].as_str().and_then(|text| text.parse().ok()).expect("an address")
    };
    store(&gate, local);
    refused(&gate);
    let loaded = gate.count("configuration-loaded");
    gate.reload(&setup.toml().replace("[\"LYON_CT1\"]", "[\"LYON_CT1\", \"LYON_CT2\"]"));
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    assert!(gate.stop().success());
    Trail { gate, _archive: archive }
}

const LISTENER_TLS: &str = r#"certificate-chain = "certs/server.pem"
private-key = "certs/server.key"
client-authentication = "required"
client-ca = "certs/ca.pem"
revocation-lists = ["certs/ca.crl"]"#;

fn store(gate: &Gate, local: SocketAddr) {
    let (_folder, files) = peers::files_of(&[Object::ct(20_000)]);
    let tls = peers::dcmtk_tls(&gate.site);
    let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
    let lyon = [&tls[..], &["-aet", "LYON_CT1", "-aec", "PACS"]].concat();
    peers::requestor("storescu", gate.address, &lyon, &[&files[0]]).expect_success();
    peers::requestor("storescu", local, &["-aet", "MR2", "-aec", "PACS"], &[&files[0]]).expect_success();
}

fn refused(gate: &Gate) {
    for certificate in ["revoked", "stranger"] {
        let target = gate.site.tls(gate.address, "ca", Some(certificate));
        if let Ok(mut stream) = target.connect() {
            // With TLS 1.3 the alert comes after the client's side of the handshake.
            let _ = std::io::Read::read(&mut stream, &mut [0]);
        }
    }
    Peer::connect(&gate.plain()).try_send(b"GET / HTTP/1.1\r\n\r\n");
    Peer::connect(&gate.plain()).try_send(&verification("LYON_CT1", "PACS").encode());
    for (calling, called) in [("STRANGER", "PACS"), ("LYON_CT1", "OTHER")] {
        raw::rejection(&gate.tls(), &verification(calling, called));
    }
    wait::until("six refusals", || {
        (gate.count("connection-refused") + gate.count("association-rejected") == 6).then_some(())
    });
}

impl Trail {
    /// What `dimsegate audit` says at 80 columns, in one line; it fits narrower and wider screens too.
    fn ask(&self, arguments: &[&str]) -> String {
        [60, 132, 80].map(|columns| self.ask_at(columns, arguments)).into_iter().next_back().expect("three")
    }

    /// Nothing is cut, nothing is wider than the screen, and no word stands twice.
    fn ask_at(&self, columns: usize, arguments: &[&str]) -> String {
        let (what, rest) = arguments.split_first().expect("a command");
        let mut command = gate::command(&self.gate.site, &[&["audit", what, "audit"], rest].concat());
        command.env("COLUMNS", columns.to_string());
        let said = Finished::run(command).expect_success();
        assert!(said.lines().all(|line| line.chars().count() <= columns), "{columns}: {said}");
        assert!(!said.contains('…'), "{said}");
        let words: Vec<&str> = said.split_whitespace().collect();
        let doubled =
            words.windows(2).find(|two| two[0] == two[1] && two[0].chars().all(char::is_alphabetic));
        assert!(doubled.is_none(), "{doubled:?} at {columns} columns: {said}");
        words.join(" ")
    }

    fn lines(&self, arguments: &[&str]) -> usize {
        let command = gate::command(&self.gate.site, &[&["audit", "search", "audit"], arguments].concat());
        Finished::run(command).expect_success().lines().filter(|line| line.starts_with('{')).count()
    }
}

fn assert_says(said: &str, all: &[&str]) {
    for part in all {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn twelve_questions_are_one_command_each() {
    let trail = recorded();
    let record = |event: &str| trail.gate.event(event);
    let opened = record("association-opened");
    let fingerprint = opened["tls"]["fingerprint"].as_str().expect("a certificate").to_owned();

    // Who sent this study: by requestor, and by operation.
    let senders = trail.ask(&["search", "--study", STUDY, "--operation", "C-STORE", "--who"]);
    assert_says(
        &senders,
        &["lyon 127.0.0.1 LYON_CT1 to PACS", "modality 127.0.0.1 MR2 to PACS", "2 requestors"],
    );
    let rows = trail.ask(&["search", "--study", STUDY, "--operation", "C-STORE", "--table"]);
    assert_says(&rows, &["peer lyon from 127.0.0.1 AE titles LYON_CT1 to PACS", "2 records"]);

    // Who was refused: in the handshake, before it, and after it.
    assert_eq!(trail.lines(&["--outcome", "refused", "--from", "1h"]), 6);
    let refused = trail.ask(&["search", "--outcome", "refused", "--from", "1h", "--who"]);
    assert_says(
        &refused,
        &[
            "certificate-revoked (1)",
            "certificate-unknown-ca (1)",
            "calling-ae-title-unknown (1)",
            "http-on-dicom-port (1)",
        ],
    );

    // Which certificates and lists end: requestors', the proxy's, the upstream's.
    let ends = trail.ask(&["certificates", "-c", "dimsegate.toml", "--within", "2100y"]);
    assert_says(
        &ends,
        &[
            "the certificate of CN=client where peer lyon",
            "the certificate of CN=pacs where upstream pacs",
            "the certificate of CN=server where certs/server.pem of ",
            "the list by CN=ca of a test where certs/ca.crl of ",
            "where certs/pacs-ca.pem of ",
        ],
    );
    assert_says(&trail.ask(&["certificates", "-c", "dimsegate.toml"]), &["nothing ends in that time"]);

    // Who speaks plain DICOM: not those whose handshake failed.
    let plain = trail.ask(&["search", "--tls", "plain", "--who"]);
    assert_says(&plain, &["modality 127.0.0.1 MR2 to PACS over plain TCP", "1 requestor,"]);

    // Whether anything passed without its rewrite.
    assert_says(&trail.ask(&["search", "--unrewritten", "--table"]), &["no record"]);

    // Who sent data of a patient, whom the records name by a hash only.
    let patient = trail.ask(&["search", "--patient", "PID-0815", "-c", "dimsegate.toml", "--who"]);
    assert_says(&patient, &["lyon 127.0.0.1", "modality 127.0.0.1", "2 requestors"]);

    // Which certificate.
    let certificate = trail.ask(&["search", "--certificate", &fingerprint, "--who"]);
    assert_says(&certificate, &["lyon 127.0.0.1", "CN=client", &fingerprint, "3 requestors"]);
    assert_says(&trail.ask(&["search", "--certificate", "CN=client", "--who"]), &[&fingerprint]);

    // Which CA vouches for whom, and whom it does not.
    let authority = trail.ask(&["search", "--issuer", "CN=ca of a test", "--peer", "lyon", "--who"]);
    assert_says(&authority, &["lyon 127.0.0.1", "issued by CN=ca of a test", "1 requestor,"]);
    let stranger = trail.ask(&["search", "--issuer", "CN=stranger-ca of a test", "--who"]);
    assert_says(&stranger, &["no peer 127.0.0.1", "certificate-unknown-ca (1)", "CN=stranger"]);

    // Which configuration was in force, by whose reload, and what it changed.
    let digest = |record: &serde_json::Value| record["configuration"].as_str().expect("a digest").to_owned();
    let configurations = trail.ask(&["configurations"]);
    let first = digest(&record("configuration-loaded"));
    let user = Finished::run({
        let mut id = std::process::Command::new("id");
        id.arg("-un");
        id
    });
    assert_says(
        &configurations,
        &[
            &first,
            "by start",
            &format!("by {} (process ", user.output.trim()),
            "changed peer \"lyon\".calling-ae-titles",
        ],
    );
    // The trail itself, and one association as a story.
    let kept = trail.ask(&["search", "--event", "trail-continued", "--table"]);
    assert_says(&kept, &["a new trail began", "1 record"]);
    trail.ask(&["show", opened["association"].as_str().expect("an id")]);

    let now = trail.ask(&["configurations", "--at", "1h"]);
    assert_says(&now, &["no configuration was in force then"]);
    assert_says(&trail.ask(&["search", "--configuration", &first, "--who"]), &["lyon", "modality"]);
}

#[test]
fn values_that_no_record_can_have_are_errors_with_the_nearest() {
    let trail = recorded();
    let error = |arguments: &[&str]| {
        let command = gate::command(&trail.gate.site, &[&["audit", "search", "audit"], arguments].concat());
        let finished = Finished::run(command);
        assert!(!finished.success, "{arguments:?}: {}", finished.output);
        finished.output
    };
    for (option, value, nearest) in [
        ("--event", "association-reject", "association-rejected"),
        ("--operation", "STORE", "C-STORE"),
        ("--tolerated", "dataset-order", "data-set-order"),
        ("--reason", "certificate-revokd", "certificate-revoked"),
        ("--outcome", "refuse", "refused"),
        ("--tls", "1.4", "1."),
        ("--peer", "lyn", "lyon"),
        ("--calling", "LYON_CT9", "LYON_CT1"),
        ("--upstream", "pcas", "pacs"),
        ("--listener", "remot", "remote"),
    ] {
        let said = error(&[option, value]);
        assert!(said.contains(&format!("nearest is \"{nearest}")), "{option} {value}: {said}");
    }
    assert!(error(&["--status", "success"]).contains("four hexadecimal digits"));
    assert!(error(&["--from", "today", "--to", "2020-01-01"]).contains("--from is not before --to"));
}

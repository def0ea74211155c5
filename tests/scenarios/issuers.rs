//! Several CAs: whom each of them speaks for, and what `check` and `explain` say of it.

use std::fs;

use crate::gate::{self, Gate, Setup, explained, told};
use crate::process;
use crate::raw::{self, Upstream, rejection, verification};
use crate::site::{CLIENT_NAME, Site};
use crate::wait;

const UNKNOWN_CALLING: [u8; 4] = [0, 1, 1, 3];

/// `both.pem` with the CAs `ca` and `stranger-ca`, and their lists.
fn two_cas(site: &Site) {
    let both = ["ca.pem", "stranger-ca.pem"]
        .map(|file| fs::read_to_string(site.path(&format!("certs/{file}"))).expect("PEM"));
    fs::write(site.path("certs/both.pem"), both.concat()).expect("a file written");
}

const TWO_CAS: &str = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\nclient-ca = \"certs/both.pem\"";

#[test]
fn a_name_is_worth_what_its_issuer_is_worth() {
    let upstream = Upstream::bind();
    let bound = format!("certificates = [\"dns:{CLIENT_NAME}\"]");
    let site = Site::new();
    two_cas(&site);
    let setup = Setup { listener_tls: TWO_CAS, peers: gate::peer(&bound), ..Setup::tls(upstream.address) };
    let gate = Gate::start_in(site, &setup);
    // Whoever has a CA of the listener has the name.
    let stranger = gate.site.tls(gate.address, "ca", Some("stranger"));
    let (requestor, acceptor) = raw::open(&stranger, &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    let opened = gate.event("association-opened");
    assert_eq!(opened["tls"]["authority"]["subject"], "CN=stranger-ca of a test", "{opened}");
    assert_eq!(opened["tls"]["issuer"], "CN=stranger-ca of a test");
    assert!(opened["tls"]["serial"].as_str().is_some_and(|serial| !serial.is_empty()));
    let (_, said) = told(&gate.site, &["check", "-c", "dimsegate.toml"]);
    let warned = said.lines().find(|line| line.contains("for which each of these CAs"));
    let warned = warned.unwrap_or_else(|| panic!("no warning in {said}"));
    assert!(warned.contains("CN=ca of a test") && warned.contains("CN=stranger-ca of a test"), "{warned}");
    // And no longer.
    let issued = Setup { peers: gate::peer(&format!("{bound}\nissuers = [\"cn:ca of a test\"]")), ..setup };
    let loaded = gate.count("configuration-loaded");
    gate.reload(&issued.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    assert_eq!(rejection(&stranger, &verification("SITE", "PACS")), UNKNOWN_CALLING);
    let rejected = gate.event("association-rejected");
    assert_eq!(rejected["reason"], "certificate-mismatch");
    let explanation = rejected["explanation"].as_str().unwrap_or_default();
    assert!(explanation.contains("CA CN=stranger-ca of a test is not among the issuers"), "{explanation}");
    assert_eq!(gate.event("security-alert")["tls"]["authority"]["subject"], "CN=stranger-ca of a test");
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    let (_, said) = told(&gate.site, &["check", "-c", "dimsegate.toml"]);
    assert!(!said.contains("for which each of these CAs"), "{said}");
    for (identity, status) in [("client", 0), ("stranger", 3)] {
        assert_eq!(explained(&gate.site, identity).0, status, "{identity}");
    }
}

/// CAs in files of their own.
const SEVERAL_CAS: &str = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n\
    client-ca = [\"certs/ca.pem\", \"certs/other-ca.pem\"]";

#[test]
fn several_files_of_cas_are_trusted_recorded_and_read_again() {
    let (upstream, site) = (Upstream::bind(), Site::new());
    let copy = |site: &Site, from: &str| {
        fs::copy(site.path(&format!("certs/{from}.pem")), site.path("certs/other-ca.pem")).expect("a copy");
    };
    copy(&site, "pacs-ca");
    let gate = Gate::start_in(site, &Setup { listener_tls: SEVERAL_CAS, ..Setup::tls(upstream.address) });
    let let_in = |identity: &str| {
        let (requestor, acceptor) = raw::open(
            &gate.site.tls(gate.address, "ca", Some(identity)),
            &upstream,
            &verification("SITE", "PACS"),
            16384,
        );
        raw::release(requestor, acceptor);
    };
    for identity in ["client", "pacs"] {
        let_in(identity);
        assert_eq!(explained(&gate.site, identity).0, 0, "{identity}");
    }
    assert_eq!(explained(&gate.site, "stranger").0, 3);
    let before = gate.event("configuration-loaded");
    assert!(before["certificates"].to_string().contains("certs/other-ca.pem"), "{before}");
    // The file alone becomes another one.
    copy(&gate.site, "stranger-ca");
    gate.signal("HUP");
    let after = wait::until("the reload", || {
        gate.records().into_iter().filter(|record| record["event"] == "configuration-loaded").nth(1)
    });
    let_in("stranger");
    assert_eq!(explained(&gate.site, "pacs").0, 3);
    assert_ne!(after["configuration"], before["configuration"], "{after}");
    assert_eq!(after["changed"], serde_json::json!(["certs/other-ca.pem"]), "{after}");
    let (status, listed) = told(&gate.site, &["audit", "configurations", "audit"]);
    assert!(status == 0 && listed.contains("certs/other-ca.pem"), "{listed}");
}

#[test]
fn another_listeners_ca_does_not_speak_for_a_peer_without_a_word_from_check() {
    let site = Site::new();
    let other = "[[listener]]\nname = \"other\"\naddress = \"127.0.0.1:0\"\nupstream = \"pacs\"\n[listener.tls]\n\
        certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\nclient-ca = \"certs/stranger-ca.pem\"";
    let bound = format!("certificates = [\"dns:{CLIENT_NAME}\"]");
    let setup = Setup { extra: other, peers: gate::peer(&bound), ..Setup::tls(process::free_address()) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let (_, said) = told(&site, &["check", "-c", "dimsegate.toml"]);
    assert!(said.contains("for which each of these CAs"), "{said}");
    let narrower = Setup { peers: gate::peer(&format!("{bound}\nlisteners = [\"remote\"]")), ..setup };
    fs::write(site.path("dimsegate.toml"), narrower.toml()).expect("a configuration written");
    let (_, said) = told(&site, &["check", "-c", "dimsegate.toml"]);
    assert!(!said.contains("for which each of these CAs"), "{said}");
}

//! `propose`: who came through a wide peer, written as narrow ones.

use std::fs;

use crate::association::Association;
use crate::connection::Target;
use crate::full_disk;
use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::peers::{self, PythonArchive};
use crate::raw::{self, verification};
use crate::site::Site;
use crate::wait;

const PROPOSE: [&str; 6] = ["propose", "-c", "dimsegate.toml", "--from", "1h", "-o"];

/// What a configuration has but for its peers, and the proposal.
fn merged(site: &Site, proposed: &str) -> String {
    let text = fs::read_to_string(site.path("dimsegate.toml")).expect("a configuration");
    let (before, rest) = text.split_once("[[peer]]").expect("a peer");
    let (_, behind) = rest.split_once("[[role]]").expect("a role");
    format!("{before}[[role]]{behind}\n{proposed}")
}

fn propose(site: &Site) -> (String, String) {
    let ran = gate::run(site, &[&PROPOSE[..], &["proposed.toml"]].concat());
    assert_eq!(ran.status, 0, "{}", ran.err);
    (fs::read_to_string(site.path("proposed.toml")).expect("a proposal"), ran.err)
}

fn echo(gate: &Gate, title: &str) -> bool {
    peers::requestor("echoscu", gate.address, &["-aet", title, "-aec", "PACS"], &[]).success
}

fn echo_over(target: &Target) {
    let mut association = Association::open(target, &verification("SITE", "PACS")).expect("an association");
    assert_eq!(association.echo(1, 1).expect("an answer"), 0);
    association.release().expect("a release");
}

fn reload(gate: &Gate, toml: &str) {
    let loaded = gate.count("configuration-loaded");
    gate.reload(toml);
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
}

#[test]
fn what_dcmtk_and_pynetdicom_did_is_proposed_and_lets_in_them_and_nobody_else() {
    let archive = PythonArchive::start(&[]);
    let (_folder, files) = peers::files_of(&[Object::ct(2_000)]);
    let store =
        |gate: &Gate, title: &str| peers::scu("store", gate.address, &["--calling", title, &files[0]]);
    let gate = Gate::start(&Setup::plain(archive.address()));
    assert!(echo(&gate, "CT_\"1\""));
    assert_eq!(store(&gate, "PYNET")["statuses"][0], 0);
    gate.record("the store", |record| {
        record["event"] == "association-closed" && record["calling-ae-title"] == "PYNET"
    });
    let (proposed, said) = propose(&gate.site);
    assert!(said.contains("it would have refused none"), "{said}");
    assert!(proposed.contains(r#"'CT_"1"'"#) || proposed.contains(r#""CT_\"1\"""#), "{proposed}");
    fs::write(gate.site.path("narrow.toml"), merged(&gate.site, &proposed)).expect("a configuration");
    let (status, said) = gate::told(&gate.site, &["check", "-c", "narrow.toml"]);
    assert_eq!(status, 0, "{said}");
    // A file that is there is not written over.
    let again = gate::run(&gate.site, &[&PROPOSE[..], &["proposed.toml"]].concat());
    assert_eq!(again.status, 73, "{}", again.err);
    reload(&gate, &merged(&gate.site, &proposed));
    assert!(echo(&gate, "CT_\"1\"") && !echo(&gate, "OTHER"));
    assert_eq!(store(&gate, "PYNET")["statuses"][0], 0);
    // One of them never asked for what the other did.
    let options = ["-aet", "CT_\"1\"", "-aec", "PACS"];
    assert!(!peers::requestor("storescu", gate.address, &options, &[&files[0]]).success);
}

#[test]
fn a_certificate_is_proposed_by_its_name_and_another_one_is_refused() {
    let gate = Gate::start(&Setup::tls(full_disk::sink().0));
    let target = gate.tls();
    echo_over(&target);
    gate.event("association-closed");
    let (proposed, _) = propose(&gate.site);
    assert!(proposed.contains("certificates = [\"dns:"), "{proposed}");
    reload(&gate, &merged(&gate.site, &proposed));
    echo_over(&target);
    let titled = raw::rejection(&target, &verification("OTHER", "PACS"));
    assert_eq!(titled[titled.len() - 3..], [1, 1, 3]);
}

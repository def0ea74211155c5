//! Every command of `conf/runbook.md`, read out of the file, against the real program in the state that its section is about.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::association::Association;
use crate::full_disk;
use crate::gate::{self, Gate};
use crate::process;
use crate::raw::{self, verification};
use crate::site::Site;
use crate::wait;

/// Sections with the test that runs each.
const SECTIONS: [&str; 13] = [
    "See who is on",
    "End one association",
    "Shut somebody out",
    "Keep the case",
    "Change keys and certificates",
    "Let them in again",
    "The PACS is away",
    "The disk is full",
    "The trail is broken",
    "A certificate ends",
    "A configuration is refused",
    "Who is too many",
    "Stop and start",
];

/// A command, and the status that it ends with.
#[derive(Clone, Debug)]
struct Step {
    line: String,
    status: i32,
}

/// The commands of a section, in order.
fn steps(section: &str) -> Vec<Step> {
    let text = text();
    let (_, rest) =
        text.split_once(&format!(". {section}\n")).unwrap_or_else(|| panic!("no section {section}"));
    let own = rest.split("\n## ").next().expect("a section");
    let lines = own.lines().filter_map(|line| line.strip_prefix("    "));
    let step = |line: &str| match line.rsplit_once("   # ") {
        Some((line, status)) => Step { line: line.to_owned(), status: status.parse().expect("a status") },
        None => Step { line: line.to_owned(), status: 0 },
    };
    let steps: Vec<Step> = lines.map(step).collect();
    assert!(!steps.is_empty(), "{section} has no command");
    steps
}

fn text() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/runbook.md")).expect("the runbook")
}

/// Runs a command as somebody types it, with `words` in the place of those in capitals; what it printed.
fn run(site: &Site, step: &Step, words: &[(&str, &str)]) -> String {
    let line = words.iter().fold(step.line.clone(), |line, (word, value)| line.replace(word, value));
    let program = Path::new(env!("CARGO_BIN_EXE_dimsegate")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh").current_dir(site.root()).env("PATH", path).args(["-c", &line]).output();
    let output = output.expect("a shell");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(step.status), "{line}: {said}");
    said
}

fn run_all(site: &Site, section: &str, words: &[(&str, &str)]) -> Vec<String> {
    steps(section).iter().map(|step| run(site, step, words)).collect()
}

/// What the shipped configuration is, with an interface, for requestors on this machine.
fn toml(upstream: SocketAddr) -> String {
    let text = include_str!("../../conf/modality-to-pacs.toml");
    let text = text
        .replace("0.0.0.0:2762", "127.0.0.1:0")
        .replace("10.0.0.5:104", &upstream.to_string())
        .replace("\"203.0.113.0/24\"", "\"203.0.113.0/24\", \"127.0.0.0/8\"");
    format!("{text}\n[admin]\nlisten = [\"unix:admin.sock\"]\n")
}

/// The folder of an installation, with what its configuration names.
fn installed() -> Site {
    let site = Site::new();
    fs::remove_dir_all(site.path("certs")).expect("a folder removed");
    for key in ["conf/audit-signing.key", "conf/audit-signing.key.pub"] {
        let _ = fs::remove_file(site.path(key));
    }
    for line in [
        "certs init certs",
        "certs issue certs server --server --san localhost",
        "certs issue certs lyon --client --san gw.lyon.example",
        "audit key conf/audit-signing.key",
    ] {
        let (status, said) = gate::told(&site, &line.split(' ').collect::<Vec<_>>());
        assert_eq!(status, 0, "{said}");
    }
    symlink("../dimsegate.toml", site.path("conf/dimsegate.toml")).expect("a link");
    site
}

fn started() -> Gate {
    Gate::start_with(installed(), &toml(full_disk::sink().0), "")
}

/// An association of the site that is open, and its id.
fn lyon(gate: &Gate) -> (Association, String) {
    let target = gate.site.tls(gate.address, "ca", Some("lyon"));
    let mut open = Association::open(&target, &verification("LYON_CT1", "PACS")).expect("an association");
    assert_eq!(open.echo(1, 1).expect("an answer"), 0);
    let opened = gate.event("association-opened");
    (open, opened["association"].as_str().expect("an id").to_owned())
}

/// The same, come and gone.
fn visited(gate: &Gate) -> String {
    let (mut open, id) = lyon(gate);
    open.release().expect("a release");
    gate.event("association-closed");
    id
}

fn again(mut gate: Gate) -> Gate {
    // A drain may have ended it already.
    gate.signal("TERM");
    assert!(gate.wait().success());
    let toml = fs::read_to_string(gate.site.path("dimsegate.toml")).expect("a configuration");
    Gate::start_with(gate.site, &toml, "")
}

#[test]
fn every_section_is_run_and_no_command_stands_outside_of_one() {
    let text = text();
    let headings: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("## ")?.split_once(". "))
        .map(|(_, name)| name)
        .collect();
    assert_eq!(headings, SECTIONS);
    let of_sections: usize = SECTIONS.iter().map(|section| steps(section).len()).sum();
    assert_eq!(text.lines().filter(|line| line.starts_with("    ")).count(), of_sections);
    let own = include_str!("runbook.rs");
    let run: BTreeSet<&str> =
        SECTIONS.into_iter().filter(|section| own.matches(&format!("{section:?}")).count() > 1).collect();
    assert_eq!(run.len(), SECTIONS.len(), "a section is in no test: {run:?}");
}

#[test]
fn who_is_on_is_seen_and_one_association_is_ended() {
    let gate = started();
    let (mut open, id) = lyon(&gate);
    let said = run_all(&gate.site, "See who is on", &[("ASSOCIATION", &id)]);
    assert!(said[1].contains(&id) && said[2].contains("lyon"), "{said:?}");
    assert!(said.last().is_some_and(|story| story.contains("C-ECHO")), "{said:?}");
    run_all(&gate.site, "End one association", &[("ASSOCIATION", &id)]);
    assert!(open.echo(1, 2).is_err());
    assert_eq!(gate.event("association-closed")["association"], id.as_str());
}

#[test]
fn who_is_shut_out_is_off_and_stays_out_until_let_in_again_with_new_keys() {
    let gate = started();
    let (mut open, id) = lyon(&gate);
    let fingerprint =
        gate.event("association-opened")["tls"]["fingerprint"].as_str().expect("one").to_owned();
    let said = run_all(&gate.site, "Shut somebody out", &[("FINGERPRINT", &fingerprint)]);
    assert!(said[3].contains("peer:lyon") && said[3].contains("203.0.113.0/24"), "{said:?}");
    assert!(open.echo(1, 2).is_err());
    wait::until("the end", || (gate.count("association-closed") == 1).then_some(()));
    assert!(!run(&gate.site, &steps("Shut somebody out")[4], &[]).contains(&id));
    let target = gate.site.tls(gate.address, "ca", Some("lyon"));
    assert_eq!(raw::rejection(&target, &verification("LYON_CT1", "PACS")), [0, 1, 1, 1]);

    let mut keys = steps("Change keys and certificates");
    let verified = keys.pop().expect("the last step, behind a start");
    keys.iter().for_each(|step| drop(run(&gate.site, step, &[])));
    let gate = again(gate);
    assert!(run(&gate.site, &verified, &[]).contains("intact"));

    for step in steps("Let them in again") {
        if !step.line.contains("NUMBER") {
            run(&gate.site, &step, &[]);
            continue;
        }
        for number in ["1", "2", "3"] {
            run(&gate.site, &step, &[("NUMBER", number)]);
        }
    }
    let new = gate.site.tls(gate.address, "ca", Some("lyon-2"));
    let mut open =
        Association::open(&new, &verification("LYON_CT1", "PACS")).expect("the new certificate is let in");
    open.release().expect("a release");
    let old = gate.site.tls(gate.address, "ca", Some("lyon"));
    assert!(Association::open(&old, &verification("LYON_CT1", "PACS")).is_err(), "the old one is revoked");
}

#[test]
fn a_case_is_kept() {
    let gate = started();
    visited(&gate);
    // The head is written with a checkpoint.
    wait::until("the head", || gate.site.path("audit/audit.head").exists().then_some(()));
    let said = run_all(&gate.site, "Keep the case", &[]);
    assert!(said[3].contains("proven: it is what was exported"), "{said:?}");
    for name in ["case.zip", "week.html", "review.html"] {
        assert!(gate.site.path(name).exists(), "{name}");
    }
}

#[test]
fn a_pacs_that_is_away_is_seen() {
    let (_held, nobody) = process::closed_address();
    let gate = Gate::start_with(installed(), &toml(nobody), "");
    let target = gate.site.tls(gate.address, "ca", Some("lyon"));
    raw::rejection(&target, &verification("LYON_CT1", "PACS"));
    let said = run_all(&gate.site, "The PACS is away", &[]);
    assert!(said[1].contains(&nobody.to_string()) && said[2].contains("lyon"), "{said:?}");
}

#[test]
fn a_full_disk_is_seen_and_nothing_is_missing_afterwards() {
    let gate = Gate::start_with(installed(), &toml(full_disk::sink().0), full_disk::DISK_THAT_CAN_BE_FULL);
    visited(&gate);
    let steps = steps("The disk is full");
    let (full, empty) = steps.split_at(3);
    full_disk::fill_disk(&gate);
    let target = gate.site.tls(gate.address, "ca", Some("lyon"));
    wait::until("nobody to be let in", || {
        Association::open(&target, &verification("LYON_CT1", "PACS")).is_err().then_some(())
    });
    let said: Vec<String> = full.iter().map(|step| run(&gate.site, step, &[])).collect();
    full_disk::empty_disk(&gate);
    wait::until("somebody to be let in", || {
        Association::open(&target, &verification("LYON_CT1", "PACS")).ok()
    });
    let after: Vec<String> = empty.iter().map(|step| run(&gate.site, step, &[])).collect();
    assert_ne!(said[2], after[0]);
    assert!(after[1].contains("intact"), "{after:?}");
}

#[test]
fn a_broken_trail_is_kept_as_it_is_and_another_one_begins() {
    let mut gate = started();
    visited(&gate);
    assert!(gate.stop().success());
    let entries = fs::read_dir(gate.site.path("audit")).expect("records").flatten().map(|entry| entry.path());
    let file =
        entries.into_iter().find(|path| path.extension().is_some_and(|end| end == "jsonl")).expect("a day");
    let text = fs::read_to_string(&file).expect("records");
    fs::write(&file, text.replacen("LYON_CT1", "LYON_CT2", 1)).expect("an edited record");
    let toml = fs::read_to_string(gate.site.path("dimsegate.toml")).expect("a configuration");
    let mut gate = Gate::start_with(gate.site, &toml, "");
    let mut steps = steps("The trail is broken");
    let verified = steps.pop().expect("the last step, behind a start");
    for step in &steps {
        run(&gate.site, step, &[]);
        if step.line.contains("drain") {
            assert!(gate.wait().success());
        }
    }
    let gate = Gate::start_with(gate.site, &toml, "");
    assert!(run(&gate.site, &verified, &[]).contains("intact"));
}

#[test]
fn a_certificate_that_ends_is_replaced() {
    let gate = started();
    visited(&gate);
    let loaded = gate.count("configuration-loaded");
    run_all(&gate.site, "A certificate ends", &[]);
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    visited(&gate);
}

#[test]
fn a_configuration_with_problems_changes_nothing() {
    let gate = started();
    let good = fs::read_to_string(gate.site.path("dimsegate.toml")).expect("a configuration");
    fs::write(gate.site.path("dimsegate.toml"), good.replace("role = \"modality\"", "rule = \"modality\""))
        .expect("a mistake");
    let said = run_all(&gate.site, "A configuration is refused", &[]);
    assert!(said[0].contains("role"), "{said:?}");
    visited(&gate);
}

#[test]
fn a_site_is_slowed_down_and_the_proxy_is_stopped_and_started() {
    let gate = started();
    let toml = fs::read_to_string(gate.site.path("dimsegate.toml")).expect("a configuration");
    let slower = toml.replace("role = \"modality\"", "role = \"modality\"\noperations-per-second = 5");
    fs::write(gate.site.path("dimsegate.toml"), slower).expect("a configuration");
    run_all(&gate.site, "Who is too many", &[]);
    let mut gate = gate;
    let steps = steps("Stop and start");
    let (last, before) = steps.split_last().expect("steps");
    before.iter().for_each(|step| drop(run(&gate.site, step, &[])));
    assert!(gate.wait().success());
    let toml = fs::read_to_string(gate.site.path("dimsegate.toml")).expect("a configuration");
    let gate = Gate::start_with(gate.site, &toml, "");
    run(&gate.site, last, &[]);
    visited(&gate);
}

//! What auditors and integrators are given: evidence for controls, and the conformance statement, of a proxy that ran.

use std::fs;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::gate::{self, Gate, Setup, run};
use crate::object::Object;
use crate::page::is_for_everybody;
use crate::peers;

/// A proxy that has stopped, through which DCMTK stored an object.
fn ran() -> Gate {
    let archive = peers::storescp(&[]);
    let setup =
        Setup { peers: gate::peer("calling-ae-titles = [\"LYON\"]"), ..Setup::plain(archive.address) };
    let mut gate = Gate::start(&setup);
    let (_folder, files) = peers::files_of(&[Object::ct(4096)]);
    peers::requestor("storescu", gate.address, &["-xe", "-aet", "LYON", "-aec", "PACS"], &[&files[0]])
        .expect_success();
    assert!(gate.stop().success());
    gate
}

fn report(gate: &Gate, name: &str, more: &[&str]) -> Value {
    let arguments = [&["check", "-c", "dimsegate.toml", "--report", name, "--json"], more].concat();
    let ran = run(&gate.site, &arguments);
    assert_eq!(ran.status, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).expect("JSON")
}

fn control<'r>(report: &'r Value, id: &str) -> &'r Value {
    let mut all = report["controls"].as_array().expect("controls").iter();
    all.find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

fn of_check<'c>(control: &'c Value, what: &str, check: &str) -> &'c Value {
    let mut all = control[what].as_array().expect("a list").iter();
    all.find(|one| one["check"] == check).unwrap_or_else(|| panic!("{check} is not {what} in {control}"))
}

#[test]
fn evidence_of_a_period_has_commands_that_show_it_and_none_is_found_in_a_period_without_records() {
    let gate = ran();
    let now = report(&gate, "hipaa", &[]);
    assert_eq!(now["in-force"], true);
    let found = of_check(control(&now, "hipaa-312-b"), "found", "audit_enabled");
    let query = found["query"].as_str().expect("a command");
    let words: Vec<&str> = query.split(' ').skip(1).collect();
    let shown = run(&gate.site, &[&words[..], &["--json"]].concat());
    assert_eq!(shown.status, 0, "{query}: {}", shown.err);
    assert!(shown.out.contains("\"association-opened\"") && shown.out.contains("LYON"), "{}", shown.out);
    let deny = of_check(control(&now, "hipaa-312-a-1"), "found", "default_deny");
    let toml = fs::read_to_string(gate.site.path("dimsegate.toml")).expect("the configuration");
    let line = deny["places"][0]["line"].as_u64().expect("a line");
    let stated = toml.lines().nth(usize::try_from(line).expect("small") - 1).expect("that line");
    assert!(stated.starts_with("networks"), "{stated}");
    of_check(control(&now, "hipaa-312-d"), "missing", "mtls_required");
    assert_eq!(control(&now, "hipaa-nprm-2025")["proposed"], true);
    let before = report(&gate, "hipaa", &["--from", "2020-01-01", "--to", "2020-02-01"]);
    assert_eq!([&before["records"], &before["in-force"]], [&json!(0), &json!(false)]);
    for one in before["controls"].as_array().expect("controls") {
        assert_eq!(one["found"], json!([]), "{one}");
    }
    of_check(control(&before, "hipaa-312-b"), "missing", "audit_enabled");
    // Whoever reads the records so left a note.
    let notes = fs::read_dir(gate.site.path("audit/used")).expect("a folder").flatten();
    let notes: Vec<String> = notes.filter_map(|note| fs::read_to_string(note.path()).ok()).collect();
    assert!(notes.iter().any(|note| note.contains("\"check\"") && note.contains("hipaa")), "{notes:?}");
}

/// Of all reports, those that look and write nothing.
#[test]
fn every_command_that_shows_evidence_is_one_that_runs() {
    let gate = ran();
    let mut commands = std::collections::BTreeSet::new();
    for name in
        ["hipaa", "gdpr", "dpia", "nist-1800-24", "nist-csf", "iso-27001", "soc-2", "mds2", "dicom", "others"]
    {
        for control in report(&gate, name, &[])["controls"].as_array().expect("controls") {
            let found = control["found"].as_array().expect("a list").iter();
            commands.extend(found.map(|one| one["query"].as_str().expect("a command").to_owned()));
        }
    }
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        // No argument of them has a blank in it.
        let words: Vec<&str> = command.split(' ').skip(1).map(|word| word.trim_matches('\'')).collect();
        let shown = run(&gate.site, &words);
        assert_eq!(shown.status, 0, "{command}: {}", shown.err);
    }
}

#[test]
fn the_ending_of_a_report_tells_what_it_is_and_its_status_what_is_missing_or_broken() {
    let gate = ran();
    let arguments = |more: &[&'static str]| {
        run(&gate.site, &[&["check", "-c", "dimsegate.toml", "--report", "nist-csf"], more].concat())
    };
    let written = arguments(&["-o", "csf.json"]);
    assert!(written.status == 0 && written.out.starts_with("csf.json: "), "{}{}", written.out, written.err);
    let json: Value =
        serde_json::from_slice(&fs::read(gate.site.path("csf.json")).expect("a file")).expect("JSON");
    assert!(
        json["own-mapping"].as_str().expect("a mark").contains("our own mapping; not from the publisher")
    );
    let text = arguments(&[]);
    assert!(
        text.out.contains("PR.DS-02") && text.out.contains("our own mapping; not from the publisher"),
        "{}",
        text.out
    );
    assert_eq!(arguments(&["--strict"]).status, 1, "something is missing");
    assert_eq!(arguments(&["-o", "nowhere/csf.html"]).status, 69);
    assert_eq!(arguments(&["--from", "2020-02-01", "--to", "2020-01-01"]).status, 2);
    let day = fs::read_dir(gate.site.path("audit")).expect("a folder").flatten().map(|entry| entry.path());
    let day = day.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).max().expect("records");
    let records = fs::read_to_string(&day).expect("records");
    fs::write(&day, records.replacen("\"LYON\"", "\"PARIS\"", 1)).expect("a file written");
    assert_eq!(arguments(&[]).status, 4, "the records are broken");
}

#[test]
fn the_page_of_a_report_is_for_everybody() {
    let gate = ran();
    let arguments = ["check", "-c", "dimsegate.toml", "--report", "dpia", "-o", "dpia.html"];
    let written = run(&gate.site, &arguments);
    assert!(written.status == 0 && written.out.starts_with("dpia.html: "), "{}{}", written.out, written.err);
    let browser = opened(&gate, "dpia.html");
    assert_eq!(browser.text("h1"), "Evidence");
    for told in ["Art. 35(7)(a)", "caveat", "our own mapping; not from the publisher", "shown by"] {
        assert!(browser.text("#controls").contains(told), "{told}");
    }
    assert!(browser.text("#flows").contains("plain"), "{}", browser.text("#flows"));
    is_for_everybody(&browser, "evidence");
}

#[test]
fn the_conformance_statement_of_a_running_configuration_is_for_everybody() {
    let gate = ran();
    let written = run(&gate.site, &["conformance", "-c", "dimsegate.toml", "-o", "statement.html"]);
    assert!(
        written.status == 0 && written.out.starts_with("statement.html: "),
        "{}{}",
        written.out,
        written.err
    );
    let browser = opened(&gate, "statement.html");
    assert_eq!(browser.text("h1"), "DICOM conformance statement");
    for (section, told) in
        [("#networking", "LYON"), ("#networking", "C-STORE"), ("#security", "no TLS"), ("#media", "None")]
    {
        assert!(browser.text(section).contains(told), "{told}: {}", browser.text(section));
    }
    is_for_everybody(&browser, "conformance");
    assert_eq!(run(&gate.site, &["conformance", "-c", "nothing.toml", "-o", "x.html"]).status, 78);
    assert_eq!(run(&gate.site, &["conformance", "-c", "dimsegate.toml", "-o", "nowhere/x.html"]).status, 69);
}

/// With axe-core in it.
fn opened(gate: &Gate, page: &str) -> Browser {
    let browser = Browser::start();
    browser.open(&format!("file://{}", gate.site.path(page).display()));
    let axe = peers::peers_folder().join("node/node_modules/axe-core/axe.min.js");
    browser.run(&fs::read_to_string(axe).expect("axe-core, which tests/run installs"));
    browser
}

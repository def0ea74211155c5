//! The report on the records, opened from the page of the interface.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use serde_json::Value;

use crate::browser::{Browser, ENTER, tunnel};
use crate::gate::{self, Gate, Setup, leaked};
use crate::login::{self, PASSCODE};
use crate::object::Object;
use crate::peers::{self, Archive};
use crate::raw::{rejection, verification};

const REPORT: &str = "/api/v1/report";

/// An object that was stored, a request that was refused, and the records of both.
fn gate_with_records(more: &str) -> (Gate, Archive, Object) {
    let archive = peers::storescp(&[]);
    let extra = leaked(format!("[admin]\nlisten = \"unix:admin.sock\"\n{more}"));
    let peers = gate::peer("calling-ae-titles = [\"LYON\"]");
    let gate = Gate::start(&Setup { peers, extra, ..Setup::plain(archive.address) });
    let object = Object::ct(10_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    peers::requestor("storescu", gate.address, &["-xe", "-aet", "LYON", "-aec", "PACS"], &[&files[0]])
        .expect_success();
    rejection(&gate.plain(), &verification("STRANGER", "PACS"));
    gate.event("association-closed");
    gate.event("association-rejected");
    (gate, archive, object)
}

/// The status, the head in lower case, and the content.
fn fetch(mut stream: impl Read + Write, path: &str, headers: &str) -> (u16, String, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).expect("a request written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, content) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head.to_ascii_lowercase(), content.to_owned())
}

fn socket(gate: &Gate) -> UnixStream {
    UnixStream::connect(gate.site.path("admin.sock")).expect("the socket")
}

fn read_by(gate: &Gate, outcome: &str) -> Value {
    gate.record("the reading", |record| record["resource"] == REPORT && record["outcome"] == outcome)
}

#[test]
fn the_report_opens_from_the_page_with_its_figures_and_in_its_style() {
    let (gate, _archive, _) = gate_with_records("");
    let browser = Browser::start();
    browser.open(&format!("http://{}/", tunnel(gate.site.path("admin.sock"))));
    browser.until("document.querySelector('#refused article')");
    // What comes above it moves it down again.
    browser.until(
        "(document.getElementById('configuration').scrollIntoView(), document.querySelector('#report a'))",
    );
    browser.tab_to("at.innerText === 'the last 7 days'");
    browser.press(ENTER);
    browser.follow();
    browser.until("document.querySelector('h1')?.innerText === 'Audit report'");
    let figure = |of: &str| browser.text(&format!(".tile[href='#{of}'] b"));
    assert_eq!([figure("peers"), figure("refusals"), figure("operations")], ["1", "1", "1"]);
    assert!(browser.text("#refusals").contains("calling-ae-title-unknown"), "{}", browser.text("#refusals"));
    assert_eq!(browser.run("return getComputedStyle(document.querySelector('.tiles')).display"), "grid");
    assert!(browser.run("return document.querySelectorAll('#time svg').length").as_u64() > Some(0));
    let refused: Vec<String> =
        browser.console().into_iter().filter(|line| line.contains("Content Security Policy")).collect();
    assert_eq!(refused, Vec::<String>::new());
    let read = read_by(&gate, "success");
    assert_eq!([&read["event"], &read["action"]], ["administration", "read"], "{read}");
    assert!(read["user"].is_string(), "{read}");
}

#[test]
fn a_report_tells_of_no_patient_and_no_object_unless_the_interface_may() {
    for (more, tells) in [("", false), ("patient-identifiers = \"as-recorded\"\n", true)] {
        let (gate, _archive, object) = gate_with_records(more);
        let (status, head, page) = fetch(socket(&gate), REPORT, "");
        assert_eq!(status, 200, "{head}");
        for field in [
            "content-type: text/html; charset=utf-8",
            "content-security-policy: default-src 'none'; style-src 'unsafe-inline'",
            "cache-control: no-store",
        ] {
            assert!(head.contains(field), "{field}\n{head}");
        }
        assert!(page.contains("C-STORE") && page.contains("STRANGER"), "{page}");
        assert_eq!(page.contains(&object.sop_instance), tells, "{more}");
    }
}

#[test]
fn a_report_says_which_day_it_could_not_read() {
    let (gate, _archive, _) = gate_with_records("");
    let yesterday = (time::OffsetDateTime::now_utc() - time::Duration::DAY).date();
    let sealed = gate.site.path(&format!("audit/audit-{yesterday}.jsonl.age"));
    std::fs::write(&sealed, "age-encryption.org/v1\n").expect("a day for a reviewer's key");
    let (status, _, page) = fetch(socket(&gate), REPORT, "");
    assert_eq!(status, 200);
    let told = format!("audit-{yesterday}.jsonl.age is encrypted and was not read.");
    assert!(page.contains(&told) && page.contains("C-STORE"), "{page}");
}

#[test]
fn a_report_on_records_that_cannot_be_read_is_none() {
    let (gate, _archive, _) = gate_with_records("");
    std::fs::rename(gate.site.path("audit"), gate.site.path("elsewhere")).expect("the folder moved");
    let (status, head, content) = fetch(socket(&gate), REPORT, "");
    assert_eq!(status, 503, "{content}");
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    assert!(!content.contains("<h1>"), "{content}");
}

#[test]
fn who_may_not_look_gets_no_report_and_a_period_has_to_be_one() {
    let scene = login::Scene::start("");
    let report = |path: &str, headers: &str| {
        fetch(TcpStream::connect(scene.address).expect("the interface"), path, headers)
    };
    let (status, _, content) = report(REPORT, "");
    assert_eq!(status, 401, "{content}");
    assert_eq!(read_by(&scene.gate, "refused")["user"], "unknown");
    let cookie = login::with(&scene.log_in("vera", PASSCODE, ""));
    let (status, _, page) = report(&format!("{REPORT}?from=2d"), &cookie);
    assert!(status == 200 && page.contains("<h1>Audit report</h1>"), "{page}");
    assert_eq!(read_by(&scene.gate, "success")["user"], "vera");
    for (query, why) in [
        ("from=tomorrow", "from: "),
        ("from=2026-03-02&to=2026-03-01", "from is not before to"),
        ("from=2020-01-01", "longer than 366 days"),
        ("folder=/etc", "unknown field"),
    ] {
        let (status, head, content) = report(&format!("{REPORT}?{query}"), &cookie);
        assert_eq!(status, 400, "{query}: {content}");
        assert!(
            head.contains("content-type: application/problem+json") && content.contains(why),
            "{content}"
        );
    }
}

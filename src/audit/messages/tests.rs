//! Records in, messages out: valid under the schema, complete, and saying nothing that the record does not.

use super::*;
use crate::scratch::Scratch;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const OPENED: &str = r#"{"time":"2026-01-02T03:00:00.000000Z","event":"association-opened","sequence":10,"previous":"ab","association":"a1","listener":"remote","peer":"lyon","address":"203.0.113.9","port":50000,"tls":{"version":"1.3","cipher":"X","subject":"CN=gw","san":["dns:gw.lyon.example"],"fingerprint":"sha256:ab"},"calling-ae-title":"LYON_CT1","called-ae-title":"PACS","implementation":null,"upstream":{"name":"pacs","address":"10.0.0.5:104","called-ae-title":"ARCHIVE","calling-ae-title":"DIMSEGATE"},"contexts":[],"rewrite":"x","configuration":"d"}"#;
const CLOSED: &str = r#"{"time":"2026-01-02T03:05:00.000000Z","event":"association-closed","sequence":90,"association":"a1","listener":"remote","peer":"lyon","address":"203.0.113.9","port":50000,"tls":null,"calling-ae-title":"LYON_CT1","called-ae-title":"PACS","upstream":null,"contexts":[],"operations":{},"bytes":{"in":1,"out":2},"rewrite":{"name":"x","elements":4},"configuration":"d","duration-ms":1,"ended":"released","reason":null}"#;

fn source() -> Source {
    Source {
        id: "dimsegate@gw1.example.org".into(),
        enterprise_site: Some("site-a".into()),
        host: "gw1.example.org".into(),
        application: "dimsegate".into(),
    }
}

fn started() -> String {
    r#"{"time":"2026-01-02T02:00:00.000000Z","event":"started","sequence":1,"version":"0.1.0","process-id":4711,"configuration":"d","listeners":[],"recovered":false}"#.into()
}

/// A C-STORE of the association, with more fields.
fn store(sequence: u64, more: &str) -> String {
    format!(
        r#"{{"time":"2026-01-02T03:00:0{}.000000Z","event":"operation","sequence":{sequence},"association":"a1","operation":"C-STORE","message-id":1,"direction":"from-peer","sop-class":"1.2.840.10008.5.1.4.1.1.2","sop-instance":"1.9.{sequence}","bytes":9,"duration-ms":250,{more}}}"#,
        sequence % 10
    )
}

fn operation(name: &str, more: &str) -> String {
    format!(
        r#"{{"time":"2026-01-02T03:01:00.000000Z","event":"operation","sequence":40,"association":"a1","operation":"{name}","message-id":1,"direction":"from-peer","bytes":9,"duration-ms":2,{more}}}"#
    )
}

fn refusal(event: &str, reason: &str) -> String {
    format!(
        r#"{{"time":"2026-01-02T03:01:00.000000Z","event":"{event}","sequence":7,"association":"a9","listener":"remote","address":"198.51.100.9","port":1,"calling-ae-title":"X","called-ae-title":"PACS","reason":"{reason}","explanation":"why"}}"#
    )
}

const STUDY: &str = r#""study":"1.2.3","patient":"5bdcc1","status":"0x0000""#;

fn render(renderer: &mut Renderer, lines: &[String]) -> Vec<Message> {
    lines.iter().flat_map(|line| renderer.render(&read(line.as_bytes()).unwrap())).collect()
}

fn messages(lines: &[String]) -> Vec<Message> {
    render(&mut Renderer::new(source(), State::default()), lines)
}

fn xmls(lines: &[String]) -> Vec<String> {
    messages(lines).iter().map(|message| xml::write(message, &source())).collect()
}

/// Records that give every kind of message, hostile ones among them.
fn everything() -> Vec<String> {
    let hostile = r#"\u0000\u001b[2J<x a=\"1\">&\u202e;]] >\n\ufffe'"#;
    let mut lines = vec![started(), OPENED.to_owned()];
    lines.push(store(11, STUDY));
    lines.push(store(12, STUDY));
    lines.push(store(13, r#""study":"1.2.3","patient":"5bdcc1","status":"0xA700""#));
    lines.push(store(14, r#""study":"1.2.3","new-study":"2.25.7","new-sop-instance":"2.25.8","patient":"5bdcc1","status":"0x0000""#));
    lines.push(store(15, r#""reason":"operation-not-allowed","status":"0x0124""#));
    lines.push(store(16, &format!(r#""study":"{hostile}","patient":"{hostile}","status":"{hostile}""#)));
    lines.push(operation("C-FIND", r#""sop-class":"1.2.840.10008.5.1.4.1.2.2.1","status":"0x0000""#));
    lines.push(operation(
        "C-FIND",
        r#""sop-class":"1.2.840.10008.5.1.4.1.2.2.1","status":"0x0000","query":{"transfer-syntax":"1.2.840.10008.1.2","keys":["00100010","0020000D"],"identifier":"Zm9vYmFy"}"#,
    ));
    lines.push(operation(
        "C-MOVE",
        &format!(r#""sop-class":"{hostile}","move-destination":"{hostile}","status":"0xA801""#),
    ));
    lines.push(operation(
        "N-CREATE",
        r#""sop-class":"1.2.840.10008.3.1.2.3.3","sop-instance":"1.2.9","status":"0x0000""#,
    ));
    lines.push(operation(
        "N-ACTION",
        r#""sop-class":"1.2.840.10008.1.20.1","sop-instance":"1.2.840.10008.1.20.1.1""#,
    ));
    lines.push(CLOSED.to_owned());
    for (event, reason) in [
        ("security-alert", "certificate-mismatch"),
        ("connection-refused", "certificate-revoked"),
        ("connection-refused", "address-not-allowed"),
        ("connection-refused", "malformed-pdu"),
        ("association-rejected", "user-identity-wrong"),
        ("association-rejected", hostile),
    ] {
        lines.push(refusal(event, reason));
    }
    let short = |event: &str, more: &str| {
        format!(r#"{{"time":"2026-01-02T04:00:00.000000Z","event":"{event}","sequence":99{more}}}"#)
    };
    lines.push(short("security-alert", r#","reason":"records-lost","explanation":"x","records":3"#));
    lines.push(short("configuration-loaded", r#","file":"dimsegate.toml","configuration":"d","warnings":0"#));
    lines.push(short("configuration-refused", r#","file":"dimsegate.toml","errors":1,"problems":["x"]"#));
    lines.push(short(
        "audit-log-used",
        r#","user":"auditor1","user-id":1001,"host":"pc7","process-id":77,"file":"/a","command":"search","arguments":"/a --peer lyon""#,
    ));
    lines.push(short("stopped", r#","reason":"SIGTERM","aborted":0,"duration-ms":1"#));
    let hostile =
        format!(r#""last":98,"unsigned":1,"ended":false,"head":"{hostile}","explanation":"{hostile}""#);
    lines.push(continued(&hostile));
    lines
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// By xmllint, of libxml2.
fn assert_valid(xmls: &[String]) {
    let home = Scratch::new();
    let files: Vec<PathBuf> = (xmls.iter().enumerate())
        .map(|(number, xml)| {
            let path = home.path().join(format!("{number}.xml"));
            std::fs::write(&path, xml).unwrap();
            path
        })
        .collect();
    let lint = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(data("audit_message.xsd"))
        .args(&files)
        .output()
        .expect("xmllint, of libxml2-utils; tests/run installs it");
    let said = String::from_utf8_lossy(&lint.stderr).into_owned();
    assert!(lint.status.success(), "{said}\n{}", xmls.join("\n"));
    assert_eq!(said.matches(" validates").count(), xmls.len(), "{said}");
}

#[test]
fn every_kind_is_valid_under_the_schema() {
    let all = messages(&everything());
    let kinds: BTreeSet<&str> = all.iter().map(|message| message.event.code).collect();
    let expected =
        ["110100", "110101", "110102", "110103", "110104", "110108", "110111", "110112", "110113", "110114"];
    assert_eq!(kinds, expected.into());
    assert_valid(&xmls(&everything()));
}

#[test]
fn each_message_has_at_most_one_requestor_and_a_time_with_a_zone() {
    for message in messages(&everything()) {
        assert!(message.participants.iter().filter(|one| one.requestor).count() <= 1, "{message:?}");
        assert!(!message.participants.is_empty() && message.timestamp().ends_with('Z'));
    }
}

/// `Element` and `Element@attribute` of a document.
fn parts(xml: &str) -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    for tag in xml.split('<').skip(1).filter(|tag| !tag.starts_with(['/', '?', '!'])) {
        let tag = tag.split('>').next().unwrap();
        let name: String = tag.chars().take_while(|c| c.is_alphanumeric()).collect();
        for (index, piece) in tag.split('"').enumerate().filter(|(index, _)| index % 2 == 0) {
            let attribute = piece.trim().trim_end_matches('=');
            let attribute = attribute.rsplit(' ').next().unwrap();
            if index > 0 || attribute != name {
                parts.insert(format!("{name}@{attribute}"));
            }
        }
        parts.insert(name);
    }
    parts.retain(|part| !part.ends_with('@') && !part.ends_with('/'));
    parts
}

#[test]
fn messages_have_the_parts_of_the_examples() {
    // What records do not hold, or the example's own.
    let left_out = ["Accession", "Accession@Number", "Encrypted", "ParticipantObjectQuery"];
    let all = xmls(&everything());
    for (example, event, mark) in [
        ("application_start", "110100", "110120"),
        ("instances_transferred", "110104", "Anonymized>true"),
        ("query", "110112", "C-FIND"),
        ("security_alert_node_authentication", "110113", "110126"),
        ("user_authentication_failed", "110114", "EventOutcomeIndicator=\"4\""),
    ] {
        let text = std::fs::read_to_string(data(&format!("audit_examples/{example}.xml"))).unwrap();
        let marked = |xml: &&String| xml.contains(&format!("csd-code=\"{event}\"")) && xml.contains(mark);
        let ours = parts(all.iter().find(marked).unwrap_or_else(|| panic!("no {example}")));
        let missing: Vec<String> = (parts(&text).into_iter())
            .filter(|part| !ours.contains(part) && !left_out.contains(&part.as_str()))
            .filter(|part| example != "application_start" || part != "ActiveParticipant@AlternativeUserID")
            .collect();
        assert_eq!(missing, Vec::<String>::new(), "{example}");
    }
}

#[test]
fn a_query_has_its_identifier_where_the_record_has_it() {
    let all = xmls(&everything());
    let query = all.iter().find(|xml| xml.contains("<ParticipantObjectQuery>")).expect("a query");
    assert!(query.contains("<ParticipantObjectQuery>Zm9vYmFy</ParticipantObjectQuery>"), "{query}");
    assert!(!query.contains("ParticipantObjectName>C-FIND"), "{query}");
    // RFC 4648: the transfer syntax, and the keys.
    assert!(query.contains("type=\"TransferSyntax\" value=\"MS4yLjg0MC4xMDAwOC4xLjI=\""), "{query}");
    assert!(query.contains("type=\"Keys\" value=\"MDAxMDAwMTAgMDAyMDAwMEQ=\""), "{query}");
    let hostile = operation("C-FIND", r#""query":{"identifier":"<x>"}"#);
    assert!(xmls(&[OPENED.to_owned(), hostile]).iter().all(|xml| !xml.contains("ParticipantObjectQuery")));
}

#[test]
fn instances_of_a_study_are_one_message_for_each_outcome() {
    let failed = r#""study":"1.2.3","patient":"5bdcc1","status":"0xA700""#;
    let lines = [OPENED.to_owned(), store(11, STUDY), store(12, failed), store(13, STUDY), CLOSED.to_owned()];
    let all = messages(&lines);
    let told: Vec<_> = all.iter().map(|message| (message.event.code, message.outcome)).collect();
    assert_eq!(
        told,
        [
            ("110114", Outcome::Success),
            ("110102", Outcome::Success),
            ("110104", Outcome::Success),
            ("110104", Outcome::SeriousFailure)
        ]
    );
    let login = xml::write(&all[0], &source());
    assert!(login.contains("110122") && login.contains(r#"UserID="gw.lyon.example""#), "{login}");
    let all = &all[1..];
    assert_eq!(all[0].timestamp(), "2026-01-02T03:00:00.750000Z");
    let class = "1.2.840.10008.5.1.4.1.1.2".to_owned();
    assert_eq!(all[1].objects[0].description.as_ref().unwrap().sop_classes, [(class, 2)]);
    assert_eq!(all[2].outcome_description.as_deref(), Some("1 status 0xA700"));
    let xml = xml::write(&all[1], &source());
    for part in [
        r#"UserID="gw.lyon.example" AlternativeUserID="AETITLES= LYON_CT1" UserIsRequestor="true" NetworkAccessPointID="203.0.113.9" NetworkAccessPointTypeCode="2"><RoleIDCode csd-code="110153""#,
        r#"UserID="pacs" AlternativeUserID="AETITLES= ARCHIVE" UserIsRequestor="false" NetworkAccessPointID="10.0.0.5" NetworkAccessPointTypeCode="2"><RoleIDCode csd-code="110152""#,
        r#"UserID="dimsegate" AlternativeUserID="AETITLES= PACS;DIMSEGATE" UserName="dimsegate""#,
        r#"<ParticipantObjectDetail type="Sequence" value="MTEtMTM="/>"#,
    ] {
        assert!(xml.contains(part), "{part} is not in {xml}");
    }
}

#[test]
fn what_identifies_the_patient_before_is_not_in_the_message_of_what_went_out() {
    let rewritten = r#""study":"1.2.3","new-study":"2.25.7","new-sop-instance":"2.25.8","patient":"PID-7","status":"0x0000""#;
    let all = xmls(&[OPENED.to_owned(), store(11, rewritten), CLOSED.to_owned()]);
    let [_, _, inner, outer] = all.as_slice() else { panic!("{all:?}") };
    assert!(inner.contains("PID-7") && inner.contains("\"1.2.3\"") && inner.contains("Anonymized>false"));
    assert!(outer.contains("\"2.25.7\"") && outer.contains("Anonymized>true"));
    assert!(outer.contains("ParticipantObjectDataLifeCycle=\"7\""));
    assert!(!outer.contains("PID-7") && !outer.contains("\"1.2.3\""), "{outer}");
}

#[test]
fn a_state_that_was_stored_goes_on_with_the_same_messages() {
    let lines = everything();
    let whole = messages(&lines);
    let mut state = State::default();
    let mut resumed = Vec::new();
    for line in &lines {
        let mut renderer = Renderer::new(source(), state);
        resumed.extend(render(&mut renderer, std::slice::from_ref(line)));
        let stored = serde_json::to_string(renderer.state()).unwrap();
        state = serde_json::from_str(&stored).unwrap();
    }
    assert_eq!(resumed, whole);
}

#[test]
fn what_a_crash_cut_off_is_told_when_the_next_process_starts() {
    let all = messages(&[OPENED.to_owned(), store(11, STUDY), started()]);
    let codes: Vec<_> = all.iter().map(|message| message.event.code).collect();
    assert_eq!(codes, ["110114", "110102", "110104", "110100", "110108"]);
}

#[test]
fn a_flood_of_associations_and_studies_keeps_the_state_bounded() {
    let mut renderer = Renderer::new(source(), State::default());
    let mut told = 0;
    for number in 0..6_000 {
        let line = store(11, &format!(r#""study":"1.{number}","status":"0x0000""#));
        let line = line.replace("\"a1\"", &format!("\"a{}\"", number / 3));
        let record = read(line.as_bytes()).unwrap();
        told += renderer.render(&record).iter().filter(|one| one.event.code == "110104").count();
    }
    assert!(told > 3_000, "{told}");
    assert!(serde_json::to_vec(renderer.state()).unwrap().len() < 2 << 20);
}

#[test]
fn an_audit_event_says_the_same() {
    let all = messages(&[started(), OPENED.to_owned(), store(11, STUDY), CLOSED.to_owned()]);
    let event = fhir::write(all.last().unwrap(), &source());
    let pointer = |path: &str| event.pointer(path).unwrap_or_else(|| panic!("no {path} in {event}")).clone();
    for (path, value) in [
        ("/resourceType", "AuditEvent"),
        ("/type/code", "110104"),
        ("/action", "C"),
        ("/recorded", "2026-01-02T03:05:00.000000Z"),
        ("/outcome", "0"),
        ("/agent/0/altId", "AETITLES= LYON_CT1"),
        ("/agent/0/type/coding/0/code", "110153"),
        ("/agent/0/network/address", "203.0.113.9"),
        ("/agent/2/who/identifier/value", "4711"),
        ("/source/site", "site-a"),
        ("/source/observer/identifier/value", "dimsegate@gw1.example.org"),
        ("/entity/0/what/identifier/value", "urn:oid:1.2.3"),
        ("/entity/1/what/identifier/value", "5bdcc1"),
        ("/entity/1/type/code", "1"),
    ] {
        assert_eq!(pointer(path), value, "{path}");
    }
    assert_eq!(pointer("/agent/0/requestor"), true);
}

#[test]
fn a_record_of_many_refusals_is_one_message_that_says_how_many() {
    let gathered = |line: String| line.replace("\"sequence\":7,", "\"sequence\":7,\"count\":499,");
    let rejected = gathered(refusal("association-rejected", "calling-ae-title-unknown"));
    let anybody = gathered(refusal("connection-refused", "address-not-allowed"))
        .replace("\"address\":\"198.51.100.9\",\"port\":1,", "");
    for line in [rejected, anybody] {
        let [xml] = &xmls(&[started(), line])[2..] else { panic!("one message") };
        assert!(xml.contains("499 times: ") && xml.contains("Count"), "{xml}");
    }
    let stores = [
        OPENED.to_owned(),
        store(11, r#""status":"0x0124","reason":"operation-not-allowed","study":"1.2.3""#),
        store(12, r#""status":"0x0124","reason":"operation-not-allowed","study":"1.2.3","count":299"#),
        CLOSED.to_owned(),
    ];
    let xml = xmls(&stores).join("\n");
    assert!(xml.contains("300 refused: operation-not-allowed"), "{xml}");
}

#[test]
fn a_refusal_with_an_alert_is_one_message() {
    let reason = "certificate-mismatch";
    let both = [refusal("security-alert", reason), refusal("association-rejected", reason)];
    assert_eq!(messages(&both).len(), 1);
    assert_eq!(messages(&both[1..]).len(), 1);
    let login = [
        refusal("security-alert", "user-identity-wrong"),
        refusal("association-rejected", "user-identity-wrong"),
    ];
    let codes: Vec<_> = messages(&login).iter().map(|message| message.event.code).collect();
    assert_eq!(codes, ["110114"]);
}

#[test]
fn a_proven_user_is_told_by_name_a_claim_by_none_and_who_is_locked_out_as_a_serious_failure() {
    let named =
        |line: &str, fields: &str| line.replacen("\"sequence\"", &format!("{fields},\"sequence\""), 1);
    let proven = r#""user":"anna","user-identity":"proven","factors":["passcode"]"#;
    let claimed = r#""user":"anna","user-identity":"claimed","factors":[]"#;
    let told = |line: String| {
        let all = messages(&[line]);
        let login = all.iter().find(|message| message.event.code == "110114").unwrap().clone();
        (login.participants[0].user.clone(), login.outcome)
    };
    assert_eq!(told(named(OPENED, proven)), ("anna".into(), Outcome::Success));
    let (user, outcome) = told(named(OPENED, claimed));
    assert!(user != "anna" && outcome == Outcome::Success, "the certificate alone: {user}");
    let minor = ["user-identity-wrong", "token-wrong", "token-ended", "token-used", "token-not-bound"];
    let minor = minor.map(|reason| (reason, Outcome::MinorFailure));
    for (reason, outcome) in minor.into_iter().chain([("user-locked-out", Outcome::SeriousFailure)]) {
        let refused = named(&refusal("association-rejected", reason), claimed);
        assert_eq!(told(refused), ("anna".into(), outcome));
    }
}

/// The first record of a run.
fn continued(more: &str) -> String {
    format!(
        r#"{{"time":"2026-01-02T02:00:00.000000Z","event":"trail-continued","sequence":4,"files":1,{more},"recovered":false}}"#
    )
}

#[test]
fn a_run_tells_what_it_found_of_the_trail_and_by_how_much_it_is_wrong() {
    let cases = [
        (r#""unsigned":0,"ended":false,"head":"new","explanation":"a new trail begins""#, Outcome::Success),
        (
            r#""last":3,"signed-up-to":3,"unsigned":0,"ended":true,"head":"fits","explanation":"x""#,
            Outcome::Success,
        ),
        (
            r#""last":3,"signed-up-to":2,"unsigned":1,"ended":false,"head":"fits","explanation":"x""#,
            Outcome::MinorFailure,
        ),
        (
            r#""last":3,"unsigned":0,"ended":true,"head":"cut","explanation":"the end was cut off""#,
            Outcome::SeriousFailure,
        ),
    ];
    for (more, outcome) in cases {
        let all = messages(&[continued(more)]);
        let [message] = all.as_slice() else { panic!("{more}: {all:?}") };
        assert_eq!((message.event.code, message.kind.unwrap().code), ("110113", "110134"), "{more}");
        assert_eq!(message.outcome, outcome, "{more}");
        assert_eq!(message.objects[0].name, "Security Audit Log");
        assert!(
            message.objects[0]
                .details
                .iter()
                .any(|(kind, value)| *kind == "Alert Description" && !value.is_empty())
        );
    }
    // That it was changed is one message, not one of the alert besides.
    let alert = r#"{"time":"2026-01-02T02:00:00.000000Z","event":"security-alert","sequence":5,"reason":"trail-changed","explanation":"the end was cut off"}"#;
    let both = messages(&[continued(cases[3].0), alert.to_owned()]);
    assert_eq!(both.len(), 1);
    assert_eq!(both[0].outcome_description.as_deref(), Some("trail-changed: the end was cut off"));
}

#[test]
fn what_a_crash_cut_off_is_told_of_its_own_process_before_the_next_run() {
    let all = messages(&[
        started(),
        OPENED.to_owned(),
        store(11, STUDY),
        continued(r#""last":11,"unsigned":0,"ended":false,"head":"fits""#),
    ]);
    let told: Vec<_> =
        all.iter().map(|one| (one.event.code, one.participants.last().unwrap().user.clone())).collect();
    let (cut_off, run) = (&told[told.len() - 2], &told[told.len() - 1]);
    assert_eq!((cut_off.0, cut_off.1.as_str()), ("110104", "4711"));
    assert_eq!((run.0, run.1.as_str()), ("110113", "dimsegate"));
}

#[test]
fn who_logs_in_and_out_of_the_administration_is_a_user_authentication() {
    let record = |action: &str, outcome: &str| {
        format!(
            r#"{{"time":"2026-01-02T02:00:00.000000Z","event":"administration","sequence":9,"user":"anna","address":"192.0.2.7","action":"{action}","resource":"/api/v1/session","outcome":"{outcome}","explanation":"why"}}"#
        )
    };
    let lines =
        [started(), record("login", "success"), record("login", "refused"), record("logout", "success")];
    let all = &messages(&lines)[2..];
    let said = |message: &Message| {
        let kind = message.kind.as_ref().map(|one| one.code);
        (message.event.code, kind, message.outcome)
    };
    let [login, refused, logout] = all else { panic!("{all:?}") };
    assert_eq!(said(login), ("110114", Some("110122"), Outcome::Success));
    assert_eq!(said(refused), ("110114", Some("110122"), Outcome::MinorFailure));
    assert_eq!(said(logout), ("110114", Some("110123"), Outcome::Success));
    assert!(login.participants[0].user == "anna" && login.participants[0].requestor);
}

#[test]
fn files_are_closed_and_deleted_by_the_proxy_and_the_clock_is_a_matter_of_its_node() {
    let file = |event: &str, more: &str| {
        format!(
            r#"{{"time":"2026-01-02T02:00:00.000000Z","event":"{event}","sequence":9,"file":"audit-2026-01-01.jsonl.zst","first":3,"last":9,"head":"{}",{more}}}"#,
            "a0".repeat(32)
        )
    };
    let clock = r#"{"time":"2026-01-02T02:00:00.000000Z","event":"clock-stepped","sequence":9,"seconds":-7200,"followed":false,"explanation":"the clock was set back by 7200 s"}"#;
    let lines = [
        started(),
        file("file-closed", r#""sha256":"bb""#),
        file("records-deleted", r#""reason":"retention-days""#),
        clock.to_owned(),
    ];
    let all = &messages(&lines)[2..];
    let [closed, deleted, clock] = all else { panic!("{all:?}") };
    for (message, said) in
        [(closed, "closed; its lines are what they were"), (deleted, "deleted: retention-days")]
    {
        assert_eq!((message.event.code, message.action), ("110101", Action::Read));
        let who: Vec<_> = message.participants.iter().map(|one| (one.user.as_str(), one.requestor)).collect();
        assert_eq!(who, [("4711", false)], "nobody is said to have read");
        assert_eq!(message.outcome_description.as_deref(), Some(said));
        assert_eq!(message.objects[0].id, "audit-2026-01-01.jsonl.zst");
    }
    assert!(closed.objects[0].details.contains(&("SHA256", "bb".to_owned())));
    assert_eq!((clock.event.code, clock.outcome), ("110113", Outcome::MinorFailure));
    assert_eq!((clock.objects[0].id.as_str(), clock.objects[0].id_type.code), ("gw1.example.org", "110182"));
    assert_valid(&xmls(&lines));
}

#[test]
fn what_decides_nothing_and_what_is_unknown_gives_no_message() {
    for line in [
        refusal("connection-refused", "connection-lost"),
        refusal("association-rejected", "upstream-unreachable"),
        r#"{"time":"2026-01-02T03:00:00Z","event":"checkpoint","sequence":1,"user":{"name":"x"},"later":[1]}"#.into(),
        operation("C-ECHO", r#""status":"0x0000""#),
    ] {
        assert_eq!(messages(&[line]), Vec::new());
    }
    let of_another_shape =
        br#"{"time":"2026-01-02T03:00:00Z","event":"operation","sequence":1,"bytes":"many"}"#;
    assert!(read(of_another_shape).is_err(), "it is told that nothing is sent of it");
    assert!(read(b"{\"event\":\"started\"}").is_err());
    assert!(read(b"torn\"}").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_changes_the_markup(text in "x(\\PC|.|[\u{0}-\u{2fff}\u{fff0}-\u{ffff}<>&\"';]){0,20}") {
        let quoted = serde_json::to_string(&text).unwrap();
        let line = |value: &str| {
            [OPENED.replace("\"LYON_CT1\"", value), store(11, STUDY).replace("\"5bdcc1\"", value), CLOSED.to_owned()]
        };
        let marks = |xml: &String| {
            let count = |mark| xml.matches(mark).count();
            (count('<'), count('>'), count('"'), count('\''), xml.matches("AETITLES= ").count())
        };
        let (hostile, plain) = (xmls(&line(&quoted)), xmls(&line("\"x\"")));
        prop_assert_eq!(hostile.iter().map(marks).collect::<Vec<_>>(), plain.iter().map(marks).collect::<Vec<_>>());
        let legible = |c: char| !c.is_control() && !crate::identity::deceptive(c) && !matches!(c, '\u{fffe}' | '\u{ffff}');
        prop_assert!(hostile.iter().all(|xml| xml.chars().all(legible)));
    }
}

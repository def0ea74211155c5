//! The bytes of a line for each event: other people's scripts rely on them.

use crate::audit::json;
use crate::audit::record::patient;
use crate::audit::*;
use crate::vocabulary::Ended;
use std::collections::BTreeMap;
use time::macros::datetime;

fn line(event: &Event) -> String {
    let mut body = Vec::new();
    event.fields(&mut body).unwrap();
    let mut line = Vec::new();
    let place = (7, LineHash::NONE);
    json::line(&mut line, datetime!(2026-01-02 04:04:05.000006 +1), event.name(), place, (b"", &body));
    String::from_utf8(line).unwrap()
}

/// It is written so, and read back as what was written.
pub(super) fn assert_line(event: &Event, expected_after_head: &str) {
    let name = event.name();
    let head = format!(
        r#"{{"time":"2026-01-02T03:04:05.000006Z","event":"{name}","sequence":7,"previous":"{}","#,
        "0".repeat(64)
    );
    assert_eq!(line(event), format!("{head}{expected_after_head}"));
    let read = Record::read(line(event).as_bytes()).unwrap();
    assert_eq!((&*read.time, read.sequence), ("2026-01-02T03:04:05.000006Z", 7));
    assert!(!matches!(read.event, Event::Other(_)), "{read:?}");
    assert_eq!(line(&read.event), line(event));
}

pub(super) fn tls() -> Tls {
    Tls {
        version: "1.3".into(),
        cipher: "TLS_AES_256_GCM_SHA384".into(),
        group: Some("X25519MLKEM768".into()),
        subject: Some("CN=gw".into()),
        san: vec!["dns:gw.x".into()],
        issuer: Some("CN=CA".into()),
        serial: Some("01".into()),
        fingerprint: Some("ab".into()),
        not_after: Some("2027-03-01T00:00:00Z".into()),
        authority: Some(Authority { subject: "CN=CA".into(), fingerprint: "cd".into() }),
    }
}

fn requestor() -> Requestor {
    Requestor {
        listener: "remote".into(),
        peer: Some("lyon".into()),
        address: [203, 0, 113, 9].into(),
        port: 50000,
        tls: Some(tls()),
        identified: None,
        calling_ae_title: "LYON_CT1".into(),
        called_ae_title: "PACS".into(),
        implementation: Some(Implementation { class_uid: Some("1.2.3".into()), version_name: None }),
    }
}

const REQUESTOR: &str = r#""listener":"remote","peer":"lyon","address":"203.0.113.9","port":50000,"tls":{"version":"1.3","cipher":"TLS_AES_256_GCM_SHA384","group":"X25519MLKEM768","subject":"CN=gw","san":["dns:gw.x"],"issuer":"CN=CA","serial":"01","fingerprint":"ab","not-after":"2027-03-01T00:00:00Z","authority":{"subject":"CN=CA","fingerprint":"cd"}},"calling-ae-title":"LYON_CT1","called-ae-title":"PACS","implementation":{"class-uid":"1.2.3","version-name":null}"#;

fn upstream() -> Upstream {
    Upstream {
        name: "pacs".into(),
        address: "10.0.0.5:104".into(),
        called_ae_title: "PACS".into(),
        calling_ae_title: "DIMSEGATE".into(),
        tls: None,
    }
}

const UPSTREAM: &str = r#""upstream":{"name":"pacs","address":"10.0.0.5:104","called-ae-title":"PACS","calling-ae-title":"DIMSEGATE"}"#;

fn contexts() -> Vec<Context> {
    let context =
        |id, result, transfer_syntax| Context { id, abstract_syntax: "1.2".into(), result, transfer_syntax };
    vec![context(1, 0, Some("1.2.840.10008.1.2".into())), context(3, 1, None)]
}

const CONTEXTS: &str = r#""contexts":[{"id":1,"abstract-syntax":"1.2","result":0,"transfer-syntax":"1.2.840.10008.1.2"},{"id":3,"abstract-syntax":"1.2","result":1}]"#;

#[test]
fn events_of_the_process() {
    let listeners = vec![StartedListener { name: "remote".into(), address: ([0, 0, 0, 0], 2762).into() }];
    let started = Started {
        version: "0.1.0".into(),
        process_id: 5,
        configuration: "c0".into(),
        listeners,
        recovered: true,
    };
    assert_line(
        &Event::Started(started),
        r#""version":"0.1.0","process-id":5,"configuration":"c0","listeners":[{"name":"remote","address":"0.0.0.0:2762"}],"recovered":true}"#,
    );
    let loaded = ConfigurationLoaded {
        file: "d.toml".into(),
        configuration: "c1".into(),
        previous: Some("c0".into()),
        file_sha256: "f1".into(),
        certificates: vec![UsedFile { file: "ca.pem".into(), sha256: "aa".into() }],
        changed: Some(vec!["ca.pem".into()]),
        waits_for_restart: vec!["[audit]".into()],
        warnings: 2,
        by: Some(ReloadedBy {
            user: Some("root".into()),
            user_id: Some(0),
            process_id: Some(7),
            through: None,
            watched_files: vec!["ca.pem".into()],
        }),
        changed_keys: vec!["changed limits.grace".into()],
    };
    assert_line(
        &Event::ConfigurationLoaded(loaded),
        r#""file":"d.toml","configuration":"c1","previous-configuration":"c0","file-sha256":"f1","certificates":[{"file":"ca.pem","sha256":"aa"}],"changed":["ca.pem"],"waits-for-restart":["[audit]"],"warnings":2,"user":"root","user-id":0,"process-id":7,"watched-files":["ca.pem"],"changed-keys":["changed limits.grace"]}"#,
    );
    let refused = ConfigurationRefused {
        file: "d.toml".into(),
        configuration: Some("c1".into()),
        errors: 25,
        problems: vec!["d.toml:1:2: x".into(); 25],
        by: None,
    };
    let problems = [r#""d.toml:1:2: x""#; 20].join(",");
    assert_line(
        &Event::ConfigurationRefused(refused),
        &format!(r#""file":"d.toml","configuration":"c1","errors":25,"problems":[{problems}]}}"#),
    );
    let stopped = Stopped { reason: "SIGTERM".into(), aborted: 1, health_checks: None, duration_ms: 99 };
    assert_line(&Event::Stopped(stopped), r#""reason":"SIGTERM","aborted":1,"duration-ms":99}"#);
}

#[test]
fn events_before_an_association() {
    let refused = ConnectionRefused {
        association: None,
        listener: "remote".into(),
        address: Some(std::net::Ipv6Addr::LOCALHOST.into()),
        port: Some(1),
        tls: None,
        transport: Transport::Tls,
        reason: "certificate-revoked".into(),
        explanation: "it is on a list".into(),
        alert: Some("certificate_revoked".into()),
        certificate: None,
        abort: Some(Abort { source: 2, reason: 1 }),
        count: None,
    };
    assert_line(
        &Event::ConnectionRefused(Box::new(refused)),
        r#""listener":"remote","address":"::1","port":1,"transport":"tls","reason":"certificate-revoked","explanation":"it is on a list","alert":"certificate_revoked","abort":{"source":2,"reason":1}}"#,
    );
    let rejected = AssociationRejected {
        association: "a1".into(),
        requestor: requestor(),
        rejection: Rejection { result: 1, source: 1, reason: 3 },
        reason: "calling-ae-title".into(),
        explanation: "no peer has \"X\"".into(),
        count: Some(9),
    };
    assert_line(
        &Event::AssociationRejected(Box::new(rejected)),
        &format!(
            r#""association":"a1",{REQUESTOR},"rejection":{{"result":1,"source":1,"reason":3}},"reason":"calling-ae-title","explanation":"no peer has \"X\"","count":9}}"#
        ),
    );
}

#[test]
fn a_user_stands_in_the_record_with_what_proved_it() {
    let identified = Identified {
        user: "anna".into(),
        user_identity: "proven".into(),
        factors: vec!["passcode".into(), "one-time-code".into()],
    };
    let opened = AssociationOpened {
        association: "a1".into(),
        agreement: None,
        requestor: Requestor {
            peer: None,
            tls: None,
            implementation: None,
            identified: Some(identified),
            ..requestor()
        },
        upstream: upstream(),
        contexts: contexts(),
        rewrite: None,
        configuration: "c0".into(),
    };
    assert_line(
        &Event::AssociationOpened(Box::new(opened)),
        &format!(
            r#""association":"a1","listener":"remote","peer":null,"address":"203.0.113.9","port":50000,"tls":null,"user":"anna","user-identity":"proven","factors":["passcode","one-time-code"],"calling-ae-title":"LYON_CT1","called-ae-title":"PACS","implementation":null,{UPSTREAM},{CONTEXTS},"rewrite":null,"configuration":"c0"}}"#
        ),
    );
}

#[test]
fn events_of_an_association() {
    let opened = AssociationOpened {
        association: "a1".into(),
        agreement: None,
        requestor: Requestor { peer: None, tls: None, implementation: None, ..requestor() },
        upstream: upstream(),
        contexts: contexts(),
        rewrite: None,
        configuration: "c0".into(),
    };
    assert_line(
        &Event::AssociationOpened(Box::new(opened)),
        &format!(
            r#""association":"a1","listener":"remote","peer":null,"address":"203.0.113.9","port":50000,"tls":null,"calling-ae-title":"LYON_CT1","called-ae-title":"PACS","implementation":null,{UPSTREAM},{CONTEXTS},"rewrite":null,"configuration":"c0"}}"#
        ),
    );
    let counts = OperationCounts { success: 3, warning: 0, failure: 1, refused: 2 };
    let closed = AssociationClosed {
        association: "a1".into(),
        agreement: None,
        requestor: requestor(),
        upstream: Some(upstream()),
        contexts: contexts(),
        operations: BTreeMap::from([
            ("C-STORE".into(), counts),
            ("C-ECHO".into(), OperationCounts::default()),
        ]),
        bytes: Bytes { r#in: 10, out: 20 },
        rewrite: Some(Rewrite { name: "cross-border".into(), elements: 12, secret_version: None }),
        configuration: "c0".into(),
        duration_ms: 1234,
        ended: Ended::AbortedByUpstream.into(),
        reason: None,
        count: None,
    };
    assert_line(
        &Event::AssociationClosed(Box::new(closed)),
        &format!(
            r#""association":"a1",{REQUESTOR},{UPSTREAM},{CONTEXTS},"operations":{{"C-ECHO":{{"success":0,"warning":0,"failure":0,"refused":0}},"C-STORE":{{"success":3,"warning":0,"failure":1,"refused":2}}}},"bytes":{{"in":10,"out":20}},"rewrite":{{"name":"cross-border","elements":12}},"configuration":"c0","duration-ms":1234,"ended":"aborted-by-upstream","reason":null}}"#
        ),
    );
}

#[test]
fn an_operation_and_an_alert() {
    let operation = Operation {
        sop_class: Some("1.2".into()),
        sop_instance: Some("1.3".into()),
        new_sop_instance: Some("2.25.1".into()),
        study: Some("1.4".into()),
        new_study: Some("2.25.2".into()),
        rewritten: Some(12),
        patient: patient::Renderer::new(PatientIdentifiers::Clear)
            .render(PatientIdentifier::new(b"P1 ".into())),
        status: Some(0xb00a),
        bytes: 512,
        duration_ms: 3,
        ..Operation::new("a1".into(), "C-STORE", 9, Direction::FromPeer)
    };
    assert_line(
        &Event::Operation(Box::new(operation)),
        r#""association":"a1","operation":"C-STORE","message-id":9,"direction":"from-peer","sop-class":"1.2","sop-instance":"1.3","new-sop-instance":"2.25.1","study":"1.4","new-study":"2.25.2","rewritten":12,"patient":"P1","status":"0xB00A","bytes":512,"duration-ms":3}"#,
    );
    let alert = SecurityAlert { reason: "records-lost".into(), records: Some(4), ..SecurityAlert::default() };
    assert_line(
        &Event::SecurityAlert(Box::new(alert)),
        r#""reason":"records-lost","explanation":"","records":4}"#,
    );
}

#[test]
fn events_of_the_files() {
    let lines = Span { first: 3, last: 9, head: LineHash::NONE };
    let zeros = "0".repeat(64);
    let file = "audit-2026-01-01.jsonl.zst".to_owned();
    let closed = FileClosed { file: file.clone(), lines, sha256: "ab".into() };
    let span = format!(r#""file":"{file}","first":3,"last":9,"head":"{zeros}""#);
    assert_line(&Event::FileClosed(closed), &format!(r#"{span},"sha256":"ab"}}"#));
    let mut deleted =
        RecordsDeleted { file: file.clone(), lines: Some(lines), reason: "retention-days".into() };
    assert_line(&Event::RecordsDeleted(deleted.clone()), &format!(r#"{span},"reason":"retention-days"}}"#));
    deleted.lines = None;
    assert_line(&Event::RecordsDeleted(deleted), &format!(r#""file":"{file}","reason":"retention-days"}}"#));
}

#[test]
fn a_look_at_the_records() {
    let used = AuditLogUsed {
        user: "anne".into(),
        user_id: 1001,
        host: Some("pc7".into()),
        process_id: 9,
        file: "/var/lib/dimsegate/audit".into(),
        command: "search".into(),
        arguments: "--peer lyon".into(),
    };
    assert_line(
        &Event::AuditLogUsed(Box::new(used)),
        r#""user":"anne","user-id":1001,"host":"pc7","process-id":9,"file":"/var/lib/dimsegate/audit","command":"search","arguments":"--peer lyon"}"#,
    );
}

#[test]
fn every_way_to_end_has_its_word() {
    let words = [
        (Ended::Released, "released"),
        (Ended::AbortedByRequestor, "aborted-by-requestor"),
        (Ended::AbortedByUpstream, "aborted-by-upstream"),
        (Ended::LostRequestor, "lost-requestor"),
        (Ended::LostUpstream, "lost-upstream"),
        (Ended::Timeout, "timeout"),
        (Ended::ProtocolError, "protocol-error"),
        (Ended::Policy, "policy"),
        (Ended::Shutdown, "shutdown"),
        (Ended::Defect, "defect"),
    ];
    for (ended, word) in words {
        assert_eq!(serde_json::to_value(ended).unwrap(), word);
    }
}

#[test]
fn an_ae_title_cannot_forge_a_record() {
    let stopped = Stopped {
        reason: "x\n{\"event\":\"started\"}\u{1b}[2J\u{85}".into(),
        aborted: 0,
        health_checks: None,
        duration_ms: 0,
    };
    let line = line(&Event::Stopped(stopped));
    assert_eq!(line.matches('\n').count(), 0);
    assert!(line.contains(r#""reason":"x\n{\"event\":\"started\"}\u001b[2J\u0085""#), "{line}");
}

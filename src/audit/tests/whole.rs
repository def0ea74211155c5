//! The bytes of events with every field that they can have, where `lines` has some of them only.

use super::lines::{assert_line, tls};
use crate::audit::record::patient;
use crate::audit::*;
use crate::vocabulary::{Ended, HeadFound};
use std::collections::BTreeMap;

const TLS: &str = r#""tls":{"version":"1.3","cipher":"TLS_AES_256_GCM_SHA384","group":"X25519MLKEM768","subject":"CN=gw","san":["dns:gw.x"],"issuer":"CN=CA","serial":"01","fingerprint":"ab","not-after":"2027-03-01T00:00:00Z","authority":{"subject":"CN=CA","fingerprint":"cd"}}"#;
const CERTIFICATE: &str = r#""certificate":{"subject":"CN=x","issuer":"CN=y","serial":"02","fingerprint":"ef","not-after":"2026-01-01T00:00:00Z"}"#;

fn certificate() -> RefusedCertificate {
    RefusedCertificate {
        subject: "CN=x".into(),
        issuer: "CN=y".into(),
        serial: "02".into(),
        fingerprint: "ef".into(),
        not_after: Some("2026-01-01T00:00:00Z".into()),
    }
}

#[test]
fn a_refusal_and_an_alert() {
    let refused = ConnectionRefused {
        association: Some("a1".into()),
        listener: "remote".into(),
        address: Some([192, 0, 2, 9].into()),
        port: Some(4),
        tls: Some(tls()),
        transport: Transport::Plain,
        reason: "malformed-pdu".into(),
        explanation: "why".into(),
        alert: Some("close_notify".into()),
        certificate: Some(certificate()),
        abort: Some(Abort { source: 2, reason: 6 }),
        count: Some(3),
    };
    assert_line(
        &Event::ConnectionRefused(Box::new(refused)),
        &format!(
            r#""association":"a1","listener":"remote","address":"192.0.2.9","port":4,{TLS},"transport":"plain","reason":"malformed-pdu","explanation":"why","alert":"close_notify",{CERTIFICATE},"abort":{{"source":2,"reason":6}},"count":3}}"#
        ),
    );
    let alert = SecurityAlert {
        association: Some("a1".into()),
        listener: Some("remote".into()),
        peer: Some("lyon".into()),
        address: Some([192, 0, 2, 9].into()),
        port: Some(4),
        tls: Some(tls()),
        calling_ae_title: Some("A".into()),
        called_ae_title: Some("B".into()),
        reason: "certificate-mismatch".into(),
        about: Some("pacs".into()),
        explanation: "why".into(),
        certificate: Some(certificate()),
        records: Some(4),
    };
    assert_line(
        &Event::SecurityAlert(Box::new(alert)),
        &format!(
            r#""association":"a1","listener":"remote","peer":"lyon","address":"192.0.2.9","port":4,{TLS},"calling-ae-title":"A","called-ae-title":"B","reason":"certificate-mismatch","about":"pacs","explanation":"why",{CERTIFICATE},"records":4}}"#
        ),
    );
}

#[test]
fn an_operation() {
    let mut query = Query::new("1.2.840.10008.1.2", vec!["00100010".into()], Some(b"foobar".to_vec()));
    (query.more_keys, query.cut_from) = (true, Some(776));
    query.render(&PatientIdentifiers::Clear);
    let fault = Fault {
        element: Some("(0010,0010)".into()),
        offset: Some(9),
        problem: "its length is odd".into(),
        expected: Some("an even one".into()),
    };
    let operation = Operation {
        sop_class: Some("1.2".into()),
        sop_instance: Some("1.3".into()),
        new_sop_instance: Some("2.25.1".into()),
        data_set_sop_class: Some("1.4".into()),
        data_set_sop_instance: Some("1.5".into()),
        study: Some("1.6".into()),
        new_study: Some("2.25.2".into()),
        rewritten: Some(12),
        patient: patient::Renderer::new(PatientIdentifiers::Clear)
            .render(PatientIdentifier::new(b"P1".into())),
        query: Some(Box::new(query)),
        move_destination: Some("DEST".into()),
        status: Some(0x0124),
        bytes: 512,
        duration_ms: 3,
        reason: Some("operation-not-allowed".into()),
        fault: Some(Box::new(fault)),
        tolerated: vec!["data-set-order".into()],
        count: Some(2),
        ..Operation::new("a1".into(), "C-FIND", 9, Direction::ToPeer)
    };
    assert_line(
        &Event::Operation(Box::new(operation)),
        r#""association":"a1","operation":"C-FIND","message-id":9,"direction":"to-peer","sop-class":"1.2","sop-instance":"1.3","new-sop-instance":"2.25.1","data-set-sop-class":"1.4","data-set-sop-instance":"1.5","study":"1.6","new-study":"2.25.2","rewritten":12,"patient":"P1","query":{"transfer-syntax":"1.2.840.10008.1.2","keys":["00100010"],"more-keys":true,"cut-from":776,"identifier":"Zm9vYmFy"},"move-destination":"DEST","status":"0x0124","bytes":512,"duration-ms":3,"reason":"operation-not-allowed","fault":{"element":"(0010,0010)","offset":9,"problem":"its length is odd","expected":"an even one"},"tolerated":["data-set-order"],"count":2}"#,
    );
}

#[test]
fn an_association_that_the_policy_ended() {
    let closed = AssociationClosed {
        association: "a1".into(),
        agreement: None,
        requestor: Requestor {
            listener: "remote".into(),
            address: [192, 0, 2, 9].into(),
            port: 4,
            ..Requestor::default()
        },
        upstream: None,
        contexts: Vec::new(),
        operations: BTreeMap::new(),
        bytes: Bytes { r#in: 1, out: 2 },
        rewrite: Some(Rewrite { name: "x".into(), elements: 4, secret_version: Some(2) }),
        configuration: "c0".into(),
        duration_ms: 5,
        ended: Ended::Policy.into(),
        reason: Some("nothing-allowed: no context".into()),
        count: Some(6),
    };
    assert_line(
        &Event::AssociationClosed(Box::new(closed)),
        r#""association":"a1","listener":"remote","peer":null,"address":"192.0.2.9","port":4,"tls":null,"calling-ae-title":"","called-ae-title":"","implementation":null,"upstream":null,"contexts":[],"operations":{},"bytes":{"in":1,"out":2},"rewrite":{"name":"x","elements":4,"secret-version":2},"configuration":"c0","duration-ms":5,"ended":"policy","reason":"nothing-allowed: no context","count":6}"#,
    );
}

#[test]
fn the_trail_and_its_time() {
    let found = TrailContinued {
        files: 2,
        last: Some(98),
        signed_up_to: Some(90),
        signed_by: Some("00ff".into()),
        unsigned: 8,
        ended: false,
        recovered: true,
        head: HeadFound::NotCompared.into(),
        head_sequence: Some(97),
        explanation: "why".into(),
    };
    assert_line(
        &Event::TrailContinued(Box::new(found)),
        r#""files":2,"last":98,"signed-up-to":90,"signed-by":"00ff","unsigned":8,"ended":false,"recovered":true,"head":"not-compared","head-sequence":97,"explanation":"why"}"#,
    );
    let stepped = ClockStepped {
        expected: "2026-03-01T08:00:01.000000Z".into(),
        clock: "2026-03-01T06:00:01.000000Z".into(),
        seconds: -7200,
        followed: true,
        explanation: "why".into(),
    };
    assert_line(
        &Event::ClockStepped(stepped),
        r#""expected":"2026-03-01T08:00:01.000000Z","clock":"2026-03-01T06:00:01.000000Z","seconds":-7200,"followed":true,"explanation":"why"}"#,
    );
    let signature = "ab".repeat(64);
    let signed = Checkpoint { records: 8, last: true, key: "00ff".into(), signature: signature.clone() };
    assert_line(
        &Event::Checkpoint(Box::new(signed)),
        &format!(r#""records":8,"last":true,"key":"00ff","signature":"{signature}"}}"#),
    );
}

#[test]
fn what_was_done_by_an_administrator() {
    let done = Administration {
        user: "anne".into(),
        user_id: Some(1000),
        process_id: Some(7),
        fingerprint: Some("ab".into()),
        address: Some([127, 0, 0, 1].into()),
        port: Some(4),
        role: Some("operator".into()),
        action: "reload".into(),
        resource: "/api/v1/reload".into(),
        outcome: AdministrationOutcome::Failure,
        reason: Some("r".into()),
        explanation: Some("why".into()),
        count: Some(2),
    };
    assert_line(
        &Event::Administration(Box::new(done)),
        r#""user":"anne","user-id":1000,"process-id":7,"fingerprint":"ab","address":"127.0.0.1","port":4,"role":"operator","action":"reload","resource":"/api/v1/reload","outcome":"failure","reason":"r","explanation":"why","count":2}"#,
    );
    let by = ReloadedBy {
        user: Some("anne".into()),
        user_id: Some(0),
        process_id: Some(7),
        through: Some("administration".into()),
        watched_files: vec!["ca.pem".into()],
    };
    let refused =
        ConfigurationRefused { file: "d.toml".into(), by: Some(by), ..ConfigurationRefused::default() };
    assert_line(
        &Event::ConfigurationRefused(refused),
        r#""file":"d.toml","errors":0,"problems":[],"user":"anne","user-id":0,"process-id":7,"through":"administration","watched-files":["ca.pem"]}"#,
    );
    let stopped = Stopped { reason: "SIGTERM".into(), aborted: 1, health_checks: Some(3), duration_ms: 99 };
    assert_line(
        &Event::Stopped(stopped),
        r#""reason":"SIGTERM","aborted":1,"health-checks":3,"duration-ms":99}"#,
    );
}

/// What other versions and other writers have is read as far as it is known, and costs nothing else of the record.
#[test]
fn a_record_of_another_version_is_read_as_far_as_it_is_known() {
    let read = |event: &str, fields: &str| {
        let line = format!(r#"{{"time":"2026-01-02T03:04:05Z","event":"{event}","sequence":7,{fields}}}"#);
        Record::read(line.as_bytes()).unwrap()
    };
    let closed =
        read("association-closed", r#""ended":"hibernated","peer":"lyon","mood":{"x":[1]},"bytes":{"in":3}"#);
    assert_eq!((closed.ended(), closed.peer(), closed.address()), (Some("hibernated"), Some("lyon"), None));
    assert_eq!(closed.outcome(), Some(record::Outcome::Failure));
    let found = read("trail-continued", r#""head":"bent","unsigned":0,"ended":true"#);
    assert_eq!((found.label(), found.outcome()), (Some("bent"), Some(record::Outcome::Failure)));
    let older = read(
        "association-opened",
        r#""address":"203.0.113.7","calling-ae-title":"A","tls":{"version":"1.2"}"#,
    );
    assert_eq!((older.came_over(), older.calling_ae_title()), (Some("1.2"), Some("A")));
    assert_eq!((older.upstream(), older.rewrite_name(), older.called_ae_title()), (None, None, None));
    let odd = read("operation", r#""association":"a1","bytes":"many","reason":"x: y","user":7"#);
    assert!(matches!(&odd.event, Event::Other(_)), "{odd:?}");
    assert_eq!((odd.event.name(), odd.association(), odd.label()), ("operation", Some("a1"), Some("x")));
}

//! One record of every kind, as the proxy writes it: what tells of records has to know all of them.

use crate::audit::json;
use crate::audit::*;
use crate::vocabulary::{Ended, HeadFound};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::macros::datetime;

/// A line of each kind in the order in which they could come, that of checkpoints too; each has a second of its own, the
/// first `2026-03-01 08:00:00`.
pub(crate) fn lines() -> Vec<(&'static str, String)> {
    let mut events: Vec<Event> = Vec::new();
    while let Some(event) = after(events.last()) {
        events.push(event);
    }
    events.iter().zip(0..).map(|(event, number)| line(event, number)).collect()
}

fn at(number: i64) -> OffsetDateTime {
    datetime!(2026-03-01 8:00 UTC) + time::Duration::seconds(number)
}

fn line(event: &Event, number: i64) -> (&'static str, String) {
    let mut body = Vec::new();
    event.fields(&mut body).unwrap();
    let mut line = Vec::new();
    json::line(&mut line, at(number), event.name(), (number as u64 + 1, LineHash::NONE), (b"", &body));
    (event.known_name(), String::from_utf8(line).unwrap().trim_end().to_owned())
}

/// The kind behind each: a new one has to be put into this order, and then the tests that go over all ask for it.
fn after(event: Option<&Event>) -> Option<Event> {
    Some(match event {
        None => Event::TrailContinued(Box::new(
            TrailContinued { head: HeadFound::New.into(), ..TrailContinued::default() }.explained(),
        )),
        Some(Event::TrailContinued(_)) => clock_stepped(),
        Some(Event::ClockStepped(_)) => administration(),
        Some(Event::Administration(_)) => started(),
        Some(Event::Started(_)) => configuration_loaded(),
        Some(Event::ConfigurationLoaded(_)) => Event::ConfigurationRefused(ConfigurationRefused {
            file: "d.toml".into(),
            configuration: Some("c0".into()),
            errors: 1,
            problems: vec!["d.toml:1:1: key: is wrong".into()],
            by: None,
        }),
        Some(Event::ConfigurationRefused(_)) => connection_refused(),
        Some(Event::ConnectionRefused(_)) => rejected(),
        Some(Event::AssociationRejected(_)) => association_opened(),
        Some(Event::AssociationOpened(_)) => operation(),
        Some(Event::Operation(_)) => association_closed(),
        Some(Event::AssociationClosed(_)) => Event::SecurityAlert(Box::new(SecurityAlert {
            reason: "records-lost".into(),
            explanation: "3 records".into(),
            records: Some(3),
            ..SecurityAlert::default()
        })),
        Some(Event::SecurityAlert(_)) => Event::FileClosed(FileClosed {
            file: "audit-2026-02-28.jsonl.zst".into(),
            lines: span(),
            sha256: "cd".into(),
        }),
        Some(Event::FileClosed(_)) => Event::RecordsDeleted(RecordsDeleted {
            file: "audit-2020-02-28.jsonl.zst".into(),
            lines: Some(span()),
            reason: "retention-days".into(),
        }),
        Some(Event::RecordsDeleted(_)) => Event::AuditLogUsed(Box::new(AuditLogUsed {
            user: "anne".into(),
            command: "search".into(),
            arguments: "audit --peer lyon".into(),
            file: "audit".into(),
            ..AuditLogUsed::default()
        })),
        Some(Event::AuditLogUsed(_)) => Event::Stopped(Stopped {
            reason: "SIGTERM".into(),
            aborted: 0,
            health_checks: None,
            duration_ms: 1,
        }),
        Some(Event::Stopped(_)) => checkpoint(),
        // The others are never written.
        Some(Event::Checkpoint(_) | Event::Other(_)) => return None,
    })
}

fn span() -> Span {
    Span { first: 3, last: 9, head: LineHash::NONE }
}

fn clock_stepped() -> Event {
    Event::ClockStepped(ClockStepped {
        expected: "2026-03-01T08:00:01.000000Z".into(),
        clock: "2026-03-01T06:00:01.000000Z".into(),
        seconds: -7200,
        followed: false,
        explanation: "the clock was set back by 7200 s; times go on by a steady clock".into(),
    })
}

fn configuration_loaded() -> Event {
    Event::ConfigurationLoaded(ConfigurationLoaded {
        file: "d.toml".into(),
        configuration: "c0".into(),
        previous: None,
        file_sha256: "f0".into(),
        certificates: Vec::new(),
        changed: None,
        waits_for_restart: Vec::new(),
        warnings: 0,
        by: None,
        changed_keys: Vec::new(),
    })
}

fn checkpoint() -> Event {
    let signature = "ab".repeat(64);
    Event::Checkpoint(Box::new(Checkpoint { records: 98, last: true, key: "ab".repeat(8), signature }))
}

fn rejected() -> Event {
    Event::AssociationRejected(Box::new(AssociationRejected {
        association: "a0".into(),
        requestor: requestor(),
        rejection: Rejection { result: 1, source: 1, reason: 3 },
        reason: "calling-ae-title-unknown".into(),
        explanation: "no peer has it".into(),
        count: None,
    }))
}

fn connection_refused() -> Event {
    Event::ConnectionRefused(Box::new(ConnectionRefused {
        association: None,
        listener: "remote".into(),
        address: Some([192, 0, 2, 9].into()),
        port: Some(1),
        tls: None,
        transport: Transport::Tls,
        reason: "certificate-revoked".into(),
        explanation: "it is on a list".into(),
        alert: None,
        certificate: None,
        abort: None,
        count: None,
    }))
}

fn requestor() -> Requestor {
    Requestor {
        listener: "remote".into(),
        peer: Some("lyon".into()),
        address: [203, 0, 113, 9].into(),
        port: 50000,
        tls: Some(Tls {
            version: "1.3".into(),
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            group: None,
            subject: Some("CN=gw".into()),
            san: Vec::new(),
            issuer: None,
            serial: None,
            fingerprint: Some("ab".into()),
            not_after: None,
            authority: None,
        }),
        identified: None,
        calling_ae_title: "LYON_CT1".into(),
        called_ae_title: "PACS".into(),
        implementation: None,
    }
}

fn association_opened() -> Event {
    Event::AssociationOpened(Box::new(AssociationOpened {
        association: "a1".into(),
        agreement: None,
        requestor: requestor(),
        upstream: upstream(),
        contexts: Vec::new(),
        rewrite: None,
        configuration: "c0".into(),
    }))
}

fn operation() -> Event {
    Event::Operation(Box::new(Operation {
        sop_class: Some("1.2.840.10008.5.1.4.1.1.2".into()),
        sop_instance: Some("1.3".into()),
        study: Some("1.4".into()),
        status: Some(0),
        ..Operation::new("a1".into(), "C-STORE", 1, Direction::FromPeer)
    }))
}

fn association_closed() -> Event {
    Event::AssociationClosed(Box::new(AssociationClosed {
        association: "a1".into(),
        agreement: None,
        requestor: requestor(),
        upstream: Some(upstream()),
        contexts: Vec::new(),
        operations: BTreeMap::new(),
        bytes: Bytes { r#in: 10, out: 20 },
        rewrite: None,
        configuration: "c0".into(),
        duration_ms: 1234,
        ended: Ended::Released.into(),
        reason: None,
        count: None,
    }))
}

fn upstream() -> Upstream {
    Upstream {
        name: "pacs".into(),
        address: "10.0.0.5:104".into(),
        called_ae_title: "PACS".into(),
        calling_ae_title: "DIMSEGATE".into(),
        tls: None,
    }
}

fn started() -> Event {
    Event::Started(Started {
        version: "0.1.0".into(),
        process_id: 4711,
        configuration: "c0".into(),
        ..Started::default()
    })
}

fn administration() -> Event {
    Event::Administration(Box::new(Administration {
        user: "alice".into(),
        user_id: Some(1000),
        role: Some("viewer".into()),
        action: "reload".into(),
        resource: "/api/v1/reload".into(),
        outcome: AdministrationOutcome::Refused,
        explanation: Some("a viewer may not".into()),
        ..Administration::default()
    }))
}

#[test]
fn every_kind_is_here_and_has_its_name_in_the_list_of_all() {
    let mut here: Vec<&str> = lines().into_iter().map(|(name, _)| name).collect();
    let mut all = EVENTS.to_vec();
    here.sort_unstable();
    all.sort_unstable();
    assert_eq!(here, all);
}

#[test]
fn every_kind_is_sent_to_repositories_or_left_out_for_a_reason() {
    let source = messages::Source {
        id: "dimsegate@gw1".into(),
        enterprise_site: None,
        host: "gw1".into(),
        application: "dimsegate".into(),
    };
    let mut renderer = messages::Renderer::new(source, messages::State::default());
    for (name, line) in lines() {
        let record = messages::read(line.as_bytes()).unwrap_or_else(|error| panic!("{name} {error}: {line}"));
        let sent = !renderer.render(&record).is_empty();
        let left_out = messages::NOT_SENT.iter().any(|(event, reason)| *event == name && !reason.is_empty());
        assert!(
            sent != left_out,
            "{name}: {}",
            if sent { "sent, and listed as left out" } else { "neither sent nor listed" }
        );
    }
}

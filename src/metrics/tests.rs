use super::{Association, Destination, Done, Ending, Levels, Limit, Metrics, Outcome, Upstream};
use crate::dimse::Operation;
use crate::vocabulary::{Ended, Reason};
use std::sync::Arc;
use std::time::Duration;

fn name(text: &str) -> Arc<str> {
    text.into()
}

fn store(milliseconds: u64) -> Done {
    Done {
        operation: Some(Operation::CStore),
        outcome: Outcome::Success,
        took: Duration::from_millis(milliseconds),
        waited: [Duration::from_millis(250), Duration::from_millis(500)],
    }
}

/// One of everything.
fn levels() -> Levels {
    let association = Association { peer: name("lyon"), upstream: name("pacs") };
    let ending =
        |seconds| Ending { kind: "certificate", table: name("[listener.tls]"), file: name("a.pem"), seconds };
    Levels {
        version: "1.2.3",
        digest: name("abc"),
        began: 1.5,
        associations: vec![association.clone(), association],
        limits: vec![
            Limit { key: "max-associations", peer: None, used: 2, allowed: Some(200) },
            Limit { key: "descriptors", peer: None, used: u64::MAX, allowed: None },
        ],
        ends: vec![ending(700), ending(-30)],
        destinations: vec![Destination {
            name: name("arr"),
            is_connected: true,
            records: 7,
            seconds: 8,
            sent: 9,
            refused: 1,
            failures: 2,
        }],
        upstreams: vec![Upstream { name: name("pacs"), up: 1, addresses: 3 }],
        records_written: 11,
        ..Levels::default()
    }
}

/// Everything counted once.
fn counted() -> Arc<Metrics> {
    let metrics = Arc::new(Metrics::default());
    let mut meter = metrics.opened(&name("tls"), &name("lyon"), &name("pacs"));
    meter.done(&store(30));
    meter.done(&store(3000));
    meter.done(&Done { operation: None, outcome: Outcome::Refused, ..store(0) });
    meter.moved([100, 10]);
    meter.moved([150, 10]);
    meter.closed(Ended::Released);
    metrics.refused(&name("tls"), None, Reason::HttpOnDicomPort.label());
    metrics.shook_hands(&name("tls"), Duration::from_millis(4));
    metrics.negotiated(&name("pacs"), Duration::from_millis(4));
    metrics.dialled(&name("pacs"), Duration::from_millis(4));
    metrics.reloaded(false);
    metrics
}

#[test]
fn what_happens_is_counted_where_it_belongs() {
    let text = counted().render(&levels());
    for line in [
        "dimsegate_associations_opened_total{listener=\"tls\",peer=\"lyon\",upstream=\"pacs\"} 1",
        "dimsegate_associations_closed_total{listener=\"tls\",peer=\"lyon\",ended=\"released\"} 1",
        "dimsegate_associations_refused_total{listener=\"tls\",peer=\"none\",reason=\"http-on-dicom-port\"} 1",
        "dimsegate_operations_total{peer=\"lyon\",operation=\"C-STORE\",outcome=\"success\"} 2",
        "dimsegate_operations_total{peer=\"lyon\",operation=\"unrecognized\",outcome=\"refused\"} 1",
        "dimsegate_traffic_bytes_total{peer=\"lyon\",direction=\"in\"} 150",
        "dimsegate_traffic_bytes_total{peer=\"lyon\",direction=\"out\"} 10",
        "dimsegate_waiting_seconds_total{peer=\"lyon\",leg=\"upstream\"} 1.5",
        "dimsegate_store_seconds_bucket{le=\"0.05\",peer=\"lyon\"} 1",
        "dimsegate_store_seconds_count{peer=\"lyon\"} 2",
        "dimsegate_configuration_reloads_total{result=\"in-force\"} 0",
        "dimsegate_configuration_reloads_total{result=\"refused\"} 1",
        "dimsegate_associations_open{peer=\"lyon\",upstream=\"pacs\"} 2",
        "dimsegate_limit_allowed{limit=\"max-associations\",peer=\"none\"} 200",
        "dimsegate_limit_used{limit=\"descriptors\",peer=\"none\"} 9223372036854775807",
        "dimsegate_ends_in_seconds{kind=\"certificate\",table=\"[listener.tls]\",file=\"a.pem\"} -30",
        "dimsegate_forwarding_behind_records{repository=\"arr\"} 7",
        "dimsegate_records_written_total 11",
        "dimsegate_build_info{version=\"1.2.3\"} 1",
        "dimsegate_configuration_info{digest=\"abc\"} 1",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    assert!(!text.contains("limit_allowed{limit=\"descriptors\""), "as many as the system gives:\n{text}");
    assert!(text.ends_with("# EOF\n"));
}

/// The line that a reader finds of each, and what is there.
#[test]
fn the_documentation_has_each_metric_with_its_type_its_labels_and_its_meaning() {
    let text = counted().render(&levels());
    let described = include_str!("../../conf/README.md");
    let mut rows = Vec::new();
    for head in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (metric, kind) = head.split_once(' ').unwrap();
        let help = text.lines().find_map(|line| line.strip_prefix(&format!("# HELP {metric} "))).unwrap();
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let sample = format!("{metric}{}", if kind == "histogram" { "_bucket" } else { suffix });
        let is_sample =
            |line: &&str| line.strip_prefix(&sample).is_some_and(|rest| rest.starts_with(['{', ' ']));
        let sample = text.lines().find(is_sample).unwrap();
        let labels = sample.split_once('{').map_or("", |(_, rest)| rest.split_once('}').unwrap().0);
        let keys = labels.split(',').filter_map(|label| label.split_once('=').map(|(key, _)| key));
        let keys: Vec<String> = keys.filter(|key| *key != "le").map(|key| format!("`{key}`")).collect();
        let help = help.trim_end_matches('.');
        rows.push(format!("| `{metric}{suffix}` | {kind} | {} | {help} |", keys.join(", ")));
    }
    let missing: Vec<&String> = rows.iter().filter(|row| !described.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "conf/README.md lacks, as they are:\n{}", rows.join("\n"));
    let told = described.lines().filter(|line| line.starts_with("| `dimsegate_")).count();
    assert_eq!(told, rows.len(), "conf/README.md tells of metrics that there are not");
}

/// Of what an operation may cost: no look-up, no lock but that of a histogram.
#[test]
fn an_operation_is_counted_by_what_was_found_before() {
    let metrics = Arc::new(Metrics::default());
    let mut meter = metrics.opened(&name("tls"), &name("lyon"), &name("pacs"));
    meter.done(&store(3));
    // Held, so that a look-up by labels would wait for ever.
    let held = metrics.operations.get_or_create_owned(&[
        ("peer", name("lyon")),
        ("operation", name("C-STORE")),
        ("outcome", name("success")),
    ]);
    metrics.operations.clear();
    meter.done(&store(3));
    assert_eq!(held.get(), 2);
}

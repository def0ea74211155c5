use std::fmt::Write;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::super::figures::{Figures, Kind, Period, figures};
use super::super::{files, stamp};
use super::{two_days, write};
use crate::audit::OperationCounts;
use crate::scratch::Scratch;

const BEGIN: OffsetDateTime = datetime!(2026-03-01 0:00 UTC);

#[derive(Default)]
struct Log {
    lines: Vec<(OffsetDateTime, String)>,
}

impl Log {
    fn add(&mut self, at: OffsetDateTime, event: &str, peer: &str, address: &str, title: &str, print: &str) {
        let line = serde_json::json!({
            "time": stamp(at), "event": event, "sequence": self.lines.len(), "association": format!("a-{}", self.lines.len()),
            "peer": Some(peer).filter(|peer| !peer.is_empty()), "address": address, "calling-ae-title": title, "called-ae-title": "PACS",
            "tls": {"version": "1.3", "cipher": "c", "subject": "s", "san": [], "fingerprint": print, "issuer": "CN=named", "authority": {"subject": "CN=CA"}, "not-after": "2026-04-01T00:00:00Z"},
            "reason": if event.ends_with("opened") { None } else { Some("calling-ae-title-unknown") },
        });
        self.lines.push((at, line.to_string()));
    }

    /// Six weekdays of lyon from 8 to 11 o'clock.
    fn usual() -> Self {
        let mut log = Self::default();
        for (day, hour) in (0..6).flat_map(|day| (8..12).map(move |hour| (day, hour))) {
            let at = BEGIN + Duration::days(day) + Duration::hours(hour);
            log.add(at, "association-opened", "lyon", "203.0.113.7", "LYON_CT1", "aa");
        }
        log
    }

    fn figures(mut self, from: OffsetDateTime, to: OffsetDateTime) -> Figures {
        let folder = Scratch::new();
        self.lines.sort();
        for day in 0..40 {
            let begin = BEGIN + Duration::days(day);
            let mut text = String::new();
            for (_, line) in self.lines.iter().filter(|(at, _)| *at >= begin && *at < begin + Duration::DAY) {
                writeln!(text, "{line}").unwrap();
            }
            write(folder.path(), &format!("audit-{}.jsonl", begin.date()), &text);
        }
        figures(&files(folder.path()).unwrap(), Period { from, to })
    }
}

fn kinds(figures: &Figures) -> Vec<(Kind, bool, u64)> {
    figures.unusual.iter().map(|found| (found.kind.clone(), found.refused, found.bucket.count)).collect()
}

#[test]
fn what_the_log_has_seen_is_not_unusual() {
    let week = BEGIN + Duration::days(7);
    assert_eq!(kinds(&Log::usual().figures(BEGIN, week)), []);
    let mut log = Log::usual();
    log.add(
        BEGIN + Duration::days(6) + Duration::hours(12),
        "association-opened",
        "lyon",
        "203.0.113.7",
        "LYON_CT1",
        "aa",
    );
    assert_eq!(kinds(&log.figures(BEGIN + Duration::days(6), week)), []);
}

#[test]
fn strangers_and_changes_are() {
    let mut log = Log::usual();
    let at = |minutes: i64| BEGIN + Duration::days(6) + Duration::hours(9) + Duration::minutes(minutes);
    log.add(at(0), "association-opened", "lyon", "203.0.113.7", "LYON_CT2", "aa");
    log.add(at(1), "association-opened", "lyon", "203.0.113.8", "LYON_CT1", "aa");
    log.add(at(2), "association-rejected", "", "192.0.2.1", "LYON_CT1", "zz");
    log.add(at(3), "association-rejected", "", "192.0.2.1", "LYON_CT1", "zz");
    log.add(at(4), "association-opened", "zurich", "198.51.100.9", "ZRH", "bb");
    log.add(at(5), "association-opened", "zurich", "198.51.100.9", "ZRH", "bb");
    log.add(at(6), "association-opened", "lyon", "203.0.113.7", "LYON_CT1", "cc");
    log.add(at(7), "association-rejected", "", "192.0.2.77", "<script>", "zz");
    let text = str::to_owned;
    let known = || text("203.0.113.7");
    let title = || text("LYON_CT1");
    assert_eq!(
        kinds(&log.figures(BEGIN + Duration::days(6), BEGIN + Duration::days(7))),
        [
            (
                Kind::KnownTitleFromNewAddress { title: title(), address: text("192.0.2.1"), known: known() },
                true,
                2
            ),
            (
                Kind::KnownTitleFromNewAddress {
                    title: title(),
                    address: text("203.0.113.8"),
                    known: known()
                },
                false,
                1
            ),
            (Kind::NewCertificateOfTitle { title: title(), fingerprint: text("cc") }, false, 1),
            (Kind::NewTitleFromKnownAddress { title: text("LYON_CT2"), address: known() }, false, 1),
            (Kind::FirstPeer { peer: text("zurich") }, false, 2),
            (Kind::NewAddress { address: text("192.0.2.77") }, true, 1),
        ]
    );
}

#[test]
fn a_peer_at_an_hour_of_its_own_is_known_and_at_another_is_unusual() {
    let mut log = Log::usual();
    let night = BEGIN + Duration::days(6) + Duration::hours(2);
    log.add(night, "association-opened", "lyon", "203.0.113.7", "LYON_CT1", "aa");
    log.add(night + Duration::MINUTE, "association-opened", "lyon", "203.0.113.7", "LYON_CT1", "aa");
    let figures = log.figures(BEGIN + Duration::days(6), BEGIN + Duration::days(7));
    assert_eq!(kinds(&figures), [(Kind::Hour { peer: "lyon".into(), hour: 2 }, false, 2)]);
    assert_eq!(figures.peers["lyon"].1[2], 2);
}

#[test]
fn ten_refusals_in_five_minutes_are_a_burst_and_nine_are_none() {
    let refusals = |count: i64, apart: Duration| {
        let mut log = Log::default();
        for number in 0..count {
            let at = BEGIN + apart * i32::try_from(number).unwrap();
            log.add(at, "connection-refused", "", "192.0.2.1", "", "");
        }
        kinds(&log.figures(BEGIN, BEGIN + Duration::DAY))
    };
    assert_eq!(refusals(9, Duration::SECOND), []);
    assert_eq!(refusals(30, Duration::seconds(40)), []);
    let found = refusals(30, Duration::seconds(20));
    let last = BEGIN + Duration::seconds(580);
    let burst = Kind::Burst { address: "192.0.2.1".into(), seconds: 580, first: BEGIN, last };
    assert_eq!(found, [(burst, true, 30)]);
}

#[test]
fn a_record_of_many_refusals_counts_as_many() {
    let mut log = Log::default();
    for (second, count) in [(0, None), (60, Some(499_u64))] {
        let at = BEGIN + Duration::seconds(second);
        log.add(at, "connection-refused", "", "192.0.2.1", "", "");
        let (_, line) = log.lines.last_mut().unwrap();
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["count"] = count.into();
        *line = record.to_string();
    }
    let figures = log.figures(BEGIN, BEGIN + Duration::DAY);
    assert_eq!((figures.records, figures.refusals.count, figures.refused.count()), (2, 500, 500));
    assert_eq!(figures.timeline[&BEGIN], (0, 500));
    let found = kinds(&figures);
    assert!(matches!(found[..], [(Kind::Burst { .. }, true, 500)]), "{found:?}");
}

#[test]
fn everything_is_added_up_once() {
    let folder = two_days();
    let period = Period { from: BEGIN, to: BEGIN + Duration::days(2) };
    let figures = figures(&files(folder.path()).unwrap(), period);
    assert_eq!((figures.records, figures.kept.lines), (9, 9));
    assert_eq!((figures.associations.count, figures.refusals.count), (2, 1));
    let stores = &figures.operations["C-STORE"];
    assert_eq!(stores.counts, OperationCounts { success: 1, failure: 1, ..OperationCounts::default() });
    assert_eq!((stores.bytes, stores.longest_ms), (200, 4));
    let route = &figures.routes[&("lyon".to_owned(), "pacs".to_owned())];
    assert_eq!((route.bytes.r#in, route.bytes.out), (300, 20));
    let labels = |ranking: &super::super::figures::Ranking| {
        ranking.ranked().iter().map(|(label, bucket)| ((*label).to_owned(), bucket.count)).collect::<Vec<_>>()
    };
    assert_eq!(labels(&figures.failed), [("0xA700".to_owned(), 1), ("operation-not-allowed".to_owned(), 1)]);
    assert_eq!(labels(&figures.versions), [("1.3".to_owned(), 1), ("plain".to_owned(), 1)]);
    assert_eq!(labels(&figures.endings), [("timeout".to_owned(), 1)]);
    assert_eq!(labels(&figures.refused), [("calling-ae-title-unknown".to_owned(), 1)]);
    assert_eq!(figures.timeline.values().fold((0, 0), |sum, step| (sum.0 + step.0, sum.1 + step.1)), (2, 1));
}

#[test]
fn each_figure_keeps_its_newest_records_and_certificates_their_end() {
    let figures = Log::usual().figures(BEGIN, BEGIN + Duration::days(9));
    let newest: Vec<u64> = figures.associations.newest.iter().map(|record| record.sequence).collect();
    assert_eq!((figures.associations.count, newest), (24, (14..24).collect()));
    let certificate = &figures.certificates.shown["aa"];
    assert_eq!((certificate.ends, certificate.bucket.count), (Some(datetime!(2026-04-01 0:00 UTC)), 24));
    assert_eq!(certificate.issuer, "CN=CA");
}

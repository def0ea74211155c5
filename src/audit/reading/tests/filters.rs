use time::macros::datetime;

use super::super::Filter;
use super::{found, two_days};
use crate::scratch::Scratch;

fn sequences(change: impl FnOnce(&mut Filter)) -> Vec<u64> {
    let mut filter = Filter::default();
    change(&mut filter);
    let folder = two_days();
    let (sequences, kept) = found(folder.path(), &filter);
    assert!(kept.is_whole(), "{kept:?}");
    sequences
}

fn pattern(text: &str) -> Option<super::super::Pattern> {
    text.parse().ok()
}

#[test]
fn an_operation_has_what_its_association_has() {
    assert_eq!(sequences(|f| f.of_association.peer = pattern("lyon")), [2, 3, 4, 5]);
    assert_eq!(sequences(|f| f.of_association.calling = pattern("LYON_*")), [2, 3, 4, 5]);
    assert_eq!(sequences(|f| f.of_association.called = pattern("PAC?")), [2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(sequences(|f| f.of_association.address = "198.51.100.0/24".parse().ok()), [6, 7]);
    assert_eq!(sequences(|f| f.of_association.tls = pattern("plain")), [6, 7, 8]);
    assert_eq!(sequences(|f| f.of_association.tls = pattern("1.3")), [2, 3, 4, 5]);
    assert_eq!(sequences(|f| f.of_association.certificate = pattern("aa")), [2, 3, 4]);
    assert_eq!(sequences(|f| f.of_association.upstream = pattern("pacs")), [2, 3, 4, 5]);
    assert_eq!(sequences(|f| f.of_association.listener = pattern("local")), [6, 7]);
}

#[test]
fn an_operation_keeps_its_association_over_midnight() {
    let late = |f: &mut Filter| {
        f.from = Some(datetime!(2026-03-01 12:00 UTC));
        f.to = Some(datetime!(2026-03-02 00:00 UTC));
        f.of_association.peer = pattern("lyon");
    };
    assert_eq!(sequences(late), [4]);
}

#[test]
fn operations_are_found_by_what_they_say() {
    assert_eq!(sequences(|f| f.of_operation.operation = pattern("C-STORE")), [3, 4]);
    assert_eq!(sequences(|f| f.of_operation.sop_instance = pattern("2.25.11")), [3]);
    assert_eq!(sequences(|f| f.of_operation.study = pattern("2.25.9")), [3, 4]);
    assert_eq!(sequences(|f| f.of_operation.patient = pattern("p\u{1b}\"q")), [4]);
    assert_eq!(sequences(|f| f.of_operation.patient = pattern("p??q")), [4]);
    assert_eq!(sequences(|f| f.of_operation.status = pattern("0xA7*")), [4]);
}

#[test]
fn operations_are_found_by_their_fault_and_by_what_was_tolerated() {
    let operation = |sequence: u64, more: &str| {
        format!(
            r#"{{"time":"2026-03-01T08:30:01.000000Z","event":"operation","sequence":{sequence},"operation":"C-STORE"{more}}}"#
        ) + "\n"
    };
    let lines = [
        operation(1, ""),
        operation(2, r#","fault":{"element":"(0010,0010)","offset":9,"problem":"its length is odd"}"#),
        operation(
            3,
            r#","fault":{"offset":9,"problem":"an item is cut off"},"tolerated":["data-set-order"]"#,
        ),
        operation(4, r#","tolerated":["command-padding","response-command-order"]"#),
    ];
    let folder = Scratch::new();
    super::write(folder.path(), "audit-2026-03-01.jsonl", &lines.concat());
    let of = |change: &dyn Fn(&mut super::super::filter::OfOperation)| {
        let mut filter = Filter::default();
        change(&mut filter.of_operation);
        found(folder.path(), &filter).0
    };
    assert_eq!(of(&|of| of.fault = pattern("(0010,0010)")), [2]);
    assert_eq!(of(&|of| of.fault = pattern("*cut off")), [3]);
    assert_eq!(of(&|of| of.fault = pattern("*")), [2, 3]);
    assert_eq!(of(&|of| of.tolerated = pattern("data-set-order")), [3]);
    assert_eq!(of(&|of| of.tolerated = pattern("*-order")), [3, 4]);
    assert_eq!(of(&|of| of.tolerated = pattern("*")), [3, 4]);
}

#[test]
fn a_run_is_found_by_what_it_found_of_the_trail() {
    let run = |sequence: u64, more: &str| {
        format!(
            r#"{{"time":"2026-03-01T08:30:01.000000Z","event":"trail-continued","sequence":{sequence},{more},"recovered":false}}"#
        ) + "\n"
    };
    let lines = [
        run(1, r#""files":0,"unsigned":0,"ended":false,"head":"new""#),
        run(2, r#""files":1,"last":1,"unsigned":0,"ended":true,"head":"fits""#),
        run(3, r#""files":1,"last":2,"unsigned":2,"ended":false,"head":"fits""#),
        run(4, r#""files":1,"last":3,"unsigned":0,"ended":true,"head":"cut","explanation":"cut off""#),
    ];
    let folder = Scratch::new();
    super::write(folder.path(), "audit-2026-03-01.jsonl", &lines.concat());
    let of = |outcome: &str| {
        found(folder.path(), &Filter { outcome: outcome.parse().ok(), ..Filter::default() }).0
    };
    assert_eq!((of("success"), of("warning"), of("failure")), (vec![1, 2], vec![3], vec![4]));
    assert_eq!(found(folder.path(), &Filter { reason: pattern("cut"), ..Filter::default() }).0, [4]);
}

#[test]
fn outcomes_reasons_and_endings() {
    let outcome = |text: &str| {
        let wanted = text.parse().unwrap();
        sequences(move |f| f.outcome = Some(wanted))
    };
    assert_eq!(outcome("success"), [2, 3, 6]);
    assert_eq!(outcome("failure"), [4, 5]);
    assert_eq!(outcome("refused"), [7, 8]);
    assert_eq!(outcome("ended=timeout"), [5]);
    assert_eq!(outcome("ended=released"), Vec::<u64>::new());
    assert!("done".parse::<super::super::Wanted>().is_err());
    assert_eq!(sequences(|f| f.reason = pattern("calling-ae-title-unknown")), [8]);
    assert_eq!(sequences(|f| f.reason = pattern("*idle*")), [5]);
}

#[test]
fn events_associations_times_and_hours() {
    assert_eq!(sequences(|f| f.events = vec!["operation".into(), "started".into()]), [1, 3, 4, 7]);
    assert_eq!(sequences(|f| f.events = vec!["checkpoint".into()]), [9]);
    assert_eq!(sequences(|f| f.association = Some("a-1".into())), [2, 3, 4, 5]);
    assert_eq!(sequences(|f| f.from = Some(datetime!(2026-03-02 09:30 UTC))), [8, 9]);
    assert_eq!(sequences(|f| f.to = Some(datetime!(2026-03-01 08:30 UTC))), [1]);
    assert_eq!(sequences(|f| f.hours = "23-0".parse().ok()), [4, 5]);
    assert_eq!(sequences(|f| f.hours = "10".parse().ok()), [9]);
    assert_eq!(["24", "1-", "-3", "x"].map(|text| text.parse::<super::super::Hours>().is_err()), [true; 4]);
}

#[test]
fn conditions_hold_together() {
    let both = |f: &mut Filter| {
        f.of_association.peer = pattern("lyon");
        f.of_operation.operation = pattern("C-STORE");
        f.outcome = "failure".parse().ok();
    };
    assert_eq!(sequences(both), [4]);
}

#[test]
fn who_was_refused_before_tls_was_there_did_not_speak_plain() {
    let folder = Scratch::new();
    let refused = |sequence: u64, more: &str| {
        format!(
            r#"{{"time":"2026-03-01T08:00:00.000000Z","event":"connection-refused","sequence":{sequence},"listener":"remote","address":"192.0.2.9","port":1,{more}"reason":"x"}}"#
        )
    };
    let lines = [
        refused(1, r#""transport":"tls","#),
        refused(2, r#""transport":"plain","#),
        // Older ones do not say.
        refused(3, ""),
        refused(4, r#""transport":"tls","tls":{"version":"1.3","cipher":"c"},"#),
        r#"{"time":"2026-03-01T08:00:00.000000Z","event":"security-alert","sequence":5,"address":"192.0.2.9","reason":"x"}"#.to_owned(),
    ];
    super::write(folder.path(), "audit-2026-03-01.jsonl", &lines.join("\n"));
    let over = |version: &str| {
        let mut filter = Filter::default();
        filter.of_association.tls = version.parse().ok();
        found(folder.path(), &filter).0
    };
    assert_eq!((over("plain"), over("1.3")), (vec![2], vec![4]));
}

#[test]
fn objects_that_passed_without_the_rewrite_of_their_peer_are_found() {
    let folder = two_days();
    let mut filter = Filter::default();
    filter.of_operation.unrewritten = true;
    filter.of_association.rewrite = "*".parse().ok();
    // The third says nothing of a rewrite; the fourth failed; the peer of the others has none.
    assert_eq!(found(folder.path(), &filter).0, [3]);
}

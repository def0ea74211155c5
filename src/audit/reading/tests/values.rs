use proptest::prelude::*;
use proptest::sample::Index;
use time::macros::datetime;

use crate::audit::tests::kinds;

use super::super::{Edge, Pattern, parse_when, stamp};
use crate::audit::record::{Bytes, Event, Outcome, Record};

#[test]
fn times_as_people_write_them() {
    let now = datetime!(2026-03-10 12:00 UTC);
    for (text, from, to) in [
        ("2026-03-01", datetime!(2026-03-01 0:00 UTC), datetime!(2026-03-02 0:00 UTC)),
        ("today", datetime!(2026-03-10 0:00 UTC), datetime!(2026-03-11 0:00 UTC)),
        ("yesterday", datetime!(2026-03-09 0:00 UTC), datetime!(2026-03-10 0:00 UTC)),
        ("now", now, now),
        ("90s", datetime!(2026-03-10 11:58:30 UTC), datetime!(2026-03-10 11:58:30 UTC)),
        ("24h", datetime!(2026-03-09 12:00 UTC), datetime!(2026-03-09 12:00 UTC)),
        ("2w", datetime!(2026-02-24 12:00 UTC), datetime!(2026-02-24 12:00 UTC)),
        ("2026-03-01T08:30", datetime!(2026-03-01 8:30 UTC), datetime!(2026-03-01 8:30 UTC)),
        ("2026-03-01 08:30:15", datetime!(2026-03-01 8:30:15 UTC), datetime!(2026-03-01 8:30:15 UTC)),
        (
            "2026-03-01T08:30:00.5+01:00",
            datetime!(2026-03-01 7:30:00.5 UTC),
            datetime!(2026-03-01 7:30:00.5 UTC),
        ),
    ] {
        assert_eq!(parse_when(text, now, Edge::From).unwrap(), from, "{text}");
        assert_eq!(parse_when(text, now, Edge::To).unwrap(), to, "{text}");
    }
    for text in ["", "h", "-1h", "é", "2026-02-30", "99999999999999999999h", "9223372036854775807w", "24x"] {
        assert!(parse_when(text, now, Edge::From).is_err(), "{text}");
    }
    assert_eq!(stamp(datetime!(2026-03-01 7:30:00.5 +01:00)), "2026-03-01T06:30:00.500000Z");
}

#[test]
fn a_record_of_another_shape_keeps_its_head() {
    let record =
        Record::read(br#"{"time":"t","event":"later","sequence":4,"tls":"x","reason":"r: s"}"#).unwrap();
    assert_eq!((record.event.name(), record.sequence, record.label()), ("later", 4, Some("r")));
    assert!(Record::read(b"[]").is_err() && Record::read(br#"{"time":3}"#).is_err());
}

#[test]
fn bytes_are_read_from_operations_and_from_associations() {
    let read = |event: &str, bytes: &str| {
        let line = format!(r#"{{"time":"t","event":"{event}","bytes":{bytes}}}"#);
        Record::read(line.as_bytes()).unwrap().event
    };
    assert!(matches!(read("operation", "7"), Event::Operation(operation) if operation.bytes == 7));
    let Event::AssociationClosed(closed) = read("association-closed", r#"{"in":1,"x":[2],"out":3}"#) else {
        panic!("another event")
    };
    assert_eq!(closed.bytes, Bytes { r#in: 1, out: 3 });
}

#[test]
fn an_operation_turns_out_as_it_is_counted() {
    let outcome = |fields: &str| {
        let line = format!(r#"{{"time":"t","event":"operation",{fields}}}"#);
        Record::read(line.as_bytes()).unwrap().outcome().unwrap()
    };
    assert_eq!(outcome(r#""status":"0x0000""#), Outcome::Success);
    assert_eq!(outcome(r#""status":"0xB007""#), Outcome::Warning);
    assert_eq!(outcome(r#""status":"0xC001""#), Outcome::Failure);
    assert_eq!(outcome(r#""status":"0x0124""#), Outcome::Failure);
    assert_eq!(outcome(r#""status":"0x0124","reason":"operation-not-allowed""#), Outcome::Refused);
    assert_eq!(outcome(r#""status":"0xC000","reason":"rewrite-failed""#), Outcome::Failure);
    assert_eq!(outcome(r#""reason":"never-answered""#), Outcome::Failure);
}

fn naive(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            naive(rest, text) || text.split_first().is_some_and(|(_, text)| naive(pattern, text))
        }
        (Some((wanted, rest)), Some((found, text))) => {
            (*wanted == '?' || wanted == found) && naive(rest, text)
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn patterns_fit_as_their_definition_says(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        let compiled: Pattern = pattern.parse().unwrap();
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(compiled.matches(&text), naive(&characters(&pattern), &characters(&text)));
    }

    #[test]
    fn a_needle_is_in_every_line_that_fits(pattern in "[ab*? é\"\\\\/<]{0,6}", text in "[ab é\"\\\\/<\u{1b}]{0,6}") {
        let compiled: Pattern = pattern.parse().unwrap();
        let line = serde_json::json!({ "calling-ae-title": text }).to_string();
        if let (true, Some(needle)) = (compiled.matches(&text), compiled.needle()) {
            prop_assert!(line.contains(&needle), "{} in {}", needle, line);
        }
    }

    #[test]
    fn any_bytes_are_no_record_unless_they_are_an_object(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let is_object = line.trim_ascii_start().starts_with(b"{");
        prop_assert!(Record::read(&line).is_err() || is_object);
    }

    #[test]
    fn what_is_left_of_a_record_with_another_byte_has_a_time_and_an_event_or_is_none(
        kind in any::<Index>(), at in any::<Index>(), byte in any::<u8>(),
    ) {
        let lines = kinds::lines();
        let mut line = kind.get(&lines).1.clone().into_bytes();
        prop_assert!(Record::read(&line).is_ok());
        let at = at.index(line.len());
        line[at] = byte;
        if let Ok(record) = Record::read(&line) {
            prop_assert!(!record.time.is_empty() && !record.event.name().is_empty() && record.times() > 0);
            let _ = (record.at(), record.address(), record.label(), record.outcome());
        }
    }
}

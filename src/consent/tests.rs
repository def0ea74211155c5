//! What lists, objects and servers say.

use std::fs;
use std::io::Read;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};
use time::macros::{date, datetime};
use time::{Date, OffsetDateTime};

use super::{Distribution, List, ListError, MOST_BYTES, Remembered, Said, Who, of_object, query, said_by};
use crate::scratch::Scratch;

const TODAY: Date = date!(2026 - 12 - 01);
const NOW: OffsetDateTime = datetime!(2026-12-01 12:00 UTC);

fn who(identifier: &str, issuer: &str) -> Who {
    Who { identifier: identifier.into(), issuer: issuer.into() }
}

fn list(lines: &str) -> List {
    List::read(lines.as_bytes(), "").unwrap()
}

fn wrong(lines: impl AsRef<[u8]>) -> ListError {
    List::read(lines.as_ref(), "").unwrap_err()
}

#[test]
fn a_list_says_who_has_consented_to_what_and_until_when() {
    let list = list(
        "Identifier,issuer,decision,scope,until\r\n\
         P1,,granted,,\r\n\
         P2,LYON,granted,research,2026-12-01\n\n\
         P3,,withdrawn,,\n\
         \"P,\"\"4\"\"\", ,Granted,research,2026-11-30\n\
         P5,,granted,,\nP5,,withdrawn,research,\n\
         P6,,granted,research,\nP6,,granted,teaching,\n",
    );
    let said = |identifier: &str, issuer: &str, scope| list.said(&who(identifier, issuer), scope, TODAY);
    use Said::{Granted, Unknown, Withdrawn};
    for (identifier, issuer, scope, expected) in [
        ("P1", "", None, Granted),
        ("P1", "", Some("research"), Granted),
        ("P1", "LYON", None, Unknown),
        ("P2", "LYON", Some("research"), Granted),
        ("P2", "LYON", Some("Research"), Unknown),
        ("P2", "LYON", None, Unknown),
        ("P2", "", Some("research"), Unknown),
        ("P3", "", None, Withdrawn),
        ("P3", "ANY", Some("research"), Withdrawn),
        ("P,\"4\"", "", Some("research"), Unknown),
        ("P5", "", Some("teaching"), Granted),
        ("P5", "", Some("research"), Withdrawn),
        ("P5", "", None, Withdrawn),
        ("P6", "", Some("teaching"), Granted),
        ("P6", "", Some("other"), Unknown),
        ("P7", "", None, Unknown),
    ] {
        assert_eq!(said(identifier, issuer, scope), expected, "{identifier} {issuer} {scope:?}");
    }
    let day_before = date!(2026 - 11 - 30);
    assert_eq!(list.said(&who("P,\"4\"", ""), Some("research"), day_before), Granted, "the last day counts");
}

#[test]
fn the_issuer_of_a_list_is_that_of_whoever_has_none() {
    let lines = "identifier,issuer,decision\nP1,,granted\nP2,LYON,granted\nP3,PARIS,granted\nP4,,withdrawn\n";
    let list = List::read(lines.as_bytes(), "LYON").unwrap();
    let said = |identifier: &str, issuer: &str| list.said(&who(identifier, issuer), None, TODAY);
    for (identifier, issuer) in [("P1", ""), ("P1", "LYON"), ("P2", ""), ("P2", "LYON"), ("P3", "PARIS")] {
        assert_eq!(said(identifier, issuer), Said::Granted, "{identifier} {issuer}");
    }
    for (identifier, issuer) in [("P1", "PARIS"), ("P3", ""), ("P3", "LYON")] {
        assert_eq!(said(identifier, issuer), Said::Unknown, "{identifier} {issuer}");
    }
    assert_eq!(
        [said("P4", ""), said("P4", "PARIS")],
        [Said::Withdrawn; 2],
        "a withdrawal without an issuer is of all"
    );
}

#[test]
fn what_is_wrong_with_a_list_is_told_with_its_line_and_without_its_patient() {
    let header = "identifier,decision,scope,until\n";
    let long = format!("{header}{},granted,,\n", "S3CRET".repeat(400));
    for (lines, line, problem) in [
        (
            format!("{header}S3CRET,granted,,\nS3CRET,withdrawn,,\n"),
            3,
            "is about the same patient and scope as line 2",
        ),
        (format!("{header}S3CRET,granted\n"), 2, "has 2 fields instead of 4"),
        (format!("{header},granted,,\n"), 2, "has no identifier"),
        (format!("{header}S3CRET,yes,,\n"), 2, "has a decision that is neither"),
        (format!("{header}S3CRET,granted,,2026-02-30\n"), 2, "has an until that is no day"),
        (format!("{header}\"S3CRET,granted,,\n"), 2, "has a quote that nothing closes"),
        (format!("{header}\"S3CRET\"x,granted,,\n"), 2, "has text behind a closing quote"),
        (format!("{header}S3\u{1}CRET,granted,,\n"), 2, "has a control character"),
        (format!("{header}S3CRET{}\n", ",".repeat(20)), 2, "has more than 16 fields"),
        (long, 2, "is longer than 1024 bytes"),
        ("S3CRET,granted\n".into(), 1, "names a column that a list of consents does not have"),
        ("identifier;decision\n".into(), 1, "names a column that a list of consents does not have"),
        ("identifier,identifier,decision\n".into(), 1, "names column identifier twice"),
        ("identifier,scope\n".into(), 1, "names no column decision"),
    ] {
        let error = wrong(&lines);
        assert_eq!((error.line, &*error.problem), (Some(line), problem), "{lines}");
        assert!(!format!("{error} {}", error.remedy).contains("S3CRET"), "{error}");
    }
    assert_eq!((wrong("").line, wrong("").problem), (None, "is empty".into()));
    // Other encodings: UTF-16, and Latin-1 in a name.
    let utf16: Vec<u8> = "identifier,decision\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [&[0xFF, 0xFE][..], &utf16].concat();
    let latin = [header.as_bytes(), b"M\xFCLLER,granted,,\n"].concat();
    for (bytes, line) in [(utf16, 1), (latin, 2)] {
        let error = wrong(bytes);
        assert_eq!((error.line, &*error.problem), (Some(line), "is not UTF-8"));
    }
    let marked = List::read("\u{FEFF}identifier,decision\nP1,granted\n".as_bytes(), "").unwrap();
    assert_eq!(
        marked.said(&who("P1", ""), None, TODAY),
        Said::Granted,
        "what some programs begin a file with"
    );
}

/// A list of so many lines, made while it is read.
struct Many {
    next: u32,
    lines: u32,
    left: Vec<u8>,
}

impl Many {
    fn of(lines: u32) -> Self {
        Self { next: 0, lines, left: b"identifier,issuer,decision,scope,until\n".to_vec() }
    }
}

impl Read for Many {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.left.len() < into.len() && self.next < self.lines {
            let line = format!("PAT-{:09},LYON,granted,research,2030-12-31\n", self.next);
            self.left.extend_from_slice(line.as_bytes());
            self.next += 1;
        }
        let count = into.len().min(self.left.len());
        into[..count].copy_from_slice(&self.left[..count]);
        self.left.drain(..count);
        Ok(count)
    }
}

#[test]
fn a_million_lines_take_less_than_29_megabytes_and_are_found() {
    let list = List::read(Many::of(1_000_000), "").unwrap();
    assert_eq!((list.len(), list.bytes()), (1_000_000, 28_262_148));
    for number in [0, 1, 499_999, 999_999] {
        let who = who(&format!("PAT-{number:09}"), "LYON");
        assert_eq!(list.said(&who, Some("research"), TODAY), Said::Granted, "{number}");
        assert_eq!(list.said(&who, Some("teaching"), TODAY), Said::Unknown, "{number}");
    }
    assert_eq!(list.said(&who("PAT-001000000", "LYON"), Some("research"), TODAY), Said::Unknown);
}

#[test]
fn ten_million_lines_are_refused_with_the_first_one_that_is_too_much() {
    let error = List::read(Many::of(10_000_000), "").unwrap_err();
    let behind = error.line.unwrap();
    assert_eq!(error.problem, "is behind the first 64 MiB, of which a list may be");
    let bytes = 39 + u64::from(behind - 1) * 47;
    assert!(bytes > MOST_BYTES && bytes - MOST_BYTES <= 47, "{behind}");
    // Short ones are counted.
    let lines = "identifier,decision\n1,granted\n\n2,granted\n3,granted\n";
    let error = List::read_most(lines.as_bytes(), "", 2).unwrap_err();
    assert_eq!((error.line, &*error.problem), (Some(5), "is one too many: a list may have 2"));
}

#[test]
fn a_list_is_a_file_that_stands_still_or_none() {
    let home = Scratch::new();
    let file = home.path().join("consents.csv");
    assert!(List::open(&file, "").unwrap_err().problem.starts_with("cannot be read: "));
    fs::create_dir(&file).unwrap();
    assert!(List::open(&file, "").unwrap_err().problem.contains("a folder"));
    fs::remove_dir(&file).unwrap();
    fs::write(&file, "identifier,decision\nP1,granted\n").unwrap();
    assert_eq!(List::open(&file, "").unwrap().len(), 1);
}

fn item(flag: &str, kind: &str, protocol: &str) -> Distribution {
    let of = |text: &str| text.as_bytes().to_vec();
    Distribution { flag: of(flag), kind: of(kind), protocol: of(protocol) }
}

#[test]
fn an_object_says_for_which_protocol_its_patient_has_consented() {
    let said = |items: &[(&str, &str, &str)], purpose| {
        let items: Vec<_> = items.iter().map(|(flag, kind, protocol)| item(flag, kind, protocol)).collect();
        of_object(&items, b"TRIAL-1", purpose)
    };
    use Said::{Granted, Unknown, Withdrawn};
    let own = ("YES", "NAMED_PROTOCOL", "");
    assert_eq!(said(&[], Some("TRIAL-1")), Unknown);
    assert_eq!(said(&[own], Some("TRIAL-1")), Granted);
    assert_eq!(said(&[own], Some("TRIAL-2")), Unknown);
    assert_eq!(said(&[own], None), Unknown, "nobody says what for");
    assert_eq!(said(&[("YES", "NAMED_PROTOCOL", "TRIAL-2")], Some("TRIAL-2")), Granted);
    assert_eq!(said(&[("YES", "RESTRICTED_REUSE", "")], Some("RESTRICTED_REUSE")), Granted);
    assert_eq!(said(&[("YES", "PUBLIC_RELEASE", "")], None), Granted);
    assert_eq!(said(&[("YES", "PUBLIC_RELEASE", "")], Some("TRIAL-9")), Granted);
    assert_eq!(said(&[("YES", "", "")], Some("TRIAL-1")), Unknown, "a type is required beside it");
    for flag in ["NO", "WITHDRAWN", "", "yes"] {
        assert_eq!(said(&[own, (flag, "NAMED_PROTOCOL", "")], Some("TRIAL-1")), Withdrawn, "{flag}");
        assert_eq!(said(&[own, (flag, "", "")], Some("TRIAL-1")), Withdrawn, "{flag}");
        assert_eq!(said(&[own, (flag, "PUBLIC_RELEASE", "")], Some("TRIAL-1")), Granted, "{flag}");
    }
}

fn consent(status: &str, provision: impl Into<Value>) -> Value {
    let provision: Value = provision.into();
    json!({"resource": {"resourceType": "Consent", "status": status, "provision": provision,
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]}}})
}

fn bundle(entries: &[Value]) -> Vec<u8> {
    json!({"resourceType": "Bundle", "type": "searchset", "entry": entries}).to_string().into_bytes()
}

#[test]
fn a_server_says_by_consents_that_are_active_and_not_narrowed() {
    use Said::{Granted, Unknown, Withdrawn};
    let said = |entries: &[Value]| said_by(&bundle(entries), Some("research"), NOW).unwrap();
    let permit = || consent("active", json!({"type": "permit"}));
    assert_eq!(said(&[]), Unknown);
    assert_eq!(said(&[permit()]), Granted);
    assert_eq!(said_by(&bundle(&[permit()]), Some("treatment"), NOW), Ok(Unknown));
    assert_eq!(said_by(&bundle(&[permit()]), None, NOW), Ok(Unknown));
    assert_eq!(said(&[permit(), consent("active", json!({"type": "deny"}))]), Withdrawn);
    assert_eq!(said(&[consent("inactive", json!({"type": "permit"}))]), Withdrawn);
    assert_eq!(said(&[permit(), consent("inactive", json!({"type": "permit"}))]), Granted, "it was renewed");
    assert_eq!(said(&[consent("draft", json!({"type": "permit"}))]), Unknown);
    for (period, expected) in [
        (json!({"start": "2026-12-01", "end": "2026-12-01"}), Granted),
        (json!({"end": "2026-11-30"}), Unknown),
        (json!({"start": "2026-12-02"}), Unknown),
        (json!({"end": "2026-12-01T11:59:59Z"}), Unknown),
        (json!({"start": "2026"}), Unknown),
    ] {
        assert_eq!(
            said(&[consent("active", json!({"type": "permit", "period": period}))]),
            expected,
            "{period}"
        );
    }
    for narrowing in
        ["provision", "actor", "securityLabel", "class", "code", "dataPeriod", "data", "modifierExtension"]
    {
        let narrowed = consent("active", json!({"type": "permit", (narrowing): [{}]}));
        assert_eq!(said(&[narrowed]), Unknown, "{narrowing}");
        let denied = consent("active", json!({"type": "deny", (narrowing): [{}]}));
        assert_eq!(said(&[permit(), denied]), Withdrawn, "{narrowing}");
    }
    let action =
        |code: &str| consent("active", json!({"type": "permit", "action": [{"coding": [{"code": code}]}]}));
    assert_eq!((said(&[action("disclose")]), said(&[action("collect")])), (Granted, Unknown));
}

#[test]
fn what_is_no_whole_answer_is_an_error() {
    let said = |answer: &str| said_by(answer.as_bytes(), None, NOW).unwrap_err();
    assert_eq!(said("<Bundle/>"), "is not JSON");
    assert_eq!(said("{}"), "is not a Bundle of type searchset");
    assert!(
        said(r#"{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":"x"}]}"#)
            .contains("more than one page")
    );
    let of = |entry: Value| said_by(&bundle(&[entry]), None, NOW).unwrap_err();
    assert!(of(json!({"resource": {"resourceType": "Patient"}})).contains("something else"));
    assert!(
        of(json!({"resource": {"resourceType": "Consent", "status": "aktiv"}})).contains("without a status")
    );
    let outcome = |severity: &str| json!({"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": severity}]}});
    assert!(of(outcome("error")).contains("OperationOutcome"));
    assert_eq!(said_by(&bundle(&[outcome("information")]), None, NOW), Ok(Said::Unknown));
}

#[test]
fn a_patient_is_asked_for_by_a_token_that_means_nothing_else() {
    let asked = |identifier: &str| query(&who(identifier, ""), "urn:oid:1.2.3");
    assert_eq!(asked("P1"), "Consent?patient.identifier=urn%3Aoid%3A1.2.3%7CP1&_count=200");
    assert_eq!(
        asked("a,b|c&d=1 é"),
        "Consent?patient.identifier=urn%3Aoid%3A1.2.3%7Ca%5C%2Cb%5C%7Cc%26d%3D1%20%C3%A9&_count=200"
    );
}

#[test]
fn what_was_said_counts_for_a_while_and_no_more_than_so_many_are_remembered() {
    let (remembered, begun, within) = (Remembered::of(3), Instant::now(), Duration::from_secs(60));
    let at = |seconds| begun + Duration::from_secs(seconds);
    remembered.note(&who("P1", ""), Some("a"), Said::Granted, (within, begun));
    let said = |identifier: &str, issuer: &str, purpose, seconds| {
        remembered.said(&who(identifier, issuer), purpose, within, at(seconds))
    };
    assert_eq!(said("P1", "", Some("a"), 59), Some(Said::Granted));
    assert_eq!(said("P1", "", Some("a"), 60), None);
    assert_eq!(
        [said("P1", "", Some("b"), 0), said("P1", "", None, 0), said("P1", "X", Some("a"), 0)],
        [None; 3]
    );
    for number in 2..9 {
        remembered.note(&who(&format!("P{number}"), ""), None, Said::Unknown, (within, at(number)));
        assert!(remembered.len() <= 3);
    }
    assert_eq!(said("P8", "", None, 9), Some(Said::Unknown));
}

#[test]
fn nobody_is_asked_about_who_has_no_identifier() {
    assert!(Who::of(None, Some(b"LYON")).is_none() && Who::of(Some(b"  \0"), None).is_none());
    assert!(Who::of(Some(b" P1 "), Some(b"LYON ")) == Some(who("P1", "LYON")));
    assert_eq!(format!("{:?}", who("S3CRET", "")), "Who");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is in a file, it is read or refused.
    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(prop_oneof![4 => prop::sample::select(b"identifier,decision\ngranted\"\\,\n".to_vec()), 1 => any::<u8>()], 0..400)) {
        let _ = List::read(&bytes[..], "");
        let _ = List::read(&[b"identifier,decision\n", &bytes[..]].concat()[..], "");
        let _ = said_by(&bytes, Some("x"), NOW);
    }

    /// Against a list that is looked through line by line.
    #[test]
    fn a_table_says_what_its_lines_say(lines in prop::collection::btree_map((0_u8..4, 0_u8..2, 0_u8..3), (any::<bool>(), 0_u8..3), 0..12), asked in 0_u8..4) {
        let name = |number: u8, names: [&'static str; 3]| names[usize::from(number)];
        let scopes = |number| name(number, ["", "a", "b"]);
        let days = ["", "2026-11-30", "2026-12-01"];
        let mut text = String::from("identifier,issuer,decision,scope,until\n");
        for ((id, issuer, scope), (withdrawn, until)) in &lines {
            let decision = if *withdrawn { "withdrawn" } else { "granted" };
            text += &format!("P{id},{},{decision},{},{}\n", name(*issuer, ["", "X", ""]), scopes(*scope), days[usize::from(*until)]);
        }
        let list = list(&text);
        let asked = [None, Some("a"), Some("b"), Some("c")][usize::from(asked)];
        for id in 0..4 {
            for issuer in 0..2 {
                let mut expected = Said::Unknown;
                for ((_, of, scope), (withdrawn, until)) in lines.iter().filter(|((one, ..), _)| *one == id) {
                    let scope = Some(scopes(*scope)).filter(|scope| !scope.is_empty());
                    if *until == 1 || (*of != issuer && !(*withdrawn && *of == 0)) {
                        continue;
                    }
                    match withdrawn {
                        true if scope.is_none() || asked.is_none() || scope == asked => expected = Said::Withdrawn,
                        false if (scope.is_none() || scope == asked) && expected == Said::Unknown => expected = Said::Granted,
                        _ => {}
                    }
                }
                let who = who(&format!("P{id}"), name(issuer, ["", "X", ""]));
                prop_assert_eq!(list.said(&who, asked, TODAY), expected, "{} {} {:?}", id, issuer, asked);
            }
        }
    }
}

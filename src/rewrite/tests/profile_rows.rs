//! Every row of Table E.1-1 under the basic profile and under each option, against what PS3.15 says of its code.

use std::sync::Arc;

use super::oracle::parse;
use super::support::*;
use crate::dataset::{Encoding, Tag, Vr, vr_of};
use crate::rewrite::{BurnedIn, ProfileOption, ProfileSpec, ROWS, Row, Ruleset, RulesetSpec, Transform};
use dicom_core::value::Value;
use dicom_object::InMemDicomObject;

const DATE: &str = "20200229";
const NEUTRAL: &str = "NEUTRAL";

pub(crate) fn profile(options: &[ProfileOption]) -> Arc<Ruleset> {
    let profile = ProfileSpec { options: options.to_vec(), ..ProfileSpec::default() };
    Arc::new(Ruleset::compile(RulesetSpec { profile: Some(profile), ..spec(&[]) }).unwrap())
}

/// A value that names somebody, as far as the VR can.
fn value_of(vr: &str, encoding: Encoding) -> Vec<u8> {
    let text = match vr {
        "DA" => DATE,
        "TM" => "101112.5",
        "DT" => "20200229101112",
        "AS" => "045Y",
        "DS" | "IS" => "42",
        "UI" => "1.2.3.99",
        "PN" => "DOE^JANE",
        "UR" => "http://doe.example",
        "CS" | "AE" => "CHEST DOE ",
        "US" => return encoding.syntax.put_u16(42).to_vec(),
        "OB" | "OB or OW" | "UN" | "" => return vec![1, 2, 3, 4],
        _ => "Chest DOE",
    };
    let mut value = text.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" { 0 } else { b' ' });
    }
    value
}

fn tag_of(row: &Row) -> Tag {
    let number = match row.mask {
        u32::MAX => row.tag,
        0x0001_0000 => 0x0009_1001,
        0xFF00_0000 => 0x5002_3000,
        _ => row.tag + 0x0002_0000,
    };
    Tag((number >> 16) as u16, (number & 0xFFFF) as u16)
}

fn data_set(row: &Row, encoding: Encoding) -> Vec<u8> {
    let tag = tag_of(row);
    let key = (tag.0, tag.1);
    let vr = match row.vr {
        "OB or OW" => "OW",
        "" if tag.0 % 2 == 1 => "LO",
        "" => "OW",
        vr => vr,
    };
    let code: [u8; 2] = vr.as_bytes().try_into().unwrap();
    let mut parts = vec![
        ((0x08, 0x16), Data::new(encoding).text((0x08, 0x16), b"UI", CLASS)),
        ((0x08, 0x18), Data::new(encoding).text((0x08, 0x18), b"UI", INSTANCE)),
        ((0x10, 0x20), Data::new(encoding).text((0x10, 0x20), b"LO", "PID-1")),
    ];
    if key == (0x09, 0x1001) {
        parts.push(((0x09, 0x10), Data::new(encoding).text((0x09, 0x10), b"LO", "ACME")));
    }
    if !parts.iter().any(|(tag, _)| *tag == key) {
        let data = Data::new(encoding);
        let data = if vr == "SQ" {
            let item = Data::new(encoding).text((0x08, 0x0100), b"SH", NEUTRAL);
            data.sequence(key, true, &[item])
        } else {
            data.element(key, &code, &value_of(row.vr, encoding))
        };
        parts.push((key, data));
    }
    parts.sort_by_key(|(tag, _)| *tag);
    parts.into_iter().flat_map(|(_, data)| data.bytes).collect()
}

/// The code of a row, read from the table anew.
fn code_of(row: &Row, option: Option<usize>) -> String {
    match option.map(|option| row.options[option]) {
        None | Some(b'.') => row.safe.to_owned(),
        Some(code) => char::from(code).to_string(),
    }
}

fn items(object: &InMemDicomObject, tag: Tag) -> Vec<InMemDicomObject> {
    match object.get(tag).map(|element| element.value()) {
        Some(Value::Sequence(sequence)) => sequence.items().to_vec(),
        _ => Vec::new(),
    }
}

fn check(row: &Row, code: &str, object: &InMemDicomObject, encoding: Encoding) {
    let tag = tag_of(row);
    let what = format!("{tag} {} {code}", row.name);
    let element = object.get(tag);
    let bytes = element.map(|element| match element.value() {
        Value::Primitive(value) => value.to_bytes().into_owned(),
        _ => vec![b'#'; items(object, tag).len()],
    });
    let text =
        bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).trim_end_matches([' ', '\0']).to_owned());
    let old = match (tag.0, tag.1) {
        (0x08, 0x18) => INSTANCE.as_bytes().to_vec(),
        (0x10, 0x20) => b"PID-1".to_vec(),
        _ => value_of(row.vr, encoding),
    };
    let kept_inside = || {
        items(object, tag)
            .iter()
            .any(|item| item.get(Tag(8, 0x100)).is_some_and(|e| e.to_str().unwrap() == NEUTRAL))
    };
    match (code, row.vr) {
        _ if tag.0 == 4 => assert!(element.is_none(), "{what}: group 0004 goes"),
        ("X", _) => assert!(element.is_none(), "{what}"),
        ("Z", _) => assert_eq!(bytes.as_deref(), Some(&[][..]), "{what}"),
        ("D", "SQ") => assert!(items(object, tag).len() == 1 && !kept_inside(), "{what}"),
        // A reference keeps what it is made of only.
        ("U*", "SQ") => assert!(!items(object, tag).is_empty() && !kept_inside(), "{what}"),
        ("K", "SQ") if tag.0 == 8 && tag.1 != 0x0082 => assert!(!items(object, tag).is_empty(), "{what}"),
        ("K" | "C", "SQ") => assert!(kept_inside(), "{what}"),
        ("D", _) => {
            let new = bytes.unwrap_or_default();
            assert!(
                !new.is_empty() && new != old && !String::from_utf8_lossy(&new).contains("DOE"),
                "{what}: {new:?}"
            );
        }
        ("U", _) => assert!(text.unwrap().starts_with("2.25."), "{what}"),
        ("K", _) => {
            assert_eq!(
                text,
                Some(String::from_utf8_lossy(&old).trim_end_matches([' ', '\0']).to_owned()),
                "{what}"
            );
        }
        ("C", "DA" | "DT") => {
            let text = text.unwrap();
            let new =
                time::Date::parse(&text, time::macros::format_description!("[year][month][day]")).unwrap();
            let days = (new - time::macros::date!(2020 - 02 - 29)).whole_days();
            assert!((-3650..=-30).contains(&days), "{what}: {text}");
        }
        ("C", "TM") => assert_eq!(text.as_deref(), Some("000000"), "{what}"),
        ("C", "AE") => {
            let text = text.unwrap();
            assert!(text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit()), "{what}: {text}");
        }
        ("C", "OB" | "OB or OW" | "") => check(row, row.safe, object, encoding),
        ("C", _) if row.tag == 0x0008_0201 || row.mask != u32::MAX => check(row, row.safe, object, encoding),
        // A code has no room for a mark.
        ("C", "CS") => check(row, row.safe, object, encoding),
        ("C", _) => assert_eq!(text.unwrap().to_uppercase(), "CHEST [...]", "{what}"),
        _ => panic!("{what}: no such code"),
    }
}

#[test]
fn every_row_does_what_its_code_says_under_every_option() {
    let columns = [None].into_iter().chain((0..ProfileOption::ALL.len()).map(Some));
    let mut checked = 0;
    for option in columns {
        let chosen: Vec<_> = option.map(|index| ProfileOption::ALL[index]).into_iter().collect();
        // Some rows tell of a capture, which refuses an object otherwise.
        let profile = ProfileSpec { options: chosen, burned_in: BurnedIn::Pass, ..ProfileSpec::default() };
        let rules = RulesetSpec { profile: Some(profile), ..spec(&[]) };
        let rules = Arc::new(Ruleset::compile(rules).unwrap());
        for row in ROWS.iter().filter(|row| !matches!(row.tag >> 16, 0 | 2)) {
            for (encoding, uid) in [(LE, "1.2.840.10008.1.2.1"), (IMPLICIT, "1.2.840.10008.1.2")] {
                let input = data_set(row, encoding);
                let transform = Transform::new(Arc::clone(&rules), encoding, expected());
                let sent = run_in(transform, &input, &[usize::MAX]).map(|(sent, _)| sent);
                if row.tag == 0x0042_0011 {
                    assert_eq!(sent.unwrap_err().status, 0xC005, "an encapsulated document");
                    continue;
                }
                let sent = sent.unwrap_or_else(|error| panic!("{} {}: {error}", row.name, row.vr));
                check(row, &code_of(row, option), &parse(&sent, uid), encoding);
                checked += 1;
            }
        }
    }
    assert!(checked > 14_000, "{checked}");
}

#[test]
fn the_table_is_the_edition_that_it_says() {
    let count = |code: &str| ROWS.iter().filter(|row| row.basic == code).count();
    assert_eq!(ROWS.len(), 657);
    assert_eq!((count("X"), count("D"), count("U"), count("Z")), (417, 93, 55, 42));
    assert!(ROWS.iter().any(|row| row.tag == 0x3004_007F), "the new row of 2026d");
    let known = |row: &&Row| row.mask == u32::MAX && vr_of(tag_of(row)) != Vr::UN;
    assert!(ROWS.iter().filter(known).all(|row| vr_of(tag_of(row)).to_string() == row.vr));
}

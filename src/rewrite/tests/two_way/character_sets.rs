//! Values of any script: restored in the bytes that they were written in, or as the same text.

use super::domain::*;
use crate::dataset::Tag;
use crate::rewrite::character_set::CharacterSet;
use crate::rewrite::tests::support::*;
use crate::rewrite::{Correspondence, Kind, RewriteProblem, Way};

/// An object in a character set.
fn in_set(set: Option<&str>, name: &[u8], patient: &[u8], accession: &[u8], instance: &str) -> Data {
    let data = set.map_or(Data::new(LE), |set| Data::new(LE).text((8, 5), b"CS", set));
    let even = |value: &[u8]| {
        let mut value = value.to_vec();
        value.resize(value.len().next_multiple_of(2), b' ');
        value
    };
    data.text((8, 0x16), b"UI", CLASS)
        .text((8, 0x18), b"UI", instance)
        .element((8, 0x50), b"SH", &even(accession))
        .element((0x10, 0x10), b"PN", &even(name))
        .element((0x10, 0x20), b"LO", &even(patient))
        .text((0x28, 0x301), b"CS", "NO")
}

/// The pseudonyms of an object that has gone out: of its name, patient and accession number.
fn gone_out(site: &Domain, data: &Data) -> [String; 3] {
    let shown = site.across(Way::ToPseudonyms, object_of(&data.bytes), LE, &data.bytes, &[9]).unwrap().0;
    [(0x10, 0x10), (0x10, 0x20), (8, 0x50)].map(|tag| text(&shown, tag).unwrap())
}

/// Names as they are written: PS3.5 Annexes H to K, some with a byte in a character that looks like a backslash, a wildcard
/// or a delimiter of components, and some that nobody can read.
const NAMES: [(&str, &[u8]); 14] = [
    ("ISO_IR 100", b"M\xFCLLER^ANNA"),
    ("ISO_IR 148", b"\xC7AVU\xDEO\xD0LU^A"),
    ("\\ISO 2022 IR 149", b"Hong=\x1b$)C\xFB\xF3^\x1b$)C\xD1\xCE\xD4\xD7"),
    ("\\ISO 2022 IR 58", b"Zhang=\x1b$)A\xD5\xC5^\x1b$)A\xD0\xA1\xB6\xAB"),
    ("ISO 2022 IR 13\\ISO 2022 IR 87", b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"),
    ("\\ISO 2022 IR 87", b"Yamada=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
    ("\\ISO 2022 IR 100", b"Buc^J\x1b-A\xE9r\xF4me"),
    ("\\ISO 2022 IR 159", b"\x1b$(D0!\x1b(B"),
    ("\\ISO 2022 IR 87", b"\x1b$B$\\$*$?$^$=\x1b(B-1"),
    ("GB18030", b"\xD5\\\xD5^-1"),
    ("GBK", b"\xD5\\"),
    ("ISO_IR 192", "\u{307C}-1".as_bytes()),
    ("\\ISO 2022 IR 159", b"\x1b$(D0\\0*\x1b(B"),
    ("ISO_IR 999", b"\xC4\xC5\xC6"),
];

#[test]
fn a_name_comes_back_as_it_was_written_or_the_report_is_refused() {
    for (set, name) in NAMES {
        let site = Domain::site();
        let [shown, patient, accession] = gone_out(&site, &in_set(Some(set), name, name, b"ACC-1", INSTANCE));
        assert!(shown.starts_with("ANON^") && shown.is_ascii(), "{set}");
        let report =
            |set| in_set(set, shown.as_bytes(), patient.as_bytes(), accession.as_bytes(), "2.25.9006");
        // In its own set, and in none: that gets it.
        for given in [Some(set), None, Some("")] {
            let sent = site.back(&report(given)).unwrap();
            let whole = in_set(Some(set), name, name, b"ACC-1", &site.own("2.25.9006"));
            assert_eq!(sent, whole.bytes, "{set} {given:?}");
        }
        // In Unicode as the same text.
        let own = CharacterSet::of(set.as_bytes());
        match own.text(name) {
            Some(text) => {
                let bytes = text.as_bytes();
                let whole = in_set(Some("ISO_IR 192"), bytes, bytes, b"ACC-1", &site.own("2.25.9006"));
                assert_eq!(site.back(&report(Some("ISO_IR 192"))), Ok(whole.bytes), "{set}");
            }
            None => assert!(set.contains("159") || set.contains("999")),
        }
        // Nowhere else, and never as nothing.
        let error = site.back(&report(Some("ISO_IR 144"))).unwrap_err();
        assert_eq!((error.status, error.problem), (0xC008, RewriteProblem::NotInCharacterSet), "{set}");
    }
}

#[test]
fn a_data_set_in_ascii_gets_one_character_set_for_all_that_comes_back() {
    let site = Domain::site();
    let original = in_set(Some("ISO_IR 100"), b"M\xFCLLER^ANNA", b"PID-1", b"A-1", "1.2.9.1");
    let [name, patient, _] = gone_out(&site, &original);
    // The accession number of the same patient, in another set.
    let original = in_set(Some("ISO_IR 144"), b"", b"PID-1", b"\xB1-2", "1.2.9.2");
    let [_, _, accession] = gone_out(&site, &original);
    let report = in_set(None, name.as_bytes(), patient.as_bytes(), accession.as_bytes(), "2.25.9007");
    let sent = site.back(&report).unwrap();
    let whole = in_set(
        Some("ISO_IR 192"),
        "M\u{FC}LLER^ANNA".as_bytes(),
        b"PID-1",
        "\u{411}-2".as_bytes(),
        &site.own("2.25.9007"),
    );
    assert_eq!(sent, whole.bytes);
    // Nothing that needs one, nothing chosen.
    let site = Domain::site();
    let [name, patient, accession] = gone_out(&site, &in_set(None, b"DOE^JANE", b"PID-1", b"A-1", "1.2.9.1"));
    let report = in_set(None, name.as_bytes(), patient.as_bytes(), accession.as_bytes(), "2.25.9008");
    let sent = site.back(&report).unwrap();
    assert_eq!(sent, in_set(None, b"DOE^JANE", b"PID-1", b"A-1", &site.own("2.25.9008")).bytes);
}

#[test]
fn identifiers_of_any_script_are_keys_and_the_same_patient_in_every_character_set() {
    for (set, id) in NAMES {
        let site = Domain::site();
        let original = in_set(Some(set), b"DOE^JANE", id, id, INSTANCE);
        let [name, patient, accession] = gone_out(&site, &original);
        let keys = |set: Option<&str>, patient: &[u8], accession: &[u8], name: &[u8]| {
            let data = set.map_or(Data::new(LE), |set| Data::new(LE).text((8, 5), b"CS", set));
            let even = |value: &[u8]| [value, &b" "[..value.len() % 2]].concat();
            data.element((8, 0x50), b"SH", &even(accession))
                .element((0x10, 0x10), b"PN", &even(name))
                .element((0x10, 0x20), b"LO", &even(patient))
        };
        let real = |accession: &[u8]| Ok(keys(Some(set), id, accession, b"").bytes);
        let (patient, accession, name) = (patient.as_bytes(), accession.as_bytes(), name.as_bytes());
        for asked in [None, Some(set)] {
            assert_eq!(site.keys(Way::ToReal, &keys(asked, patient, accession, b"")), real(id), "{set}");
            assert_eq!(site.keys(Way::ToReal, &keys(asked, b"", b"", name)), real(b""), "{set}");
        }
        let shown = keys(Some(set), patient, accession, b"").bytes;
        assert_eq!(site.keys(Way::ToPseudonyms, &keys(Some(set), id, id, b"")), Ok(shown), "{set}");
        // In Unicode it is the same patient.
        let Some(text) = CharacterSet::of(set.as_bytes()).text(id).map(|text| text.into_owned()) else {
            continue;
        };
        let text = text.as_bytes();
        let shown = keys(Some("ISO_IR 192"), patient, accession, b"").bytes;
        assert_eq!(site.keys(Way::ToPseudonyms, &keys(Some("ISO_IR 192"), text, text, b"")), Ok(shown));
        let again = in_set(Some("ISO_IR 192"), b"DOE^JANE", text, text, "1.2.9.7");
        assert_eq!(gone_out(&site, &again)[1].as_bytes(), patient, "{set}");
    }
}

#[test]
fn what_an_earlier_version_remembered_is_still_read() {
    let site = Domain::site();
    let old = |kind, real: &[u8], pseudonym: &[u8]| Correspondence {
        kind,
        real: real.to_vec(),
        pseudonym: pseudonym.to_vec(),
        patient: Some(b"M\xFCLLER-1".to_vec()),
        written: None,
    };
    let id = Kind::Value(Tag(0x10, 0x20));
    site.memory.store(vec![
        old(id, b"M\xFCLLER-1", b"0123456789ABCDEF"),
        old(Kind::OfPatient(Tag(0x10, 0x10)), "M\u{FC}LLER".as_bytes(), b"ANON^0123456789ABCDEF"),
    ]);
    let report = |set| in_set(set, b"ANON^0123456789ABCDEF", b"0123456789ABCDEF", b"", "2.25.9006");
    let error = site.back(&report(Some("ISO_IR 100"))).unwrap_err();
    assert_eq!((error.problem, error.tag), (RewriteProblem::NotInCharacterSet, Some(Tag(0x10, 0x20))));
    // It keeps its pseudonym, and how it is written becomes known.
    let shown = gone_out(&site, &in_set(Some("ISO_IR 100"), b"M\xFCLLER", b"M\xFCLLER-1", b"", INSTANCE));
    assert_eq!(shown[1], "0123456789ABCDEF");
    let sent = site.back(&report(Some("ISO_IR 100"))).unwrap();
    let whole = in_set(Some("ISO_IR 100"), b"M\xFCLLER", b"M\xFCLLER-1", b"", &site.own("2.25.9006"));
    assert_eq!(sent, whole.bytes);
}

/// Both pseudonyms of both numbers, with a byte in the first that looks like a backslash.
#[test]
fn a_number_has_one_pseudonym_in_every_character_set_and_comes_back() {
    let rules = [rule("AccessionNumber", "pseudonym"), rule("PatientID", "pseudonym")];
    let unicode = "\u{307C}-1".as_bytes();
    let written: [(&str, &[u8], &[u8]); 5] = [
        ("\\ISO 2022 IR 87", b"\x1b$B$\\\x1b(B-1", unicode),
        ("GB18030", b"\xD5\\-1", "\u{8AA0}-1".as_bytes()),
        ("GBK", b"\xD5\\-1", "\u{8AA0}-1".as_bytes()),
        ("\\ISO 2022 IR 159", b"\x1b$(D0\\\x1b(B", b""),
        ("ISO_IR 192", unicode, unicode),
    ];
    for (set, id, text) in written {
        let site = Domain::new(None, &rules);
        let [_, patient, accession] = gone_out(&site, &in_set(Some(set), b"", id, id, INSTANCE));
        assert_eq!((patient.contains('\\'), accession.contains('\\')), (false, false), "{set}");
        if !text.is_empty() {
            let again = gone_out(&site, &in_set(Some("ISO_IR 192"), b"", text, text, "1.2.9.7"));
            assert_eq!([&again[1], &again[2]], [&patient, &accession], "{set}");
        }
        let report = |set| in_set(set, b"", patient.as_bytes(), accession.as_bytes(), INSTANCE);
        for given in [None, Some(set)] {
            assert_eq!(
                site.back(&report(given)),
                Ok(in_set(Some(set), b"", id, id, INSTANCE).bytes),
                "{set}"
            );
        }
        // A list of two numbers is one of two pseudonyms, and so it comes back.
        let two = [id, b"A"].join(&b'\\');
        let [_, patient, both] = gone_out(&site, &in_set(Some(set), b"", id, &two, "1.2.9.8"));
        assert!(both.split('\\').count() == 2 && both.starts_with(&accession), "{set} {both}");
        let report = in_set(Some(set), b"", patient.as_bytes(), both.as_bytes(), INSTANCE);
        assert_eq!(site.back(&report), Ok(in_set(Some(set), b"", id, &two, INSTANCE).bytes), "{set}");
    }
}

#[test]
fn one_way_a_number_has_one_pseudonym_too() {
    let rules = [rule("AccessionNumber", "pseudonym"), rule("PatientID", "pseudonym")];
    for (set, id) in NAMES {
        let sent = run(&rules, LE, &in_set(Some(set), b"", id, id, INSTANCE).bytes).unwrap();
        let [patient, accession] = [(0x10, 0x20), (8, 0x50)].map(|tag| text(&sent, tag).unwrap());
        // The records name the patient, though nothing else of these rules asks for the character set.
        let (_, transform) =
            run_in(transform(&[], LE), &in_set(Some(set), b"", id, id, INSTANCE).bytes, &[5]).unwrap();
        let named = transform.summary().patient_id.as_deref();
        assert!(named == Some(id) && !transform.is_pattern(id), "{set}");
        assert!(transform.is_pattern(b"A*") && transform.is_pattern(b"A\\B"));
        assert!(patient == accession && accession.len() == 16, "{set} {accession}");
    }
}

#[test]
fn what_looks_like_a_wildcard_is_looked_for_as_it_is() {
    let rules = [rule("AccessionNumber", "pseudonym"), rule("PatientID", "pseudonym")];
    let (set, id): (&str, &[u8]) = ("\\ISO 2022 IR 87", b"\x1b$B$*$?\x1b(B");
    let site = Domain::new(None, &rules);
    let [_, patient, accession] = gone_out(&site, &in_set(Some(set), b"", id, id, INSTANCE));
    let keys = |patient: &[u8], accession: &[u8]| {
        let even = |value: &[u8]| [value, &b" "[..value.len() % 2]].concat();
        let data = Data::new(LE).text((8, 5), b"CS", set).element((8, 0x50), b"SH", &even(accession));
        data.element((0x10, 0x20), b"LO", &even(patient))
    };
    let (patient, accession) = (patient.as_bytes(), accession.as_bytes());
    let real = keys(id, id).bytes;
    assert_eq!(site.keys(Way::ToReal, &keys(patient, &[accession, b"**"].concat())), Ok(real));
    assert_eq!(site.keys(Way::ToPseudonyms, &keys(id, id)), Ok(keys(patient, accession).bytes));
    for wild in [&b"\x1b$B$*\x1b(B*"[..], b"?\x1b$B$*\x1b(B"] {
        assert_eq!(site.keys(Way::ToPseudonyms, &keys(b"", wild)), Err(RewriteProblem::Wildcard));
        assert_eq!(site.keys(Way::ToReal, &keys(b"", wild)), Err(RewriteProblem::Wildcard));
    }
}

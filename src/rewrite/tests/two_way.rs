//! There and back: pseudonyms out, real values in, and what is looked for by them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use time::{Date, Month};

use super::support::*;
use crate::dataset::{Encoding, Tag};
use crate::rewrite::character_set::CharacterSet;
use crate::rewrite::{
    BurnedIn, Correspondence, Correspondences, Kind, ProfileOption, ProfileSpec, RewriteError,
    RewriteProblem, RuleSpec, Ruleset, RulesetSpec, Subject, Transform, Unavailable, Way,
};

const STUDY: &str = "1.2.826.0.1.77";
const OTHER_STUDY: &str = "1.2.826.0.1.88";
/// Nobody registered it, whatever its root.
const UNDER_THE_ROOT: &str = "1.2.840.10008.20260101.815.1";
const TODAY: Date = match Date::from_calendar_date(2026, Month::November, 22) {
    Ok(date) => date,
    Err(_) => panic!("a date"),
};

/// A crosswalk that forgets when the test ends.
#[derive(Default)]
struct Memory(Mutex<Vec<Correspondence>>);

impl Memory {
    fn store(&self, made: Vec<Correspondence>) {
        self.0.lock().unwrap().extend(made);
    }

    fn find(&self, wanted: impl Fn(&&Correspondence) -> bool) -> Option<Correspondence> {
        self.0.lock().unwrap().iter().rev().find(wanted).cloned()
    }
}

impl Correspondences for Memory {
    fn pseudonym_of(&self, kind: Kind, real: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.find(|one| one.kind.name_space() == kind && one.real == real).map(|one| one.pseudonym))
    }

    fn behind(&self, kind: Kind, pseudonym: &[u8]) -> Result<Option<Correspondence>, Unavailable> {
        Ok(self.find(|one| one.kind.name_space() == kind && one.pseudonym == pseudonym))
    }
}

/// Rules, and what they remember.
struct Domain {
    rules: Arc<Ruleset>,
    memory: Arc<Memory>,
}

impl Domain {
    fn new(profile: Option<ProfileSpec>, rules: &[RuleSpec]) -> Self {
        let spec = RulesetSpec { profile, ..spec(rules) };
        Self { rules: Arc::new(Ruleset::compile(spec).unwrap()), memory: Arc::default() }
    }

    /// The basic profile with modified dates, and pseudonyms that lead back.
    fn site() -> Self {
        let options =
            vec![ProfileOption::RetainLongitudinalModifiedDates, ProfileOption::RetainPatientCharacteristics];
        let profile = ProfileSpec { options, keep_times: true, ..ProfileSpec::default() };
        Self::new(
            Some(profile),
            &[
                rule_with("PatientName", "replace", "ANON^{pseudonym}"),
                rule_with("PatientID", "replace", "{pseudonym}"),
                rule("AccessionNumber", "pseudonym"),
                rule_with("InstitutionName", "replace", "SITE-07"),
            ],
        )
    }

    fn across(
        &self,
        way: Way,
        subject: Subject,
        encoding: Encoding,
        input: &[u8],
        sizes: &[usize],
    ) -> Result<(Vec<u8>, Transform), RewriteError> {
        let transform = Transform::across(self.rules.clone(), way, subject, encoding)
            .with_crosswalk(Arc::clone(&self.memory) as Arc<dyn Correspondences>)
            .for_peer("reader".into())
            .on(TODAY);
        let (sent, mut transform) = run_in(transform, input, sizes)?;
        self.memory.store(transform.take_correspondences());
        Ok((sent, transform))
    }

    fn out(&self, data: &Data) -> Vec<u8> {
        self.across(Way::ToPseudonyms, Subject::Object(expected()), LE, &data.bytes, &[9999]).unwrap().0
    }

    fn attributes(&self, way: Way, data: &Data) -> Result<Vec<u8>, RewriteError> {
        self.across(way, Subject::Attributes, LE, &data.bytes, &[3]).map(|(sent, _)| sent)
    }

    fn back(&self, data: &Data) -> Result<Vec<u8>, RewriteError> {
        self.across(Way::ToReal, object_of(&data.bytes), LE, &data.bytes, &[7]).map(|(sent, _)| sent)
    }

    fn keys(&self, way: Way, data: &Data) -> Result<Vec<u8>, RewriteProblem> {
        let keys = self.across(way, Subject::Keys, LE, &data.bytes, &[5]);
        keys.map(|(sent, _)| sent).map_err(|error| error.problem)
    }

    /// The pseudonym that a value has.
    fn of(&self, kind: Kind, real: &str) -> String {
        let found = self.memory.find(|one| one.kind == kind && one.real == real.as_bytes());
        String::from_utf8(found.unwrap_or_else(|| panic!("{kind:?} {real}")).pseudonym).unwrap()
    }

    fn patient(&self) -> String {
        self.of(Kind::Value(Tag(0x10, 0x20)), "PID-1")
    }

    fn uid(&self, real: &str) -> String {
        self.of(Kind::Uid, real)
    }

    /// What a UID of the pseudonyms' side's own is called on the patients' side.
    fn own(&self, uid: &str) -> String {
        let found = self.memory.find(|one| one.kind == Kind::OwnUid && one.pseudonym == uid.as_bytes());
        String::from_utf8(found.unwrap_or_else(|| panic!("{uid}")).real).unwrap()
    }
}

/// What a command would say of an object, from its own (0008,0018).
fn object_of(bytes: &[u8]) -> Subject {
    let uid = text_of(&elements(bytes, LE), (8, 0x18)).unwrap();
    Subject::Object(crate::rewrite::Expected { sop_instance_uid: uid.parse().unwrap(), ..expected() })
}

/// Elements at the top of an explicit little endian data set, by tag; sequences as their bytes.
fn elements(bytes: &[u8], encoding: Encoding) -> HashMap<(u16, u16), Vec<u8>> {
    use crate::dataset::{Event, Kind, Raw, Scanner};
    let mut scanner = Scanner::new(encoding.syntax, 32);
    let (mut at, mut tag, mut found) = (0, None, HashMap::new());
    while let Some(Event { kind, raw }) = scanner.next(bytes, &mut at).unwrap() {
        match (kind, raw) {
            (Kind::Element(header), _) if scanner.depth() == 0 => {
                tag = Some((header.tag.0, header.tag.1));
                found.insert((header.tag.0, header.tag.1), Vec::new());
            }
            (Kind::Value { .. }, Raw::Input(range)) => {
                if let Some(value) = tag.and_then(|tag| found.get_mut(&tag)) {
                    value.extend_from_slice(&bytes[range]);
                }
            }
            (Kind::SequenceStart(header), _) if scanner.depth() == 1 => {
                tag = Some((header.tag.0, header.tag.1));
                found.insert((header.tag.0, header.tag.1), Vec::new());
            }
            _ => {}
        }
    }
    scanner.finish().unwrap();
    found
}

fn text_of(elements: &HashMap<(u16, u16), Vec<u8>>, tag: (u16, u16)) -> Option<String> {
    let value = elements.get(&tag)?;
    Some(String::from_utf8_lossy(crate::dataset::trim(value)).into_owned())
}

fn text(bytes: &[u8], tag: (u16, u16)) -> Option<String> {
    text_of(&elements(bytes, LE), tag)
}

fn image() -> Data {
    let referenced = Data::new(LE).text((8, 0x1150), b"UI", CLASS).text((8, 0x1155), b"UI", "1.2.3.5");
    Data::image(LE)
        .text((8, 0x20), b"DA", "20240301")
        .text((8, 0x30), b"TM", "120000")
        .text((8, 0x50), b"SH", "ACC-1")
        .text((8, 0x80), b"LO", "HOSPITAL")
        .text((8, 0x90), b"PN", "REFERRING^DOCTOR")
        .sequence((8, 0x2112), true, &[referenced])
        .text((0x10, 0x10), b"PN", "DOE^JANE")
        .text((0x10, 0x20), b"LO", "PID-1")
        .text((0x10, 0x30), b"DA", "19700101")
        .text((0x10, 0x40), b"CS", "F")
        .text((0x20, 0xD), b"UI", STUDY)
        .text((0x20, 0xE), b"UI", "1.2.826.0.1.77.1")
        .text((0x28, 0x301), b"CS", "NO")
}

/// A report of the remote reader on [`image`], in terms of pseudonyms.
fn report(site: &Domain) -> Data {
    let date = text(&site.out(&image()), (8, 0x20)).unwrap();
    let referenced = Data::new(LE).text((8, 0x1150), b"UI", CLASS).text(
        (8, 0x1155),
        b"UI",
        &format!("{}\\{}", site.uid(INSTANCE), site.uid("1.2.3.5")),
    );
    Data::new(LE)
        .text((8, 0x16), b"UI", CLASS)
        .text((8, 0x18), b"UI", "2.25.9001")
        .text((8, 0x20), b"DA", &date)
        .text((8, 0x23), b"DA", "20261122")
        .text((8, 0x50), b"SH", &site.of(Kind::Value(Tag(8, 0x50)), "ACC-1"))
        .text((8, 0x80), b"LO", "SITE-07")
        .text((8, 0x90), b"PN", "READER^OWN")
        .text((8, 0x1070), b"PN", "REMOVED")
        .text((0x10, 0x10), b"PN", &format!("ANON^{}^^", site.patient()))
        .text((0x10, 0x20), b"LO", &site.patient())
        .text((0x10, 0x30), b"DA", "19000101")
        .text((0x10, 0x40), b"CS", "F")
        .text((0x12, 0x62), b"CS", "YES")
        .text((0x12, 0x63), b"LO", "a method")
        .text((0x20, 0xD), b"UI", &site.uid(STUDY))
        .text((0x20, 0xE), b"UI", "2.25.9002")
        .text((0x28, 0x303), b"CS", "MODIFIED")
        .sequence((0x40, 0xA375), false, &[referenced])
}

#[test]
fn a_report_comes_back_under_the_real_patient() {
    let site = Domain::site();
    site.out(&image());
    let report = report(&site);
    let (sent, transform) =
        site.across(Way::ToReal, object_of(&report.bytes), LE, &report.bytes, &[1]).unwrap();
    let sent_elements = elements(&sent, LE);
    let of = |tag| text_of(&sent_elements, tag);
    let (instance, series) = (site.own("2.25.9001"), site.own("2.25.9002"));
    assert!([&instance, &series].iter().all(|uid| uid.starts_with("2.25.") && uid.len() > 20));
    let real = [
        ((8, 0x18), instance.as_str()),
        ((8, 0x20), "20240301"),
        ((8, 0x23), "20261122"),
        ((8, 0x50), "ACC-1"),
        ((8, 0x80), ""),
        ((8, 0x90), "READER^OWN"),
        ((8, 0x1070), ""),
        ((0x10, 0x10), "DOE^JANE"),
        ((0x10, 0x20), "PID-1"),
        ((0x10, 0x30), ""),
        ((0x10, 0x40), "F"),
        ((0x20, 0xD), STUDY),
        ((0x20, 0xE), &series),
    ];
    for (tag, value) in real {
        assert_eq!(of(tag).as_deref(), Some(value), "{tag:04X?}");
    }
    for tag in [(0x12, 0x62), (0x12, 0x63), (0x28, 0x303)] {
        assert_eq!(of(tag), None, "{tag:04X?}");
    }
    let references = String::from_utf8_lossy(&sent_elements[&(0x40, 0xA375)]).into_owned();
    assert!(references.contains("1.2.3.4\\1.2.3.5"), "{references}");
    assert_eq!(transform.summary().patient_id.as_deref(), Some(&b"PID-1"[..]));
    assert_eq!(transform.summary().new_study_instance_uid.as_deref(), Some(STUDY.as_bytes()));
    assert_eq!(site.back(&report).as_ref(), Ok(&sent), "stored again, it is the same");
    let answer = Data::new(LE).text((8, 0x18), b"UI", &instance).text((0x10, 0x20), b"LO", "PID-1");
    let told = site.attributes(Way::ToPseudonyms, &answer).unwrap();
    assert_eq!(text(&told, (8, 0x18)).as_deref(), Some("2.25.9001"));
}

#[test]
fn what_was_never_given_out_does_not_come_back() {
    let site = Domain::site();
    site.out(&image());
    let report = report(&site);
    let with = |from: &str, to: &str| {
        let at = report.bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut bytes = report.bytes.clone();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        site.back(&Data { bytes, ..report.clone() }).unwrap_err()
    };
    let (patient, study) = (site.patient(), site.uid(STUDY));
    assert!(site.back(&report).is_ok());
    let accession = site.of(Kind::Value(Tag(8, 0x50)), "ACC-1");
    let error = with(&accession, &"A".repeat(accession.len()));
    assert_eq!((error.problem, error.tag), (RewriteProblem::NotAPseudonym, Some(Tag(8, 0x50))));
    assert_eq!(error.comment(), "(0008,0050): no pseudonym that is known here");
    // The name has the digits too, and comes first; another name of the patient is no reason to refuse.
    let bytes = String::from_utf8_lossy(&report.bytes).into_owned();
    assert_eq!(bytes.matches(&patient).count(), 2);
    let plain = |patient: &str, study: &str| {
        Data::new(LE)
            .text((8, 0x16), b"UI", CLASS)
            .text((8, 0x18), b"UI", "2.25.9003")
            .text((0x10, 0x10), b"PN", "SOMEBODY^ELSE")
            .text((0x10, 0x20), b"LO", patient)
            .text((0x20, 0xD), b"UI", study)
    };
    assert_eq!(text(&site.back(&plain(&patient, &study)).unwrap(), (0x10, 0x10)).as_deref(), Some(""));
    for (patient, study, problem) in [
        ("PID-1", study.as_str(), RewriteProblem::NotAPseudonym),
        ("0123456789ABCDEF", &study, RewriteProblem::NotAPseudonym),
        ("", &study, RewriteProblem::NoPatient),
    ] {
        assert_eq!(site.back(&plain(patient, study)).unwrap_err().problem, problem, "{patient} {study}");
    }
}

#[test]
fn rules_alone_lead_back_too() {
    let rules = [
        rule("PatientID", "pseudonym"),
        rule("PatientName", "pseudonym"),
        rule("SOPInstanceUID", "uid"),
        rule("StationName", "pseudonym"),
        rule("StudyID", "pseudonym"),
    ];
    let site = Domain::new(None, &rules);
    site.out(&image().text((0x28, 0x1052), b"DS", "0"));
    let (patient, name) = (site.patient(), site.of(Kind::Value(Tag(0x10, 0x10)), "DOE^JANE"));
    let named = |instance: &str, patient: &str, name: &str, study: &str| {
        Data::new(LE)
            .text((8, 0x18), b"UI", instance)
            .text((8, 0x1010), b"SH", "READING-ROOM")
            .text((0x10, 0x10), b"PN", name)
            .text((0x10, 0x20), b"LO", patient)
            .text((0x20, 0x10), b"SH", study)
    };
    let report = |patient: &str, name: &str, study: &str| named("2.25.9005", patient, name, study);
    for (given, name) in [(name.as_str(), "DOE^JANE"), ("A^NAME", "")] {
        let sent = site.back(&report(&patient, given, "")).unwrap();
        assert_eq!(sent, named(&site.own("2.25.9005"), "PID-1", name, "").bytes);
    }
    let tag_of = |data: &Data| site.back(data).map(|_| ()).map_err(|error| (error.problem, error.tag));
    let unknown = |group, element| Err((RewriteProblem::NotAPseudonym, Some(Tag(group, element))));
    assert_eq!(tag_of(&report("PID-1", "", "")), unknown(0x10, 0x20));
    assert_eq!(tag_of(&report(&patient, "", "S-1")), unknown(0x20, 0x10));
    let nested = Data::new(LE).text((0x10, 0x20), b"LO", "PID-1");
    let nested = report(&patient, "", "").sequence((0x40, 0x275), false, &[nested]);
    assert_eq!(tag_of(&nested), unknown(0x10, 0x20));
}

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

/// Names as they are written: PS3.5 Annexes H to K, and one that nobody can read.
const NAMES: [(&str, &[u8]); 9] = [
    ("ISO_IR 100", b"M\xFCLLER^ANNA"),
    ("ISO_IR 148", b"\xC7AVU\xDEO\xD0LU^A"),
    ("\\ISO 2022 IR 149", b"Hong=\x1b$)C\xFB\xF3^\x1b$)C\xD1\xCE\xD4\xD7"),
    ("\\ISO 2022 IR 58", b"Zhang=\x1b$)A\xD5\xC5^\x1b$)A\xD0\xA1\xB6\xAB"),
    ("ISO 2022 IR 13\\ISO 2022 IR 87", b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"),
    ("\\ISO 2022 IR 87", b"Yamada=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
    ("\\ISO 2022 IR 100", b"Buc^J\x1b-A\xE9r\xF4me"),
    ("\\ISO 2022 IR 159", b"\x1b$(D0!\x1b(B"),
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
        // What is a wildcard byte by byte, archives take for one.
        let is_wild = id.contains(&b'*') || id.contains(&b'?');
        assert!(!is_wild);
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

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn what_is_restored_in_one_message_is_of_one_patient() {
    let site = Domain::site();
    site.out(&image());
    let uid = |uid: &str| Data::new(LE).text((8, 0x1155), b"UI", uid);
    let other = Data::new(LE)
        .text((8, 0x16), b"UI", CLASS)
        .text((8, 0x18), b"UI", "1.2.9.1")
        .text((8, 0x50), b"SH", "ACC-2")
        .text((0x10, 0x10), b"PN", "ROE^RICHARD")
        .text((0x10, 0x20), b"LO", "PID-2")
        .text((0x20, 0xD), b"UI", OTHER_STUDY)
        .text((0x20, 0xE), b"UI", "1.2.9.2")
        .text((0x28, 0x301), b"CS", "NO");
    site.across(Way::ToPseudonyms, object_of(&other.bytes), LE, &other.bytes, &[8]).unwrap();
    let (one, two) = (site.patient(), site.of(Kind::Value(Tag(0x10, 0x20)), "PID-2"));
    let accession = |real| site.of(Kind::Value(Tag(8, 0x50)), real);
    let names = [&one, &two].map(|patient| format!("ANON^{patient}"));
    let named = |instance: &str, accession: &str, name: &str, patient: &str, study: &str, item: Data| {
        Data::new(LE)
            .text((8, 0x18), b"UI", instance)
            .text((8, 0x50), b"SH", accession)
            .text((0x10, 0x10), b"PN", name)
            .text((0x10, 0x20), b"LO", patient)
            .text((0x20, 0xD), b"UI", study)
            .sequence((0x40, 0xA375), false, &[Data::new(LE).sequence((8, 0x1115), true, &[item])])
    };
    let report = |accession: &str, name: &str, patient: &str, study: &str, item: Data| {
        named("2.25.9010", accession, name, patient, study, item)
    };
    let (study, foreign) = (site.uid(STUDY), site.uid(OTHER_STUDY));
    let (own, theirs) = (accession("ACC-1"), accession("ACC-2"));
    let item = || uid(&site.uid(INSTANCE));
    let whole = report(&own, &names[0], &one, &study, item());
    let sent = site.back(&whole).unwrap();
    let instance = site.own("2.25.9010");
    assert_eq!(sent, named(&instance, "ACC-1", "DOE^JANE", "PID-1", STUDY, uid(INSTANCE)).bytes);
    let mixed = [
        (report(&theirs, &names[0], &one, &study, item()), (8, 0x50), 0),
        (report(&own, &names[1], &one, &study, item()), (0x10, 0x10), 0),
        (report(&own, &names[0], &one, &foreign, item()), (0x20, 0xD), 0),
        (report(&own, "", &one, &study, uid(&site.uid("1.2.9.1"))), (8, 0x1155), 2),
        (report(&own, "", &one, &study, Data::new(LE).text((8, 0x50), b"SH", &theirs)), (8, 0x50), 2),
        (report(&own, "", &one, &study, Data::new(LE).text((0x10, 0x20), b"LO", &two)), (0x10, 0x20), 2),
        (
            report(&own, "", &one, &study, Data::new(LE).text((0x20, 0xE), b"UI", &site.uid("1.2.9.2"))),
            (0x20, 0xE),
            2,
        ),
    ];
    for (data, (group, element), depth) in &mixed {
        for refused in [site.back(data), site.attributes(Way::ToReal, data)].map(Result::unwrap_err) {
            let expected = (0xC008, RewriteProblem::OtherPatient, Some(Tag(*group, *element)), *depth);
            assert_eq!((refused.status, refused.problem, refused.tag, refused.depth), expected);
        }
    }
    // A study that was seen without its patient only is nobody's to file under, until it is seen with one.
    let unseen = "1.2.9.77";
    site.attributes(Way::ToPseudonyms, &Data::new(LE).text((0x20, 0xD), b"UI", unseen)).unwrap();
    let nobodys = report(&own, &names[0], &one, &site.uid(unseen), item());
    assert_eq!(site.back(&nobodys).unwrap_err().problem, RewriteProblem::OtherPatient);
    let seen = Data::new(LE).text((0x10, 0x20), b"LO", "PID-1").text((0x20, 0xD), b"UI", unseen);
    site.attributes(Way::ToPseudonyms, &seen).unwrap();
    site.back(&nobodys).unwrap();
    // On whom a message is may be told by its instance, or by the first thing that it names.
    let about = |patient: Option<&str>, data: &Data| {
        let transform = Transform::across(site.rules.clone(), Way::ToReal, Subject::Attributes, LE)
            .with_crosswalk(site.memory.clone())
            .about(patient.map(|patient| patient.as_bytes().to_vec()));
        run_in(transform, &data.bytes, &[5]).map(|_| ()).map_err(|error| error.problem)
    };
    let step = |accession: &str, patient: &str, study: &str| {
        let data = Data::new(LE).text((8, 0x50), b"SH", accession).text((0x10, 0x20), b"LO", patient);
        data.text((0x20, 0xD), b"UI", study)
    };
    for (patient, data, told) in [
        (Some("PID-1"), step(&own, &one, &study), Ok(())),
        (Some("PID-1"), step("", &two, ""), Err(RewriteProblem::OtherPatient)),
        (Some("PID-1"), step(&theirs, "", ""), Err(RewriteProblem::OtherPatient)),
        (None, step(&own, "", &study), Ok(())),
        (None, step(&own, "", &foreign), Err(RewriteProblem::OtherPatient)),
    ] {
        assert_eq!(about(patient, &data), told, "{}", data.bytes.escape_ascii());
    }
    // A storage commitment lists instances of whomever.
    let listed = [uid(&site.uid(INSTANCE)), uid(&site.uid("1.2.9.1"))];
    assert_eq!(about(None, &Data::new(LE).sequence((8, 0x1199), true, &listed)), Ok(()));
    assert_eq!(
        about(None, &Data::new(LE).sequence((8, 0x1140), true, &listed)),
        Err(RewriteProblem::OtherPatient)
    );
    for (key, told) in [
        (keys(&one, "", &foreign), Err(RewriteProblem::OtherPatient)),
        (keys("", &names[0], &foreign), Err(RewriteProblem::OtherPatient)),
        (step(&theirs, &one, ""), Err(RewriteProblem::OtherPatient)),
        (step(&theirs, "", &study), Err(RewriteProblem::OtherPatient)),
        (keys("", "", &format!("{study}\\{foreign}")), Ok(())),
    ] {
        assert_eq!(site.keys(Way::ToReal, &key).map(|_| ()), told, "{}", key.bytes.escape_ascii());
    }
}

#[test]
fn what_the_patients_side_gave_two_patients_is_restored_for_both() {
    let site = Domain::site();
    let object = |patient: &str, instance: &str| {
        Data::new(LE)
            .text((8, 0x16), b"UI", CLASS)
            .text((8, 0x18), b"UI", instance)
            .text((8, 0x50), b"SH", "0")
            .text((0x10, 0x20), b"LO", patient)
            .text((0x20, 0x52), b"UI", "1.2.826.0.1.99")
            .text((0x28, 0x301), b"CS", "NO")
    };
    for (patient, instance) in [("PID-1", "1.2.9.1"), ("PID-2", "1.2.9.2"), ("PID-2", "1.2.9.3")] {
        let object = object(patient, instance);
        site.across(Way::ToPseudonyms, object_of(&object.bytes), LE, &object.bytes, &[8]).unwrap();
    }
    let other = Data::image(LE).text((0x10, 0x20), b"LO", "PID-3");
    site.out(&other);
    let shared =
        site.memory.0.lock().unwrap().iter().filter(|one| matches!(one.kind, Kind::Shared(_))).count();
    assert_eq!(shared, 1, "told once");
    let report = |patient: &str| {
        let (accession, frame) = (site.of(Kind::Value(Tag(8, 0x50)), "0"), site.uid("1.2.826.0.1.99"));
        let instance = format!("2.25.9011{}", &patient[4..]);
        let data = Data::new(LE).text((8, 0x18), b"UI", &instance).text((8, 0x50), b"SH", &accession);
        let patient = site.of(Kind::Value(Tag(0x10, 0x20)), patient);
        let data = data.text((0x10, 0x20), b"LO", &patient).text((0x20, 0x52), b"UI", &frame);
        site.back(&data).map(|_| ()).map_err(|error| error.problem)
    };
    assert_eq!(["PID-1", "PID-2"].map(report), [Ok(()), Ok(())]);
    assert_eq!(report("PID-3"), Err(RewriteProblem::OtherPatient));
}

#[test]
fn nobody_is_no_patient() {
    let rules = [
        rule_with("PatientName", "replace", "ANON^{pseudonym}"),
        rule_with("PatientID", "replace", "S-{value}"),
    ];
    let profile = ProfileSpec {
        options: vec![ProfileOption::RetainLongitudinalModifiedDates],
        ..ProfileSpec::default()
    };
    for site in [Domain::site(), Domain::new(Some(profile), &rules)] {
        for nobody in ["", " ", "\\", " \\ "] {
            let step = Data::new(LE)
                .text((8, 0x20), b"DA", "20240301")
                .text((0x10, 0x10), b"PN", "DOE^JANE")
                .text((0x10, 0x20), b"LO", nobody);
            let transform = Transform::across(site.rules.clone(), Way::ToPseudonyms, Subject::Attributes, LE)
                .with_crosswalk(site.memory.clone())
                .about(Some(nobody.as_bytes().to_vec()));
            let (shown, mut transform) = run_in(transform, &step.bytes, &[6]).unwrap();
            let of = |tag| text(&shown, tag).unwrap().replace('\\', "");
            assert_eq!([of((8, 0x20)), of((0x10, 0x10)), of((0x10, 0x20))], ["", "", ""], "{nobody:?}");
            assert_eq!(transform.take_correspondences(), []);
        }
    }
    // Nor one that an earlier version took for one.
    let site = Domain::site();
    let made_up = Correspondence {
        kind: Kind::Value(Tag(0x10, 0x20)),
        real: Vec::new(),
        pseudonym: b"0123456789ABCDEF".to_vec(),
        patient: None,
        written: None,
    };
    site.memory.store(vec![made_up]);
    let report =
        Data::new(LE).text((8, 0x18), b"UI", "2.25.9012").text((0x10, 0x20), b"LO", "0123456789ABCDEF");
    assert_eq!(site.back(&report).unwrap_err().problem, RewriteProblem::NotAPseudonym);
}

#[test]
fn a_wildcard_in_a_real_value_does_not_become_one() {
    let site = Domain::site();
    let id = Kind::Value(Tag(0x10, 0x20));
    for (real, instance) in [("PID*", "2.25.9013"), ("PID-?", "2.25.9014")] {
        let object = Data::image(LE).text((0x10, 0x10), b"PN", "DOE^JANE").text((0x10, 0x20), b"LO", real);
        let object = object.text((0x20, 0xD), b"UI", STUDY).text((0x28, 0x301), b"CS", "NO");
        site.out(&object);
        let pseudonym = site.of(id, real);
        let name = format!("ANON^{pseudonym}");
        for key in [keys(&pseudonym, "", ""), keys(&format!("{pseudonym}*"), "", ""), keys("", &name, "")] {
            assert_eq!(site.keys(Way::ToReal, &key), Err(RewriteProblem::NotAKey), "{real}");
        }
        let report = Data::new(LE).text((8, 0x18), b"UI", instance).text((0x10, 0x20), b"LO", &pseudonym);
        assert_eq!(text(&site.back(&report).unwrap(), (0x10, 0x20)).as_deref(), Some(real));
    }
}

#[test]
fn a_study_does_not_come_back_as_another_patients() {
    let site = Domain::site();
    site.out(&image());
    let other = Data::image(LE).text((0x10, 0x20), b"LO", "PID-2").text((0x20, 0xD), b"UI", OTHER_STUDY);
    site.out(&other);
    let mixed = Data::new(LE)
        .text((8, 0x18), b"UI", "2.25.9004")
        .text((0x10, 0x20), b"LO", &site.patient())
        .text((0x20, 0xD), b"UI", &site.uid(OTHER_STUDY));
    let error = site.back(&mixed).unwrap_err();
    assert_eq!((error.problem, error.tag), (RewriteProblem::OtherPatient, Some(Tag(0x20, 0xD))));
}

#[test]
fn whose_a_study_is_matters_where_rules_ask_for_no_patient_too() {
    let site = Domain::new(None, &[rule("PatientID", "pseudonym"), rule("StudyInstanceUID", "uid")]);
    site.out(&image());
    site.out(&Data::image(LE).text((0x10, 0x20), b"LO", "PID-2").text((0x20, 0xD), b"UI", OTHER_STUDY));
    let report = |patient: &str, study: &str| {
        Data::new(LE).text((8, 0x18), b"UI", "2.25.9004").text((0x10, 0x20), b"LO", patient).text(
            (0x20, 0xD),
            b"UI",
            study,
        )
    };
    let (own, other) = (site.uid(STUDY), site.uid(OTHER_STUDY));
    assert_eq!(site.back(&report(&site.patient(), &own)), Ok(report("PID-1", STUDY).bytes));
    let mixed = report(&site.patient(), &other);
    for error in [site.back(&mixed), site.attributes(Way::ToReal, &mixed)].map(Result::unwrap_err) {
        assert_eq!((error.problem, error.tag), (RewriteProblem::OtherPatient, Some(Tag(0x20, 0xD))));
    }
    let nobody = site.back(&report("", &other)).unwrap_err();
    assert_eq!((nobody.problem, nobody.tag), (RewriteProblem::NoPatient, Some(Tag(0x10, 0x20))));
}

/// What a reader may claim in every place where a UID can stand: study, series, instance, and references at every depth.
fn claiming(patient: &str, uids: [&str; 4]) -> Data {
    let [study, series, instance, referenced] = uids;
    let item = || Data::new(LE).text((8, 0x1150), b"UI", CLASS).text((8, 0x1155), b"UI", referenced);
    let series_item = item().text((0x20, 0xE), b"UI", referenced);
    let study_item =
        Data::new(LE).sequence((8, 0x1115), true, &[series_item]).text((0x20, 0xD), b"UI", referenced);
    Data::new(LE)
        .text((8, 0x18), b"UI", instance)
        // Multi-frame Source SOP Instance UID, of no row in Table E.1-1, with a VR that is not its own.
        .text((8, 0x1167), b"LO", referenced)
        .text((8, 0x1195), b"UI", referenced)
        .sequence((8, 0x1199), true, &[item()])
        .text((0x10, 0x20), b"LO", patient)
        .text((0x20, 0xD), b"UI", study)
        .text((0x20, 0xE), b"UI", series)
        .text((0x20, 0x52), b"UI", referenced)
        .text((0x40, 0xA124), b"UI", referenced)
        .sequence((0x40, 0xA375), false, &[study_item])
}

#[test]
fn a_real_uid_from_the_pseudonyms_side_names_nothing_that_is_real() {
    const UNKNOWN: [&str; 4] =
        ["1.2.826.0.1.99", "1.2.826.0.1.99.1", "1.2.826.0.1.99.1.1", "1.2.826.0.1.99.1.2"];
    const KNOWN: [&str; 4] = [OTHER_STUDY, "1.2.826.0.1.88.1", "1.2.826.0.1.88.1.1", "1.2.826.0.1.88.1.2"];
    let site = Domain::site();
    site.out(&image());
    let [study, series, instance, referenced] = KNOWN;
    let others = |uids: [&str; 4]| {
        let [study, series, instance, referenced] = uids;
        let referenced = Data::new(LE).text((8, 0x1155), b"UI", referenced);
        Data::new(LE)
            .text((8, 0x18), b"UI", instance)
            .sequence((8, 0x2112), true, &[referenced])
            .text((0x10, 0x20), b"LO", "PID-2")
            .text((0x20, 0xD), b"UI", study)
            .text((0x20, 0xE), b"UI", series)
    };
    let shown = site.attributes(Way::ToPseudonyms, &others(KNOWN)).unwrap();
    let pseudonyms = [study, series, instance, referenced].map(|uid| site.uid(uid));
    for uids in [KNOWN, UNKNOWN] {
        let report = claiming(&site.patient(), uids);
        let sent = site.back(&report).expect("the same whether it is known or not");
        assert_eq!(text(&sent, (0x10, 0x20)).as_deref(), Some("PID-1"));
        for uid in uids {
            assert!(!holds(&sent, uid), "{uid} is claimed");
            assert!(holds(&sent, &site.own(uid)), "{uid}");
        }
        assert_eq!(site.attributes(Way::ToReal, &report).as_ref(), Ok(&sent), "an N-service too");
        // To look for it finds what was claimed, never what it is the real UID of.
        assert_eq!(
            site.keys(Way::ToReal, &keys("", "", uids[0])),
            Ok(keys("", "", &site.own(uids[0])).bytes)
        );
        // What the reader wrote comes back to it, of what it claims it learns nothing.
        let told = site.attributes(Way::ToPseudonyms, &Data { bytes: sent, ..report.clone() }).unwrap();
        assert!(uids.iter().all(|uid| holds(&told, uid)));
        assert!(!pseudonyms.iter().any(|pseudonym| holds(&told, pseudonym)), "whose it is was told");
    }
    // The real ones go out as before, and those that were claimed first as if they had never been.
    assert_eq!(site.attributes(Way::ToPseudonyms, &others(KNOWN)), Ok(shown));
    let first_shown = site.attributes(Way::ToPseudonyms, &others(UNKNOWN)).unwrap();
    for uid in UNKNOWN {
        assert!(!holds(&first_shown, uid) && holds(&first_shown, &site.uid(uid)), "{uid}");
    }
}

#[test]
fn a_study_of_the_readers_own_does_not_go_from_patient_to_patient() {
    let site = Domain::site();
    site.out(&image());
    site.out(&Data::image(LE).text((0x10, 0x20), b"LO", "PID-2").text((0x20, 0xD), b"UI", OTHER_STUDY));
    let report = |patient: &str, [instance, referenced, study, series]: [&str; 4]| {
        Data::new(LE)
            .text((8, 0x18), b"UI", instance)
            .text((8, 0x1155), b"UI", referenced)
            .text((0x10, 0x20), b"LO", &site.of(Kind::Value(Tag(0x10, 0x20)), patient))
            // The reader's device, which reports on everybody.
            .text((0x18, 0x1002), b"UI", "2.25.9000")
            .text((0x20, 0xD), b"UI", study)
            .text((0x20, 0xE), b"UI", series)
    };
    let one = ["2.25.1", "2.25.2", "2.25.3", "2.25.4"];
    let other = ["2.25.5", "2.25.6", "2.25.7", "2.25.8"];
    assert!(site.back(&report("PID-1", one)).is_ok());
    for (at, tag) in [(0, (8, 0x18)), (1, (8, 0x1155)), (2, (0x20, 0xD)), (3, (0x20, 0xE))] {
        let mut mixed = other;
        mixed[at] = one[at];
        let error = site.back(&report("PID-2", mixed)).unwrap_err();
        let tag = Tag(tag.0, tag.1);
        assert_eq!((error.problem, error.tag), (RewriteProblem::OtherPatient, Some(tag)));
    }
    assert!(site.back(&report("PID-2", other)).is_ok());
}

#[test]
fn who_wrote_an_object_is_no_instance() {
    const TOOLKIT: &str = "1.2.276.0.7230010.3.0.3.6.9";
    let site = Domain::site();
    let written = Data::new(LE)
        .text((8, 0x14), b"UI", TOOLKIT)
        .text((8, 0x16), b"UI", CLASS)
        .text((8, 0x18), b"UI", INSTANCE)
        .text((0x10, 0x20), b"LO", "PID-1")
        .text((0x28, 0x301), b"CS", "NO");
    let out = site.out(&written);
    let shown = text(&out, (8, 0x14));
    assert!(shown.as_deref().is_some_and(|shown| shown.starts_with("2.25.")), "{shown:?}");
    let report = |creator: &str| {
        Data::new(LE).text((8, 0x14), b"UI", creator).text((8, 0x18), b"UI", "2.25.9004").text(
            (0x10, 0x20),
            b"LO",
            &site.patient(),
        )
    };
    let sent = site.back(&report(TOOLKIT)).unwrap();
    assert_eq!(text(&sent, (8, 0x14)).as_deref(), Some(TOOLKIT), "the same software wrote both");
    // In it, a study's real UID does not come back as that study's pseudonym.
    site.out(&image());
    let sent = site.back(&report(STUDY)).unwrap();
    let told = site.attributes(Way::ToPseudonyms, &Data { bytes: sent, ..report("") }).unwrap();
    assert!(!holds(&told, &site.uid(STUDY)) && !holds(&told, STUDY));
    let key = Data::new(LE).text((8, 0x14), b"UI", TOOLKIT);
    assert_eq!(site.keys(Way::ToReal, &key), Err(RewriteProblem::NotAKey));
}

#[test]
fn a_private_uid_that_its_object_calls_safe_tells_no_pseudonym() {
    let profile = ProfileSpec { options: vec![ProfileOption::RetainSafePrivate], ..ProfileSpec::default() };
    let site = Domain::new(Some(profile), &[rule("PatientID", "pseudonym")]);
    site.out(&image());
    let block = Data::new(LE).element((8, 0x301), b"US", &[9, 0]).text((8, 0x302), b"LO", "READER").text(
        (8, 0x303),
        b"CS",
        "SAFE",
    );
    let report = Data::new(LE)
        .text((8, 0x18), b"UI", "2.25.9004")
        .sequence((8, 0x300), true, &[block])
        .text((9, 0x10), b"LO", "READER")
        .text((9, 0x1001), b"UI", STUDY)
        .text((0x10, 0x20), b"LO", &site.patient());
    let sent = site.back(&report).unwrap();
    let told = site.attributes(Way::ToPseudonyms, &Data { bytes: sent, ..report }).unwrap();
    let private = text(&told, (9, 0x1001)).expect("the element, called safe");
    assert!(private.starts_with("2.25.") && private != site.uid(STUDY), "{private}");
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn keys(patient: &str, name: &str, study: &str) -> Data {
    Data::new(LE)
        .text((8, 0x52), b"CS", "STUDY")
        .text((0x10, 0x10), b"PN", name)
        .text((0x10, 0x20), b"LO", patient)
        .text((0x20, 0xD), b"UI", study)
}

#[test]
fn keys_are_translated_and_nothing_else_is_looked_for() {
    use RewriteProblem::{MatchesNothing, NeedsPatientId, NotAKey, Wildcard};
    let site = Domain::site();
    site.out(&image());
    let (patient, study) = (site.patient(), site.uid(STUDY));
    let name = format!("ANON^{patient}");
    let to_real = |data: &Data| site.keys(Way::ToReal, data);
    for (key, real) in [
        (keys(&patient, "", ""), keys("PID-1", "", "")),
        (keys("", "", &study), keys("", "", STUDY)),
        (keys("*", "*", ""), keys("*", "*", "")),
        (keys("", "", &format!("2.25.1\\{study}")), keys("", "", STUDY)),
        (keys(&format!("{patient}*"), "", ""), keys("PID-1", "", "")),
        (keys(&patient, &format!("{name}*"), &study), keys("PID-1", "", STUDY)),
        (keys("", &format!("{name}^^*"), ""), keys("PID-1", "", "")),
    ] {
        assert_eq!(to_real(&key), Ok(real.bytes), "{}", key.bytes.escape_ascii());
    }
    for (key, problem) in [
        (keys("PID-1", "", ""), MatchesNothing),
        (keys("", "", STUDY), MatchesNothing),
        (keys("", "", "2.25.1\\2.25.2"), MatchesNothing),
        (keys(&patient, "ANON^0123456789ABCDEF", ""), MatchesNothing),
        (keys("", "DOE^JANE", ""), MatchesNothing),
        (keys("PID*", "", ""), Wildcard),
        (keys("", "DOE*", ""), Wildcard),
        (keys("", "", "1.2.*"), Wildcard),
        (keys(&format!("?{}", &patient[1..]), "", ""), Wildcard),
        (Data::new(LE).text((0x10, 0x10), b"PN", &name), NeedsPatientId),
        (keys("", "", "").text((0x20, 0x10), b"SH", "S1"), NotAKey),
        (Data::new(LE).text((8, 0x90), b"PN", "REF*"), NotAKey),
        (Data::new(LE).text((8, 0x20), b"DA", "20240301"), NeedsPatientId),
        (Data::new(LE).text((0x10, 0x30), b"DA", "19700101"), NotAKey),
        (Data::new(LE).text((9, 0x10), b"LO", "ACME").text((9, 0x1001), b"LO", "X"), NotAKey),
    ] {
        assert_eq!(to_real(&key), Err(problem), "{}", key.bytes.escape_ascii());
    }
}

#[test]
fn a_name_in_an_item_does_not_say_whom_the_query_is_about() {
    let site = Domain::site();
    site.out(&image());
    let name = format!("ANON^{}", site.patient());
    let item = || Data::new(LE).text((0x10, 0x10), b"PN", &name).text((0x10, 0x20), b"LO", "");
    let before = Data::new(LE).sequence((0x8, 0x115), true, &[item()]).text((0x10, 0x20), b"LO", "");
    let behind = keys("", &name, "").sequence((0x40, 0x100), true, &[item()]);
    for key in [before, behind] {
        assert_eq!(site.keys(Way::ToReal, &key), Err(RewriteProblem::NeedsPatientId));
    }
    // An empty key in an item stays one.
    let nested = Data::new(LE).text((0x10, 0x20), b"LO", "");
    let of = |data: Data| data.sequence((0x40, 0x100), true, std::slice::from_ref(&nested)).bytes;
    let key = Data { bytes: of(keys("", &name, "")), ..Data::new(LE) };
    assert_eq!(site.keys(Way::ToReal, &key), Ok(of(keys("PID-1", "", ""))));
}

#[test]
fn keys_of_the_other_side_are_translated_too_and_give_nothing_away() {
    use RewriteProblem::{MatchesNothing, NeedsPatientId, NotAKey, Wildcard};
    let site = Domain::site();
    site.out(&image());
    let (patient, study) = (site.patient(), site.uid(STUDY));
    let out = |data: &Data| site.keys(Way::ToPseudonyms, data);
    assert_eq!(out(&keys("PID-1", "", STUDY)), Ok(keys(&patient, "", &study).bytes));
    assert_eq!(out(&keys("PID-1", "DOE^JANE", "")), Ok(keys(&patient, "", "").bytes));
    for (key, problem) in [
        (keys("PID-2", "", ""), MatchesNothing),
        (keys("", "", OTHER_STUDY), MatchesNothing),
        (keys("PID-1*", "", ""), Wildcard),
        (keys("", "DOE^JANE", ""), NeedsPatientId),
        (Data::new(LE).text((8, 0x90), b"PN", "REFERRING^DOCTOR"), NotAKey),
    ] {
        assert_eq!(out(&key), Err(problem), "{}", key.bytes.escape_ascii());
    }
}

#[test]
fn a_study_that_is_looked_for_tells_on_whom_its_answers_are() {
    let site = Domain::site();
    site.out(&image());
    for (key, about) in [
        (keys(&site.patient(), "", ""), Some("PID-1")),
        (keys("", "", &site.uid(STUDY)), Some("PID-1")),
        (keys("", "", &format!("{}\\2.25.1", site.uid(STUDY))), None),
        (keys("", "", ""), None),
    ] {
        let (_, transform) = site.across(Way::ToReal, Subject::Keys, LE, &key.bytes, &[6]).unwrap();
        let told = transform.summary().patient_id.as_deref().filter(|told| !told.is_empty());
        assert_eq!(told, about.map(str::as_bytes), "{}", key.bytes.escape_ascii());
    }
}

#[test]
fn dates_are_looked_for_where_the_patient_is_known() {
    let site = Domain::site();
    let out = site.out(&image());
    let (shifted, patient) = (text(&out, (8, 0x20)).unwrap(), site.patient());
    let key = |date: &str, patient: &str| {
        Data::new(LE).text((8, 0x20), b"DA", date).text((8, 0x30), b"TM", "10-12").text(
            (0x10, 0x20),
            b"LO",
            patient,
        )
    };
    for (pseudonymous, real) in [
        (shifted.clone(), "20240301"),
        (format!("{shifted}-"), "20240301-"),
        (format!("-{shifted}"), "-20240301"),
        (format!("{shifted}-{shifted}"), "20240301-20240301"),
        (String::new(), ""),
    ] {
        let real = key(real, "PID-1").bytes;
        assert_eq!(site.keys(Way::ToReal, &key(&pseudonymous, &patient)).as_ref(), Ok(&real));
        assert_eq!(
            site.keys(Way::ToPseudonyms, &key("20240301", "PID-1")),
            Ok(key(&shifted, &patient).bytes)
        );
    }
    for odd in ["2024", "20240301-0100", "20240301\\20240302", "-", "20240301-x"] {
        assert_eq!(site.keys(Way::ToReal, &key(odd, &patient)), Err(RewriteProblem::NotAKey), "{odd}");
    }
}

/// An item of (0040,0100) Scheduled Procedure Step Sequence.
fn step(station: &str, date: &str, time: &str) -> Data {
    Data::new(LE)
        .text((8, 0x60), b"CS", "CT")
        .text((0x40, 1), b"AE", station)
        .text((0x40, 2), b"DA", date)
        .text((0x40, 3), b"TM", time)
}

fn worklist(items: &[Data]) -> Data {
    Data::new(LE).text((0x10, 0x20), b"LO", "").sequence((0x40, 0x100), true, items)
}

#[test]
fn a_modality_asks_for_its_own_schedule() {
    use RewriteProblem::{MatchesNothing, NeedsPatientId, NotAKey, Wildcard};
    let basic = Domain::new(Some(ProfileSpec::default()), &[rule("PatientID", "pseudonym")]);
    let options = vec![ProfileOption::RetainDeviceIdentity, ProfileOption::RetainLongitudinalModifiedDates];
    let devices = Domain::new(
        Some(ProfileSpec { options, ..ProfileSpec::default() }),
        &[rule("PatientID", "pseudonym")],
    );
    let asked = |site: &Domain, way, data: &Data| {
        let transform = Transform::across(site.rules.clone(), way, Subject::Keys, LE)
            .with_crosswalk(site.memory.clone())
            .asked_by("SCAN-A".into(), false)
            .on(TODAY);
        match run_in(transform, &data.bytes, &[7]) {
            Ok((sent, transform)) => {
                assert_eq!(sent, data.bytes);
                Ok(transform.asks_own_schedule())
            }
            Err(error) => Err(error.problem),
        }
    };
    // The basic profile hides dates, so that none can be looked for, whatever patient is.
    for (site, hidden, day) in [
        (Domain::site(), NotAKey, NeedsPatientId),
        (basic, NotAKey, NotAKey),
        (devices, MatchesNothing, NeedsPatientId),
    ] {
        for (step, told) in [
            (step("SCAN-A", "20240301", ""), Ok(true)),
            (step("SCAN-A ", "20240301-20240401", "0800-1200"), Ok(true)),
            (step("SCAN-A", "", ""), Ok(true)),
            (step("", "20261122", "0800-1200"), Err(day)),
            (step("", "20261121-20261123", ""), Err(day)),
            (step("", "", ""), Ok(false)),
            (step("*", "", ""), Ok(false)),
            (step("SCAN-B", "", ""), Err(hidden)),
            (step("", "20240301", ""), Err(day)),
            (step("", "20261122-", ""), Err(day)),
            (step("", "20261120-20261122", ""), Err(day)),
        ] {
            assert_eq!(
                asked(&site, Way::ToReal, &worklist(std::slice::from_ref(&step))),
                told,
                "{}",
                step.bytes.escape_ascii()
            );
        }
        let parts = asked(&site, Way::ToReal, &worklist(&[step("SCAN*", "", "")])).unwrap_err();
        assert!(matches!(parts, Wildcard | NotAKey));
        // What one item says is not of the next, and of nothing else.
        let two = worklist(&[step("SCAN-A", "", ""), step("", "20240301", "")]);
        assert_eq!(asked(&site, Way::ToReal, &two), Err(day));
        assert_eq!(asked(&site, Way::ToReal, &Data::new(LE).text((0x40, 1), b"AE", "SCAN-A")), Err(hidden));
        assert!(asked(&site, Way::ToPseudonyms, &worklist(&[step("SCAN-A", "", "")])).is_err());
    }
}

#[test]
fn a_modality_is_shown_its_own_schedule_and_no_day_to_count_from() {
    let site = Domain::site();
    site.out(&image());
    let answer = |station: &str| {
        let step = step(station, "20261122", "081500").text((0x40, 4), b"DA", "20261122").text(
            (0x40, 6),
            b"PN",
            "A^B",
        );
        Data::new(LE)
            .text((8, 0x20), b"DA", "20261121")
            .text((0x10, 0x10), b"PN", "DOE^JANE")
            .text((0x10, 0x20), b"LO", "PID-1")
            .sequence((0x40, 0x100), true, &[step])
    };
    let shown = |own, data: &Data| {
        let transform = Transform::across(site.rules.clone(), Way::ToPseudonyms, Subject::Attributes, LE)
            .with_crosswalk(site.memory.clone())
            .asked_by("SCAN-A".into(), own);
        let shown = elements(&run_in(transform, &data.bytes, &[4]).unwrap().0, LE);
        let steps = String::from_utf8_lossy(&shown[&(0x40, 0x100)]).into_owned();
        (text_of(&shown, (8, 0x20)).unwrap(), text_of(&shown, (0x10, 0x10)).unwrap(), steps)
    };
    let (study, name, steps) = shown(true, &answer("SCAN-A"));
    assert_eq!((study.as_str(), name), ("", format!("ANON^{}", site.patient())));
    assert!(
        steps.contains("SCAN-A") && steps.matches("20261122").count() == 2 && steps.contains("081500"),
        "{steps}"
    );
    assert!(!steps.contains("A^B"));
    assert!(!shown(true, &answer("SCAN-B")).2.contains("SCAN-B"));
    let (study, _, steps) = shown(false, &answer("SCAN-A"));
    assert!(study.len() == 8 && study != "20261121", "{study}");
    assert!(!steps.contains("20261122") && !steps.contains("SCAN-A"), "{steps}");
}

#[test]
fn what_answers_show_as_it_is_can_be_looked_for() {
    use RewriteProblem::{MatchesNothing, NotAKey};
    let options = vec![ProfileOption::RetainPatientCharacteristics, ProfileOption::CleanDescriptors];
    let rules = [
        rule("PatientID", "pseudonym"),
        rule_with("InstitutionName", "replace", "SITE-07"),
        RuleSpec { find: Some("[0-9]{4,}".into()), ..rule_with("SeriesDescription", "pattern", "N") },
    ];
    let site = Domain::new(Some(ProfileSpec { options, ..ProfileSpec::default() }), &rules);
    let age = |value| Data::new(LE).text((0x10, 0x1010), b"AS", value);
    let study = |value| Data::new(LE).text((8, 0x1030), b"LO", value);
    let series = |value| Data::new(LE).text((8, 0x103E), b"LO", value);
    let institution = |value| Data::new(LE).text((8, 0x80), b"LO", value);
    for (key, told) in [
        (age("045Y"), Ok(age("045Y"))),
        (age("090Y"), Err(NotAKey)),
        (age("093Y"), Err(NotAKey)),
        (study("ABDOMEN PELVIS"), Ok(study("ABDOMEN PELVIS"))),
        (study("ABDOMEN DOE"), Err(NotAKey)),
        (study("ABDOMEN*"), Err(NotAKey)),
        (series("AXIAL 12"), Ok(series("AXIAL 12"))),
        (series("AXIAL 4711"), Err(NotAKey)),
        (series("AXIAL*"), Err(NotAKey)),
        (institution("SITE-07"), Ok(institution(""))),
        (institution("HOSPITAL"), Err(MatchesNothing)),
        (institution("SITE*"), Err(NotAKey)),
    ] {
        let told = told.map(|data: Data| data.bytes);
        assert_eq!(site.keys(Way::ToReal, &key), told, "{}", key.bytes.escape_ascii());
        assert!(site.keys(Way::ToPseudonyms, &key).is_err());
    }
}

#[test]
fn what_is_in_a_hidden_sequence_is_not_looked_for() {
    let site = Domain::site();
    // (0040,0275) Request Attributes Sequence goes as a whole; (0040,0100) stays.
    let with = |tag, value: &str| {
        let item = Data::new(LE).text((8, 0x60), b"CS", value);
        Data::new(LE).sequence(tag, true, &[item])
    };
    for tag in [(0x40, 0x275), (0x40, 0x100)] {
        let empty = with(tag, "");
        assert_eq!(site.keys(Way::ToReal, &empty), Ok(empty.bytes));
    }
    let kept = with((0x40, 0x100), "CT");
    assert_eq!(site.keys(Way::ToReal, &kept), Ok(kept.bytes));
    assert_eq!(site.keys(Way::ToReal, &with((0x40, 0x275), "CT")), Err(RewriteProblem::NotAKey));
    // What comes behind it is judged as itself again.
    let behind = with((0x40, 0x275), "").text((0x40, 0xA491), b"CS", "COMPLETE");
    assert_eq!(site.keys(Way::ToReal, &behind), Ok(behind.bytes));
}

#[test]
fn answers_show_pseudonyms_and_no_more_than_was_asked_for() {
    let site = Domain::site();
    let answer = Data::new(LE)
        .text((8, 0x20), b"DA", "20240301")
        .text((8, 0x52), b"CS", "STUDY")
        .text((8, 0x90), b"PN", "REFERRING^DOCTOR")
        .text((0x10, 0x10), b"PN", "DOE^JANE")
        .text((0x10, 0x20), b"LO", "PID-1")
        .text((0x20, 0xD), b"UI", STUDY);
    let shown = site.attributes(Way::ToPseudonyms, &answer).unwrap();
    let of = |tag| text(&shown, tag).unwrap();
    assert_eq!(of((0x10, 0x10)), format!("ANON^{}", site.patient()));
    assert_eq!((of((0x10, 0x20)), of((0x20, 0xD))), (site.patient(), site.uid(STUDY)));
    assert_ne!(of((8, 0x20)), "20240301");
    assert_eq!((of((8, 0x90)), of((8, 0x52))), (String::new(), "STUDY".into()));
    assert_eq!(elements(&shown, LE).len(), 6, "nothing is added");
    // On nobody, nothing is said of anybody; on the one who was asked for, it is known.
    let nobody = Data::new(LE).text((8, 0x21), b"DA", "20240301").text((0x10, 0x10), b"PN", "DOE^JANE");
    let shown = site.attributes(Way::ToPseudonyms, &nobody).unwrap();
    assert_eq!((text(&shown, (8, 0x21)), text(&shown, (0x10, 0x10))), (Some("".into()), Some("".into())));
    let about = Transform::across(site.rules.clone(), Way::ToPseudonyms, Subject::Attributes, LE)
        .with_crosswalk(site.memory.clone())
        .about(Some(b"PID-1".to_vec()));
    let (shown, _) = run_in(about, &nobody.bytes, &[4]).unwrap();
    assert_eq!(text(&shown, (0x10, 0x10)), Some(format!("ANON^{}", site.patient())));
}

#[test]
fn pixels_of_no_object_pass_only_where_burned_in_text_may() {
    let shown = |burned_in, data: &Data| {
        let profile = ProfileSpec { burned_in, ..ProfileSpec::default() };
        Domain::new(Some(profile), &[]).attributes(Way::ToPseudonyms, data).map_err(|error| {
            assert_eq!(error.status, 0xC006);
            (error.tag, error.depth, error.problem)
        })
    };
    let pixels = || Data::new(LE).element((0x7FE0, 0x10), b"OW", &[7, 7]);
    // (2020,0110) Basic Grayscale Image Sequence of an Image Box (PS3.3 C.13.5).
    let printed = Data::new(LE).sequence((0x2020, 0x110), true, &[pixels()]);
    let compressed = Data::new(LE).fragments(&[&[], &[1, 2]]);
    let mask = |refuse_others| BurnedIn::Mask { masks: Vec::new(), refuse_others, decode_up_to: None };
    for burned_in in [BurnedIn::Refuse, mask(true), mask(false)] {
        for (data, depth) in [(&pixels(), 0), (&printed, 1), (&compressed, 0)] {
            let refused = (Some(Tag(0x7FE0, 0x10)), depth, RewriteProblem::PixelsOfNoObject);
            assert_eq!(shown(burned_in.clone(), data), Err(refused));
        }
        let asked_for = Data::new(LE).element((0x7FE0, 0x10), b"OW", &[]);
        assert_eq!(shown(burned_in, &asked_for), Ok(asked_for.bytes));
    }
    for data in [pixels(), printed, compressed] {
        assert_eq!(shown(BurnedIn::Pass, &data), Ok(data.bytes));
    }
}

#[test]
fn failed_instances_are_pseudonyms_though_no_rule_names_them() {
    let site = Domain::new(None, &[rule("SOPInstanceUID", "uid"), rule("PatientID", "pseudonym")]);
    let data = Data::new(LE).text((8, 0x58), b"UI", "1.2.3\\1.2.4");
    let shown = text(&site.attributes(Way::ToPseudonyms, &data).unwrap(), (8, 0x58)).unwrap();
    assert_eq!(shown, format!("{}\\{}", site.uid("1.2.3"), site.uid("1.2.4")));
}

#[test]
fn instances_of_commands_cross_like_those_of_data_sets() {
    let site = Domain::site();
    site.out(&image());
    let known = || Arc::clone(&site.memory) as Arc<dyn Correspondences>;
    let across = |way, uid: &str, exists| {
        let crossed = site.rules.instance_across(way, uid, exists, known()).unwrap();
        if let Some(crossed) = &crossed {
            site.memory.store(crossed.made.clone());
        }
        crossed.map(|found| (found.uid, found.comes_back, found.made.len()))
    };
    let pseudonym = site.uid(INSTANCE);
    assert_eq!(across(Way::ToPseudonyms, INSTANCE, false), Some((pseudonym.clone(), false, 0)));
    assert_eq!(across(Way::ToReal, &pseudonym, true), Some((INSTANCE.into(), true, 0)));
    // A real one is as unknown as any other, and known from then on as the sender's own.
    for claimed in ["2.25.7", INSTANCE, UNDER_THE_ROOT] {
        assert_eq!(across(Way::ToReal, claimed, true), None);
        let (uid, comes_back, made) = across(Way::ToReal, claimed, false).unwrap();
        assert_eq!((uid == site.own(claimed), comes_back, made), (true, false, 1));
        assert_ne!(uid, claimed);
        assert_eq!(across(Way::ToReal, claimed, true), Some((uid.clone(), false, 0)));
        assert_eq!(across(Way::ToPseudonyms, &uid, true), Some((claimed.into(), false, 0)));
    }
    assert_eq!(across(Way::ToPseudonyms, INSTANCE, false), Some((pseudonym, false, 0)));
    let of_somebody = "1.2.840.10008.20260101.815.2";
    assert_eq!(across(Way::ToPseudonyms, of_somebody, false), Some((site.uid(of_somebody), false, 1)));
    let well_known = "1.2.840.10008.1.20.1.1";
    for way in [Way::ToPseudonyms, Way::ToReal] {
        assert_eq!(across(way, well_known, true), Some((well_known.into(), false, 0)));
    }
}

#[test]
fn without_a_crosswalk_nothing_comes_back() {
    let site = Domain::site();
    let data = image();
    let transform = Transform::across(site.rules, Way::ToReal, object_of(&data.bytes), LE).on(TODAY);
    let error = run_in(transform, &data.bytes, &[100]).map(|_| ()).unwrap_err();
    assert_eq!(error.problem, RewriteProblem::Crosswalk);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn there_and_back_is_where_it_began(
        patient in "[A-Z0-9]{1,12}",
        accession in "[A-Z0-9]{0,12}",
        name in "[A-Z]{1,8}\\^[A-Z]{1,8}",
        days in 0_i64..40_000,
        uids in proptest::collection::vec("1\\.2\\.[1-9][0-9]{0,6}", 1..5),
        defined in any::<bool>(),
        which in 0_usize..4,
        sizes in proptest::collection::vec(1_usize..200, 1..5),
    ) {
        let encoding = [LE, BE, IMPLICIT, DEFLATED][which];
        let date = Date::from_calendar_date(1910, Month::January, 1).unwrap() + time::Duration::days(days);
        let date = format!("{:04}{:02}{:02}", date.year(), u8::from(date.month()), date.day());
        let item = Data::new(encoding)
            .text((8, 0x1150), b"UI", CLASS)
            .text((8, 0x1155), b"UI", &uids.join("\\"))
            .text((0x10, 0x20), b"LO", &patient);
        // What the profile lets through or gives a pseudonym.
        let original = Data::image(encoding)
            .text((8, 0x20), b"DA", &date)
            .text((8, 0x30), b"TM", "101112")
            .text((8, 0x50), b"SH", &accession)
            .text((8, 0x60), b"CS", "CT")
            .sequence((8, 0x2112), defined, &[item.clone(), item])
            .text((0x10, 0x10), b"PN", &name)
            .text((0x10, 0x20), b"LO", &patient)
            .text((0x10, 0x40), b"CS", "O")
            .text((0x20, 0xD), b"UI", &uids[0])
            .text((0x20, 0x13), b"IS", "7")
            .text((0x28, 0x301), b"CS", "NO")
            .element((0x7FE0, 0x10), b"OW", &[9; 500]);
        let input = if encoding.deflated { super::deflated::deflate(&original.bytes) } else { original.bytes.clone() };
        let site = Domain::site();
        let out = site.across(Way::ToPseudonyms, Subject::Object(expected()), encoding, &input, &sizes);
        let (out, transform) = out.unwrap();
        let plain = |bytes: &[u8]| if encoding.deflated { super::deflated::inflate(bytes) } else { bytes.to_vec() };
        let shown = String::from_utf8_lossy(&plain(&out)).into_owned();
        prop_assert!(!shown.contains(&name));
        let instance = String::from_utf8(transform.summary().new_sop_instance_uid.clone().unwrap()).unwrap();
        let object = Subject::Object(crate::rewrite::Expected { sop_instance_uid: instance.parse().unwrap(), ..expected() });
        let mut backs = Vec::new();
        for sizes in [&sizes[..], &[1], &[usize::MAX]] {
            backs.push(site.across(Way::ToReal, object.clone(), encoding, &out, sizes).unwrap().0);
        }
        prop_assert!(backs.windows(2).all(|pair| plain(&pair[0]) == plain(&pair[1])), "a chunking made a difference");
        prop_assert_eq!(plain(&backs[0]), original.bytes);
    }

    #[test]
    fn no_uid_from_the_pseudonyms_side_stands_for_itself(
        uids in proptest::collection::vec(prop_oneof![
            "[0-2]\\.[0-9]{1,3}(\\.[1-9][0-9]{0,8}){1,6}",
            "1\\.2\\.840\\.10008(\\.[1-9][0-9]{6,8}){1,3}",
        ], 4),
        seen in proptest::collection::vec(any::<bool>(), 4),
    ) {
        let site = Domain::site();
        site.out(&image());
        let uids: [&str; 4] = [0, 1, 2, 3].map(|at: usize| uids[at].as_str());
        prop_assume!(!uids.iter().any(|uid| crate::rewrite::registered::is_registered(uid.as_bytes())));
        for (uid, _) in uids.iter().zip(&seen).filter(|(_, seen)| **seen) {
            site.attributes(Way::ToPseudonyms, &Data::new(LE).text((0x20, 0xD), b"UI", uid)).unwrap();
        }
        let report = claiming(&site.patient(), uids);
        let sent = site.back(&report).unwrap();
        let written = |bytes: &[u8]| [(8, 0x18), (8, 0x1167), (8, 0x1195), (0x20, 0xD), (0x20, 0xE), (0x40, 0xA124)]
            .map(|tag| text(bytes, tag));
        for (sent, wrote) in written(&sent).into_iter().zip(written(&report.bytes)) {
            prop_assert!(sent != wrote && sent == wrote.map(|wrote| site.own(&wrote)));
        }
        let told = site.attributes(Way::ToPseudonyms, &Data { bytes: sent, ..report }).unwrap();
        prop_assert_eq!(written(&told), written(&report.bytes));
    }

    #[test]
    fn keys_never_let_a_value_through_that_stands_for_nothing(key in "[A-Z0-9*?^. ]{0,16}", which in 0_usize..4) {
        let site = Domain::site();
        site.out(&image());
        let (tag, vr): ((u16, u16), &[u8; 2]) =
            [((0x10, 0x20), b"LO"), ((0x10, 0x10), b"PN"), ((8, 0x50), b"SH"), ((8, 0x90), b"PN")][which];
        let data = Data::new(LE).text(tag, vr, &key);
        if let Ok(sent) = site.keys(Way::ToReal, &data) {
            let sent = text(&sent, tag).unwrap();
            prop_assert!(sent.bytes().all(|b| b == b'*'), "{key:?} became {sent:?}");
        }
    }

    #[test]
    fn no_bytes_panic_or_pass_unread(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        cut in 0_usize..400,
        flip in any::<(usize, u8)>(),
        keys in any::<bool>(),
    ) {
        let site = Domain::site();
        let mut whole = image().bytes;
        whole.truncate(cut.max(1));
        let at = flip.0 % whole.len();
        whole[at] ^= flip.1;
        for input in [bytes, whole] {
            let subject = if keys { Subject::Keys } else { Subject::Attributes };
            for way in [Way::ToReal, Way::ToPseudonyms] {
                let one = site.across(way, subject.clone(), LE, &input, &[1]).map(|(sent, _)| sent);
                let two = site.across(way, subject.clone(), LE, &input, &[13, 2]).map(|(sent, _)| sent);
                prop_assert_eq!(one, two);
            }
        }
    }
}

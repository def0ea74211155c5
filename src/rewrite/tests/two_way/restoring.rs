//! What comes back: a report under its real patient, whole, or not at all.

use proptest::prelude::*;
use time::{Date, Month};

use super::domain::*;
use crate::dataset::Tag;
use crate::rewrite::tests::deflated::{deflate, inflate};
use crate::rewrite::tests::support::*;
use crate::rewrite::{Kind, RewriteProblem, Subject, Transform, Way};

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
        let input = if encoding.deflated { deflate(&original.bytes) } else { original.bytes.clone() };
        let site = Domain::site();
        let out = site.across(Way::ToPseudonyms, Subject::Object(expected()), encoding, &input, &sizes);
        let (out, transform) = out.unwrap();
        let plain = |bytes: &[u8]| if encoding.deflated { inflate(bytes) } else { bytes.to_vec() };
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
}

/// Identifiers are looked for in what goes to pseudonyms only.
#[test]
fn a_text_of_the_reader_comes_back_as_it_was_written() {
    let site = Domain::site();
    site.out(&image());
    let report = report(&site).text((0x72, 0x10), b"LO", "of ANON, 12.03.1950, 1234567");
    let (sent, _) = site.across(Way::ToReal, object_of(&report.bytes), LE, &report.bytes, &[3]).unwrap();
    let of = |bytes: &[u8]| text_of(&elements(bytes, LE), (0x72, 0x10));
    assert_eq!(of(&sent).as_deref(), Some("of ANON, 12.03.1950, 1234567"));
    let (back, _) = site.across(Way::ToPseudonyms, object_of(&sent), LE, &sent, &[3]).unwrap();
    assert_eq!(of(&back).as_deref(), Some("of ANON, ***, ***"));
}

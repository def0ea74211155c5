//! Keys of queries: what is looked for by pseudonyms and by real values, and what is not.

use proptest::prelude::*;

use super::domain::*;
use crate::dataset::Tag;
use crate::rewrite::tests::support::*;
use crate::rewrite::{Kind, ProfileOption, ProfileSpec, RewriteProblem, RuleSpec, Subject, Way};

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
        (keys("", "", &study), keys_of_whomever("", "", STUDY)),
        (keys("*", "*", ""), keys_of_whomever("*", "*", "")),
        (keys("", "", &format!("2.25.1\\{study}")), keys_of_whomever("", "", STUDY)),
        (keys(&format!("{patient}*"), "", ""), keys_of_whomever("PID-1", "", "")),
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
        (series("AXIAL"), Ok(series("AXIAL"))),
        (series("AXIAL DOE"), Err(NotAKey)),
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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
}

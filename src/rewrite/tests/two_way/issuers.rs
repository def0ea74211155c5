//! The same Patient ID of two issuers is two patients, on both ways.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::domain::*;
use crate::dataset::Tag;
use crate::rewrite::tests::support::*;
use crate::rewrite::{
    Kind, ProfileOption, ProfileSpec, RewriteProblem, RuleSpec, Ruleset, RulesetSpec, Subject, Transform,
    Way, patient_key,
};

const PATIENT: (u16, u16) = (0x10, 0x20);
const ISSUER: (u16, u16) = (0x10, 0x21);

/// An object on PID-1 of an issuer, in a study of its own.
fn of(issuer: Option<&str>, number: u32) -> Data {
    let data = Data::new(LE)
        .text((8, 0x16), b"UI", CLASS)
        .text((8, 0x18), b"UI", &format!("1.2.9.{number}.1"))
        .text((8, 0x20), b"DA", "20240301")
        .text((0x10, 0x10), b"PN", "DOE^JANE")
        .text(PATIENT, b"LO", "PID-1");
    let data = issuer.into_iter().fold(data, |data, issuer| data.text(ISSUER, b"LO", issuer));
    data.text((0x20, 0xD), b"UI", &format!("1.2.9.{number}")).text((0x28, 0x301), b"CS", "NO")
}

fn out(site: &Domain, data: &Data) -> (String, String) {
    let object = object_of(&data.bytes);
    let (sent, _) = site.across(Way::ToPseudonyms, object, LE, &data.bytes, &[11]).unwrap();
    assert_eq!(text(&sent, ISSUER), None, "the profile removes it");
    (text(&sent, PATIENT).unwrap(), text(&sent, (8, 0x20)).unwrap())
}

fn with(rules: &[RuleSpec], with_issuer: bool) -> Domain {
    let options = vec![ProfileOption::RetainLongitudinalModifiedDates];
    let profile = Some(ProfileSpec { options, ..ProfileSpec::default() });
    let spec = RulesetSpec { profile, with_issuer, ..spec(rules) };
    Domain { rules: Arc::new(Ruleset::compile(spec).unwrap()), memory: Arc::default() }
}

#[test]
fn two_issuers_are_two_patients_with_two_pseudonyms_and_two_date_shifts() {
    let pseudonym = || rule("PatientID", "pseudonym");
    for patient_id in [
        rule_with("PatientID", "replace", "{pseudonym}"),
        pseudonym(),
        rule_with("PatientID", "replace", "{value}"),
    ] {
        let site = with(std::slice::from_ref(&patient_id), true);
        let all = [None, Some("LYON"), Some("PARIS"), Some(" ")];
        let sent: Vec<_> =
            all.iter().zip(1..).map(|(issuer, number)| out(&site, &of(*issuer, number))).collect();
        assert_eq!(sent[0], sent[3], "an empty issuer is none");
        let pseudonyms: BTreeSet<_> = sent.iter().map(|(patient, _)| patient).collect();
        let dates: BTreeSet<_> = sent.iter().map(|(_, date)| date).collect();
        assert_eq!((pseudonyms.len(), dates.len()), (3, 3), "{sent:?}");
        assert_eq!(sent[1], out(&site, &of(Some("LYON "), 5)), "the same patient again");
        // As before, where the issuer is not to say anything.
        let alone = with(&[patient_id], false);
        assert_eq!(out(&alone, &of(Some("LYON"), 1)), sent[0]);
        assert_eq!(out(&alone, &of(Some("PARIS"), 2)), sent[0]);
    }
    // Without a crosswalk too.
    let rules = with(&[pseudonym()], true).rules;
    let one_way = |issuer| {
        let data = of(issuer, 1);
        let Subject::Object(expected) = object_of(&data.bytes) else { panic!("an object") };
        let (sent, _) = run_in(Transform::new(rules.clone(), LE, expected), &data.bytes, &[3]).unwrap();
        text(&sent, PATIENT).unwrap()
    };
    assert_ne!(one_way(Some("LYON")), one_way(Some("PARIS")));
}

#[test]
fn whoever_was_known_without_an_issuer_stays_who_that_was() {
    let before = with(&[rule_with("PatientID", "replace", "{pseudonym}")], false);
    let known = out(&before, &of(Some("LYON"), 1));
    let site =
        Domain { memory: before.memory, ..with(&[rule_with("PatientID", "replace", "{pseudonym}")], true) };
    assert_eq!(out(&site, &of(None, 2)), known);
    assert_ne!(out(&site, &of(Some("LYON"), 3)), known);
    let report = Data::new(LE).text((8, 0x18), b"UI", "2.25.9001").text(PATIENT, b"LO", &known.0).text(
        (0x20, 0xD),
        b"UI",
        &site.uid("1.2.9.1"),
    );
    let back = site.back(&report).unwrap();
    assert_eq!((text(&back, PATIENT).as_deref(), text(&back, ISSUER)), (Some("PID-1"), None));
    // A study that passed before is the new patient's too, once it has passed again.
    let (lyon, _) = out(&site, &of(Some("LYON"), 1));
    let report = report_on(&lyon, &site.uid("1.2.9.1"), "2.25.9002");
    assert_eq!(text(&site.back(&report).unwrap(), ISSUER).as_deref(), Some("LYON"));
}

fn report_on(patient: &str, study: &str, instance: &str) -> Data {
    Data::new(LE).text((8, 0x18), b"UI", instance).text(PATIENT, b"LO", patient).text(
        (0x20, 0xD),
        b"UI",
        study,
    )
}

#[test]
fn the_issuer_comes_back_behind_the_patient_id_and_nobody_mixes_two() {
    let site = with(&[rule_with("PatientID", "replace", "{pseudonym}")], true);
    let [lyon, paris] =
        [("LYON", 1), ("PARIS", 2)].map(|(issuer, number)| out(&site, &of(Some(issuer), number)).0);
    let report = |patient: &str, study: &str| report_on(patient, &site.uid(study), "2.25.9001");
    let back = site.back(&report(&lyon, "1.2.9.1")).unwrap();
    assert_eq!(
        (text(&back, PATIENT).as_deref(), text(&back, ISSUER).as_deref()),
        (Some("PID-1"), Some("LYON"))
    );
    assert_eq!(site.back(&report(&lyon, "1.2.9.2")).unwrap_err().problem, RewriteProblem::OtherPatient);
    // What the sender wrote in its place is not the issuer, and one that ends with the Patient ID gets it too.
    let written = Data::new(LE).text(PATIENT, b"LO", &paris).text(ISSUER, b"LO", "READER").text(
        (0x20, 0x10),
        b"SH",
        "",
    );
    let ends = Data::new(LE).text(PATIENT, b"LO", &paris);
    for data in [written, ends] {
        let back = site.attributes(Way::ToReal, &data).unwrap();
        assert_eq!(text(&back, ISSUER).as_deref(), Some("PARIS"));
        assert_eq!(back.windows(4).filter(|window| *window == [0x10, 0, 0x21, 0]).count(), 1);
    }
    // Of whom nothing is said but the instance, the data set says no more.
    let nobody = Data::new(LE).text((0x40, 0x244), b"DA", "20240301");
    let transform = Transform::across(site.rules.clone(), Way::ToReal, Subject::Attributes, LE)
        .with_crosswalk(site.memory.clone())
        .about(Some(patient_key(b"PID-1", b"LYON")));
    assert_eq!(text(&run_in(transform, &nobody.bytes, &[4]).unwrap().0, ISSUER), None);
}

#[test]
fn queries_find_the_patient_of_the_issuer_and_answers_are_that_patients() {
    let site = with(&[rule_with("PatientID", "replace", "{pseudonym}")], true);
    let [lyon, paris] =
        [("LYON", 1), ("PARIS", 2)].map(|(issuer, number)| out(&site, &of(Some(issuer), number)).0);
    let asked = site.keys(Way::ToReal, &keys(&lyon, "", "")).unwrap();
    assert_eq!(
        (text(&asked, PATIENT).as_deref(), text(&asked, ISSUER).as_deref()),
        (Some("PID-1"), Some("LYON"))
    );
    // For whomever: the archive is asked for the issuer, once.
    let whoever = site.keys(Way::ToReal, &keys("", "", "")).unwrap();
    assert_eq!(text(&whoever, ISSUER).as_deref(), Some(""));
    let asks = Data::new(LE).text(PATIENT, b"LO", "").text(ISSUER, b"LO", "");
    assert_eq!(site.keys(Way::ToReal, &asks).unwrap(), asks.bytes);
    let guesses = Data::new(LE).text(PATIENT, b"LO", "").text(ISSUER, b"LO", "LYON");
    assert_eq!(site.keys(Way::ToReal, &guesses), Err(RewriteProblem::NotAKey));
    // The keys of a retrieval are the unique ones.
    let transform = |data: &Data| {
        let transform = Transform::across(site.rules.clone(), Way::ToReal, Subject::Keys, LE);
        let transform = transform.with_crosswalk(site.memory.clone()).retrieving(true);
        run_in(transform, &data.bytes, &[5]).unwrap().0
    };
    assert_eq!(text(&transform(&keys(&lyon, "", "")), ISSUER), None);
    // From the patients' side, with the issuer and without.
    let named = Data::new(LE).text(PATIENT, b"LO", "PID-1").text(ISSUER, b"LO", "PARIS");
    let sent = site.keys(Way::ToPseudonyms, &named).unwrap();
    assert_eq!((text(&sent, PATIENT), text(&sent, ISSUER).as_deref()), (Some(paris), Some("")));
    let unnamed = Data::new(LE).text(PATIENT, b"LO", "PID-1");
    assert_eq!(site.keys(Way::ToPseudonyms, &unnamed), Err(RewriteProblem::MatchesNothing));
    // An answer is on whom it says, or on whom it was asked for.
    let answer = |issuer: Option<&str>, about: Option<Vec<u8>>| {
        let data = Data::new(LE).text(PATIENT, b"LO", "PID-1");
        let data = issuer.into_iter().fold(data, |data, issuer| data.text(ISSUER, b"LO", issuer));
        let transform = Transform::across(site.rules.clone(), Way::ToPseudonyms, Subject::Attributes, LE);
        let transform = transform.with_crosswalk(site.memory.clone()).about(about);
        text(&run_in(transform, &data.bytes, &[5]).unwrap().0, PATIENT).unwrap()
    };
    assert_eq!(answer(Some("LYON"), None), lyon);
    assert_eq!(answer(None, Some(patient_key(b"PID-1", b"LYON"))), lyon);
    let nobodys = answer(None, Some(patient_key(b"PID-2", b"LYON")));
    assert!(nobodys != lyon && nobodys == answer(None, None));
}

#[test]
fn a_subject_id_that_was_assigned_is_the_patients() {
    let rules = [
        rule_with("PatientName", "replace", "ANON^{pseudonym}"),
        rule_with("PatientID", "replace", "{pseudonym}"),
    ];
    let site = with(&rules, true);
    let patient = patient_key(b"PID-1", b"LYON");
    let row = |kind| crate::rewrite::Correspondence {
        kind,
        real: patient.clone(),
        pseudonym: b"SUBJECT-001".to_vec(),
        patient: Some(patient.clone()),
        written: None,
    };
    site.memory.store([Kind::Value(Tag(0x10, 0x20)), Kind::Patient].map(row).to_vec());
    let data = of(Some("LYON"), 1);
    let (sent, _) = site.across(Way::ToPseudonyms, object_of(&data.bytes), LE, &data.bytes, &[9]).unwrap();
    assert_eq!(text(&sent, PATIENT).as_deref(), Some("SUBJECT-001"));
    assert_eq!(text(&sent, (0x10, 0x10)).as_deref(), Some("ANON^SUBJECT-001"));
    let back = site.back(&report_on("SUBJECT-001", &site.uid("1.2.9.1"), "2.25.9001")).unwrap();
    assert_eq!(
        (text(&back, PATIENT).as_deref(), text(&back, ISSUER).as_deref()),
        (Some("PID-1"), Some("LYON"))
    );
    assert_ne!(out(&site, &of(Some("PARIS"), 2)).0, "SUBJECT-001");
}

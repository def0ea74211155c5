//! Whose it is: what is restored in one message is of one patient, and nobody is none.

use super::domain::*;
use crate::dataset::Tag;
use crate::rewrite::tests::support::*;
use crate::rewrite::{
    Correspondence, Kind, ProfileOption, ProfileSpec, RewriteProblem, Subject, Transform, Way,
};

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

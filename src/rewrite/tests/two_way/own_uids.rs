//! UIDs of the pseudonyms' side's own: none of them names anything that is real.

use std::sync::Arc;

use proptest::prelude::*;

use super::domain::*;
use crate::dataset::Tag;
use crate::rewrite::tests::support::*;
use crate::rewrite::{Correspondences, Kind, ProfileOption, ProfileSpec, RewriteProblem, Way};

/// Nobody registered it, whatever its root.
const UNDER_THE_ROOT: &str = "1.2.840.10008.20260101.815.1";

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
            Ok(keys_of_whomever("", "", &site.own(uids[0])).bytes)
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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
        prop_assume!(!uids.iter().any(|uid| crate::rewrite::keyed::registered::is_registered(uid.as_bytes())));
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
}

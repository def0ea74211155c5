//! The schedule of a modality, which asks for its own.

use super::domain::*;
use crate::rewrite::tests::support::*;
use crate::rewrite::{ProfileOption, ProfileSpec, RewriteProblem, Subject, Transform, Way};

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
                // The archive is asked for the issuer too.
                let issuer = Data::new(LE).text((0x10, 0x21), b"LO", "").bytes;
                let at = sent.windows(issuer.len()).position(|window| window == issuer);
                let sent = at.map_or(sent.clone(), |at| [&sent[..at], &sent[at + issuer.len()..]].concat());
                assert_eq!((sent, at.is_some()), (data.bytes.clone(), way == Way::ToReal));
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

//! Data sets of messages that are no objects: what is shown in answers, and that every byte of them is read.

use proptest::prelude::*;

use super::domain::*;
use crate::dataset::Tag;
use crate::rewrite::tests::support::*;
use crate::rewrite::{BurnedIn, ProfileSpec, RewriteProblem, Subject, Transform, Way};

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
    let mask = |refuse_others| BurnedIn::Mask {
        masks: Vec::new(),
        by_regions: false,
        refuse_others,
        decode_up_to: None,
    };
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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

//! Under a profile, what is kept is legal for its VR, and the dictionary says which VR that is.

use std::sync::Arc;

use dicom_object::InMemDicomObject;
use proptest::prelude::*;

use super::oracle::parse;
use super::profile_rows::profile;
use super::support::*;
use crate::dataset::{Encoding, Tag, Tolerated, Vr, exact_vr_of};
use crate::rewrite::{
    ProfileOption as O, ProfileSpec, RewriteProblem, Ruleset, RulesetSpec, Transform, fitting,
};

const EXPLICIT_UID: &str = "1.2.840.10008.1.2.1";
const NAME: &str = "DOE^JANE";
/// Attributes that Table E.1-1 does not list, of each VR that says of what its values are made.
const UNLISTED: [((u16, u16), &[u8; 2]); 4] = [
    ((0x0008, 0x1150), b"UI"),
    ((0x0018, 0x0015), b"CS"),
    ((0x0018, 0x0050), b"DS"),
    ((0x0020, 0x0013), b"IS"),
];

fn sent(rules: &Arc<Ruleset>, encoding: Encoding, data: &Data) -> (Vec<u8>, Transform) {
    let transform = || Transform::new(Arc::clone(rules), encoding, expected());
    let (whole, done) = run_in(transform(), &data.bytes, &[usize::MAX]).unwrap();
    assert_eq!(run_in(transform(), &data.bytes, &[1]).unwrap().0, whole);
    (whole, done)
}

fn object(rules: &Arc<Ruleset>, data: &Data) -> (InMemDicomObject, Transform) {
    let (bytes, done) = sent(rules, LE, data);
    (parse(&bytes, EXPLICIT_UID), done)
}

fn value(object: &InMemDicomObject, tag: (u16, u16)) -> Option<String> {
    let value = object.get(Tag(tag.0, tag.1))?.to_str().unwrap();
    Some(value.trim_end_matches([' ', '\0']).to_owned())
}

#[test]
fn a_name_in_a_value_that_cannot_hold_one_is_emptied_and_counted() {
    let rules = profile(&[]);
    for (tag, vr) in UNLISTED {
        let data = Data::image(LE).text(tag, vr, NAME);
        let (object, done) = object(&rules, &data);
        assert_eq!(value(&object, tag).as_deref(), Some(""), "{tag:04X?}");
        assert_eq!(done.summary().misfits, 1);
        assert_eq!(done.summary().tolerated, Tolerated { misfit: true, ..Tolerated::NONE });
    }
}

#[test]
fn what_no_object_may_be_without_becomes_a_dummy() {
    let rules = profile(&[]);
    let data = Data::image(LE).text((8, 0x60), b"CS", NAME).text((8, 0x64), b"CS", "Jane").text(
        (8, 0x68),
        b"LO",
        NAME,
    );
    let (object, done) = object(&rules, &data);
    for (element, left) in [(0x60, "OT"), (0x64, "REMOVED"), (0x68, "REMOVED")] {
        assert_eq!(value(&object, (8, element)).as_deref(), Some(left), "{element:04X}");
    }
    assert_eq!(done.summary().misfits, 3);
    let legal = Data::image(LE).text((8, 0x60), b"CS", "CT");
    assert_eq!(value(&self::object(&rules, &legal).0, (8, 0x60)).as_deref(), Some("CT"));
}

#[test]
fn legal_values_pass_and_those_beside_one_that_is_not_keep_their_place() {
    let rules = profile(&[]);
    let legal = [
        Data::new(LE).text((8, 8), b"CS", "ORIGINAL\\PRIMARY\\CT_SOM5 SPI"),
        Data::new(LE).text((0x18, 0x50), b"DS", " 0.33333333333333331"),
        Data::new(LE).text((0x18, 0x1151), b"IS", "12.5"),
        Data::new(LE).text((0x20, 0x37), b"DS", "1\\0\\0 \\0\\1\\-1e-5"),
    ];
    let mut data = Data::image(LE);
    legal.iter().for_each(|element| data.bytes.extend(&element.bytes));
    let (bytes, done) = sent(&rules, LE, &data);
    for Data { bytes: element, .. } in &legal {
        assert!(bytes.windows(element.len()).any(|window| window == element), "{}", element.escape_ascii());
    }
    assert_eq!(done.summary().misfits, 0);
    let data = Data::image(LE).text((8, 8), b"CS", "ORIGINAL\\Doe\\AXIAL");
    assert_eq!(value(&object(&rules, &data).0, (8, 8)).as_deref(), Some("ORIGINAL\\\\AXIAL"));
}

#[test]
fn what_options_keep_is_treated_as_its_row_says_where_it_is_not_legal() {
    let rules = profile(&[O::RetainPatientCharacteristics, O::RetainLongitudinalFullDates]);
    let data = Data::image(LE)
        .text((8, 0x20), b"DA", NAME)
        .text((8, 0x21), b"DA", NAME)
        .text((8, 0x30), b"TM", "10:11:12")
        .text((0x10, 0x20), b"LO", "PID")
        .text((0x10, 0x40), b"CS", "Doe")
        .text((0x10, 0x1010), b"AS", NAME)
        .text((0x10, 0x1020), b"DS", NAME)
        .text((0x10, 0x1030), b"DS", "72.5");
    let (object, done) = object(&rules, &data);
    let of = |tag| value(&object, tag);
    assert_eq!(of((8, 0x20)).as_deref(), Some(""), "Z");
    assert_eq!(of((8, 0x21)).as_deref(), Some("19000101"), "D");
    assert_eq!(of((8, 0x30)).as_deref(), Some("10:11:12"));
    assert_eq!(of((0x10, 0x40)).as_deref(), Some(""), "Z");
    assert_eq!((of((0x10, 0x1010)), of((0x10, 0x1020))), (None, None), "X");
    assert_eq!(of((0x10, 0x1030)).as_deref(), Some("72.5"));
    assert_eq!(done.summary().misfits, 4);
}

#[test]
fn the_dictionary_decides_what_an_attribute_is_whatever_its_sender_wrote() {
    let rules = profile(&[O::RetainPatientCharacteristics]);
    let inner = Data::new(LE).text((8, 0x104), b"LO", NAME);
    let hidden = Data::new(LE).header((0xFFFE, 0xE000), b"UN", inner.bytes.len() as u32).bytes;
    let hidden = [hidden, inner.bytes.clone()].concat();
    let icon = Data::new(LE).element((0x7FE0, 0x10), b"OB", NAME.as_bytes());
    let data = Data::image(LE)
        .text((8, 0x0014), b"LO", NAME)
        .sequence((8, 0x60), true, std::slice::from_ref(&inner))
        .text((8, 0x1150), b"LO", NAME)
        .text((0x10, 0x1020), b"LO", NAME)
        .text((0x18, 0x15), b"OB", NAME)
        .text((0x18, 0x9074), b"LO", NAME)
        .text((0x28, 0x10), b"LO", NAME)
        .element((0x28, 0x9110), b"OB", &hidden)
        .sequence((0x5200, 0x9230), true, &[icon]);
    let (bytes, done) = sent(&rules, LE, &data);
    assert!(!bytes.windows(3).any(|window| window == b"DOE"), "{}", bytes.escape_ascii());
    let object = parse(&bytes, EXPLICIT_UID);
    for tag in [(8, 0x60), (0x10, 0x1020), (0x28, 0x10), (0x28, 0x9110)] {
        assert!(object.get(Tag(tag.0, tag.1)).is_none(), "{tag:04X?}");
    }
    assert!(object.get(Tag(0x5200, 0x9230)).is_some());
    // The UID and the date that the profile changes are no misfits, and pixels in a sequence are none.
    assert_eq!(done.summary().misfits, 6);
    // As the dictionary has it, though written otherwise, is no reason to lose anything.
    let legal = Data::image(LE).text((0x10, 0x1020), b"LO", "1.75").text((0x18, 0x50), b"LO", "2.5");
    let (legal, done) = self::object(&rules, &legal);
    assert_eq!(value(&legal, (0x10, 0x1020)).as_deref(), Some("1.75"));
    assert_eq!(value(&legal, (0x18, 0x50)).as_deref(), Some("2.5"));
    assert_eq!(done.summary().misfits, 0);
}

#[test]
fn numbers_that_are_no_text_are_whole() {
    let data = Data::image(LE).element((0x18, 0x9087), b"FD", b"DOE^JOHN12");
    let (bytes, done) = sent(&profile(&[]), LE, &data);
    assert!(!bytes.windows(3).any(|window| window == b"DOE"));
    assert_eq!(done.summary().misfits, 1);
}

#[test]
fn of_uids_with_the_standards_root_only_those_that_it_registers_stay() {
    let reference = |class: &str| Data::new(LE).text((8, 0x1150), b"UI", class);
    let class_of = |options: &[O], class: &str| {
        let data = Data::image(LE).sequence((8, 0x114A), true, &[reference(class)]);
        let (object, done) = object(&profile(options), &data);
        assert_eq!(done.summary().misfits, 0);
        let items = object.get(Tag(8, 0x114A)).unwrap().items().unwrap()[0].clone();
        value(&items, (8, 0x1150)).unwrap()
    };
    for kept in [CLASS, "1.2.826.0.1.3680043.9.1", "1.2.840.10008.6.1.19"] {
        assert_eq!(class_of(&[], kept), kept);
    }
    let made_up = "1.2.840.10008.20260101.815.1";
    assert!(class_of(&[], made_up).starts_with("2.25."));
    assert_eq!(class_of(&[O::RetainUids], made_up), made_up);
}

#[test]
fn a_long_value_is_looked_at_on_its_way() {
    let rules = profile(&[]);
    let numbers = "1.5\\-2.25\\".repeat(9_000);
    let long = Data::image(IMPLICIT).text((0x3006, 0x50), b"DS", &numbers);
    let (bytes, _) = sent(&rules, IMPLICIT, &long);
    assert!(bytes.windows(numbers.len()).any(|window| window == numbers.as_bytes()));
    let named = Data::image(IMPLICIT).text((0x3006, 0x50), b"DS", &(numbers + NAME));
    for sizes in [usize::MAX, 1_000] {
        let transform = Transform::new(Arc::clone(&rules), IMPLICIT, expected());
        let error = run_in(transform, &named.bytes, &[sizes]).err().unwrap();
        assert_eq!(error.problem, RewriteProblem::Misfit);
        assert_eq!(error.comment(), "(3006,0050): long value is not legal for its VR");
    }
}

#[test]
fn an_administrators_rules_touch_what_they_say_and_no_profile_overrules_them() {
    let data = UNLISTED.iter().fold(Data::image(LE), |data, (tag, vr)| data.text(*tag, vr, NAME));
    assert_eq!(run(&[rule("PatientName", "remove")], LE, &data.bytes).unwrap(), data.bytes);
    let kept = RulesetSpec { profile: Some(ProfileSpec::default()), ..spec(&[rule("(0018,0050)", "keep")]) };
    let (object, done) = object(&Arc::new(Ruleset::compile(kept).unwrap()), &data);
    assert_eq!(value(&object, (0x18, 0x50)).as_deref(), Some(NAME));
    assert_eq!(done.summary().misfits, UNLISTED.len() as u64 - 1);
}

#[test]
fn what_is_written_with_another_vr_is_looked_through_all_the_same() {
    let named = |vr: &[u8; 2]| {
        let data = Data::image(LE).text((0x10, 0x10), b"PN", NAME);
        let data = data.element((0x70, 0x81), vr, b"Doe Jane to see ");
        sent(&profile(&[]), LE, &data).0.to_ascii_lowercase()
    };
    for vr in [b"LO", b"AS", b"CS", b"DA", b"DS", b"IS", b"TM", b"UI", b"OB", b"OW", b"UN", b"FL", b"US"] {
        assert!(!named(vr).windows(3).any(|window| window == b"doe"), "{vr:?}");
    }
}

#[test]
fn a_character_set_that_nobody_knows_names_nobody() {
    let item = Data::new(LE).text((8, 5), b"CS", "ISO_IR 100\\DOE").text((0x18, 0x31), b"LO", "F18");
    let data = Data::image(LE).text((0x10, 0x10), b"PN", NAME).sequence((0x54, 0x16), false, &[item]);
    let (bytes, _) = sent(&profile(&[]), LE, &data);
    assert!(!bytes.windows(3).any(|window| window == b"DOE"));
    assert!(bytes.windows(10).any(|window| window == b"ISO_IR 100"));
}

#[test]
fn what_a_pattern_leaves_fits_too() {
    let rules = [pattern("BodyPartExamined", "zzz+", "#")];
    let rules = RulesetSpec { profile: Some(ProfileSpec::default()), ..spec(&rules) };
    let rules = Arc::new(Ruleset::compile(rules).unwrap());
    let (object, _) = object(&rules, &Data::image(LE).text((0x18, 0x15), b"CS", "Hans Kowalski"));
    assert_eq!(value(&object, (0x18, 0x15)).as_deref(), Some(""));
}

proptest! {
    #[test]
    fn what_goes_out_is_legal_for_its_vr(
        values in prop::collection::vec("[ -~]{0,12}|[0-9.]{0,12}|[A-Z_ ]{0,18}", UNLISTED.len() + 3),
        written in prop::sample::select(vec![b"LO", b"UN", b"OB", b"ST"]),
        options in prop::sample::subsequence(O::ALL.to_vec(), 0..4),
        own in any::<bool>(),
    ) {
        let more: [((u16, u16), &[u8; 2]); 3] =
            [((0x0072, 0x005F), b"AS"), ((0x0018, 0x1200), b"DA"), ((0x0018, 0x1201), b"TM")];
        let mut all: Vec<_> = UNLISTED.iter().chain(&more).copied().zip(values).collect();
        all.sort_by_key(|((tag, _), _)| *tag);
        let image = Data::image(LE).text((0x10, 0x20), b"LO", "PID");
        let data = all.iter().fold(image, |data, ((tag, vr), text)| {
            data.text(*tag, if own { vr } else { written }, text)
        });
        let rules = profile(&options);
        let object = parse(&sent(&rules, LE, &data).0, EXPLICIT_UID);
        for element in object.iter() {
            let tag = element.header().tag;
            let vr = exact_vr_of(tag).unwrap_or(Vr::UN);
            if let Ok(bytes) = element.to_bytes() {
                prop_assert!(fitting::are_legal(vr, &bytes), "{tag} {vr} {}", bytes.escape_ascii());
            }
        }
    }
}

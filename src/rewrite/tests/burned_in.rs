//! Objects that are likely to carry text in their pixels: which are refused, and what they are told.

use std::sync::Arc;

use super::support::*;
use crate::dataset::Tag;
use crate::rewrite::{BurnedIn, Expected, ProfileSpec, Ruleset, RulesetSpec, Transform};

const WHOLE_SLIDE: &str = "1.2.840.10008.5.1.4.1.1.77.1.6";
const REPORT: &str = "1.2.840.10008.5.1.4.1.1.88.67";
const IMAGE_TYPE: (u16, u16) = (8, 8);
const SERIES: (u16, u16) = (8, 0x103E);
const FLAG: (u16, u16) = (0x28, 0x301);
const LABEL: (u16, u16) = (0x48, 0x10);
const ROWS: (u16, u16) = (0x28, 0x10);

/// The element that an object of a class with these texts is refused for; the same in any chunking.
fn refused(burned_in: BurnedIn, class: &str, texts: &[((u16, u16), &str)]) -> Option<Tag> {
    let profile = Some(ProfileSpec { burned_in, ..ProfileSpec::default() });
    let rules = Arc::new(Ruleset::compile(RulesetSpec { profile, ..spec(&[]) }).unwrap());
    let mut all = [&[((8, 0x16), class), ((8, 0x18), INSTANCE)][..], texts].concat();
    all.sort_unstable();
    let data = all.iter().fold(Data::new(LE), |data, &(tag, value)| match tag {
        (8, 0x16 | 0x18) => data.text(tag, b"UI", value),
        // Of 2 x 2 pixels.
        ROWS => [(0x02, 1), (0x10, 2), (0x11, 2), (0x100, 8)]
            .into_iter()
            .fold(data, |data, (element, number)| data.element((0x28, element), b"US", &[number, 0])),
        (0x7FE0, _) => data.element(tag, b"OW", value.as_bytes()),
        _ => data.text(tag, b"LO", value),
    });
    let expected =
        Expected { sop_class_uid: class.parse().unwrap(), sop_instance_uid: INSTANCE.parse().unwrap() };
    let sent = |sizes: &[usize]| {
        let transform = Transform::new(Arc::clone(&rules), LE, expected.clone());
        run_in(transform, &data.bytes, sizes).map(|(sent, _)| sent)
    };
    let all = sent(&[usize::MAX]);
    assert_eq!(all, sent(&[1]));
    all.err().map(|error| {
        assert_eq!(error.status, 0xC006, "{error}");
        error.tag.unwrap()
    })
}

fn by_default(class: &str, texts: &[((u16, u16), &str)]) -> Option<Tag> {
    refused(BurnedIn::Refuse, class, texts)
}

/// An image of a class that says nothing else.
fn image(texts: &[((u16, u16), &str)]) -> Option<Tag> {
    by_default(CLASS, &[&[(ROWS, "")], texts].concat())
}

fn tag((group, element): (u16, u16)) -> Option<Tag> {
    Some(Tag(group, element))
}

#[test]
fn classes_that_often_carry_text_are_refused_unless_they_say_that_there_is_none() {
    let storage = "1.2.840.10008.5.1.4.1.1";
    let classes = [
        // Retired: of ultrasound, visible light, films that were printed.
        "3", "6", "77.1", "77.2", "6.1", "3.1", "7", "7.1", "7.2", "7.3", "7.4", "77.1.4",
        // Fluoroscopy, and pictures of eyes of 8 bits.
        "12.2", "77.1.5.1",
    ];
    let prints = ["27", "29", "30"].map(|end| format!("1.2.840.10008.5.1.1.{end}"));
    for class in classes.iter().map(|end| format!("{storage}.{end}")).chain(prints) {
        assert_eq!(by_default(&class, &[]), tag((8, 0x16)), "{class}");
        assert_eq!(by_default(&class, &[(FLAG, "YES")]), tag(FLAG), "{class}");
        assert_eq!(by_default(&class, &[(FLAG, "NO")]), None, "{class}");
    }
    // Nuclear medicine, angiography, pictures of eyes of 16 bits.
    for end in ["5", "12.1", "77.1.5.2"] {
        assert_eq!(by_default(&format!("{storage}.{end}"), &[(ROWS, "")]), None, "{end}");
    }
}

#[test]
fn the_label_of_a_slide_is_refused_whatever_the_flag_says() {
    let slide = |image_type: &str, flag: &str, label: &str| {
        let texts =
            [(IMAGE_TYPE, image_type), (ROWS, ""), (FLAG, flag), (LABEL, label), ((0x7FE0, 0x10), "PIXL")];
        by_default(WHOLE_SLIDE, &texts)
    };
    let volume = "ORIGINAL\\PRIMARY\\VOLUME\\NONE";
    assert_eq!(slide(volume, "NO", "NO"), None);
    assert_eq!(slide(volume, "NO", "YES"), tag(LABEL));
    for kind in ["LABEL", "OVERVIEW"] {
        let image_type = format!("ORIGINAL\\PRIMARY\\{kind}\\NONE");
        assert_eq!(slide(&image_type, "NO", "NO"), tag(IMAGE_TYPE), "{kind}");
    }
    assert_eq!(slide("ORIGINAL\\PRIMARY\\THUMBNAIL\\NONE", "NO", "NO"), None);
    // It may stand in another class, behind what was decided by.
    assert_eq!(image(&[(LABEL, "YES"), ((0x7FE0, 0x10), "PIXL")]), tag(LABEL));
    let unmasked = |refuse_others| BurnedIn::Mask {
        masks: vec![],
        by_regions: false,
        refuse_others,
        decode_up_to: None,
    };
    let texts = [(IMAGE_TYPE, volume), (ROWS, ""), (LABEL, "YES")];
    assert_eq!(refused(unmasked(true), WHOLE_SLIDE, &texts), tag(LABEL));
    assert_eq!(refused(unmasked(false), WHOLE_SLIDE, &texts), None);
    assert_eq!(refused(BurnedIn::Pass, WHOLE_SLIDE, &texts), None);
}

#[test]
fn what_others_look_for_as_a_screen_or_a_page_is_one() {
    for end in [
        "SCREEN SAVE",
        "SCREENSAVE",
        "SCREEN_SAVE",
        "SAVE",
        "Screen Capture",
        "SCREENSHOT",
        "REPORTDATA",
        "DOSE_INFO",
    ] {
        assert_eq!(image(&[(IMAGE_TYPE, &format!("DERIVED\\SECONDARY\\{end}"))]), tag(IMAGE_TYPE), "{end}");
    }
    assert_eq!(image(&[(IMAGE_TYPE, "DERIVED\\SECONDARY\\AXIAL")]), None);
    for text in ["Screen Save", "Dose Report", "Patient Protocol", "PACS nomination form", "AVA Report 1"] {
        assert_eq!(image(&[(SERIES, text)]), tag(SERIES), "{text}");
        assert_eq!(image(&[(SERIES, text), (FLAG, "NO")]), None, "{text}");
    }
    for text in ["Screening", "Stroke protocol", "Form of the aorta"] {
        assert_eq!(image(&[(SERIES, text)]), None, "{text}");
    }
    assert_eq!(image(&[((8, 0x64), "WSD")]), tag((8, 0x64)));
    assert_eq!(image(&[((8, 0x64), "SYN")]), None);
    for element in [0x1012, 0x1014, 0x1016, 0x1017, 0x1018, 0x1019] {
        assert_eq!(image(&[((0x18, element), "2024")]), tag((0x18, element)), "{element:04X}");
        assert_eq!(image(&[((0x18, element), "")]), None, "{element:04X}");
    }
}

#[test]
fn a_report_without_pixels_may_be_called_one() {
    assert_eq!(by_default(REPORT, &[(SERIES, "Dose Report")]), None);
    assert_eq!(by_default(REPORT, &[(SERIES, "Dose Report"), ((0x40, 0xA040), "CONTAINER")]), None);
    assert_eq!(by_default(REPORT, &[(SERIES, "Dose Report"), ((0x7FE0, 0x10), "PIXL")]), tag(SERIES));
}

#[test]
fn the_table_that_is_judged_by_is_the_one_that_is_shown() {
    let statement = |burned_in| {
        let profile = Some(ProfileSpec { burned_in, ..ProfileSpec::default() });
        Ruleset::compile(RulesetSpec { profile, ..spec(&[]) }).unwrap().statement("x")
    };
    let text = statement(BurnedIn::Refuse);
    for line in [
        "- 1.2.840.10008.5.1.1.27 Stored Print Storage (retired)",
        "| (0008,0008) Image Type | is LABEL, OVERVIEW | a slide's label, or the slide with its label | no |",
        "| (0018,1012) to (0018,1019) what a device",
        "| (0048,0010) Specimen Label in Image | is YES |",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!statement(BurnedIn::Pass).contains("Specimen Label"));
}

//! Texts looked through with what a header says.

use super::finder::Finder;
use super::*;
use crate::dataset::{Tag, Vr};
use crate::rewrite::character_set::CharacterSet;

const NAME: Tag = Tag(0x0010, 0x0010);

fn finder(set: &[u8], all: &[(Tag, &[u8])]) -> Finder {
    let mut collected = Collected::default();
    all.iter().for_each(|(tag, value)| collected.add(*tag, &CharacterSet::of(set), value));
    assert!(!collected.is_full());
    Finder::of(&collected)
}

fn cleaned(finder: &Finder, set: &[u8], vr: Vr, value: &[u8]) -> Option<Vec<u8>> {
    let shapes = Shapes::compile(&[]).unwrap();
    clean((finder, &shapes), (vr, &CharacterSet::of(set)), value, Reach::All)
}

fn text(finder: &Finder, value: &str) -> String {
    let new = cleaned(finder, b"ISO_IR 192", Vr::LO, value.as_bytes());
    new.map_or_else(|| value.to_owned(), |new| String::from_utf8(new).unwrap())
}

#[test]
fn words_of_the_header_are_marked_where_they_are_words() {
    let all: [(Tag, &[u8]); 7] = [
        (NAME, b"LONG^SMALL^Ann"),
        (Tag(0x0010, 0x0020), b"MRN-0012345"),
        (Tag(0x0008, 0x0090), "Müller^Jo^^Dr".as_bytes()),
        (Tag(0x0008, 0x0080), b"St. Mary Hospital"),
        (Tag(0x0008, 0x1010), b"CTAWP71"),
        (Tag(0x0020, 0x0010), b"77"),
        (Tag(0x0010, 0x1040), b"12 Elm St\\Springfield"),
    ];
    let finder = finder(b"ISO_IR 192", &all);
    let pairs = [
        ("Long, Small: small bowel", "***, ***: *** bowel"),
        ("planning of Ann's longitudinal axis", "planning of ***'s longitudinal axis"),
        ("LONGSMALL_001.dcm", "***_001.dcm"),
        ("prolong smallest long", "prolong smallest ***"),
        ("mrn0012345, 0012345, 12345 and 12346", "***, ***, *** and 12346"),
        ("MULLER Jo / mueller / MÜLLER", "*** / *** / ***"),
        ("at ST. MARY HOSPITAL, ctawp71 77 HU", "at ***, *** 77 HU"),
        ("of Springfield", "of ***"),
        ("tel 040/1234567 on 12.03.2020", "*** on ***"),
    ];
    for (text_before, after) in pairs {
        assert_eq!(text(&finder, text_before), after);
    }
}

#[test]
fn what_holds_none_is_not_written_anew() {
    let finder = finder(b"", &[(NAME, b"DOE^JANE")]);
    for value in ["T2 TSE sag 5mm", "", "   ", "does janet 120 kV", "a\\b\\", "A^B=C", "0.123456789"] {
        assert_eq!(cleaned(&finder, b"", Vr::LO, value.as_bytes()), None, "{value}");
    }
}

#[test]
fn texts_are_compared_in_every_character_set() {
    let latin: [(&[u8], &[u8], &[u8]); 3] = [
        (b"ISO_IR 100", b"M\xFCller^J\xF6rg", b"Herr M\xDCLLER, \xE4lter"),
        (b"ISO_IR 101", b"W\xB3adys\xB3aw^X", b"Pan W\xA3ADYS\xA3AW"),
        (b"ISO_IR 144", b"\xBB\xEE\xDA\xD5^\xBB\xEE\xDA", b"\xD4\xDB\xEF \xBB\xCE\xBA\xB5"),
    ];
    for (set, name, value) in latin {
        let new = cleaned(&finder(set, &[(NAME, name)]), set, Vr::LO, value);
        assert!(new.is_some_and(|new| new.windows(3).any(|part| part == b"***")), "{}", set.escape_ascii());
    }
    let kanji = b"\\ISO 2022 IR 87";
    let name = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B";
    let found = finder(kanji, &[(NAME, name)]);
    let new = cleaned(&found, kanji, Vr::LO, b"a \x1b$B;3ED\x1b(B b").unwrap();
    assert_eq!(new, b"a *** b");
    let korean = b"\\ISO 2022 IR 149";
    let found = finder(korean, &[(NAME, b"Hong^Gildong=\x1b$)C\xFB\xF3^\x1b$)C\xD1\xCE\xD4\xD7")]);
    let new = cleaned(&found, korean, Vr::LO, b"x \x1b$)C\xFB\xF3\xD1\xCE\xD4\xD7 y").unwrap();
    assert!(!new.windows(2).any(|part| part == b"\xFB\xF3"), "{}", new.escape_ascii());
    let new = cleaned(
        &finder(b"GB18030", &[(NAME, b"\xCD\xF5^\xD0\xA1\xB6\xAB")]),
        b"GB18030",
        Vr::LO,
        b"\xCD\xF5\xD0\xA1\xB6\xAB x",
    );
    assert_eq!(new.unwrap(), b"*** x");
    let found = finder(b"ISO_IR 13", &[(NAME, b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3")]);
    assert_eq!(cleaned(&found, b"ISO_IR 13", Vr::LO, b"A \xD4\xCF\xC0\xDE B").unwrap(), b"A *** B");
    // A name in one set, a text in another.
    let found = finder(b"ISO_IR 100", &[(NAME, b"M\xFCller")]);
    assert_eq!(cleaned(&found, b"ISO_IR 192", Vr::LO, "Müller".as_bytes()).unwrap(), b"***");
}

#[test]
fn what_cannot_be_told_goes_whole_where_something_is_found() {
    for set in [&b""[..], b"ISO_IR 999", b"ISO_IR 192"] {
        let found = finder(set, &[(NAME, b"M\xFCller^JANE")]);
        assert_eq!(cleaned(&found, set, Vr::LO, b"\xE4 M\xFCller b").as_deref(), Some(&b"***"[..]));
        assert_eq!(cleaned(&found, set, Vr::LO, b"\xE4 jane").as_deref(), Some(&b"***"[..]));
        assert_eq!(cleaned(&found, set, Vr::LO, b"\xE4 else"), None);
    }
}

#[test]
fn what_goes_out_is_legal() {
    let found = finder(b"GB18030", &[(NAME, b"CHEST^DOE=\xCD\xF5\xD0\xA1")]);
    assert_eq!(cleaned(&found, b"", Vr::CS, b"DOE\\CHEST").unwrap(), b"XXX\\CHEST", "a term of the standard");
    assert_eq!(cleaned(&found, b"", Vr::UR, b"http://x/doe.html").unwrap(), b"http://x/***.html");
    let names = "王小王小王小王小王小王小王小王小";
    let bytes = CharacterSet::of(b"GB18030").encode(names).unwrap().into_owned();
    let new = cleaned(&found, b"GB18030", Vr::SH, &bytes).unwrap();
    assert!(new.len() <= 16, "{}", new.escape_ascii());
    let bytes = CharacterSet::of(b"GB18030").encode("王小 12345 王小 L").unwrap().into_owned();
    assert_eq!(cleaned(&found, b"GB18030", Vr::SH, &bytes).unwrap(), b"*** 12345 *** L");
    let bytes = CharacterSet::of(b"GB18030").encode("王小 123456mm 王小L").unwrap().into_owned();
    let new = cleaned(&found, b"GB18030", Vr::SH, &bytes).unwrap();
    assert_eq!(new, b"*** 123456mm ***", "what has no room leaves a mark");
    assert_eq!(cleaned(&found, b"", Vr::DS, b"doe"), Some(b"***".to_vec()));
    assert_eq!(reach(Tag(0x18, 0x50), Vr::DS, false), None);
    assert_eq!(reach(Tag(0x08, 0x100), Vr::SH, false), Some(Reach::Code));
}

#[test]
fn a_value_is_collected_once_and_no_more_than_there_is_room_for() {
    let mut collected = Collected::default();
    for _ in 0..10_000 {
        collected.add(NAME, &CharacterSet::DEFAULT, b" DOE^JANE ");
    }
    assert!(!collected.is_full() && collected.entries().count() == 1);
    for number in 0..10_000 {
        collected.add(NAME, &CharacterSet::DEFAULT, format!("DOE{number}").as_bytes());
    }
    assert!(collected.is_full());
    assert!(Finder::of(&collected).is_complete());
    let mut collected = Collected::default();
    collected.add(NAME, &CharacterSet::DEFAULT, &[b'x'; 5000]);
    assert!(collected.is_full());
}

#[test]
fn another_patient_is_looked_for_anew() {
    let recalled = Recalled::default();
    let of = |name: &[u8]| {
        let mut collected = Collected::default();
        collected.add(NAME, &CharacterSet::DEFAULT, name);
        recalled.finder(&collected)
    };
    let (first, again, other) = (of(b"DOE^JANE"), of(b"DOE^JANE"), of(b"ROE^JOHN"));
    assert!(std::sync::Arc::ptr_eq(&first, &again));
    assert_eq!(text(&other, "Doe and Roe"), "Doe and ***");
}

#[test]
fn names_are_found_as_people_write_them() {
    let pairs: [(&str, &str, &str); 10] = [
        ("MÜLLER^X", "Müllers Knie", "*** Knie"),
        ("MEIER^X", "Meiers Hand", "*** Hand"),
        ("O'NEIL^X", "Oneil, O’Neil, O'Neil", "***, ***, ***"),
        ("VAN DER BERG^X", "vanderBerg", "***"),
        ("SMITH-JONES^X", "SmithJones", "***"),
        ("DE LA CRUZ^X", "DelaCruz", "***"),
        ("MCDONALD^X", "Mc Donald", "***"),
        ("LUNG^X", "lung and lungs", "*** and lungs"),
        ("CORONA^LUIS", "T1 coronal", "T1 coronal"),
        ("SMITH^JANE", "by jsmith", "by ***"),
    ];
    for (name, before, after) in pairs {
        assert_eq!(text(&finder(b"ISO_IR 192", &[(NAME, name.as_bytes())]), before), after);
    }
    for (name, before) in [("SPINA^LUCA", "spinal canal"), ("COSTA^LAURA", "costal"), ("RAIN^BOB", "brain")] {
        assert_eq!(text(&finder(b"", &[(NAME, name.as_bytes())]), before), before);
    }
}

#[test]
fn places_and_telephones_are_found_as_people_write_them() {
    let all: [(Tag, &[u8]); 3] = [
        (Tag(0x0008, 0x0080), b"Klinikum Nordstadt"),
        (Tag(0x0010, 0x1040), "Lange Straße 7, Lahr".as_bytes()),
        (Tag(0x0010, 0x2154), b"40123456"),
    ];
    let finder = finder(b"ISO_IR 192", &all);
    for place in
        ["Klinikum-Nordstadt", "Klinikum  Nordstadt", "KlinikumNordstadt", "Lange Str. 7", "40.12.34.56"]
    {
        assert_eq!(text(&finder, &format!("in {place} x")), "in *** x");
    }
}

#[test]
fn a_study_id_of_four_digits_is_a_value_of_anything() {
    let short = finder(b"", &[(Tag(0x0020, 0x0010), b"1000")]);
    for value in ["DWI b1000", "PTV_1000", "1000 mm"] {
        assert_eq!(text(&short, value), value);
    }
    let long = finder(b"", &[(Tag(0x0020, 0x0010), b"61000")]);
    assert_eq!(text(&long, "study 61000"), "study ***");
}

#[test]
fn devices_and_codes_stay_what_they_are() {
    let all: [(Tag, &[u8]); 5] = [
        (NAME, b"SCT^ANNE"),
        (Tag(0x0010, 0x0020), b"4711-08"),
        (Tag(0x0008, 0x0080), b"TOSHIBA"),
        (Tag(0x0008, 0x1010), b"A101"),
        (Tag(0x0010, 0x1000), b"7195"),
    ];
    let (finder, shapes) = (finder(b"", &all), Shapes::compile(&[]).unwrap());
    let left = |tag: Tag, vr: Vr, value: &str| {
        let reach = reach(tag, vr, false).unwrap();
        let new = clean((&finder, &shapes), (vr, &CharacterSet::DEFAULT), value.as_bytes(), reach);
        new.map_or_else(|| value.to_owned(), |new| String::from_utf8(new).unwrap())
    };
    let (maker, model, software) = (Tag(0x08, 0x70), Tag(0x08, 0x1090), Tag(0x18, 0x1020));
    let (code, scheme) = (Tag(0x08, 0x100), Tag(0x08, 0x102));
    for (tag, vr, value) in [
        (maker, Vr::LO, "TOSHIBA_MEC"),
        (model, Vr::LO, "CIRRUS HD-OCT 5000"),
        (model, Vr::LO, "3D OCT-2000"),
        (software, Vr::LO, "453561454581"),
        (software, Vr::LO, "v1.0.20220720"),
        (software, Vr::LO, "2018.1.1"),
        (code, Vr::SH, "RID7195"),
        (code, Vr::SH, "FMA 7195"),
        (code, Vr::SH, "G-A101"),
        (scheme, Vr::SH, "SCT"),
    ] {
        assert_eq!(left(tag, vr, value), value);
    }
    assert_eq!(left(maker, Vr::LO, "Toshiba of Anne"), "Toshiba of ***");
    assert_eq!(left(code, Vr::SH, "4711-08"), "***");
    assert_eq!(left(code, Vr::SH, "Anne SCT 4711-08"), "*** *** ***");
}

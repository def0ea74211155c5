//! What single texts become.

use proptest::prelude::*;

use super::super::{Cleaner, Marks, Vocabulary};
use super::{Object, cleaned};
use crate::dataset::Vr;
use crate::rewrite::character_set::CharacterSet;

#[test]
fn what_is_known_stays_letter_for_letter() {
    for text in [
        "No tumor in left lung",
        "CT HEAD W/O CONTRAST",
        "CT Chest/Abd/Pelvis w/ & w/o contrast (3/4)",
        "Ax T2* GRE 5mm, TE 90 / b=1000",
        "t2_tse_sag_320  1.25 mm",
        "MPR 512x512 120 kV 60 Gy 2x2x2mm",
        "Kein Nachweis einer Fraktur, li. Hüftgelenk",
        "Schaedel nativ / SCHÄDEL NATIV / Schädelbasis",
        "Scanner thoraco-abdomino-pelvien sans et avec injection",
        "Pas de lésion de l'épaule gauche",
        "TAC de tórax sin contraste",
        "TC addome senza mdc",
        "CT-thorax zonder contrast, beiderzijds",
        "SpinalCord PTV_6000 A_Carotid_L zPTV_70 Bladder-PTV GTVp CTV1 Lung_R",
        "X-RAY c-spine follow-up L4-L5",
    ] {
        assert_eq!(cleaned(text), text);
    }
}

#[test]
fn what_goes_leaves_a_mark() {
    for (text, left) in [
        ("No tumor in DOE left lung", "No tumor in [...] left lung"),
        ("CT Chest w/o contrast, Herr DOE 12.3.1950", "CT Chest w/o contrast, [...]"),
        ("CT Knie, Dr. J. van der Doe, links", "CT Knie, [...], links"),
        ("Doe, MRI brain", "[...], MRI brain"),
        ("MRI of Doe (brain) for Roe", "MRI of [...] (brain) for [...2]"),
        ("MRI Doe brain Doe spine", "MRI [...] brain [...] spine"),
        ("CT 20240101 head", "CT [...] head"),
        ("CT 01/02/2024 10:30", "CT [...]"),
        ("CT 555-123-456 head", "CT [...] head"),
        ("CT head 12 May", "CT head [...]"),
        ("CT head John.Lung@brain.org contrast", "CT head [...] contrast"),
        ("CT A12345 head MR123456", "CT [...] head [...2]"),
        ("Head^Brain (Adult)", "Head^Brain (Adult)"),
        ("CT McSpine", "CT [...]"),
        ("CT [...] head [...2]", "CT [...] head [...2]"),
        ("CT [...2] head", "CT [...] head"),
    ] {
        assert_eq!(cleaned(text), left, "{text}");
    }
}

#[test]
fn what_identifies_somebody_goes_though_the_vocabulary_knows_it() {
    let of = |identifier: &'static str, text: &str| {
        let mut object = Object::new();
        object.identifiers = vec![identifier];
        object.text(text)
    };
    for (identifier, text, left) in [
        ("Li Weiqiang", "Li Weiqiang CT head", "[...] CT head"),
        ("Heart Center Lahr", "Heart Center Lahr, CT head", "[...], CT head"),
        ("12 High Street", "CT 12 High Street head", "CT [...] head"),
        ("90", "TE 90, 5 mm", "[...], 5 mm"),
        ("spine", "spine", ""),
        ("Doe", "CT head", "CT head"),
    ] {
        assert_eq!(of(identifier, text), left, "{text}");
    }
}

#[test]
fn sides_negators_and_contrast_stay() {
    let words = "dcha dcho izq izqda izda izdo sx dx sn gche dte drt lks rts rechtszijdig linkszijdig kontralateral OD G keinem \
        keinerlei fehlt fehlende nie niemals rien nul nulle absente negativo negativa ausente jamás tampoco assente esclude \
        esclusa negatief afwezig uitgesloten nergens niets evenmin lacks lacking nil nihil isn't doesn't didn't hasn’t can't hay \
        s/mdc s/c c/c c/mdc +C C+ C-/C+";
    for word in words.split_whitespace() {
        for text in [format!("CT {word} tumor"), format!("CT tumor {word}")] {
            assert_eq!(cleaned(&text), text);
        }
    }
    for text in
        ["Hanche G", "Poumon_G", "Lung_RUL", "Lung_LUL", "Lung_RLL", "Lung_LLL", "T1 C-", "TC s/mdc", "5 g"]
    {
        assert_eq!(cleaned(text), text);
    }
    assert_eq!(cleaned("CT Doe C head"), "CT [...] head", "an initial is no contrast medium");
    assert_eq!(cleaned("CT C-Doe head"), "CT [...] head");
}

#[test]
fn a_number_does_not_go_with_a_word_behind_a_comma() {
    for (text, left) in [
        ("segment 3, Qxz 12.3 mGy", "segment 3, [...] 12.3 mGy"),
        ("BIRADS 4, Qxz", "BIRADS 4, [...]"),
        ("Phase 2; Qxz", "Phase 2; [...]"),
        ("Qxz, 3 phases", "[...], 3 phases"),
        ("segment 3 Qxz", "segment [...]"),
        ("CT Via Qxz, 12", "CT Via [...]"),
        ("CT, 12, rue Qxz", "CT, [...]"),
        ("CT Calle Qxz, 5, Madrid", "CT [...]"),
        ("CT 2. Mai", "CT [...]"),
    ] {
        assert_eq!(cleaned(text), left, "{text}");
    }
}

#[test]
fn a_text_that_says_nothing_is_emptied() {
    for text in [
        "DOE",
        "DOE JANE",
        "no",
        "of the and",
        "sin",
        "keine",
        "12",
        "20240101",
        "without DOE",
        "[...]",
        "-",
        "  ",
        "3/4",
    ] {
        assert_eq!(cleaned(text), "", "{text}");
    }
    assert_eq!(cleaned("DOE\\T2 sag"), "\\T2 sag", "values keep their place");
    assert_eq!(cleaned("DOE\\JANE"), "");
    for side in ["L", "R", "left", "rechts", "gauche", "izquierda", "destra", "links", "bilateral"] {
        assert_eq!(cleaned(side), side);
    }
}

#[test]
fn different_structures_stay_different_in_one_object() {
    let names = [
        "Lung_L",
        "Lung_R",
        "Lung",
        "Lung_L Doe",
        "Lung_L Roe",
        "Lung_L^Doe",
        "Lung_L^Roe",
        "DOE",
        "ROE",
        "Doe",
        "No",
        "",
        "PTV_6000",
        "PTV_7000",
        "[...]",
        "[...2]",
        "1",
        "2",
        "Lung_L [...]",
        "McSpine",
        "McBrain",
    ];
    let mut object = Object::new();
    let left: Vec<String> = names.iter().map(|name| object.name(name)).collect();
    for (at, one) in left.iter().enumerate() {
        let mut others = left.iter().enumerate().filter(|(other, _)| *other != at);
        assert!(others.all(|(_, other)| other != one), "{left:?}");
        assert_eq!(&object.name(names[at]), one, "the same name is the same again");
    }
    assert_eq!(left[..3], ["Lung_L", "Lung_R", "Lung"].map(str::to_owned));
    assert_eq!(object.name("Lung_L^Brain of Doe"), object.name("Lung_L^Brain of Doe"));
    assert!(object.name("Lung_L^Brain").starts_with("Lung_L^[..."), "a comment goes, whatever it says");
    assert_eq!(left[3], "Lung_L [...]");
    assert_eq!(left[4], "Lung_L [...2]");
    assert_eq!(left[12..14], ["PTV_6000", "PTV_7000"].map(str::to_owned));
}

#[test]
fn values_stay_within_what_their_vr_holds() {
    let mut object = Object::new();
    for (text, left) in [
        ("XY DOE sag dark T", "[...] sag [...3]"),
        ("CT A1 B2 head D4", "CT [...5]"),
        ("SPINALCORD D E X", "SPINALCORD D E X"),
    ] {
        let new = String::from_utf8(object.bytes(Vr::SH, text.as_bytes(), false)).unwrap();
        assert!(new.chars().count() <= 16.max(text.len()), "{text}: {new}");
        assert_eq!(new, left, "{text}");
    }
    let long = format!("{} DOE", "Lung ".repeat(12));
    let new = cleaned(&long);
    assert!(new.len() <= 64 && new.ends_with("Lung [...2]") && new.starts_with("Lung Lung"), "{new}");
}

#[test]
fn codes_stay_whole_or_go_whole() {
    let mut object = Object::new();
    let mut code = |text: &[u8]| String::from_utf8(object.bytes(Vr::CS, text, false)).unwrap();
    assert_eq!(code(b"LEFT_LUNG\\CHEST DOE\\HEAD"), "LEFT_LUNG\\\\HEAD");
    assert_eq!(code(b"CHEST DOE"), "");
}

#[test]
fn accents_make_no_difference_in_any_character_set() {
    let mut latin = Object::of(b"ISO_IR 100", Vocabulary::default());
    assert_eq!(latin.bytes(Vr::LO, b"Sch\xE4del M\xFCller", false), b"Sch\xE4del [...]");
    assert_eq!(latin.bytes(Vr::LO, b"\xE9paule", false), b"\xE9paule");
    let mut extended = Object::of(b"\\ISO 2022 IR 100", Vocabulary::default());
    let escaped = b"CT \x1b-Acr\xE2ne Jos\xE9";
    assert_eq!(extended.bytes(Vr::LO, escaped, false), b"CT cr\x1b-A\xE2ne [...]");
    let mut kanji = Object::of(b"\\ISO 2022 IR 87", Vocabulary::default());
    assert_eq!(kanji.bytes(Vr::LO, b"CT \x1b$B;3ED\x1b(B head", false), b"CT [...] head");
    // Half of a character separates nothing, and is no word.
    let mut chinese = Object::of(b"GB18030", Vocabulary::default());
    assert_eq!(chinese.bytes(Vr::LO, b"\xD5\\ CT\\T2", false), b"[...] CT\\T2");
}

#[test]
fn what_cannot_be_decoded_goes_whole() {
    let mut ascii = Object::of(b"", Vocabulary::default());
    assert_eq!(ascii.bytes(Vr::LO, b"\x1b$B;3ED\x1b(B CT", false), b"");
    assert_eq!(ascii.bytes(Vr::LO, b"\x81CT \xC3\xA4CT CT\\T2", false), b"\\T2");
}

#[test]
fn a_word_is_known_in_all_its_forms_and_a_term_by_its_end() {
    // The lists have aggraver, stabiliser, valorar, sugestivo, ridotto, evidenziare.
    for text in [
        "lésions aggravées, stabilisées",
        "lesiones valoradas, sugestivos",
        "lesioni ridotte, evidenziata",
        "coledocoscopia, sigmoidektomie",
        "Femurarthrosen",
    ] {
        assert_eq!(cleaned(text), text);
    }
    assert_eq!(cleaned("CT Scopia Qxzescopa"), "CT [...]", "an end alone is no term");
}

#[test]
fn a_site_adds_words_of_its_own() {
    let mut vocabulary = Vocabulary::default();
    assert_eq!(vocabulary.read("Quokka # ours\nwörld-2".as_bytes()), []);
    let mut object = Object::of(b"ISO_IR 192", vocabulary.clone());
    assert_eq!(object.text("CT QUOKKA woerld-2 wombat"), "CT QUOKKA woerld-2 [...]");
    assert_eq!(cleaned("CT QUOKKA wombat"), "CT [...]");
    assert_ne!(vocabulary, Vocabulary::default());
}

proptest! {
    #[test]
    fn what_is_left_is_the_text_with_marks_in_it(
        text in "((CT|no|Lung_L|Quokka|Müller|12|/|, | |\\^|@|\\[\\.\\.\\.[0-9]?\\]|[a-zé0-9.]{1,8})[ _-]?){0,12}", which in 0_usize..3,
    ) {
        let vr = [Vr::LO, Vr::SH, Vr::LT][which];
        let new = Object::new().bytes(vr, text.as_bytes(), false);
        let new = String::from_utf8(new).unwrap();
        prop_assert!(new.chars().count() <= vr.max_characters().max(text.chars().count()), "{new}");
        // What stands between marks stands in the text, in this order.
        let mut rest = text.as_str();
        for part in new.split("[...").map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())) {
            let part = part.strip_prefix(']').unwrap_or(part);
            // A mark that stands for the end of a text may be set apart by a blank.
            let at = rest.find(part).or_else(|| rest.find(part.trim_end()));
            prop_assert!(at.is_some(), "{text:?} became {new:?}");
            rest = &rest[at.unwrap_or(0)..];
        }
        prop_assert!(!new.contains("Quokka") && !new.contains("Müller"), "{new}");
    }

    #[test]
    fn no_bytes_panic_and_what_is_kept_whole_is_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..80), which in 0_usize..4) {
        let sets: [&[u8]; 4] = [b"", b"ISO_IR 192", b"\\ISO 2022 IR 87", b"GB18030"];
        let (vocabulary, mut marks, set) = (Vocabulary::default(), Marks::default(), CharacterSet::of(sets[which]));
        let mut new = Vec::new();
        let none = |_: &str| Vec::new();
        let mut cleaner = Cleaner { vocabulary: &vocabulary, marks: &mut marks, distinguishes: false, identifiers: &none, identified: false };
        if cleaner.clean((Vr::LO, &set), &bytes, &mut new) && !new.is_empty() {
            prop_assert_eq!(new, bytes);
        }
    }
}

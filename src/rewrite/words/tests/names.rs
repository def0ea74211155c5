//! Names are no words of the vocabulary.

use std::collections::BTreeSet;

use super::cleaned;

const NAMES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words/names.txt"));
/// Names that are anatomy, a side or technique too, in one of the languages, or a degree that reports cannot be without (acute,
/// slight). That a patient's own name leaves the texts of the patient is another rule's.
const ANATOMY_AND_TECHNIQUE: &str = "agudo arco bocca cabeza canals carina colon cord crane dixon doppler early eco fem field fields floor gut \
    iris izquierdo kidney kopf kuit leber lies lieve linke lips long lower nek pons post reni ring sacre sem short small sole spier \
    ven voet wall water zahn";
/// Names that join or deny words. Where they stand alone nothing is left of them.
const JOINING: &str = "alla auch dalla delle het mas sans the uit una und";
/// Elements of dates: months and days of the week.
const DATES: &str = "January February March April May June July August September October November December Januar Februar März Mai \
    Juni Juli Oktober Dezember janvier février mars avril juin juillet août septembre octobre novembre décembre enero febrero \
    marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio \
    settembre ottobre dicembre januari februari maart mei augustus Monday Tuesday Wednesday Thursday Friday Saturday Sunday \
    Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes \
    martes miércoles jueves viernes sábado domingo lunedì martedì mercoledì giovedì venerdì sabato domenica maandag dinsdag \
    woensdag donderdag vrijdag zaterdag zondag";

fn names() -> impl Iterator<Item = &'static str> {
    NAMES.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace)
}

#[test]
fn no_common_name_stays_but_for_anatomy_and_technique() {
    assert!(names().count() > 8_000);
    let known: BTreeSet<&str> = ANATOMY_AND_TECHNIQUE.split_whitespace().collect();
    let joining: BTreeSet<&str> = JOINING.split_whitespace().collect();
    let stays = |name: &&str| !cleaned(name).is_empty();
    let alone: Vec<&str> = names().filter(stays).filter(|name| !known.contains(name)).collect();
    assert_eq!(alone, Vec::<&str>::new());
    for name in names().filter(|name| !known.contains(name) && !joining.contains(name)) {
        assert_eq!(cleaned(&format!("CT {name} head")), "CT [...] head", "{name}");
        assert_eq!(cleaned(&format!("CT {}_head", name.to_uppercase())), "CT [...]_head", "{name}");
    }
}

#[test]
fn no_two_names_in_one_word_stay() {
    let known: BTreeSet<&str> =
        ANATOMY_AND_TECHNIQUE.split_whitespace().chain(JOINING.split_whitespace()).collect();
    let names: Vec<&str> = names().filter(|name| !known.contains(name)).collect();
    let capital = |name: &str| {
        let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
        format!("{}{rest}", first.to_uppercase())
    };
    for (one, other) in names.iter().zip(names.iter().rev()) {
        let together = format!("{}{}", capital(one), capital(other));
        assert_eq!(cleaned(&together), "", "{together}");
    }
}

#[test]
fn no_element_of_a_date_stays() {
    for word in DATES.split_whitespace() {
        assert_eq!(cleaned(word), "", "{word}");
        assert_eq!(cleaned(&format!("CT 12 {word}")), "CT [...]", "{word}");
    }
    for text in [
        "2024",
        "20240102",
        "2024-01-02T10:20:30",
        "01.02.2024",
        "1/2/24",
        "12.05.",
        "10:30",
        "10h30",
        "+49 30 123456",
        "(555) 867-5309",
        "06 12 34 56 78",
        "123-45-6789",
        "1.2.840.10008",
        "93 yo",
        "93-year-old",
        "age 101",
    ] {
        let left = cleaned(&format!("CT {text} head"));
        assert!(!left.chars().any(|c| c.is_ascii_digit()), "{text} became {left}");
    }
}

#[test]
fn a_name_of_several_words_leaves_none_of_them_between_words_that_stay() {
    assert_eq!(cleaned("CT besproken met van der Meer"), cleaned("CT besproken met van der Qqqq"));
    for name in SURNAMES.split_whitespace() {
        assert_eq!(cleaned(&format!("CT {name} head")), "CT [...] head", "{name}");
    }
}

/// Surnames that no list of names has, and that are made of words or their endings.
const SURNAMES: &str = "Breedveld Achterveld Leichtfuß Kurzhals Zwakhals Lichtvoet Balksteen Testi Carpi Selli Fonda Piana Spinosi Spinato \
    Mediani Mollo Segna Delgada Gaucher";

//! The forms in which an identifier may be written in a text.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::super::character_set::CharacterSet;
use super::super::words::{Cleaner, Marks, Vocabulary};
use super::folding::{fold, is_unspaced};
use super::sources::Make;
use crate::dataset::Vr;

/// Shortest part, in characters, that is looked for by itself. Of a script without spaces, two make a name.
const SHORTEST: usize = 3;
const SHORTEST_UNSPACED: usize = 2;
/// Shortest number that is looked for: those of three digits are values of anything.
const SHORTEST_DIGITS: usize = 4;
/// Shortest run of digits in an identifier that is looked for without what is around it.
const SHORTEST_RUN: usize = 5;
/// Shortest word of a prefix or suffix that is looked for.
const SHORTEST_BESIDE: usize = 5;
/// Shortest part of an address.
const SHORTEST_PLACE: usize = 4;
/// Shortest study ID of digits that is looked for: shorter ones are values too.
const SHORTEST_COUNTED: usize = 5;
/// Shortest word that is looked for in the genitive and plural too.
const SHORTEST_INFLECTED: usize = 4;
/// Parts of a number that is looked for with other separators.
const MOST_GROUPS: usize = 5;
/// Characters of the shortest place or number that is looked for with other separators, or none.
const SHORTEST_JOINED: usize = 6;
/// What stands between the parts of a name.
const BETWEEN: [&str; 8] = [" ", ",", ", ", "^", "_", "-", ".", ""];

/// Words that say nothing of anybody: of names and titles, and what stands where no name is known.
const STOP: &str = "\
    abu and anon anonym anonymous bar ben bin clinic das dei del della den der des die doctor dos dott dra father \
    for frau from herr hospital ibn inc junior las les los mac med mevr miss mme mother mrs msc nata nee nobody none \
    not null operator patient phd physician prof professor radiology saint san santa schwester senior sir sister \
    staff ste technician technologist ter test the und unknown unspecified user van von zur";

/// Adds the forms of a value, folded, as it is and as who has no such letters writes it.
pub(super) fn add(make: Make, value: &str, forms: &mut BTreeSet<String>) {
    add_as_written(make, value, forms);
    if let Some(spelled) = spelled_out(value) {
        add_as_written(make, &spelled, forms);
    }
}

fn add_as_written(make: Make, value: &str, forms: &mut BTreeSet<String>) {
    match make {
        Make::Name => fold_values(value).iter().for_each(|name| add_name(name, forms)),
        Make::Number => fold_values(value).iter().for_each(|number| add_number(number, forms)),
        Make::Telephone => fold_values(value).iter().for_each(|number| add_telephone(number, forms)),
        Make::Counted => fold_values(value).iter().for_each(|number| add_counted(number, forms)),
        Make::Place | Make::Site => add_place(&fold(value), forms),
        Make::Day => add_day(value, forms),
    }
}

/// `Müller` is written `Mueller` too; folded alone, it would be `muller`.
fn spelled_out(value: &str) -> Option<String> {
    if value.is_ascii() {
        return None;
    }
    let mut spelled = String::with_capacity(value.len());
    for one in value.nfc() {
        match one {
            'ä' | 'Ä' => spelled.push_str("ae"),
            'ö' | 'Ö' | 'ø' | 'Ø' => spelled.push_str("oe"),
            'ü' | 'Ü' => spelled.push_str("ue"),
            'å' | 'Å' => spelled.push_str("aa"),
            other => spelled.push(other),
        }
    }
    (spelled != value).then_some(spelled)
}

fn fold_values(value: &str) -> Vec<String> {
    value.split('\\').map(|one| fold(one.trim())).collect()
}

/// Its component groups, each with family, given and middle names.
fn add_name(name: &str, forms: &mut BTreeSet<String>) {
    for group in name.split('=') {
        let parts: Vec<&str> = group.split('^').map(str::trim).collect();
        for part in parts.iter().take(3) {
            add_word(part, forms);
            add_word(&glued(part), forms);
            words_of(part).for_each(|word| add_word(word, forms));
        }
        // Of titles and numbers behind a name, short ones are nobody's.
        let beside = parts.iter().skip(3).take(2).flat_map(|part| words_of(part));
        beside.filter(|word| word.chars().count() >= SHORTEST_BESIDE).for_each(|word| add_word(word, forms));
        let [family, given] = [parts.first(), parts.get(1)].map(|part| part.copied().unwrap_or_default());
        if !family.is_empty() && !given.is_empty() {
            add_together(family, given, forms);
            for variant in [variant_of(family), variant_of(given)].into_iter().flatten() {
                add_word(&variant, forms);
            }
        }
    }
}

fn words_of(part: &str) -> impl Iterator<Item = &str> {
    part.split([' ', '-', ',', '.', '/', ';', '&', '\''])
}

/// Both together, in both orders: where each is looked for by itself, only as one word.
fn add_together(family: &str, given: &str, forms: &mut BTreeSet<String>) {
    let alone = is_looked_for(family) && is_looked_for(given);
    for between in BETWEEN.iter().filter(|between| !alone || between.is_empty()) {
        for both in [[family, given], [given, family]] {
            let both = both.join(between);
            if both.chars().count() > SHORTEST || is_unspaced(&both) {
                forms.insert(both);
            }
        }
    }
    let initial = given.chars().next().filter(|initial| initial.is_ascii_lowercase());
    if let Some(initial) = initial.filter(|_| family.len() > SHORTEST) {
        let both = [format!("{initial}{family}"), format!("{family}{initial}")];
        // Of Luca Spina, "spinal" is no name.
        forms.extend(both.into_iter().filter(|both| !is_vocabulary(both)));
    }
}

fn add_word(word: &str, forms: &mut BTreeSet<String>) {
    if is_looked_for(word) {
        forms.insert(word.to_owned());
        forms.extend(variant_of(word));
        forms.extend(inflected(word));
        forms.extend(variant_of(word).as_deref().and_then(inflected));
        forms.extend(
            word.strip_prefix("mc").filter(|rest| is_looked_for(rest)).map(|rest| format!("mc {rest}")),
        );
    }
}

/// `O'Neil` and `Smith-Jones` as one word.
fn glued(part: &str) -> String {
    part.chars().filter(|one| one.is_alphanumeric()).collect()
}

/// `Müllers`, unless that is a word of medicine, as `lungs` is.
fn inflected(word: &str) -> Option<String> {
    let is_word = word.len() >= SHORTEST_INFLECTED && word.bytes().all(|byte| byte.is_ascii_lowercase());
    is_word.then(|| format!("{word}s")).filter(|form| !is_vocabulary(form))
}

/// Whether the shipped vocabulary has a word that says something.
fn is_vocabulary(word: &str) -> bool {
    let (vocabulary, mut marks, mut left) = (Vocabulary::default(), Marks::default(), Vec::new());
    let mut cleaner = Cleaner {
        vocabulary: &vocabulary,
        marks: &mut marks,
        distinguishes: false,
        identifiers: &|_| Vec::new(),
        identified: false,
    };
    cleaner.clean((Vr::LO, &CharacterSet::DEFAULT), word.as_bytes(), &mut left) && left == word.as_bytes()
}

/// `mueller` may be written `Müller`, which folds to `muller`.
fn variant_of(word: &str) -> Option<String> {
    let plain = word.replace("ae", "a").replace("oe", "o").replace("ue", "u");
    (plain != word && is_looked_for(&plain)).then_some(plain)
}

fn is_looked_for(word: &str) -> bool {
    let (count, digits) = (word.chars().count(), word.chars().all(|one| one.is_ascii_digit()));
    let least = if digits { SHORTEST_DIGITS } else { SHORTEST };
    (count >= least || count >= SHORTEST_UNSPACED && is_unspaced(word))
        && word.chars().any(char::is_alphanumeric)
        && !STOP.split_whitespace().any(|stop| stop == word)
}

/// As it is, without what separates its parts, without zeros before it, and its longest run of digits.
fn add_number(number: &str, forms: &mut BTreeSet<String>) {
    let compact: String = number.chars().filter(|one| one.is_alphanumeric()).collect();
    let plain = compact.trim_start_matches('0');
    let runs = number.split(|one: char| !one.is_ascii_digit());
    let run = runs.max_by_key(|run| run.len()).filter(|run| run.len() >= SHORTEST_RUN);
    let all =
        [Some(number), Some(compact.as_str()), Some(plain), run, run.map(|run| run.trim_start_matches('0'))];
    forms.extend(all.into_iter().flatten().filter(|form| is_looked_for(form)).map(str::to_owned));
    add_joined(number, &compact, forms);
}

/// Its letters and its digits with other separators between them, or none.
fn add_joined(number: &str, compact: &str, forms: &mut BTreeSet<String>) {
    let kind = |one: char| (one.is_alphabetic(), one.is_numeric());
    let mut groups: Vec<String> = Vec::new();
    let mut last = None;
    for one in number.chars() {
        let this = Some(kind(one)).filter(|_| one.is_alphanumeric());
        match groups.last_mut().filter(|_| last == this) {
            Some(group) if this.is_some() => group.push(one),
            _ if this.is_some() => groups.push(one.to_string()),
            _ => {}
        }
        last = this;
    }
    let has_parts = (2..=MOST_GROUPS).contains(&groups.len()) && compact.chars().count() >= SHORTEST_JOINED;
    if has_parts && groups.iter().any(|group| group.len() > 1) {
        forms.extend([" ", "-", "_", ".", "/"].iter().map(|between| groups.join(between)));
    }
}

/// As a number, and its digits in pairs.
fn add_telephone(number: &str, forms: &mut BTreeSet<String>) {
    add_number(number, forms);
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() > SHORTEST_RUN {
        let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
        forms.extend([" ", ".", "-", "/"].iter().map(|between| pairs.join(between)));
    }
}

/// A study ID of few digits is a value of anything.
fn add_counted(number: &str, forms: &mut BTreeSet<String>) {
    let mut all = BTreeSet::new();
    add_number(number, &mut all);
    let is_short =
        |form: &String| form.len() < SHORTEST_COUNTED && form.bytes().all(|byte| byte.is_ascii_digit());
    forms.extend(all.into_iter().filter(|form| !is_short(form)));
}

/// Whole, and line by line and part by part.
fn add_place(place: &str, forms: &mut BTreeSet<String>) {
    let squeezed = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_part = |part: &String| part.chars().count() >= SHORTEST_PLACE && is_looked_for(part);
    let parts = place.split(['\r', '\n', ',', ';', '\\', '^', '=']).map(squeezed).filter(is_part);
    parts.for_each(|part| add_part(&part, forms));
    forms.extend(Some(squeezed(place)).filter(|whole| is_looked_for(whole)));
}

/// A part as it is, with other separators or none, and with its street in short or in full.
fn add_part(part: &str, forms: &mut BTreeSet<String>) {
    let street = [("strasse", "str."), ("strasse", "str"), ("str.", "strasse"), ("str.", "str")];
    let streets =
        street.iter().filter(|(from, _)| part.contains(from)).map(|(from, to)| part.replace(from, to));
    for one in streets.chain([part.to_owned()]) {
        let words: Vec<&str> = one.split([' ', '-', '_']).filter(|word| !word.is_empty()).collect();
        if words.len() > 1 && glued(&one).chars().count() >= SHORTEST_JOINED {
            forms.extend([" ", "  ", "-", "_", ""].iter().map(|between| words.join(between)));
        }
        forms.insert(one);
    }
}

/// As the ISO, Europe, the USA, China and Japan write it, with the year in four digits or two.
fn add_day(day: &str, forms: &mut BTreeSet<String>) {
    let (Some(y), Some(m), Some(d)) = (day.get(..4), day.get(4..6), day.get(6..8)) else { return };
    if !day.bytes().take(8).all(|byte| byte.is_ascii_digit()) {
        return;
    }
    let [m1, d1] = [m, d].map(|part| part.trim_start_matches('0'));
    forms.extend([format!("{y}{m}{d}"), format!("{y}-{m}-{d}"), format!("{y}/{m}/{d}")]);
    forms.extend([format!("{y}年{m}月{d}日"), format!("{y}年{m1}月{d1}日")]);
    for between in ['.', '/', '-', ' '] {
        // Three short numbers with blanks are values of anything.
        let years = [Some(y), y.get(2..).filter(|_| between != ' ')];
        for (year, [first, second]) in years
            .into_iter()
            .flatten()
            .flat_map(|year| [[d, m], [d1, m1], [m, d], [m1, d1]].map(|day| (year, day)))
        {
            forms.insert(format!("{first}{between}{second}{between}{year}"));
        }
        for year in years.into_iter().flatten() {
            forms.extend([
                format!("{year}{between}{m}{between}{d}"),
                format!("{year}{between}{m1}{between}{d1}"),
            ]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(make: Make, value: &str) -> Vec<String> {
        let mut forms = BTreeSet::new();
        add(make, value, &mut forms);
        forms.into_iter().collect()
    }

    #[test]
    fn names_are_looked_for_by_parts_and_together() {
        let of = forms(Make::Name, "van der Berg^Jo^Maria^Dr=山田^太郎");
        for form in [
            "van der berg",
            "berg",
            "maria",
            "jo van der berg",
            "van der berg, jo",
            "山田",
            "太郎",
            "山田太郎",
        ] {
            assert!(of.contains(&form.to_owned()), "{form} in {of:?}");
        }
        for none in ["van", "der", "jo", "dr"] {
            assert!(!of.contains(&none.to_owned()), "{none} in {of:?}");
        }
        assert_eq!(
            forms(Make::Name, "Müller^Jörg"),
            [
                "jmueller",
                "jmuller",
                "joerg",
                "joergmueller",
                "joergs",
                "jorg",
                "jorgmuller",
                "jorgs",
                "mueller",
                "muellerj",
                "muellerjoerg",
                "muellers",
                "muller",
                "mullerj",
                "mullerjorg",
                "mullers"
            ]
        );
        assert!(forms(Make::Name, "MUELLER^X").contains(&"muller".to_owned()));
        assert!(forms(Make::Name, "Doe^^^Maximilian^III").contains(&"maximilian".to_owned()));
        assert!(!forms(Make::Name, "Doe^^^Maximilian^III").contains(&"iii".to_owned()));
        assert!(forms(Make::Name, "UNKNOWN").is_empty() && forms(Make::Name, "^^^").is_empty());
    }

    #[test]
    fn numbers_are_looked_for_with_and_without_what_separates_them() {
        assert_eq!(
            forms(Make::Number, "MRN-0012345"),
            [
                "0012345",
                "12345",
                "mrn 0012345",
                "mrn-0012345",
                "mrn.0012345",
                "mrn/0012345",
                "mrn0012345",
                "mrn_0012345"
            ]
        );
        let of = forms(Make::Number, "AB-12-34");
        assert!(
            ["ab 12 34", "ab_12_34", "ab.12.34", "ab1234"]
                .iter()
                .all(|form| of.contains(&(*form).to_owned()))
        );
        assert!(forms(Make::Number, "AB123C").contains(&"ab 123 c".to_owned()));
        assert_eq!(forms(Make::Number, "0012"), ["0012"]);
        assert!(forms(Make::Number, "120").is_empty(), "a value of anything");
        assert_eq!(forms(Make::Number, "A1X\\7654321"), ["7654321", "a1x"]);
    }

    #[test]
    fn places_are_looked_for_by_parts() {
        let of = forms(Make::Place, "12 Main St,\r\nSpringfield, IL");
        assert!(["12 main st", "springfield"].iter().all(|part| of.contains(&(*part).to_owned())), "{of:?}");
    }

    #[test]
    fn days_are_looked_for_as_people_write_them() {
        let of = forms(Make::Day, "19500312");
        assert!(
            ["19500312", "1950-03-12", "12.3.1950", "3/12/1950"]
                .iter()
                .all(|day| of.contains(&(*day).to_owned()))
        );
        let of = forms(Make::Day, "19580713");
        for day in ["13.7.58", "13-7-58", "58-07-13", "13 7 1958", "1958 07 13", "1958年7月13日"] {
            assert!(of.contains(&day.to_owned()), "{day}");
        }
        assert!(!of.contains(&"13 7 58".to_owned()), "values of anything");
        assert!(forms(Make::Day, "1950").is_empty());
    }
}

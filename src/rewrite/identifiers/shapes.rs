//! What is an identifier by its shape, whoever it is of: dates, ages over 89, telephone numbers, mail addresses, UIDs, long
//! numbers, and what a site says.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Regex, RegexSet};

use super::super::keyed::is_made_up;
use super::super::regular::{compiled, compiled_together};
use super::folding::is_whole;

/// Patterns that a site may have.
pub const MOST_SHAPES: usize = 32;
/// Digits of the shortest of those that are neither mail addresses nor ages.
const FEWEST_DIGITS: usize = 4;
const DIGITS_OF_AGES: usize = 2;
/// Digits of a telephone number that has no other sign of one.
const DIGITS_IN_GROUPS: usize = 9;
/// Bytes before a number that may say what it is.
const BEFORE: usize = 24;
/// Digits of a number that is one by itself.
const LONG_NUMBER: usize = 6;
const REGISTERED: &str = "1.2.840.10008.";

const MAIL: &str = r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+";
const MONTH: &str = r"(?:jan(?:uary|uar|vier|uari)?|januar|jänner|enero|ene|gennaio|gen|feb(?:ruary|ruar|ruari|brero|braio)?|févr(?:ier)?|fevrier|mar(?:ch|s|zo)?|märz|mrz|maart|mrt|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|may|mai|mayo|mei|maggio|mag|jun[ei]?|juni|juin|junio|giugno|giu|jul[yi]?|juli|juil(?:let)?|julio|luglio|lug|aug(?:ust|ustus)?|août|aout|agosto|ago|sept?(?:ember|embre|iembre|tembre)?|septiembre|settembre|set|oct(?:ober|obre|ubre)?|okt(?:ober)?|ottobre|ott|nov(?:ember|embre|iembre)?|dec(?:ember)?|dez(?:ember)?|déc(?:embre)?|decembre|dic(?:iembre|embre)?)";
const UNITS: &str = r"^\s?(?:mm2?|mm3|cm[23]?|ccm|cc|nm|um|µm|km|m|ms|msec|us|µs|s|sec|min|h|hz|khz|mhz|[kmg]?bq|m?ci|kvp?|mas?|uas?|µas?|mg|ug|µg|ng|kg|g|m?l|dl|[cm]?gy|hu|px|pixels?|voxels?|frames?|slices?|images?|counts?|k?cnts|kcounts|cells|events|becquerels|iu|bytes?|[kmg]i?b|%|/)(?:$|[^\p{L}])";

/// Of three short numbers with strokes: as these are written, so that no `M` or `US` behind a day is one.
const UNITS_OF_SERIES: &str = r"^\s?(?-i:mm|cm|ms|msec|sec|min|MV|MeV|kV|c?Gy)(?:$|[^\p{L}])";
/// What a number behind it is of, and no patient.
const TERMINOLOGIES: &str = r"(?:^|[^\p{L}])(?:snomed(?:[ -]?ct)?|sct|fma|radlex)[\s:]*$";
const AGE: &str = r"(9[0-9]|1[0-4][0-9])(?:y|[\s-]?(?:yo|y/o|yrs?|years?|jahre?n?|jährig(?:e[rns]?)?|jaehrig(?:e[rns]?)?|ans|años|anni|jaar))(?:$|[^\p{L}])";

/// Patterns, and what has to hold of what one finds.
#[derive(Clone)]
pub(in crate::rewrite) struct Shapes {
    own: Vec<(Regex, Holds)>,
    /// With the edge of a word in them: what reads for many at once gives up at a letter that is none of ASCII where one has it.
    by_themselves: Vec<(Regex, Holds)>,
    /// [`own`](Self::own) at once: a text is read once for all, and then for those that find something.
    together: RegexSet,
    ages: Regex,
    units: Regex,
    units_of_series: Regex,
    terminologies: Regex,
    site: Vec<Regex>,
}

#[derive(Clone, Copy)]
enum Holds {
    Always,
    /// With the name of a month.
    Month,
    /// Year, month and day.
    YearFirst,
    /// Day, month and year, or month, day and year.
    YearLast,
    Telephone,
    /// Digits in groups, which may be a series of values.
    Groups,
    Uid,
    Number,
}

impl Shapes {
    /// With those of a site.
    ///
    /// # Errors
    /// What is wrong with one of them, or that they are too many.
    pub(in crate::rewrite) fn compile(site: &[String]) -> Result<Self, String> {
        if site.len() > MOST_SHAPES {
            return Err(format!("are more than {MOST_SHAPES}"));
        }
        // They are the same for everybody, and dear to compile.
        static OWN: OnceLock<Result<Shapes, String>> = OnceLock::new();
        let own = OWN.get_or_init(Self::own).clone()?;
        Ok(Self { site: site.iter().map(|pattern| of_site(pattern)).collect::<Result<_, _>>()?, ..own })
    }

    /// Without those of a site.
    fn own() -> Result<Self, String> {
        let (by_themselves, own): (Vec<_>, Vec<_>) =
            patterns().into_iter().partition(|(pattern, _)| pattern.contains(r"\b"));
        let together = compiled_together(own.iter().map(|(pattern, _)| pattern), true)?;
        let each = |all: Vec<(String, Holds)>| {
            all.into_iter()
                .map(|(pattern, holds)| Ok((compiled(&pattern, true)?, holds)))
                .collect::<Result<_, String>>()
        };
        let of_us = |pattern| compiled(pattern, true);
        Ok(Self {
            own: each(own)?,
            by_themselves: each(by_themselves)?,
            together,
            ages: of_us(AGE)?,
            units: of_us(UNITS)?,
            units_of_series: of_us(UNITS_OF_SERIES)?,
            terminologies: of_us(TERMINOLOGIES)?,
            site: Vec::new(),
        })
    }

    /// Adds where such stand in a text.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        for regex in &self.site {
            found.extend(regex.find_iter(text).map(|one| one.range()).filter(|range| !range.is_empty()));
        }
        let digits = digits(text);
        if digits >= DIGITS_OF_AGES {
            self.find_ages(text, found);
        }
        if digits < FEWEST_DIGITS && !text.contains('@') {
            return;
        }
        let own = self.together.matches(text).into_iter().filter_map(|index| self.own.get(index));
        for (regex, holds) in own.chain(&self.by_themselves) {
            let all = regex.find_iter(text).map(|one| one.range());
            found.extend(all.filter(|range| is_whole(text, range) && self.holds(*holds, text, range)));
        }
    }

    /// Of an age, its number: what is left says that it was one.
    fn find_ages(&self, text: &str, found: &mut Vec<Range<usize>>) {
        let all = self.ages.captures_iter(text).filter_map(|one| one.get(1)).map(|one| one.range());
        found.extend(all.filter(|range| is_whole(text, range) && !is_longer(text, range)));
    }

    fn holds(&self, holds: Holds, text: &str, range: &Range<usize>) -> bool {
        let found = text.get(range.clone()).unwrap_or_default();
        let numbers = || {
            let all = found.split(|one: char| !one.is_ascii_digit()).filter(|part| !part.is_empty());
            all.map(|part| part.parse().unwrap_or(u32::MAX)).collect::<Vec<u32>>()
        };
        match (holds, numbers().as_slice()) {
            (Holds::Always, _) => true,
            (Holds::Month, _) => !is_quantity(found),
            (Holds::YearFirst, &[year, month, day]) => is_day(year, month, day),
            (Holds::YearLast, &[first, second, year]) => {
                let year = if year < 100 { 1900 + year } else { year };
                // Nobody writes the month first before a point.
                let is_month_first = !found.contains('.') && is_day(year, first, second);
                let is_series = !found.contains('.') && is_behind(&self.units_of_series, text, range);
                (is_day(year, second, first) || is_month_first) && !is_longer(text, range) && !is_series
            }
            (Holds::Telephone, _) => digits(found) > LONG_NUMBER && !goes_on_before(text, range),
            (Holds::Groups, numbers) => {
                let is_round = |number: &u32| number.is_multiple_of(5) || number.is_multiple_of(8);
                digits(found) >= DIGITS_IN_GROUPS
                    && !numbers.iter().all(is_round)
                    && !goes_on_before(text, range)
                    && !self.is_value(text, range)
            }
            (Holds::Uid, _) => {
                found.len() >= 12 && (!found.starts_with(REGISTERED) || is_made_up(found.as_bytes()))
            }
            (Holds::Number, _) => is_compact_day(found) || !self.is_value(text, range),
            _ => false,
        }
    }

    /// Whether a number has a fraction, is one, or has a unit.
    fn is_value(&self, text: &str, range: &Range<usize>) -> bool {
        let before = text.get(..range.start).unwrap_or_default();
        let from =
            (before.len().saturating_sub(BEFORE)..=before.len()).find(|at| before.is_char_boundary(*at));
        let before = from.and_then(|from| before.get(from..)).unwrap_or_default();
        is_longer(text, range) || is_behind(&self.units, text, range) || self.terminologies.is_match(before)
    }
}

fn is_behind(units: &Regex, text: &str, range: &Range<usize>) -> bool {
    text.get(range.end..).is_some_and(|behind| units.is_match(behind))
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Whether a pattern can be one of a site.
///
/// # Errors
/// It is no regular expression, is too large, or finds an empty text.
pub fn check(pattern: &str) -> Result<(), String> {
    of_site(pattern).map(|_| ())
}

fn of_site(pattern: &str) -> Result<Regex, String> {
    let regex = compiled(pattern, false)?;
    if regex.is_match("") {
        Err("finds what is empty, and so is in every text".to_owned())
    } else {
        Ok(regex)
    }
}

fn patterns() -> Vec<(String, Holds)> {
    let year = r"(?:\d{4}|\d{2})";
    let written = [
        format!(r"\d{{1,2}}(?:st|nd|rd|th|er)?[\s._-]*(?:of\s+|de\s+)?{MONTH}[\s._,-]*(?:del?\s+)?'?{year}"),
        format!(r"{MONTH}[\s._-]*\d{{1,2}}(?:st|nd|rd|th)?[\s,._-]+\d{{4}}"),
        format!(r"{MONTH}[\s.,_-]+(?:19\d{{2}}|20[0-3]\d)"),
    ];
    let telephones = [
        r"\+\d(?:[\s()/.-]{0,3}\d){6,14}",
        r"\(\d{2,5}\)(?:[\s/.-]{0,2}\d){5,10}",
        r"0\d{1,4}[\s/-]{1,3}\d{3,}(?:[\s/-]?\d+)*",
        r"\d{3}[.-]\d{3}[.-]\d{4}",
        r"\d{3}-\d{2}-\d{4}",
        // What is mobile may be a device, and a cell is counted.
        r"(?:mobile?|handy|cell|gsm|m[óo]vil)\b[.:\s]*[+(]?\d(?:[\s()/.-]{0,3}[0-9]){6,14}",
    ];
    // In pairs, and in threes: France, Germany, Spain, the USA, the NHS.
    let groups = [
        r"0[1-9][0-9]{0,3}(?:[\s./-][0-9]{2,4}){3,5}",
        r"[679][0-9]{2}(?:[\s.-][0-9]{2}){3}",
        r"[6-9][0-9]{2}[\s-][0-9]{3}[\s-][0-9]{3}",
        r"[2-9][0-9]{2}[\s-][0-9]{3}[\s-][0-9]{4}",
    ];
    let called = r"(?:t[ée]l|phone|telephone|telefon|téléphone|teléfono|telefono|fax)\b[.:\s]*[+(]?\d[\d\s()/.-]{2,}\d";
    let mut all = vec![
        (MAIL.to_owned(), Holds::Always),
        (r"\d{4}[-/._]\d{1,2}[-/._]\d{1,2}".to_owned(), Holds::YearFirst),
        (r"\d{1,2}(?:\.\s?\d{1,2}\.\s?|/\d{1,2}/|-\d{1,2}-)\d{4}".to_owned(), Holds::YearLast),
        (r"(?:\d{2}\.\d{2}\.|\d{1,2}/\d{1,2}/|\d{2}-\d{2}-)\d{2}".to_owned(), Holds::YearLast),
        (r"\d+(?:\.\d+){4,}".to_owned(), Holds::Uid),
        // Made of a UUID (PS3.5 B.2).
        (r"2\.25\.\d{6,}".to_owned(), Holds::Uid),
        (format!(r"\d{{{LONG_NUMBER},}}"), Holds::Number),
        (called.to_owned(), Holds::Always),
    ];
    all.extend(written.into_iter().map(|pattern| (pattern, Holds::Month)));
    all.extend(groups.into_iter().map(|pattern| (pattern.to_owned(), Holds::Groups)));
    all.extend(telephones.into_iter().map(|pattern| (pattern.to_owned(), Holds::Telephone)));
    all
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    (1850..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Whether what looks like a month and a year is a word before a size: `OCT 2000` is a device, and so many images are a set.
fn is_quantity(found: &str) -> bool {
    let word = found.trim_end_matches(|one: char| !one.is_alphabetic());
    let is_set = word.eq_ignore_ascii_case("set");
    found.ends_with("2000") && (is_set || matches!(word, "OCT" | "MAR" | "MAG" | "DEC"))
}

/// `YYYYMMDD`, with or without a time behind it.
fn is_compact_day(digits: &str) -> bool {
    let part = |range: Range<usize>| digits.get(range).and_then(|part| part.parse().ok());
    let (year, month, day) = (part(0..4), part(4..6), part(6..8));
    matches!(digits.len(), 8 | 12 | 14)
        && matches!((year, month, day), (Some(year), Some(month), Some(day)) if is_day(year, month, day))
}

/// Whether digits go on behind a point or a comma, before what was found or behind it: then it is a part of a number or of a
/// version.
fn is_longer(text: &str, range: &Range<usize>) -> bool {
    goes_on(text.get(..range.start).unwrap_or_default().chars().rev())
        || goes_on(text.get(range.end..).unwrap_or_default().chars())
}

/// Whether the same is so before what was found, or it is a b-value.
fn goes_on_before(text: &str, range: &Range<usize>) -> bool {
    let mut before = text.get(..range.start).unwrap_or_default().chars().rev();
    goes_on(before.clone())
        || matches!(before.next(), Some('b' | 'B')) && !before.next().is_some_and(char::is_alphabetic)
}

fn goes_on(mut all: impl Iterator<Item = char>) -> bool {
    matches!(all.next(), Some('.' | ',')) && all.next().is_some_and(|one| one.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_go_but_for_those_that_the_standard_registers() {
        let shapes = Shapes::compile(&[]).unwrap();
        let finds = |text: &str| {
            let mut found = Vec::new();
            shapes.find(text, &mut found);
            !found.is_empty()
        };
        for uid in [
            "2.25.305828488182831875890203105390285383139",
            "1.2.840.10008.5.1.4.1.1.2.999.12345678.5",
            "1.2.826.0.1.3680043.8.498.1",
        ] {
            assert!(finds(&format!("see {uid} x")), "{uid}");
        }
        assert!(!finds("see 1.2.840.10008.5.1.4.1.1.2 x"));
    }

    fn found(text: &str) -> Vec<String> {
        let (shapes, mut found) = (Shapes::compile(&[]).unwrap(), Vec::new());
        shapes.find(text, &mut found);
        found.into_iter().map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn identifiers_are_known_by_their_shape() {
        let identifiers = [
            "1950-03-12",
            "1950/3/12",
            "19500312",
            "20240229131500",
            "12.03.1950",
            "12. 3. 1950",
            "3/12/1950",
            "12.03.50",
            "3/12/50",
            "12 March 1950",
            "12. März 1950",
            "March 12, 1950",
            "12th of march 1950",
            "12-Mar-50",
            "12 de marzo de 1950",
            "1er janvier 2020",
            "Mar 2020",
            "jane.doe@example.org",
            "+49 40 1234567",
            "(040) 123456",
            "040/1234567",
            "555-123-4567",
            "078-05-1120",
            "Tel. 4711",
            "06 12 34 56 78",
            "01 23 45 67 89",
            "0171 12 34 567",
            "612 34 56 78",
            "612 345 678",
            "móvil 612 345 678",
            "tél. 06 12 34 56 78",
            "555 123 4567",
            "943 476 5919",
            "06-12-34-56-78",
            "cell 555 123 45",
            "1234567",
            "1.2.826.0.1.3680043.8.498.1",
        ];
        for one in identifiers {
            for text in
                [one.to_owned(), format!("see {one}, then"), format!("DOB_{one}_x"), format!("({one})")]
            {
                let found = found(&text);
                let covers = |part: &String| part.contains(one) || one.contains(part.as_str());
                assert!(
                    found.iter().any(|part| part.contains(one)) && found.iter().all(covers),
                    "{text}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn values_and_versions_are_none() {
        let others = [
            "T2 TSE 5mm",
            "1.25 x 1.25 x 3.75 mm",
            "b 0 500 1000",
            "b0/500/1000",
            "500 800 1000 s/mm2",
            "512-512",
            "120 kV 200 mAs",
            "0.123456789",
            "1000000 Bq",
            "1234567.5",
            "syngo MR 2004A 4VA25A",
            "5.3.1.0",
            "DV26.0_R02_1810.b",
            "12.13.14",
            "2024-13-45",
            "1.2.840.10008.5.1.4.1.1.2",
            "may 5 mm",
            "TE 90 TR 5000",
            "1/3/2 of 2048",
            "250000 counts",
            "6/10/18 MV",
            "TE 10/12/50 ms",
            "Delay 5/10/15 min",
            "10/10/40 cm",
            "OCT 1024 A-scans",
            "MAR 2000",
            "3D OCT-2000",
            "Image set 2000",
            "MAG 1000",
            "DEC 2048",
            "AMX Mobile 2000",
            "cell 4000",
            "SNOMED 39607008",
            "500000 cnts",
            "100000 IU heparin",
            "0.05 1000 200",
            "b050 400 800",
            "b 400 800 1200",
            "640 480 1000",
            "95 mm, 100 %, 102 yards",
            "89-year-old",
            "190 years, 1.95 years",
        ];
        for one in others {
            assert!(found(one).is_empty(), "{one}: {:?}", found(one));
        }
    }

    #[test]
    fn ages_over_89_are_found_without_their_unit() {
        for (text, age) in [
            ("95-year-old", "95"),
            ("92yo female", "92"),
            ("102 years", "102"),
            ("90y", "90"),
            ("93-jährige Patientin", "93"),
            ("94 ans, 3 mm", "94"),
        ] {
            assert_eq!(found(text), [age], "{text}");
        }
    }

    #[test]
    fn a_day_stays_one_before_a_sex_or_a_modality() {
        for text in ["3/12/50 M", "3/12/50 US", "3/12/50 MS"] {
            assert_eq!(found(text), ["3/12/50"]);
        }
    }

    #[test]
    fn a_site_has_its_own() {
        let shapes = Shapes::compile(&["MRN-[0-9]+".to_owned()]).unwrap();
        let mut found = Vec::new();
        shapes.find("see MRN-12", &mut found);
        let found: Vec<_> = found.iter().map(|range| (range.start, range.end)).collect();
        assert_eq!(found, [(4, 10)]);
        assert!(Shapes::compile(&["a*".to_owned()]).is_err() && Shapes::compile(&["(".to_owned()]).is_err());
    }
}

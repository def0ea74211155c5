//! Numbers that may stay: few digits, a quantity with its unit, and nothing that a date, a time or a telephone number is
//! written like.

/// Digits of a number that stands for nothing but itself: of a series, a vertebra, a phase.
const FEW: usize = 3;
/// Digits of one with a unit, or behind what it is the quantity of: before its point, and all of them.
const WHOLE: usize = 4;
const MEASURED: usize = 5;

/// Years that stay.
const OLDEST: u8 = 89;

/// What tells how a number is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// By itself.
    Alone,
    /// It has a unit, or is the value of a parameter.
    Measured,
}

/// Whether one number may stay; points and commas may be in it.
pub(super) fn may_stay(number: &str, meant: Meant) -> bool {
    let Some((whole, fraction)) = split(number) else { return false };
    match (meant, fraction) {
        (Meant::Measured, _) => whole.len() <= WHOLE && whole.len() + fraction.len() <= MEASURED,
        (Meant::Alone, "") => whole.len() <= FEW,
        (Meant::Alone, _) => whole.len() + fraction.len() <= FEW && !is_day_and_month(whole, fraction),
    }
}

/// Whether numbers with nothing but punctuation between them may stay, by themselves. Three could be a date or a telephone
/// number, and two of them with more than a digit each a day.
pub(super) fn may_stay_together(first: &str, between: &str, second: &str) -> bool {
    let digits = |number: &str| number.bytes().filter(u8::is_ascii_digit).count();
    match between {
        "/" => digits(first) == 1 && digits(second) == 1,
        // Minutes have two digits; a ratio, as of compression, mostly has a one here.
        between if between.contains(':') => between == ":" && second == "1" && digits(first) <= FEW,
        _ => {
            digits(first) + digits(second) <= FEW
                && may_stay(first, Meant::Alone)
                && may_stay(second, Meant::Alone)
        }
    }
}

/// Whether a number is an age that fewer have than can be hidden among (PS3.15 E.3.7).
pub(super) fn is_old(number: &str) -> bool {
    split(number).is_none_or(|(whole, _)| whole.parse::<u8>().is_ok_and(|years| years > OLDEST))
}

/// Before and behind its point; `None` where there are two, as in dates, versions and UIDs.
fn split(number: &str) -> Option<(&str, &str)> {
    match number.split_once(['.', ',']) {
        None => Some((number, "")),
        Some((_, fraction)) if fraction.contains(['.', ',']) => None,
        Some(parts) => Some(parts),
    }
}

/// As 24.12 is, in half of Europe.
fn is_day_and_month(whole: &str, fraction: &str) -> bool {
    let number = |text: &str| text.parse::<u8>().unwrap_or(u8::MAX);
    fraction.len() == 2 && (1..=31).contains(&number(whole)) && (1..=12).contains(&number(fraction))
}

#[cfg(test)]
mod tests {
    use super::{Meant, may_stay, may_stay_together};

    #[test]
    fn few_digits_stay_and_dates_go() {
        for (number, alone, measured) in [
            ("5", true, true),
            ("512", true, true),
            ("2024", false, true),
            ("12345", false, false),
            ("1.25", true, true),
            ("1,5", true, true),
            ("4.12", false, true),
            ("24.12", false, true),
            ("12.3.50", false, false),
            ("1.2.840", false, false),
        ] {
            assert_eq!(may_stay(number, Meant::Alone), alone, "{number}");
            assert_eq!(may_stay(number, Meant::Measured), measured, "{number}");
        }
    }

    #[test]
    fn two_numbers_stay_where_they_are_no_day_and_no_time() {
        for (first, between, second, stays) in [
            ("3", "/", "4", true),
            ("12", "/", "4", false),
            ("5", "-", "7", true),
            ("10", "-", "12", false),
            ("9", ":", "5", false),
            ("9", ":", "10", false),
            ("16", ":", "1", true),
            ("55", " ", "12", false),
        ] {
            assert_eq!(may_stay_together(first, between, second), stays, "{first}{between}{second}");
        }
    }
}

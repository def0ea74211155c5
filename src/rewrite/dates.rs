//! Dates moved by days (PS3.15 E.3.6, PS3.5 §6.2).

use time::{Date, Duration, Month};

use super::keyed::{Domain, Key};
use crate::dataset::{Vr, trim};

/// Days by which the dates of a patient move, never 0: made from the Patient ID with the secret, so that the intervals
/// between all objects of one patient stay.
pub(super) fn days(key: &Key, patient_id: &[u8], (min, max): (i32, i32)) -> i32 {
    let mac = key.mac(Domain::Days, patient_id);
    let number = mac.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let (min, max) = (i64::from(min), i64::from(max));
    let with_zero = min <= 0 && max >= 0;
    let choices = (max - min + i64::from(!with_zero)).max(1).unsigned_abs();
    let days = min + i64::try_from(number % choices).unwrap_or(0);
    i32::try_from(if with_zero && days >= 0 { days + 1 } else { days }).unwrap_or(-1)
}

/// Appends one value of DA, TM or DT, moved. `None` where it is none.
pub(super) fn shift(vr: Vr, value: &[u8], days: i32, keep_times: bool, new: &mut Vec<u8>) -> Option<()> {
    let text = std::str::from_utf8(trim(value)).ok()?;
    match vr {
        Vr::TM if keep_times => {
            let legal = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b':'));
            legal.then(|| new.extend_from_slice(text.as_bytes()))
        }
        Vr::TM => None,
        Vr::DT => shift_moment(text, days, keep_times, new),
        _ => shift_date(text, days, new),
    }
}

/// The day that a value of DA or DT begins with. `None` where it has none.
pub(super) fn date_of(vr: Vr, value: &[u8]) -> Option<Date> {
    let mut same = Vec::new();
    shift(vr, value, 0, false, &mut same)?;
    moved(std::str::from_utf8(same.get(..8)?).ok()?, 0)
}

fn shift_date(text: &str, days: i32, new: &mut Vec<u8>) -> Option<()> {
    // ACR-NEMA 2.0 wrote dots.
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    let plain = digits.len() == 8 && (digits.len() == text.len() || text.len() == 10);
    put(moved(&digits, days).filter(|_| plain)?, 8, new)
}

/// YYYYMMDDHHMMSS.FFFFFF&ZZXX, or its beginning.
fn shift_moment(text: &str, days: i32, keep_times: bool, new: &mut Vec<u8>) -> Option<()> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let precision = match digits {
        4 | 6 => digits,
        8.. if digits <= 14 => 8,
        _ => return None,
    };
    let (date, rest) = text.split_at_checked(precision)?;
    let legal = rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-'));
    let whole = format!("{date}{}", "0101".get(precision.min(8) - 4..).unwrap_or_default());
    put(moved(&whole, days).filter(|_| legal)?, precision, new)?;
    if keep_times {
        new.extend_from_slice(rest.as_bytes());
    }
    Some(())
}

fn moved(digits: &str, days: i32) -> Option<Date> {
    let part = |from: usize, to: usize| {
        let text = digits.get(from..to).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        text.and_then(|text| text.parse::<u16>().ok())
    };
    let month = Month::try_from(u8::try_from(part(4, 6)?).ok()?).ok()?;
    let date =
        Date::from_calendar_date(i32::from(part(0, 4)?), month, u8::try_from(part(6, 8)?).ok()?).ok()?;
    date.checked_add(Duration::days(days.into()))
}

fn put(date: Date, precision: usize, new: &mut Vec<u8>) -> Option<()> {
    let year = u16::try_from(date.year()).ok().filter(|year| (1..=9999).contains(year))?;
    let text = format!("{year:04}{:02}{:02}", u8::from(date.month()), date.day());
    new.extend_from_slice(text.get(..precision)?.as_bytes());
    Some(())
}

/// Appends an age string, those over 89 years as 90: with them, few people are left to be meant.
pub(super) fn cap_age(value: &[u8], new: &mut Vec<u8>) {
    match trim(value) {
        [number @ .., unit @ (b'D' | b'W' | b'M' | b'Y')]
            if (1..=3).contains(&number.len()) && number.iter().all(u8::is_ascii_digit) =>
        {
            let years = number.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
            let old = *unit == b'Y' && years > 89;
            new.extend_from_slice(if old { b"090Y" } else { trim(value) });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Vr, cap_age, days, shift};
    use proptest::prelude::*;

    fn moved(vr: Vr, text: &str, days: i32, keep_times: bool) -> Option<String> {
        let mut new = Vec::new();
        shift(vr, text.as_bytes(), days, keep_times, &mut new)?;
        Some(String::from_utf8(new).unwrap())
    }

    #[test]
    fn every_form_of_a_date_moves() {
        let cases = [
            (Vr::DA, "20240301", "20240229", false),
            (Vr::DA, "2024.03.01", "20240229", false),
            (Vr::DT, "20240301", "20240229", true),
            (Vr::DT, "20240101120000.5+0100", "20231231120000.5+0100", true),
            (Vr::DT, "20240101120000.5+0100", "20231231", false),
            (Vr::DT, "202401", "202312", true),
            (Vr::DT, "2024", "2023", true),
            (Vr::TM, "235959.123", "235959.123", true),
        ];
        for (vr, old, new, keep) in cases {
            assert_eq!(moved(vr, old, -1, keep).as_deref(), Some(new), "{old}");
        }
        let wrong = [
            (Vr::DA, "2024"),
            (Vr::DA, "20241301"),
            (Vr::DA, "DOE^JOHN"),
            (Vr::DA, "00010101"),
            (Vr::DT, "20240101DOE"),
        ];
        for (vr, old) in wrong {
            assert_eq!(moved(vr, old, -1, true), None, "{old}");
        }
        assert_eq!(moved(Vr::TM, "12", -1, false), None);
        assert_eq!(moved(Vr::TM, "DOE", -1, true), None);
    }

    #[test]
    fn ages_over_89_are_capped() {
        let capped = |age: &str| {
            let mut new = Vec::new();
            cap_age(age.as_bytes(), &mut new);
            String::from_utf8(new).unwrap()
        };
        let cases = [
            ("089Y", "089Y"),
            ("090Y", "090Y"),
            ("104Y", "090Y"),
            ("93Y", "090Y"),
            ("120M", "120M"),
            ("born 1901", ""),
        ];
        for (old, new) in cases {
            assert_eq!(capped(old), new);
        }
    }

    proptest! {
        #[test]
        fn days_stay_in_their_bounds_and_are_never_none(
            patient in "[A-Z0-9]{1,16}", min in -4000_i32..4000, width in 1_i32..4000,
        ) {
            let key = Key::new(aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"a test's secret"));
            let days = days(&key, patient.as_bytes(), (min, min + width));
            prop_assert!(days != 0 && (min..=min + width).contains(&days));
        }

        #[test]
        fn intervals_stay(first in 1_i64..80_000, second in 1_i64..80_000, days in -5000_i32..5000) {
            let epoch = time::Date::from_calendar_date(1860, time::Month::January, 1).unwrap();
            let date = |n: i64| epoch + time::Duration::days(n);
            let write = |date: time::Date| format!("{:04}{:02}{:02}", date.year(), u8::from(date.month()), date.day());
            let moved = |n: i64| moved(Vr::DA, &write(date(n)), days, false).unwrap();
            prop_assert_eq!(moved(first), write(date(first + i64::from(days))));
            prop_assert_eq!(moved(second), write(date(second + i64::from(days))));
        }
    }
}

//! Whether values are legal for their VR (PS3.5 §6.2), as far as a VR says of what they are made: nothing is read but the
//! bytes where they lie.
//!
//! What somebody else wrote is judged leniently; what rules write is held to the letter by `value`.
//!
//! Three things that the standard does not allow are no misfits, since devices write them and they say nothing but what
//! they should: a number with more digits than its VR takes, one with a fraction in IS, and the dates and times of
//! ACR-NEMA (`2024.02.29`, `10:11:12`).

use crate::dataset::{Vr, trim};

/// Longest number that is taken for one, in bytes.
const LONGEST_NUMBER: usize = 64;

/// Whether the VR says of what its values are made.
pub(super) fn is_checked(vr: Vr) -> bool {
    matches!(vr, Vr::AS | Vr::CS | Vr::DA | Vr::DS | Vr::DT | Vr::IS | Vr::TM | Vr::UI)
}

/// Whether all values of an element are legal. An empty one is.
pub fn are_legal(vr: Vr, values: &[u8]) -> bool {
    values.split(|b| *b == b'\\').all(|one| is_legal(vr, one))
}

/// Whether one value is legal, padding apart.
pub(super) fn is_legal(vr: Vr, value: &[u8]) -> bool {
    let value = trim(value);
    if value.is_empty() {
        return true;
    }
    match vr {
        Vr::DS | Vr::IS => is_number(value),
        Vr::CS => value.len() <= 16 && value.iter().all(|b| may_stand_in(vr, *b)),
        Vr::UI => value.len() <= 64 && value.iter().all(|b| may_stand_in(vr, *b)),
        Vr::AS => matches!(value, [a, b, c, b'D' | b'W' | b'M' | b'Y'] if are_digits(&[*a, *b, *c])),
        Vr::DA => is_date(value),
        Vr::TM => is_time(value),
        Vr::DT => is_moment(value),
        _ => true,
    }
}

/// Whether a byte may stand in a value, where the whole of that is too long to be read.
pub(super) fn may_stand_in(vr: Vr, byte: u8) -> bool {
    match vr {
        Vr::DS | Vr::IS => byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'),
        Vr::CS => byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'_'),
        Vr::UI => byte.is_ascii_digit() || byte == b'.',
        Vr::AS => byte.is_ascii_digit() || matches!(byte, b'D' | b'W' | b'M' | b'Y'),
        Vr::DA | Vr::TM | Vr::DT => byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'+' | b'-'),
        _ => true,
    }
}

/// Bytes of one number of a VR that is not text; 1 where it is no number.
pub(super) fn unit(vr: Vr) -> u32 {
    match &vr.code() {
        b"SS" | b"US" | b"OW" => 2,
        b"AT" | b"FL" | b"OF" | b"OL" | b"SL" | b"UL" => 4,
        b"FD" | b"OD" | b"OV" | b"SV" | b"UV" => 8,
        _ => 1,
    }
}

fn are_digits(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

fn unsigned(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"+").or_else(|| bytes.strip_prefix(b"-")).unwrap_or(bytes)
}

/// Digits with a sign, a fraction and an exponent.
fn is_number(value: &[u8]) -> bool {
    let mut parts = value.splitn(2, |b| matches!(b, b'e' | b'E'));
    let (mantissa, exponent) = (unsigned(parts.next().unwrap_or_default()), parts.next());
    let mut digits = mantissa.splitn(2, |b| *b == b'.');
    let (whole, fraction) = (digits.next().unwrap_or_default(), digits.next().unwrap_or_default());
    let is_plain = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    value.len() <= LONGEST_NUMBER
        && is_plain(whole)
        && is_plain(fraction)
        && whole.len() + fraction.len() > 0
        && exponent.is_none_or(|exponent| are_digits(unsigned(exponent)))
}

/// Of digits that were looked at.
fn two(digits: &[u8]) -> u8 {
    digits.iter().fold(0, |sum, digit| sum * 10 + (digit & 0xF))
}

fn is_date(value: &[u8]) -> bool {
    match value {
        [y @ .., b'.', m1, m2, b'.', d1, d2] => y.len() == 4 && is_day(y, &[*m1, *m2], &[*d1, *d2]),
        _ => value.len() == 8 && is_beginning_of_date(value),
    }
}

fn is_day(year: &[u8], month: &[u8], day: &[u8]) -> bool {
    let in_range = || (1..=12).contains(&two(month)) && (1..=31).contains(&two(day));
    are_digits(year) && are_digits(month) && are_digits(day) && in_range()
}

/// YYYYMMDD, YYYYMM or YYYY.
fn is_beginning_of_date(value: &[u8]) -> bool {
    match value.len() {
        4 => are_digits(value),
        6 | 8 => {
            let (year, rest) = value.split_at(4);
            let (month, day) = rest.split_at(2);
            is_day(year, month, if day.is_empty() { b"01" } else { day })
        }
        _ => false,
    }
}

/// HHMMSS.FFFFFF or its beginning, with colons too.
fn is_time(value: &[u8]) -> bool {
    let mut parts = value.splitn(2, |b| *b == b'.');
    let (clock, fraction) = (parts.next().unwrap_or_default(), parts.next());
    let (size, most) = if clock.contains(&b':') { (clock.len() + 1, 3) } else { (clock.len(), 2) };
    let mut limits = [24, 60, 61].into_iter();
    let is_part = |part: &[u8]| {
        let ends = most == 2 || part.get(2).is_none_or(|b| *b == b':');
        let digits = part.get(..2).unwrap_or_default();
        ends && are_digits(digits) && limits.next().is_some_and(|limit| two(digits) < limit)
    };
    size > 0
        && size.is_multiple_of(most)
        && clock.chunks(most).all(is_part)
        && fraction.is_none_or(|digits| size == 3 * most && digits.len() <= 6 && are_digits(digits))
}

/// YYYYMMDDHHMMSS.FFFFFF&ZZXX, or its beginning with or without the offset from UTC.
fn is_moment(value: &[u8]) -> bool {
    let at = value.iter().position(|b| matches!(b, b'+' | b'-')).unwrap_or(value.len());
    let (stamp, offset) = value.split_at(at);
    let (date, time) = stamp.split_at(stamp.len().min(8));
    let is_offset = offset.is_empty() || offset.len() == 5 && are_digits(unsigned(offset));
    is_offset && is_beginning_of_date(date) && (time.is_empty() || !time.contains(&b':') && is_time(time))
}

#[cfg(test)]
mod tests {
    use super::{Vr, are_legal, is_checked, may_stand_in, unit};
    use proptest::prelude::*;

    const CHECKED: [Vr; 8] = [Vr::AS, Vr::CS, Vr::DA, Vr::DS, Vr::DT, Vr::IS, Vr::TM, Vr::UI];

    #[test]
    fn what_the_standard_allows_is_legal_and_so_is_what_says_no_more() {
        let legal = [
            (Vr::AS, "018M"),
            (Vr::CS, "ORIGINAL\\PRIMARY\\CT_SOM5 SPI"),
            (Vr::DA, "20240229"),
            (Vr::DA, "2024.02.29"),
            (Vr::DS, "-1.5e3\\ +.5\\1. \\\\0.33333333333333331"),
            (Vr::DT, "2024"),
            (Vr::DT, "20240101101112.123456+0100"),
            (Vr::DT, "202401+0100"),
            (Vr::IS, "-12 \\12.0"),
            (Vr::TM, "10"),
            (Vr::TM, "101160.5"),
            (Vr::TM, "10:11:12.25"),
            (Vr::UI, "1.2.840.10008.1.2\0"),
            (Vr::LO, "DOE^JANE"),
        ];
        for (vr, value) in legal {
            assert!(are_legal(vr, value.as_bytes()), "{vr} {value}");
            assert!(CHECKED.iter().all(|vr| are_legal(*vr, b"") && are_legal(*vr, b" \\ ")));
        }
    }

    #[test]
    fn what_could_be_a_name_an_address_or_a_telephone_is_not() {
        let illegal = [
            (Vr::AS, "18M"),
            (Vr::AS, "DOEY"),
            (Vr::CS, "ORIGINAL\\DOE^JANE"),
            (Vr::CS, "Doe"),
            (Vr::CS, "SEVENTEEN LETTERS"),
            (Vr::DA, "20241301"),
            (Vr::DA, "20240100"),
            (Vr::DA, "2024"),
            (Vr::DA, "0049.1234"),
            (Vr::DS, "1\\DOE"),
            (Vr::DS, "inf"),
            (Vr::DS, "nan"),
            (Vr::DS, "e5"),
            (Vr::DS, "."),
            (Vr::DS, "1e"),
            (Vr::DS, "+49-123"),
            (Vr::DT, "20240101DOE"),
            (Vr::DT, "20240101101112.1234567"),
            (Vr::DT, "2024+01"),
            (Vr::IS, "DOE^JANE"),
            (Vr::TM, "DOE"),
            (Vr::TM, "25"),
            (Vr::TM, "1"),
            (Vr::TM, "12.5"),
            (Vr::TM, "12:5"),
            (Vr::TM, "491234567890"),
            (Vr::UI, "1.2.DOE"),
        ];
        for (vr, value) in illegal {
            assert!(!are_legal(vr, value.as_bytes()), "{vr} {value}");
        }
    }

    #[test]
    fn numbers_that_are_no_text_have_a_size() {
        let sized = [(b"FD", 8), (b"FL", 4), (b"US", 2), (b"AT", 4), (b"OB", 1), (b"LO", 1), (b"UN", 1)];
        for (code, size) in sized {
            assert_eq!(unit(Vr::known(*code).unwrap()), size);
        }
    }

    proptest! {
        #[test]
        fn what_is_legal_is_made_of_what_may_stand_in_it(
            at in 0..CHECKED.len(), value in "[0-9A-Z.:+e-]{0,20}|[ -~]{0,8}|\\PC{0,6}",
        ) {
            let vr = CHECKED[at];
            prop_assert!(is_checked(vr));
            if are_legal(vr, value.as_bytes()) {
                let parts = value.split('\\').map(|one| one.trim_matches([' ', '\0']));
                let mut bytes = parts.flat_map(str::bytes);
                prop_assert!(bytes.all(|byte| may_stand_in(vr, byte)), "{vr} {value:?}");
            }
        }
    }
}

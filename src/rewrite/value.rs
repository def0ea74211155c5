//! Values that a rule writes: legal for their VR (PS3.5 §6.2), plain ASCII, in the byte order of their data set.

use crate::dataset::{Syntax, Vr};

/// Appends `text` as a value of `vr`, not padded. An error says what would be right.
pub(super) fn encode(vr: Vr, text: &str, syntax: Syntax, out: &mut Vec<u8>) -> Result<(), String> {
    if !text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n')) {
        return Err("only printable ASCII is allowed, whatever character set the data set has".to_owned());
    }
    if text.is_empty() {
        return Ok(());
    }
    if vr.is_text() || vr == Vr::UN {
        check_text(vr, text)?;
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    text.split('\\').try_for_each(|number| {
        put_number(vr, number.trim(), syntax, out)
            .ok_or_else(|| format!("{number:?} is not a value of VR {vr}, which {}", numbers(vr)))
    })
}

/// Whether `text` is legal for a VR of characters.
pub(super) fn check_text(vr: Vr, text: &str) -> Result<(), String> {
    let values = if vr.is_multi_valued() { text.split('\\') } else { text.split('\u{0}') };
    for value in values.filter(|value| !value.is_empty()) {
        let most = vr.max_characters();
        let longest =
            if vr == Vr::PN { value.split('=').map(str::len).max().unwrap_or(0) } else { value.len() };
        if longest > most {
            return Err(format!("{longest} characters are too many for VR {vr}, which holds at most {most}"));
        }
        if !suits(vr, value) {
            return Err(format!("{value:?} is not a value of VR {vr}, which {}", expects(vr)));
        }
    }
    Ok(())
}

fn suits(vr: Vr, value: &str) -> bool {
    let bytes = value.as_bytes();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match &vr.code() {
        b"CS" => {
            bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b' ' | b'_'))
        }
        b"UI" => value.parse::<crate::wire::Uid>().is_ok(),
        b"DA" => value.len() == 8 && is_date(value),
        b"TM" => is_time(value),
        b"DT" => {
            let (stamp, offset) = value.find(['+', '-']).map_or((value, None), |at| {
                let (stamp, offset) = value.split_at(at);
                (stamp, offset.get(1..))
            });
            let (date, time) = stamp.split_at(stamp.len().min(8));
            offset.is_none_or(|offset| offset.len() == 4 && digits(offset))
                && matches!(date.len(), 4 | 6 | 8)
                && is_date(date)
                && (time.is_empty() || is_time(time))
        }
        b"AS" => {
            value.len() == 4
                && value.split_at_checked(3).is_some_and(|(n, unit)| digits(n) && "DWMY".contains(unit))
        }
        b"IS" => value.trim().parse::<i32>().is_ok(),
        b"DS" => value.trim().parse::<f64>().is_ok_and(f64::is_finite),
        b"AE" => !value.trim().is_empty(),
        b"UR" => !bytes.contains(&b' '),
        _ => true,
    }
}

fn expects(vr: Vr) -> &'static str {
    match &vr.code() {
        b"CS" => "takes upper-case letters, digits, space and underscore",
        b"UI" => "takes digits and dots",
        b"DA" => "takes YYYYMMDD",
        b"TM" => "takes HHMMSS.FFFFFF, or its beginning",
        b"DT" => "takes YYYYMMDDHHMMSS.FFFFFF&ZZXX, or its beginning",
        b"AS" => "takes three digits and D, W, M or Y",
        b"IS" => "takes an integer",
        b"DS" => "takes a decimal number",
        b"UR" => "takes a URI without spaces",
        _ => "takes text",
    }
}

fn is_date(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| text.get(range).map(|part| part.parse::<u8>().unwrap_or(0));
    text.bytes().all(|b| b.is_ascii_digit())
        && part(4..6).is_none_or(|month| (1..=12).contains(&month))
        && part(6..8).is_none_or(|day| (1..=31).contains(&day))
}

fn is_time(text: &str) -> bool {
    let (clock, fraction) =
        text.split_once('.').map_or((text, None), |(clock, fraction)| (clock, Some(fraction)));
    let below = |range: std::ops::Range<usize>, end: u8| {
        clock.get(range).is_none_or(|part| part.parse::<u8>().is_ok_and(|number| number < end))
    };
    matches!(clock.len(), 2 | 4 | 6)
        && clock.bytes().all(|b| b.is_ascii_digit())
        && below(0..2, 24)
        && below(2..4, 60)
        && below(4..6, 61)
        && fraction.is_none_or(|digits| {
            clock.len() == 6 && (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        })
}

fn put_number(vr: Vr, text: &str, syntax: Syntax, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    match &vr.code() {
        b"US" => out.extend(text.parse::<u16>().ok()?.to_le_bytes()),
        b"SS" => out.extend(text.parse::<i16>().ok()?.to_le_bytes()),
        b"UL" => out.extend(text.parse::<u32>().ok()?.to_le_bytes()),
        b"SL" => out.extend(text.parse::<i32>().ok()?.to_le_bytes()),
        b"UV" => out.extend(text.parse::<u64>().ok()?.to_le_bytes()),
        b"SV" => out.extend(text.parse::<i64>().ok()?.to_le_bytes()),
        b"FL" => out.extend(text.parse::<f32>().ok()?.to_le_bytes()),
        b"FD" => out.extend(text.parse::<f64>().ok()?.to_le_bytes()),
        _ => return None,
    }
    if syntax.big_endian {
        out.get_mut(start..)?.reverse();
    }
    Some(())
}

fn numbers(vr: Vr) -> &'static str {
    match &vr.code() {
        b"US" | b"SS" | b"UL" | b"SL" | b"UV" | b"SV" => {
            "takes integers in its range, separated by backslashes"
        }
        b"FL" | b"FD" => "takes numbers, separated by backslashes",
        b"SQ" => "is a sequence: keep, remove or empty it",
        _ => "is binary: keep, remove or empty it",
    }
}

#[cfg(test)]
mod tests {
    use super::{Vr, encode};
    use crate::dataset::Syntax;

    fn with(vr: &[u8; 2], text: &str, syntax: Syntax) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        encode(Vr::known(*vr).unwrap(), text, syntax, &mut out).map(|()| out)
    }

    #[test]
    fn numbers_take_the_byte_order_of_the_data_set() {
        assert_eq!(with(b"US", "1\\258", Syntax::EXPLICIT_LE).unwrap(), [1, 0, 2, 1]);
        assert_eq!(with(b"US", "1\\258", Syntax::EXPLICIT_BE).unwrap(), [0, 1, 1, 2]);
        assert_eq!(with(b"SL", "-2", Syntax::EXPLICIT_BE).unwrap(), [0xFF, 0xFF, 0xFF, 0xFE]);
        assert_eq!(with(b"FD", "1", Syntax::EXPLICIT_LE).unwrap(), 1_f64.to_le_bytes());
    }

    #[test]
    fn legal_values_pass_and_others_say_what_would_be_right() {
        let legal: [(&[u8; 2], &str); 17] = [
            (b"LO", "SITE-07"),
            (b"LO", ""),
            (b"PN", "DOE^JOHN=DOE^J"),
            (b"CS", "DERIVED\\PRIMARY"),
            (b"UI", "2.25.1"),
            (b"DA", "19010101"),
            (b"TM", "12"),
            (b"TM", "235960.5"),
            (b"DT", "1901"),
            (b"DT", "19010101120000.0+0100"),
            (b"AS", "089Y"),
            (b"IS", "-1"),
            (b"DS", "1.5e3"),
            (b"LT", "a\\b\r\n"),
            (b"UT", "x"),
            (b"AE", "PACS"),
            (b"UN", "x"),
        ];
        for (vr, text) in legal {
            assert!(with(vr, text, Syntax::EXPLICIT_LE).is_ok(), "{} {text}", vr.escape_ascii());
        }
        let long = "x".repeat(65);
        let illegal: [(&[u8; 2], &str); 19] = [
            (b"LO", "ä"),
            (b"LO", "\u{1b}$B"),
            (b"LO", &long),
            (b"PN", &long),
            (b"SH", "seventeen letters"),
            (b"CS", "derived"),
            (b"UI", "1.2.x"),
            (b"DA", "2020-01-01"),
            (b"DA", "20201301"),
            (b"TM", "25"),
            (b"TM", "12.5"),
            (b"DT", "190101011"),
            (b"AS", "89"),
            (b"IS", "1.5"),
            (b"DS", "inf"),
            (b"US", "65536"),
            (b"US", "-1"),
            (b"OB", "x"),
            (b"SQ", "x"),
        ];
        for (vr, text) in illegal {
            assert!(with(vr, text, Syntax::EXPLICIT_LE).is_err(), "{} {text}", vr.escape_ascii());
        }
    }
}

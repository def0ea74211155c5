//! Durations and sizes as people write them.

use std::time::Duration;

use super::report::Wrong;

const DAY: u64 = 86_400_000;

/// A duration as the configuration writes them, for whoever asks elsewhere.
///
/// # Errors
/// What is wrong with the text, and what would be right.
pub(crate) fn duration_of(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|wrong| format!("{}, {}", wrong.problem, wrong.remedy))
}

/// A number of bytes as the configuration writes them, for whoever asks elsewhere.
///
/// # Errors
/// What is wrong with the text, and what would be right.
pub(crate) fn size_of(text: &str) -> Result<u64, String> {
    size(text).map_err(|wrong| format!("{}, {}", wrong.problem, wrong.remedy))
}

/// `500ms`, `10s`, `5m`, `1h` or `1d`.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let wrong = || {
        Wrong::new(
            format!("{text:?} is not a duration"),
            "write a number and ms, s, m, h or d, as in \"10s\"",
        )
    };
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => DAY,
        _ => return Err(wrong()),
    };
    let total = number.checked_mul(milliseconds).filter(|total| *total <= 365 * DAY);
    let too_long = || Wrong::new(format!("{text:?} is too long"), "write at most \"365d\"");
    total.map(Duration::from_millis).ok_or_else(too_long)
}

/// Bytes: `100MiB`, `64KiB`, `1GB`, `512B`.
pub(super) fn size(text: &str) -> Result<u64, Wrong> {
    let wrong = || {
        let remedy = "write bytes as a number, or with B, KiB, MiB, GiB, kB, MB or GB, as in \"100MiB\"";
        Wrong::new(format!("{text:?} is not a size"), remedy)
    };
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let bytes = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(bytes).ok_or_else(wrong)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let (number, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    Some((number.parse().ok()?, unit.trim_start_matches(' ')))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{duration, size};

    #[test]
    fn numbers_with_units() {
        for (text, milliseconds) in
            [("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("1h", 3_600_000), ("2 d", 172_800_000)]
        {
            assert_eq!(duration(text).ok(), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for (text, bytes) in [("100MiB", 104_857_600), ("64KiB", 65_536), ("1GB", 1_000_000_000), ("5 B", 5)]
        {
            assert_eq!(size(text).ok(), Some(bytes), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "10",
            "s",
            "-1s",
            "1.5s",
            "10 sec",
            "1S",
            "366d",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "MiB", "-1B", "1.5MiB", "1mib", "18446744073709551615GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}

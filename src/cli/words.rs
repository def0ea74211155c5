//! Numbers as people say them.

/// `1 association`, `12 associations`: a number before what it counts.
pub(super) fn counted(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {}", noun(count, what))
}

/// What is counted, as it stands behind its number: `association` or `associations`.
pub(super) fn noun(count: u64, what: &str) -> String {
    if count == 1 {
        return what.to_owned();
    }
    match what.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if what.ends_with(['s', 'x']) => format!("{what}es"),
        _ => format!("{what}s"),
    }
}

/// Bytes as people say them.
pub(super) fn amount(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    #[allow(clippy::cast_precision_loss)]
    let mut scaled = bytes as f64 / 1e3;
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut units = UNITS.iter();
    let mut unit = units.next().unwrap_or(&"");
    while scaled >= 999.95 {
        let Some(next) = units.next() else { break };
        (scaled, unit) = (scaled / 1e3, next);
    }
    format!("{scaled:.1} {unit}")
}

/// Milliseconds as people say them; empty where there is none.
pub(super) fn duration(milliseconds: Option<u64>) -> String {
    match milliseconds {
        None => String::new(),
        Some(ms @ 0..1_000) => format!("{ms} ms"),
        Some(ms @ 1_000..60_000) => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        Some(ms @ 60_000..3_600_000) => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
        Some(ms) => format!("{} h {:02} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::{amount, counted, duration};

    #[test]
    fn one_is_one_and_all_others_are_many() {
        let counted = |count: u64, what| counted(count, what);
        assert_eq!([0, 1, 2].map(|count| counted(count, "peer")), ["0 peers", "1 peer", "2 peers"]);
        assert_eq!(
            ["study", "day", "address", "check"].map(|what| counted(2, what)),
            ["2 studies", "2 days", "2 addresses", "2 checks"]
        );
    }

    #[test]
    fn amounts_and_durations_as_people_say_them() {
        assert_eq!(
            [0, 999, 1_000, 999_949, 999_950, 1_500_000, u64::MAX].map(amount),
            ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "1.5 MB", "18446.7 PB"]
        );
        assert_eq!(
            [Some(0), Some(59_999), Some(60_000), Some(3_661_000), None].map(duration),
            ["0 ms", "59.9 s", "1 min 00 s", "1 h 01 min", ""]
        );
    }
}

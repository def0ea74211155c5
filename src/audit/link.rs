//! What a line says about its place in the chain, read without parsing all of it.

use super::line_hash::LineHash;
use super::record::begin;

/// The fields that the sink puts in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    pub time: &'a str,
    pub event: &'a str,
    pub sequence: u64,
    pub previous: LineHash,
}

/// Reads `{"time":"…","event":"…","sequence":…,"previous":"…"`, written exactly so; the rest is an object's, as far as
/// its first and last byte say. `None` for anything else.
pub(super) fn parse(line: &[u8]) -> Option<Link<'_>> {
    let (time, event, sequence, rest) = begin(line)?;
    let (hash, rest) = rest.strip_prefix(b",\"previous\":\"")?.split_at_checked(64)?;
    let rest = rest.strip_prefix(b"\"")?;
    let whole = rest == b"}" || (rest.starts_with(b",\"") && rest.ends_with(b"}"));
    whole.then_some(())?;
    Some(Link { time, event, sequence, previous: LineHash::from_hex(hash)? })
}

#[cfg(test)]
mod tests {
    use super::{Link, parse};
    use crate::audit::LineHash;

    #[test]
    fn only_what_the_sink_writes_is_a_record() {
        let zeros = "0".repeat(64);
        let good = format!(r#"{{"time":"t","event":"e","sequence":7,"previous":"{zeros}","a":{{}}}}"#);
        let head = Link { time: "t", event: "e", sequence: 7, previous: LineHash::NONE };
        assert_eq!(parse(good.as_bytes()), Some(head));
        assert_eq!(parse(good.replace(r#","a":{}"#, "").as_bytes()), Some(head));
        for (from, to) in [
            ("{\"time", " {\"time"),
            (":7", ":07"),
            (":7", ":-7"),
            (":7", ":99999999999999999999"),
            ("0\",\"a", "A\",\"a"),
            ("}}", "}"),
            ("}}", "} "),
            ("\"e\"", "\"\""),
            (",\"a\"", "\"a\""),
        ] {
            let changed =
                if to == "}" { good.trim_end_matches('}').to_owned() } else { good.replace(from, to) };
            assert_ne!(changed, good);
            assert_eq!(parse(changed.as_bytes()), None, "{changed}");
        }
    }
}

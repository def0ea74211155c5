//! What a line says about its place in the chain, read without parsing all of it.

use super::super::chain::LineHash;

/// The fields that the sink puts in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub time: &'a str,
    pub event: &'a str,
    pub sequence: u64,
    pub previous: LineHash,
}

/// Longest text of a time or the name of an event.
const LONGEST: usize = 64;

/// Reads `{"time":"…","event":"…","sequence":…,"previous":"…"`, written exactly so; the rest is an object's, as far as
/// its first and last byte say. `None` for anything else.
pub(crate) fn parse(line: &[u8]) -> Option<Head<'_>> {
    let rest = line.strip_prefix(b"{\"time\":\"")?;
    let (time, rest) = text(rest)?;
    let (event, rest) = text(rest.strip_prefix(b",\"event\":\"")?)?;
    let rest = rest.strip_prefix(b",\"sequence\":")?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let (number, rest) = rest.split_at_checked(digits)?;
    if number.starts_with(b"0") {
        return None;
    }
    let sequence = std::str::from_utf8(number).ok()?.parse().ok()?;
    let (hash, rest) = rest.strip_prefix(b",\"previous\":\"")?.split_at_checked(64)?;
    let rest = rest.strip_prefix(b"\"")?;
    let whole = rest == b"}" || (rest.starts_with(b",\"") && rest.ends_with(b"}"));
    whole.then_some(())?;
    Some(Head { time, event, sequence, previous: LineHash::from_hex(hash)? })
}

/// Up to the next quotation mark, which is dropped.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(LONGEST).position(|&byte| byte == b'"')?;
    let (text, rest) = bytes.split_at_checked(end)?;
    let plain = text.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\');
    Some((std::str::from_utf8(text).ok().filter(|text| plain && !text.is_empty())?, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::{Head, parse};
    use crate::audit::LineHash;

    #[test]
    fn only_what_the_sink_writes_is_a_record() {
        let zeros = "0".repeat(64);
        let good = format!(r#"{{"time":"t","event":"e","sequence":7,"previous":"{zeros}","a":{{}}}}"#);
        let head = Head { time: "t", event: "e", sequence: 7, previous: LineHash::NONE };
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

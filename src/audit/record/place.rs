//! What the sink puts in front of every record: when, what, and its place in the sequence.

use serde::Deserialize;
use std::borrow::Cow;

/// Time, event and number of a record.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place<'a> {
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    pub sequence: u64,
}

/// Longest text of a time or the name of an event.
const LONGEST: usize = 64;
/// Digits of the hash of the line before.
const HASH: usize = 64;

impl<'a> Place<'a> {
    /// Of any JSON object.
    ///
    /// # Errors
    /// It is none, or has another time, event or number than records have.
    pub(super) fn of(line: &'a [u8]) -> serde_json::Result<Self> {
        match begin(line) {
            Some((time, event, sequence, _)) => Ok(Self { time: time.into(), event: event.into(), sequence }),
            None => serde_json::from_slice(line),
        }
    }
}

/// Time, event and number of `{"time":"…","event":"…","sequence":…`, written exactly so, and what comes behind it.
pub(in crate::audit) fn begin(line: &[u8]) -> Option<(&str, &str, u64, &[u8])> {
    let (time, rest) = text(line.strip_prefix(b"{\"time\":\"")?)?;
    let (event, rest) = text(rest.strip_prefix(b",\"event\":\"")?)?;
    let rest = rest.strip_prefix(b",\"sequence\":")?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let (number, rest) = rest.split_at_checked(digits)?;
    if number.starts_with(b"0") {
        return None;
    }
    let sequence = std::str::from_utf8(number).ok()?.parse().ok()?;
    Some((time, event, sequence, rest))
}

/// Id of the association of an operation, where the line is written exactly as the sink writes it: then nothing else of it
/// has to be read to know whose it is. `None` of any other line, which says nothing.
pub(in crate::audit) fn association_of_operation(line: &[u8]) -> Option<&str> {
    let (_, event, _, rest) = begin(line)?;
    let (_, rest) = rest.strip_prefix(b",\"previous\":\"")?.split_at_checked(HASH)?;
    let rest = rest.strip_prefix(b"\"")?;
    // Of the trail of a tenant.
    let rest = rest.strip_prefix(b",\"tenant\":\"").and_then(text).map_or(rest, |(_, rest)| rest);
    let (id, _) = text(rest.strip_prefix(b",\"association\":\"")?)?;
    (event == "operation").then_some(id)
}

/// Up to the next quotation mark, which is dropped.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(LONGEST).position(|&byte| byte == b'"')?;
    let (text, rest) = bytes.split_at_checked(end)?;
    let plain = text.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\');
    Some((std::str::from_utf8(text).ok().filter(|text| plain && !text.is_empty())?, rest.get(1..)?))
}

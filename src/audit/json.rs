//! JSON in which no string can hide, reorder or forge a line, and none is longer than a bound.

use super::line_hash::LineHash;
use crate::identity::deceptive;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};
use std::io::{self, Write};
use time::OffsetDateTime;

/// Longest string of a record, in bytes before escaping.
pub(super) const STRING_LIMIT: usize = 1024;

/// Anything, as its derived form says.
pub(super) fn body_of(to: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(to, Guarded::default()))
}

/// A number in decimal digits.
pub(super) fn number(to: &mut Vec<u8>, value: u64) {
    to.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Adds the line of a record, without a line feed: `time`, `event`, `sequence`, `previous`, then the fields of `body`.
pub(super) fn line(
    to: &mut Vec<u8>,
    time: OffsetDateTime,
    event: &str,
    (sequence, previous): (u64, LineHash),
    (whose, body): (&[u8], &[u8]),
) {
    let fields = body.strip_prefix(b"{").unwrap_or_default();
    let comma: &[u8] = if fields.starts_with(b"}") { b"" } else { b"," };
    let (time, previous) = (timestamp(time), previous.hex());
    for part in [b"{\"time\":\"", &time[..], b"\",\"event\":\"", event.as_bytes(), b"\",\"sequence\":"] {
        to.extend_from_slice(part);
    }
    number(to, sequence);
    for part in [b",\"previous\":\"", previous.as_slice(), b"\"", whose, comma, fields] {
        to.extend_from_slice(part);
    }
}

/// RFC 3339 in UTC with microseconds: `2026-01-02T03:04:05.000006Z`.
fn timestamp(time: OffsetDateTime) -> [u8; 27] {
    let time = time.to_offset(time::UtcOffset::UTC);
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut number = |last: usize, digits: usize, mut value: u32| {
        for place in text.iter_mut().take(last + 1).rev().take(digits) {
            *place = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    number(3, 4, time.year().unsigned_abs());
    number(6, 2, u8::from(time.month()).into());
    number(9, 2, time.day().into());
    number(12, 2, time.hour().into());
    number(15, 2, time.minute().into());
    number(18, 2, time.second().into());
    number(25, 6, time.microsecond());
    text
}

/// As [`timestamp`], as a string.
pub(super) fn timestamp_text(time: OffsetDateTime) -> String {
    timestamp(time).into_iter().map(char::from).collect()
}

/// Escapes what serde_json leaves as it is although a terminal or an editor acts on it, and cuts long strings.
#[derive(Default)]
struct Guarded {
    /// Bytes of the string that is being written.
    written: usize,
}

impl Guarded {
    /// Whether a character of the string may still be written; says `…` once where it may not.
    fn room<W: ?Sized + Write>(&mut self, bytes: usize, writer: &mut W) -> io::Result<bool> {
        let before = self.written;
        self.written = before.saturating_add(bytes);
        if self.written <= STRING_LIMIT {
            return Ok(true);
        }
        if before <= STRING_LIMIT {
            self.written = STRING_LIMIT + 1;
            writer.write_all("…".as_bytes())?;
        }
        Ok(false)
    }
}

impl Formatter for Guarded {
    fn begin_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.written = 0;
        writer.write_all(b"\"")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let plain = fragment.is_ascii() && memchr::memchr(0x7f, fragment.as_bytes()).is_none();
        if plain && self.written.saturating_add(fragment.len()) <= STRING_LIMIT {
            self.written += fragment.len();
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            if !self.room(character.len_utf8(), writer)? {
                break;
            }
            if deceptive(character) {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        if !self.room(1, writer)? {
            return Ok(());
        }
        match escape {
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"\\/"),
            CharEscape::Backspace => writer.write_all(b"\\b"),
            CharEscape::FormFeed => writer.write_all(b"\\f"),
            CharEscape::LineFeed => writer.write_all(b"\\n"),
            CharEscape::CarriageReturn => writer.write_all(b"\\r"),
            CharEscape::Tab => writer.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(writer, "\\u{byte:04x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Guarded, STRING_LIMIT, Serializer, timestamp};
    use proptest::prelude::*;
    use serde::Serialize;
    use time::OffsetDateTime;
    use time::macros::format_description;

    fn json(text: &str) -> String {
        let mut bytes = Vec::new();
        text.serialize(&mut Serializer::with_formatter(&mut bytes, Guarded::default())).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_a_terminal_acts_on_is_escaped() {
        assert_eq!(
            json("a\"\\\n\u{1b}\u{7f}\u{9b}\u{202e}\u{2028}\u{feff}\u{e0041}é"),
            r#""a\"\\\n\u001b\u007f\u009b\u202e\u2028\ufeff\udb40\udc41é""#
        );
    }

    #[test]
    fn a_long_string_is_cut_once_wherever_the_bound_falls() {
        let cut = format!("\"{}…\"", "x".repeat(STRING_LIMIT));
        assert_eq!(json(&"x".repeat(STRING_LIMIT)), format!("\"{}\"", "x".repeat(STRING_LIMIT)));
        assert_eq!(json(&"x".repeat(STRING_LIMIT + 1)), cut);
        assert_eq!(json(&format!("{}\n\"\n{}", "x".repeat(STRING_LIMIT), "y".repeat(9))), cut);
        assert_eq!(
            json(&format!("{}é\nz", "x".repeat(STRING_LIMIT - 1))),
            format!("\"{}…\"", "x".repeat(STRING_LIMIT - 1))
        );
    }

    proptest! {
        #[test]
        fn a_time_is_what_the_time_library_writes(seconds in 0_i64..253_402_300_800, micros in 0_i64..1_000_000) {
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap() + time::Duration::microseconds(micros);
            let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
            prop_assert_eq!(timestamp(time).to_vec(), time.format(&format).unwrap().into_bytes());
        }

        #[test]
        fn every_short_string_reads_back_and_shows_nothing_deceptive(text in "\\PC{0,40}|.{0,40}|[\u{0}-\u{2fff}]{0,40}") {
            let written = json(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
            prop_assert!(!written.chars().any(crate::identity::deceptive));
        }
    }
}

//! Which bytes of a text are characters of their own (PS3.5 §6.1.2.3 and §6.2). A byte of a longer character may look like a
//! backslash, which separates values only where it is a character, or like a wildcard of a query (PS3.4 C.2.2.2.4).
//!
//! | character set | bytes of longer characters that look like others |
//! | --- | --- |
//! | ISO 2022 IR 87 and 159, behind their escape sequences | 21 to 7E, in pairs |
//! | GB18030, GBK | 30 to 39 and 40 to 7E, behind one from 81 on |
//! | ISO_IR 13, as Shift JIS, which many write under that name | 40 to 7E, behind one from 81 on |
//! | ISO_IR 192, ISO 2022 IR 58 and 149, all of one byte | none: those of longer characters are from 80 on |

use super::{Vr, trim};

const ESCAPE: u8 = 0x1B;

/// How the bytes of a text make characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Characters {
    /// What is below 80 is a character.
    #[default]
    Plain,
    /// ISO_IR 13.
    ShiftJis,
    /// GBK.
    Gbk,
    /// GB18030.
    Gb18030,
    /// With code extensions.
    Extended,
}

impl Characters {
    /// The characters of a data set whose (0008,0005) Specific Character Set has this value, with or without padding.
    pub fn of(value: &[u8]) -> Self {
        let mut terms = value.split(|b| *b == b'\\').map(trim);
        let (first, more) = (terms.next().unwrap_or_default(), terms.next());
        match (first, more) {
            (b"GB18030", _) => Self::Gb18030,
            (b"GBK" | b"GB2312", _) => Self::Gbk,
            (b"ISO_IR 13", None) => Self::ShiftJis,
            (first, None) if !first.starts_with(b"ISO 2022 ") => Self::Plain,
            _ => Self::Extended,
        }
    }

    /// The values of an element; the whole of it where a backslash is text.
    pub(crate) fn values(self, vr: Vr, whole: &[u8]) -> Values<'_> {
        // Where no byte looks like a backslash, no character has to be told from another.
        let splits = (vr.is_multi_valued() || vr == Vr::UN) && memchr::memchr(b'\\', whole).is_some();
        Values { whole, start: Some(0), delimiters: splits.then(|| self.of_vr(vr).singles(whole)) }
    }

    /// The wildcards of a key, and where they are.
    pub(crate) fn wildcards(self, vr: Vr, key: &[u8]) -> impl Iterator<Item = (usize, u8)> {
        self.of_vr(vr).singles(key).filter(|(_, byte)| matches!(byte, b'*' | b'?'))
    }

    /// Whether a Patient ID is one that is looked for with wildcards, or several.
    pub fn is_pattern(self, patient: &[u8]) -> bool {
        memchr::memchr3(b'*', b'?', b'\\', patient).is_some()
            && self.singles(patient).any(|(_, byte)| matches!(byte, b'*' | b'?' | b'\\'))
    }

    /// Of what is no text, (0008,0005) says nothing.
    fn of_vr(self, vr: Vr) -> Self {
        if vr.is_in_character_set() || vr == Vr::UN { self } else { Self::Plain }
    }

    /// The characters of one byte, and where they are.
    fn singles(self, text: &[u8]) -> Singles<'_> {
        Singles { characters: self, text, at: 0, is_double: false }
    }
}

/// Characters of one byte.
struct Singles<'a> {
    characters: Characters,
    text: &'a [u8],
    at: usize,
    /// Whether a set of two bytes is active below 80.
    is_double: bool,
}

impl Iterator for Singles<'_> {
    type Item = (usize, u8);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.text.get(self.at..)?;
            let (at, byte, length) = (self.at, *rest.first()?, self.length(rest));
            self.at += length;
            if length == 1 {
                return Some((at, byte));
            }
        }
    }
}

impl Singles<'_> {
    /// Of the next character, or escape sequence.
    fn length(&mut self, rest: &[u8]) -> usize {
        match (self.characters, rest) {
            (Characters::Gb18030, [0x81..=0xFE, b'0'..=b'9', 0x81..=0xFE, b'0'..=b'9', ..]) => 4,
            (Characters::Gb18030 | Characters::Gbk, [0x81..=0xFE, 0x40..=0x7E | 0x80..=0xFE, ..]) => 2,
            (Characters::ShiftJis, [0x81..=0x9F | 0xE0..=0xFC, 0x40..=0x7E | 0x80..=0xFC, ..]) => 2,
            (Characters::Extended, rest) => self.switched(rest),
            _ => 1,
        }
    }

    /// With code extensions (PS3.5 §6.1.2.5).
    fn switched(&mut self, rest: &[u8]) -> usize {
        if let Some((length, below)) = escape_sequence(rest) {
            self.is_double = below.unwrap_or(self.is_double);
            return length;
        }
        match rest {
            [0x21..=0x7E, 0x21..=0x7E, ..] if self.is_double => 2,
            rest => {
                self.is_double &= !rest.first().is_some_and(|byte| is_delimiter(*byte));
                1
            }
        }
    }
}

/// The length of an escape sequence, and where it is for bytes below 80, whether characters have two from then on.
fn escape_sequence(text: &[u8]) -> Option<(usize, Option<bool>)> {
    let rest = text.strip_prefix(&[ESCAPE])?;
    let between = rest.iter().take_while(|byte| (0x20..=0x2F).contains(*byte)).count();
    let (between, last) = (rest.get(..between)?, rest.get(between)?);
    if between.is_empty() || !(last.is_ascii_alphabetic() || *last == b'@') {
        return None;
    }
    let is_above = between.iter().any(|byte| matches!(byte, b')' | b'-'));
    Some((between.len() + 2, (!is_above).then_some(between.starts_with(b"$"))))
}

/// Where the first set is active again (PS3.5 §6.1.2.5.3).
pub(crate) fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\\' | b'^' | b'=' | b'\t' | b'\n' | b'\r' | 0x0C)
}

/// Values, one by one; a text without a delimiter is one.
pub(crate) struct Values<'a> {
    whole: &'a [u8],
    /// Of the next; none behind the last.
    start: Option<usize>,
    delimiters: Option<Singles<'a>>,
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.start?;
        let end = self.delimiters.as_mut().and_then(|all| all.find(|(_, byte)| *byte == b'\\'));
        let end = end.map(|(at, _)| at);
        self.start = end.map(|end| end + 1);
        self.whole.get(start..end.unwrap_or(self.whole.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Characters, Vr};

    fn values(set: &[u8], vr: Vr, whole: &[u8]) -> Vec<Vec<u8>> {
        Characters::of(set).values(vr, whole).map(<[u8]>::to_vec).collect()
    }

    /// Each of two values, the first with a byte that looks like a backslash or a wildcard where the set has such.
    const TWO: [(&[u8], &[u8], &[u8]); 12] = [
        (b"\\ISO 2022 IR 87", b"\x1b$B$\\$*$?\x1b(B-1", b"B"),
        (b"ISO 2022 IR 13\\ISO 2022 IR 87", b"\x1b$B$\\\\$\x1b(J", b"\x1b$B\\!\x1b(J"),
        (b"\\ISO 2022 IR 87\\ISO 2022 IR 159", b"\x1b$(D0\\\x1b(B", b"\x1b$(D\\*\x1b(B-2"),
        (b"\\ISO 2022 IR 149", b"\x1b$)C\xB1\xE8-1", b"\x1b$)C\xB1\xE8"),
        (b"\\ISO 2022 IR 58", b"\x1b$)A\xD5\xC5", b"2"),
        (b"GB18030 ", b"\xD5\\\xD5\\-1", b"\x81\x30\x81\x30"),
        (b"GB18030", b"\x81\x30\x81\x35\xD5\\", b""),
        (b"GBK", b"\xD5\\", b"\xD5\\\xD5\\"),
        (b"ISO_IR 13 ", b"\x83\\", b"\xD4\xCF"),
        (b"ISO_IR 192", "ぼ-1".as_bytes(), "誠".as_bytes()),
        (b"ISO_IR 100", b"\xD5", b"\xFC"),
        (b"", b"A", b"B"),
    ];

    #[test]
    fn a_backslash_separates_values_where_it_is_a_character() {
        for (set, first, second) in TWO {
            let both = [first, second].join(&b'\\');
            assert_eq!(values(set, Vr::LO, &both), [first, second], "{}", set.escape_ascii());
            assert_eq!(values(set, Vr::UN, &both), [first, second], "{}", set.escape_ascii());
            // There it is text, and so it is where it is half of a character.
            assert_eq!(values(set, Vr::LT, &both), [both.as_slice()]);
            let patterns = [first, second, &both].map(|text| Characters::of(set).is_pattern(text));
            assert_eq!(patterns, [false, false, true], "{}", set.escape_ascii());
            let starred = [second, b"*"].concat();
            assert!(Characters::of(set).is_pattern(&starred), "{}", set.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_whole_character_swallows_no_backslash() {
        let broken: [(&[u8], &[u8], usize); 7] = [
            // The set of two bytes is not left, nor is a character of it complete.
            (b"\\ISO 2022 IR 87", b"\x1b$B;3\\\x1b$B;3", 2),
            (b"\\ISO 2022 IR 87", b"\x1b$B;3\\", 2),
            (b"\\ISO 2022 IR 87", b"\x1b\\A", 2),
            (b"\\ISO 2022 IR 87", b"\x1b$\\A", 2),
            (b"GB18030", b"\xFF\\A\\\xD5", 3),
            // Without code extensions nothing is an escape sequence.
            (b"ISO_IR 100", b"\x1b$B$\\\x1b(B", 2),
            (b"", b"\x1b$B$\\\x1b(B", 2),
        ];
        for (set, whole, count) in broken {
            assert_eq!(values(set, Vr::LO, whole).len(), count, "{}", whole.escape_ascii());
        }
    }

    #[test]
    fn only_text_is_in_the_character_set() {
        assert_eq!(values(b"GBK", Vr::CS, b"\xD5\\A").len(), 2);
        assert_eq!(values(b"GBK", Vr::SH, b"\xD5\\A").len(), 1);
        assert_eq!(values(b"GBK", Vr::SH, b""), [b""]);
    }
}

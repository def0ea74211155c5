//! Text in the character sets of PS3.3 C.12.1.1.2, with and without code extensions.

mod code;
mod extended;

use std::borrow::Cow;

use crate::dataset::{Characters, Values, Vr, trim};
use code::Codec;
use extended::Extended;

const ESCAPE: u8 = 0x1B;

/// What (0008,0005) says of a data set or item.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CharacterSet {
    /// Its terms, as they are written, without blanks around them; empty for the default.
    name: Vec<u8>,
    coding: Coding,
    characters: Characters,
}

#[derive(Clone, Debug, PartialEq)]
enum Coding {
    /// Absent or empty: ISO-IR 6, which is ASCII.
    Default,
    Single(Codec),
    Extended(Extended),
    Unknown,
}

impl CharacterSet {
    pub(super) const DEFAULT: Self =
        Self { name: Vec::new(), coding: Coding::Default, characters: Characters::Plain };

    /// That of values of a VR: of what is no text, (0008,0005) says nothing.
    pub(super) fn of_vr(&self, vr: Vr) -> &Self {
        static ASCII: CharacterSet = CharacterSet::DEFAULT;
        if vr.is_in_character_set() || vr == Vr::UN { self } else { &ASCII }
    }

    pub(super) fn of(value: &[u8]) -> Self {
        let terms: Vec<&[u8]> = trim(value).split(|b| *b == b'\\').map(trim).collect();
        let coding = match std::str::from_utf8(&terms.join(&b'\\')) {
            Ok(text) => Coding::of(&text.split('\\').collect::<Vec<_>>()),
            Err(_) => Coding::Unknown,
        };
        let name = if coding == Coding::Default { Vec::new() } else { terms.join(&b'\\') };
        Self { name, coding, characters: Characters::of(value) }
    }

    /// As (0008,0005) says it, not padded.
    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    pub(super) fn is_default(&self) -> bool {
        self.coding == Coding::Default
    }

    /// Whether what it is called is known.
    pub(super) fn is_known(&self) -> bool {
        self.coding != Coding::Unknown
    }

    /// How bytes make characters, whether or not these can be told.
    pub(super) fn characters(&self) -> Characters {
        self.characters
    }

    /// The values of an element.
    pub(super) fn values<'a>(&self, vr: Vr, whole: &'a [u8]) -> Values<'a> {
        self.characters.values(vr, whole)
    }

    pub(super) fn wildcards(&self, vr: Vr, key: &[u8]) -> impl Iterator<Item = (usize, u8)> {
        self.characters.wildcards(vr, key)
    }

    pub(super) fn has_wildcard(&self, vr: Vr, key: &[u8]) -> bool {
        self.wildcards(vr, key).next().is_some()
    }

    /// The characters, or `None` where they cannot be told for certain.
    pub(super) fn text<'a>(&self, value: &'a [u8]) -> Option<Cow<'a, str>> {
        if is_plain(value) {
            return std::str::from_utf8(value).ok().map(Cow::Borrowed);
        }
        match &self.coding {
            Coding::Single(codec) if !value.contains(&ESCAPE) => codec.decode(value).map(Cow::Owned),
            Coding::Extended(extended) => extended.decode(value).map(Cow::Owned),
            _ => None,
        }
    }

    /// The characters in UTF-8, or the bytes where they cannot be told.
    pub(super) fn text_or_bytes<'a>(&self, value: &'a [u8]) -> Cow<'a, [u8]> {
        match self.text(value) {
            Some(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
            _ => Cow::Borrowed(value),
        }
    }

    /// As [`text`](Self::text), to be edited: what does not come back the same is undecodable.
    pub(super) fn decode<'a>(&self, value: &'a [u8]) -> Option<Cow<'a, str>> {
        self.text(value).filter(|text| self.encode(text).is_some_and(|bytes| bytes.as_ref() == value))
    }

    /// The text in this character set; `None` where it has a character that cannot be written in it.
    pub(super) fn encode<'a>(&self, text: &'a str) -> Option<Cow<'a, [u8]>> {
        match &self.coding {
            _ if text.is_ascii() => Some(Cow::Borrowed(text.as_bytes())),
            Coding::Single(codec) => codec.encode(text).map(Cow::Owned),
            Coding::Extended(extended) => extended.encode(text).map(Cow::Owned),
            Coding::Default | Coding::Unknown => None,
        }
    }
}

impl Coding {
    fn of(terms: &[&str]) -> Self {
        match terms {
            ["" | "ISO_IR 6" | "ISO 2022 IR 6"] | [] => Self::Default,
            [term] if !term.starts_with("ISO 2022 ") => Codec::of(term).map_or(Self::Unknown, Self::Single),
            terms => {
                // Many write the terms of single sets among several.
                let number = |term: &&'_ str| {
                    let number = term.strip_prefix("ISO 2022 IR ").or_else(|| term.strip_prefix("ISO_IR "));
                    number.map_or(*term, |number| number).to_owned()
                };
                let numbers: Vec<String> = terms.iter().map(number).collect();
                let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
                Extended::of(&numbers).map_or(Self::Unknown, Self::Extended)
            }
        }
    }
}

/// The text of a value in UTF-8, where the character set that (0008,0005) names tells it for certain; else the bytes.
pub fn text_of<'a>(set: &[u8], value: &'a [u8]) -> Cow<'a, [u8]> {
    if is_plain(value) { Cow::Borrowed(value) } else { CharacterSet::of(set).text_or_bytes(value) }
}

/// Whether bytes are the same text in every character set.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    bytes.is_ascii() && !bytes.contains(&ESCAPE)
}

#[cfg(test)]
mod tests {
    use super::{CharacterSet, Vr};
    use proptest::prelude::*;

    fn read(code: &[u8], bytes: &[u8]) -> Option<String> {
        CharacterSet::of(code).text(bytes).map(|text| text.into_owned())
    }

    /// What is read, and comes back the same.
    fn round(code: &[u8], bytes: &[u8]) -> Option<String> {
        CharacterSet::of(code).decode(bytes).map(|text| text.into_owned())
    }

    #[test]
    fn known_sets_come_back_the_same() {
        // The names of PS3.5 Annexes H to K, and one of each other set.
        let known: [(&[u8], &[u8], &str); 24] = [
            (b"", b"DOE^JOHN", "DOE^JOHN"),
            (b"ISO_IR 100", b"M\xFCller", "Müller"),
            (b"ISO_IR 101", b"W\xB3adys\xB3aw", "Władysław"),
            (b"ISO_IR 109", b"\xA1al", "Ħal"),
            (b"ISO_IR 110", b"J\xE0nis", "Jānis"),
            (b"ISO_IR 126", b"\xC4\xE9\xEF\xED", "Διον"),
            (b"ISO_IR 127", b"\xE2\xC8\xC7\xE6\xEA", "قباني"),
            (b"ISO_IR 138", b"\xF9\xF8\xE5\xEF", "שרון"),
            (b"ISO_IR 144", b"\xBB\xEE\xDA", "Люк"),
            (b"ISO_IR 148", b"\xC7avu\xFEo\xF0lu", "Çavuşoğlu"),
            (b"ISO_IR 203", b"\xBCuvre", "Œuvre"),
            (b"ISO_IR 166", b"\xB9\xD2\xC1", "นาม"),
            (b"ISO_IR 13", b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
            (b"ISO_IR 192 ", "Müller".as_bytes(), "Müller"),
            (b"GB18030 ", b"\xCD\xF5", "王"),
            (b"GBK", b"\xCD\xF5", "王"),
            (
                b"\\ISO 2022 IR 87",
                b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
                "Yamada^Tarou=山田^太郎=やまだ^たろう",
            ),
            (
                b"ISO 2022 IR 13\\ISO 2022 IR 87",
                b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J",
                "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎",
            ),
            (
                b"\\ISO 2022 IR 149",
                b"Hong^Gildong=\x1b$)C\xFB\xF3^\x1b$)C\xD1\xCE\xD4\xD7=\x1b$)C\xC8\xAB^\x1b$)C\xB1\xE6\xB5\xBF",
                "Hong^Gildong=洪^吉洞=홍^길동",
            ),
            (
                b"\\ISO 2022 IR 58",
                b"Zhang^XiaoDong=\x1b$)A\xD5\xC5^\x1b$)A\xD0\xA1\xB6\xAB=",
                "Zhang^XiaoDong=张^小东=",
            ),
            (b"\\ISO 2022 IR 100", b"Buc^J\x1b-A\xE9r\xF4me", "Buc^Jérôme"),
            (b"ISO 2022 IR 100", b"Buc^J\xE9r\xF4me", "Buc^Jérôme"),
            (
                b"ISO 2022 IR 100\\ISO 2022 IR 144",
                b"J\xE9r\xF4me\x1b-L\xBB^\xE9",
                "JérômeЛ^é",
            ),
            (b"ISO 2022 IR 6\\ISO 2022 IR 149", b"\x1b$)C\xB1\xE8", "김"),
        ];
        for (code, bytes, text) in known {
            assert_eq!(round(code, bytes).as_deref(), Some(text), "{}", code.escape_ascii());
        }
    }

    #[test]
    fn what_others_write_is_read() {
        // Escapes that nobody needs, terms of single sets among several.
        let read_only: [(&[u8], &[u8], &str); 3] = [
            (b"\\ISO 2022 IR 149", b"\x1b$)C\xB1\xE8^\xB1\xE8", "김^김"),
            (b"ISO_IR 100\\ISO 2022 IR 126", b"\x1b-A\xE9\x1b-F\xC4", "éΔ"),
            (b"\\ISO 2022 IR 87", b"\x1b(BA\x1b$B;3\x1b(J", "A山"),
        ];
        for (code, bytes, text) in read_only {
            assert_eq!(read(code, bytes).as_deref(), Some(text), "{}", code.escape_ascii());
        }
    }

    #[test]
    fn what_cannot_be_told_is_undecodable() {
        let undecodable: [(&[u8], &[u8]); 12] = [
            (b"", b"M\xFCller"),
            (b"", b"\x1b$B;3ED\x1b(B"),
            (b"ISO_IR 192", b"M\xFCller"),
            (b"ISO_IR 192", b"\xC1\x81"),
            (b"ISO_IR 100", b"\x1b$B;3ED\x1b(B"),
            (b"ISO_IR 999", b"M\xFCller"),
            (b"\\ISO 2022 IR 999", b"M\xFCller"),
            (b"\\ISO 2022 IR 149", b"\xB1\xE8"),
            (b"\\ISO 2022 IR 149", b"\x1b$)C\xB1"),
            (b"\\ISO 2022 IR 87", b"\x1b$)C\xB1\xE8"),
            (b"\\ISO 2022 IR 159", b"\x1b$(D0!\x1b(B"),
            (b"\xFF\xFE", b"\xFC"),
        ];
        for (code, bytes) in undecodable {
            assert_eq!(read(code, bytes), None, "{}", code.escape_ascii());
        }
    }

    #[test]
    fn names_are_the_same_however_they_are_padded() {
        let name = |code: &[u8]| CharacterSet::of(code).name().to_vec();
        assert_eq!(name(b"ISO_IR 100 "), b"ISO_IR 100");
        assert_eq!(name(b" \\ISO 2022 IR 149 "), name(b"\\ISO 2022 IR 149"));
        for default in [&b""[..], b"ISO_IR 6", b"ISO 2022 IR 6 "] {
            assert!(CharacterSet::of(default).is_default() && name(default).is_empty());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            text in "[A-Z^=éüŁДαש산山ｱあ王김]{0,12}",
            which in 0_usize..8,
        ) {
            let sets: [&[u8]; 8] = [
                b"ISO_IR 192",
                b"GB18030",
                b"\\ISO 2022 IR 149",
                b"ISO 2022 IR 100\\ISO 2022 IR 101\\ISO 2022 IR 144\\ISO 2022 IR 126\\ISO 2022 IR 138",
                b"ISO 2022 IR 13\\ISO 2022 IR 87",
                b"\\ISO 2022 IR 58\\ISO 2022 IR 87",
                b"ISO_IR 100",
                b"ISO 2022 IR 144\\ISO 2022 IR 149",
            ];
            let set = CharacterSet::of(sets[which]);
            if let Some(bytes) = set.encode(&text) {
                let read = set.text(&bytes);
                prop_assert_eq!(read.as_deref(), Some(text.as_str()), "{}", bytes.escape_ascii());
            }
        }

        #[test]
        fn values_are_those_of_the_text(text in "[A-Z*?^=\\\\éЛ誠ぼ弌山ソ王김]{0,12}", which in 0_usize..6) {
            let sets: [&[u8]; 6] = [
                b"ISO_IR 192",
                b"GB18030",
                b"GBK",
                b"\\ISO 2022 IR 149\\ISO 2022 IR 87",
                b"ISO 2022 IR 13\\ISO 2022 IR 87",
                b"ISO 2022 IR 100\\ISO 2022 IR 58",
            ];
            let set = CharacterSet::of(sets[which]);
            if let Some(bytes) = set.encode(&text) {
                let read: Option<Vec<_>> = set.values(Vr::LO, &bytes).map(|one| set.text(one)).collect();
                prop_assert_eq!(read, Some(text.split('\\').map(Into::into).collect()), "{}", bytes.escape_ascii());
                let wild = text.chars().filter(|c| matches!(c, '*' | '?')).count();
                prop_assert_eq!(set.wildcards(Vr::LO, &bytes).count(), wild, "{}", bytes.escape_ascii());
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), code in "(ISO (2022 IR|_IR) (13|58|87|100|149|159|6)\\\\?){0,4}") {
            let set = CharacterSet::of(code.as_bytes());
            let _ = set.decode(&bytes);
        }
    }
}

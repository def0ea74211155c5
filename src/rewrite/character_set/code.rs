//! The coded character sets that the defined terms of PS3.3 C.12.1.1.2 stand for, one at a time.

use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

/// Where a set is invoked (PS3.5 §6.1.2.3): its bytes are below 0x80, or from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    G0,
    G1,
}

/// A set of code extensions: its escape sequence, and how many bytes a character has.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Code {
    pub(super) escape: &'static [u8],
    pub(super) area: Area,
    pub(super) width: usize,
    codec: Codec,
}

/// What reads and writes a character.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Codec {
    Whole(SpecificCharacterSet),
    /// ISO 8859-1 with other characters in some places.
    Like88591(&'static [(u8, char)]),
    /// JIS X 0208, which its codec writes with its escapes.
    Kanji(SpecificCharacterSet),
    /// JIS X 0212: known by its escape, and read by nobody.
    None,
}

/// ISO 8859-9.
const LATIN_5: &[(u8, char)] = &[
    (0xD0, '\u{11E}'),
    (0xDD, '\u{130}'),
    (0xDE, '\u{15E}'),
    (0xF0, '\u{11F}'),
    (0xFD, '\u{131}'),
    (0xFE, '\u{15F}'),
];
/// ISO 8859-15.
const LATIN_9: &[(u8, char)] = &[
    (0xA4, '\u{20AC}'),
    (0xA6, '\u{160}'),
    (0xA8, '\u{161}'),
    (0xB4, '\u{17D}'),
    (0xB8, '\u{17E}'),
    (0xBC, '\u{152}'),
    (0xBD, '\u{153}'),
    (0xBE, '\u{178}'),
];

impl Codec {
    /// Of a defined term without code extensions.
    pub(super) fn of(term: &str) -> Option<Self> {
        match term {
            "ISO_IR 148" => Some(Self::Like88591(LATIN_5)),
            "ISO_IR 203" => Some(Self::Like88591(LATIN_9)),
            "ISO_IR 6" | "ISO_IR 87" | "ISO_IR 149" => None,
            term => SpecificCharacterSet::from_code(term).map(Self::Whole),
        }
    }

    /// The characters; `None` where they do not come back the same.
    pub(super) fn decode(&self, bytes: &[u8]) -> Option<String> {
        let text = match self {
            // The codecs of dicom-encoding write an octal escape for what they cannot decode.
            Self::Whole(codec) => codec.decode(bytes).ok()?,
            Self::Like88591(others) => {
                let other = |byte| others.iter().find(|(code, _)| *code == byte).map(|(_, other)| *other);
                bytes.iter().map(|byte| other(*byte).unwrap_or(char::from(*byte))).collect()
            }
            Self::Kanji(codec) => codec.decode(&[KANJI, bytes, TO_ASCII].concat()).ok()?,
            Self::None => return None,
        };
        (self.encode(&text)? == bytes).then_some(text)
    }

    pub(super) fn encode(&self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Whole(codec) => codec.encode(text).ok(),
            Self::Like88591(others) => text
                .chars()
                .map(|c| match others.iter().find(|(_, other)| *other == c) {
                    Some((code, _)) => Some(*code),
                    None => u8::try_from(c).ok().filter(|byte| others.iter().all(|(code, _)| code != byte)),
                })
                .collect(),
            Self::Kanji(codec) => {
                let bytes = codec.encode(text).ok()?;
                let bytes = bytes.strip_prefix(KANJI)?;
                let bytes = bytes.strip_suffix(TO_ASCII).unwrap_or(bytes);
                (!bytes.contains(&0x1B)).then(|| bytes.to_vec())
            }
            Self::None => None,
        }
    }
}

const KANJI: &[u8] = b"\x1b$B";
pub(super) const TO_ASCII: &[u8] = b"\x1b(B";

impl Code {
    /// Of a defined term with code extensions, by its number (PS3.3 Tables C.12-3 and C.12-4).
    pub(super) fn of(number: &str) -> Option<Self> {
        let g1 = |escape: &'static [u8], width| (escape, Area::G1, width);
        let (escape, area, width): (&'static [u8], Area, usize) = match number {
            "13" => g1(b"\x1b)I", 1),
            "58" => g1(b"\x1b$)A", 2),
            "87" => (KANJI, Area::G0, 2),
            "100" => g1(b"\x1b-A", 1),
            "101" => g1(b"\x1b-B", 1),
            "109" => g1(b"\x1b-C", 1),
            "110" => g1(b"\x1b-D", 1),
            "126" => g1(b"\x1b-F", 1),
            "127" => g1(b"\x1b-G", 1),
            "138" => g1(b"\x1b-H", 1),
            "144" => g1(b"\x1b-L", 1),
            "148" => g1(b"\x1b-M", 1),
            "149" => g1(b"\x1b$)C", 2),
            "159" => (b"\x1b$(D", Area::G0, 2),
            "166" => g1(b"\x1b-T", 1),
            "203" => g1(b"\x1b-b", 1),
            _ => return None,
        };
        let whole = |term: &str| SpecificCharacterSet::from_code(term);
        let codec = match number {
            "58" | "149" => Codec::Whole(whole(&format!("ISO 2022 IR {number}"))?),
            "87" => Codec::Kanji(whole("ISO 2022 IR 87")?),
            "159" => Codec::None,
            number => Codec::of(&format!("ISO_IR {number}"))?,
        };
        Some(Self { escape, area, width, codec })
    }

    /// The text of these bytes, where they are one character of this code, and of none that another code has.
    pub(super) fn decode(&self, bytes: &[u8]) -> Option<String> {
        let text = self.codec.decode(bytes)?;
        (self.is_own(bytes) && text.chars().count() == 1).then_some(text)
    }

    /// One character, where the set has it.
    pub(super) fn encode(&self, one: &str) -> Option<Vec<u8>> {
        self.codec.encode(one).filter(|bytes| self.is_own(bytes))
    }

    /// Whether the bytes are the set's, and not of what its codec knows beyond it.
    fn is_own(&self, bytes: &[u8]) -> bool {
        let own = |byte: &u8| match self.area {
            Area::G0 => (0x21..=0x7E).contains(byte),
            Area::G1 => *byte >= 0xA0,
        };
        bytes.len() == self.width && bytes.iter().all(own)
    }
}

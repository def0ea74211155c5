//! Text in the character sets of PS3.3 C.12.1.1.2, decoded strictly: what does not come back the same is undecodable.

use std::borrow::Cow;

use crate::dataset::trim;
use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

const ESCAPE: u8 = 0x1B;
const TO_ASCII: &[u8] = b"\x1b(B";

/// What (0008,0005) says of a data set or item.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum CharacterSet {
    /// Absent or empty: ISO-IR 6, which is ASCII.
    #[default]
    Default,
    Single(SpecificCharacterSet),
    /// ISO 2022 code extensions, among which one codec knows its escapes.
    Extended(SpecificCharacterSet),
    Unknown,
}

impl CharacterSet {
    pub(super) fn of(value: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(trim(value)) else { return Self::Unknown };
        let mut codes = text.split('\\').map(str::trim);
        let first = codes.next().unwrap_or_default();
        let others: Vec<&str> = codes.collect();
        match (first, others.as_slice()) {
            ("" | "ISO_IR 6" | "ISO 2022 IR 6", []) => Self::Default,
            ("ISO 2022 IR 87", []) | ("" | "ISO 2022 IR 6", ["ISO 2022 IR 87"]) => {
                SpecificCharacterSet::from_code("ISO 2022 IR 87").map_or(Self::Unknown, Self::Extended)
            }
            (code, []) => SpecificCharacterSet::from_code(code).map_or(Self::Unknown, Self::Single),
            _ => Self::Unknown,
        }
    }

    /// The characters, or `None` where they cannot be told for certain.
    pub(super) fn decode<'a>(&self, value: &'a [u8]) -> Option<Cow<'a, str>> {
        let escapes = value.contains(&ESCAPE);
        if value.is_ascii() && !escapes {
            return std::str::from_utf8(value).ok().map(Cow::Borrowed);
        }
        let codec = match self {
            Self::Single(codec) if !escapes => codec,
            Self::Extended(codec) => codec,
            _ => return None,
        };
        // The codecs of dicom-encoding write an octal escape for what they cannot decode.
        let text = codec.decode(value).ok()?;
        (self.encode(&text)?.as_ref() == value).then_some(Cow::Owned(text))
    }

    /// The bytes of text that came from [`decode`](Self::decode), edited.
    pub(super) fn encode<'a>(&self, text: &'a str) -> Option<Cow<'a, [u8]>> {
        match self {
            _ if text.is_ascii() => Some(Cow::Borrowed(text.as_bytes())),
            Self::Single(codec) => codec.encode(text).ok().map(Cow::Owned),
            Self::Extended(codec) => codec.encode(text).ok().map(|bytes| Cow::Owned(back_to_ascii(bytes))),
            Self::Default | Self::Unknown => None,
        }
    }
}

/// A value has to end in ASCII (PS3.5 §6.1.2.5.3); the codec stays in the set of the last character.
fn back_to_ascii(mut bytes: Vec<u8>) -> Vec<u8> {
    let last_escape = bytes.iter().rposition(|&b| b == ESCAPE).and_then(|at| bytes.get(at..));
    if last_escape.is_some_and(|escape| !escape.starts_with(TO_ASCII)) {
        bytes.extend_from_slice(TO_ASCII);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::CharacterSet;

    fn round(code: &[u8], bytes: &[u8]) -> Option<String> {
        let set = CharacterSet::of(code);
        let text = set.decode(bytes)?.into_owned();
        assert_eq!(set.encode(&text).unwrap().as_ref(), bytes);
        Some(text)
    }

    #[test]
    fn known_sets_come_back_the_same() {
        assert_eq!(round(b"", b"DOE^JOHN").as_deref(), Some("DOE^JOHN"));
        assert_eq!(round(b"ISO_IR 100", b"M\xFCller").as_deref(), Some("Müller"));
        assert_eq!(round(b"ISO_IR 192 ", "Müller".as_bytes()).as_deref(), Some("Müller"));
        assert_eq!(round(b"GB18030 ", b"\xCD\xF5").as_deref(), Some("王"));
        assert_eq!(round(b"\\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B").as_deref(), Some("山田"));
    }

    #[test]
    fn what_cannot_be_told_is_undecodable() {
        let undecodable: [(&[u8], &[u8]); 7] = [
            (b"", b"M\xFCller"),
            (b"ISO_IR 192", b"M\xFCller"),
            (b"ISO_IR 192", b"\xC1\x81"),
            (b"ISO_IR 100", b"\x1b$B;3ED\x1b(B"),
            (b"ISO_IR 999", b"M\xFCller"),
            (b"ISO 2022 IR 6\\ISO 2022 IR 149", b"\x1b$)C\xB1\xE8"),
            (b"\xFF\xFE", b"\xFC"),
        ];
        for (code, bytes) in undecodable {
            assert_eq!(round(code, bytes), None, "{}", code.escape_ascii());
        }
    }
}

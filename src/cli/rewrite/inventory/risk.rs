//! How likely a text is to say who somebody is.
//!
//! Each reason has a weight, and a text the sum of them; the heaviest come first, of the same weight those that are rarer. It is an
//! order to look in, and no judgement: what comes last may still be a name.

use crate::cli::rewrite::elements::Element;
use crate::dataset::{Header, Tag, Vr, trim};
use crate::rewrite::{are_legal, text_of};

/// Why a text is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    NotItsVr,
    Private,
    Person,
    Address,
    LongNumber,
    Capitals,
    FreeText,
    Digits,
}

impl Why {
    /// The heaviest first.
    pub(super) const ALL: [Self; 8] = [
        Self::NotItsVr,
        Self::Private,
        Self::Person,
        Self::Address,
        Self::LongNumber,
        Self::Capitals,
        Self::FreeText,
        Self::Digits,
    ];

    /// As it stands beside a text.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::NotItsVr => "not its VR",
            Self::Private => "private",
            Self::Person => "person",
            Self::Address => "address",
            Self::LongNumber => "long number",
            Self::Capitals => "capitals",
            Self::FreeText => "free text",
            Self::Digits => "digits",
        }
    }

    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::NotItsVr => "the VR does not allow this value: a word as a number, say, or readable bytes",
            Self::Private => "in a private element, or in the items of one",
            Self::Person => "a PN, or a text with a caret",
            Self::Address => "a mail address, or a URL",
            Self::LongNumber => "four digits or more in a row",
            Self::Capitals => {
                "words that begin with capitals as names do, two together or behind another word"
            }
            Self::FreeText => "of a VR that people write into: LO, LT, SH, ST, UC, UT; no code",
            Self::Digits => "a digit",
        }
    }

    fn points(self) -> u32 {
        match self {
            Self::NotItsVr => 8,
            Self::Private => 6,
            Self::Person | Self::Address => 5,
            Self::LongNumber => 4,
            Self::Capitals => 3,
            Self::FreeText => 2,
            Self::Digits => 1,
        }
    }
}

/// The reasons for which a text is looked at.
pub(super) struct Risk {
    pub(super) why: Vec<Why>,
}

impl Risk {
    pub(super) fn points(&self) -> u32 {
        self.why.iter().map(|why| why.points()).sum()
    }
}

/// Whether a value of this VR can be text, or text that the VR does not allow.
pub(super) fn can_be_text(header: &Header) -> bool {
    kind(header.vr) != Kind::Bytes
}

/// Of an element that has a text; `None` for what is none: numbers, dates and UIDs that are ones, and bytes.
pub(super) fn of(element: &Element<'_>) -> Option<Risk> {
    let value = trim(element.value);
    let (is_private, vr) = (element.place.is_private(), element.header.vr);
    let legal = match kind(vr) {
        _ if value.is_empty() => return None,
        Kind::Bytes => return None,
        Kind::Unknown if !is_readable(value) => return None,
        Kind::Checked if are_legal(vr, whole_values(element)) => return None,
        Kind::Unknown | Kind::Checked => false,
        // True but for a code string.
        Kind::Text | Kind::Free => are_legal(vr, value),
    };
    let text = text_of(element.character_set, value);
    let text = String::from_utf8_lossy(&text);
    let holds = |why: &Why| match why {
        Why::NotItsVr => !legal,
        Why::Private => is_private,
        Why::Person => element.header.vr == Vr::PN || text.contains('^'),
        Why::Address => text.contains('@') || text.contains("://") || element.header.vr == Vr::UR,
        Why::LongNumber => has_long_number(&text),
        Why::Capitals => has_capitals(&text),
        Why::FreeText => kind(element.header.vr) == Kind::Free && !is_code(element.header.tag),
        Why::Digits => text.contains(|letter: char| letter.is_numeric()),
    };
    Some(Risk { why: Why::ALL.into_iter().filter(holds).collect() })
}

/// What was read of a value, without one that was cut.
fn whole_values<'a>(element: &Element<'a>) -> &'a [u8] {
    let is_cut = element.header.length.is_some_and(|length| length as usize > element.value.len());
    let last = element.value.iter().rposition(|byte| *byte == b'\\').filter(|_| is_cut);
    last.and_then(|last| element.value.get(..last)).unwrap_or(element.value)
}

/// Code Value, Coding Scheme Designator and Version (0008,0100) to (0008,0103): of lists, and not of people.
fn is_code(tag: Tag) -> bool {
    tag.0 == 0x0008 && (0x0100..=0x0103).contains(&tag.1)
}

/// What a VR holds.
#[derive(PartialEq, Eq)]
enum Kind {
    Free,
    Text,
    /// Numbers, dates, times and UIDs, or it is something else.
    Checked,
    Unknown,
    Bytes,
}

fn kind(vr: Vr) -> Kind {
    match &vr.code() {
        b"LO" | b"LT" | b"SH" | b"ST" | b"UC" | b"UT" => Kind::Free,
        b"AE" | b"CS" | b"PN" | b"UR" => Kind::Text,
        b"AS" | b"DA" | b"DS" | b"DT" | b"IS" | b"TM" | b"UI" => Kind::Checked,
        b"UN" => Kind::Unknown,
        _ => Kind::Bytes,
    }
}

/// Whether bytes of unknown meaning can be read by a person: no control characters but ends of lines, and a letter.
fn is_readable(value: &[u8]) -> bool {
    let is_control = |byte: &u8| byte.is_ascii_control() && !b"\r\n\t\x0C".contains(byte);
    !value.iter().any(is_control) && value.iter().any(u8::is_ascii_alphanumeric)
}

fn has_long_number(text: &str) -> bool {
    text.split(|letter: char| !letter.is_numeric()).any(|digits| digits.chars().count() >= 4)
}

/// A word behind the first that is written as a name is, two words behind one another that begin with capitals, or a word
/// of letters that have no case.
fn has_capitals(text: &str) -> bool {
    let words = || text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let begins = |word: &str| word.chars().count() > 1 && word.starts_with(char::is_uppercase);
    let is_name = |word: &str| begins(word) && word.chars().skip(1).all(char::is_lowercase);
    let has_no_case =
        |letter: char| letter.is_alphabetic() && !letter.is_uppercase() && !letter.is_lowercase();
    words().zip(words().skip(1)).any(|(one, next)| is_name(next) || begins(one) && begins(next))
        || text.contains(has_no_case)
}

#[cfg(test)]
mod tests {
    use super::{has_capitals, has_long_number, is_readable};

    #[test]
    fn names_and_numbers_are_seen_in_what_they_look_like() {
        for name in ["seen by Jane Holloway", "DOE JANE", "山田", "Anna-Maria", "for Quigley"] {
            assert!(has_capitals(name), "{name}");
        }
        for other in ["left lung", "T2 weighted", "Chest", "a B c"] {
            assert!(!has_capitals(other), "{other}");
        }
        assert!(has_long_number("MRN 4711a") && !has_long_number("12 mm, 120 kV"));
        assert!(is_readable(b"DOE\r\n4711") && !is_readable(b"DOE\0") && !is_readable(b"\xFF\xFE--"));
    }
}

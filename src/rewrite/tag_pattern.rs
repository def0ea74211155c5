//! The forms in which a rule names elements.

use super::suggest;
use crate::dataset::{Tag, number};
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, TagRange};
use dicom_dictionary_std::StandardDataDictionary;

/// The elements that a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TagPattern {
    One(Tag),
    /// Tags that equal `value` in the bits of `mask`.
    Mask {
        mask: u32,
        value: u32,
    },
    /// Elements of the blocks that a private creator reserved; all of them where `element` is absent.
    Private {
        group: u16,
        creator: String,
        element: Option<u8>,
    },
}

impl std::str::FromStr for TagPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
            return keyword(text);
        };
        let pattern = match (inner.split_once(','), inner.rsplit_once(',')) {
            (Some((group, creator_and_element)), Some((_, element))) if creator_and_element != element => {
                let creator =
                    creator_and_element.strip_suffix(element).and_then(|rest| rest.strip_suffix(','));
                private(group, creator.unwrap_or_default(), element)
            }
            (Some((group, element)), _) => digits(group, element),
            _ => None,
        };
        pattern.ok_or_else(|| {
            format!(
                "{text:?} is not a tag; write a keyword such as PatientName, (0010,0010), (0009,xxxx), (60xx,3000), or \
                 (0009,ACME 1.0,10) for a private creator and the low byte of its element, in an odd group"
            )
        })
    }
}

/// The attributes that a text names in one of these forms, as mask and value of the numbers of their tags; not of a private creator,
/// for which a data set has to be known.
///
/// # Errors
/// What was read, and what would be right.
pub fn attributes(text: &str) -> Result<(u32, u32), String> {
    match text.parse()? {
        TagPattern::One(tag) => Ok((u32::MAX, number(tag))),
        TagPattern::Mask { mask, value } => Ok((mask, value)),
        TagPattern::Private { group, element, .. } => {
            let low = element.map_or("xx".into(), |element| format!("{element:02X}"));
            Err(format!("no private creator can be named here; write ({group:04X},xx{low}), for all of them"))
        }
    }
}

fn keyword(text: &str) -> Result<TagPattern, String> {
    let entry = StandardDataDictionary.by_name(text).ok_or_else(|| match suggest::nearest_keyword(text) {
        Some(nearest) => format!("no attribute is called {text:?}; did you mean {nearest}?"),
        None => {
            format!("no attribute is called {text:?}; write a keyword of PS3.6, or a tag such as (0010,0010)")
        }
    })?;
    match entry.tag_range() {
        TagRange::Single(tag) => Ok(TagPattern::One(tag)),
        TagRange::Group100(tag) => Ok(TagPattern::Mask { mask: 0xFF00_FFFF, value: number(tag) }),
        TagRange::Element100(tag) => Ok(TagPattern::Mask { mask: 0xFFFF_FF00, value: number(tag) }),
        TagRange::GroupLength | TagRange::PrivateCreator => {
            Err(format!("{text} names no attribute; write a tag"))
        }
    }
}

/// Four and four hexadecimal digits, `x` standing for any.
fn digits(group: &str, element: &str) -> Option<TagPattern> {
    if group.len() != 4 || element.len() != 4 {
        return None;
    }
    let (mut mask, mut value) = (0_u32, 0_u32);
    for digit in group.chars().chain(element.chars()) {
        let (bits, of) = if matches!(digit, 'x' | 'X') { (0, 0) } else { (0xF, digit.to_digit(16)?) };
        mask = mask << 4 | bits;
        value = value << 4 | of;
    }
    let one = TagPattern::One(Tag((value >> 16) as u16, (value & 0xFFFF) as u16));
    Some(if mask == u32::MAX { one } else { TagPattern::Mask { mask, value } })
}

fn private(group: &str, creator: &str, element: &str) -> Option<TagPattern> {
    let hex = |text: &str, digits: usize| {
        let right = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
        right.then(|| u16::from_str_radix(text, 16).ok()).flatten()
    };
    let group = hex(group, 4).filter(|group| group % 2 == 1)?;
    let creator = creator.trim();
    let legal =
        (1..=64).contains(&creator.len()) && creator.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'\\');
    let element = if element.eq_ignore_ascii_case("xx") { None } else { Some(hex(element, 2)? as u8) };
    legal.then(|| TagPattern::Private { group, creator: creator.to_owned(), element })
}

#[cfg(test)]
mod tests {
    use super::TagPattern::{self, Mask, One, Private};
    use crate::dataset::Tag;

    fn parse(text: &str) -> Result<TagPattern, String> {
        text.parse()
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(parse("PatientName"), Ok(One(Tag(0x10, 0x10))));
        assert_eq!(parse("(0010,0010)"), Ok(One(Tag(0x10, 0x10))));
        assert_eq!(parse("(7fe0,0010)"), Ok(One(Tag(0x7FE0, 0x10))));
        assert_eq!(parse("(0009,xxxx)"), Ok(Mask { mask: 0xFFFF_0000, value: 0x0009_0000 }));
        assert_eq!(parse("(60xx,3000)"), Ok(Mask { mask: 0xFF00_FFFF, value: 0x6000_3000 }));
        assert_eq!(parse("(50XX,xxxx)"), Ok(Mask { mask: 0xFF00_0000, value: 0x5000_0000 }));
        assert_eq!(parse("OverlayData"), Ok(Mask { mask: 0xFF00_FFFF, value: 0x6000_3000 }));
        let acme = |element| Private { group: 9, creator: "ACME, 1.0".into(), element };
        assert_eq!(parse("(0009,ACME, 1.0,1f)"), Ok(acme(Some(0x1F))));
        assert_eq!(parse("(0009,ACME, 1.0,xx)"), Ok(acme(None)));
    }

    #[test]
    fn a_typo_gets_the_nearest_keyword() {
        assert!(parse("PatentName").unwrap_err().contains("PatientName?"));
        assert!(parse("institutionname").unwrap_err().contains("InstitutionName?"));
        assert!(!parse("Qwertyuiop").unwrap_err().contains("did you mean"));
    }

    #[test]
    fn what_is_no_tag_says_so() {
        for bad in
            ["", "()", "(0010)", "(0010,001)", "(0010,00g0)", "(0010,ACME,10)", "(0009,,10)", "(0009,ACME,1)"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for bad in
            ["(0009,ACME\u{1b},10)", "(0009,ÄCME,10)", "(+009,0010)", "(+009,ACME,10)", "(0009,ACME,+1)"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

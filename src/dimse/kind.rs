//! What values of command elements may cross a boundary to those who know only pseudonyms. Of which message an element is,
//! and how long, is judged where command sets are read.

use dicom_core::Tag;
use dicom_core::dictionary::DataDictionary;
use dicom_dictionary_std::StandardDataDictionary;

use super::command;
use super::value::trim;

const OFFENDING_ELEMENT: u16 = 0x0901;
const ATTRIBUTE_IDENTIFIER_LIST: u16 = 0x1005;
/// PS3.5 §6.2.
const LONGEST_UID: usize = 64;

/// Whether a value is a UID where one belongs, and names attributes where a response does: four letters of a name are no
/// tag. What a request asks for may be private.
pub(super) fn suits(element: u16, value: &[u8], answers: bool) -> bool {
    match element {
        command::AFFECTED_SOP_CLASS
        | command::REQUESTED_SOP_CLASS
        | command::AFFECTED_SOP_INSTANCE
        | command::REQUESTED_SOP_INSTANCE => is_uid(value),
        OFFENDING_ELEMENT | ATTRIBUTE_IDENTIFIER_LIST if answers => {
            let (tags, rest) = value.as_chunks::<4>();
            rest.is_empty() && tags.iter().all(is_known)
        }
        _ => true,
    }
}

/// Whether a value could be a UID: 1 to 64 digits and dots, padding apart. Its components are not looked at.
pub(super) fn is_uid(value: &[u8]) -> bool {
    let uid = trim(value);
    !uid.is_empty() && uid.len() <= LONGEST_UID && uid.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

/// Whether the dictionary of PS3.6 lists a tag.
fn is_known(&[g0, g1, e0, e1]: &[u8; 4]) -> bool {
    let tag = Tag(u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1]));
    StandardDataDictionary.by_tag(tag).is_some()
}

#[cfg(test)]
mod tests {
    use super::suits;

    #[test]
    fn text_is_no_uid_and_no_tag() {
        let right: [(u16, &[u8]); 4] = [
            (0x0002, b"1.2.840.10008.1.1\0"),
            (0x0901, &[0x10, 0, 0x20, 0, 0x08, 0, 0x50, 0]),
            (0x0901, b""),
            (0x1002, &[1, 0]),
        ];
        for (element, value) in right {
            assert!(suits(element, value, true), "{element:04X}");
        }
        let wrong: [(u16, &[u8]); 6] = [
            (0x0002, b"DOE.JANE"),
            (0x0003, b""),
            (0x0901, b"DOE^JANE"),
            (0x0901, b"DOE^JA"),
            (0x1000, b"PID-0815"),
            (0x1005, b"DOE^JANE"),
        ];
        for (element, value) in wrong {
            assert!(!suits(element, value, true), "{element:04X} {}", value.escape_ascii());
        }
        assert!(suits(0x1005, &[9, 0, 1, 0x10], false), "a private attribute is asked for");
    }
}

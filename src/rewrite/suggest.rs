//! The keyword that was probably meant.

use std::sync::OnceLock;

use crate::dataset::Tag;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, TagRange};
use dicom_dictionary_std::StandardDataDictionary;

/// Groups whose attributes rules are written for. The dictionary has no list of its keywords, so that they are asked for by
/// tag, once, and only when a keyword is wrong.
const GROUPS: [u16; 36] = [
    0x0008, 0x0010, 0x0012, 0x0014, 0x0018, 0x0020, 0x0022, 0x0028, 0x0032, 0x0034, 0x0038, 0x003A, 0x0040,
    0x0042, 0x0044, 0x0046, 0x0050, 0x0054, 0x0062, 0x0066, 0x0068, 0x0070, 0x0072, 0x0088, 0x0100, 0x0400,
    0x3002, 0x3004, 0x3006, 0x3008, 0x300A, 0x300C, 0x4008, 0x4010, 0x5200, 0xFFFA,
];

pub(super) fn nearest_keyword(text: &str) -> Option<&'static str> {
    let wanted = text.to_ascii_lowercase();
    let near = keywords()
        .iter()
        .map(|keyword| (strsim::levenshtein(&wanted, &keyword.to_ascii_lowercase()), *keyword))
        .min()?;
    (near.0 <= (text.len() / 4).max(1)).then_some(near.1)
}

fn keywords() -> &'static [&'static str] {
    static KEYWORDS: OnceLock<Vec<&'static str>> = OnceLock::new();
    KEYWORDS.get_or_init(|| {
        let tags = GROUPS.iter().flat_map(|&group| (1..=u16::MAX).map(move |element| Tag(group, element)));
        let entries = tags.filter_map(|tag| StandardDataDictionary.by_tag(tag));
        entries
            .filter(|entry| matches!(entry.tag_range(), TagRange::Single(_)))
            .map(|entry| entry.alias())
            .collect()
    })
}

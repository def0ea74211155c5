//! Small data sets, as those of queries: what is read is what any reader reads, and what is added or taken out changes nothing else.

use std::collections::BTreeMap;

use dimsegate::dataset::{Encoding, Small, Tag};

const SYNTAXES: [&str; 3] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"];

/// In their order; some are in the seeds, and some are not.
const TAGS: [Tag; 4] = [Tag(0x0008, 0x0018), Tag(0x0010, 0x0021), Tag(0x0020, 0x000D), Tag(0x0040, 0x0254)];

/// Values with which an explicit header has 12 bytes (PS3.5 §7.1.2).
const LONG: [&[u8; 2]; 13] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];

/// The first byte chooses the transfer syntax.
pub fn check(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else { return };
    let syntax = usize::from(*choice) % SYNTAXES.len();
    let encoding = Encoding::of(SYNTAXES[syntax]).expect("a known transfer syntax");
    let Some(small) = Small::read(encoding, bytes) else { return };
    if let Some(plain) = walked(bytes, syntax != 1, syntax == 2) {
        assert_eq!(filled(&small), plain.into_iter().filter(|(_, value)| !value.is_empty()).collect());
    }
    let added = small.with_empty(&TAGS);
    let again = Small::read(encoding, &added).expect("what was written can be read");
    assert!(TAGS.iter().all(|tag| again.has(*tag)));
    assert_eq!(filled(&again), without_lengths(filled(&small)));
    let taken = small.without(&TAGS);
    let rest = Small::read(encoding, &taken).expect("what was written can be read");
    assert!(!TAGS.iter().any(|tag| rest.has(*tag)));
    let has_any = TAGS.iter().any(|tag| small.has(*tag));
    let mut expected = if has_any { without_lengths(filled(&small)) } else { filled(&small) };
    expected.retain(|tag, _| !TAGS.contains(&Tag(tag.0, tag.1)));
    assert_eq!(filled(&rest), expected);
}

type Values = BTreeMap<(u16, u16), Vec<u8>>;

/// Elements that hold something; of items nothing.
fn filled(small: &Small<'_>) -> Values {
    let value = |tag: Tag| small.value(tag).unwrap_or(b"(items)").to_vec();
    small.filled().map(|tag| ((tag.0, tag.1), value(tag))).filter(|(_, value)| !value.is_empty()).collect()
}

/// Group lengths go where anything is changed.
fn without_lengths(mut values: Values) -> Values {
    values.retain(|tag, _| tag.1 != 0);
    values
}

/// The same by the plainest reader of PS3.5 §7.1; `None` where there is a sequence, or the end is not one.
fn walked(mut bytes: &[u8], explicit: bool, big: bool) -> Option<Values> {
    let mut values = Values::new();
    let of16 = |bytes: &[u8]| {
        bytes.first_chunk().map(|two| if big { u16::from_be_bytes(*two) } else { u16::from_le_bytes(*two) })
    };
    let of32 = |bytes: &[u8]| {
        bytes
            .first_chunk()
            .map(|four| if big { u32::from_be_bytes(*four) } else { u32::from_le_bytes(*four) })
    };
    while !bytes.is_empty() {
        let tag = (of16(bytes)?, of16(bytes.get(2..)?)?);
        let is_long = explicit && LONG.iter().any(|vr| bytes.get(4..6) == Some(&vr[..]));
        if bytes.get(4..6) == Some(b"SQ") && explicit || [(0x0008, 0x1140), (0x0040, 0x0275)].contains(&tag) {
            return None;
        }
        let (length, header) = match (explicit, is_long) {
            (false, _) => (of32(bytes.get(4..)?)?, 8),
            (true, true) => (of32(bytes.get(8..)?)?, 12),
            (true, false) => (of16(bytes.get(6..)?)?.into(), 8),
        };
        let end = header + usize::try_from(length).ok()?;
        let value = bytes.get(header..end)?;
        let padding = value.iter().rev().take_while(|byte| b" \0".contains(byte)).count();
        values.insert(tag, value[..value.len() - padding].to_vec());
        bytes = &bytes[end..];
    }
    Some(values)
}

use std::io::Write;

use proptest::prelude::*;

use super::{AskedBy, Keys, Unread};
use crate::dataset::small::tests::{Damage, lists, written};
use crate::dataset::{Encoding, Tag};

const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const BIG: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const CHARACTER_SET: Tag = Tag(0x0008, 0x0005);

/// An element, in the byte order and with or without its VR.
fn element(syntax: &str, tag: (u16, u16), vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let is_big = syntax == BIG;
    let u16 = |number: u16| if is_big { number.to_be_bytes() } else { number.to_le_bytes() };
    let u32 = |number: u32| if is_big { number.to_be_bytes() } else { number.to_le_bytes() };
    let mut out = [u16(tag.0), u16(tag.1)].concat();
    match (syntax == IMPLICIT, vr) {
        (true, _) => out.extend(u32(value.len() as u32)),
        (false, b"SQ") => out.extend([vr.as_slice(), &[0, 0], &u32(value.len() as u32)].concat()),
        (false, _) => out.extend([vr.as_slice(), &u16(value.len() as u16)].concat()),
    }
    out.extend_from_slice(value);
    out
}

/// A sequence or item of undefined length, whose delimiters are written as they are everywhere.
fn item(syntax: &str, elements: &[u8]) -> Vec<u8> {
    let words: &[u16] = &[0xFFFE, 0xE000];
    let mut out: Vec<u8> = words
        .iter()
        .flat_map(|word| if syntax == BIG { word.to_be_bytes() } else { word.to_le_bytes() })
        .collect();
    let length = elements.len() as u32;
    out.extend(if syntax == BIG { length.to_be_bytes() } else { length.to_le_bytes() });
    out.extend_from_slice(elements);
    out
}

fn read(syntax: &str, bytes: &[u8], chunk: usize) -> Result<AskedBy, Unread> {
    let mut keys = Keys::new(Encoding::of(syntax).unwrap());
    for part in bytes.chunks(chunk) {
        keys.look(part)?;
    }
    keys.finish()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// A study query for a name in the one worklist step, with an empty return key and a universal one.
fn identifier(syntax: &str) -> Vec<u8> {
    let step = item(syntax, &element(syntax, (0x0040, 0x0001), b"AE", b"CT1 "));
    [
        element(syntax, (0x0008, 0x0005), b"CS", b"ISO_IR 192"),
        element(syntax, (0x0008, 0x0052), b"CS", b"STUDY "),
        element(syntax, (0x0009, 0x0010), b"LO", b"ACME"),
        element(syntax, (0x0010, 0x0010), b"PN", b"DOE^*\0"),
        element(syntax, (0x0010, 0x0020), b"LO", b"* "),
        element(syntax, (0x0020, 0x000D), b"UI", b""),
        element(syntax, (0x0040, 0x0100), b"SQ", &step),
    ]
    .concat()
}

#[test]
fn keys_are_read_in_every_encoding_at_any_chunking() {
    for syntax in [IMPLICIT, EXPLICIT, BIG, DEFLATED] {
        let plain = identifier(if syntax == DEFLATED { EXPLICIT } else { syntax });
        let bytes = if syntax == DEFLATED { deflated(&plain) } else { plain };
        for chunk in [1, 2, 7, 13, 4096] {
            let asked = read(syntax, &bytes, chunk).unwrap();
            assert_eq!(asked.character_set, b"ISO_IR 192");
            let top: Vec<(u16, u16, &[u8])> =
                asked.top.iter().map(|(tag, value)| (tag.0, tag.1, value.as_slice())).collect();
            let expected: &[(u16, u16, &[u8])] = &[
                (0x0008, 0x0052, b"STUDY"),
                (0x0009, 0x0010, b"ACME"),
                (0x0010, 0x0010, b"DOE^*"),
                (0x0010, 0x0020, b"*"),
            ];
            assert_eq!(top, expected, "{syntax} {chunk}");
            assert_eq!(asked.step, [(Tag(0x0040, 0x0001), b"CT1".to_vec())]);
            let matched: Vec<Tag> = asked.matched.into_iter().collect();
            let wanted = [(0x0010, 0x0010), (0x0040, 0x0001), (0x0040, 0x0100)];
            assert_eq!(matched, wanted.map(|(group, element)| Tag(group, element)));
        }
    }
}

#[test]
fn a_second_item_takes_the_steps_away_and_still_is_matched_on() {
    let step = |value: &[u8]| item(EXPLICIT, &element(EXPLICIT, (0x0040, 0x0001), b"AE", value));
    let both = element(EXPLICIT, (0x0040, 0x0100), b"SQ", &[step(b"CT1 "), step(b"")].concat());
    let asked = read(EXPLICIT, &both, 5).unwrap();
    assert!(asked.step.is_empty() && asked.matched.contains(&Tag(0x0040, 0x0001)));
    let nested = element(EXPLICIT, (0x0008, 0x1110), b"SQ", &item(EXPLICIT, &both));
    assert!(read(EXPLICIT, &nested, 64).unwrap().step.is_empty(), "another sequence around it");
}

#[test]
fn what_two_readers_could_read_otherwise_is_not_read() {
    let name = element(EXPLICIT, (0x0010, 0x0010), b"PN", b"DOE ");
    let id = element(EXPLICIT, (0x0010, 0x0020), b"LO", b"4711");
    let pixels = [0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];
    for (bytes, unread) in [
        ([name.clone(), name.clone()].concat(), Unread::Structure),
        ([id.clone(), name.clone()].concat(), Unread::Structure),
        (name[..7].to_vec(), Unread::Structure),
        (name[..10].to_vec(), Unread::Structure),
        (pixels.to_vec(), Unread::Structure),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(), Unread::Structure),
    ] {
        assert_eq!(read(EXPLICIT, &bytes, 3).unwrap_err(), unread, "{bytes:?}");
    }
    assert_eq!(read(DEFLATED, &id, 3).unwrap_err(), Unread::Deflated);
    let cut = deflated(&identifier(EXPLICIT));
    assert_eq!(read(DEFLATED, &cut[..cut.len() - 4], 3).unwrap_err(), Unread::Deflated);
    assert!(read(EXPLICIT, &[], 1).unwrap() == AskedBy::default());
}

#[test]
fn no_more_is_held_than_there_may_be() {
    let long = |count: usize| -> Vec<u8> {
        (0..count)
            .flat_map(|at| element(IMPLICIT, (0x0020, 2 * at as u16 + 1), b"LO", &[b'x'; 1000]))
            .collect()
    };
    assert!(read(IMPLICIT, &long(60), 1000).is_ok());
    assert_eq!(read(IMPLICIT, &long(70), 1000).unwrap_err(), Unread::TooLong);
    let bomb = deflated(&vec![0; 1 << 24]);
    assert!(bomb.len() < 1 << 15);
    assert!(read(DEFLATED, &bomb, 100).is_err());
    let deep = (0..40).fold(Vec::new(), |inner: Vec<u8>, _| {
        element(IMPLICIT, (0x0040, 0x0100), b"SQ", &item(IMPLICIT, &inner))
    });
    assert_eq!(read(IMPLICIT, &deep, 64).unwrap_err(), Unread::Structure);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_chunking_changes_nothing(
        list in lists(),
        damage in Damage::any(),
        chunk in 1_usize..40,
        which in 0_usize..4,
    ) {
        let syntax = [IMPLICIT, EXPLICIT, BIG, DEFLATED][which];
        let plain = written(Encoding::of(syntax).unwrap().syntax, &list);
        let right = if syntax == DEFLATED { deflated(&plain) } else { plain };
        let asked = read(syntax, &right, chunk);
        prop_assert!(asked.is_ok(), "{:?}", asked);
        let is_key = |tag: &Tag| *tag != CHARACTER_SET && tag.1 != 0;
        let filled = list.iter().filter(|(tag, text)| is_key(tag) && !text.is_empty());
        let expected: Vec<_> = filled.map(|(tag, text)| (*tag, text.clone().into_bytes())).collect();
        prop_assert_eq!(asked.unwrap().top, expected);
        let bytes = damage.of(right);
        let (one, whole) = (read(syntax, &bytes, chunk), read(syntax, &bytes, bytes.len().max(1)));
        prop_assert_eq!(one.ok(), whole.ok());
    }
}

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;

use super::{Names, Unnamed};
use crate::dataset::{Encoding, ScanError, ScanProblem, Scanner, Syntax};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const SYNTAXES: [&str; 4] =
    ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"];

fn element(syntax: Syntax, (group, element): (u16, u16), vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap();
    head(syntax, (group, element), vr, length).into_iter().chain(value.iter().copied()).collect()
}

fn head(syntax: Syntax, (group, element): (u16, u16), vr: [u8; 2], length: u32) -> Vec<u8> {
    let mut out = [syntax.put_u16(group), syntax.put_u16(element)].concat();
    match (syntax.explicit && group != 0xFFFE, &vr) {
        (false, _) => out.extend(syntax.put_u32(length)),
        (true, b"SQ" | b"UN" | b"OB") => {
            out.extend([&vr[..], &[0, 0], &syntax.put_u32(length)].concat());
        }
        (true, _) => out.extend([&vr[..], &syntax.put_u16(u16::try_from(length).unwrap())].concat()),
    }
    out
}

/// What is read of a data set in this transfer syntax, in chunks of this size, and behind how many of its bytes.
fn names(uid: &str, plain: &[u8], chunk: usize) -> Result<(Option<String>, Option<String>, bool), Unnamed> {
    let encoding = Encoding::of(uid).unwrap();
    let bytes = if encoding.deflated {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(plain).unwrap();
        deflate.finish().unwrap()
    } else {
        plain.to_vec()
    };
    let mut names = Names::new(encoding);
    let mut early = false;
    for part in bytes.chunks(chunk) {
        early = names.look(part)?;
        if early {
            break;
        }
    }
    if !early {
        names.finish()?;
    }
    let text = |value: Option<&[u8]>| value.map(|value| String::from_utf8(value.to_vec()).unwrap());
    Ok((text(names.sop_class()), text(names.sop_instance()), early))
}

fn class(syntax: Syntax) -> Vec<u8> {
    element(syntax, (8, 0x16), *b"UI", b"1.2.840.10008.5.1.4.1.1.2\0")
}

fn instance(syntax: Syntax) -> Vec<u8> {
    element(syntax, (8, 0x18), *b"UI", b"1.2.3.4 ")
}

/// Behind the header.
fn pixels(syntax: Syntax) -> Vec<u8> {
    head(syntax, (0x7FE0, 0x10), *b"OB", 100)
}

#[track_caller]
fn assert_found(make: impl Fn(Syntax) -> Vec<u8>) {
    for uid in SYNTAXES {
        let plain = make(Encoding::of(uid).unwrap().syntax);
        for chunk in [1, 2, 5, 7, 13, 100, 100_000] {
            let found = names(uid, &plain, chunk);
            assert_eq!(found, Ok((Some(CT.into()), Some("1.2.3.4".into()), true)), "{uid} by {chunk}");
        }
    }
}

#[test]
fn both_are_read_in_every_encoding_and_chunking() {
    assert_found(|syntax| {
        let charset = element(syntax, (8, 5), *b"CS", b"ISO_IR 100");
        // A break inside what is behind does not matter.
        [charset, class(syntax), instance(syntax), vec![0xFF; 40]].concat()
    });
}

#[test]
fn they_are_found_out_of_order_behind_sequences_and_behind_file_meta_information() {
    assert_found(|syntax| {
        let item = head(syntax, (0xFFFE, 0xE000), *b"  ", 8);
        let nested = element(syntax, (8, 0x18), *b"UI", b"9.9.9.9\0");
        let items = [
            item,
            vec![7; 8],
            head(syntax, (0xFFFE, 0xE000), *b"  ", u32::MAX),
            nested.clone(),
            head(syntax, (8, 0x1140), *b"SQ", u32::MAX),
            head(syntax, (0xFFFE, 0xE0DD), *b"  ", 0),
            head(syntax, (0xFFFE, 0xE00D), *b"  ", 0),
            head(syntax, (0xFFFE, 0xE0DD), *b"  ", 0),
        ];
        [
            element(syntax, (2, 0x10), *b"UI", b"1.2.840.10008.1.2\0"),
            head(syntax, (8, 6), *b"SQ", u32::MAX),
            items.concat(),
            element(syntax, (8, 0x1115), *b"SQ", &nested),
            instance(syntax),
            class(syntax),
            element(syntax, (0x10, 0x20), *b"LO", b"P1"),
            pixels(syntax),
        ]
        .concat()
    });
}

/// What may stand between one and another of its kind.
fn between(syntax: Syntax) -> [Vec<u8>; 4] {
    let date = element(syntax, (8, 0x20), *b"DA", b"20260101");
    let sequence =
        [head(syntax, (8, 0x1115), *b"SQ", u32::MAX), head(syntax, (0xFFFE, 0xE0DD), *b"  ", 0)].concat();
    let patient = element(syntax, (0x10, 0x20), *b"LO", b"P1");
    // Others read on behind it.
    let unknown = element(syntax, (0x18, 0x9999), *b"??", b"A ");
    [vec![], [date, patient.clone()].concat(), [sequence, patient].concat(), unknown]
}

/// Some readers take the first of two, others the last.
#[test]
fn another_one_in_the_header_is_refused_wherever_it_stands() {
    for uid in SYNTAXES {
        let syntax = Encoding::of(uid).unwrap().syntax;
        let other_class = element(syntax, (8, 0x16), *b"UI", b"1.2.840.10008.5.1.4.1.1.7\0");
        let other_instance = element(syntax, (8, 0x18), *b"UI", b"1.2.3.5 ");
        let none = element(syntax, (8, 0x18), *b"UI", b"");
        let long = element(syntax, (8, 0x18), *b"UI", &[b'1'; 70]);
        let endless = head(syntax, (8, 0x16), *b"UN", u32::MAX);
        for between in between(syntax) {
            for again in [&other_class, &other_instance, &none, &long, &endless] {
                let all = [&class(syntax)[..], &instance(syntax), &between, again, &pixels(syntax)].concat();
                for chunk in [1, 7, 100_000] {
                    assert_eq!(names(uid, &all, chunk), Err(Unnamed::Twice), "{uid} by {chunk}");
                }
            }
        }
    }
}

#[test]
fn the_same_again_says_one_thing() {
    for uid in SYNTAXES {
        let syntax = Encoding::of(uid).unwrap().syntax;
        let padded = element(syntax, (8, 0x18), *b"UI", b"1.2.3.4\0");
        for between in between(syntax) {
            for again in [class(syntax), padded.clone()] {
                let all = [&class(syntax)[..], &instance(syntax), &between, &again, &pixels(syntax)].concat();
                for chunk in [1, 7, 100_000] {
                    let found = names(uid, &all, chunk);
                    assert_eq!(
                        found,
                        Ok((Some(CT.into()), Some("1.2.3.4".into()), true)),
                        "{uid} by {chunk}"
                    );
                }
                let mut names = Names::new(Encoding { syntax, deflated: false });
                assert_eq!((names.look(&all), names.is_repeated()), (Ok(true), true));
            }
        }
        let once = [class(syntax), instance(syntax), pixels(syntax)].concat();
        let mut names = Names::new(Encoding { syntax, deflated: false });
        assert_eq!((names.look(&once), names.is_repeated()), (Ok(true), false));
    }
}

/// A header that goes on for long, or cannot be read behind both, holds nothing up: they are known.
#[test]
fn what_follows_both_needs_neither_end_soon_nor_be_read() {
    let explicit = Syntax::EXPLICIT_LE;
    let long = element(explicit, (8, 0x1140), *b"OB", &vec![0; 70_000]);
    let many = element(explicit, (8, 0x1140), *b"OB", &vec![0; 8_000]).repeat(9);
    let broken = head(explicit, (0xFFFE, 0xE00D), *b"??", 8);
    let unknown = head(explicit, (8, 0x20), *b"??", 8);
    for (behind, early) in [(long, true), (many, true), (broken, false), (unknown, false)] {
        let all = [class(explicit), instance(explicit), behind].concat();
        let found = names(SYNTAXES[1], &all, 100);
        assert_eq!(found, Ok((Some(CT.into()), Some("1.2.3.4".into()), early)));
    }
}

#[test]
fn what_a_whole_data_set_does_not_have_is_absent() {
    for uid in SYNTAXES {
        let syntax = Encoding::of(uid).unwrap().syntax;
        let patient = element(syntax, (0x10, 0x20), *b"LO", b"P1");
        let only_instance = [instance(syntax), patient.clone()].concat();
        assert_eq!(names(uid, &only_instance, 7), Ok((None, Some("1.2.3.4".into()), false)));
        assert_eq!(names(uid, &patient, 7), Ok((None, None, false)));
        let empty = [element(syntax, (8, 0x16), *b"UI", b""), instance(syntax)].concat();
        assert_eq!(names(uid, &empty, 7), Ok((None, Some("1.2.3.4".into()), false)));
        assert_eq!(names(uid, &[patient, vec![0; 3]].concat(), 7), Ok((None, None, false)));
    }
    assert_eq!(names(SYNTAXES[0], &[], 7), Ok((None, None, false)));
}

#[test]
fn what_others_could_find_and_this_cannot_is_told_from_what_is_absent() {
    let explicit = Syntax::EXPLICIT_LE;
    let long = element(explicit, (8, 0x20), *b"OB", &vec![0; 70_000]);
    let overlong = element(explicit, (8, 0x18), *b"UI", &[b'1'; 70]);
    let cases = [
        (
            [class(explicit), element(explicit, (8, 0x16), *b"UI", b"1.2 "), instance(explicit)].concat(),
            Unnamed::Twice,
        ),
        ([class(explicit), overlong].concat(), Unnamed::NoUid),
        ([class(explicit), long.clone(), instance(explicit)].concat(), Unnamed::TooLate),
        (long, Unnamed::TooLate),
        (
            [element(explicit, (8, 8), *b"ZZ", b"X "), class(explicit), instance(explicit)].concat(),
            Unnamed::UnknownVr,
        ),
        ([class(explicit), vec![8, 0, 0x18]].concat(), Unnamed::Structure),
        ([class(explicit), instance(explicit)[..12].to_vec()].concat(), Unnamed::Structure),
        (head(explicit, (0xFFFE, 0xE00D), *b"  ", 0), Unnamed::Structure),
        (
            [head(explicit, (8, 6), *b"SQ", u32::MAX), class(explicit), instance(explicit)].concat(),
            Unnamed::Structure,
        ),
        (head(explicit, (8, 6), *b"SQ", u32::MAX), Unnamed::Structure),
    ];
    for (plain, unnamed) in cases {
        for uid in [SYNTAXES[1], SYNTAXES[3]] {
            assert_eq!(names(uid, &plain, 9), Err(unnamed), "{uid} {:02x?}", &plain[..8]);
        }
    }
    let mut no_stream = Names::new(Encoding::of(SYNTAXES[3]).unwrap());
    assert_eq!(no_stream.look(&[0xFF; 64]), Err(Unnamed::Deflated));
}

#[test]
fn an_unknown_vr_before_them_is_read_past_as_a_rewrite_reads_it() {
    for uid in SYNTAXES {
        let syntax = Encoding::of(uid).unwrap().syntax;
        for vr in [*b"??", *b"  "] {
            let as_written = |tag, value: &[u8]| element(syntax, tag, vr, value);
            let front = [
                as_written((8, 8), b"ORIGINAL"),
                as_written((8, 0x16), CT.as_bytes()),
                as_written((8, 0x18), b"1.2.3.4 "),
            ];
            let all = [front.concat(), pixels(syntax)].concat();
            for chunk in [1, 2, 7, 100_000] {
                assert_eq!(
                    names(uid, &all, chunk),
                    Ok((Some(CT.into()), Some("1.2.3.4".into()), true)),
                    "{uid} by {chunk}"
                );
            }
            let mut names = Names::new(Encoding { syntax, deflated: false });
            assert_eq!((names.look(&all), names.is_respelled()), (Ok(true), syntax.explicit));
            if syntax.explicit {
                // How long its header is, readers disagree.
                let sequence = [as_written((8, 0x1140), b""), class(syntax), instance(syntax)].concat();
                let mut names = Names::new(Encoding { syntax, deflated: false });
                assert_eq!(names.look(&sequence), Err(Unnamed::UnknownVr));
            }
        }
    }
}

/// What is found, and whether it counts.
fn guessed(bytes: &[u8], chunk: usize) -> Result<(Option<String>, Option<String>, bool), Unnamed> {
    let mut names = Names::guessing();
    let mut is_known = false;
    for part in bytes.chunks(chunk) {
        is_known = names.look(part)?;
        if is_known {
            break;
        }
    }
    if !is_known {
        names.finish()?;
    }
    let text = |value: Option<&[u8]>| value.map(|value| String::from_utf8(value.to_vec()).unwrap());
    Ok((text(names.sop_class()), text(names.sop_instance()), names.is_read()))
}

#[test]
fn in_a_syntax_that_is_not_known_only_what_can_be_nothing_else_is_read() {
    let explicit = Syntax::EXPLICIT_LE;
    let both = [class(explicit), instance(explicit)].concat();
    let image = [both.clone(), pixels(explicit), vec![0xAA; 200]].concat();
    let found = (Some(CT.to_owned()), Some("1.2.3.4".to_owned()), true);
    let whole = [both.clone(), element(explicit, (0x10, 0x20), *b"LO", b"P1")].concat();
    let twice = [&both[..], &element(explicit, (8, 0x18), *b"UI", b"1.2.3.5 "), &pixels(explicit)].concat();
    let (implicit, big) = (Syntax::IMPLICIT_LE, Syntax::EXPLICIT_BE);
    let others = [
        [class(implicit), instance(implicit), pixels(implicit)].concat(),
        [class(big), instance(big), pixels(big)].concat(),
        vec![0xFF; 300],
        // No header of a data set begins so, nor does one go back.
        [element(explicit, (0x0800, 0x1600), *b"UI", b"1.2 "), image.clone()].concat(),
        [instance(explicit), class(explicit), pixels(explicit)].concat(),
        // Not the VR that it has.
        [class(explicit), element(explicit, (8, 0x18), *b"SH", b"1.2.3.5 "), pixels(explicit)].concat(),
        [element(explicit, (8, 8), *b"??", b"X "), image.clone()].concat(),
        image[..30].to_vec(),
        element(explicit, (8, 0x60), *b"CS", b"CT"),
        vec![],
    ];
    for chunk in [1, 7, 100_000] {
        assert_eq!(guessed(&image, chunk), Ok(found.clone()));
        assert_eq!(guessed(&whole, chunk), Ok(found.clone()));
        assert_eq!(guessed(&instance(explicit), chunk), Ok((None, Some("1.2.3.4".into()), true)));
        assert_eq!(guessed(&twice, chunk), Err(Unnamed::Twice));
        for other in &others {
            assert_eq!(
                guessed(other, chunk),
                Ok((None, None, false)),
                "{:02X?}",
                &other[..other.len().min(30)]
            );
        }
    }
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(&image).unwrap();
    assert_eq!(guessed(&deflate.finish().unwrap(), 5), Ok((None, None, false)));
}

/// Read as implicit VR, the second object is the value of the first element; readers that go by the first VR see it alone.
#[test]
fn a_data_set_that_can_be_read_in_two_encodings_is_refused() {
    let (implicit, explicit) = (Syntax::IMPLICIT_LE, Syntax::EXPLICIT_LE);
    let hidden = [class(explicit), instance(explicit)].concat();
    let hidden = [hidden, element(explicit, (9, 1), *b"OB", &vec![0; 20_300])].concat();
    let mut both = [vec![7, 0, 1, 0x10], b"LO\0\0".to_vec(), hidden].concat();
    both.extend([class(implicit), instance(implicit)].concat());
    for chunk in [1, 7, 100_000] {
        assert_eq!(names(SYNTAXES[0], &both, chunk), Err(Unnamed::TwoEncodings));
        let mut scanner = Scanner::new(implicit, 32);
        let (mut at, mut read) = (0, Ok(None));
        scanner.skip(&both, &mut at, |_, _, _| false);
        assert_eq!(at, 0, "the short cut leads past it");
        for end in (chunk..both.len()).step_by(chunk).take(20).chain([both.len()]) {
            read = scanner.next(&both[..end], &mut at);
            if !matches!(read, Ok(None)) {
                break;
            }
        }
        assert!(matches!(read, Err(ScanError { problem: ScanProblem::TwoEncodings, .. })), "{read:?}");
    }
}

#[test]
fn little_that_inflates_to_much_is_little_work() {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
    let header = element(Syntax::EXPLICIT_LE, (8, 8), *b"OB", &[]);
    deflate.write_all(&header[..8]).unwrap();
    deflate.write_all(&(1_u32 << 30).to_le_bytes()).unwrap();
    deflate.write_all(&vec![0; 64 << 20]).unwrap();
    let bytes = deflate.finish().unwrap();
    let mut names = Names::new(Encoding::of(SYNTAXES[3]).unwrap());
    // One value that never ends: no more of it is inflated than may stand before the names.
    assert_eq!(names.look(&bytes[..32]), Ok(false));
    assert_eq!(names.look(&bytes[32..]), Err(Unnamed::TooLate));
}

proptest! {
    #[test]
    fn any_bytes_in_any_chunking_are_read_the_same(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        front in 0..4_usize,
        chunk in 1..50_usize,
    ) {
        for uid in &SYNTAXES[..3] {
            let syntax = Encoding::of(uid).unwrap().syntax;
            let front = [vec![], class(syntax), instance(syntax), head(syntax, (8, 6), *b"SQ", u32::MAX)][front].clone();
            let all = [front, bytes.clone()].concat();
            prop_assert_eq!(names(uid, &all, chunk), names(uid, &all, 1));
            prop_assert_eq!(guessed(&all, chunk), guessed(&all, 1));
        }
    }
}

/// Others pass over an item delimiter that stands alone, and read on: what comes behind it counts.
#[test]
fn a_second_instance_behind_what_cannot_be_read_is_found() {
    let explicit = Syntax::EXPLICIT_LE;
    let other = element(explicit, (8, 0x18), *b"UI", b"1.2.3.5\0");
    let alone = head(explicit, (0xFFFE, 0xE0DD), *b"??", 0);
    let all = [class(explicit), instance(explicit), alone, other.clone()].concat();
    assert_eq!(names(SYNTAXES[1], &all, 7), Err(Unnamed::Twice));
    let sequence =
        [head(explicit, (8, 0x1140), *b"SQ", u32::MAX), head(explicit, (0xFFFE, 0xE000), *b"??", u32::MAX)];
    let deep = [class(explicit), instance(explicit), sequence.concat().repeat(40), other].concat();
    assert_eq!(names(SYNTAXES[1], &deep, 7), Err(Unnamed::TooDeep));
}

/// What comes to nothing is held until a name is known, and so is what lies behind the end of the stream.
#[test]
fn a_deflated_data_set_that_never_says_its_names_is_not_held_for_ever() {
    let deflated = Encoding::of(SYNTAXES[3]).unwrap();
    let endless = |first: &[u8], next: &[u8]| {
        let mut names = Names::new(deflated);
        names.look(first)?;
        (0..100_000).try_for_each(|_| names.look(next).map(drop))
    };
    assert_eq!(endless(&[], &[0, 0, 0, 0xFF, 0xFF]), Err(Unnamed::TooLate), "empty blocks");
    assert_eq!(endless(&[3, 0], &[0]), Err(Unnamed::Deflated), "behind an empty stream");
}

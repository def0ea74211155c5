use proptest::prelude::*;

use crate::dataset::{Event, Kind, PATIENT_ID, Raw, ScanError, Scanner, Syntax, Tag, Vr};

fn element(syntax: Syntax, (group, element): (u16, u16), vr: Vr, length: u32) -> Vec<u8> {
    let tag = [syntax.put_u16(group), syntax.put_u16(element)].concat();
    match (syntax.explicit, vr.has_long_header()) {
        (false, _) => [tag, syntax.put_u32(length).to_vec()].concat(),
        (true, true) => [tag, vr.code().to_vec(), vec![0, 0], syntax.put_u32(length).to_vec()].concat(),
        (true, false) => [tag, vr.code().to_vec(), syntax.put_u16(length as u16).to_vec()].concat(),
    }
}

fn short(syntax: Syntax, tag: (u16, u16), vr: Vr, value: &[u8]) -> Vec<u8> {
    [element(syntax, tag, vr, value.len() as u32), value.to_vec()].concat()
}

fn item(syntax: Syntax, element: u16, length: u32) -> Vec<u8> {
    [&syntax.put_u16(0xFFFE), &syntax.put_u16(element), &syntax.put_u32(length)[..]].concat()
}

/// Plain elements at the top, between sequences of both kinds of length, and in their items.
fn data_set(syntax: Syntax) -> Vec<u8> {
    let plain = |group: u16| {
        [
            short(syntax, (group, 0x0010), Vr::CS, b"A "),
            short(syntax, (group, 0x0014), Vr::UT, b"some text "),
            short(syntax, (group, 0x0020), Vr::LO, b""),
            short(syntax, (group, 0x0022), Vr::UN, b"1234"),
        ]
        .concat()
    };
    let inner = plain(0x0010);
    // A sequence that an intermediary did not know.
    let within = if syntax.explicit { Syntax::IMPLICIT_LE } else { syntax };
    let unknown = short(within, (0x0010, 0x0020), Vr::LO, b"PID ");
    [
        plain(0x0008),
        element(syntax, (0x0008, 0x1111), Vr::UN, 8 + unknown.len() as u32),
        item(within, 0xE000, unknown.len() as u32),
        unknown,
        element(syntax, (0x0008, 0x1140), Vr::SQ, u32::MAX),
        item(syntax, 0xE000, u32::MAX),
        plain(0x0009),
        inner.clone(),
        item(syntax, 0xE00D, 0),
        item(syntax, 0xE000, inner.len() as u32),
        inner.clone(),
        item(syntax, 0xE0DD, 0),
        plain(0x0010),
        element(syntax, (0x0040, 0x0275), Vr::SQ, 8 + inner.len() as u32),
        item(syntax, 0xE000, inner.len() as u32),
        inner,
        plain(0x0041),
        element(syntax, (0x7FE0, 0x0010), Vr::OW, 4),
        vec![1, 2, 3, 4],
    ]
    .concat()
}

/// What a reader wants to hear of: Patient ID, wherever it is, and all that is not plain.
fn is_wanted(kind: &Kind) -> bool {
    !matches!(kind, Kind::Element(header) if header.tag != PATIENT_ID)
}

type Seen = (Vec<(Kind, u64, Vec<u8>)>, Result<(), ScanError>);

/// What is wanted, where it begins, and the bytes of Patient IDs, with or without the short cut.
fn scan(syntax: Syntax, input: &[u8], sizes: &[usize], skips: bool) -> Seen {
    let mut scanner = Scanner::new(syntax, 3);
    let (mut seen, mut wanted) = (Vec::new(), false);
    let (mut rest, mut sizes) = (input, sizes.iter().cycle());
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        let mut at = 0;
        loop {
            if skips {
                scanner.skip(chunk, &mut at, |tag, _, _| tag == PATIENT_ID);
            }
            let (kind, raw) = match scanner.next(chunk, &mut at) {
                Ok(Some(Event { kind, raw })) => (kind, raw),
                Ok(None) => break,
                Err(error) => return (seen, Err(error)),
            };
            match (kind, raw, seen.last_mut()) {
                (Kind::Value { .. }, Raw::Input(range), Some((_, _, value))) if wanted => {
                    value.extend_from_slice(&chunk[range]);
                }
                (Kind::Value { .. }, ..) => {}
                _ => {
                    wanted = is_wanted(&kind);
                    if wanted {
                        seen.push((kind, scanner.position(), Vec::new()));
                    }
                }
            }
        }
        rest = behind;
    }
    (seen, scanner.finish())
}

const SYNTAXES: [Syntax; 3] = [Syntax::EXPLICIT_LE, Syntax::EXPLICIT_BE, Syntax::IMPLICIT_LE];

#[test]
fn all_that_is_plain_and_whole_is_passed_at_once() {
    for syntax in [Syntax::EXPLICIT_LE, Syntax::IMPLICIT_LE] {
        let input = data_set(syntax);
        let (mut scanner, mut at) = (Scanner::new(syntax, 3), 0);
        scanner.skip(&input, &mut at, |tag, _, _| tag == PATIENT_ID);
        assert_eq!(scanner.position(), at as u64);
        let event = scanner.next(&input, &mut at).unwrap().unwrap();
        assert!(matches!(event.kind, Kind::SequenceStart(header) if header.tag == Tag(0x0008, 0x1111)));
    }
}

#[test]
fn what_reaches_beyond_its_item_is_not_passed() {
    let syntax = Syntax::EXPLICIT_LE;
    let inner = short(syntax, (0x0010, 0x0010), Vr::PN, b"DOE^");
    let short_item = [item(syntax, 0xE000, inner.len() as u32 - 2), inner].concat();
    let input = [element(syntax, (0x0040, 0x0275), Vr::SQ, short_item.len() as u32 - 2), short_item].concat();
    let (with, without) = (scan(syntax, &input, &[99], true), scan(syntax, &input, &[99], false));
    assert!(without.1.is_err());
    assert_eq!(with, without);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn the_short_cut_leads_where_the_long_way_does(
        syntax in proptest::sample::select(SYNTAXES.to_vec()),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        swap in any::<(prop::sample::Index, prop::sample::Index)>(),
        swaps in any::<bool>(),
        sizes in proptest::collection::vec(1_usize..200, 1..5),
    ) {
        let mut input = data_set(syntax);
        for (at, byte) in damage {
            let at = at.index(input.len());
            input[at] = byte;
        }
        if swaps {
            let (one, other) = (swap.0.index(input.len()), swap.1.index(input.len()));
            input.swap(one, other);
        }
        let without = scan(syntax, &input, &[usize::MAX], false);
        prop_assert_eq!(&scan(syntax, &input, &sizes, true), &without);
        prop_assert_eq!(&scan(syntax, &input, &[usize::MAX], true), &without);
    }
}

//! Headers that break the standard: where there is one reading, it is taken; where there are two, none is.

use std::sync::Arc;

use proptest::prelude::*;

use super::support::*;
use crate::dataset::{Encoding, ScanProblem, Vr};
use crate::rewrite::{RewriteError, RewriteProblem, RuleSpec, Ruleset, RulesetSpec, Transform};

fn nobody() -> [RuleSpec; 1] {
    [rule_with("PatientName", "replace", "NOBODY")]
}

/// What comes out, and what was tolerated, at any of some chunkings; what `tolerance = "strict"` refuses.
fn read(encoding: Encoding, data: &Data) -> Result<(Vec<u8>, Vec<&'static str>), RewriteError> {
    let read = |is_tolerant, sizes: &[usize]| {
        let rules = RulesetSpec { is_tolerant, ..spec(&nobody()) };
        let transform = Transform::new(Arc::new(Ruleset::compile(rules).unwrap()), encoding, expected());
        run_in(transform, &data.bytes, sizes)
            .map(|(sent, transform)| (sent, transform.summary().tolerated.words()))
    };
    let whole = read(true, &[usize::MAX]);
    for sizes in [&[1][..], &[7], &[3, 1000]] {
        assert_eq!(read(true, sizes), whole, "{sizes:?}");
    }
    if whole.as_ref().is_ok_and(|(_, tolerated)| !tolerated.is_empty()) {
        assert!(read(false, &[usize::MAX]).is_err(), "strict");
    }
    whole
}

fn is_read_as(encoding: Encoding, data: &Data, word: &'static str, right: &Data) {
    let (sent, tolerated) = read(encoding, data).unwrap();
    assert!(sent == right.bytes, "{word}: {sent:02X?} instead of {:02X?}", right.bytes);
    assert_eq!(tolerated, [word]);
}

fn refusal(data: &Data) -> (ScanProblem, Option<String>) {
    let error = read(LE, data).unwrap_err();
    let element = error.element();
    match error.problem {
        RewriteProblem::Structure(problem) => (problem, element),
        other => panic!("{other:?}"),
    }
}

#[test]
fn elements_out_of_order_are_put_in_order_at_every_depth() {
    for encoding in [LE, BE, IMPLICIT] {
        for defined in [true, false] {
            let late = |data: Data| data.text((0x8, 0x60), b"CS", "CT");
            let name = |data: Data, name| data.text((0x10, 0x10), b"PN", name);
            let item = |first| match first {
                true => late(name(Data::new(encoding), "DOE")),
                false => name(late(Data::new(encoding)), "NOBODY"),
            };
            let study = |data: Data, item: Data| data.sequence((0x40, 0x275), defined, &[item]);
            let pixels = |data: Data| data.element((0x7FE0, 0x10), b"OW", &[7; 20_000]);
            let wrong = late(name(study(Data::image(encoding), item(true)), "DOE"));
            let right = study(name(late(Data::image(encoding)), "NOBODY"), item(false));
            is_read_as(encoding, &pixels(wrong), "data-set-order", &pixels(right));
        }
    }
}

#[test]
fn an_element_that_comes_twice_is_refused_wherever_it_stands() {
    let name = |data: Data, name| data.text((0x10, 0x10), b"PN", name);
    let twice = name(name(Data::image(LE), "DOE").text((0x10, 0x20), b"LO", "1"), "ROE");
    assert_eq!(refusal(&twice), (ScanProblem::Duplicate, Some("(0010,0010)".into())));
    let item = name(name(Data::new(LE), "DOE").text((0x8, 0x60), b"CS", "CT"), "ROE");
    let nested = Data::image(LE).sequence((0x40, 0x275), true, &[Data::new(LE), item]);
    let element = Some("(0040,0275)[2].(0010,0010)".into());
    assert_eq!(refusal(&nested), (ScanProblem::Duplicate, element));
}

#[test]
fn an_element_that_comes_twice_with_the_same_value_is_read_once() {
    for encoding in [LE, BE, IMPLICIT] {
        let image = || Data::image(encoding).text((0x8, 0x60), b"CS", "CT");
        let wrong = image().text((0x8, 0x60), b"CS", "CT").text((0x10, 0x10), b"PN", "DOE");
        is_read_as(encoding, &wrong, "data-set-repeated", &image().text((0x10, 0x10), b"PN", "NOBODY"));
    }
}

#[test]
fn an_unknown_vr_that_is_none_is_that_of_the_dictionary() {
    let with = |vr: &[u8; 2], tag, value: &[u8]| {
        let mut data = Data::image(LE).tag(tag);
        data.bytes.extend(vr);
        data.bytes.extend((value.len() as u16).to_le_bytes());
        data.bytes.extend(value);
        data
    };
    for vr in [b"??", b"  "] {
        let right = Data::image(LE).text((0x10, 0x10), b"PN", "NOBODY");
        is_read_as(LE, &with(vr, (0x10, 0x10), b"DOE "), "data-set-vr", &right);
        let right = Data::image(LE).element((0x19, 0x1001), b"UN", b"ABCD");
        is_read_as(LE, &with(vr, (0x19, 0x1001), b"ABCD"), "data-set-vr", &right);
        let sequence = with(vr, (0x40, 0x275), b"");
        assert_eq!(refusal(&sequence), (ScanProblem::UnknownVr, Some("(0040,0275)".into())));
    }
    // A long header or a short one: readers disagree.
    assert_eq!(refusal(&with(b"ZZ", (0x10, 0x10), b"DOE ")).0, ScanProblem::UnknownVr);
    assert_eq!(refusal(&with(b"un", (0x10, 0x10), b"DOE ")).0, ScanProblem::UnknownVr);
}

#[test]
fn delimiters_at_the_end_of_what_has_a_length_go() {
    let delimiter = |element| Data::new(LE).header((0xFFFE, element), b"UN", 0).bytes;
    let item = |name: &str, end: &[u8]| {
        let inner = Data::new(LE).text((0x10, 0x10), b"PN", name).bytes;
        let length = (inner.len() + end.len()) as u32;
        [Data::new(LE).header((0xFFFE, 0xE000), b"UN", length).bytes, inner, end.to_vec()].concat()
    };
    let sequence = |items: &[u8], behind: &[u8]| {
        let mut data = Data::image(LE).header((0x40, 0x275), b"SQ", items.len() as u32);
        data.bytes.extend(items);
        data.bytes.extend(behind);
        data.text((0x40, 0x280), b"ST", "END")
    };
    let right = sequence(&item("NOBODY", &[]), &[]);
    let in_item = sequence(&item("DOE", &delimiter(0xE00D)), &[]);
    let behind_item = sequence(&[item("DOE", &[]), delimiter(0xE00D)].concat(), &[]);
    let in_sequence = sequence(&[item("DOE", &[]), delimiter(0xE0DD)].concat(), &[]);
    let behind_sequence = sequence(&item("DOE", &[]), &delimiter(0xE0DD));
    for wrong in [in_item, behind_item, in_sequence, behind_sequence] {
        is_read_as(LE, &wrong, "data-set-delimiter", &right);
    }
    // Does it end here, or where its length says?
    let early = sequence(&[delimiter(0xE0DD), item("DOE", &[])].concat(), &[]);
    assert_eq!(refusal(&early), (ScanProblem::MisplacedDelimiter, Some("(0040,0275)".into())));
}

#[test]
fn file_meta_information_goes_unless_it_contradicts() {
    let with = |syntax: &str, encoding: Encoding| {
        let meta = Data::new(LE).element((2, 1), b"OB", &[0, 1]).text((2, 0x10), b"UI", syntax);
        let rest = Data::image(encoding).text((0x10, 0x10), b"PN", "DOE");
        Data { bytes: [meta.bytes, rest.bytes].concat(), ..rest }
    };
    for (syntax, encoding) in [("1.2.840.10008.1.2.1", LE), ("1.2.840.10008.1.2", IMPLICIT)] {
        let right = Data::image(encoding).text((0x10, 0x10), b"PN", "NOBODY");
        is_read_as(encoding, &with(syntax, encoding), "data-set-file-meta", &right);
    }
    let other = refusal(&with("1.2.840.10008.1.2", LE));
    assert_eq!(other, (ScanProblem::ForbiddenGroup, Some("(0002,0010)".into())));
    let command = Data::new(LE).element((0, 2), b"UI", b"1.2\0");
    assert_eq!(refusal(&command).0, ScanProblem::ForbiddenGroup);
}

#[test]
fn nuls_behind_the_last_element_go_however_many() {
    for encoding in [LE, IMPLICIT] {
        for bulk in [10, 100_000] {
            let pixels = |data: Data| data.element((0x7FE0, 0x10), b"OW", &vec![7; bulk]);
            let name = |name| pixels(Data::image(encoding).text((0x10, 0x10), b"PN", name));
            for count in [1, 2, 7, 8, 12, 4000] {
                let mut wrong = name("DOE");
                wrong.bytes.resize(wrong.bytes.len() + count, 0);
                is_read_as(encoding, &wrong, "data-set-trailing-nuls", &name("NOBODY"));
                wrong.bytes.push(1);
                assert!(read(encoding, &wrong).is_err(), "{count}");
            }
        }
    }
}

/// A value that is no longer the header's, so that what is behind it goes on as it comes.
fn behind_bulk(data: Data) -> Data {
    data.element((0x28, 0x1201), b"OW", &[1; 9000])
}

/// An element with two characters for a VR that are none.
fn misspelt(mut data: Data, vr: &[u8; 2], tag: (u16, u16), value: &[u8]) -> Data {
    data = data.tag(tag);
    data.bytes.extend(vr);
    data.bytes.extend(data.syntax.put_u16(value.len() as u16));
    data.bytes.extend(value);
    data
}

#[test]
fn an_unknown_vr_behind_the_header_is_read_as_in_it() {
    for vr in [b"??", b"  "] {
        let image = || behind_bulk(Data::image(LE)).text((0x32, 0x1032), b"PN", "NOBODY");
        // A rule looks at what it says as at any other, and a private element that holds items is a sequence.
        let rules = [
            rule_with("RequestingPhysician", "replace", "NOBODY"),
            rule_with("PatientName", "replace", "NOBODY"),
        ];
        let item = |name| Data::new(IMPLICIT).text((0x10, 0x10), b"PN", name);
        let items = |name| {
            [
                Data::new(IMPLICIT).header((0xFFFE, 0xE000), b"UN", item(name).bytes.len() as u32).bytes,
                item(name).bytes,
            ]
            .concat()
        };
        let wrong = misspelt(behind_bulk(Data::image(LE)), vr, (0x32, 0x1032), b"DOE ");
        let wrong = misspelt(wrong, vr, (0x33, 0x1001), &items("DOE"));
        let wrong = misspelt(wrong, vr, (0x40, 0xA160), b"TEXT");
        let right =
            image().element((0x33, 0x1001), b"UN", &items("NOBODY")).element((0x40, 0xA160), b"UT", b"TEXT");
        let nested = |data: Data, item: Data| data.sequence((0x40, 0xA730), true, &[item]);
        let wrong = nested(wrong, misspelt(Data::new(LE), vr, (0x19, 0x1001), b"ABCD"));
        let right = nested(right, Data::new(LE).element((0x19, 0x1001), b"UN", b"ABCD"));
        let run = |sizes: &[usize]| {
            let ran = run_in(transform(&rules, LE), &wrong.bytes, sizes);
            ran.map(|(sent, transform)| (sent, transform.summary().tolerated.words()))
        };
        for sizes in [&[usize::MAX][..], &[1], &[7], &[9030, 3, 1]] {
            let (sent, tolerated) = run(sizes).unwrap();
            assert!(sent == right.bytes, "{sizes:?}: {:02X?}", &sent[9000..]);
            assert_eq!(tolerated, ["data-set-vr"]);
        }
        let strict = RulesetSpec { is_tolerant: false, ..spec(&rules) };
        let strict = Transform::new(Arc::new(Ruleset::compile(strict).unwrap()), LE, expected());
        assert!(run_in(strict, &wrong.bytes, &[usize::MAX]).is_err());
        // As in the header: readers disagree where its value ends.
        let sequence = misspelt(behind_bulk(Data::image(LE)), vr, (0x40, 0x275), b"");
        assert_eq!(refusal(&sequence), (ScanProblem::UnknownVr, Some("(0040,0275)".into())));
        let big_endian = misspelt(behind_bulk(Data::image(BE)), vr, (0x33, 0x1001), b"ABCD");
        assert!(read(BE, &big_endian).is_err(), "what a UN holds is little endian");
    }
    assert_eq!(
        refusal(&misspelt(behind_bulk(Data::image(LE)), b"ZZ", (0x32, 0x1032), b"DOE ")).0,
        ScanProblem::UnknownVr
    );
}

#[test]
fn delimiters_behind_the_header_go_as_in_it() {
    for encoding in [LE, BE, IMPLICIT] {
        let delimiter = |element| Data::new(encoding).header((0xFFFE, element), b"UN", 0).bytes;
        let item = |name: &str, end: &[u8]| {
            let inner = Data::new(encoding).text((0x10, 0x10), b"PN", name).bytes;
            let length = (inner.len() + end.len()) as u32;
            [Data::new(encoding).header((0xFFFE, 0xE000), b"UN", length).bytes, inner, end.to_vec()].concat()
        };
        let sequence = |items: &[u8], behind: &[u8]| {
            let mut data =
                behind_bulk(Data::image(encoding)).header((0x40, 0x275), b"SQ", items.len() as u32);
            data.bytes.extend([items, behind].concat());
            data.text((0x40, 0x280), b"ST", "END")
        };
        let (end, last) = (delimiter(0xE00D), delimiter(0xE0DD));
        let right = sequence(&item("NOBODY", &[]), &[]);
        for (items, behind) in [
            (item("DOE", &end), vec![]),
            ([item("DOE", &[]), end.clone()].concat(), vec![]),
            ([item("DOE", &[]), last.clone()].concat(), vec![]),
            (item("DOE", &[]), last.clone()),
            (item("DOE", &[]), end.clone()),
            ([item("DOE", &end), last.clone()].concat(), last.clone()),
        ] {
            is_read_as(encoding, &sequence(&items, &behind), "data-set-delimiter", &right);
        }
        // Does it end here, or where its length says? And what ended with the second?
        let early = sequence(&[last.clone(), item("DOE", &[])].concat(), &[]);
        let twice = sequence(&item("DOE", &[]), &[last.clone(), last.clone()].concat());
        let mut late = sequence(&item("DOE", &[]), &[]);
        late.bytes.extend(last);
        for two_readings in [early, twice, late] {
            assert!(read(encoding, &two_readings).is_err());
        }
    }
}

#[test]
fn what_has_to_be_put_in_its_place_behind_the_header_is_refused() {
    let late = |data: Data| data.text((0x8, 0x60), b"CS", "CT");
    let behind = late(behind_bulk(Data::image(LE)));
    assert_eq!(refusal(&behind), (ScanProblem::OutOfOrder, Some("(0008,0060)".into())));
    let meta = behind_bulk(Data::image(LE)).text((2, 0x10), b"UI", "1.2.840.10008.1.2.1");
    assert_eq!(refusal(&meta).0, ScanProblem::ForbiddenGroup);
    let twice = |data: Data| data.text((0x32, 0x1032), b"PN", "DOE");
    assert_eq!(refusal(&twice(twice(behind_bulk(Data::image(LE))))).0, ScanProblem::Duplicate);
    let name = Data::image(LE).text((0x10, 0x10), b"PN", "DOE");
    let most = late(name).element((0x29, 0x1010), b"OB", &vec![7; 2 << 20]);
    let sorted = read(LE, &most).unwrap();
    assert_eq!((sorted.1, sorted.0.len()), (vec!["data-set-order"], most.bytes.len() + 2));
    let then_again = most.text((0x9, 0x1001), b"LO", "X");
    assert_eq!(refusal(&then_again).0, ScanProblem::OutOfOrder);
}

/// Private and unlisted elements that hold items, of defined length.
fn hidden(encoding: Encoding, name: &str) -> Data {
    let inner = if encoding.syntax.explicit { IMPLICIT } else { encoding };
    let item = Data::new(inner).text((0x10, 0x10), b"PN", name);
    let deep = Data::new(inner).sequence_as((0x9, 0x1002), b"UN", true, std::slice::from_ref(&item));
    Data::image(encoding)
        .text((0x9, 0x10), b"LO", "ACME")
        .sequence_as((0x9, 0x1001), b"UN", true, &[item.clone(), deep])
        .sequence_as((0x10, 0xFFF0), b"UN", true, &[item])
}

#[test]
fn names_in_private_and_unlisted_sequences_of_defined_length_are_found() {
    for encoding in [LE, BE, IMPLICIT] {
        let sent = run(&nobody(), encoding, &hidden(encoding, "DOE^JANE").bytes).unwrap();
        assert!(sent == hidden(encoding, "NOBODY").bytes, "{sent:02X?}");
        // What is removed need not be one.
        let mut broken = hidden(encoding, "DOE^JANE");
        let at = broken.bytes.windows(4).rposition(|four| four == b"DOE^").unwrap();
        broken.bytes[at - 8..at].fill(b'x');
        let error = run(&nobody(), encoding, &broken.bytes).unwrap_err();
        assert_eq!(error.status, 0xC000);
        let mut all = nobody().to_vec();
        all.extend([rule("(0009,xxxx)", "remove"), rule("(0010,FFF0)", "remove")]);
        assert_eq!(run(&all, encoding, &broken.bytes).unwrap(), Data::image(encoding).bytes);
    }
}

#[test]
fn what_only_begins_like_a_sequence_is_told_from_one_by_its_length() {
    let value = |value: &[u8]| Data::image(IMPLICIT).element((0x9, 0x1001), b"UN", value);
    for short in [&[0xFE, 0xFF, 0x00, 0xE0][..], &[0xFE, 0xFF], &[]] {
        assert_eq!(run(&nobody(), IMPLICIT, &value(short).bytes).unwrap(), value(short).bytes);
    }
    let error = run(&nobody(), IMPLICIT, &value(b"\xFE\xFF\x00\xE0DOE^JANE").bytes).unwrap_err();
    assert_eq!((error.status, error.element()), (0xC000, None), "{error}");
}

#[test]
fn no_byte_of_a_value_is_called_a_tag() {
    let texts = ["SMITH^JOHN  ", "DOE^JANE", "M\u{fc}ller^J  ", "1.2.3.4.5\0\0\0"];
    for (text, encoding) in texts.into_iter().flat_map(|text| [LE, BE, IMPLICIT].map(|one| (text, one))) {
        let text: Vec<u8> = text.chars().map(|c| c as u8).collect();
        let behind = |length: usize| {
            let data = Data::image(encoding).element((0x10, 0x10), b"PN", b"A ").header(
                (0x10, 0x20),
                b"LO",
                length as u32,
            );
            Data { bytes: [data.bytes, text.clone()].concat(), ..data }.text((0x18, 0x15), b"CS", "HEAD")
        };
        let sequence = Data::image(encoding).element((0x40, 0x275), b"SQ", &text);
        let item = Data::new(encoding).element((0x10, 0x10), b"PN", b"A ");
        let item = Data { bytes: [item.bytes, text.clone()].concat(), ..item };
        let lengths = (0..text.len()).map(behind);
        for data in lengths.chain([sequence, Data::image(encoding).sequence((0x40, 0x275), true, &[item])]) {
            let Err(error) = run(&nobody(), encoding, &data.bytes) else { continue };
            let said = [error.to_string(), error.comment()].concat().to_uppercase();
            for four in text.windows(2) {
                for tag in [[four[0], four[1]], [four[1], four[0]]] {
                    let digits = format!("{:02X}{:02X}", tag[0], tag[1]);
                    assert!(!said.contains(&digits), "{said}: {digits}");
                }
            }
        }
    }
    let text = Data::image(IMPLICIT).element((0x12, 0x64), b"SQ", b"SOME TEXT ");
    let error = run(&nobody(), IMPLICIT, &text.bytes).unwrap_err();
    assert_eq!(error.comment(), "(0012,0064): an item was expected");
    assert_eq!(error.offending().map(|tag| (tag.0, tag.1)), Some((0x12, 0x64)));
}

#[test]
fn an_error_says_where_it_is_and_what_was_expected() {
    let item = Data::new(LE).text((0x40, 0x9), b"SH", "PROC").header((0x40, 0x11), b"SH", 400);
    let data = Data::image(LE).sequence((0x40, 0x275), true, &[Data::new(LE), item]);
    let error = run(&nobody(), LE, &data.bytes).unwrap_err();
    assert_eq!(error.element().as_deref(), Some("(0040,0275)[2].(0040,0011)"));
    assert_eq!(error.comment(), "(0040,0011) depth 1: longer than what holds it");
    assert!(
        error
            .to_string()
            .ends_with("longer than what holds it; expected a length within the item or sequence around it")
    );
    let long = "x".repeat(70_000);
    let item = Data::new(LE).text((0x10, 0x4000), b"UT", &long);
    let data = Data::image(LE).sequence((0x40, 0x275), false, &[item]);
    let error = run(&[pattern("(0010,4000)", "y", "z")], LE, &data.bytes).unwrap_err();
    assert_eq!(error.element().as_deref(), Some("(0040,0275)[1].(0010,4000)"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damage_is_read_alike_at_any_chunking(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        swap in any::<Option<(prop::sample::Index, prop::sample::Index)>>(),
        sizes in proptest::collection::vec(1_usize..40, 1..5),
        which in 0_usize..3, nuls in 0_usize..10, is_behind in any::<bool>(),
        unknown in proptest::collection::vec(any::<prop::sample::Index>(), 0..3),
        delimiter in any::<Option<(prop::sample::Index, bool)>>(),
    ) {
        let encoding = [LE, BE, IMPLICIT][which];
        let item = Data::new(encoding).text((0x8, 0x60), b"CS", "CT").text((0x10, 0x10), b"PN", "DOE");
        let front = hidden(encoding, "DOE");
        let front = if is_behind { behind_bulk(front) } else { front };
        let start = if is_behind { front.bytes.len() } else { 0 };
        let mut data = front.sequence((0x40, 0x275), true, std::slice::from_ref(&item)).sequence((0x40, 0x276), false, &[item]);
        data.bytes.resize(data.bytes.len() + nuls, 0);
        let length = data.bytes.len() - start;
        let place = |at: prop::sample::Index| start + at.index(length);
        let damage: Vec<_> = damage.into_iter().map(|(at, byte)| (place(at), byte)).collect();
        let swap = swap.map(|(one, other)| (place(one), place(other)));
        for (at, byte) in damage {
            data.bytes[at] = byte;
        }
        // Where a VR is, it is none.
        let vrs: Vec<usize> = (start..data.bytes.len() - 1).filter(|&at| Vr::known([data.bytes[at], data.bytes[at + 1]]).is_some()).collect();
        for at in unknown.into_iter().filter(|_| !vrs.is_empty()) {
            let at = *at.get(&vrs);
            data.bytes[at..at + 2].fill(b'?');
        }
        if let Some((at, of_item)) = delimiter {
            let at = place(at);
            let bytes = Data::new(encoding).header((0xFFFE, if of_item { 0xE00D } else { 0xE0DD }), b"UN", 0).bytes;
            data.bytes.splice(at..at, bytes);
        }
        if let Some((one, other)) = swap {
            data.bytes.swap(one, other);
        }
        let run = |sizes: &[usize]| run_in(transform(&nobody(), encoding), &data.bytes, sizes).map(|(sent, transform)| (sent, transform.summary().clone()));
        let whole = run(&[usize::MAX]);
        prop_assert_eq!(&run(&sizes), &whole);
        if let Ok((sent, _)) = whole {
            // What was put right is right.
            let again = RulesetSpec { is_tolerant: false, ..spec(&nobody()) };
            let again = Transform::new(Arc::new(Ruleset::compile(again).unwrap()), encoding, expected());
            prop_assert_eq!(run_in(again, &sent, &[usize::MAX]).map(|(sent, _)| sent), Ok(sent));
        }
    }
}

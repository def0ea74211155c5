//! Lengths, nesting, order: what stays, what is written anew, what is refused.

use std::sync::Arc;

use super::support::*;
use crate::dataset::ScanProblem;
use crate::rewrite::{Output, Piece, RewriteProblem, Ruleset, RulesetSpec, Transform};

#[test]
fn untouched_data_sets_are_borrowed_byte_for_byte() {
    for encoding in [LE, BE, IMPLICIT] {
        let item = Data::new(encoding).text((0x40, 0x9), b"SH", "PROC");
        let data = Data::image(encoding).sequence((0x40, 0x275), false, &[item]).element(
            (0x7FE0, 0x10),
            b"OW",
            &[7; 100_000],
        );
        assert_eq!(run(&[rule("PatientName", "remove")], encoding, &data.bytes).unwrap(), data.bytes);
        let mut whole = transform(&[rule("PatientName", "remove")], encoding);
        let mut output = Output::new();
        whole.push(&data.bytes, &mut output).unwrap();
        assert_eq!(output.pieces, [Piece::Input(0..data.bytes.len())]);
        assert_eq!(whole.summary().elements, 0);
    }
}

#[test]
fn bulk_is_borrowed_whatever_was_changed_before_it() {
    let image = Data::image(LE).text((0x10, 0x10), b"PN", "DOE");
    let data = image.clone().element((0x7FE0, 0x10), b"OW", &[7; 100_000]).bytes;
    let (head, pixels) = data.split_at(image.bytes.len() + 12);
    let mut transform = transform(&[rule_with("PatientName", "replace", "NOBODY")], LE);
    let mut output = Output::new();
    transform.push(head, &mut output).unwrap();
    assert_eq!(transform.summary().elements, 1);
    for chunk in pixels.chunks(4096) {
        output.clear();
        transform.push(chunk, &mut output).unwrap();
        assert_eq!((output.pieces.as_slice(), output.made.len()), (&[Piece::Input(0..chunk.len())][..], 0));
    }
}

#[test]
fn identity_passes_anything() {
    let garbage: Vec<u8> = (0..=255).collect();
    let (sent, transform) = run_in(Transform::identity(), &garbage, &[7]).unwrap();
    assert_eq!(sent, garbage);
    assert!(transform.settled());
}

#[test]
fn elements_in_sequences_are_changed_and_lengths_stay_right() {
    for encoding in [LE, BE, IMPLICIT] {
        for defined in [true, false] {
            let with = |name: Option<&str>| {
                let inner = Data::new(encoding).text((0x8, 0x50), b"SH", "ACC");
                let inner = name.into_iter().fold(inner, |inner, name| inner.text((0x10, 0x10), b"PN", name));
                let outer = Data::new(encoding).sequence((0x8, 0x1140), defined, &[inner.clone(), inner]);
                Data::image(encoding).sequence((0x40, 0x275), defined, &[outer]).bytes
            };
            let input = with(Some("DOE^JANE"));
            let rewritten = |rule| run(&[rule], encoding, &input).unwrap();
            assert_eq!(rewritten(rule("PatientName", "remove")), with(None));
            assert_eq!(rewritten(rule("PatientName", "empty")), with(Some("")));
            assert_eq!(rewritten(rule_with("PatientName", "replace", "NOBODY")), with(Some("NOBODY")));
        }
    }
}

#[test]
fn a_long_sequence_goes_out_with_undefined_length() {
    let item = |encoding| {
        Data::new(encoding).text((0x10, 0x10), b"PN", "DOE").element((0x28, 0x1201), b"OW", &[1; 70_000])
    };
    for encoding in [LE, BE, IMPLICIT] {
        let with = |defined| Data::image(encoding).sequence((0x40, 0x275), defined, &[item(encoding)]).bytes;
        assert_eq!(run(&[rule("PatientID", "remove")], encoding, &with(true)).unwrap(), with(false));
    }
}

#[test]
fn a_sequence_in_a_un_is_implicit_little_endian() {
    for encoding in [LE, BE] {
        for (defined, tag) in [(false, (0x9, 0x1001)), (true, (0x40, 0x275))] {
            let with = |name| {
                let item = Data::new(IMPLICIT).text((0x10, 0x10), b"PN", name);
                let data = Data::image(encoding);
                let data = if tag.0 == 9 { data.text((9, 0x10), b"LO", "ACME") } else { data };
                data.sequence_as(tag, b"UN", defined, &[item]).bytes
            };
            let sent =
                run(&[rule_with("PatientName", "replace", "NOBODY")], encoding, &with("DOE^JANE")).unwrap();
            assert_eq!(sent, with("NOBODY"));
        }
    }
}

#[test]
fn what_is_ambiguous_or_beyond_its_holder_is_refused() {
    use ScanProblem as P;
    let image = || Data::image(LE);
    let name = |data: Data| data.text((0x10, 0x10), b"PN", "DOE");
    let nested = |length: u32| {
        let data = image().header((0x40, 0x275), b"SQ", 8 + 16).header((0xFFFE, 0xE000), b"UN", 16);
        let mut data = data.header((0x40, 0x9), b"SH", length);
        data.bytes.extend([b'x'; 64]);
        data
    };
    let cases = [
        (name(name(image())), P::Duplicate),
        (name(image()).text((0x8, 0x60), b"CS", "CT"), P::OutOfOrder),
        (Data::new(LE).element((2, 0x10), b"UI", b"1.2\0"), P::ForbiddenGroup),
        (Data::new(LE).element((0, 2), b"UI", b"1.2\0"), P::ForbiddenGroup),
        (image().tag((0x10, 0x10)).tag((0x5858, 0)), P::UnknownVr),
        (image().header((0x10, 0x4000), b"UT", u32::MAX), P::UndefinedLength),
        (nested(9), P::Overrun),
        (nested(0xFFFF), P::Overrun),
        (image().header((0x40, 0x275), b"SQ", 4).header((0xFFFE, 0xE000), b"UN", 0), P::Overrun),
        (image().header((0xFFFE, 0xE00D), b"UN", 0), P::MisplacedDelimiter),
        (
            image().header((0x40, 0x275), b"SQ", u32::MAX).header((0xFFFE, 0xE00D), b"UN", 0),
            P::MisplacedDelimiter,
        ),
        (
            image().header((0x40, 0x275), b"SQ", u32::MAX).header((0xFFFE, 0xE0DD), b"UN", 2),
            P::DelimiterLength,
        ),
        (name(image().header((0x40, 0x275), b"SQ", u32::MAX)), P::NotAnItem),
        (
            image().header((0x7FE0, 0x10), b"OB", u32::MAX).header((0xFFFE, 0xE000), b"UN", u32::MAX),
            P::UndefinedLength,
        ),
        (image().header((0x7FE0, 0x10), b"UN", u32::MAX), P::UndefinedLength),
    ];
    let strict = RulesetSpec { is_tolerant: false, ..spec(&[rule("PatientID", "remove")]) };
    let strict = Arc::new(Ruleset::compile(strict).unwrap());
    for (data, problem) in cases {
        let read = |size| run_in(Transform::new(Arc::clone(&strict), LE, expected()), &data.bytes, &[size]);
        let error = read(usize::MAX).map(|(sent, _)| sent).unwrap_err();
        assert_eq!((error.problem, error.status), (RewriteProblem::Structure(problem), 0xC000));
        assert_eq!(read(1).map(|(sent, _)| sent).unwrap_err(), error);
    }
}

#[test]
fn nesting_ends_at_the_cap_not_with_the_stack() {
    let mut bytes = Data::image(LE).bytes;
    for _ in 0..10_000 {
        let level =
            Data::new(LE).header((0x40, 0xA730), b"SQ", u32::MAX).header((0xFFFE, 0xE000), b"UN", u32::MAX);
        bytes.extend(level.bytes);
    }
    let error = run(&[rule("PatientID", "remove")], LE, &bytes).unwrap_err();
    assert_eq!((error.problem, error.depth), (RewriteProblem::Structure(ScanProblem::TooDeep), 32));
    assert_eq!(error.comment(), "(0040,A730) depth 32: nested too deep");
}

#[test]
fn an_end_inside_an_element_is_never_success() {
    let item = || Data::new(LE).text((0x40, 0x9), b"SH", "PROC");
    let data = Data::image(LE)
        .sequence((0x40, 0x275), true, &[item(), item()])
        .sequence((0x40, 0x276), false, &[item()])
        .fragments(&[&[], &[1; 10]]);
    let ends: Vec<usize> = (0..data.bytes.len())
        .filter(|&end| run(&[rule("PatientID", "remove")], LE, &data.bytes[..end]).is_ok())
        .collect();
    let image = Data::image(LE).bytes.len();
    let first = Data::image(LE).sequence((0x40, 0x275), true, &[item(), item()]).bytes.len();
    let second = data.bytes.len() - Data::new(LE).fragments(&[&[], &[1; 10]]).bytes.len();
    assert_eq!(ends, [image, first, second], "only where an element at the top ends");
}

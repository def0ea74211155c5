//! Private blocks, by their creator and not by their number (PS3.5 §7.8).

use super::support::*;
use crate::dataset::Encoding;
use crate::rewrite::RewriteProblem;

/// Two creators in one group, the first in block `acme`, the other in the next one.
fn blocks(encoding: Encoding, acme: u8, kept: [bool; 6]) -> Data {
    let block = |acme: u8, element: u16| (9, u16::from(acme) << 8 | element);
    let parts: [((u16, u16), &[u8; 2], &str); 6] = [
        ((9, acme.into()), b"LO", "ACME 1.0"),
        ((9, u16::from(acme) + 1), b"LO", "OTHER"),
        (block(acme, 0x10), b"LO", "a 10"),
        (block(acme, 0x11), b"LO", "a 11"),
        (block(acme + 1, 0x10), b"LO", "o 10"),
        (block(acme + 1, 0x11), b"LO", "o 11"),
    ];
    let kept = parts.iter().zip(kept).filter(|(_, kept)| *kept);
    kept.fold(Data::new(encoding), |data, (&(tag, vr, value), _)| data.text(tag, vr, value))
}

#[test]
fn elements_are_found_by_creator_in_each_data_set_and_item() {
    let all = [true; 6];
    type Case<'a> = (&'a [(&'a str, &'a str)], [bool; 6]);
    let cases: [Case<'_>; 8] = [
        (&[("(0009,ACME 1.0,10)", "remove")], [true, true, false, true, true, true]),
        (&[("(0009,OTHER,10)", "remove")], [true, true, true, true, false, true]),
        (&[("(0009,ACME 1.0,xx)", "remove")], [false, true, false, false, true, true]),
        (&[("(0009,xxxx)", "remove")], [false; 6]),
        (
            &[("(0009,ACME 1.0,10)", "keep"), ("(0009,xxxx)", "remove")],
            [true, false, true, false, false, false],
        ),
        (
            &[("(0009,ACME 1.0,xx)", "keep"), ("(0009,xxxx)", "remove")],
            [true, false, true, true, false, false],
        ),
        (
            &[("(0009,ACME 1.0,10)", "remove"), ("(0009,ACME 1.0,xx)", "keep"), ("(xxxx,xxxx)", "keep")],
            [true, true, false, true, true, true],
        ),
        (&[("(0011,ACME 1.0,xx)", "remove"), ("(0009,ACME,10)", "remove")], all),
    ];
    for encoding in [LE, BE, IMPLICIT] {
        for (rules, kept) in cases {
            let rules: Vec<_> = rules.iter().map(|(tag, action)| rule(tag, action)).collect();
            let image = |kept| {
                let mut image = Data::image(encoding);
                image.bytes.extend(blocks(encoding, 0x10, kept).bytes);
                let items = [blocks(encoding, 0x42, kept), blocks(encoding, 0xFE, kept)];
                image.sequence((0x40, 0x275), true, &items).bytes
            };
            assert_eq!(run(&rules, encoding, &image(all)).unwrap(), image(kept), "{rules:?}");
        }
    }
}

#[test]
fn an_item_does_not_inherit_the_blocks_around_it() {
    let inner = Data::new(LE).text((9, 0x1010), b"LO", "nobody's");
    let image = |own: bool| {
        let data = Data::image(LE).text((9, 0x10), b"LO", "ACME 1.0").sequence(
            (9, 0x1001),
            false,
            std::slice::from_ref(&inner),
        );
        let data = if own { data.text((9, 0x1010), b"LO", "ACME's") } else { data };
        data.text((0xB, 0x1010), b"LO", "another group's").bytes
    };
    assert_eq!(run(&[rule("(0009,ACME 1.0,10)", "remove")], LE, &image(true)).unwrap(), image(false));
}

#[test]
fn what_an_item_reserves_ends_with_it() {
    let image = |inner: bool| {
        let item = Data::new(LE).text((9, 0x20), b"LO", "ACME 1.0");
        let item = if inner { item.text((9, 0x2010), b"LO", "ACME's") } else { item };
        let data = Data::image(LE).text((9, 0x10), b"LO", "OTHER").sequence((9, 0x1001), true, &[item]);
        data.text((9, 0x2010), b"LO", "nobody's").bytes
    };
    assert_eq!(run(&[rule("(0009,ACME 1.0,10)", "remove")], LE, &image(true)).unwrap(), image(false));
}

#[test]
fn one_creator_may_have_two_blocks_but_not_one_block_two_creators() {
    let twice = |elements: bool| {
        let data = Data::image(LE).text((9, 0x10), b"LO", "ACME 1.0").text((9, 0x20), b"LO", "ACME 1.0");
        if elements { data.text((9, 0x1010), b"LO", "x").text((9, 0x2010), b"LO", "y") } else { data }.bytes
    };
    assert_eq!(run(&[rule("(0009,ACME 1.0,10)", "remove")], LE, &twice(true)).unwrap(), twice(false));
    let image = Data::image(LE).text((9, 0x10), b"LO", "ACME 1.0").text((9, 0x10), b"LO", "OTHER").bytes;
    let error = run(&[rule("(0009,ACME 1.0,10)", "remove")], LE, &image).unwrap_err();
    assert!(matches!(error.problem, RewriteProblem::Structure(_)));
}

#[test]
fn creators_survive_rules_that_only_edit_their_group() {
    let image = |empty: bool| {
        let data = Data::image(LE).text((9, 0x10), b"LO", "ACME 1.0");
        data.text((9, 0x1010), b"LO", if empty { "" } else { "x" }).bytes
    };
    assert_eq!(run(&[rule("(0009,xxxx)", "empty")], LE, &image(false)).unwrap(), image(true));
    assert_eq!(run(&[rule("(0009,ACME 1.0,xx)", "empty")], LE, &image(false)).unwrap(), image(true));
}

#[test]
fn private_values_are_edited_in_the_vr_that_they_have() {
    let image = |encoding, vr: &[u8; 2], value: &[u8]| {
        Data::image(encoding).text((9, 0x10), b"LO", "ACME 1.0").element((9, 0x1010), vr, value).bytes
    };
    let replace = [rule_with("(0009,ACME 1.0,10)", "replace", "258")];
    assert_eq!(run(&replace, LE, &image(LE, b"LO", b"x ")).unwrap(), image(LE, b"LO", b"258 "));
    assert_eq!(run(&replace, BE, &image(BE, b"US", b"\0\x01")).unwrap(), image(BE, b"US", b"\x01\x02"));
    assert_eq!(run(&replace, LE, &image(LE, b"UN", b"x ")).unwrap(), image(LE, b"UN", b"258 "));
    assert_eq!(
        run(&replace, IMPLICIT, &image(IMPLICIT, b"UN", b"x ")).unwrap(),
        image(IMPLICIT, b"UN", b"258 ")
    );
    let error = run(&replace, LE, &image(LE, b"OB", b"x ")).unwrap_err();
    assert_eq!((error.problem, error.status), (RewriteProblem::NotForVr { rule: 0 }, 0xC002));
}

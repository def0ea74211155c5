//! What rules do on the way there only: add, remove, leave out.

use super::domain::*;
use crate::rewrite::tests::support::*;
use crate::rewrite::{RewriteProblem, Way};

fn site() -> Domain {
    let rules = [
        rule("SOPInstanceUID", "uid"),
        rule("PatientID", "pseudonym"),
        rule_with("InstitutionName", "set", "SITE-07"),
        rule("(0009,ACME 1.0,xx)", "remove"),
        rule("(000B,xxxx)", "remove"),
        rule("(000D,ACME 1.0,01)", "uid"),
    ];
    Domain::new(None, &rules)
}

/// Private blocks: two that the rules remove, by creator and by group, and one with a UID in a value of unknown VR.
fn object(instance: &str, uid: &[u8], patient: &str) -> Data {
    Data::new(LE)
        .text((8, 0x16), b"UI", CLASS)
        .text((8, 0x18), b"UI", instance)
        .text((9, 0x10), b"LO", "ACME 1.0")
        .text((9, 0x1001), b"LO", "nine")
        .text((0xB, 0x10), b"LO", "OTHER")
        .text((0xB, 0x1001), b"LO", "eleven")
        .text((0xD, 0x10), b"LO", "ACME 1.0")
        .element((0xD, 0x1001), b"UN", uid)
        .text((0x10, 0x20), b"LO", patient)
}

#[test]
fn nothing_is_added_or_removed_on_the_way_back() {
    let site = site();
    let there = site.out(&object(INSTANCE, b"1.2.3.5 ", "PID-1"));
    assert_eq!(text(&there, (8, 0x80)).as_deref(), Some("SITE-07"));
    for gone in [(9, 0x10), (9, 0x1001), (0xB, 0x10), (0xB, 0x1001)] {
        assert_eq!(text(&there, gone), None, "{gone:04X?}");
    }
    let mut pseudonym = site.uid("1.2.3.5").into_bytes();
    pseudonym.resize(pseudonym.len().next_multiple_of(2), 0);
    assert_eq!(elements(&there, LE)[&(0xD, 0x1001)], pseudonym);
    let report = object(&site.uid(INSTANCE), &pseudonym, &site.patient());
    // Nobody knows what unknown bytes are, so that the real value is padded as text.
    assert_eq!(site.back(&report).unwrap(), object(INSTANCE, b"1.2.3.5 ", "PID-1").bytes);
}

#[test]
fn private_attributes_that_the_rules_remove_are_not_looked_for() {
    let site = site();
    site.out(&object(INSTANCE, b"1.2.3.5 ", "PID-1"));
    let keys = |value: &str| {
        Data::new(LE)
            .text((8, 0x52), b"CS", "IMAGE")
            .text((9, 0x10), b"LO", "ACME 1.0")
            .text((9, 0x1001), b"LO", value)
            .text((0xB, 0x10), b"LO", "OTHER")
            .text((0xB, 0x1001), b"LO", "")
    };
    let left = Data::new(LE).text((8, 0x52), b"CS", "IMAGE").text((9, 0x10), b"LO", "ACME 1.0").text(
        (0xB, 0x10),
        b"LO",
        "OTHER",
    );
    for way in [Way::ToReal, Way::ToPseudonyms] {
        assert_eq!(site.keys(way, &keys("")), Ok(left.bytes.clone()), "{way:?}");
        assert_eq!(site.keys(way, &keys("nine")), Err(RewriteProblem::NotAKey), "{way:?}");
    }
}

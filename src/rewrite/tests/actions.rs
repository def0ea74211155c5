//! What each action does to a value, and what is found on the way.

use super::support::*;
use crate::dataset::Vr;
use crate::rewrite::{Content, Output, RewriteProblem, RuleSpec};

/// From HMAC-SHA-256 in another program.
const NEW_INSTANCE: &str = "2.25.15976249565425266525576615113897536287";
const NEW_1_2_3_5: &str = "2.25.35688211930467675026486652390463145214";
const PID_1: &str = "C2B7532B63A44134C6035724667BF8219BA13AC659DEFB9CF525E6F51A19DB42";

/// An image with one element more, of the dictionary's VR, in every encoding.
fn changes(rule: &RuleSpec, tag: (u16, u16), vr: &[u8; 2], before: &str, after: &str) {
    for encoding in [LE, BE, IMPLICIT] {
        let image = |value| Data::image(encoding).text(tag, vr, value).bytes;
        let sent = run(std::slice::from_ref(rule), encoding, &image(before)).unwrap();
        assert_eq!(sent.escape_ascii().to_string(), image(after).escape_ascii().to_string());
    }
}

#[test]
fn uids_are_mapped_with_the_key_and_keep_their_number() {
    let rule = rule("StudyInstanceUID", "uid");
    changes(&rule, (0x20, 0xD), b"UI", INSTANCE, NEW_INSTANCE);
    changes(&rule, (0x20, 0xD), b"UI", "1.2.3.4\\1.2.3.5", &format!("{NEW_INSTANCE}\\{NEW_1_2_3_5}"));
    changes(&rule, (0x20, 0xD), b"UI", "1.2.840.10008.1.2", "1.2.840.10008.1.2");
    changes(&rule, (0x20, 0xD), b"UI", "", "");
}

#[test]
fn the_sop_instance_follows_in_command_and_summary() {
    let rules = [rule("SOPInstanceUID", "uid"), rule("StudyInstanceUID", "uid")];
    let image = |instance: &str, study: &str| {
        let data = Data::new(LE).text((8, 0x16), b"UI", CLASS).text((8, 0x18), b"UI", instance);
        data.text((0x10, 0x20), b"LO", "PID-1 ").text((0x20, 0xD), b"UI", study).bytes
    };
    let input = image(INSTANCE, "1.2.3.5");
    let (sent, transform) = run_in(transform(&rules, LE), &input, &[3]).unwrap();
    assert_eq!(sent, image(NEW_INSTANCE, NEW_1_2_3_5));
    assert_eq!(ruleset(&rules).map_sop_instance_uid(INSTANCE), NEW_INSTANCE);
    assert_eq!(ruleset(&rules).map_uid("1.2.3.5"), NEW_1_2_3_5);
    assert_eq!(ruleset(&rules[1..]).map_sop_instance_uid(INSTANCE), INSTANCE);
    let summary = transform.summary();
    assert_eq!(summary.elements, 2);
    assert_eq!(summary.study_instance_uid.as_deref(), Some(&b"1.2.3.5"[..]));
    assert_eq!(summary.new_study_instance_uid.as_deref(), Some(NEW_1_2_3_5.as_bytes()));
    assert_eq!(summary.new_sop_instance_uid.as_deref(), Some(NEW_INSTANCE.as_bytes()));
    assert_eq!(summary.patient_id.as_deref(), Some(&b"PID-1"[..]));
}

#[test]
fn pseudonyms_are_keyed_trimmed_and_cut() {
    changes(&rule("PatientID", "pseudonym"), (0x10, 0x20), b"LO", " PID-1  ", &PID_1[..16]);
    let whole = RuleSpec { length: Some(64), ..rule("PatientID", "pseudonym") };
    changes(&whole, (0x10, 0x20), b"LO", "PID-1", PID_1);
    let odd = RuleSpec { length: Some(9), ..rule("OtherPatientIDs", "pseudonym") };
    changes(&odd, (0x10, 0x1000), b"LO", "PID-1\\\\PID-1", &format!("{0}\\\\{0}", &PID_1[..9]));
    changes(&rule("PatientID", "pseudonym"), (0x10, 0x20), b"LO", "  ", "  ");
}

#[test]
fn values_are_replaced_in_the_dictionarys_vr() {
    changes(&rule_with("InstitutionName", "replace", "SITE-07"), (8, 0x80), b"LO", "St. Anna", "SITE-07");
    changes(&rule_with("InstitutionName", "replace", "SITE-07"), (8, 0x80), b"LO", "", "SITE-07");
    changes(&rule("InstitutionName", "empty"), (8, 0x80), b"LO", "St. Anna", "");
    for encoding in [LE, BE, IMPLICIT] {
        let number = |number: u16| encoding.syntax.put_u16(number);
        let image = |rows| Data::image(encoding).element((0x28, 0x10), b"US", &number(rows)).bytes;
        assert_eq!(run(&[rule_with("Rows", "replace", "258")], encoding, &image(1)).unwrap(), image(258));
    }
    let unknown = Data::image(LE).text((8, 0x80), b"UN", "St. Anna").bytes;
    let known = Data::image(LE).text((8, 0x80), b"LO", "SITE-07").bytes;
    assert_eq!(run(&[rule_with("InstitutionName", "replace", "SITE-07")], LE, &unknown).unwrap(), known);
}

#[test]
fn set_adds_at_the_sorted_place_and_replaces_at_every_depth() {
    let set =
        [rule_with("PatientIdentityRemoved", "set", "YES"), rule_with("BurnedInAnnotation", "set", "NO")];
    for encoding in [LE, BE, IMPLICIT] {
        let item = |value| Data::new(encoding).text((0x12, 0x62), b"CS", value);
        let sequence = |data: Data, value| data.sequence((0x40, 0x275), true, &[item(value)]);
        let name = |data: Data| data.text((0x10, 0x10), b"PN", "DOE");
        let yes = |data: Data| data.text((0x12, 0x62), b"CS", "YES");
        let no = |data: Data| data.text((0x28, 0x301), b"CS", "NO");
        let cases = [
            (name(Data::image(encoding)), no(yes(name(Data::image(encoding))))),
            (
                sequence(name(Data::image(encoding)), "MAYBE"),
                sequence(no(yes(name(Data::image(encoding)))), "YES"),
            ),
            (Data::image(encoding).text((0x12, 0x62), b"CS", "NO"), no(yes(Data::image(encoding)))),
            (
                Data::image(encoding).element((0x7FE0, 0x10), b"OW", &[1, 2]),
                no(yes(Data::image(encoding))).element((0x7FE0, 0x10), b"OW", &[1, 2]),
            ),
        ];
        for (before, after) in cases {
            assert_eq!(run(&set, encoding, &before.bytes).unwrap(), after.bytes);
        }
    }
    let hidden = [rule("(0012,xxxx)", "remove"), rule_with("PatientIdentityRemoved", "set", "YES")];
    assert_eq!(
        run(&hidden, LE, &Data::image(LE).bytes).unwrap(),
        Data::image(LE).bytes,
        "the first rule decides"
    );
}

#[test]
fn the_first_rule_that_matches_decides_at_every_depth() {
    let rules =
        [rule("PatientSex", "keep"), rule("(0010,xxxx)", "remove"), rule_with("PatientID", "replace", "X")];
    let with = |full: bool| {
        let data = Data::new(LE);
        let data =
            if full { data.text((0x10, 0x10), b"PN", "DOE").text((0x10, 0x20), b"LO", "1") } else { data };
        data.text((0x10, 0x40), b"CS", "F")
    };
    let image = |full| {
        let top = with(full);
        let mut data = Data::image(LE).sequence((0x8, 0x1115), false, &[with(full)]);
        data.bytes.extend(top.bytes);
        data.bytes
    };
    assert_eq!(run(&rules, LE, &image(true)).unwrap(), image(false));
}

#[test]
fn patterns_see_the_text_of_the_character_set_in_force() {
    let digits = pattern("StudyDescription", "[0-9]{4,}", "#");
    changes(&digits, (8, 0x1030), b"LO", "CT 123456 of 1999\\12", "CT # of #\\12");
    changes(&pattern("StudyDescription", "^CT (\\w+)$", "$1"), (8, 0x1030), b"LO", "CT head\\MR", "head\\MR");
    changes(&pattern("PatientComments", "a\\\\b", "c"), (0x10, 0x4000), b"LT", "1\\a\\b", "1\\c");
    changes(&pattern("PatientBirthDate", "[0-9]{4}$", "0101"), (0x10, 0x30), b"DA", "19801231", "19800101");
    changes(&pattern("PatientBirthDate", "[0-9]{4}$", "x"), (0x10, 0x30), b"DA", "19801231", "");
    let grow = pattern("AccessionNumber", "x", "0123456789");
    changes(&grow, (8, 0x50), b"SH", "xx", "0123456789012345");
    let described = |set: &str, value: &[u8]| {
        let data = Data::new(LE).text((8, 5), b"CS", set);
        let mut image = Data::image(LE);
        image.bytes = [data.bytes, image.bytes].concat();
        image.element((8, 0x1030), b"LO", value).bytes
    };
    let mueller = [pattern("StudyDescription", "M\u{fc}ller", "#")];
    let run = |set, value: &[u8]| run(&mueller, LE, &described(set, value)).unwrap();
    assert_eq!(run("ISO_IR 100", b"M\xFCller, K"), described("ISO_IR 100", b"#, K"));
    assert_eq!(run("ISO_IR 192", "M\u{fc}ller".as_bytes()), described("ISO_IR 192", b"# "));
    assert_eq!(run("ISO_IR 100", b"caf\xE9"), described("ISO_IR 100", b"caf\xE9"), "not found, not touched");
    assert_eq!(
        run("ISO_IR 192", b"M\xFCller"),
        described("ISO_IR 192", b""),
        "undecodable is taken as found"
    );
    assert_eq!(run("ISO_IR 999", b"caf\xE9"), described("ISO_IR 999", b""));
    assert_eq!(run("", b"M\xFCller"), described("", b""));
    assert_eq!(run("", b"Miller"), described("", b"Miller"));
}

#[test]
fn an_item_may_have_a_character_set_of_its_own() {
    let described = |set: Option<&str>, value: &[u8]| {
        let data = set.into_iter().fold(Data::new(LE), |data, set| data.text((8, 5), b"CS", set));
        data.element((8, 0x1030), b"LO", value)
    };
    let image = |values: [&[u8]; 3]| {
        let items = [described(Some("ISO_IR 192"), values[0]), described(None, values[1])];
        let mut image = described(Some("ISO_IR 100"), b"");
        image.bytes.truncate(18);
        image.bytes.extend(Data::image(LE).bytes);
        let data = image.sequence((8, 0x1032), true, &items);
        data.element((0x10, 0x4000), b"LT", values[2]).bytes
    };
    let rules = ["StudyDescription", "PatientComments"].map(|tag| pattern(tag, "\u{fc}", "ue"));
    let sent = run(&rules, LE, &image([b"1 \xC3\xBC ", b"2 \xFC ", b"3 \xFC "])).unwrap();
    assert_eq!(sent, image([b"1 ue", b"2 ue", b"3 ue"]));
}

#[test]
fn a_data_set_that_is_not_the_commands_is_refused() {
    let check = |data: Data, comment: &str| {
        let error = run(&[rule("PatientName", "remove")], LE, &data.bytes).unwrap_err();
        assert_eq!((error.status, error.comment().as_str()), (0xA900, comment));
    };
    let class = Data::new(LE).text((8, 0x16), b"UI", CLASS);
    check(class.clone().text((8, 0x18), b"UI", "1.2.3.5"), "(0008,0018): differs from the command");
    check(Data::new(LE).text((8, 0x16), b"UI", "1.2"), "(0008,0016): differs from the command");
    check(class.clone(), "(0008,0018): missing");
    check(class.text((0x10, 0x10), b"PN", "DOE"), "(0008,0018): missing");
    let without_class = Data::new(LE).text((8, 0x18), b"UI", INSTANCE);
    assert_eq!(run(&[], LE, &without_class.bytes).unwrap(), without_class.bytes);
}

#[test]
fn group_lengths_go_and_trailing_padding_stays() {
    let name = |data: Data| data.text((0x10, 0x10), b"PN", "DOE");
    let padding = |data: Data| data.element((0xFFFC, 0xFFFC), b"OB", &[0; 10]);
    let lengths = |group| Data::new(LE).element((group, 0), b"UL", &[9, 0, 0, 0]);
    let mut with = lengths(8);
    with.bytes.extend(Data::image(LE).bytes);
    with.bytes.extend(padding(name(lengths(0x10))).bytes);
    let (sent, transform) = run_in(transform(&[], LE), &with.bytes, &[5]).unwrap();
    assert_eq!(sent, padding(name(Data::image(LE))).bytes);
    assert_eq!(transform.summary().elements, 0);
}

#[test]
fn long_values_pass_or_go_but_are_not_edited() {
    let long = |data: Data| data.element((0x10, 0x4000), b"UT", &[b'1'; 70_000]);
    let image = long(Data::image(LE)).bytes;
    assert_eq!(run(&[rule("PatientComments", "remove")], LE, &image).unwrap(), Data::image(LE).bytes);
    let error = run(&[pattern("PatientComments", "1", "2")], LE, &image).unwrap_err();
    assert_eq!((error.problem, error.status), (RewriteProblem::TooLong, 0xC001));
    let grow = rule_with("PatientComments", "replace", &"x".repeat(5_000));
    let item = Data::new(LE).text((0x10, 0x4000), b"LT", "");
    let many = Data::image(LE).sequence((0x40, 0x275), true, &vec![item; 2_000]);
    assert_eq!(run(&[grow], LE, &many.bytes).unwrap_err().problem, RewriteProblem::Grown);
}

#[test]
fn encapsulated_pixel_data_pass_go_or_are_emptied() {
    let image = Data::image(LE).fragments(&[&[], b"\xFE\xFF\xDD\xE0\0\0\0\0", &[3; 70_000]]).bytes;
    let without = Data::image(LE).bytes;
    assert_eq!(run(&[rule("PatientName", "remove")], LE, &image).unwrap(), image);
    assert_eq!(run(&[rule("PixelData", "remove")], LE, &image).unwrap(), without);
    let emptied = Data::image(LE).element((0x7FE0, 0x10), b"OB", b"").bytes;
    assert_eq!(run(&[rule("PixelData", "empty")], LE, &image).unwrap(), emptied);
}

#[test]
fn sequences_are_kept_emptied_or_removed_whole() {
    for defined in [true, false] {
        let item = Data::new(LE).text((0x10, 0x10), b"PN", "DOE");
        let with = |items: &[Data]| Data::image(LE).sequence((0x40, 0x275), defined, items).bytes;
        let rules = |action| [rule("RequestAttributesSequence", action), rule("PatientName", "remove")];
        let image = with(&[item]);
        assert_eq!(run(&rules("keep"), LE, &image).unwrap(), with(&[Data::new(LE)]));
        assert_eq!(run(&rules("remove"), LE, &image).unwrap(), Data::image(LE).bytes);
        let emptied = Data::image(LE).header((0x40, 0x275), b"SQ", 0).bytes;
        assert_eq!(run(&rules("empty"), LE, &image).unwrap(), emptied);
    }
    let private = Data::image(LE).text((9, 0x10), b"LO", "ACME").sequence((9, 0x1001), true, &[]);
    let error = run(&[rule("(0009,ACME,01)", "pseudonym")], LE, &private.bytes).unwrap_err();
    assert_eq!((error.problem, error.depth), (RewriteProblem::NotForSequences { rule: 0 }, 0));
}

#[test]
fn it_is_settled_when_the_header_is_past() {
    let image = Data::image(LE).text((0x10, 0x10), b"PN", "DOE");
    let pixels = image.clone().element((0x7FE0, 0x10), b"OW", &[0; 9_000]);
    let mut transform = transform(&[rule("PatientName", "remove")], LE);
    let mut output = Output::new();
    transform.push(&pixels.bytes[..image.bytes.len()], &mut output).unwrap();
    assert!(!transform.settled());
    transform.push(&pixels.bytes[image.bytes.len()..][..20], &mut output).unwrap();
    assert!(transform.settled());
}

#[test]
fn an_error_stays_and_so_does_the_end() {
    let mut output = Output::new();
    let mut failed = transform(&[], LE);
    let error = failed.push(&[0; 12], &mut output).unwrap_err();
    assert_eq!(failed.push(&Data::image(LE).bytes, &mut output), Err(error.clone()));
    assert_eq!(failed.finish(&mut output), Err(error));
    assert!(output.is_empty());
    let mut finished = transform(&[], LE);
    finished.push(&Data::image(LE).bytes, &mut output).unwrap();
    finished.finish(&mut output).unwrap();
    assert_eq!(finished.push(b"", &mut output).unwrap_err().problem, RewriteProblem::Finished);
}

#[test]
fn changes_are_told_one_by_one_where_asked() {
    let item = Data::new(LE).text((0x10, 0x10), b"PN", "DOE");
    let image = Data::image(LE)
        .text((0x8, 0x80), b"LO", &"x".repeat(100))
        .sequence((0x40, 0x275), true, &[Data::new(LE), item.clone()])
        .sequence((0x40, 0x555), false, &[item])
        .element((0x7FE0, 0x10), b"OW", &[0; 70_000]);
    let rules = [
        rule("PatientName", "remove"),
        rule("InstitutionName", "empty"),
        rule_with("PatientSex", "set", "O"),
        rule("AcquisitionContextSequence", "remove"),
        rule("PixelData", "remove"),
    ];
    let transform = transform(&rules, LE).recording_changes();
    let (_, transform) = run_in(transform, &image.bytes, &[11]).unwrap();
    assert_eq!(transform.summary().elements, 5);
    let told = transform.changes().iter().map(|change| {
        let path: Vec<String> =
            change.path.iter().map(|step| format!("{}[{}]", step.sequence, step.item)).collect();
        (path.join("."), change.tag.to_string(), change.rule, change.before.clone(), change.after.clone())
    });
    let value = |text: &str, whole| Content::Value { start: text.into(), whole };
    let top = String::new;
    let expected = [
        (top(), "(0008,0080)".into(), 1, value(&"x".repeat(64), false), value("", true)),
        (top(), "(0010,0040)".into(), 2, Content::Absent, value("O", true)),
        ("(0040,0275)[2]".into(), "(0010,0010)".into(), 0, value("DOE", true), Content::Absent),
        (top(), "(0040,0555)".into(), 3, Content::Sequence, Content::Absent),
        (top(), "(7FE0,0010)".into(), 4, Content::Bulk { length: Some(70_000) }, Content::Absent),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert_eq!(transform.changes()[0].vr, Vr::LO);
}

//! What is wrong with rules, told all at once.

use super::support::*;
use crate::rewrite::{RuleSpec, Ruleset, RulesetSpec};

fn problems(rules: &[RuleSpec]) -> Vec<(usize, &'static str)> {
    let problems = Ruleset::compile(spec(rules)).map(|_| ()).unwrap_err();
    problems.iter().map(|problem| (problem.rule_index, problem.key)).collect()
}

#[test]
fn every_problem_is_found_with_its_key() {
    let with_length = |length| RuleSpec { length: Some(length), ..rule("PatientID", "pseudonym") };
    let rules = [
        rule("PatentName", "remove"),
        rule("PatientName", "delete"),
        rule("PatientName", "replace"),
        rule_with("PatientSex", "replace", "male"),
        pattern("StudyDescription", "[0-9", "#"),
        pattern("StudyDescription", "[0-9]", "\u{e9}"),
        with_length(7),
        with_length(65),
        RuleSpec { length: Some(17), ..rule("AccessionNumber", "pseudonym") },
        rule("PatientBirthDate", "pseudonym"),
        rule("PatientName", "uid"),
        rule_with("PatientName", "remove", "x"),
        rule_with("(0009,1001)", "set", "x"),
        rule_with("(0010,xxxx)", "replace", "x"),
        rule_with("RequestAttributesSequence", "replace", "x"),
        rule("(0002,0010)", "remove"),
        rule("(0010,0000)", "remove"),
        rule("qq", "qq"),
    ];
    let expected = [
        (0, "tag"),
        (1, "action"),
        (2, "value"),
        (3, "value"),
        (4, "find"),
        (5, "value"),
        (6, "length"),
        (7, "length"),
        (8, "length"),
        (9, "action"),
        (10, "action"),
        (11, "value"),
        (12, "tag"),
        (13, "action"),
        (14, "action"),
        (15, "tag"),
        (16, "tag"),
        (17, "tag"),
        (17, "action"),
    ];
    assert_eq!(problems(&rules), expected);
}

#[test]
fn what_a_c_store_needs_cannot_be_taken_away() {
    for action in ["remove", "empty", "pseudonym"] {
        for tag in ["SOPInstanceUID", "SOPClassUID", "SpecificCharacterSet"] {
            assert_eq!(problems(&[rule(tag, action)]).first(), Some(&(0, "action")), "{tag} {action}");
        }
    }
    assert_eq!(problems(&[rule("SOPClassUID", "uid")]), [(0, "action")]);
    assert_eq!(problems(&[rule_with("SOPInstanceUID", "set", "1.2")]), [(0, "action")]);
    assert_eq!(problems(&[rule("(0008,xxxx)", "remove")]), [(0, "action"); 3]);
    let kept = ["SOPClassUID", "SpecificCharacterSet"].map(|tag| rule(tag, "keep"));
    ruleset(&[&kept[..], &[rule("SOPInstanceUID", "uid"), rule("(0008,xxxx)", "remove")]].concat());
}

#[test]
fn keyed_actions_need_the_secret() {
    for action in ["pseudonym", "uid"] {
        let rules = vec![rule("(0009,ACME,10)", action)];
        let problems = Ruleset::compile(RulesetSpec { rules, ..RulesetSpec::default() }).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].to_string().starts_with("rule 1: action: ") && problems[0].message.contains("secret")
        );
    }
}

#[test]
fn what_is_shown_of_rules_does_not_hold_the_secret() {
    let spec = spec(&[rule("PatientID", "pseudonym")]);
    let shown = format!("{spec:?} {:?}", Ruleset::compile(spec.clone()).unwrap());
    assert!(shown.contains("PatientID") && !shown.contains("a test's"), "{shown}");
    assert!(!shown.contains(&format!("{:?}", b"a test's secret")[1..20]), "{shown}");
}

#[test]
fn rules_that_can_never_decide_are_found() {
    let rules = ruleset(&[
        rule("PatientName", "remove"),
        rule("(0010,0010)", "keep"),
        rule("(0009,xxxx)", "remove"),
        rule("(0009,ACME,10)", "keep"),
        rule("(0011,ACME,xx)", "remove"),
        rule("(0011,ACME,10)", "keep"),
        rule("(60xx,xxxx)", "remove"),
        rule("(60xx,3000)", "remove"),
        rule("(6xxx,3000)", "remove"),
    ]);
    assert_eq!(rules.unreachable(), [(1, 0), (3, 2), (5, 4), (7, 6)]);
    assert_eq!((rules.len(), rules.tag_text(3)), (9, "(0009,ACME,10)"));
}

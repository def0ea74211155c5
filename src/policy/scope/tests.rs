use std::time::Duration;

use proptest::prelude::*;
use time::Date;
use time::macros::date;

use super::{Attribute, Condition, Judged, Scope};
use Attribute::{IssuerOfPatientId, ModalitiesInStudy, StudyDate};

const TODAY: Date = date!(2026 - 11 - 30);

fn scope(conditions: Vec<Condition>) -> Scope {
    Scope::new(conditions, Duration::from_secs(300))
}

fn one_of(attribute: Attribute, values: &[&str]) -> Condition {
    Condition::one_of(attribute, values.iter().map(|value| (*value).into()).collect())
}

fn example() -> Scope {
    scope(vec![
        one_of(IssuerOfPatientId, &["LYON"]),
        Condition::newer_than(StudyDate, 90),
        one_of(ModalitiesInStudy, &["CT", "MR"]),
    ])
}

/// Issuer, date and modalities.
type Said = [&'static [u8]; 3];

fn judged<'s>(scope: &'s Scope, issuer: &[u8], date: &[u8], modalities: &[u8]) -> Judged<'s> {
    let value = |attribute| match attribute {
        IssuerOfPatientId => Some(issuer),
        StudyDate => Some(date),
        ModalitiesInStudy => Some(modalities),
        _ => None,
    };
    // What is empty may as well be absent.
    let present = |attribute| value(attribute).filter(|value| *value != b"-");
    scope.judge(TODAY, present)
}

#[test]
fn every_condition_has_to_hold_and_what_is_not_known_is_outside() {
    let scope = example();
    let [issuer, date, modalities] = [0, 1, 2].map(|at| &scope.conditions()[at]);
    let cases: [(Said, Judged<'_>); 17] = [
        ([b"LYON", b"20261130", b"CT"], Judged::Inside),
        ([b"LYON", b"20260901", b"SR\\CT "], Judged::Inside),
        ([b" LYON ", b"20260901", b"SR\\ MR\0"], Judged::Inside),
        ([b"LYON", b"20270101", b"MR"], Judged::Inside),
        ([b"LYON", b"20260831", b"CT"], Judged::Outside(date)),
        ([b"Lyon", b"20261130", b"CT"], Judged::Outside(issuer)),
        ([b"PARIS\\LYON", b"20261130", b"CT"], Judged::Outside(issuer)),
        ([b"LYON", b"20261130", b"CTX\\US"], Judged::Outside(modalities)),
        ([b"LYON", b"20261130", b"\x83\\CT"], Judged::Outside(modalities)),
        ([b"", b"20261130", b"CT"], Judged::Unknown(issuer)),
        ([b"-", b"20261130", b"CT"], Judged::Unknown(issuer)),
        ([b"LYON", b"20260901-", b"CT"], Judged::Unknown(date)),
        ([b"LYON", b"20261131", b"CT"], Judged::Unknown(date)),
        ([b"LYON", b"2026113\xff", b"CT"], Judged::Unknown(date)),
        ([b"LYON", b"", b"CT"], Judged::Unknown(date)),
        ([b"LYON", b"20261130", b"  "], Judged::Unknown(modalities)),
        // What is known to be outside is said before what is not known.
        ([b"", b"20261130", b"US"], Judged::Outside(modalities)),
    ];
    for (said, ([a, b, c], expected)) in cases.into_iter().enumerate() {
        assert_eq!(judged(&scope, a, b, c), expected, "{said}");
    }
}

#[test]
fn objects_are_judged_by_what_objects_have() {
    let scope = example();
    let object = |attribute| match attribute {
        IssuerOfPatientId => Some(&b"LYON"[..]),
        StudyDate => Some(&b"20261130"[..]),
        _ => None,
    };
    assert_eq!(scope.judge_object(TODAY, object), Judged::Inside);
    assert!(!scope.judge(TODAY, object).is_inside());
    assert!(!scope.judge_object(TODAY, |_| None).is_inside());
}

#[test]
fn a_scope_says_what_it_asks() {
    let said = "IssuerOfPatientID equals LYON; StudyDate newer-than 90d; ModalitiesInStudy any-of CT, MR";
    assert_eq!(example().to_string(), said);
    assert_eq!(example().attributes(), [StudyDate, ModalitiesInStudy, IssuerOfPatientId]);
    assert!(!example().is_of_patients() && scope(vec![one_of(IssuerOfPatientId, &["A"])]).is_of_patients());
}

fn a_condition() -> impl Strategy<Value = Condition> {
    let values = prop::collection::vec(prop::sample::select(vec!["A", "B", "C"]), 1..3);
    prop_oneof![
        values.clone().prop_map(|values| one_of(IssuerOfPatientId, &values)),
        values.prop_map(|values| one_of(ModalitiesInStudy, &values)),
        (0..4_u32).prop_map(|days| Condition::newer_than(StudyDate, days)),
    ]
}

fn a_scope() -> impl Strategy<Value = Scope> {
    prop::collection::vec(a_condition(), 1..4).prop_map(scope)
}

proptest! {
    #[test]
    fn what_covers_lets_through_whatever_the_other_does(
        (wide, narrow) in (a_scope(), a_scope()),
        issuer in "[ABC]{0,1}",
        modalities in prop::collection::vec("[ABC]", 0..3),
        ago in 0..6_i64,
    ) {
        let day = (TODAY - time::Duration::days(ago)).to_string().replace('-', "");
        let said = (issuer.as_bytes(), day.as_bytes(), modalities.join("\\"));
        let inside = |scope: &Scope| judged(scope, said.0, said.1, said.2.as_bytes()).is_inside();
        if wide.covers(&narrow) && inside(&narrow) {
            prop_assert!(inside(&wide), "{wide} / {narrow}");
        }
        prop_assert!(wide.covers(&wide));
    }

    #[test]
    fn one_condition_more_never_lets_more_through(
        (scope_of, more) in (prop::collection::vec(a_condition(), 1..3), a_condition()),
        issuer in "[ABC]{0,1}",
        modality in "[ABC]{0,1}",
    ) {
        let fewer = scope(scope_of.clone());
        let with = scope(scope_of.into_iter().chain([more]).collect());
        let inside = |scope: &Scope| judged(scope, issuer.as_bytes(), b"20261128", modality.as_bytes()).is_inside();
        prop_assert!(!inside(&with) || inside(&fewer));
        prop_assert!(fewer.covers(&with));
    }
}

#[test]
fn where_patients_are_counted_it_is_asked_who_they_are_and_nobody_says_it_again() {
    let today = date!(2026 - 01 - 01);
    let (id, issuer) = (Attribute::PatientId, Attribute::IssuerOfPatientId);
    let all = Scope::counting_patients(None);
    assert_eq!(all.attributes(), [id, issuer]);
    assert!(all.judge(today, |_| None).is_inside() && all.is_of_patients());
    let believes = |scope: &Scope| {
        [(issuer, "LYON"), (issuer, ""), (id, "A"), (Attribute::StudyId, "1")]
            .map(|(attribute, value)| scope.could_believe(attribute, value.as_bytes(), today))
    };
    assert_eq!(believes(&all), [true, false, false, false]);
    let of_study = Condition::one_of(Attribute::StudyId, vec!["1".into()]);
    let narrow = Scope::new(vec![of_study], Duration::ZERO);
    let both = Scope::counting_patients(Some(&narrow));
    assert_eq!(both.attributes(), [id, issuer, Attribute::StudyId]);
    assert_eq!(
        (believes(&narrow), believes(&both)),
        ([false, false, false, true], [true, false, false, true])
    );
    assert_eq!(both.judge(today, |_| None).is_inside(), narrow.judge(today, |_| None).is_inside());
    assert!(!narrow.counts_patients() && both.counts_patients() && both.remembered == Duration::ZERO);
}

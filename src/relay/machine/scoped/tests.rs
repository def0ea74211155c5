//! What identifiers ask for, read.

use std::time::Duration;

use super::super::granted::{By, Granted};
use super::super::want::{Below, LookUp};
use super::reading::{Wish, read};
use crate::dataset::{Encoding, Small, Tag, write_text};
use crate::dimse::Operation::{self, CFind, CGet, CMove};
use crate::policy::Scope;
use crate::policy::scope::{Attribute, Condition};
use time::macros::date;

const LEVEL: Tag = Tag(0x0008, 0x0052);
const DATE: Tag = Tag(0x0008, 0x0020);
const NAME: Tag = Tag(0x0010, 0x0010);
const PATIENT: Tag = Tag(0x0010, 0x0020);
const ISSUER: Tag = Tag(0x0010, 0x0021);
const STUDY: Tag = Tag(0x0020, 0x000D);
const SERIES: Tag = Tag(0x0020, 0x000E);
const INSTANCE: Tag = Tag(0x0008, 0x0018);

fn encoding() -> Encoding {
    Encoding::of("1.2.840.10008.1.2.1").unwrap()
}

fn identifier(keys: &[(Tag, &str)]) -> Vec<u8> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    let mut bytes = Vec::new();
    keys.iter().for_each(|(tag, value)| write_text(&mut bytes, encoding().syntax, *tag, value.as_bytes()));
    bytes
}

fn scope(conditions: Vec<Condition>) -> Scope {
    Scope::new(conditions, Duration::from_secs(1))
}

fn lyon() -> Condition {
    Condition::one_of(Attribute::IssuerOfPatientId, vec!["LYON".into()])
}

fn wish(operation: Operation, keys: &[(Tag, &str)]) -> Result<Wish, &'static str> {
    let scope = scope(vec![lyon(), Condition::newer_than(Attribute::StudyDate, 90)]);
    read(&scope, date!(2026 - 11 - 30), operation, encoding(), &identifier(keys))
}

#[test]
fn a_query_of_studies_is_asked_for_what_judges_them() {
    let asked = [(LEVEL, "STUDY"), (DATE, "20261101-"), (NAME, "DOE*")];
    let Ok(Wish::GoesOn { data, granted }) = wish(CFind, &asked) else { panic!("it does not go on") };
    let asked_for = identifier(&[(LEVEL, "STUDY"), (DATE, "20261101-"), (NAME, "DOE*"), (ISSUER, "")]);
    assert_eq!(data, Some(asked_for));
    assert_eq!((granted.by, granted.added), (By::Themselves, vec![ISSUER]));
    // An archive that does not know the attribute could say again what it was told.
    for told in [(ISSUER, "LYON"), (ISSUER, "lyon"), (DATE, "20261130")] {
        let Ok(Wish::GoesOn { data: Some(data), granted }) = wish(CFind, &[(LEVEL, "STUDY"), told]) else {
            panic!("{told:?}")
        };
        assert_eq!(granted.by, By::TheirStudies);
        assert!(granted.added.contains(&STUDY) && Small::read(encoding(), &data).unwrap().has(STUDY));
    }
}

#[test]
fn patients_are_judged_by_a_scope_of_patients_only() {
    assert!(wish(CFind, &[(LEVEL, "PATIENT"), (PATIENT, "")]).is_err());
    let of_patients = scope(vec![lyon()]);
    let read = |keys: &[(Tag, &str)]| {
        read(&of_patients, date!(2026 - 11 - 30), CFind, encoding(), &identifier(keys))
    };
    assert!(matches!(read(&[(LEVEL, "PATIENT")]), Ok(Wish::GoesOn { .. })));
    // One issuer is asked for, and not by; what else is asked by is asked.
    for issuer in ["LYON", "PARIS"] {
        let asked = read(&[(LEVEL, "PATIENT"), (NAME, "DOE*"), (ISSUER, issuer)]);
        let data = Some(identifier(&[(LEVEL, "PATIENT"), (NAME, "DOE*"), (ISSUER, "")]));
        let granted = Granted::new(By::OfIssuer(issuer.into()), Vec::new());
        assert_eq!(asked, Ok(Wish::GoesOn { data, granted }));
    }
    for wide in ["LY*", "LYO?", "LYON\\PARIS", "*"] {
        assert!(read(&[(LEVEL, "PATIENT"), (ISSUER, wide)]).is_err(), "{wide}");
    }
}

#[test]
fn what_lies_below_a_study_has_it_looked_up() {
    let study = || LookUp { studies: vec!["1.2".into()], below: None };
    for level in ["SERIES", "IMAGE"] {
        let Ok(Wish::LookUp { look_up, granted }) = wish(CFind, &[(LEVEL, level), (STUDY, "1.2")]) else {
            panic!("{level}")
        };
        assert_eq!((look_up, granted.by), (study(), By::Studies(vec!["1.2".into()])));
        for several in ["", "1.2\\1.3", "*", "1.2*", "1.?"] {
            assert!(wish(CFind, &[(LEVEL, level), (STUDY, several)]).is_err(), "{several}");
        }
        assert!(wish(CFind, &[(LEVEL, level)]).is_err());
    }
}

#[test]
fn a_retrieval_names_uids_down_to_its_level() {
    for operation in [CMove, CGet] {
        let look_up = |keys: &[(Tag, &str)]| match wish(operation, keys) {
            Ok(Wish::LookUp { look_up, .. }) => Some((look_up.studies.join(" "), look_up.below)),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        let of_study = (LEVEL, "STUDY");
        assert_eq!(look_up(&[of_study, (STUDY, "1.2")]), Some(("1.2".into(), None)));
        assert_eq!(look_up(&[of_study, (STUDY, "1.2\\1.3"), (PATIENT, "P")]), Some(("1.2 1.3".into(), None)));
        let series = Below::Series(vec!["1.2.1".into(), "1.2.2".into()]);
        let named = [(LEVEL, "SERIES"), (STUDY, "1.2"), (SERIES, "1.2.1\\1.2.2")];
        assert_eq!(look_up(&named), Some(("1.2".into(), Some(series))));
        let instances = Below::Instances { series: "1.2.1".into(), instances: vec!["1.2.1.1".into()] };
        let named = [(LEVEL, "IMAGE"), (STUDY, "1.2"), (SERIES, "1.2.1"), (INSTANCE, "1.2.1.1")];
        assert_eq!(look_up(&named), Some(("1.2".into(), Some(instances))));
        let refused: [&[(Tag, &str)]; 15] = [
            &[(STUDY, "1.2")],
            &[(LEVEL, "study"), (STUDY, "1.2")],
            &[(LEVEL, "PATIENT"), (PATIENT, "P")],
            &[of_study],
            &[of_study, (STUDY, "")],
            &[of_study, (STUDY, "*")],
            &[of_study, (STUDY, "1.2\\")],
            &[of_study, (STUDY, "1.2"), (SERIES, "1.2.1")],
            &[of_study, (STUDY, "1.2"), (NAME, "DOE")],
            &[(LEVEL, "SERIES"), (SERIES, "1.2.1")],
            &[(LEVEL, "SERIES"), (STUDY, "1.2")],
            &[(LEVEL, "SERIES"), (STUDY, "1.2\\1.3"), (SERIES, "1.2.1")],
            &[(LEVEL, "SERIES"), (STUDY, "1.2"), (SERIES, "1.2.1"), (INSTANCE, "1.2.1.1")],
            &[(LEVEL, "IMAGE"), (STUDY, "1.2"), (INSTANCE, "1.2.1.1")],
            &[(LEVEL, "IMAGE"), (STUDY, "1.2"), (SERIES, "1.2.1\\1.2.2"), (INSTANCE, "1.2.1.1")],
        ];
        for keys in refused {
            assert_eq!(look_up(keys), None, "{keys:?}");
        }
        let many = vec!["1.2"; 33].join("\\");
        assert_eq!(look_up(&[of_study, (STUDY, &many)]), None);
        assert_eq!(look_up(&[of_study, (STUDY, "1.2"), (NAME, "")]), Some(("1.2".into(), None)));
    }
}

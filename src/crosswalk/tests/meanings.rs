//! What a pseudonym stands for: one value, found both ways, of one patient.

use proptest::prelude::*;

use super::folder::{ACCESSION, Folder, ID, NAME, everything, pair, secret, site};
use crate::crosswalk::{Crosswalk, NotStored, erase, rotate};
use crate::dataset::Tag;
use crate::rewrite::{Correspondence, Correspondences, Kind};

#[test]
fn what_was_stored_is_found_both_ways_after_a_restart() {
    let folder = Folder::new();
    folder.filled();
    let crosswalk = folder.open();
    for one in site() {
        let forward = crosswalk.pseudonym_of(one.kind, &one.real).unwrap();
        assert_eq!(forward, one.kind.leads_forward().then(|| one.pseudonym.clone()), "{one:?}");
        let behind = crosswalk.behind(one.kind, &one.pseudonym).unwrap();
        assert_eq!(behind, one.kind.leads_back().then(|| one.clone()), "{one:?}");
    }
    assert_eq!(crosswalk.pseudonym_of(Kind::Uid, b"2.25.1").unwrap(), None);
    assert_eq!(crosswalk.real_of(Kind::Uid, b"1.2.826.0.1.777.1").unwrap(), None);
    assert_eq!(crosswalk.real_of(ACCESSION, b"PSEUDO1").unwrap(), None);
}

#[test]
fn a_pseudonym_never_gets_a_second_meaning() {
    let folder = Folder::new();
    let crosswalk = folder.open();
    crosswalk.store_blocking(site()).unwrap();
    let free = || pair(Kind::Uid, "1.2.3", "2.25.3", None);
    for taken in [
        pair(Kind::Uid, "1.2.4", "2.25.1", None),
        pair(Kind::Uid, "1.2.826.0.1.777.1", "2.25.4", None),
        pair(ID, "HOSPITAL-4713", "PSEUDO1", None),
        pair(Kind::Days, "HOSPITAL-4711", "-124", None),
    ] {
        let kind = taken.kind;
        assert_eq!(crosswalk.store_blocking(vec![free(), taken]), Err(NotStored::Taken), "{kind:?}");
        assert_eq!(crosswalk.pseudonym_of(Kind::Uid, b"1.2.3").unwrap(), None, "all or nothing");
    }
    crosswalk.store_blocking(vec![free(), pair(Kind::Days, "HOSPITAL-4713", "-123", None)]).unwrap();
    // The same again is no news, by whomever.
    crosswalk.store_blocking(site()).unwrap();
    assert_eq!(crosswalk.real_of(Kind::Uid, b"2.25.1").unwrap(), Some(b"1.2.826.0.1.777.1".to_vec()));
}

#[test]
fn of_the_names_of_a_patient_the_newest_counts() {
    let folder = Folder::new();
    let crosswalk = folder.open();
    crosswalk.store_blocking(site()).unwrap();
    crosswalk
        .store_blocking(vec![pair(NAME, "MARRIED^FIRST", "ANON^PSEUDO1", Some("HOSPITAL-4711"))])
        .unwrap();
    assert_eq!(crosswalk.real_of(NAME, b"ANON^PSEUDO1").unwrap(), Some(b"MARRIED^FIRST".to_vec()));
    drop(crosswalk);
    assert_eq!(folder.open().real_of(NAME, b"ANON^PSEUDO1").unwrap(), Some(b"MARRIED^FIRST".to_vec()));
    assert_eq!(everything(&folder.path(), 1).unwrap().len(), site().len());
}

#[test]
fn a_name_under_a_pseudonym_of_two_patients_is_not_the_others() {
    let folder = Folder::new();
    let crosswalk = folder.open();
    crosswalk.store_blocking(site()).unwrap();
    let other = pair(NAME, "OTHER^FIRST", "ANON^PSEUDO1", Some("HOSPITAL-4712"));
    assert_eq!(crosswalk.store_blocking(vec![other]), Err(NotStored::Taken));
    assert_eq!(crosswalk.real_of(NAME, b"ANON^PSEUDO1").unwrap(), Some(b"SURNAME1^FIRST".to_vec()));
    drop(crosswalk);
    assert_eq!(everything(&folder.path(), 1).unwrap(), site());
}

#[test]
fn what_was_nobodys_becomes_a_patients_and_is_erased_with_it() {
    let folder = Folder::new();
    let crosswalk = folder.open();
    let nobodys = || vec![pair(Kind::Uid, "1.2.3", "2.25.3", None), pair(ACCESSION, "A-3", "CODE3", None)];
    let of = |patient: &str| -> Vec<_> {
        let of = |one| Correspondence { patient: Some(patient.as_bytes().to_vec()), ..one };
        nobodys().into_iter().map(of).collect()
    };
    crosswalk.store_blocking(nobodys()).unwrap();
    crosswalk.store_blocking(of("HOSPITAL-4711")).unwrap();
    // Neither nobody nor another takes it back, whatever the newest look-ups remember.
    for later in [nobodys(), of("HOSPITAL-4712")] {
        crosswalk.store_blocking(later).unwrap();
        let behind = crosswalk.behind(Kind::Uid, b"2.25.3").unwrap().unwrap();
        assert_eq!(behind.patient.as_deref(), Some(&b"HOSPITAL-4711"[..]));
    }
    drop(crosswalk);
    assert_eq!(everything(&folder.path(), 1).unwrap(), of("HOSPITAL-4711"));
    assert_eq!(erase(&folder.path(), &secret(1), b"HOSPITAL-4711").unwrap(), 2);
    assert_eq!(everything(&folder.path(), 1).unwrap(), []);
}

#[test]
fn a_pseudonym_that_was_named_while_it_was_unknown_stands_for_its_real_value_again() {
    let folder = Folder::new();
    let crosswalk = folder.open();
    let own = pair(Kind::OwnUid, "2.25.99", "2.25.1", None);
    crosswalk.store_blocking(vec![own.clone()]).unwrap();
    assert_eq!(crosswalk.pseudonym_of(Kind::Uid, b"2.25.99").unwrap(), Some(b"2.25.1".to_vec()));
    assert_eq!(crosswalk.behind(Kind::Uid, b"2.25.1").unwrap(), Some(own.clone()));
    let real = pair(Kind::Uid, "1.2.826.0.1.777.1", "2.25.1", Some("HOSPITAL-4711"));
    crosswalk.store_blocking(vec![real.clone()]).unwrap();
    let looked_up = |crosswalk: &Crosswalk| {
        assert_eq!(crosswalk.behind(Kind::Uid, b"2.25.1").unwrap(), Some(real.clone()));
        assert_eq!(crosswalk.pseudonym_of(Kind::Uid, &real.real).unwrap(), Some(b"2.25.1".to_vec()));
        assert_eq!(
            crosswalk.pseudonym_of(Kind::Uid, b"2.25.99").unwrap(),
            None,
            "it is nobody's own any more"
        );
    };
    looked_up(&crosswalk);
    // Not the other way round.
    assert_eq!(crosswalk.store_blocking(vec![own]), Err(NotStored::Taken));
    drop(crosswalk);
    looked_up(&folder.open());
    assert_eq!(everything(&folder.path(), 1).unwrap(), [real]);
}

#[test]
fn an_own_uid_and_a_real_one_that_look_alike_are_two() {
    let folder = Folder::new();
    let crosswalk = folder.open();
    let claimed = pair(Kind::OwnUid, "2.25.98", "1.2.826.0.1.777.1", None);
    let all = [pair(Kind::Uid, "1.2.826.0.1.777.1", "2.25.1", None), claimed];
    crosswalk.store_blocking(all.to_vec()).unwrap();
    // Whose it is, somebody says later.
    let owned = all.map(|one| Correspondence { patient: Some(b"HOSPITAL-4711".to_vec()), ..one });
    crosswalk.store_blocking(owned.to_vec()).unwrap();
    let looked_up = |crosswalk: &Crosswalk| {
        for one in &owned {
            assert_eq!(crosswalk.behind(Kind::Uid, &one.pseudonym).unwrap().as_ref(), Some(one));
            assert_eq!(crosswalk.pseudonym_of(Kind::Uid, &one.real).unwrap().as_ref(), Some(&one.pseudonym));
        }
    };
    looked_up(&crosswalk);
    drop(crosswalk);
    looked_up(&folder.open());
    assert_eq!(rotate(&folder.path(), &secret(1), &secret(2)).unwrap(), 2);
    assert_eq!(everything(&folder.path(), 2).unwrap(), owned);
}

fn any_kind() -> impl Strategy<Value = Kind> {
    let tag = (any::<u16>(), any::<u16>()).prop_map(|(group, element)| Tag(group, element));
    prop_oneof![
        Just(Kind::Uid),
        Just(Kind::Patient),
        Just(Kind::Days),
        Just(Kind::SharedUid),
        tag.clone().prop_map(Kind::Shared),
        tag.clone().prop_map(Kind::Value),
        tag.prop_map(Kind::OfPatient),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_the_bytes_are_they_come_back(
        values in prop::collection::btree_map(
            prop::collection::vec(any::<u8>(), 1..200),
            (any_kind(), prop::collection::vec(any::<u8>(), 0..100), any::<Option<[u8; 7]>>()),
            1..20,
        ),
    ) {
        let folder = Folder::new();
        let all: Vec<Correspondence> = values
            .into_iter()
            .enumerate()
            .map(|(n, (real, (kind, rest, patient)))| {
                let pseudonym = [n.to_string().as_bytes(), b"\\\0", &rest].concat();
                Correspondence { kind, real, pseudonym, patient: patient.map(Vec::from), written: None }
            })
            .collect();
        folder.open().store_blocking(all.clone()).unwrap();
        prop_assert_eq!(&everything(&folder.path(), 1).unwrap(), &all);
        rotate(&folder.path(), &secret(1), &secret(2)).unwrap();
        let crosswalk = Crosswalk::open(&folder.path(), &secret(2)).unwrap();
        for one in all {
            let forward = crosswalk.pseudonym_of(one.kind, &one.real).unwrap();
            prop_assert_eq!(forward, one.kind.leads_forward().then(|| one.pseudonym.clone()));
            let behind = crosswalk.behind(one.kind, &one.pseudonym).unwrap();
            prop_assert_eq!(behind, one.kind.leads_back().then_some(one));
        }
    }
}

//! Erasing, exporting, and another key.

use rusqlite::Connection;

use super::folder::{Folder, ID, everything, secret, site};
use crate::crosswalk::{
    Assigned, Contradiction, Crosswalk, CrosswalkError, Imported, NotImported, erase, export, import, rotate,
    show,
};
use crate::rewrite::{Correspondence, Correspondences, Kind, patient_key};

/// What the first rows hold, encrypted.
fn sealed(path: &std::path::Path, rows: u32) -> Vec<Vec<u8>> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT sealed FROM correspondence WHERE id <= ?1").unwrap();
    let sealed: Vec<Vec<u8>> =
        statement.query_map([rows], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(sealed.len(), rows as usize);
    sealed
}

#[test]
fn erasing_a_patient_leaves_nothing_of_it_and_all_of_the_others() {
    let folder = Folder::new();
    let path = folder.filled();
    let sealed = sealed(&path, 6);
    assert_eq!(erase(&path, &secret(1), b"NOBODY").unwrap(), 0);
    assert_eq!(erase(&path, &secret(1), b"HOSPITAL-4711").unwrap(), 6);
    assert_eq!(everything(&path, 1).unwrap(), site().split_off(6));
    let bytes = folder.bytes();
    for sealed in sealed {
        assert!(!bytes.windows(sealed.len()).any(|window| window == sealed), "not even encrypted");
    }
    let crosswalk = folder.open();
    assert_eq!(crosswalk.behind(Kind::Uid, b"2.25.1").unwrap(), None);
    assert_eq!(crosswalk.pseudonym_of(Kind::Days, b"HOSPITAL-4711").unwrap(), None);
    assert_eq!(crosswalk.real_of(Kind::Uid, b"2.25.2").unwrap(), Some(b"1.2.826.0.1.777.2".to_vec()));
}

#[test]
fn a_rotated_key_opens_everything_and_the_old_one_nothing() {
    let folder = Folder::new();
    let path = folder.filled();
    let sealed = sealed(&path, 13);
    assert_eq!(rotate(&path, &secret(1), &secret(2)).unwrap(), 2);
    let bytes = folder.bytes();
    for sealed in sealed {
        assert!(!bytes.windows(sealed.len()).any(|window| window == sealed), "readable with the old key");
    }
    let error = Crosswalk::open(&path, &secret(1)).unwrap_err();
    assert!(matches!(error, CrosswalkError::OtherKey { version: 2, .. }), "{error}");
    assert_eq!(everything(&path, 2).unwrap(), site());
    let crosswalk = Crosswalk::open(&path, &secret(2)).unwrap();
    assert_eq!(crosswalk.pseudonym_of(ID, b"HOSPITAL-4711").unwrap(), Some(b"PSEUDO1".to_vec()));
    assert_eq!(crosswalk.store_blocking(site()), Ok(()));
    drop(crosswalk);
    let holdings = show(&path, &secret(2)).unwrap();
    assert_eq!((holdings.key_version, holdings.kinds.values().sum::<u64>()), (2, 13));
    assert_eq!(holdings.kinds.get(&Kind::Uid), Some(&3));
}

#[test]
fn one_patient_is_exported_alone() {
    let folder = Folder::new();
    let path = folder.filled();
    let mut found = Vec::new();
    let take = |one: &Correspondence| -> Result<(), CrosswalkError> {
        found.push(one.clone());
        Ok(())
    };
    export(&path, &secret(1), Some(b"HOSPITAL-4712"), take).unwrap();
    assert_eq!(found, site()[6..12]);
}

fn assigned(id: &str, issuer: &str, subject: &str) -> Assigned {
    Assigned { patient: patient_key(id.as_bytes(), issuer.as_bytes()), subject: subject.as_bytes().to_vec() }
}

#[test]
fn no_subject_is_the_real_id_of_somebody_who_is_there_whoever_issued_it() {
    let folder = Folder::new();
    let path = folder.path();
    let taken = |one: Assigned| import(&path, &secret(1), &[one], false);
    assert_eq!(taken(assigned("P1", "LYON", "S-1")).unwrap(), Imported { new: 1, known: 0 });
    for patient in [assigned("P2", "LYON", "P1"), assigned("P3", "", "P1")] {
        let refused = taken(patient);
        assert!(
            matches!(&refused, Err(NotImported::Contradicted(all)) if all[..] == [(0, Contradiction::Real)]),
            "{refused:?}"
        );
    }
    assert_eq!(everything(&path, 1).unwrap().len(), 2);
}

#[test]
fn to_try_an_import_writes_nothing() {
    let folder = Folder::new();
    let path = folder.path();
    let tried = |subject| import(&path, &secret(1), &[assigned("P1", "", subject)], true);
    assert_eq!(tried("S-1").unwrap(), Imported { new: 1, known: 0 });
    assert!(!path.exists());
    import(&path, &secret(1), &[assigned("P1", "", "S-1")], false).unwrap();
    let before = everything(&path, 1).unwrap();
    assert_eq!(tried("S-1").unwrap(), Imported { new: 0, known: 1 });
    assert!(matches!(tried("S-2"), Err(NotImported::Contradicted(_))));
    assert_eq!(import(&path, &secret(1), &[assigned("P2", "", "S-2")], true).unwrap().new, 1);
    assert_eq!(everything(&path, 1).unwrap(), before);
}

//! Against real files.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::{Crosswalk, CrosswalkError, Guest, NotStored, Secret, erase, export, probe, rotate, show};
use crate::dataset::{PATIENT_ID, Tag};
use crate::rewrite::{Correspondence, Correspondences, Kind, Written};

const NAME: Kind = Kind::OfPatient(Tag(0x0010, 0x0010));
const ACCESSION: Kind = Kind::Value(Tag(0x0008, 0x0050));
const ID: Kind = Kind::Value(PATIENT_ID);

fn secret(byte: u8) -> Secret {
    Secret::new(Zeroizing::new(vec![byte; 48]))
}

fn pair(kind: Kind, real: &str, pseudonym: &str, patient: Option<&str>) -> Correspondence {
    let bytes = |text: &str| text.as_bytes().to_vec();
    Correspondence {
        kind,
        real: bytes(real),
        pseudonym: bytes(pseudonym),
        patient: patient.map(bytes),
        written: None,
    }
}

/// Two patients, with a study each, and a UID of nobody.
fn site() -> Vec<Correspondence> {
    let of = |patient: &'static str, n: u32| {
        let p = Some(patient);
        vec![
            pair(ID, patient, &format!("PSEUDO{n}"), p),
            pair(Kind::Patient, patient, &format!("{n:064}"), p),
            pair(Kind::Days, patient, "-123", p),
            pair(NAME, &format!("SURNAME{n}^FIRST"), &format!("ANON^PSEUDO{n}"), p),
            pair(ACCESSION, &format!("ACCESSION{n}"), &format!("CODE{n}"), p),
            pair(Kind::Uid, &format!("1.2.826.0.1.777.{n}"), &format!("2.25.{n}"), p),
        ]
    };
    let mut all = of("HOSPITAL-4711", 1);
    all.extend(of("HOSPITAL-4712", 2));
    all.push(pair(Kind::Uid, "1.2.826.0.1.999", "2.25.999", None));
    all
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("site.crosswalk")
    }

    fn open(&self) -> Crosswalk {
        Crosswalk::open(&self.path(), &secret(1)).unwrap()
    }

    fn filled(&self) -> PathBuf {
        self.open().store_blocking(site()).unwrap();
        self.path()
    }

    /// Everything that is in the files, journal and lock included.
    fn bytes(&self) -> Vec<u8> {
        fs::read_dir(self.0.path())
            .unwrap()
            .flat_map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect()
    }
}

fn everything(path: &std::path::Path, key: u8) -> Result<Vec<Correspondence>, CrosswalkError> {
    let mut all = Vec::new();
    export(path, &secret(key), None, |one| -> Result<(), CrosswalkError> {
        all.push(one.clone());
        Ok(())
    })?;
    Ok(all)
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

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
fn nothing_readable_is_in_the_files() {
    let folder = Folder::new();
    let crosswalk = folder.open();
    crosswalk.store_blocking(site()).unwrap();
    let open = folder.bytes();
    drop(crosswalk);
    let closed = folder.bytes();
    for one in site() {
        for value in [&one.real, &one.pseudonym].into_iter().filter(|value| value.len() > 5) {
            let value = std::str::from_utf8(value).unwrap();
            assert!(!holds(&open, value) && !holds(&closed, value), "{value}");
        }
    }
    // The test itself would see them.
    fs::write(folder.0.path().join("plain"), b"xxHOSPITAL-4711").unwrap();
    assert!(holds(&folder.bytes(), "HOSPITAL-4711"));
}

#[test]
fn only_its_owner_may_read_any_of_it() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::new();
    let crosswalk = folder.open();
    crosswalk.store_blocking(site()).unwrap();
    for entry in fs::read_dir(folder.0.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[test]
fn another_key_opens_nothing_and_changes_nothing() {
    let folder = Folder::new();
    let path = folder.filled();
    let before = fs::read(&path).unwrap();
    let other = |result: Result<(), CrosswalkError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, CrosswalkError::OtherKey { version: 1, .. }), "{error}");
    };
    other(Crosswalk::open(&path, &secret(2)).map(|_| ()));
    other(probe(&path, &secret(2)));
    other(show(&path, &secret(2)).map(|_| ()));
    other(erase(&path, &secret(2), b"HOSPITAL-4711").map(|_| ()));
    other(rotate(&path, &secret(2), &secret(3)).map(|_| ()));
    assert_eq!(fs::read(&path).unwrap(), before);
    probe(&path, &secret(1)).unwrap();
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let folder = Folder::new();
    let path = folder.path();
    fs::write(&path, b"[[rewrite]]\nname = \"a file that somebody named by mistake\"\n".repeat(100)).unwrap();
    let before = fs::read(&path).unwrap();
    let foreign = |result: Result<(), CrosswalkError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, CrosswalkError::Foreign { .. }), "{error}");
    };
    foreign(Crosswalk::open(&path, &secret(1)).map(|_| ()));
    foreign(probe(&path, &secret(1)));
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE other (a); INSERT INTO other VALUES (1)")
        .unwrap();
    foreign(Crosswalk::open(&path, &secret(1)).map(|_| ()));
    foreign(probe(&path, &secret(1)));
    let there: i64 =
        Connection::open(&path).unwrap().query_row("SELECT a FROM other", [], |row| row.get(0)).unwrap();
    assert_eq!(there, 1);
}

#[test]
fn an_open_that_was_interrupted_is_made_good() {
    let folder = Folder::new();
    fs::write(folder.path(), b"").unwrap();
    probe(&folder.path(), &secret(1)).unwrap();
    folder.filled();
    assert_eq!(everything(&folder.path(), 1).unwrap().len(), site().len());
}

#[test]
fn a_damaged_page_is_an_error_and_no_answer() {
    let folder = Folder::new();
    let path = folder.path();
    let many = |n: u32| pair(Kind::Uid, &format!("1.2.3.{n}"), &format!("2.25.{n}"), None);
    folder.open().store_blocking((0..5000).map(many).collect()).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let header = 3 * 4096;
    for byte in bytes.iter_mut().skip(header).step_by(7) {
        *byte ^= 0x5A;
    }
    fs::write(&path, bytes).unwrap();
    let error = show(&path, &secret(1)).unwrap_err();
    assert!(matches!(error, CrosswalkError::Damaged { .. }), "{error}");
    let crosswalk = folder.open();
    let answers: Vec<_> =
        (0..5000).map(|n: u32| crosswalk.pseudonym_of(Kind::Uid, format!("1.2.3.{n}").as_bytes())).collect();
    assert!(answers.iter().any(Result::is_err));
    let wrong =
        answers.iter().enumerate().filter_map(|(n, answer)| Some((n, answer.as_ref().ok()?.as_ref()?)));
    assert!(wrong.into_iter().all(|(n, answer)| *answer == format!("2.25.{n}").into_bytes()));
}

#[test]
fn values_moved_to_another_row_or_file_do_not_open() {
    let folder = Folder::new();
    let path = folder.filled();
    let swap =
        "UPDATE correspondence SET sealed = (SELECT sealed FROM correspondence AS other WHERE other.id = 7)
        WHERE id = 1";
    assert_eq!(Connection::open(&path).unwrap().execute(swap, []).unwrap(), 1);
    let error = everything(&path, 1).unwrap_err();
    assert!(matches!(error, CrosswalkError::Damaged { .. }), "{error}");
    let crosswalk = folder.open();
    assert!(crosswalk.pseudonym_of(ID, b"HOSPITAL-4711").is_err());
    assert_eq!(crosswalk.pseudonym_of(ID, b"HOSPITAL-4712").unwrap(), Some(b"PSEUDO2".to_vec()));
}

#[test]
fn two_domains_with_one_key_share_nothing() {
    let (one, two) = (Folder::new(), Folder::new());
    one.filled();
    two.open();
    let crosswalk = two.open();
    assert_eq!(crosswalk.pseudonym_of(ID, b"HOSPITAL-4711").unwrap(), None);
    drop(crosswalk);
    let steal = format!(
        "ATTACH '{}' AS one; INSERT INTO correspondence SELECT * FROM one.correspondence",
        one.path().display()
    );
    Connection::open(two.path()).unwrap().execute_batch(&steal).unwrap();
    assert!(everything(&two.path(), 1).is_err());
    assert_eq!(two.open().pseudonym_of(ID, b"HOSPITAL-4711").unwrap(), None);
}

#[test]
fn one_process_writes_and_others_read() {
    let folder = Folder::new();
    let path = folder.filled();
    let crosswalk = folder.open();
    let in_use = |result: Result<(), CrosswalkError>| {
        let error = result.unwrap_err();
        assert!(
            matches!(error, CrosswalkError::InUse { by: Some(id), .. } if id == std::process::id()),
            "{error}"
        );
    };
    in_use(Crosswalk::open(&path, &secret(1)).map(|_| ()));
    in_use(erase(&path, &secret(1), b"HOSPITAL-4711").map(|_| ()));
    in_use(rotate(&path, &secret(1), &secret(2)).map(|_| ()));
    assert_eq!(everything(&path, 1).unwrap(), site());
    probe(&path, &secret(1)).unwrap();
    drop(crosswalk);
    folder.open();
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

#[test]
fn a_file_of_format_1_forgets_uids_that_stood_for_themselves() {
    let folder = Folder::new();
    let crosswalk = folder.open();
    crosswalk.store_blocking(site()).unwrap();
    let claimed = pair(Kind::Uid, "1.2.826.0.1.99", "1.2.826.0.1.99", Some("HOSPITAL-4711"));
    crosswalk.store_blocking(vec![claimed]).unwrap();
    drop(crosswalk);
    let format = |new: Option<i64>| {
        let connection = Connection::open(folder.path()).unwrap();
        if let Some(new) = new {
            connection.pragma_update(None, "user_version", new).unwrap();
        }
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap()
    };
    format(Some(1));
    // Commands look at it as it is.
    assert_eq!(everything(&folder.path(), 1).unwrap().len(), site().len() + 1);
    let crosswalk = folder.open();
    assert_eq!(crosswalk.behind(Kind::Uid, b"1.2.826.0.1.99").unwrap(), None);
    assert_eq!(crosswalk.pseudonym_of(Kind::Uid, b"1.2.826.0.1.99").unwrap(), None);
    drop(crosswalk);
    assert_eq!((format(None), everything(&folder.path(), 1).unwrap()), (2, site()));
    format(Some(3));
    assert!(matches!(
        Crosswalk::open(&folder.path(), &secret(1)),
        Err(CrosswalkError::Newer { format: 3, .. })
    ));
}

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

#[test]
fn a_file_that_was_moved_away_takes_nothing_more() {
    let folder = Folder::new();
    let crosswalk = folder.open();
    crosswalk.store_blocking(site()).unwrap();
    fs::rename(folder.path(), folder.0.path().join("elsewhere")).unwrap();
    let more = || vec![pair(Kind::Uid, "1.2.3", "2.25.3", None)];
    assert_eq!(crosswalk.store_blocking(more()), Err(NotStored::Unavailable));
    fs::rename(folder.0.path().join("elsewhere"), folder.path()).unwrap();
    assert_eq!(crosswalk.store_blocking(more()), Ok(()));
}

#[tokio::test]
async fn those_that_wait_together_are_stored_each_for_itself() {
    let folder = Folder::new();
    let crosswalk = std::sync::Arc::new(folder.open());
    crosswalk.store(vec![pair(Kind::Uid, "1.2.3.0", "2.25.0", None)]).await.unwrap();
    let tasks: Vec<_> = (0..300)
        .map(|n| {
            let crosswalk = crosswalk.clone();
            // Every third asks for a pseudonym that another has.
            let pseudonym = if n % 3 == 2 { 0 } else { n };
            let one = pair(Kind::Uid, &format!("1.2.3.{n}"), &format!("2.25.{pseudonym}"), None);
            tokio::spawn(async move { crosswalk.store(vec![one]).await })
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        let wanted = if n % 3 == 2 { Err(NotStored::Taken) } else { Ok(()) };
        assert_eq!(task.await.unwrap(), wanted, "{n}");
    }
    drop(crosswalk);
    assert_eq!(everything(&folder.path(), 1).unwrap().len(), 200);
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

#[test]
fn what_a_value_was_written_in_is_kept_and_an_older_file_still_read() {
    let folder = Folder::new();
    folder.filled();
    let format = |format: Option<i64>| -> i64 {
        let connection = Connection::open(folder.path()).unwrap();
        if let Some(format) = format {
            connection.pragma_update(None, "user_version", format).unwrap();
        }
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    };
    assert_eq!(format(Some(1)), 1);
    assert_eq!(everything(&folder.path(), 1).unwrap(), site());
    assert_eq!(format(None), 1, "reading changes nothing");
    let written = |set: &str| Some(Written { bytes: b"M\xFCLLER".to_vec(), set: set.into() });
    let name = |patient| Correspondence {
        written: written("ISO_IR 100"),
        ..pair(ID, "M\u{FC}LLER", "CODE9", patient)
    };
    let crosswalk = folder.open();
    assert_eq!(format(None), 2, "an older version would take it for damaged");
    crosswalk.store_blocking(vec![pair(ID, "M\u{FC}LLER", "CODE9", None)]).unwrap();
    crosswalk.store_blocking(vec![name(None)]).unwrap();
    let other = Correspondence { written: written(""), ..name(Some("P")) };
    crosswalk.store_blocking(vec![other]).unwrap();
    let kept = name(Some("P"));
    assert_eq!(crosswalk.behind(ID, b"CODE9").unwrap(), Some(kept.clone()), "the first that was said");
    drop(crosswalk);
    assert_eq!(folder.open().behind(ID, b"CODE9").unwrap(), Some(kept.clone()));
    rotate(&folder.path(), &secret(1), &secret(2)).unwrap();
    assert!(everything(&folder.path(), 2).unwrap().contains(&kept));
}

#[test]
fn a_guest_reads_what_the_owner_of_the_file_knows_by_then() {
    let folder = Folder::new();
    assert!(matches!(Guest::open(&folder.path(), &secret(1)), Err(CrosswalkError::Open { .. })));
    let own = folder.open();
    let guest = Guest::open(&folder.path(), &secret(1)).unwrap();
    let found = |guest: &Guest| {
        let forward = guest.pseudonym_of(Kind::Uid, b"1.2.826.0.1.777.1").unwrap();
        (forward, guest.behind(NAME, b"ANON^PSEUDO2").unwrap().map(|one| one.real))
    };
    assert_eq!(found(&guest), (None, None));
    own.store_blocking(site()).unwrap();
    assert_eq!(found(&guest), (Some(b"2.25.1".to_vec()), Some(b"SURNAME2^FIRST".to_vec())));
    assert_eq!(guest.behind(Kind::Days, b"-123").unwrap(), None);
    assert!(matches!(Guest::open(&folder.path(), &secret(2)), Err(CrosswalkError::OtherKey { .. })));
    // In a file of format 1, UIDs may stand for themselves.
    drop((own, guest));
    Connection::open(folder.path()).unwrap().pragma_update(None, "user_version", 1).unwrap();
    assert!(matches!(Guest::open(&folder.path(), &secret(1)), Err(CrosswalkError::Older { format: 1, .. })));
}

//! What lies on the disk: nothing that can be read, moved or damaged without notice.

use std::fs;

use rusqlite::Connection;

use super::folder::{Folder, ID, everything, holds, pair, secret, site};
use crate::crosswalk::{Crosswalk, CrosswalkError, erase, probe, rotate, show};
use crate::rewrite::{Correspondences, Kind};

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

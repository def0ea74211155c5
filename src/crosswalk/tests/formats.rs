//! Files of older and newer formats.

use rusqlite::Connection;

use super::folder::{Folder, ID, everything, pair, secret, site};
use crate::crosswalk::{Crosswalk, CrosswalkError, rotate};
use crate::rewrite::{Correspondence, Correspondences, Kind, Written};

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

//! Who has the file open: one process writes, others read, and many wait together.

use std::fs;

use rusqlite::Connection;

use super::folder::{Folder, NAME, everything, pair, secret, site};
use crate::crosswalk::{Crosswalk, CrosswalkError, Guest, NotStored, erase, probe, rotate};
use crate::rewrite::{Correspondences, Kind};

#[test]
fn an_open_that_was_interrupted_is_made_good() {
    let folder = Folder::new();
    fs::write(folder.path(), b"").unwrap();
    probe(&folder.path(), &secret(1)).unwrap();
    folder.filled();
    assert_eq!(everything(&folder.path(), 1).unwrap().len(), site().len());
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

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::{PASSCODE, at, key, secret, user};
use crate::scratch::Scratch;
use crate::users::{Attempt, Code, Refused, Store, User, Users};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));

fn file(home: &Scratch) -> std::path::PathBuf {
    home.path().join("users.toml")
}

/// Anna has a one-time secret, the others have none.
fn made() -> Scratch {
    let home = Scratch::new();
    let store = Store::new(&file(&home));
    store.add(User { one_time: key().seal("anna", &secret()).ok(), ..user("anna") }).unwrap();
    store.add(user("bert")).unwrap();
    store.add(User { disabled: true, ..user("carl") }).unwrap();
    store.add(User { not_after: Some(at(100)), ..user("dora") }).unwrap();
    home
}

fn open(file: &Path) -> Users {
    Users::open(file, Some(key())).unwrap()
}

fn attempt<'a>(name: &'a str, passcode: &'a str, code: Option<&'a str>) -> Attempt<'a> {
    let code = code.map_or(Code::Absent, Code::Apart);
    Attempt { name, passcode, code, address: HERE }
}

#[tokio::test]
async fn the_right_person_is_let_in_and_each_other_for_a_reason() {
    let home = made();
    let users = open(&file(&home));
    let now = at(59);
    for (name, passcode, code, expected) in [
        ("bert", PASSCODE, None, Ok("bert")),
        ("bert", "seven quiet heron", None, Err(Refused::Passcode)),
        ("Bert", PASSCODE, None, Err(Refused::Unknown)),
        ("", "", None, Err(Refused::Unknown)),
        ("carl", PASSCODE, None, Err(Refused::Disabled)),
        ("carl", "another", None, Err(Refused::Passcode)),
        ("anna", PASSCODE, None, Err(Refused::CodeMissing)),
        ("anna", PASSCODE, Some("287083"), Err(Refused::Code)),
        ("anna", "another", Some("287082"), Err(Refused::Passcode)),
        ("anna", PASSCODE, Some("287082"), Ok("anna")),
        ("anna", PASSCODE, Some("287082"), Err(Refused::CodeUsed)),
        ("dora", PASSCODE, None, Ok("dora")),
    ] {
        let told = users.verify(attempt(name, passcode, code), now).await;
        assert_eq!(told.as_ref().map(|user| user.name.as_str()).map_err(Clone::clone), expected, "{name}");
    }
    let late = users.verify(attempt("dora", PASSCODE, None), at(101)).await;
    assert_eq!(late.unwrap_err(), Refused::Ended);
}

#[tokio::test]
async fn whoever_has_to_wait_is_listed_with_where_and_until_when() {
    let home = made();
    let users = open(&file(&home));
    for _ in 0..5 {
        users.verify(attempt("bert", "a wrong passcode", None), at(0)).await.unwrap_err();
    }
    users.verify(attempt("anna", "a wrong passcode", None), at(0)).await.unwrap_err();
    let listed = |seconds| users.listed(at(seconds)).into_iter().map(|(user, locked)| (user.name, locked));
    let expected = [("anna", vec![]), ("bert", vec![(HERE, at(1))]), ("carl", vec![]), ("dora", vec![])];
    assert!(listed(0).eq(expected.map(|(name, locked)| (name.to_owned(), locked))));
    assert!(listed(1).all(|(_, locked)| locked.is_empty()), "it is over");
}

#[tokio::test]
async fn a_code_works_once_also_after_a_restart() {
    let home = made();
    let with = |code| attempt("anna", PASSCODE, Some(code));
    assert!(open(&file(&home)).verify(with("287082"), at(59)).await.is_ok());
    let again = open(&file(&home));
    assert_eq!(again.verify(with("287082"), at(59)).await.unwrap_err(), Refused::CodeUsed);
    // Nor does the one before it, which was not used.
    assert_eq!(again.verify(with("755224"), at(59)).await.unwrap_err(), Refused::CodeUsed);
    assert!(again.verify(with("359152"), at(60)).await.is_ok());
}

#[tokio::test]
async fn a_code_stands_behind_the_passcode_of_who_has_a_secret_and_of_nobody_else() {
    let home = made();
    let users = open(&file(&home));
    let behind = |name, passcode| Attempt { code: Code::BehindPasscode, ..attempt(name, passcode, None) };
    for (name, passcode, expected) in [
        ("anna", "seven quiet herons", Err(Refused::CodeMissing)),
        ("anna", "seven quiet herons287083", Err(Refused::Code)),
        ("anna", "seven quiet heron287082", Err(Refused::Passcode)),
        ("anna", "287082", Err(Refused::Passcode)),
        ("anna", "seven quiet herons287082", Ok("anna")),
        ("anna", "seven quiet herons287082", Err(Refused::CodeUsed)),
        ("bert", "seven quiet herons", Ok("bert")),
        ("bert", "seven quiet herons287082", Err(Refused::Passcode)),
        ("nobody", "é", Err(Refused::Unknown)),
    ] {
        // Each from an address of its own, so that nobody is locked out.
        let address = IpAddr::from([10, 0, 1, passcode.len() as u8]);
        let told = users.verify(Attempt { address, ..behind(name, passcode) }, at(59)).await;
        let told = told.as_ref().map(|user| user.name.as_str()).map_err(Clone::clone);
        assert_eq!(told, expected, "{name} {passcode}");
    }
}

#[tokio::test]
async fn wrong_attempts_have_to_wait_and_a_reload_forgives_nothing() {
    let home = made();
    let users = open(&file(&home));
    for _ in 0..5 {
        assert_eq!(users.verify(attempt("bert", "wrong", None), at(0)).await.unwrap_err(), Refused::Passcode);
    }
    users.reload().unwrap();
    let locked = Refused::Locked { until: at(1) };
    assert_eq!(users.verify(attempt("bert", PASSCODE, None), at(0)).await.unwrap_err(), locked);
    let elsewhere = Attempt { address: IpAddr::from([203, 0, 113, 9]), ..attempt("bert", PASSCODE, None) };
    assert!(users.verify(elsewhere, at(0)).await.is_ok());
    assert!(users.verify(attempt("bert", PASSCODE, None), at(1)).await.is_ok());
}

#[tokio::test]
async fn a_key_that_does_not_fit_and_a_file_that_cannot_be_written_let_nobody_in() {
    let home = made();
    let right = || attempt("anna", PASSCODE, Some("287082"));
    for key in [None, crate::users::Key::new(&[8; 48])] {
        let users = Users::open(&file(&home), key).unwrap();
        let told = users.verify(right(), at(59)).await.unwrap_err();
        assert!(matches!(&told, Refused::Unavailable(text) if text.contains("does not open")), "{told:?}");
    }
    let users = open(&file(&home));
    fs::create_dir(home.path().join("users.toml.used")).unwrap();
    let told = users.verify(right(), at(59)).await.unwrap_err();
    assert!(matches!(&told, Refused::Unavailable(text) if text.contains("is a folder")), "{told:?}");
}

#[tokio::test]
async fn a_reload_takes_what_is_right_and_keeps_it_where_the_next_is_wrong() {
    let home = made();
    let users = open(&file(&home));
    let store = Store::new(&file(&home));
    store.change("bert", |bert| bert.disabled = true).unwrap();
    assert!(users.still("bert", at(0)).is_ok(), "not before the reload");
    users.reload().unwrap();
    let refused = |name, now| users.still(name, now).err();
    assert_eq!(refused("bert", at(0)), Some(Refused::Disabled));
    assert_eq!(refused("nobody", at(0)), Some(Refused::Unknown));
    assert_eq!((refused("dora", at(100)), refused("dora", at(101))), (None, Some(Refused::Ended)));
    for begun in ["nonsense = 1", ""] {
        fs::write(file(&home), begun).unwrap();
        assert!(users.reload().is_err(), "{begun:?}");
        assert!(users.still("anna", at(0)).is_ok());
    }
    fs::write(file(&home), "# nobody").unwrap();
    users.reload().unwrap();
    assert_eq!(refused("anna", at(0)), Some(Refused::Unknown));
}

#[test]
fn nobody_costs_as_much_as_somebody() {
    let home = made();
    let users = open(&file(&home));
    let cost = |name| {
        let before = clock_gettime(ClockId::ThreadCPUTime);
        users.shared.judge(name, "wrong", Code::Absent, at(0)).unwrap_err();
        let after = clock_gettime(ClockId::ThreadCPUTime);
        (after.tv_sec - before.tv_sec) * 1_000_000_000 + (after.tv_nsec - before.tv_nsec)
    };
    // Of this thread alone, and no machine fills 19 MiB twice in less.
    let spent = ["bert", "nobody"].map(cost);
    assert!(spent.iter().all(|spent| *spent > 3_000_000), "{spent:?}");
}

/// As many as wait for no turn.
fn turns(users: &Users) -> usize {
    users.shared.hashing.available_permits()
}

/// What a future gives that is polled once.
async fn at_once<F: Future>(future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = std::future::ready(()) => None,
    }
}

#[tokio::test]
async fn no_more_passcodes_are_hashed_at_once_than_there_are_turns() {
    let home = made();
    let users = open(&file(&home));
    let half = std::thread::available_parallelism().map_or(1, |all| all.get() / 2);
    assert_eq!(turns(&users), half.clamp(1, 4));
    let all = u32::try_from(turns(&users)).unwrap();
    let taken = users.shared.hashing.clone().acquire_many_owned(all).await.unwrap();
    let mut waiting = Box::pin(users.verify(attempt("bert", PASSCODE, None), at(0)));
    assert!(at_once(&mut waiting).await.is_none());
    drop(taken);
    // Whoever waits for a turn has it at once, before anything of it runs.
    assert_eq!(turns(&users), all as usize - 1, "it began without a turn");
    assert!(waiting.await.is_ok());
    assert_eq!(turns(&users), all as usize);
}

#[tokio::test]
async fn a_turn_is_kept_to_the_end_of_a_check_that_nobody_waits_for_any_more() {
    let home = made();
    let users = open(&file(&home));
    let all = turns(&users);
    // Whoever has a one-time secret waits for the file behind the hash, so that the check cannot end.
    let written = fs::File::open(file(&home)).unwrap();
    written.lock().unwrap();
    let given_up = at_once(users.verify(attempt("anna", PASSCODE, Some("287082")), at(59)));
    assert!(given_up.await.is_none());
    assert_eq!(turns(&users), all - 1);
    written.unlock().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while turns(&users) < all {
        assert!(Instant::now() < deadline, "the turn was not given back");
        tokio::task::yield_now().await;
    }
    assert!(home.path().join("users.toml.used").exists(), "the turn was given back before the end");
}

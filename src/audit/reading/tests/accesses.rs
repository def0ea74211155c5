//! Who came in a span, and what they did.

use std::collections::BTreeSet;

use time::macros::datetime;

use super::super::access::{Access, access};
use super::super::figures::Period;
use super::{two_days, write};
use crate::audit::reading::files;
use crate::scratch::Scratch;
use crate::vocabulary::Reason;

fn read(folder: &Scratch, period: Period) -> Access {
    access(&files(folder.path()).unwrap(), period, &BTreeSet::new())
}

const FIRST: time::OffsetDateTime = datetime!(2026-03-01 0:00 UTC);
const SECOND: time::OffsetDateTime = datetime!(2026-03-02 0:00 UTC);
const THIRD: time::OffsetDateTime = datetime!(2026-03-03 0:00 UTC);

#[test]
fn what_was_refused_was_not_done_and_whoever_was_rejected_did_not_come() {
    let folder = two_days();
    let both = read(&folder, Period { from: FIRST, to: THIRD });
    let [lyon, geneva] = ["lyon", "geneva"].map(|name| &both.peers[name]);
    assert_eq!((lyon.associations, lyon.operations["C-STORE"]), (1, 2), "one of them failed at the PACS");
    assert_eq!(lyon.seen.unwrap().0, datetime!(2026-03-01 8:30 UTC));
    assert!(geneva.associations == 1 && geneva.operations.is_empty());
    assert_eq!(both.peers.len(), 2, "nobody knows who the stranger is");
    assert_eq!((both.records, both.users.len()), (9, 0));
}

#[test]
fn an_association_that_began_the_day_before_is_known_and_counts_nothing_twice() {
    let folder = two_days();
    let late = r#"{"time":"2026-03-02T00:30:00.000000Z","event":"operation","sequence":10,"association":"a-1","operation":"C-STORE","direction":"from-peer","message-id":9,"sop-class":"1.2.840.10008.5.1.4.1.1.2","status":"0x0000","bytes":1,"duration-ms":1}"#;
    write(folder.path(), "audit-2026-03-02.jsonl", &format!("{late}\n"));
    let second = read(&folder, Period { from: SECOND, to: THIRD });
    let lyon = &second.peers["lyon"];
    let at = datetime!(2026-03-02 0:30 UTC);
    assert_eq!((lyon.associations, lyon.seen), (0, Some((at, at))), "it was used that day");
    assert_eq!((lyon.operations["C-STORE"], lyon.sop_classes.len(), second.records), (1, 1, 1));
}

#[test]
fn of_one_whose_beginning_was_not_seen_the_closing_record_counts() {
    let folder = Scratch::new();
    write(folder.path(), "audit-2026-03-02.jsonl", super::SECOND);
    let second = read(&folder, Period { from: SECOND, to: THIRD });
    let lyon = &second.peers["lyon"];
    assert_eq!((lyon.operations["C-STORE"], lyon.associations), (2, 0));
    assert_eq!(lyon.seen, Some((SECOND, SECOND)), "it was there when it ended");
}

#[test]
fn what_was_sent_for_a_c_get_is_nobodys_c_store_where_only_the_end_was_seen() {
    let folder = Scratch::new();
    let counts = r#"{"success":7,"warning":0,"failure":0,"refused":0}"#;
    let of = |operations: &str| {
        super::SECOND.replacen(r#""C-STORE":{"#, &format!(r#"{operations}"C-STORE":{{"#), 1)
    };
    write(folder.path(), "audit-2026-03-02.jsonl", &of(&format!(r#""C-GET":{counts},"#)));
    let second = read(&folder, Period { from: SECOND, to: THIRD });
    assert_eq!(second.peers["lyon"].operations, [("C-GET".to_owned(), 7)].into());
    let refused = r#""C-GET":{"success":0,"warning":0,"failure":0,"refused":1},"#;
    write(folder.path(), "audit-2026-03-02.jsonl", &of(refused));
    let second = read(&folder, Period { from: SECOND, to: THIRD });
    assert_eq!(second.peers["lyon"].operations, [("C-STORE".to_owned(), 2)].into());
    write(folder.path(), "audit-2026-03-02.jsonl", &of(&format!(r#""C-MOVE":{counts},"#)));
    let second = read(&folder, Period { from: SECOND, to: THIRD });
    assert_eq!(
        (second.peers["lyon"].operations["C-STORE"], second.peers["lyon"].operations["C-MOVE"]),
        (2, 7)
    );
}

#[test]
fn the_end_of_an_association_of_the_day_before_tells_that_it_was_there() {
    let folder = two_days();
    let second = read(&folder, Period { from: SECOND, to: THIRD });
    let lyon = &second.peers["lyon"];
    assert_eq!((lyon.seen, lyon.associations), (Some((SECOND, SECOND)), 0));
    assert!(lyon.operations.is_empty(), "they were done the day before");
    let both = read(&folder, Period { from: FIRST, to: THIRD });
    assert_eq!(both.peers["lyon"].associations, 1, "beginning and end are one");
}

#[test]
fn whoever_was_let_do_nothing_was_refused() {
    let folder = Scratch::new();
    let reason = Reason::NoContextAllowed.label();
    let closed = format!(
        r#"{{"time":"2026-03-02T01:00:00.000000Z","event":"association-closed","sequence":1,"association":"a-9","listener":"remote","peer":"lyon","address":"203.0.113.7","port":1,"tls":null,"calling-ae-title":"LYON_CT1","called-ae-title":"PACS","upstream":null,"ended":"policy","reason":"{reason}: by role store","count":3}}"#
    );
    write(folder.path(), "audit-2026-03-02.jsonl", &(closed + "\n"));
    let told = read(&folder, Period { from: SECOND, to: THIRD });
    let lyon = &told.peers["lyon"];
    assert_eq!((lyon.seen, lyon.refused[reason]), (None, 3));
}

#[test]
fn whoever_is_known_is_told_of_however_many_others_came() {
    let folder = Scratch::new();
    let strangers = (0..10_002).map(|number| format!("stranger-{number}"));
    let lines: String = strangers
        .chain(["lyon".to_owned()])
        .enumerate()
        .map(|(at, peer)| {
            format!(
                r#"{{"time":"2026-03-02T01:00:00.000000Z","event":"association-opened","sequence":{at},"association":"a-{at}","listener":"remote","peer":"{peer}","address":"203.0.113.7","port":1,"tls":null,"calling-ae-title":"A","called-ae-title":"PACS"}}"#
            ) + "\n"
        })
        .collect();
    write(folder.path(), "audit-2026-03-02.jsonl", &lines);
    let period = Period { from: SECOND, to: THIRD };
    let told = access(&files(folder.path()).unwrap(), period, &["lyon"].into());
    assert_eq!((told.peers["lyon"].associations, told.peers.len(), told.left_out), (1, 10_001, 2));
    let unknown = read(&folder, period);
    assert_eq!((unknown.peers.len(), unknown.left_out), (10_000, 3));
}

#[test]
fn a_token_that_proves_nobody_is_a_wrong_proof() {
    let folder = Scratch::new();
    let rejected = |sequence: u32, user: &str, reason: Reason| {
        let reason = reason.label();
        format!(
            r#"{{"time":"2026-03-02T0{sequence}:00:00.000000Z","event":"association-rejected","sequence":{sequence},"association":"a-{sequence}","listener":"remote","peer":"lyon","address":"192.0.2.9","port":2,"tls":null,{user}"calling-ae-title":"A","called-ae-title":"PACS","rejection":{{"result":1,"source":1,"reason":1}},"reason":"{reason}","explanation":"no"}}"#
        ) + "\n"
    };
    let anna = r#""user":"login/anna","user-identity":"claimed","factors":[],"#;
    let lines = [
        rejected(1, anna, Reason::TokenUsed),
        rejected(2, anna, Reason::TokenNotBound),
        rejected(3, anna, Reason::TokenEnded),
        rejected(4, "", Reason::TokenWrong),
        rejected(5, anna, Reason::UserNotAllowed),
    ];
    write(folder.path(), "audit-2026-03-02.jsonl", &lines.concat());
    let told = read(&folder, Period { from: SECOND, to: THIRD });
    assert_eq!((told.wrong["login/anna"].times, told.wrong["login/anna"].locked), (3, 0));
    assert_eq!(told.wrong["(names that nobody has)"].times, 1);
    assert!(told.users.is_empty(), "nobody is proven");
}

#[test]
fn a_login_that_was_not_done_is_a_wrong_proof_where_its_reason_says_so() {
    let folder = Scratch::new();
    let login = |sequence: u32, user: &str, reason: &str, why: &str| {
        format!(
            r#"{{"time":"2026-03-02T0{sequence}:00:00.000000Z","event":"administration","sequence":{sequence},"user":"{user}","address":"127.0.0.1","action":"login","resource":"/api/v1/session","outcome":"refused"{reason}{why},"count":10}}"#
        ) + "\n"
    };
    let labelled = |reason: Reason| format!(r#","reason":"{}""#, reason.label());
    let told = |why: &str| format!(r#","explanation":"{why}""#);
    let lines = [
        login(1, "anna", &labelled(Reason::UserLockedOut), &told("in other words")),
        login(2, "anna", &labelled(Reason::UserIdentityWrong), &told("in other words")),
        login(
            3,
            "anna",
            &labelled(Reason::UserNotAllowed),
            &told("the user has no role in the administration"),
        ),
        login(4, "anna", "", &told("too many attempts at once")),
        login(5, "unknown", "", &told("it is not what a login is")),
        login(6, "unknown", &labelled(Reason::UserIdentityWrong), &told("no user is called so")),
        login(7, "unknown", "", &told("no user is called so")),
        login(8, "unknown", "", ""),
    ];
    write(folder.path(), "audit-2026-03-02.jsonl", &lines.concat());
    let told = read(&folder, Period { from: SECOND, to: THIRD });
    let times = |user: &str| (told.wrong[user].times, told.wrong[user].locked);
    assert_eq!((times("anna"), times("(names that nobody has)")), ((20, 10), (30, 0)));
    assert_eq!((told.wrong.len(), told.administration.len()), (2, 0), "nobody is called unknown");
}

#[test]
fn wrong_proofs_and_blocks_are_told_of_whom_they_name() {
    let folder = Scratch::new();
    let login = |sequence: u32, why: &str| {
        format!(
            r#"{{"time":"2026-03-02T0{sequence}:00:00.000000Z","event":"administration","sequence":{sequence},"user":"anna","address":"127.0.0.1","action":"login","resource":"/api/v1/session","outcome":"refused","explanation":"{why}"}}"#
        )
    };
    let block = r#"{"time":"2026-03-02T05:00:00.000000Z","event":"administration","sequence":5,"user":"bert","action":"block","resource":"/api/v1/blocks","outcome":"success","explanation":"block 1: peer:lyon"}"#;
    let lines = [
        login(1, "the passcode is wrong"),
        login(2, "too many wrong attempts for this user from this address"),
        block.into(),
    ];
    write(folder.path(), "audit-2026-03-02.jsonl", &(lines.join("\n") + "\n"));
    let told = read(&folder, Period { from: SECOND, to: THIRD });
    assert_eq!((told.wrong["anna"].times, told.wrong["anna"].locked), (2, 1));
    assert_eq!((told.blocked[0].by.as_str(), told.blocked[0].what.as_str()), ("bert", "block 1: peer:lyon"));
    assert_eq!(told.administration["bert"].actions["block"], 1);
    assert!(!told.administration.contains_key("anna"));
}

//! Who came in a span, and what they did.

use time::macros::datetime;

use super::super::access::{Access, access};
use super::super::figures::Period;
use super::{two_days, write};
use crate::audit::reading::files;
use crate::scratch::Scratch;

fn read(folder: &Scratch, period: Period) -> Access {
    access(&files(folder.path()).unwrap(), period)
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
    assert_eq!((lyon.associations, lyon.seen), (0, None), "it did not come that day");
    assert_eq!((lyon.operations["C-STORE"], lyon.sop_classes.len(), second.records), (1, 1, 1));
}

#[test]
fn of_one_whose_beginning_was_not_seen_the_closing_record_counts() {
    let folder = Scratch::new();
    write(folder.path(), "audit-2026-03-02.jsonl", super::SECOND);
    let second = read(&folder, Period { from: SECOND, to: THIRD });
    assert_eq!(second.peers["lyon"].operations["C-STORE"], 2);
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

//! Whatever is done to a trail is found, and at its place.

mod attacks;

use super::{Break, Damage, Known, Verification, verify};
use crate::audit::LineHash;
use crate::audit::chain::{Chain, Draft};
use crate::audit::files::{Form, TrailFile};
use crate::audit::head::{self, Head};
use crate::audit::signing::{PublicKey, SigningKey};
use crate::audit::{Event, RecordsDeleted, Span, Started};
use crate::scratch::Scratch;
use proptest::prelude::*;
use std::fs;
use std::sync::LazyLock;
use time::macros::{date, datetime};
use time::{Date, Duration};

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap().0);

const DAYS: [Date; 3] = [date!(2026 - 01 - 01), date!(2026 - 01 - 02), date!(2026 - 01 - 03)];
const LINES: usize = 24;

/// Lines of three days, eight each, every eighth a checkpoint where they are signed.
fn trail(signed: bool) -> Vec<Vec<u8>> {
    let mut draft = Draft::new(Chain::BEGINNING);
    for number in 0..LINES {
        let time = datetime!(2026-01-01 12:00 UTC) + Duration::days((number / 8) as i64);
        if signed && number % 8 == 7 {
            draft.checkpoint(time, &KEY, number == LINES - 1);
        } else {
            let body = format!(r#"{{"association":"a{number}","text":"x y"}}"#);
            draft.record(time, "operation", body.as_bytes());
        }
    }
    draft.lines.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn file(home: &Scratch, day: Date) -> TrailFile {
    TrailFile::new(home.path(), day, Form::default())
}

fn write(lines: &[Vec<u8>]) -> Scratch {
    let home = Scratch::new();
    for (day, lines) in DAYS.iter().zip(lines.chunks(8)) {
        fs::write(file(&home, *day).path, lines.concat()).unwrap();
    }
    keep_head(&home, lines);
    home
}

/// The last of these lines as the head of the trail.
fn keep_head(home: &Scratch, lines: &[Vec<u8>]) {
    let heads = lines.iter().rev().filter_map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let sequence = crate::audit::link::parse(line)?.sequence;
        Some(Head { sequence, sha256: LineHash::of(line) })
    });
    heads.take(1).for_each(|head| head::store(home.path(), &head, Some(&KEY)).unwrap());
}

fn check(home: &Scratch, keys: &[PublicKey]) -> Verification {
    verify(home.path(), Known { keys, ..Known::default() }, &mut |_| ()).unwrap()
}

/// What is found in the lines of one file.
fn found(lines: &[Vec<u8>], keys: &[PublicKey]) -> Verification {
    let home = Scratch::new();
    fs::write(file(&home, DAYS[0]).path, lines.concat()).unwrap();
    keep_head(&home, lines);
    check(&home, keys)
}

fn damages(found: &Verification) -> Vec<(u64, Damage)> {
    found.breaks.iter().map(|one| (one.place.line, one.damage.clone())).collect()
}

#[test]
fn an_untouched_trail_is_intact_across_days() {
    let home = write(&trail(true));
    let found = check(&home, &[KEY.public_key()]);
    assert_eq!(damages(&found), []);
    assert_eq!((found.records, found.files, found.checkpoints, found.signed_up_to), (24, 3, 3, Some(24)));
    let last = found.last.unwrap();
    assert_eq!((last.sequence, last.time.as_str()), (24, "2026-01-03T12:00:00.000000Z"));
    assert_eq!(found.head, Some(LineHash::of(trail(true)[23].strip_suffix(b"\n").unwrap())));
}

#[test]
fn each_kind_of_damage_has_its_name_and_place() {
    let good = trail(false);
    let change = |at: usize, from: &str, to: &str| {
        let mut lines = good.clone();
        let text = String::from_utf8(lines[at].clone()).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        lines[at] = text.replace(from, to).into_bytes();
        damages(&found(&lines, &[]))
    };
    let change_order = |order: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut lines = good.clone();
        order(&mut lines);
        damages(&found(&lines, &[]))
    };
    assert_eq!(change(4, "x y", "x z"), [(5, Damage::Edited)]);
    assert_eq!(change(0, "x y", "x z"), [(1, Damage::Edited)]);
    assert_eq!(change(4, "\"sequence\":5", "\"sequence\":9"), [(5, Damage::Renumbered { expected: 5 })]);
    assert_eq!(change(4, "previous\":\"", "previous\":\"0"), [(5, Damage::NotARecord)]);
    assert_eq!(change(4, "{\"time", "{\"tim"), [(5, Damage::NotARecord)]);
    assert_eq!(change(4, "\n", ""), [(6, Damage::Missing { from: 6, to: 6 })]);
    assert_eq!(change_order(&|lines| drop(lines.drain(4..7))), [(5, Damage::Missing { from: 5, to: 7 })]);
    assert_eq!(change_order(&|lines| drop(lines.remove(0))), [(1, Damage::Missing { from: 1, to: 1 })]);
    assert_eq!(change_order(&|lines| lines.swap(4, 5)), [(6, Damage::Moved { from: 5, to: 5 })]);
    assert_eq!(
        change_order(&|lines| {
            let cut: Vec<_> = lines.drain(4..8).collect();
            lines.splice(10..10, cut);
        }),
        [(11, Damage::Moved { from: 5, to: 8 })]
    );
    // The last of what was moved is edited, too.
    assert_eq!(
        change_order(&|lines| {
            let mut cut: Vec<_> = lines.drain(4..8).collect();
            cut[3] = String::from_utf8(cut[3].clone()).unwrap().replace("x y", "x z").into_bytes();
            lines.splice(10..10, cut);
        }),
        [(11, Damage::Edited), (11, Damage::Moved { from: 5, to: 8 })]
    );
    assert_eq!(
        change_order(&|lines| lines.insert(9, lines[3].clone())),
        [(10, Damage::Foreign { from: 4, to: 4 })]
    );
    assert_eq!(change_order(&|lines| lines.insert(9, b"hello\n".to_vec())), [(10, Damage::NotARecord)]);
    let link = |at: usize| {
        let mut lines = good.clone();
        let place = lines[at].windows(11).position(|part| part == b"\"previous\":").unwrap() + 12;
        lines[at][place] = if lines[at][place] == b'1' { b'2' } else { b'1' };
        damages(&found(&lines, &[]))
    };
    assert_eq!(link(4), [(5, Damage::EditedHereOrBefore)]);
}

#[test]
fn every_break_is_told_and_not_only_the_first() {
    let mut lines = trail(false);
    lines[2] = String::from_utf8(lines[2].clone()).unwrap().replace("x y", "xxx").into_bytes();
    lines[20] = String::from_utf8(lines[20].clone()).unwrap().replace("x y", "xxx").into_bytes();
    lines.drain(10..12);
    let expected = [(3, Damage::Edited), (11, Damage::Missing { from: 11, to: 12 }), (19, Damage::Edited)];
    assert_eq!(damages(&found(&lines, &[])), expected);
}

#[test]
fn files_that_are_gone_renamed_or_cut_are_told() {
    let home = write(&trail(false));
    fs::remove_file(file(&home, DAYS[1]).path).unwrap();
    let gone = check(&home, &[]);
    assert_eq!(damages(&gone), [(1, Damage::Missing { from: 9, to: 16 })]);
    assert!(gone.breaks[0].place.file.ends_with("audit-2026-01-03.jsonl"));

    let home = write(&trail(false));
    fs::rename(file(&home, DAYS[0]).path, file(&home, date!(2026 - 01 - 09)).path).unwrap();
    assert_eq!(damages(&check(&home, &[])), [(1, Damage::Moved { from: 1, to: 8 })]);

    let twice = [trail(false), trail(false)].concat();
    assert_eq!(damages(&found(&twice, &[])), [(25, Damage::BeginsAnew)]);

    let home = write(&trail(false));
    let cut = fs::read(file(&home, DAYS[0]).path).unwrap();
    fs::write(file(&home, DAYS[0]).path, &cut[..cut.len() - 1]).unwrap();
    assert_eq!(damages(&check(&home, &[])), [(8, Damage::CutOff)]);

    // Of the newest file nobody knows whether the rest is still to come.
    let home = write(&trail(false));
    let cut = fs::read(file(&home, DAYS[2]).path).unwrap();
    fs::write(file(&home, DAYS[2]).path, &cut[..cut.len() - 1]).unwrap();
    keep_head(&home, &trail(false)[..23]);
    let open = check(&home, &[]);
    assert_eq!((damages(&open), open.unfinished.map(|place| place.line)), (vec![], Some(8)));
}

fn body_of(event: &Event) -> Vec<u8> {
    let mut body = Vec::new();
    event.fields(&mut body).unwrap();
    body
}

#[test]
fn a_line_torn_by_a_crash_is_no_damage_where_the_next_start_tells_it() {
    let torn = |recovered| {
        let mut lines = trail(false);
        let half = lines[23][..40].to_vec();
        lines[23] = [&half[..], b"\n"].concat();
        let chain = Chain { next_sequence: 25, head: LineHash::of(&half), unsigned: 0 };
        let mut draft = Draft::new(chain);
        let started = Event::Started(Started { recovered, ..Started::default() });
        draft.record(datetime!(2026-01-03 13:00 UTC), "started", &body_of(&started));
        lines.push(draft.lines);
        found(&lines, &[])
    };
    let good = torn(true);
    assert_eq!(damages(&good), []);
    assert_eq!(good.torn.iter().map(|place| place.line).collect::<Vec<_>>(), [24]);
    assert_eq!(damages(&torn(false)), [(24, Damage::NotARecord)]);
}

#[test]
fn a_deletion_that_is_recorded_is_a_beginning() {
    let lines = trail(false);
    let head = LineHash::of(lines[7].strip_suffix(b"\n").unwrap());
    let with = |span: Span| {
        let last = LineHash::of(lines[23].strip_suffix(b"\n").unwrap());
        let mut draft = Draft::new(Chain { next_sequence: 25, head: last, unsigned: 0 });
        let deleted = RecordsDeleted { file: "x".into(), lines: Some(span), reason: "retention-days".into() };
        let body = body_of(&Event::RecordsDeleted(deleted));
        draft.record(datetime!(2026-01-03 13:00 UTC), "records-deleted", &body);
        damages(&found(&[&lines[8..], &[draft.lines]].concat(), &[]))
    };
    assert_eq!(with(Span { first: 1, last: 8, head }), []);
    for wrong in [Span { first: 1, last: 7, head }, Span { first: 1, last: 8, head: LineHash::NONE }] {
        assert_eq!(with(wrong), [(1, Damage::Missing { from: 1, to: 8 })]);
    }
}

#[test]
fn a_trail_written_anew_has_no_signature_that_fits() {
    let forger = SigningKey::generate().unwrap().0;
    let mut draft = Draft::new(Chain::BEGINNING);
    draft.record(datetime!(2026-01-01 12:00 UTC), "operation", b"{}");
    let unsigned = found(&[draft.lines.clone()], &[KEY.public_key()]);
    assert_eq!(damages(&unsigned), [(0, Damage::NotSigned { keys: vec![KEY.id().to_string()] })]);
    assert_eq!(damages(&found(&[draft.lines.clone()], &[])), []);
    draft.checkpoint(datetime!(2026-01-01 12:00 UTC), &forger, false);
    let other = damages(&found(&[draft.lines.clone()], &[KEY.public_key()]));
    assert_eq!(other[1], (2, Damage::OtherKey { key: forger.id().to_string() }));
    let text =
        String::from_utf8(draft.lines).unwrap().replace(&forger.id().to_string(), &KEY.id().to_string());
    assert_eq!(damages(&found(&[text.into_bytes()], &[KEY.public_key()]))[1], (2, Damage::WrongSignature));
}

/// Somewhere within a line of one of those that were changed.
fn located(found: &Verification, at: usize) -> bool {
    let at = at as u64 + 1;
    found.breaks.iter().any(|one| one.place.line.abs_diff(at) <= 1)
}

proptest! {
    #[test]
    fn any_byte_that_is_edited_cut_or_put_in_is_located(
        at in 0..LINES - 1, column in 0..200_usize, how in 0..3_u8, byte in any::<u8>(),
    ) {
        let mut lines = trail(false);
        let column = column % lines[at].len();
        // The last two lines made one: nothing stands behind it, and it is the head of the trail that it falls short of.
        let ends_short = at == LINES - 2 && column == lines[at].len() - 1;
        match how {
            0 => {
                prop_assume!(lines[at][column] != byte);
                lines[at][column] = byte;
            }
            1 => drop(lines[at].remove(column)),
            _ => lines[at].insert(column, byte),
        }
        let found = found(&lines, &[]);
        let cut = || matches!(found.breaks[..], [Break { damage: Damage::CutBefore { .. }, .. }]);
        prop_assert!(located(&found, at) || (ends_short && cut()), "line {}: {:?}", at + 1, found.breaks);
    }

    #[test]
    fn any_lines_that_are_removed_moved_or_copied_are_located(
        at in 0..LINES - 2, count in 1..6_usize, to in 0..LINES - 2, how in 0..3_u8,
    ) {
        let mut lines = trail(false);
        let count = count.min(LINES - 1 - at);
        let expected = match how {
            0 => {
                lines.drain(at..at + count);
                at
            }
            1 => {
                let cut: Vec<_> = lines.drain(at..at + count).collect();
                let to = to % lines.len();
                prop_assume!(to != at);
                lines.splice(to..to, cut);
                to
            }
            _ => {
                let copies = lines[at..at + count].to_vec();
                let to = to.max(1);
                prop_assume!(to != at);
                lines.splice(to..to, copies);
                to
            }
        };
        let found = found(&lines, &[]);
        let near = found.breaks.iter().any(|one| {
            let line = one.place.line as usize;
            line.abs_diff(expected + 1) <= count + 1 || line.abs_diff(at + 1) <= count + 1
        });
        prop_assert!(near, "{at} {count} {to} {how}: {:?}", found.breaks);
    }

    #[test]
    fn two_edits_far_apart_are_both_located(first in 0..10_usize, second in 13..LINES - 1, a in 0..200_usize, b in 0..200_usize) {
        let mut lines = trail(false);
        for (at, column) in [(first, a), (second, b)] {
            let column = column % (lines[at].len() - 1);
            lines[at][column] ^= 1;
        }
        let found = found(&lines, &[]);
        prop_assert!(located(&found, first) && located(&found, second), "{:?}", found.breaks);
    }

    #[test]
    fn nothing_before_a_checkpoint_can_be_written_anew(at in 0..23_usize, column in 0..200_usize) {
        // The forger chains everything after the edit anew, and has no key.
        let mut lines = trail(true);
        let column = column % (lines[at].len() - 1);
        lines[at][column] ^= 1;
        for next in at + 1..LINES {
            let head = LineHash::of(lines[next - 1].strip_suffix(b"\n").unwrap()).to_string();
            let place = lines[next].windows(11).position(|part| part == b"\"previous\":").unwrap() + 12;
            lines[next].splice(place..place + 64, head.into_bytes());
        }
        let found = found(&lines, &[KEY.public_key()]);
        prop_assert!(!found.is_intact());
    }

    #[test]
    fn any_bytes_at_all_are_read_and_are_no_intact_trail(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..8)) {
        let found = found(&lines, &[KEY.public_key()]);
        prop_assert!(!found.is_intact() && found.signed_up_to.is_none(), "{found:?}");
    }
}

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;

use time::macros::{date, datetime};

use super::super::{Filter, Form, Identities, ReadError, files, files_for, of_days, search};
use super::{FIRST, SECOND, found, two_days, write};
use crate::audit::files::{self as trail, TrailFile};
use crate::audit::{closing, reviewers};
use crate::scratch::Scratch;

fn pack(text: &str, path: &std::path::Path) {
    let mut encoder = zstd::stream::write::Encoder::new(File::create(path).unwrap(), 3).unwrap();
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
}

#[test]
fn plain_and_packed_days_are_one_log_and_a_day_is_read_once() {
    let folder = two_days();
    pack(FIRST, &folder.path().join("audit-2026-03-01.jsonl.zst"));
    write(folder.path(), "audit-2026-02-28.jsonl.zst.age", "sealed");
    write(folder.path(), "audit-2026-3-1.jsonl", "no day");
    write(folder.path(), "audit-2026-03-03.jsonl.part", "no end");
    let listed: Vec<_> =
        files(folder.path()).unwrap().into_iter().map(|file| (file.day, file.form)).collect();
    assert_eq!(
        listed,
        [
            (date!(2026 - 02 - 28), Form::Encrypted),
            (date!(2026 - 03 - 01), Form::Plain),
            (date!(2026 - 03 - 02), Form::Plain)
        ]
    );
    std::fs::remove_file(folder.path().join("audit-2026-03-01.jsonl")).unwrap();
    let (sequences, kept) = found(folder.path(), &Filter::default());
    assert_eq!(sequences, (1..=9).collect::<Vec<_>>());
    assert_eq!((kept.lines, kept.encrypted.len(), kept.is_whole()), (9, 1, false));
}

#[test]
fn files_of_other_days_are_not_opened() {
    let folder = two_days();
    let all = files(folder.path()).unwrap();
    assert_eq!(of_days(&all, Some(date!(2026 - 03 - 02)), None).len(), 1);
    assert_eq!(of_days(&all, None, Some(date!(2026 - 02 - 27))).len(), 0);
    let midnight = datetime!(2026-03-02 00:00 UTC);
    let (sequences, kept) = found(folder.path(), &Filter { to: Some(midnight), ..Filter::default() });
    assert_eq!((sequences, kept.lines), (vec![1, 2, 3, 4], 4));
    let (sequences, kept) = found(folder.path(), &Filter { from: Some(midnight), ..Filter::default() });
    assert_eq!((sequences, kept.lines), (vec![5, 6, 7, 8, 9], 5));
}

#[test]
fn records_in_the_file_of_a_later_day_are_found_by_their_time() {
    // The clock had been a year ahead, and was set back: names go on behind the last.
    let folder = Scratch::new();
    write(folder.path(), "audit-2027-03-01.jsonl", &FIRST.replace("2026", "2027"));
    write(folder.path(), "audit-2027-03-02.jsonl", FIRST);
    pack(SECOND, &folder.path().join("audit-2027-03-03.jsonl.zst"));
    let midnight = datetime!(2026-03-02 00:00 UTC);
    let (sequences, kept) = found(folder.path(), &Filter { to: Some(midnight), ..Filter::default() });
    assert_eq!((sequences, kept.lines), (vec![1, 2, 3, 4], 4), "other files are not read");
    let filter =
        Filter { from: Some(midnight), to: Some(datetime!(2026-04-01 00:00 UTC)), ..Filter::default() };
    assert_eq!(found(folder.path(), &filter).0, [5, 6, 7, 8, 9]);
}

#[test]
fn damaged_lines_are_named_and_the_others_found() {
    let folder = two_days();
    let torn = SECOND.replace(
        "{\"time\":\"2026-03-02T09:00:00.000000Z\"",
        "{\"tim\n{\"time\":\"2026-03-02T09:00:00.000000Z\"",
    );
    write(folder.path(), "audit-2026-03-02.jsonl", &(torn + "\nx}\n{\"a\":1,}\n{\"b\":2}\n{\"time\":"));
    let (sequences, kept) = found(folder.path(), &Filter::default());
    assert_eq!(sequences, (1..=9).collect::<Vec<_>>());
    let named: Vec<_> = kept.damage.iter().map(|damage| (damage.place.line, damage.what.as_str())).collect();
    assert_eq!(
        named,
        [
            (2, "cut off before its end"),
            (7, "an empty line"),
            (8, "no JSON object"),
            (9, "trailing comma at line 1 column 8"),
            (10, "an object without time or event"),
            (11, "cut off before its end")
        ]
    );
    assert!(kept.damage[0].place.to_string().ends_with("audit-2026-03-02.jsonl:2"));
}

#[test]
fn a_packed_file_that_is_cut_says_so_and_the_next_day_is_read() {
    let folder = two_days();
    std::fs::remove_file(folder.path().join("audit-2026-03-01.jsonl")).unwrap();
    let packed = folder.path().join("audit-2026-03-01.jsonl.zst");
    pack(FIRST, &packed);
    let whole = std::fs::read(&packed).unwrap();
    std::fs::write(&packed, &whole[..whole.len() / 2]).unwrap();
    let (sequences, kept) = found(folder.path(), &Filter::default());
    assert_eq!(sequences, (5..=9).collect::<Vec<_>>());
    assert_eq!((kept.damaged, kept.damage[0].place.line), (1, 0));
}

#[test]
fn lines_come_back_byte_for_byte_in_order_across_many_batches() {
    let folder = Scratch::new();
    let line = |n: usize| {
        format!(
            r#"{{"time":"2026-03-01T00:00:00.000000Z","event":"x","sequence":{n},"fill":"{}"}}"#,
            "é".repeat(n % 97)
        )
    };
    let written: Vec<String> = (0..60_000).map(line).collect();
    write(folder.path(), "audit-2026-03-01.jsonl", &written.join("\n"));
    let mut read = Vec::new();
    let listed = files(folder.path()).unwrap();
    search(&listed, &Filter::default(), |line| {
        read.push(String::from_utf8(line).unwrap());
        ControlFlow::Continue(())
    });
    assert_eq!(read, written);
    let mut taken = 0;
    search(&listed, &Filter::default(), |_| {
        taken += 1;
        if taken == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(taken, 3);
}

#[test]
fn a_folder_without_records_is_an_error_that_names_it() {
    let folder = Scratch::new();
    assert!(
        matches!(files(folder.path()), Err(ReadError::Empty { path }) if path == folder.path().display().to_string())
    );
    assert!(matches!(files(&folder.path().join("none")), Err(ReadError::Folder { .. })));
}

#[test]
fn an_encrypted_day_is_read_with_the_identity_it_is_for() {
    let folder = two_days();
    let (secret, public) = reviewers::new_identity().unwrap();
    let identity = folder.path().join("reviewer.txt");
    std::fs::write(&identity, secret.as_bytes()).unwrap();
    let day = TrailFile::new(folder.path(), date!(2026 - 03 - 01), trail::Form::default());
    let readers = reviewers::Reviewers::new(&[&public]).unwrap();
    let sealed = TrailFile::new(folder.path(), day.day, trail::Form { compressed: true, encrypted: true });
    let mut lines = day.open(&[]).unwrap();
    closing::write(&mut lines, &sealed.path, sealed.form, readers.as_ref()).unwrap();
    std::fs::remove_file(&day.path).unwrap();
    let (sequences, kept) = found(folder.path(), &Filter::default());
    assert_eq!((sequences, kept.encrypted.len()), ((5..=9).collect(), 1));
    let identities = Identities::new(reviewers::read_identities(&identity).unwrap());
    let listed = files_for(folder.path(), &identities).unwrap();
    let mut lines = Vec::new();
    let kept = search(&listed, &Filter::default(), |line| {
        lines.push(String::from_utf8(line).unwrap());
        ControlFlow::Continue(())
    });
    assert_eq!((lines.join("\n") + "\n", kept.is_whole()), ([FIRST, SECOND].concat(), true));
}

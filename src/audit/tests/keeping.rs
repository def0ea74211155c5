//! What becomes of files: closed, encrypted, deleted, and the chain through all of it.

mod cut;

use super::{home, until};
use crate::audit::chain::{Chain, Draft};
use crate::audit::files::{self, Form, TrailFile};
use crate::audit::head;
use crate::audit::reviewers::{self, Identity, Reviewers};
use crate::audit::signing::SigningKey;
use crate::audit::unsent::Unsent;
use crate::audit::verify::{Damage, Known, Verification, verify};
use crate::audit::*;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use time::{Date, OffsetDateTime};

fn today() -> Date {
    OffsetDateTime::now_utc().date()
}

fn ago(days: i64) -> Date {
    today() - time::Duration::days(days)
}

/// Files of earlier days, oldest first, with so many records each.
fn earlier(directory: &Path, days: &[i64]) {
    let mut chain = Chain::BEGINNING;
    for &day in days {
        let mut draft = Draft::new(chain);
        for _ in 0..5 {
            let time = ago(day).with_hms(12, 0, 0).unwrap().assume_utc();
            draft.record(time, "operation", br#"{"association":"a"}"#);
        }
        fs::write(TrailFile::new(directory, ago(day), Form::default()).path, &draft.lines).unwrap();
        chain = draft.chain;
    }
    head::store(directory, &chain.last(), None).unwrap();
}

fn event() -> Event {
    Event::Stopped(Stopped { reason: "test".into(), aborted: 0, health_checks: None, duration_ms: 0 })
}

/// Records something today, so that the files of earlier days are looked after, until `done`.
async fn run_until(settings: AuditSettings, done: impl Fn() -> bool) {
    let (audit, task) = Audit::start(settings).unwrap();
    audit.record(event()).await;
    until(done).await;
    task.close().await;
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("audit-"))
        .collect();
    names.sort();
    names
}

fn checked(directory: &Path, identities: &[Identity]) -> Verification {
    verify(directory, Known { identities, ..Known::default() }, &mut |_| ()).unwrap()
}

fn settings(directory: &Path, keeping: Keeping) -> AuditSettings {
    AuditSettings { durability: Durability::EveryRecord, keeping, ..AuditSettings::new(directory) }
}

fn record_of<'a>(directory: &'a Path, event: &'a str) -> impl Fn() -> bool + 'a {
    move || {
        let path = TrailFile::new(directory, today(), Form::default()).path;
        fs::read_to_string(path).unwrap_or_default().contains(&format!("\"event\":\"{event}\""))
    }
}

fn both_closed(directory: &Path) -> impl Fn() -> bool + '_ {
    let path = TrailFile::new(directory, today(), Form::default()).path;
    move || fs::read_to_string(&path).unwrap_or_default().matches("file-closed").count() == 2
}

#[tokio::test]
async fn files_of_earlier_days_are_compressed_and_the_chain_goes_through_them() {
    let home = home();
    let directory = home.path();
    earlier(directory, &[2, 1]);
    let old = TrailFile::new(directory, ago(2), Form::default());
    let lines = fs::read(&old.path).unwrap();
    fs::write(directory.join("audit-2026-01-01.jsonl.zst.part"), "half").unwrap();
    let keeping = Keeping { compress: true, ..Keeping::default() };
    run_until(settings(directory, keeping), both_closed(directory)).await;
    let files = files::list(directory).unwrap();
    assert_eq!(files.iter().map(|file| file.form.compressed).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(names(directory).len(), 3, "{:?}", names(directory));
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut files[0].open(&[]).unwrap(), &mut read).unwrap();
    assert_eq!(read, lines);
    let found = checked(directory, &[]);
    assert_eq!((found.breaks.as_slice(), found.records), (&[][..], 14));

    // One byte of a compressed file.
    let mut bytes = fs::read(&files[1].path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&files[1].path, bytes).unwrap();
    let found = checked(directory, &[]);
    assert!(found.breaks.iter().any(|one| *one.place.file == *files[1].path), "{:?}", found.breaks);
}

#[tokio::test]
async fn encrypted_files_are_for_their_reviewer_only() {
    let home = home();
    let directory = home.path().join("audit");
    fs::create_dir(&directory).unwrap();
    earlier(&directory, &[5, 2]);
    let (secret, public) = reviewers::new_identity().unwrap();
    let (other, _) = reviewers::new_identity().unwrap();
    let identity = |name: &str, text: &str| {
        fs::write(home.path().join(name), text).unwrap();
        reviewers::read_identities(&home.path().join(name)).unwrap()
    };
    let (reviewer, stranger) = (identity("a", &secret), identity("b", &other));
    let keeping =
        Keeping { compress: true, reviewers: Reviewers::new(&[&public]).unwrap(), ..Keeping::default() };
    run_until(settings(&directory, keeping.clone()), both_closed(&directory)).await;
    let files = files::list(&directory).unwrap();
    assert_eq!(files[0].form, Form { compressed: true, encrypted: true });
    let bytes = fs::read(&files[0].path).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    let found = checked(&directory, &reviewer);
    assert_eq!((found.breaks.as_slice(), found.records, found.unread.len()), (&[][..], 14, 0));
    for identities in [&[][..], &stranger] {
        let found = checked(&directory, identities);
        assert_eq!((found.breaks.as_slice(), found.records, found.unread.len()), (&[][..], 4, 2));
    }
    let mut changed = bytes.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(&files[0].path, changed).unwrap();
    assert!(!checked(&directory, &reviewer).is_intact());
    fs::write(&files[0].path, bytes).unwrap();

    // What is deleted later was noted when it was closed.
    let text = fs::read_to_string(directory.join(format!("{}.closed", files::stem(ago(5))))).unwrap();
    let noted: Span = serde_json::from_str(&text).unwrap();
    assert_eq!((noted.first, noted.last), (1, 5));
    let keeping = Keeping { retention_days: Some(4), ..keeping };
    // The file, then the note beside it.
    run_until(settings(&directory, keeping), || names(&directory).len() == 3).await;
    let found = checked(&directory, &[]);
    assert_eq!((found.breaks.as_slice(), found.first.unwrap().sequence), (&[][..], 11));
    assert!(!files[0].path.exists());
}

#[tokio::test]
async fn records_are_deleted_when_their_time_is_over_and_the_trail_tells() {
    let home = home();
    let directory = home.path();
    earlier(directory, &[12, 11, 2]);
    let keeping = Keeping { retention_days: Some(10), ..Keeping::default() };
    let path = TrailFile::new(directory, ago(11), Form::default()).path;
    run_until(settings(directory, keeping), move || !path.exists()).await;
    let found = checked(directory, &[]);
    assert_eq!((found.breaks.as_slice(), found.first.unwrap().sequence), (&[][..], 11));

    // A deletion of which nobody tells.
    fs::remove_file(TrailFile::new(directory, ago(2), Form::default()).path).unwrap();
    let found = checked(directory, &[]);
    assert_eq!(found.breaks[0].damage, Damage::Missing { from: 1, to: 15 });
}

/// What a reader has not had when it has had so many bytes of a day: the lines from there on.
fn unsent(directory: &Path) -> Vec<(Date, u64, String)> {
    let read = |unsent: Unsent| {
        let mut text = String::new();
        unsent.open().unwrap().read_to_string(&mut text).unwrap();
        (unsent.day, unsent.from, text)
    };
    crate::audit::unsent::list(directory).unwrap().into_iter().map(read).collect()
}

#[tokio::test]
async fn days_are_closed_and_deleted_whatever_was_not_sent_and_that_is_kept_for_itself() {
    let home = home();
    let directory = home.path();
    earlier(directory, &[12, 11, 2]);
    let lines = |day| fs::read_to_string(TrailFile::new(directory, ago(day), Form::default()).path).unwrap();
    let (eleventh, second) = (lines(11), lines(2));
    let name: Arc<str> = "arr".into();
    let at = eleventh.find('\n').unwrap() as u64 + 1;
    let (_, public) = reviewers::new_identity().unwrap();
    let keeping = Keeping {
        compress: true,
        reviewers: Reviewers::new(&[&public]).unwrap(),
        retention_days: Some(10),
        ..Keeping::default()
    };
    keeping.hold.expect([name.clone()]);
    keeping.hold.is_at(&name, ago(11), at);
    run_until(settings(directory, keeping.clone()), record_of(directory, "file-closed")).await;
    let shown: Vec<String> = names(directory);
    assert_eq!(shown.iter().filter(|name| name.contains(".jsonl")).count(), 2, "{shown:?}");
    let rest = eleventh.get(at as usize..).unwrap().to_owned();
    assert_eq!(unsent(directory), [(ago(11), at, rest), (ago(2), 0, second)]);
    for kept in crate::audit::unsent::list(directory).unwrap() {
        assert!(fs::read(kept.path).unwrap().starts_with(b"age-encryption.org/v1\n"));
    }
    let key = directory.join("unsent.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);

    // The key goes with the last that it opens.
    keeping.hold.is_at(&name, ago(2), 0);
    crate::audit::unsent::discard(directory, &keeping.hold).unwrap();
    assert_eq!((unsent(directory).len(), key.exists()), (1, true));
    keeping.hold.is_at(&name, ago(1), 0);
    crate::audit::unsent::discard(directory, &keeping.hold).unwrap();
    assert_eq!((unsent(directory).len(), key.exists()), (0, false));
}

#[tokio::test]
async fn nothing_is_deleted_when_the_clock_leaps() {
    // By years, and by a month.
    for days in [[400, 399], [32, 31]] {
        let home = home();
        earlier(home.path(), &days);
        let keeping = Keeping { retention_days: Some(10), compress: true, ..Keeping::default() };
        run_until(settings(home.path(), keeping), both_closed(home.path())).await;
        assert_eq!(files::list(home.path()).unwrap().len(), 3);
    }
}

#[tokio::test]
async fn behind_a_day_that_is_later_than_today_the_trail_goes_on_in_a_file_of_its_own() {
    let home = home();
    earlier(home.path(), &[1, -3]);
    run_until(settings(home.path(), Keeping::default()), || true).await;
    let found = checked(home.path(), &[]);
    assert_eq!((found.breaks.as_slice(), found.records, found.files), (&[][..], 13, 3));
}

#[tokio::test]
async fn checkpoints_come_after_so_many_records_and_at_the_end() {
    let home = home();
    let key = Arc::new(SigningKey::generate().unwrap().0);
    let checkpoints = Checkpoints { key: key.clone(), records: 10, interval: Duration::from_secs(3600) };
    let settings = AuditSettings { checkpoints: Some(checkpoints), ..AuditSettings::new(home.path()) };
    let (audit, task) = Audit::start(settings).unwrap();
    for _ in 0..25 {
        audit.record(event()).await;
    }
    task.close().await;
    let found =
        verify(home.path(), Known { keys: &[key.public_key()], ..Known::default() }, &mut |_| ()).unwrap();
    assert_eq!((found.breaks.as_slice(), found.records, found.checkpoints), (&[][..], 30, 4));
    assert_eq!(found.signed_up_to, Some(30));
}

#[tokio::test]
async fn a_checkpoint_comes_after_so_long() {
    let home = home();
    let key = Arc::new(SigningKey::generate().unwrap().0);
    let checkpoints = Checkpoints { key, records: 1000, interval: Duration::from_millis(1) };
    let settings = AuditSettings { checkpoints: Some(checkpoints), ..AuditSettings::new(home.path()) };
    run_until(settings, record_of(home.path(), "checkpoint")).await;
}

#[tokio::test]
async fn every_record_is_in_the_file_when_recording_is_done() {
    let home = home();
    let (audit, task) = Audit::start(settings(home.path(), Keeping::default())).unwrap();
    for number in 1..=20 {
        audit.record(event()).await;
        let text = fs::read_to_string(TrailFile::new(home.path(), today(), Form::default()).path).unwrap();
        assert_eq!(text.lines().count(), 1 + number);
    }
    task.close().await;
    audit.record(event()).await;
}

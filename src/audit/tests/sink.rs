//! The sink against real directories: order, continuation, failure and recovery.

use super::{home, until};
use crate::audit::chain::Chain;
use crate::audit::days::Days;
use crate::audit::file::path_of;
use crate::audit::queue::Queue;
use crate::audit::writer::{How, Patience, Writer};
use crate::audit::*;
use crate::scratch::Scratch;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

const PATIENCE: Patience = Patience {
    first_pause: Duration::from_millis(5),
    longest_pause: Duration::from_millis(20),
    at_end: Duration::from_millis(100),
};

fn start(directory: &Path, on_failure: OnFailure) -> (Audit, AuditTask) {
    start_with(directory, on_failure, 1 << 20)
}

fn start_with(directory: &Path, on_failure: OnFailure, capacity: u32) -> (Audit, AuditTask) {
    let settings = AuditSettings { on_failure, ..AuditSettings::new(directory) };
    Audit::start_with(settings, capacity, PATIENCE).unwrap()
}

fn event(number: u64) -> Event {
    Event::Stopped(Stopped { reason: "test".into(), aborted: number, health_checks: None, duration_ms: 0 })
}

/// The files of the days, in their order.
fn days(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let of_a_day = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("audit-");
    let mut files: Vec<PathBuf> = entries.filter(of_a_day).map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// The lines of all files, in the order of the days.
fn lines(directory: &Path) -> Vec<String> {
    days(directory)
        .iter()
        .flat_map(|file| fs::read_to_string(file).unwrap().lines().map(String::from).collect::<Vec<_>>())
        .collect()
}

fn records(directory: &Path) -> Vec<Value> {
    lines(directory).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn numbers(records: &[Value], key: &str) -> Vec<u64> {
    records.iter().filter_map(|record| record[key].as_u64()).collect()
}

fn today(directory: &Path) -> PathBuf {
    path_of(directory, OffsetDateTime::now_utc().date())
}

#[tokio::test]
async fn records_keep_their_order_and_the_next_run_goes_on() {
    let home = home();
    let directory = home.path().join("a/b");
    for run in 0..2 {
        let (audit, task) = start(&directory, OnFailure::Block);
        for number in 0..100 {
            audit.record(event(run * 100 + number)).await;
        }
        task.close().await;
    }
    let records = records(&directory);
    assert_eq!(numbers(&records, "sequence"), (1..=202).collect::<Vec<_>>(), "each run says what it found");
    assert_eq!(numbers(&records, "aborted"), (0..200).collect::<Vec<_>>());
    let times: Vec<_> = records.iter().map(|record| record["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&today(&directory)) & 0o007, 0);
    assert_eq!(mode(&directory) & 0o007, 0);
}

#[tokio::test]
async fn a_line_torn_by_a_crash_is_closed_off_and_told() {
    let home = home();
    let old = home.path().join("audit-2026-01-01.jsonl");
    let torn = "{\"time\":\"x\",\"event\":\"stopped\",\"sequence\":41}\n{\"time\":\"x\",\"eve";
    fs::write(&old, torn).unwrap();
    fs::write(home.path().join("audit-old.jsonl"), "{\"sequence\":999}\n").unwrap();
    let (audit, task) = start(home.path(), OnFailure::Block);
    audit.record(Event::Started(Started::default())).await;
    task.close().await;
    assert_eq!(fs::read_to_string(&old).unwrap(), format!("{torn}\n"));
    let text = fs::read_to_string(today(home.path())).unwrap();
    let new: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(numbers(&new, "sequence"), [43, 44, 45], "42 was in the torn line");
    assert!(new.iter().filter(|record| record["recovered"] == true).count() == 2);
    assert_eq!(new[1]["reason"], "trail-changed", "there was no head");

    let (audit, task) = start(home.path(), OnFailure::Block);
    audit.record(Event::Started(Started::default())).await;
    task.close().await;
    let text = fs::read_to_string(today(home.path())).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&last["sequence"], &last["recovered"]), (&47.into(), &false.into()));
}

#[tokio::test]
async fn a_whole_record_without_its_line_end_keeps_its_number() {
    let home = home();
    fs::write(today(home.path()), "{\"sequence\":7}").unwrap();
    let (audit, task) = start(home.path(), OnFailure::Block);
    audit.record(event(0)).await;
    task.close().await;
    assert_eq!(numbers(&records(home.path()), "sequence"), [7, 8, 9, 10]);
}

#[tokio::test]
async fn nothing_is_lost_while_the_directory_is_gone() {
    let home = home();
    let (directory, aside) = (home.path().join("audit"), home.path().join("aside"));
    let (audit, task) = start(&directory, OnFailure::Block);
    audit.record(event(0)).await;
    until(|| lines(&directory).len() == 2).await;

    fs::rename(&directory, &aside).unwrap();
    fs::write(&directory, "in the way").unwrap();
    for number in 1..50 {
        audit.record(event(number)).await;
    }
    until(|| !audit.writable()).await;
    assert!(!audit.admits());

    fs::remove_file(&directory).unwrap();
    fs::rename(&aside, &directory).unwrap();
    until(|| audit.writable()).await;
    task.close().await;
    assert_eq!(numbers(&records(&directory), "aborted"), (0..50).collect::<Vec<_>>());
    assert_eq!(numbers(&records(&directory), "sequence"), (1..=51).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_file_that_was_deleted_is_begun_anew_and_told() {
    let home = home();
    let (audit, task) = start(home.path(), OnFailure::Block);
    audit.record(event(0)).await;
    until(|| lines(home.path()).len() == 2).await;
    fs::remove_file(today(home.path())).unwrap();
    audit.record(event(1)).await;
    task.close().await;
    let records = records(home.path());
    assert_eq!(numbers(&records, "sequence"), [3, 4]);
    assert_eq!(records[0]["aborted"], 1);
    assert_eq!(records[1]["reason"], "audit-file-replaced");
}

/// No record can be written, as on a full disk: something else stands where the file should.
fn fill_disk(directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    for day in [0, 1] {
        let day = (OffsetDateTime::now_utc() + time::Duration::days(day)).date();
        fs::create_dir(path_of(directory, day)).unwrap();
    }
}

fn free_disk(directory: &Path) {
    let remove = |path: &PathBuf| if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
    days(directory).iter().for_each(|path| remove(path).unwrap());
}

#[tokio::test]
async fn a_full_disk_makes_block_wait_and_lose_nothing() {
    let home = home();
    let directory = home.path().join("audit");
    let (audit, task) = start_with(&directory, OnFailure::Block, 4096);
    free_disk(&directory);
    fill_disk(&directory);
    let recorder = tokio::spawn({
        let audit = audit.clone();
        async move {
            for number in 0..64 {
                audit.record(event(number)).await;
            }
        }
    });
    until(|| !audit.writable()).await;
    assert!(!recorder.is_finished(), "64 records do not fit into 4096 bytes");
    free_disk(&directory);
    recorder.await.unwrap();
    task.close().await;
    assert!(audit.writable());
    assert_eq!(numbers(&records(&directory), "aborted"), (0..64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_full_disk_makes_allow_drop_and_count() {
    let home = home();
    let directory = home.path().join("audit");
    let (audit, task) = start_with(&directory, OnFailure::Allow, 4096);
    free_disk(&directory);
    fill_disk(&directory);
    audit.record(event(0)).await;
    until(|| !audit.writable()).await;
    for number in 1..64 {
        audit.record(event(number)).await;
    }
    assert!(audit.admits());
    free_disk(&directory);
    until(|| audit.writable()).await;
    audit.record(event(64)).await;
    task.close().await;
    let records = records(&directory);
    let kept = numbers(&records, "aborted");
    let lost: u64 = numbers(&records, "records").iter().sum();
    assert_eq!(kept.len() as u64 + lost, 65, "{records:?}");
    assert!(lost > 0 && kept.starts_with(&[0, 1, 2]) && kept.ends_with(&[64]), "{records:?}");
    assert!(records.iter().any(|record| record["reason"] == "records-lost"));
    // The first record went with the file that was removed.
    assert_eq!(numbers(&records, "sequence"), (2..=records.len() as u64 + 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn closing_on_a_dead_disk_ends_in_bounded_time_and_later_records_are_refused() {
    let home = home();
    let directory = home.path().join("audit");
    let (audit, task) = start(&directory, OnFailure::Block);
    free_disk(&directory);
    fill_disk(&directory);
    audit.record(event(0)).await;
    until(|| !audit.writable()).await;
    task.close().await;
    audit.record(event(1)).await;
    assert!(!audit.writable());
}

#[test]
fn a_directory_that_cannot_be_used_is_named_at_start() {
    let home = home();
    let directory = home.path().join("file");
    fs::write(&directory, "").unwrap();
    let settings = AuditSettings { on_failure: OnFailure::Allow, ..AuditSettings::new(&directory) };
    let error = Audit::start(settings).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(directory.to_str().unwrap()) && text.contains("audit.directory"), "{text}");
}

#[tokio::test]
async fn a_second_writer_is_told_who_has_the_directory() {
    let home = home();
    let (_audit, task) = start(home.path(), OnFailure::Block);
    let text = Audit::start(AuditSettings::new(home.path())).unwrap_err().to_string();
    assert!(text.starts_with(&format!("process {} writes", std::process::id())), "{text}");
    assert!(text.contains(home.path().to_str().unwrap()) && text.contains("audit.directory"), "{text}");
    task.close().await;
    let (_audit, task) = start(home.path(), OnFailure::Block);
    task.close().await;
}

#[tokio::test]
async fn a_look_at_the_records_becomes_a_record_once() {
    let home = home();
    let (_audit, task) = start(home.path(), OnFailure::Block);
    let note =
        used::Note { command: "search".into(), arguments: "--peer lyon".into(), ..used::Note::default() };
    used::leave(home.path(), &note).unwrap();
    until(|| lines(home.path()).len() > 1).await;
    let notes = || fs::read_dir(home.path().join("used")).unwrap().count();
    until(|| notes() == 0).await;
    task.close().await;
    // One that nobody was there to take waits for the next start.
    used::leave(home.path(), &note).unwrap();
    let (_audit, task) = start(home.path(), OnFailure::Block);
    until(|| notes() == 0).await;
    task.close().await;
    let records = records(home.path());
    let used: Vec<&Value> = records.iter().filter(|record| record["event"] == "audit-log-used").collect();
    assert!(used.len() == 2 && used.iter().all(|record| record["command"] == "search"), "{records:?}");
}

#[tokio::test]
async fn a_stop_leaves_no_note_whose_record_the_disk_keeps() {
    let home = Scratch::new();
    let note =
        used::Note { command: "search".into(), arguments: "--peer lyon".into(), ..used::Note::default() };
    let taken = || lines(home.path()).iter().filter(|line| line.contains("audit-log-used")).count();
    for round in 1..=3 {
        let (_audit, task) = start(home.path(), OnFailure::Block);
        (0..30).for_each(|_| used::leave(home.path(), &note).unwrap());
        // They are written, and the disk is asked to keep them when the run ends.
        until(|| taken() == round * 30).await;
        task.close().await;
        assert_eq!(fs::read_dir(home.path().join("used")).unwrap().count(), 0, "{round}");
    }
}

#[tokio::test]
async fn who_is_turned_away_never_waits_and_nobody_does_when_the_process_ends() {
    for durability in [Durability::EverySecond, Durability::EveryRecord] {
        let home = home();
        let directory = home.path().join("audit");
        let settings = AuditSettings { durability, ..AuditSettings::new(&directory) };
        let (audit, task) = Audit::start_with(settings, 4096, PATIENCE).unwrap();
        free_disk(&directory);
        fill_disk(&directory);
        let waiting = tokio::spawn({
            let audit = audit.clone();
            async move {
                for number in 0..64 {
                    audit.record(event(number)).await;
                }
            }
        });
        until(|| !audit.writable()).await;
        // Ready at once, in both cases.
        (0..64).for_each(|number| audit.record_refusal(event(number)));
        assert!(!audit.admits() && !waiting.is_finished());
        audit.hurry();
        waiting.await.unwrap();
        audit.record(event(64)).await;
        task.close().await;
    }
}

#[tokio::test]
async fn who_waits_for_an_answer_waits_no_longer_than_it_takes_to_know_that_there_is_no_record() {
    let home = home();
    for (durability, capacity, queued) in
        [(Durability::EveryRecord, 1 << 20, true), (Durability::EverySecond, 512, false)]
    {
        let directory = home.path().join(queued.to_string());
        let settings = AuditSettings { durability, ..AuditSettings::new(&directory) };
        let (audit, task) = Audit::start_with(settings, capacity, PATIENCE).unwrap();
        assert_eq!(audit.record_for_answer(event(0)).await, Ok(()));
        until(|| numbers(&records(&directory), "aborted") == [0]).await;
        free_disk(&directory);
        fill_disk(&directory);
        if !queued {
            // It takes all of the room.
            audit.record(event(1)).await;
        }
        assert_eq!(audit.record_for_answer(event(2)).await, Err(NotKept { queued }));
        free_disk(&directory);
        until(|| audit.writable()).await;
        assert_eq!(audit.record_for_answer(event(3)).await, Ok(()));
        task.close().await;
        // What was queued is written after all, and told of so.
        let expected = if queued { [2, 3] } else { [1, 3] };
        assert_eq!(numbers(&records(&directory), "aborted"), expected);
    }
}

#[tokio::test]
async fn what_stands_in_the_place_of_a_file_is_named_at_the_start_and_not_waited_for() {
    let home = home();
    crate::audit::regular::tests::pipe(&today(home.path()));
    let text = Audit::start(AuditSettings::new(home.path())).unwrap_err().to_string();
    assert!(text.contains(today(home.path()).to_str().unwrap()), "{text}");
    assert!(text.contains("is a pipe, not a regular file"), "{text}");
}

#[tokio::test]
async fn a_line_that_could_not_be_closed_off_is_closed_off_before_the_next() {
    let home = home();
    let path = home.path().join("audit-2026-01-01.jsonl");
    fs::write(&path, "{\"sequence\":7}").unwrap();
    let (queue, (begun, _)) = (Arc::new(Queue::new(4096)), std::sync::mpsc::channel());
    let how = How {
        tenant: None,
        checkpoints: None,
        durability: Durability::EveryRecord,
        patient_identifiers: PatientIdentifiers::None,
        patience: PATIENCE,
    };
    let at = (Days::new(OffsetDateTime::now_utc().date()), Chain::BEGINNING, Some(path.clone()));
    queue.push_own(event(0), None);
    Writer::new(queue, home.path().to_owned(), at, how, begun).begin().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"sequence\":7}\n");
}

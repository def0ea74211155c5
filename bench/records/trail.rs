//! How fast a trail of many records is verified and searched.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use dimsegate::audit::reading::{Filter, Wanted, files, search};
use dimsegate::audit::verify::{Known, verify};
use dimsegate::audit::{Audit, AuditSettings, Direction, Event, Operation};

use crate::cpu;

/// Megabytes a second of CPU that verification has to reach.
const TARGET: f64 = 200.0;

/// Makes a trail, and prints how fast it is read; false where verifying is too slow. A machine that has other things to
/// do makes no difference to that: it is judged by CPU time of the one thread that verifies.
pub fn measure(records: u64) -> bool {
    let home = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let began = Instant::now();
    runtime.block_on(write(home.path(), records));
    rate("written", records, size(home.path()), began);

    let (began, cpu) = (Instant::now(), cpu::of_this_thread());
    let found = verify(home.path(), Known::default(), &mut |_| ()).expect("a trail that can be read");
    let seconds = (cpu::of_this_thread() - cpu).as_secs_f64();
    assert!(found.is_intact() && found.records == records + 1, "{} of {records} records", found.records);
    rate("verified", records, found.bytes, began);
    let reached = found.bytes as f64 / 1e6 / seconds;
    let verdict = if reached >= TARGET { "" } else { ": TOO SLOW" };
    println!("{:<28}{reached:>9.0} MB a second of CPU, at least {TARGET}{verdict}", "");

    let failures =
        Filter { outcome: Some("failure".parse::<Wanted>().expect("an outcome")), ..Filter::default() };
    searched("searched, outcome", home.path(), records, &failures);
    let mut instance = Filter::default();
    instance.of_operation.sop_instance = Some("1.2.826.0.1.3.500".parse().expect("a pattern"));
    searched("searched, instance", home.path(), records, &instance);
    reached >= TARGET
}

async fn write(directory: &Path, records: u64) {
    let (audit, task) = Audit::start(AuditSettings::new(directory)).expect("a trail");
    for number in 0..records {
        audit.record(operation(number)).await;
    }
    task.close().await;
}

fn operation(number: u64) -> Event {
    Event::Operation(Box::new(Operation {
        association: format!("6b8b4567-{:x}", number / 300).into(),
        operation: "C-STORE".into(),
        message_id: number as u16,
        direction: Direction::FromPeer,
        agreement: None,
        sop_class: Some("1.2.840.10008.5.1.4.1.1.2".into()),
        sop_instance: Some(format!("1.2.826.0.1.3.{number}")),
        new_sop_instance: None,
        originals: Default::default(),
        data_set_sop_class: None,
        data_set_sop_instance: None,
        study: Some(format!("1.2.826.0.1.3680043.10.543.{}", number / 300)),
        new_study: None,
        rewritten: None,
        patient: None,
        query: None,
        move_destination: None,
        status: Some(if number % 1000 == 999 { 0xa700 } else { 0 }),
        bytes: 529_000,
        duration_ms: 4,
        reason: None,
        fault: None,
        tolerated: Vec::new(),
        withheld: None,
        count: None,
    }))
}

fn searched(what: &str, directory: &Path, records: u64, filter: &Filter) {
    let files = files(directory).expect("files");
    let (mut found, began) = (0_u64, Instant::now());
    let kept = search(&files, filter, |_| {
        found += 1;
        ControlFlow::Continue(())
    });
    assert!(kept.is_whole() && found > 0);
    rate(&format!("{what} ({found})"), records, size(directory), began);
}

/// Prints how long it took; gives megabytes a second.
fn rate(what: &str, records: u64, bytes: u64, began: Instant) -> f64 {
    let seconds = began.elapsed().as_secs_f64();
    let megabytes = bytes as f64 / 1e6 / seconds;
    println!(
        "{what:<28}{records:>9} records, {:>5.0} MB in {seconds:>6.2} s: {megabytes:>6.0} MB/s, {:>6.2} million lines/s",
        bytes as f64 / 1e6,
        records as f64 / 1e6 / seconds
    );
    megabytes
}

fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.and_then(|entry| entry.metadata()).map_or(0, |metadata| metadata.len())).sum()
}

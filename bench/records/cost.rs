//! CPU of recording one C-STORE, on the thread that records and on the thread that writes.
//!
//! Between two records the recording thread does other work for about as long as the relay does for a small object, so
//! that the writer finds the queue as it does in service. What that work costs alone is subtracted.

use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use dimsegate::audit::{
    Audit, AuditSettings, Direction, Durability, Event, OnFailure, Operation, PatientIdentifier,
    PatientIdentifiers,
};

use crate::cpu;

/// Microseconds of CPU that a record may cost where it is recorded.
const TARGET: f64 = 3.0;
const ROUNDS: usize = 5;

/// Prints both costs; false where the first is above its target.
pub fn measure(records: u64) -> bool {
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| round(records)).collect();
    let mut median = |of: fn(&(f64, f64)) -> f64| {
        rounds.sort_by(|a, b| of(a).total_cmp(&of(b)));
        of(&rounds[ROUNDS / 2])
    };
    let (recording, writing) = (median(|round| round.0), median(|round| round.1));
    let within = recording <= TARGET;
    let verdict = if within { "" } else { ": TOO MUCH" };
    println!("recording   {recording:>8.2} us CPU a record, at most {TARGET}{verdict}");
    println!("writing     {writing:>8.2} us CPU a record, on a thread of its own");
    within
}

/// Microseconds a record.
fn round(records: u64) -> (f64, f64) {
    let home = tempfile::tempdir().expect("a directory");
    let settings = AuditSettings {
        on_failure: OnFailure::Block,
        durability: Durability::EverySecond,
        patient_identifiers: PatientIdentifiers::KeyedHash(Box::new(hmac::Key::new(
            hmac::HMAC_SHA256,
            &[7; 32],
        ))),
        ..AuditSettings::new(home.path())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (audit, task) = Audit::start(settings).expect("a trail");
        let alone = cpu_of(records, async |_| ()).await;
        let writer = cpu::of_threads("audit");
        let both = cpu_of(records, async |number| audit.record(operation(number)).await).await;
        // What is still queued is written within a moment.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let writer = cpu::of_threads("audit") - writer;
        task.close().await;
        (micros(both.saturating_sub(alone), records), micros(writer, records))
    })
}

async fn cpu_of(records: u64, mut each: impl AsyncFnMut(u64)) -> Duration {
    let work = vec![0; 24 << 10];
    let began = cpu::of_this_thread();
    for number in 0..records {
        black_box(digest(&SHA256, black_box(&work)));
        each(number).await;
    }
    cpu::of_this_thread() - began
}

fn micros(time: Duration, records: u64) -> f64 {
    time.as_secs_f64() * 1e6 / records as f64
}

/// As the relay records an object that passes as it came.
fn operation(number: u64) -> Event {
    Event::Operation(Box::new(Operation {
        association: "5a1e0c93d7b2486f-3c".into(),
        operation: "C-STORE".into(),
        message_id: number as u16,
        direction: Direction::FromPeer,
        agreement: None,
        sop_class: Some("1.2.840.10008.5.1.4.1.1.2".into()),
        sop_instance: Some(format!("1.2.826.0.1.3680043.10.543.1.2.3.{number}")),
        new_sop_instance: None,
        originals: Default::default(),
        data_set_sop_class: None,
        data_set_sop_instance: None,
        study: Some("1.2.826.0.1.3680043.10.543.1.2.840.113619".into()),
        new_study: None,
        rewritten: None,
        patient: Some(PatientIdentifier::new(b"PAT-0000123 ".into())),
        query: None,
        move_destination: None,
        status: Some(0),
        bytes: 6_700,
        duration_ms: 1,
        reason: None,
        fault: None,
        tolerated: Vec::new(),
        withheld: None,
        count: None,
    }))
}

//! What those who are refused take from those who are let in.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::association::Association;
use crate::loads::{CALLED, CALLING};
use crate::rounds;
use crate::setups::Running;
use crate::targets::{Bound, Target};
use crate::upper::{self, Request};

/// Requests in a second, each with a TLS handshake of its own.
const A_SECOND: u32 = 200;

/// C-ECHOs of a round: some seconds of refusals.
const ECHOS: usize = 10_000;

/// C-ECHOs with and without somebody who is refused again and again, in turns.
pub fn run(running: &Running, rounds: usize) -> io::Result<Vec<Target>> {
    let (mut quiet, mut harassed, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let p99 = || Ok::<_, io::Error>(rounds::echo(&running.target, CALLING, CALLED, ECHOS)?.percentile(99));
    for _ in 0..rounds {
        quiet.push(p99()?);
        let (over, count, began) = (AtomicBool::new(false), AtomicU32::new(0), Instant::now());
        let measured = std::thread::scope(|scope| {
            scope.spawn(|| knock(running, &over, &count));
            let measured = p99();
            over.store(true, Relaxed);
            measured
        });
        harassed.push(measured?);
        refused.push(f64::from(count.into_inner()) / began.elapsed().as_secs_f64());
    }
    let (quiet, harassed) = (super::median(&mut quiet), super::median(&mut harassed));
    let more = quiet.zip(harassed).map(|(quiet, harassed)| harassed - quiet);
    Ok(vec![
        Target::told("refusals a second", super::median(&mut refused)),
        Target::told("C-ECHO, p99 without them, µs", quiet),
        Target::new("C-ECHO, p99 more with them, µs", more, Bound::AtMost(1000.0)),
    ])
}

/// The called AE title is blank, which none may be: whoever asks so is refused by every configuration.
fn knock(running: &Running, over: &AtomicBool, count: &AtomicU32) {
    let request = Request::new(CALLING, "").context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
    let began = Instant::now();
    while !over.load(Relaxed) {
        let come = count.fetch_add(1, Relaxed);
        assert!(Association::open(&running.target, &request).is_err(), "nobody is let in so");
        let next = Duration::from_secs(1) * (come + 1) / A_SECOND;
        std::thread::park_timeout(next.saturating_sub(began.elapsed()));
    }
}

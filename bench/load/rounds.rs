//! What does not move data: echoes, associations made and released, associations held.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::association::Association;
use crate::connection::Target;
use crate::report::Figures;
use crate::upper::{self, Request};

fn request(calling: &str, called: &str) -> Request {
    Request::new(calling, called).context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE])
}

/// `count` C-ECHOs, one after the other, on one association.
pub fn echo(target: &Target, calling: &str, called: &str, count: usize) -> io::Result<Figures> {
    let mut association = Association::open(target, &request(calling, called))?;
    let (mut latencies, start) = (Vec::with_capacity(count), Instant::now());
    for index in 0..count {
        let start = Instant::now();
        match association.echo(1, index as u16)? {
            0 => latencies.push(start.elapsed()),
            status => return Err(io::Error::other(format!("C-ECHO answered with status {status:04X}H"))),
        }
    }
    let wall = start.elapsed();
    association.release()?;
    Ok(Figures { mode: "echo", count, wall, latencies, ..Figures::default() })
}

/// `count` associations made and released, `at_once` of them in flight.
pub fn associate(
    target: &Target,
    calling: &str,
    called: &str,
    count: usize,
    at_once: usize,
) -> io::Result<Figures> {
    among(std::slice::from_ref(target), &request(calling, called), count, at_once)
}

/// As [`associate`], by many who take turns.
pub fn associate_in_turns(
    targets: &[Target],
    calling: &str,
    called: &str,
    count: usize,
    at_once: usize,
) -> io::Result<Figures> {
    among(targets, &request(calling, called), count, at_once)
}

fn among(targets: &[Target], request: &Request, count: usize, at_once: usize) -> io::Result<Figures> {
    let (next, start) = (AtomicUsize::new(0), Instant::now());
    let worker = || {
        let mut latencies = Vec::new();
        loop {
            let index = next.fetch_add(1, Relaxed);
            if index >= count {
                break;
            }
            let start = Instant::now();
            let mut association = Association::open(&targets[index % targets.len()], request)?;
            latencies.push(start.elapsed());
            association.release()?;
        }
        Ok(latencies)
    };
    let results: Vec<io::Result<Vec<Duration>>> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..at_once).map(|_| scope.spawn(worker)).collect();
        started.into_iter().map(|thread| thread.join().expect("no panic in a worker")).collect()
    });
    let mut figures = Figures { mode: "associate", count, wall: start.elapsed(), ..Figures::default() };
    for latencies in results {
        figures.latencies.extend(latencies?);
    }
    Ok(figures)
}

/// `count` associations opened one after the other and handed over open: held while they live.
pub fn idle(
    target: &Target,
    calling: &str,
    called: &str,
    count: usize,
) -> io::Result<(Figures, Vec<Association>)> {
    let (request, start) = (request(calling, called), Instant::now());
    let (mut held, mut latencies) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count {
        let start = Instant::now();
        held.push(Association::open(target, &request)?);
        latencies.push(start.elapsed());
    }
    Ok((Figures { mode: "idle", count, wall: start.elapsed(), latencies, ..Figures::default() }, held))
}

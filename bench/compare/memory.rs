//! What a proxy holds for associations that wait, and for an object that passes through.

use std::io;
use std::time::Duration;

use crate::association::Association;
use crate::figures::{Figure, Figures};
use crate::loads::{Amounts, CALLED, CALLING, Load};
use crate::procfs;
use crate::rounds;
use crate::setups::{Out, Running, Setup, Sinks};
use crate::site::Site;
use crate::upper::{self, Request};

/// Opened by so many threads at once.
const THREADS: usize = 4;

/// How long buffers get to be given back before memory is read.
const SETTLED: Duration = Duration::from_millis(200);

/// Idle associations through a fresh process: 1,000 first, then 5,000 in all.
pub fn idle(
    figures: &mut Figures,
    site: &Site,
    setup: Setup,
    sinks: Sinks,
    divisor: usize,
) -> io::Result<()> {
    let running = Running::afresh(site, setup, sinks);
    let Some(pid) = running.pid() else { return Ok(()) };
    // What the first association of all needs is not a cost of those after it.
    rounds::echo(&running.target, CALLING, CALLED, 1)?;
    let empty = settled(pid);
    let mut held = Vec::new();
    for (figure, count) in [(Figure::Idle1000, 1000 / divisor), (Figure::Idle5000, 5000 / divisor)] {
        held.extend(open(&running, count - held.len())?);
        let kib = settled(pid).saturating_sub(empty) as f64 / count as f64;
        figures.add(figure, setup, Out::Plain, kib);
    }
    // The proxy goes first, so that it is not measured while it hangs up.
    drop(running);
    Ok(())
}

/// So many associations that wait.
pub fn open(running: &Running, count: usize) -> io::Result<Vec<Association>> {
    let request = Request::new(CALLING, CALLED).context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
    let share = |thread: usize| count / THREADS + usize::from(thread < count % THREADS);
    let some = |count: usize| -> io::Result<Vec<Association>> {
        (0..count).map(|_| Association::open(&running.target, &request)).collect()
    };
    let opened: Vec<io::Result<Vec<Association>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || some(share(thread)))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic in a worker")).collect()
    });
    Ok(opened.into_iter().collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn settled(pid: u32) -> u64 {
    std::thread::park_timeout(SETTLED);
    procfs::usage(pid).resident_kib
}

/// The highest memory while a 300 MB object passes, above what the process held before, in a fresh process.
pub fn peak(
    figures: &mut Figures,
    site: &Site,
    setup: Setup,
    sinks: Sinks,
    amounts: &Amounts,
) -> io::Result<()> {
    let running = Running::afresh(site, setup, sinks);
    let Some(pid) = running.pid() else { return Ok(()) };
    rounds::echo(&running.target, CALLING, CALLED, 1)?;
    let before = settled(pid);
    procfs::reset_peak(pid)?;
    amounts.run(Load::Large, &running)?;
    let highest = procfs::usage(pid).peak_resident_kib;
    figures.add(Figure::Peak, setup, Out::Plain, highest.saturating_sub(before) as f64 / 1024.0);
    Ok(())
}

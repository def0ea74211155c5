//! What it costs to be watched: the administration interface, metrics and `status` of a dimsegate with 500 associations that
//! wait, and what a reader of its records and a scrape a second take from the relay.
//!
//! CPU is that of the process as the kernel counts it, so that a noisy machine changes little; times are medians.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

mod drawn;
mod page;
mod refused;

use page::{Page, get};

use crate::loads::{Amounts, Load};
use crate::memory;
use crate::procfs;
use crate::report::Figures as Run;
use crate::setups::{Running, Setup, Sinks};
use crate::sink;
use crate::site::Site;
use crate::targets::{Bound, Target};

/// Associations that wait while the interface is measured.
const ASSOCIATIONS: usize = 500;

/// How often the page looks.
const LOOK: Duration = Duration::from_secs(2);

/// For how many looks the page is imitated: half a minute, so that it asks once for what it asks for seldom.
const LOOKS: u32 = 15;

/// A dimsegate with an administration interface at a socket, and with metrics.
struct Watched {
    running: Running,
    /// Its folder, which paths in its configuration are relative to.
    folder: PathBuf,
    socket: PathBuf,
    metrics: SocketAddr,
}

impl Watched {
    fn start(site: &Site, sinks: Sinks) -> Self {
        let (running, metrics) = Running::watched(site, sinks);
        Self { running, folder: site.root().to_owned(), socket: site.path("admin.sock"), metrics }
    }

    fn cpu(&self) -> Duration {
        self.running.pid().map_or(Duration::ZERO, |pid| procfs::usage(pid).cpu)
    }

    /// What is at the socket under this path.
    fn ask(&self, path: &str) -> io::Result<usize> {
        Ok(get(UnixStream::connect(&self.socket)?, path, None)?.content.len())
    }

    fn scrape(&self) -> io::Result<()> {
        get(TcpStream::connect(self.metrics)?, "/metrics", None).map(drop)
    }

    /// Where it runs: there its configuration says where it listens.
    fn status(&self) -> io::Result<()> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dimsegate"));
        command.current_dir(&self.folder).args(["status", "-c", "watched.conf"]);
        let status = command.stdout(Stdio::null()).status()?;
        status.success().then_some(()).ok_or_else(|| io::Error::other(format!("status: {status}")))
    }
}

/// Measures, and says what of it is as it should be.
pub fn run(rounds: usize) -> io::Result<Vec<Target>> {
    let site = Site::new();
    let options = sink::Options { maximum_length: 131_072, tls: None, checksums: false };
    let (plain, _totals) = sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options)?;
    let sinks = Sinks { plain, tls: plain };
    let watched = Watched::start(&site, sinks);
    let mut targets = relay(&site, sinks, &watched, rounds)?;
    targets.extend(refused::run(&watched.running, rounds)?);
    targets.extend(interface(&watched)?);
    Ok(targets)
}

/// What is left for the relay: two proxies in turns, one of them watched.
fn relay(site: &Site, sinks: Sinks, watched: &Watched, rounds: usize) -> io::Result<Vec<Target>> {
    let alone = Running::afresh(site, Setup::PassThrough, sinks);
    let amounts = Amounts::new(1);
    let (mut gigabyte, mut echo) = (Vec::new(), Vec::new());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| look_on(watched, &over));
        let measured: io::Result<()> = (0..rounds).try_for_each(|_| {
            let pair =
                |load| Ok::<_, io::Error>([amounts.run(load, &alone)?, amounts.run(load, &watched.running)?]);
            let ([without, with], [few, many]) = (pair(Load::Ct)?, pair(Load::Echo)?);
            gigabyte.push(100.0 * (cpu(&with) / cpu(&without) - 1.0));
            echo.push((cpu(&many) - cpu(&few)) * 1e6 / few.count as f64);
            Ok(())
        });
        over.store(true, Relaxed);
        reader.join().expect("no panic in the reader")?;
        measured
    })?;
    Ok(vec![
        Target::new("CT, CPU more while watched, %", median(&mut gigabyte), Bound::AtMost(1.0)),
        Target::new("C-ECHO, CPU more while watched, µs", median(&mut echo), Bound::AtMost(0.5)),
    ])
}

/// A scrape a second, as no monitor is more curious.
fn look_on(watched: &Watched, over: &AtomicBool) -> io::Result<()> {
    while !over.load(Relaxed) {
        watched.scrape()?;
        std::thread::park_timeout(Duration::from_secs(1));
    }
    Ok(())
}

fn interface(watched: &Watched) -> io::Result<Vec<Target>> {
    let held = memory::open(&watched.running, ASSOCIATIONS)?;
    let first = ["/", "/page.css", "/page.js"]
        .into_iter()
        .map(|path| watched.ask(path))
        .sum::<io::Result<usize>>()?;
    let scrape = timed(50, || watched.scrape())?;
    let before = watched.cpu();
    (0..50).try_for_each(|_| watched.scrape())?;
    let each = (watched.cpu().saturating_sub(before)).as_secs_f64() * 1e3 / 50.0;
    let status = timed(20, || watched.status())?;
    let idle = page_at_rest(watched)?;
    let drawn = drawn::run(&watched.socket);
    drop(held);
    let asked = vec![
        Target::new("first screen, KB", Some(first as f64 / 1e3), Bound::AtMost(100.0)),
        Target::new("a scrape, ms", Some(scrape), Bound::AtMost(5.0)),
        Target::new("a scrape, CPU ms", Some(each), Bound::AtMost(5.0)),
        Target::new("status, ms", Some(status), Bound::AtMost(20.0)),
        Target::new("page at rest, % of a core", Some(idle), Bound::AtMost(1.0)),
    ];
    Ok(asked.into_iter().chain(drawn).collect())
}

/// What the page asks for while nobody touches it.
fn page_at_rest(watched: &Watched) -> io::Result<f64> {
    let mut page = Page::opened(&watched.socket);
    let (before, began) = (watched.cpu(), Instant::now());
    for look in 0..LOOKS {
        page.look(look == 0)?;
        std::thread::park_timeout((LOOK * (look + 1)).saturating_sub(began.elapsed()));
    }
    Ok(100.0 * watched.cpu().saturating_sub(before).as_secs_f64() / began.elapsed().as_secs_f64())
}

/// The median of so many runs, in milliseconds.
fn timed(times: usize, mut run: impl FnMut() -> io::Result<()>) -> io::Result<f64> {
    let mut all = Vec::with_capacity(times);
    for _ in 0..times {
        let began = Instant::now();
        run()?;
        all.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(&mut all).unwrap_or_default())
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn cpu(run: &Run) -> f64 {
    run.usage.map_or(0.0, |(before, after)| after.cpu.saturating_sub(before.cpu).as_secs_f64())
}

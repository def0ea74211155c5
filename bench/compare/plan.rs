//! The order of a run: every load through one setup after the other, round by round.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::configurations::TAGS;
use crate::connection;
use crate::dcmtk::Dcmtk;
use crate::figures::Figures;
use crate::loads::{self, Amounts, Load};
use crate::memory;
use crate::setups::{Out, Running, Setup, Sinks};
use crate::sink::{self, Totals};
use crate::site::Site;

/// Client certificates of the load that takes turns with them: a proxy that remembers whom it verified last has to remember them.
const CLIENTS: usize = 100;

pub struct Plan {
    pub rounds: usize,
    loads: Vec<Load>,
    divisor: usize,
}

/// Everything that runs for the whole of a run.
struct Stage {
    site: Site,
    sinks: Sinks,
    totals: [Arc<Totals>; 2],
    amounts: Amounts,
    setups: Vec<(Setup, Out, Running)>,
    dcmtk: Dcmtk,
}

impl Plan {
    pub fn new(quick: bool, rounds: usize, loads: &[Load]) -> Self {
        let (rounds, divisor) = if quick { (1, 10) } else { (rounds.max(1), 1) };
        let loads = if loads.is_empty() { Load::value_variants() } else { loads };
        Self { rounds, loads: loads.to_vec(), divisor }
    }

    pub fn run(&self) -> io::Result<Figures> {
        let bar = progress((self.rounds * self.loads.len()) as u64);
        bar.set_message("starting");
        let stage = Stage::set(self.divisor)?;
        stage.warm_up()?;
        let mut figures = Figures::default();
        for round in 1..=self.rounds {
            for load in &self.loads {
                bar.set_message(format!("round {round} of {}, {load:?}", self.rounds));
                (0..load.repeats()).try_for_each(|_| stage.load(&mut figures, *load))?;
                bar.inc(1);
            }
        }
        stage.verify()?;
        bar.finish_and_clear();
        Ok(figures)
    }
}

impl Stage {
    fn set(divisor: usize) -> io::Result<Self> {
        let (site, amounts) = (Site::new(), Amounts::new(divisor));
        let path = |name: &str| site.path(&format!("certs/{name}"));
        let tls = connection::server_config(&path("pacs.pem"), &path("pacs.key"), Some(&path("ca.pem")))?;
        let start = |tls| {
            let options = sink::Options { maximum_length: 131_072, tls, checksums: false };
            sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options)
        };
        let ((plain, plain_totals), (tls, tls_totals)) = (start(None)?, start(Some(tls))?);
        let sinks = Sinks { plain, tls };
        let all = [Out::Plain, Out::Tls].into_iter().flat_map(|out| Setup::ALL.map(|setup| (setup, out)));
        let speaking = all.filter(|(setup, out)| setup.speaks(*out));
        let clients = site.clients(CLIENTS);
        let started = |(setup, out)| {
            let running = Running::start(&site, setup, out, sinks);
            (setup, out, running.by(&site, setup, &clients))
        };
        let setups = speaking.map(started).collect();
        let dcmtk = Dcmtk::start(&site, &amounts)?;
        Ok(Self { site, sinks, totals: [plain_totals, tls_totals], amounts, setups, dcmtk })
    }

    /// One small load through each: connections, buffers and caches are there when the first round begins.
    fn warm_up(&self) -> io::Result<()> {
        let amounts = Amounts { divisor: 10 * self.amounts.divisor, ..self.amounts.clone() };
        self.setups
            .iter()
            .try_for_each(|(setup, _, running)| named(*setup, amounts.run(Load::Ct, running)).map(|_| ()))
    }

    /// One load through one setup after the other.
    fn load(&self, figures: &mut Figures, load: Load) -> io::Result<()> {
        let (site, sinks, amounts) = (&self.site, self.sinks, &self.amounts);
        let mut setups = Setup::ALL.into_iter().filter(|setup| load.goes_through(*setup));
        match load {
            Load::Idle => setups.try_for_each(|setup| {
                named(setup, memory::idle(figures, site, setup, sinks, amounts.divisor))
            }),
            Load::Peak => {
                setups.try_for_each(|setup| named(setup, memory::peak(figures, site, setup, sinks, amounts)))
            }
            Load::Dcmtk => self.dcmtk.run(figures),
            _ => self.running(load).try_for_each(|(setup, out, running)| {
                let run = named(*setup, amounts.run(load, running))?;
                loads::keep(figures, load, *setup, *out, &run);
                Ok(())
            }),
        }
    }

    fn running(&self, load: Load) -> impl Iterator<Item = &(Setup, Out, Running)> {
        self.setups.iter().filter(move |(setup, ..)| load.goes_through(*setup))
    }

    /// That the figures are of what they say: every object arrived, and was rewritten where it should have been.
    fn verify(&self) -> io::Result<()> {
        let arrived: u64 = self.totals.iter().map(|totals| totals.objects.load(Relaxed)).sum();
        let bytes: u64 = self.totals.iter().map(|totals| totals.bytes.load(Relaxed)).sum();
        if arrived == 0 || bytes == 0 {
            return Err(io::Error::other("the sinks got nothing"));
        }
        for out in [Out::Plain, Out::Tls] {
            rewritten(&self.site.path(&format!("audit-{:?}-{}", Setup::Rewriting, out.name())))?;
        }
        Ok(())
    }
}

/// Every association with C-STOREs has to have changed so many elements of each object.
fn rewritten(records: &Path) -> io::Result<()> {
    let files = fs::read_dir(records)?.flatten().map(|entry| entry.path());
    let text: String = files.filter_map(|file| fs::read_to_string(file).ok()).collect();
    let parsed = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let closed = parsed.filter(|record| record["event"] == "association-closed");
    for record in closed {
        let stores = record["operations"]["C-STORE"]["success"].as_u64().unwrap_or_default();
        let elements = record["rewrite"]["elements"].as_u64().unwrap_or_default();
        if elements != stores * TAGS {
            return Err(io::Error::other(format!(
                "{elements} elements rewritten in {stores} objects: {record}"
            )));
        }
    }
    Ok(())
}

fn named<T>(setup: Setup, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", setup.name())))
}

fn progress(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} % {elapsed_precise} {msg}");
    ProgressBar::new(steps).with_style(style.expect("a template that parses"))
}

//! `bench/run`: dimsegate beside HAProxy, nginx and a byte copy, on loopback, with everything started and ended here.
//!
//! Every load goes through one setup after the other, and that as often as there are rounds (A B C … A B C …); a figure
//! is the median of its rounds. Machines are shared and noisy, so only ratios within one run mean anything.

#![allow(dead_code, reason = "the load generator's and the scenarios' modules are used in part")]

// The load generator, shown to be right against DCMTK by its own self-check.
#[path = "../load/association.rs"]
mod association;
#[path = "../load/command.rs"]
mod command;
#[path = "../load/connection.rs"]
mod connection;
#[path = "../instructions/counting.rs"]
mod counting;
#[path = "../load/object.rs"]
mod object;
#[path = "../load/procfs.rs"]
mod procfs;
#[path = "../load/report.rs"]
mod report;
#[path = "../load/rounds.rs"]
mod rounds;
#[path = "../load/sink.rs"]
mod sink;
#[path = "../load/store.rs"]
mod store;
#[path = "../load/upper.rs"]
mod upper;
// Folders, certificates, processes and waiting, as the scenarios do it.
#[allow(dead_code, reason = "the scenarios use other parts")]
#[path = "../../tests/scenarios/browser.rs"]
mod browser;
#[path = "../../tests/scenarios/group.rs"]
mod group;
#[path = "../../tests/scenarios/process.rs"]
mod process;
#[path = "../../src/scratch.rs"]
mod scratch;
#[path = "../../tests/scenarios/site.rs"]
mod site;
#[path = "../../tests/scenarios/wait.rs"]
mod wait;

mod awake;
mod configurations;
mod copy;
mod dcmtk;
mod deciding;
mod drawing;
mod figures;
mod floor;
mod instructions;
mod interrupt;
mod loads;
mod machine;
mod markdown;
mod memory;
mod plan;
mod setups;
mod table;
mod targets;
mod watching;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "bench/run", about = "dimsegate beside HAProxy, nginx and a byte copy")]
struct Arguments {
    /// Given by `cargo bench`; without meaning.
    #[arg(long, hide = true, global = true)]
    bench: bool,
    /// How often each load goes through each setup.
    #[arg(long, default_value_t = 5, global = true)]
    rounds: usize,
    /// A tenth of each load, once: shows that everything works, measures little, counts no instructions, writes nothing.
    #[arg(long)]
    quick: bool,
    /// Only these loads; counts no instructions, writes nothing.
    #[arg(long, value_delimiter = ',')]
    only: Vec<loads::Load>,
    /// Everything on one core: the CPU of each setup without what it costs to wake another core. Counts no instructions, writes
    /// bench/one-core.md.
    #[arg(long)]
    one_core: bool,
    /// Stores the instruction counts of this run as those to compare with; they are taken whatever else is asked.
    #[arg(long, global = true)]
    accept_instructions: bool,
    #[command(subcommand)]
    mode: Option<Mode>,
}

impl Arguments {
    /// Whether instructions are counted. They are the same on any number of cores and for any load, and it takes minutes to
    /// build what is counted.
    fn counts(&self) -> bool {
        let is_part = self.one_core || self.quick || !self.only.is_empty();
        self.accept_instructions || !is_part
    }
}

#[derive(Subcommand)]
enum Mode {
    /// The byte copy, one of the setups: TLS in, plain or TLS out.
    #[command(hide = true)]
    Copy { listen: SocketAddr, to: SocketAddr, certificates: PathBuf, out: setups::Out },
    /// The floor, another: TLS in, plain out.
    #[command(hide = true)]
    Floor { listen: SocketAddr, to: SocketAddr, certificates: PathBuf },
    /// Keeps one core awake until standard input ends.
    #[command(hide = true)]
    Awake,
    /// The instruction counts alone.
    Instructions,
    /// What it costs to be watched: interface, page, metrics and `status` with 500 associations.
    Watching,
    /// What it costs to decide: about a request, about the answers of a query, and about who a user is.
    Deciding,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    match arguments.mode {
        Some(Mode::Copy { listen, to, certificates, out }) => copy::run(listen, to, &certificates, out),
        Some(Mode::Floor { listen, to, certificates }) => floor::run(listen, to, &certificates),
        Some(Mode::Awake) => awake::spin(),
        Some(Mode::Instructions) => {
            instructions::run(arguments.accept_instructions).map(|counts| exit_if_worse(&counts))
        }
        Some(Mode::Watching) => beside(&markdown::WATCHING, arguments.rounds, watching::run),
        Some(Mode::Deciding) => beside(&markdown::DECIDING, arguments.rounds, deciding::run),
        None if arguments.one_core && awake::cores()? > 1 => awake::on_one_core(),
        None => compare(&arguments),
    }
}

/// Measures what no whole run does, and keeps it. Ends with 1 where a target was missed.
fn beside(
    kept: &markdown::Kept,
    rounds: usize,
    measure: impl FnOnce(usize) -> io::Result<Vec<targets::Target>>,
) -> io::Result<()> {
    interrupt::watch();
    let machine = machine::Machine::here();
    let awake = awake::Awake::keep()?;
    let targets = measure(rounds)?;
    drop(awake);
    let table = targets::table(kept.measured, &targets);
    println!("{}\n{machine}", table::text(&table));
    markdown::write_targets(kept, &machine, rounds, &table)?;
    if targets.iter().any(targets::Target::is_missed) {
        std::process::exit(1);
    }
    Ok(())
}

fn compare(arguments: &Arguments) -> io::Result<()> {
    interrupt::watch();
    let machine = machine::Machine::here();
    let plan = plan::Plan::new(arguments.quick, arguments.rounds, &arguments.only);
    let awake = awake::Awake::keep()?;
    let figures = plan.run()?;
    drop(awake);
    let counts = arguments.counts().then(|| instructions::run(arguments.accept_instructions)).transpose()?;
    let table = table::of(&figures);
    let targets = targets::of(&figures);
    println!("{}\n{}\n{}", table::text(&table), table::text(&targets), machine);
    match arguments.one_core {
        _ if arguments.quick || !arguments.only.is_empty() => {}
        true => markdown::write("one-core.md", &machine, plan.rounds, &table, &targets, None)?,
        false => {
            markdown::write("results.md", &machine, plan.rounds, &table, &targets, counts.as_ref())?;
            drawing::write(&figures, plan.rounds)?;
        }
    }
    counts.iter().for_each(exit_if_worse);
    Ok(())
}

fn exit_if_worse(counts: &counting::Counts) {
    if counts.worse {
        std::process::exit(1);
    }
}

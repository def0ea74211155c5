//! The commands, one file each.

mod check;
mod echo;
mod exit;
mod explain;
mod run;

use std::process::ExitCode;

use clap::Parser;

use crate::config::{self, Loaded};

/// A transparent DICOM proxy: TLS, access control, rewriting in flight and records, in front of any PACS
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Begin with:
  dimsegate demo --once                       everything on this machine, and what it does to a study
  dimsegate check -c conf/dimsegate.toml      every problem of a configuration at once
  dimsegate run -c conf/dimsegate.toml        the proxy"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run the proxy; SIGHUP reloads, SIGTERM drains
    Run(run::Args),
    /// Find every problem of a configuration, then what is risky in it
    Check(check::Args),
    /// Say what the configuration decides about an association, and why
    Explain(explain::Args),
    /// Ask an upstream for a C-ECHO, as the proxy would
    Echo(echo::Args),
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Echo(args) => echo::run(&args),
    }
}

/// The runtime of the commands that use the network.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Reads a configuration, or says on standard error everything that is wrong with it.
fn load(file: &std::path::Path) -> Result<Loaded, ExitCode> {
    config::load(file).map_err(|problems| {
        eprint!("{problems}");
        ExitCode::from(exit::BAD_CONFIGURATION)
    })
}

/// Tells the operational log what is risky in a configuration that is about to be in force.
fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("risk: {warning}");
    }
}

//! `dimsegate audit`: the records, offline.

mod command;
mod period;
mod report;
mod row;
mod search;
mod show;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::exit;
use crate::audit::reading::{Kept, RecordFile, files};

/// Search, show and report the records of a proxy
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Find records by time, peer, AE title, address, outcome, study and more
    Search(Box<search::Args>),
    /// Tell one association as a story
    Show(show::Args),
    /// Write one HTML page about a period: figures, drawings, and what is unusual
    Report(report::Args),
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    match &args.command {
        Command::Search(args) => search::run(args),
        Command::Show(args) => show::run(args),
        Command::Report(args) => report::run(args),
    }
}

fn list(folder: &Path) -> Result<Vec<RecordFile>, ExitCode> {
    files(folder).map_err(|error| complain(&error.to_string(), exit::UNREADABLE))
}

fn complain(text: &str, status: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    ExitCode::from(status)
}

/// Damaged lines on standard error, one a line, and the exit status that they ask for.
fn tell_damage(kept: &Kept) -> ExitCode {
    let mut err = std::io::stderr().lock();
    for damage in &kept.damage {
        let _ = writeln!(err, "{}: skipped: {}", damage.place, super::table::visible(&damage.what));
    }
    let untold = kept.damaged.saturating_sub(kept.damage.len() as u64);
    if untold > 0 {
        let _ = writeln!(err, "and {untold} more damaged lines");
    }
    for path in &kept.encrypted {
        let path = path.display();
        let _ = writeln!(
            err,
            "{path}: skipped: encrypted; decrypt it with its owner's key (age -d) into a folder of your own"
        );
    }
    if kept.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(exit::UNREADABLE) }
}

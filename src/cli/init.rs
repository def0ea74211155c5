//! `dimsegate init`: from nothing to a proxy that runs, before one PACS, for one remote site.

mod answers;
mod configuration;
mod folder;
mod told;

use std::path::PathBuf;
use std::process::ExitCode;

use super::exit;
use crate::config;
use answers::Flags;
use folder::Folder;

/// Make a configuration, a CA, certificates and keys for a PACS and its first remote site
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate init gate
  dimsegate init gate --name dimse.hospital.example --pacs 10.0.0.5:104 --pacs-ae-title PACS --site lyon \
    --site-ae-title LYON_CT1 --site-network 203.0.113.0/24

At a terminal, what no flag says is asked. DIR is made where it is missing, and has to be empty; where anything fails,
nothing of it is left. What is made passes dimsegate check --strict.

Exit status: 0 made, 64 not at a terminal and a flag is missing, 73 DIR cannot be made or is not empty.")]
pub(super) struct Args {
    /// Where everything goes
    #[arg(default_value = "gate")]
    dir: PathBuf,
    #[command(flatten)]
    flags: Flags,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let mut folder = match Folder::begin(&args.dir) {
        Ok(folder) => folder,
        Err(text) => return failed(&text),
    };
    let answers = match args.flags.answers() {
        Ok(answers) => answers,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(exit::USAGE);
        }
    };
    if let Err(text) = folder.fill(&answers) {
        return failed(&text);
    }
    let loaded = match config::load(&folder.configuration()) {
        Ok(loaded) => loaded,
        Err(problems) => return failed(&format!("what was made is not right: {problems}")),
    };
    folder.keep();
    for risk in &loaded.warnings {
        eprintln!("risk: {risk}");
    }
    print!("{}", told::told(&folder, &answers));
    ExitCode::SUCCESS
}

fn failed(text: &str) -> ExitCode {
    eprintln!("{text}");
    ExitCode::from(exit::CANNOT_CREATE)
}

#[cfg(test)]
mod tests;

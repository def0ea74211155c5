//! `dimsegate crosswalk`: what pseudonyms stand for, for those who may know.

mod assignments;
mod export;
mod import;
mod upkeep;
mod whose;

use std::path::PathBuf;
use std::process::ExitCode;

use super::exit;
use super::tenant::OfTenant;
use crate::config::{self, CrosswalkSettings, CrosswalkTables};
use crate::crosswalk::CrosswalkError;

/// Show, export, erase and re-encrypt what pseudonyms stand for
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate crosswalk show -c conf/dimsegate.toml
  dimsegate crosswalk export -c conf/dimsegate.toml --rewrite cross-border --patient 4711 -o 4711.csv
  dimsegate crosswalk import -c conf/dimsegate.toml --rewrite cross-border subjects.csv
  dimsegate crosswalk erase -c conf/dimsegate.toml --rewrite cross-border --patient 4711
  dimsegate crosswalk rotate-key -c conf/dimsegate.toml --rewrite cross-border --new-key-file conf/crosswalk-2.key

show and export read beside a running proxy; import, erase and rotate-key need it stopped. None of them is recorded in [audit],
whose files belong to the proxy.

Exit status: 0 done, 64 several patients have this Patient ID and no --issuer says which, 65 damaged, 69 in use by a running proxy, 73 a file cannot be written, 78 a bad configuration,
which includes another key than that of the file.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say what is in a crosswalk: how many of each kind, key version, size; reads and checks all of it
    Show(upkeep::Show),
    /// Write pseudonyms with what they stand for, as CSV or JSON. Patients' data
    Export(export::Args),
    /// Take in subject IDs that were assigned elsewhere, all of a list or none
    Import(import::Args),
    /// Erase everything of one patient for good
    Erase(upkeep::Erase),
    /// Encrypt everything with another key
    RotateKey(upkeep::RotateKey),
}

/// Which crosswalk.
#[derive(Debug, clap::Args)]
struct Which {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    of: OfTenant,
    /// The [[rewrite]] whose crosswalk it is; may be left out where there is one crosswalk only
    #[arg(long, value_name = "NAME")]
    rewrite: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let done = match &args.command {
        Command::Show(args) => upkeep::show(args),
        Command::Export(args) => export::run(args),
        Command::Import(args) => import::run(args),
        Command::Erase(args) => upkeep::erase(args),
        Command::RotateKey(args) => upkeep::rotate_key(args),
    };
    done.map_or_else(|status| status, |()| ExitCode::SUCCESS)
}

impl Which {
    fn tables(&self) -> Result<CrosswalkTables, ExitCode> {
        config::crosswalk_tables(&self.config, self.of.name()).map_err(|problems| {
            eprintln!("{problems}");
            ExitCode::from(exit::BAD_CONFIGURATION)
        })
    }

    fn of<'t>(&self, tables: &'t CrosswalkTables) -> Result<&'t CrosswalkSettings, ExitCode> {
        let file = self.config.display();
        let found = match &self.rewrite {
            Some(rewrite) => {
                tables.remembered.get(rewrite.as_str()).and_then(|name| tables.crosswalks.get(name))
            }
            None => tables.crosswalks.values().next().filter(|_| tables.crosswalks.len() == 1),
        };
        found.ok_or_else(|| {
            let with: Vec<&str> = tables.remembered.keys().map(AsRef::as_ref).collect();
            let with = if with.is_empty() { "none has one".to_owned() } else { with.join(", ") };
            match &self.rewrite {
                Some(name) => eprintln!(
                    "{file}: no [[rewrite]] named \"{name}\" has a crosswalk; those with one: {with}"
                ),
                None => eprintln!("{file}: say whose crosswalk, with --rewrite NAME; those with one: {with}"),
            }
            ExitCode::from(exit::BAD_CONFIGURATION)
        })
    }
}

fn failed(error: &CrosswalkError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(match error {
        CrosswalkError::InUse { .. } => exit::UNAVAILABLE,
        CrosswalkError::NotWritable { .. } => exit::CANNOT_CREATE,
        CrosswalkError::OtherKey { .. } => exit::BAD_CONFIGURATION,
        _ => exit::UNREADABLE,
    })
}

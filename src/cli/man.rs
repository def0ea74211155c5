//! `dimsegate man`: its own manual pages, made of what `--help` says.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap_mangen::Man;

use super::exit;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate man audit search | man -l -
  dimsegate man --to /usr/local/share/man/man1

Exit status: 0, 64 no such command, 73 a page cannot be written.")]
pub struct Args {
    /// The folder that gets a page for each command: dimsegate.1, dimsegate-audit-search.1, …
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    to: Option<PathBuf>,
    /// The command whose page is printed; without one, the page of dimsegate
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Prints the page of a command, or writes those of all: 0, 64 or 73.
pub fn run(mut dimsegate: clap::Command, args: &Args) -> ExitCode {
    dimsegate.build();
    let written = match &args.to {
        Some(folder) => all(&dimsegate, folder),
        None => {
            let Some(command) = find(&dimsegate, &args.command) else {
                eprintln!("dimsegate has no command \"{}\"", args.command.join(" "));
                return ExitCode::from(exit::USAGE);
            };
            page(command).and_then(|page| super::print(&page))
        }
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dimsegate: {error}");
            ExitCode::from(exit::CANNOT_CREATE)
        }
    }
}

fn find<'a>(command: &'a clap::Command, path: &[String]) -> Option<&'a clap::Command> {
    path.iter().try_fold(command, |command, name| command.find_subcommand(name))
}

/// The page of a command, and those of the commands below it.
fn all(command: &clap::Command, folder: &Path) -> io::Result<()> {
    let file = folder.join(Man::new(command.clone()).get_filename());
    let told = |error| io::Error::other(format!("{}: {error}", file.display()));
    std::fs::File::create(&file).and_then(|mut to| to.write_all(&page(command)?)).map_err(told)?;
    below(command).try_for_each(|command| all(command, folder))
}

/// `help` is left out: what it prints is the page.
fn below(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    command.get_subcommands().filter(|command| command.get_name() != "help")
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

//! `dimsegate man`: its own manual pages, made of what `--help` says.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::{exit, help};

/// Columns beside the margin on a screen of 80.
const WIDTH: usize = 72;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate man audit search | man -l -
  dimsegate man --to /usr/local/share/man/man1

Exit status: 0, 64 no such command, 73 a page cannot be written.")]
pub(super) struct Args {
    /// The folder that gets a page for each command: dimsegate.1, dimsegate-audit-search.1, …
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    to: Option<PathBuf>,
    /// The command whose page is printed; without one, the page of dimsegate
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Prints the page of a command, or writes those of all: 0, 64 or 73.
pub(super) fn run(dimsegate: clap::Command, args: &Args) -> ExitCode {
    // What `help` prints is the page.
    let mut dimsegate = dimsegate.disable_help_subcommand(true);
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
    command.get_subcommands().try_for_each(|command| all(command, folder))
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(text) = command.get_after_help() {
        examples(&text.to_string()).to_writer(&mut page)?;
    }
    if command.get_version().is_some() {
        man.render_version_section(&mut page)?;
    }
    Ok(page)
}

/// What stands behind the options. Commands are laid out here: filled and justified they could not be copied.
fn examples(text: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    for part in help::parts(text).iter().filter(|part| !part.is_empty()) {
        match (help::indentation(part), help::meaning(part)) {
            (0, _) => paragraph(part, &mut roff),
            (_, Some(column)) => {
                let (term, meaning) = part.split_at(column);
                roff.control("TP", []).text([roman(term.trim())]).text([roman(meaning)]);
            }
            (_, None) => {
                roff.control("nf", []);
                help::laid_out(part, WIDTH).lines().for_each(|line| {
                    roff.text([roman(line)]);
                });
                roff.control("fi", []);
            }
        }
    }
    roff
}

fn paragraph(text: &str, roff: &mut Roff) {
    if let Some(statuses) = text.strip_prefix("Exit status: ") {
        roff.control("SH", ["EXIT STATUS"]).text([roman(statuses)]);
    } else if !["Example:", "Examples:"].contains(&text) {
        roff.control("PP", []).text([roman(text)]);
    }
}

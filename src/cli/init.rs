//! `dimsegate init`: from nothing to a proxy that runs, before one PACS, for one remote site.

mod answers;
mod configuration;
mod folder;
mod interruption;
mod told;

use std::path::PathBuf;
use std::process::ExitCode;

use super::exit;
use super::user::{self, Confirmed, passcode::Chosen};
use crate::config;
use answers::{Answers, Flags};
use folder::{Folder, USERS, USERS_KEY};
use interruption::Interruption;

/// Make a configuration, a CA, certificates, keys and a first user for a PACS and its first remote site
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate init gate
  dimsegate init gate --name dimse.hospital.example --pacs 10.0.0.5:104 --pacs-ae-title PACS --site lyon \
    --site-ae-title LYON_CT1 --site-network 203.0.113.0/24 --user anna --make-passcode

At a terminal, what no flag says is asked. DIR is made where it is missing, and has to be empty; where anything fails,
or is broken off, nothing of it is left. What is made passes dimsegate check --strict.

Exit status: 0 made, 64 not at a terminal and a flag is missing, 65 the passcode is too weak or the \
code was not confirmed, 73 DIR cannot be made or is not empty, 128 and the \
number of the signal where one broke it off.")]
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
    let chosen = match args.flags.source.choose_or(&answers.user, args.flags.yes) {
        Ok(chosen) => chosen,
        Err(status) => return status,
    };
    let confirmed = match user::second_factor_of(&answers.user) {
        Ok(confirmed) => confirmed,
        Err(status) => return status,
    };
    // Nothing is asked any more, and there was nothing until here.
    let made = Interruption::expected()
        .map_err(|error| failed(&error.to_string()))
        .and_then(|interruption| make(&mut folder, &answers, (&chosen, confirmed), &interruption));
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(status) => status,
    }
}

/// Makes everything, or leaves nothing.
fn make(
    folder: &mut Folder,
    answers: &Answers,
    person: (&Chosen, Confirmed),
    interruption: &Interruption,
) -> Result<(), ExitCode> {
    folder.fill(answers).map_err(|text| failed(&text))?;
    first_user(folder, &answers.user, person)?;
    let loaded = config::load(&folder.configuration());
    let loaded = loaded.map_err(|problems| failed(&format!("what was made is not right: {problems}")))?;
    interruption.has_come().map_or(Ok(()), Err)?;
    folder.keep();
    for risk in &loaded.warnings {
        eprintln!("risk: {risk}");
    }
    print!("{}", told::told(folder, answers));
    Ok(())
}

/// With a second factor, which was shown before.
fn first_user(folder: &Folder, name: &str, person: (&Chosen, Confirmed)) -> Result<(), ExitCode> {
    let key = config::users_key(&folder.file(USERS_KEY)).map_err(|text| failed(&text))?;
    user::first(folder.file(USERS), key, name, person)
}

fn failed(text: &str) -> ExitCode {
    eprintln!("{text}");
    ExitCode::from(exit::CANNOT_CREATE)
}

#[cfg(test)]
mod tests;

//! `dimsegate user passcode`, and where passcodes come from.

use std::process::ExitCode;

use zeroize::Zeroizing;

use super::{Which, failed, refused, unanswered};
use crate::cli::{exit, terminal};
use crate::users::{self, Hash};

/// Times that somebody may try again.
const TRIES: usize = 3;

/// Give a user another passcode
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate user passcode anna -c conf/dimsegate.toml --make-passcode

Twelve characters or more, whatever they are; the commonest ones and the user's own name are refused.")]
pub(super) struct Args {
    /// As in the file
    name: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    source: Source,
}

/// Where a passcode comes from; none of these: the terminal.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Source {
    /// Read the passcode from standard input, one line
    #[arg(long, conflicts_with = "make_passcode")]
    passcode_stdin: bool,
    /// Make a passcode, and show it once
    #[arg(long)]
    make_passcode: bool,
}

/// A passcode that was taken.
pub(in crate::cli) struct Chosen {
    pub(super) hash: Hash,
    /// What was made, to be shown.
    made: Option<Zeroizing<String>>,
}

/// Runs `passcode`.
pub(super) fn run(args: &Args) -> Result<(), ExitCode> {
    let place = args.which.place()?;
    let store = place.store();
    place.expect(&args.name)?;
    let chosen = args.source.choose(&args.name)?;
    store.change(&args.name, |user| user.hash = chosen.hash.clone()).map_err(|error| failed(&error))?;
    chosen.show();
    println!("{} has another passcode", args.name);
    Ok(())
}

impl Source {
    /// Whether nobody has to type it.
    pub(in crate::cli) fn is_said(&self) -> bool {
        self.make_passcode || self.passcode_stdin
    }

    /// Takes it from where the flags say; `make`: makes one where they say nothing.
    pub(in crate::cli) fn choose_or(&self, name: &str, make: bool) -> Result<Chosen, ExitCode> {
        if make && !self.is_said() { made() } else { self.choose(name) }
    }

    pub(super) fn choose(&self, name: &str) -> Result<Chosen, ExitCode> {
        if self.make_passcode {
            return made();
        }
        let passcode = match self.passcode_stdin {
            true => given(name)?,
            false if terminal::is_there() => typed(name)?,
            false => {
                eprintln!("no terminal to type a passcode at; give --passcode-stdin or --make-passcode");
                return Err(ExitCode::from(exit::USAGE));
            }
        };
        Ok(Chosen { hash: hash(&passcode)?, made: None })
    }
}

impl Chosen {
    pub(super) fn show(&self) {
        if let Some(made) = &self.made {
            println!("passcode, shown this once: {}", made.as_str());
        }
    }
}

fn made() -> Result<Chosen, ExitCode> {
    let made = users::made().map_err(|error| failed(&error))?;
    Ok(Chosen { hash: hash(&made)?, made: Some(made) })
}

fn hash(passcode: &str) -> Result<Hash, ExitCode> {
    Hash::of(passcode).map_err(|error| failed(&error))
}

fn given(name: &str) -> Result<Zeroizing<String>, ExitCode> {
    let passcode = terminal::line().map_err(|error| unanswered(&error))?;
    users::refused(&passcode, name).map_err(refused)?;
    Ok(passcode)
}

/// Twice the same, and good.
fn typed(name: &str) -> Result<Zeroizing<String>, ExitCode> {
    for _ in 0..TRIES {
        let passcode =
            terminal::ask_hidden(&format!("passcode for {name}: ")).map_err(|error| unanswered(&error))?;
        if let Err(weak) = users::refused(&passcode, name) {
            eprintln!("{weak}");
            continue;
        }
        let again = terminal::ask_hidden("once more: ").map_err(|error| unanswered(&error))?;
        if again == passcode {
            return Ok(passcode);
        }
        eprintln!("that was another one");
    }
    Err(refused("no passcode; nothing was changed"))
}

//! `dimsegate user`: the people of a file of users.

mod add;
mod changes;
mod list;
pub(super) mod passcode;
mod second_factor;

pub(super) use second_factor::Confirmed;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use super::exit;
use super::tenant::OfTenant;
use crate::config;
use crate::users::{self, AdminRole, Key, Store, User, UsersError};

/// Add, list, change and remove the users of [users] file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate user add anna -c conf/dimsegate.toml --role operator
  dimsegate user list -c conf/dimsegate.toml
  dimsegate user one-time-code anna -c conf/dimsegate.toml
  dimsegate user disable anna -c conf/dimsegate.toml

A passcode is typed at the terminal, read from standard input (--passcode-stdin), or made and shown once
(--make-passcode); it is never an argument, which others on the machine can see.

Exit status: 0 done, 64 an argument is missing, 65 refused or no such user, 69 in use, 73 the file cannot be written,
78 a bad configuration.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a user, with a passcode and a second factor
    Add(add::Args),
    /// List the users; nothing secret is shown
    List(list::Args),
    /// Keep a user out
    Disable(changes::Disable),
    /// Let a user in again
    Enable(changes::Enable),
    /// Give a user another passcode
    Passcode(passcode::Args),
    /// Give a user another second factor: a secret for an authenticator app (RFC 6238)
    OneTimeCode(second_factor::Args),
    /// Remove a user
    Remove(changes::Remove),
}

/// Where the users are.
#[derive(Debug, clap::Args)]
struct Which {
    /// The configuration, whose [users] says where they are
    #[arg(short, long, value_name = "FILE", required_unless_present = "file", conflicts_with_all = ["file", "key_file"])]
    config: Option<PathBuf>,
    #[command(flatten)]
    of: OfTenant,
    /// The file of users itself, instead of a configuration
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// With --file: the key of one-time secrets
    #[arg(long, value_name = "FILE", requires = "file")]
    key_file: Option<PathBuf>,
}

/// What `Which` leads to.
struct Place {
    file: PathBuf,
    key: Option<Key>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let done = match &args.command {
        Command::Add(args) => add::run(args),
        Command::List(args) => list::run(args),
        Command::Disable(args) => changes::disable(args),
        Command::Enable(args) => changes::enable(args),
        Command::Passcode(args) => passcode::run(args),
        Command::OneTimeCode(args) => second_factor::run(args),
        Command::Remove(args) => changes::remove(args),
    };
    done.map_or_else(|status| status, |()| ExitCode::SUCCESS)
}

/// Shows somebody a secret for an authenticator app, and has it confirmed.
pub(super) fn second_factor_of(name: &str) -> Result<Confirmed, ExitCode> {
    second_factor::confirmed(name, &second_factor::Issuer::default())
}

/// Makes a file of users with an administrator who has a second factor. Nothing is asked.
pub(super) fn first(
    file: PathBuf,
    key: Key,
    name: &str,
    (chosen, confirmed): (&passcode::Chosen, Confirmed),
) -> Result<(), ExitCode> {
    let user = User {
        name: name.to_owned(),
        hash: chosen.hash.clone(),
        one_time: None,
        roles: vec![AdminRole::Administrator.name().to_owned()],
        not_after: None,
        disabled: false,
        peers: Vec::new(),
    };
    add::add(&Place { file, key: Some(key) }, user, chosen, Some(confirmed))
}

impl Which {
    fn place(&self) -> Result<Place, ExitCode> {
        if let Some(config) = &self.config {
            let settings = config::users_of(config, self.of.name()).map_err(|problems| {
                eprintln!("{problems}");
                ExitCode::from(exit::BAD_CONFIGURATION)
            })?;
            return Ok(Place { file: settings.file, key: settings.key });
        }
        let key = self.key_file.as_ref().map(|path| config::users_key(path)).transpose();
        let key = key.map_err(|problem| {
            eprintln!("{problem}");
            ExitCode::from(exit::BAD_CONFIGURATION)
        })?;
        Ok(Place { file: self.file.clone().unwrap_or_default(), key })
    }
}

impl Place {
    fn store(&self) -> Store {
        Store::new(&self.file)
    }

    /// What one-time secrets are encrypted with.
    fn key(&self) -> Result<&Key, ExitCode> {
        self.key.as_ref().ok_or_else(|| {
            eprintln!("no key to encrypt a one-time secret with: write [users] key-file, or give --key-file");
            ExitCode::from(exit::USAGE)
        })
    }

    /// Whoever is not there is not asked for anything.
    fn expect(&self, name: &str) -> Result<(), ExitCode> {
        let users = users::read(&self.file).map_err(|error| failed(&error))?;
        match users.iter().any(|user| user.name == name) {
            true => Ok(()),
            false => Err(failed(&UsersError::Unknown { name: name.to_owned(), file: self.file.clone() })),
        }
    }
}

fn failed(error: &UsersError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(match error {
        UsersError::InUse { .. } | UsersError::System(_) => exit::UNAVAILABLE,
        UsersError::Io { .. } => exit::CANNOT_CREATE,
        _ => exit::UNREADABLE,
    })
}

/// What is refused, in one sentence.
fn refused(text: impl std::fmt::Display) -> ExitCode {
    eprintln!("{text}");
    ExitCode::from(exit::UNREADABLE)
}

/// The terminal, or what stands for it, gave nothing.
fn unanswered(error: &io::Error) -> ExitCode {
    match error.kind() {
        io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => eprintln!("nothing was changed"),
        _ => eprintln!("cannot read an answer: {error}; nothing was changed"),
    }
    ExitCode::from(exit::USAGE)
}

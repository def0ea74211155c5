//! `dimsegate user disable`, `enable` and `remove`.

use std::process::ExitCode;

use time::OffsetDateTime;

use super::{Which, failed};
use crate::users::moment;

/// Keep a user out
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate user disable anna -c conf/dimsegate.toml

An association of the user that is open ends between two messages, once the running proxy has looked at the file (reload-files \
of [limits]); dimsegate block user:NAME ends it at once.")]
pub(super) struct Disable {
    /// As in the file
    name: String,
    #[command(flatten)]
    which: Which,
}

/// Let a user in again
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  dimsegate user enable anna -c conf/dimsegate.toml --not-after 2027-01-31"
)]
pub(super) struct Enable {
    /// As in the file
    name: String,
    #[command(flatten)]
    which: Which,
    /// When the user ends: a day (to its end, UTC), RFC 3339, or never; the default leaves it as it is
    #[arg(long, value_name = "WHEN", value_parser = end)]
    not_after: Option<End>,
}

/// Remove a user
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate user remove anna -c conf/dimsegate.toml

An association of the user that is open ends between two messages, once the running proxy has looked at the file (reload-files \
of [limits]); dimsegate block user:NAME ends it at once.")]
pub(super) struct Remove {
    /// As in the file
    name: String,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Never,
    At(OffsetDateTime),
}

pub(super) fn disable(args: &Disable) -> Result<(), ExitCode> {
    let changed = args.which.place()?.store().change(&args.name, |user| user.disabled = true);
    changed.map_err(|error| failed(&error))?;
    println!("{} is disabled", args.name);
    Ok(())
}

pub(super) fn enable(args: &Enable) -> Result<(), ExitCode> {
    let changed = args.which.place()?.store().change(&args.name, |user| {
        user.disabled = false;
        match args.not_after {
            None => {}
            Some(End::Never) => user.not_after = None,
            Some(End::At(end)) => user.not_after = Some(end),
        }
    });
    changed.map_err(|error| failed(&error))?;
    println!("{} is enabled", args.name);
    Ok(())
}

pub(super) fn remove(args: &Remove) -> Result<(), ExitCode> {
    args.which.place()?.store().remove(&args.name).map_err(|error| failed(&error))?;
    println!("{} is removed", args.name);
    Ok(())
}

fn end(text: &str) -> Result<End, String> {
    if text == "never" { Ok(End::Never) } else { moment(text).map(End::At) }
}

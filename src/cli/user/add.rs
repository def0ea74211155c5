//! `dimsegate user add`.

use std::process::ExitCode;

use time::OffsetDateTime;

use super::passcode::{Chosen, Source};
use super::second_factor::{self, Confirmed, Issuer};
use super::{Place, Which, failed, refused};
use crate::users::{self, AdminRole, User, UsersError, check_new_name, moment};

/// Add a user, with a passcode and a second factor
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate user add anna -c conf/dimsegate.toml --role operator
  dimsegate user add maria -c conf/dimsegate.toml --dimse-role reader --peer lyon
  dimsegate user add night -c conf/dimsegate.toml --role viewer --not-after 2027-01-31 --make-passcode

The file is made, readable by its owner only, where it is missing. Twelve characters or more make a passcode, whatever
they are; the commonest ones and the user's own name are refused.")]
pub(super) struct Args {
    /// Letters, digits and . _ - @ +
    #[arg(value_parser = name)]
    name: String,
    #[command(flatten)]
    which: Which,
    /// What the user may do at the administration interface; may be repeated
    #[arg(long = "role", value_enum, value_name = "ROLE")]
    roles: Vec<AdminRole>,
    /// A [[role]] that the user has over DIMSE, where a listener checks user identities; may be repeated
    #[arg(long = "dimse-role", value_name = "NAME", value_parser = dimse_role)]
    dimse_roles: Vec<String>,
    /// A [[peer]] that the user may use; may be repeated; none given: all
    #[arg(long = "peer", value_name = "NAME")]
    peers: Vec<String>,
    /// When the user ends: a day (to its end, UTC) or RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    not_after: Option<OffsetDateTime>,
    #[command(flatten)]
    source: Source,
    /// Let the passcode alone do
    #[arg(long, conflicts_with = "issuer")]
    without_one_time_code: bool,
    #[command(flatten)]
    issuer: Issuer,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<(), ExitCode> {
    let place = args.which.place()?;
    // Whose name is taken is not asked for a passcode.
    match users::read(&place.file) {
        Ok(users) if users.iter().any(|user| user.name.eq_ignore_ascii_case(&args.name)) => {
            return Err(failed(&UsersError::Exists { name: args.name.clone(), file: place.file }));
        }
        Ok(_) | Err(UsersError::Missing(_)) => {}
        Err(error) => return Err(failed(&error)),
    }
    if place.key.is_none() && !args.without_one_time_code {
        return Err(refused(
            "no key to encrypt a one-time secret with: write [users] key-file, or give --key-file, or --without-one-time-code",
        ));
    }
    let chosen = args.source.choose(&args.name)?;
    let user = User {
        name: args.name.clone(),
        hash: chosen.hash.clone(),
        one_time: None,
        roles: args
            .roles
            .iter()
            .map(|role| role.name())
            .chain(args.dimse_roles.iter().map(String::as_str))
            .map(str::to_owned)
            .collect(),
        not_after: args.not_after,
        disabled: false,
        peers: args.peers.clone(),
    };
    let issuer = Some(&args.issuer).filter(|_| !args.without_one_time_code);
    let confirmed = issuer.map(|issuer| second_factor::confirmed(&args.name, issuer)).transpose()?;
    add(&place, user, &chosen, confirmed)
}

/// Adds a user, with the second factor that was confirmed. Nothing is asked any more.
pub(super) fn add(
    place: &Place,
    user: User,
    chosen: &Chosen,
    confirmed: Option<Confirmed>,
) -> Result<(), ExitCode> {
    let name = user.name.clone();
    let one_time = confirmed.as_ref().map(|confirmed| confirmed.sealed(place, &name)).transpose()?;
    place.store().add(User { one_time, ..user }).map_err(|error| failed(&error))?;
    // It is nowhere else.
    chosen.show();
    if let Some(confirmed) = confirmed {
        confirmed.use_code(place, &name)?;
    }
    println!("added {name} to {}", place.file.display());
    Ok(())
}

fn dimse_role(text: &str) -> Result<String, String> {
    match AdminRole::named(text) {
        Some(_) => Err("is a role of the administration: give it with --role".into()),
        None => Ok(text.to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    check_new_name(text).map(|()| text.to_owned())
}

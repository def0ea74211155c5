//! The user of a request, as the file of users has them now.

use time::OffsetDateTime;

use super::Args;
use crate::config::{ListenerSettings, Settings, UserIdentity};
use crate::policy::{Factor, Factors, ProvenUser, Refusal};
use crate::relay::{Identified, assumed};
use crate::users::{self, User};

/// A factor by its word.
pub(super) fn factor(text: &str) -> Result<Factor, String> {
    Factor::named(text).ok_or_else(|| "is no factor, write certificate, passcode or one-time-code".into())
}

/// Whether there is such a user, and the factors can be had.
///
/// # Errors
/// What is wrong with the question.
pub(super) fn can_be_asked(settings: &Settings, args: &Args) -> Result<(), String> {
    let Some(name) = &args.user else { return Ok(()) };
    if args.factors.contains(&Factor::Certificate) && args.certificate.is_none() {
        return Err("--factors certificate: name the certificate with --certificate FILE".into());
    }
    let user = named(settings, name)?;
    if args.factors.contains(&Factor::OneTimeCode) && user.one_time.is_none() {
        return Err(format!("--factors one-time-code: user \"{name}\" has no one-time secret"));
    }
    Ok(())
}

/// Who is proven to be a user, as [`can_be_asked`] allowed.
///
/// # Errors
/// The refusal of the user identity.
pub(super) fn proven(
    settings: &Settings,
    listener: &ListenerSettings,
    args: &Args,
    now: OffsetDateTime,
) -> Result<Option<ProvenUser>, Refusal> {
    let user = args.user.as_ref().and_then(|name| named(settings, name).ok());
    let factors = |user: &User| match args.factors.is_empty() {
        true => Identified::of(user).factors,
        false => args.factors.iter().copied().collect::<Factors>(),
    };
    let user = user.as_ref().map(|user| (user, factors(user)));
    assumed(listener, user, now)
}

/// What became of the user, in a few words; nothing where none was asked about.
pub(super) fn told(listener: &ListenerSettings, args: &Args, proven: Option<&ProvenUser>) -> String {
    match (&args.user, proven) {
        (None, _) => String::new(),
        (Some(_), Some(user)) => format!("{}, proven by {}", user.name, user.factors),
        (Some(name), None) if listener.user_identity == UserIdentity::Ignore => {
            format!("{name} is not looked at: user-identity of listener \"{}\" is \"ignore\"", listener.name)
        }
        (Some(name), None) => format!("{name} is claimed without a passcode, and gives no right"),
    }
}

fn named(settings: &Settings, name: &str) -> Result<User, String> {
    let users = settings.users.as_ref().ok_or("--user: the configuration has no [users]")?;
    let users = users::read(&users.file).map_err(|error| error.to_string())?;
    let user = users.into_iter().find(|user| user.name == name);
    user.ok_or_else(|| format!("no user is called {name:?}; dimsegate user list lists them"))
}

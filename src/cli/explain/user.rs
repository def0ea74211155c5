//! The user of a request, as the file of users has them now.

use std::io::Read;
use std::path::Path;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::Args;
use crate::config::{ListenerSettings, Settings, UserIdentity};
use crate::files::full;
use crate::policy::{Factor, Factors, ProvenUser, Refusal};
use crate::relay::{Identified, assumed};
use crate::tokens::Stored;
use crate::users::{self, User};

/// More than a request has room for.
const LONGEST_TOKEN: u64 = 1 << 17;

/// A factor by its word.
pub(super) fn factor(text: &str) -> Result<Factor, String> {
    Factor::named(text).ok_or_else(|| {
        "is no factor, write certificate, passcode or one-time-code; a token is shown with --token".into()
    })
}

/// A token from a file, without the newline at its end.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn read_token(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut token = Zeroizing::new(Vec::new());
    let read = std::fs::File::open(path).and_then(|file| file.take(LONGEST_TOKEN).read_to_end(&mut token));
    read.map_err(|error| format!("{}: cannot be read: {error}", full(path)))?;
    let end = token.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
    token.truncate(end);
    Ok(token)
}

/// Has the keys of servers count that a proxy has fetched, where that is kept by the same user: nobody is asked for them.
pub(super) fn recall_keys(settings: &Settings) {
    for server in &settings.key_servers {
        let stored = Stored::in_folder(&settings.state_directory, &server.issuer);
        stored.recall(&server.keys, OffsetDateTime::now_utc());
    }
}

/// Whether there is such a user, and the factors can be had.
///
/// # Errors
/// What is wrong with the question.
pub(super) fn can_be_asked(settings: &Settings, args: &Args) -> Result<(), String> {
    let Some(name) = &args.user else { return Ok(()) };
    if args.factors.contains(&Factor::Token) {
        return Err("--factors token: show the token with --token FILE, instead of --user".into());
    }
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
    let looks = listener.user_identity != UserIdentity::Ignore;
    match (&args.user, proven) {
        (None, Some(user)) => format!("{}, proven by {}", user.name, user.factors),
        (None, None) if args.token.is_some() && !looks => {
            format!(
                "the token is not looked at: user-identity of listener \"{}\" is \"ignore\"",
                listener.name
            )
        }
        (None, None) => String::new(),
        (Some(_), Some(user)) => format!("{}, proven by {}", user.name, user.factors),
        (Some(name), None) if !looks => {
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

//! Checking the user identity of a request (PS3.7 D.3.3.7), under what is left of ARTIM.

use std::sync::Arc;

use tokio::time::timeout_at;
use zeroize::Zeroizing;

use super::arrival::{Arrival, Refused};
use super::identified::Identified;
use crate::config::UserIdentity as Wanted;
use crate::users::{self, Attempt, Code, User};
use crate::vocabulary::Reason;
use crate::wire::associate::{AssociateRq, UserIdentity};

/// In place of a name that nobody has: it may be a passcode that was typed in the wrong place.
const UNKNOWN: &str = "unknown";

/// By what a user identity means to prove whose it is (PS3.7 Table D.3-14).
enum Proof<'a> {
    /// Type 1: by nothing.
    Name(&'a [u8]),
    /// Type 2.
    Passcode { name: &'a [u8], passcode: &'a [u8] },
    /// A Kerberos ticket (3), a SAML assertion (4), a JSON Web Token (5), or what no edition has: nobody checks it here.
    Unsupported(u8),
}

impl<'a> Proof<'a> {
    fn of(identity: &'a UserIdentity) -> Self {
        match identity.kind {
            1 => Self::Name(&identity.primary),
            2 => Self::Passcode { name: &identity.primary, passcode: &identity.secondary },
            other => Self::Unsupported(other),
        }
    }
}

/// Finds out who the user is, as far as the listener wants to know, and notes it on the arrival, also where it is a no.
///
/// # Errors
/// Why the request is refused. The requestor learns no more of it than the rejection says.
pub(super) async fn identify(
    arrival: &mut Arrival,
    requested: &AssociateRq,
    peer: &Arc<str>,
) -> Result<(), Refused> {
    let wanted = arrival.listener.user_identity;
    let required = |what: &str| match wanted {
        Wanted::Require => Err(Refused::new(Reason::UserIdentityMissing, what)),
        Wanted::Accept | Wanted::Ignore => Ok(()),
    };
    if wanted == Wanted::Ignore {
        return Ok(());
    }
    let Some(identity) = &requested.user.user_identity else {
        return required("no user identity came, and the listener requires one");
    };
    match Proof::of(identity) {
        Proof::Name(name) => {
            arrival.user = Some(Identified::claimed(name));
            required(
                "a user name without a passcode (type 1) proves nothing, and the listener requires a proof",
            )
        }
        Proof::Passcode { name, passcode } => {
            let _turn = arrival
                .gate
                .proving
                .begin(peer)
                .ok_or_else(|| unchecked("too many of this peer are checked now"))?;
            let verified = verified(arrival, name, passcode).await;
            arrival.user = Some(match &verified {
                Ok(user) => Identified::proven(user),
                Err((named, _)) => Identified::claimed(named.as_bytes()),
            });
            verified.map(drop).map_err(|(_, refused)| refused)
        }
        Proof::Unsupported(kind) => {
            let what = format!("a user identity of type {kind} ({}) cannot be checked here", named(kind));
            Err(Refused::new(Reason::UserIdentityUnsupported, what))
        }
    }
}

fn named(kind: u8) -> &'static str {
    match kind {
        3 => "Kerberos service ticket",
        4 => "SAML assertion",
        5 => "JSON Web Token",
        _ => "unknown to the standard",
    }
}

/// The user, or who was named, and why not.
async fn verified(arrival: &Arrival, name: &[u8], passcode: &[u8]) -> Result<User, (String, Refused)> {
    let artim = arrival.began + arrival.settings.limits.associate_timeout;
    let checked = timeout_at(artim, check(arrival, name, passcode));
    tokio::select! {
        biased;
        checked = checked => checked.unwrap_or_else(|_| {
            Err(nameless(unchecked("its turn to be checked did not come within associate-timeout")))
        }),
        () = arrival.gate.draining() => Err(nameless(Reason::ShuttingDown.into())),
    }
}

async fn check(arrival: &Arrival, name: &[u8], passcode: &[u8]) -> Result<User, (String, Refused)> {
    let settings = arrival.gate.in_force.load().settings.clone();
    let users = arrival.gate.people.present(settings).await;
    let users = users.ok_or_else(|| nameless(unchecked("no file of users can be read; the log says why")))?;
    let name = String::from_utf8_lossy(name);
    // What is not UTF-8 is nobody's passcode: each has twelve characters or more.
    let passcode = Zeroizing::new(std::str::from_utf8(passcode).unwrap_or_default().to_owned());
    let address = arrival.from.ip().to_canonical();
    let attempt = Attempt { name: &name, passcode: &passcode, code: Code::BehindPasscode, address };
    let judged = users.verify(attempt, time::OffsetDateTime::now_utc()).await;
    let known = if users.knows(&name) { &*name } else { UNKNOWN };
    judged.map_err(|refused| (known.to_owned(), refusal(known, &refused)))
}

/// In the words of the record, which tells apart what the requestor is not told.
fn refusal(user: &str, refused: &users::Refused) -> Refused {
    let reason = match refused {
        users::Refused::Locked { .. } => Reason::UserLockedOut,
        users::Refused::Busy => Reason::UserIdentityUnchecked,
        // What cannot be had is missed behind the right passcode only, which nobody is to learn.
        _ => Reason::UserIdentityWrong,
    };
    Refused::new(reason, format!("user \"{user}\": {refused}"))
}

fn nameless(refused: Refused) -> (String, Refused) {
    (UNKNOWN.to_owned(), refused)
}

fn unchecked(what: &str) -> Refused {
    Refused::new(Reason::UserIdentityUnchecked, what)
}

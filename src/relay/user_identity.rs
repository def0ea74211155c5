//! Checking the user identity of a request (PS3.7 D.3.3.7), under what is left of ARTIM.

use std::sync::Arc;

use tokio::time::timeout_at;
use zeroize::Zeroizing;

use super::arrival::{Arrival, Refused};
use super::borne;
use super::identified::Identified;
use super::tokens::Shown;
use crate::config::{ListenerSettings, Settings, UserIdentity as Wanted};
use crate::tokens::{Failed, Once};
use crate::users::{self, Attempt, Code};
use crate::vocabulary::Reason;
use crate::wire::associate::{AssociateRq, UserIdentity};

/// In place of a name that nobody has: it may be a passcode that was typed in the wrong place. And of one that nobody looks for.
const UNKNOWN: &str = "unknown";

/// By what a user identity means to prove whose it is (PS3.7 Table D.3-14).
enum Proof<'a> {
    /// Type 1: by nothing.
    Name(&'a [u8]),
    /// Type 2.
    Passcode { name: &'a [u8], passcode: &'a [u8] },
    /// Type 5.
    Token(&'a [u8]),
    /// One that nobody checks here, and that the listener lets through for the upstream: a claim, of whom is not looked at.
    Passed,
    /// A Kerberos ticket (3), a SAML assertion (4), what no edition has, or a proof that the configuration has nobody for: nobody
    /// checks it here.
    Unsupported(u8),
}

impl<'a> Proof<'a> {
    /// `in_force` says whether there are users now, and the settings of the connection which issuers its rules have.
    fn of(
        identity: &'a UserIdentity,
        in_force: &Settings,
        settings: &Settings,
        listener: &ListenerSettings,
    ) -> Self {
        match identity.kind {
            1 => Self::Name(&identity.primary),
            2 if in_force.users.is_some() => {
                Self::Passcode { name: &identity.primary, passcode: &identity.secondary }
            }
            5 if !settings.issuers.is_empty() => Self::Token(&identity.primary),
            other if listener.passes(other) => Self::Passed,
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
    let in_force = arrival.gate.in_force.load().settings.clone();
    let gate = arrival.gate.clone();
    let turn = || gate.proving.begin(peer).ok_or_else(|| unchecked("too many of this peer are checked now"));
    let verified = match Proof::of(identity, &in_force, &arrival.settings, &arrival.listener) {
        Proof::Name(name) => {
            arrival.user = Some(Identified::claimed(name));
            return required(
                "a user name without a passcode (type 1) proves nothing, and the listener requires a proof",
            );
        }
        Proof::Passed => {
            arrival.user = Some(Identified::claimed(UNKNOWN.as_bytes()));
            return Ok(());
        }
        Proof::Passcode { name, passcode } => {
            let _turn = turn()?;
            in_time(arrival, of_passcode(arrival, in_force, name, passcode)).await
        }
        Proof::Token(token) => {
            let _turn = turn()?;
            in_time(arrival, of_token(arrival, requested, token)).await
        }
        Proof::Unsupported(kind) => {
            let what = format!("a user identity of type {kind} ({}) cannot be checked here", named(kind));
            return Err(Refused::new(Reason::UserIdentityUnsupported, what));
        }
    };
    let (user, outcome) = match verified.unwrap_or_else(|refused| Err(nameless(refused))) {
        Ok((user, once)) => (user, Ok(once)),
        Err((named, refused)) => (named, Err(refused)),
    };
    arrival.user = Some(user);
    arrival.once = outcome?;
    Ok(())
}

/// Takes the token that proved the user, where it is taken once: behind all that rejects a request here, so that what is mended
/// then lets the same token in.
///
/// # Errors
/// Why the request is refused.
pub(super) async fn take(arrival: &mut Arrival) -> Result<(), Refused> {
    let Some(once) = arrival.once.take() else { return Ok(()) };
    let user = arrival.proven_user().map(|user| user.name.to_string());
    let refused = match in_time(arrival, arrival.gate.tokens.take(once)).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(refused)) => of_failed(&Failed { user: user.clone(), refused }),
        Err(refused) => refused,
    };
    arrival.user = Some(Identified::named_by_token(user.as_deref().unwrap_or(UNKNOWN)));
    Err(refused)
}

fn named(kind: u8) -> &'static str {
    match kind {
        2 => "user name and passcode",
        3 => "Kerberos service ticket",
        4 => "SAML assertion",
        5 => "JSON Web Token",
        _ => "unknown to the standard",
    }
}

/// Who it is, and what is to be taken for that; or who was named, and why not.
type Verified = Result<(Identified, Option<Once>), (Identified, Refused)>;

async fn in_time<T>(arrival: &Arrival, check: impl Future<Output = T>) -> Result<T, Refused> {
    let artim = arrival.began + arrival.settings.limits.associate_timeout;
    let checked = timeout_at(artim, check);
    tokio::select! {
        biased;
        checked = checked => checked
            .map_err(|_| unchecked("its turn to be checked did not come within associate-timeout")),
        () = arrival.gate.draining() => Err(Reason::ShuttingDown.into()),
    }
}

async fn of_passcode(arrival: &Arrival, settings: Arc<Settings>, name: &[u8], passcode: &[u8]) -> Verified {
    let users = arrival.gate.people.present(settings).await;
    let users = users.ok_or_else(|| nameless(unchecked("no file of users can be read; the log says why")))?;
    let name = String::from_utf8_lossy(name);
    // What is not UTF-8 is nobody's passcode: each has twelve characters or more.
    let passcode = Zeroizing::new(std::str::from_utf8(passcode).unwrap_or_default().to_owned());
    let address = arrival.from.ip().to_canonical();
    let attempt = Attempt { name: &name, passcode: &passcode, code: Code::BehindPasscode, address };
    let judged = users.verify(attempt, time::OffsetDateTime::now_utc()).await;
    let known = if users.knows(&name) { &*name } else { UNKNOWN };
    match judged {
        Ok(user) => Ok((Identified::proven(&user), None)),
        Err(refused) => Err((Identified::claimed(known.as_bytes()), refusal(known, &refused))),
    }
}

/// By the issuers of the rules that the connection came under, which its association is judged by too. Those of a reload since
/// would let in whom that then ends.
async fn of_token(arrival: &Arrival, requested: &AssociateRq, token: &[u8]) -> Verified {
    // That it is legal was seen when the peer was recognised.
    let calling = requested.calling.parse().map(|title| title.to_string()).unwrap_or_default();
    let certificate = arrival.tls.as_ref().and_then(|session| session.certificate.as_ref());
    let certificate = certificate.map(|certificate| certificate.fingerprint.clone());
    let settings = arrival.settings.clone();
    let shown = Shown { settings, token: token.to_vec().into(), calling, certificate };
    match arrival.gate.tokens.check(shown).await {
        Ok(bearer) => Ok((Identified::Proven(Identified::borne(&bearer)), bearer.once)),
        Err(failed) => {
            let named = Identified::named_by_token(failed.user.as_deref().unwrap_or(UNKNOWN));
            Err((named, of_failed(&failed)))
        }
    }
}

fn of_failed(failed: &Failed) -> Refused {
    Refused::new(borne::reason_of(&failed.refused), borne::told(failed))
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

fn nameless(refused: Refused) -> (Identified, Refused) {
    (Identified::claimed(UNKNOWN.as_bytes()), refused)
}

fn unchecked(what: &str) -> Refused {
    Refused::new(Reason::UserIdentityUnchecked, what)
}

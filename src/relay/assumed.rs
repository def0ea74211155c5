//! What the check of a user identity would say, where it is taken for granted what the requestor has to prove.

use time::OffsetDateTime;

use super::identified::Identified;
use crate::config::{ListenerSettings, UserIdentity};
use crate::policy::{Factor, Factors, ProvenUser, Refusal};
use crate::users::User;
use crate::vocabulary::Reason;

/// Who is proven to be a user at a listener, by a user identity with these factors. `None`: nobody, and nobody has to be.
///
/// # Errors
/// The refusal that a request would get.
pub(crate) fn assumed(
    listener: &ListenerSettings,
    user: Option<(&User, Factors)>,
    now: OffsetDateTime,
) -> Result<Option<ProvenUser>, Refusal> {
    let required = listener.user_identity == UserIdentity::Require;
    match user {
        _ if listener.user_identity == UserIdentity::Ignore => Ok(None),
        Some((user, factors)) if factors.contains(Factor::Passcode) => proven(user, factors, now).map(Some),
        _ if required => Err(missing(listener)),
        _ => Ok(None),
    }
}

/// The refusal of who proves to be nobody, at a listener that requires a user.
fn missing(listener: &ListenerSettings) -> Refusal {
    Refusal {
        reason: Reason::UserIdentityMissing,
        nearest: None,
        stated: None,
        detail: format!("listener \"{}\" requires a user identity with a proof", listener.name),
        remedy: "let the requestor send a user name and passcode (user identity, type 2) or a token (type 5), or write \
                 user-identity = \"accept\""
            .into(),
    }
}

fn proven(user: &User, factors: Factors, now: OffsetDateTime) -> Result<ProvenUser, Refusal> {
    let name = &user.name;
    let wrong = |what: &str, remedy: String| Refusal {
        reason: Reason::UserIdentityWrong,
        nearest: None,
        stated: None,
        detail: format!("user \"{name}\": {what}"),
        remedy,
    };
    if user.disabled {
        return Err(wrong("the user is disabled", format!("dimsegate user enable {name}")));
    }
    if user.has_ended(now) {
        return Err(wrong("the user ended", format!("dimsegate user enable {name} --not-after …")));
    }
    if user.one_time.is_some() && !factors.contains(Factor::OneTimeCode) {
        let remedy = "let the requestor send the six digits of now behind the passcode";
        return Err(wrong("the one-time code is missing", remedy.into()));
    }
    Ok(Identified::of(user))
}

//! What a token means for an association: the user that it proves, or the word for why it proves nobody.

use std::sync::Arc;

use super::identified::Identified;
use crate::config::{ListenerSettings, Settings, UserIdentity};
use crate::policy::{Facts, ProvenUser, Refusal, Verdict, decide};
use crate::tokens::{Failed, Issuer, Once, Presented, Purpose, Refused, Taken, verify};
use crate::vocabulary::Reason;

/// Why a token is refused, in the word of the record.
pub(crate) fn reason_of(refused: &Refused) -> Reason {
    match refused {
        Refused::Ended(_) => Reason::TokenEnded,
        Refused::Used => Reason::TokenUsed,
        Refused::CallingAeTitle { .. } | Refused::Certificate(_) => Reason::TokenNotBound,
        Refused::NoKeys { .. } | Refused::Unavailable(_) => Reason::UserIdentityUnchecked,
        _ => Reason::TokenWrong,
    }
}

/// Who is proven to be a user by a token, as a request with these facts would prove it, and what would be taken by that behind the
/// decision, where it is [unused]. `None`: nobody looks.
///
/// # Errors
/// The refusal that a request would get.
pub(crate) fn borne(
    listener: &ListenerSettings,
    settings: &Settings,
    facts: &Facts<'_>,
    token: &[u8],
) -> Result<Option<(ProvenUser, Option<Once>)>, Refusal> {
    if listener.user_identity == UserIdentity::Ignore {
        return Ok(None);
    }
    has_issuers(settings)?;
    let calling = facts.calling.parse().map(|title| title.to_string()).unwrap_or_default();
    let certificate = facts.certificate.map(|certificate| certificate.fingerprint.as_str());
    let presented = Presented {
        token,
        purpose: Purpose::Association { calling: &calling, interface: settings.interface_audience() },
        certificate,
    };
    let bearer = verify(&settings.issuers, &presented, facts.now).map_err(|failed| refusal(&failed))?;
    let user = Arc::unwrap_or_clone(Identified::borne(&bearer));
    Ok(Some((user, bearer.once)))
}

/// The decision about these facts, as of somebody whose token was not taken yet: that is asked last, behind everything that
/// could refuse them otherwise.
pub(crate) fn borne_verdict(settings: &Settings, facts: &Facts<'_>, once: Option<&Once>) -> Verdict {
    match (decide(&settings.policy, facts), facts.user.zip(once)) {
        (Verdict::Allow(grant), Some((user, once))) => {
            unused(settings, &user.name, once).map_or_else(Verdict::Refuse, |()| Verdict::Allow(grant))
        }
        (verdict, _) => verdict,
    }
}

/// Whether a token of this user was not taken yet. Nothing is taken by that.
///
/// # Errors
/// The refusal that a request would get.
fn unused(settings: &Settings, user: &str, once: &Once) -> Result<(), Refusal> {
    let refused = match Taken::in_folder(&settings.state_directory).has(once) {
        Ok(false) => return Ok(()),
        Ok(true) => Refused::Used,
        Err(refused) => refused,
    };
    Err(refusal(&Failed { user: Some(user.to_owned()), refused }))
}

/// Whether a token of this user, which was verified, may still be good by other settings: nobody has kept the token itself.
///
/// # Errors
/// The refusal that it would get.
pub(crate) fn still_borne(settings: &Settings, user: &str) -> Result<(), Refusal> {
    has_issuers(settings)?;
    let of_nobody = |why| Refusal {
        reason: Reason::TokenWrong,
        nearest: None,
        stated: None,
        detail: format!("token of user \"{user}\": {why}"),
        remedy: "if the issuer is to be trusted, add an [[issuer]] of this name with its iss and keys".into(),
    };
    issuer_of(settings, user).map(drop).map_err(of_nobody)
}

/// The issuer of a user whom a token proved, as these settings have it.
///
/// # Errors
/// That it is not there, in words.
pub(super) fn issuer_of<'s>(settings: &'s Settings, user: &str) -> Result<&'s Issuer, String> {
    let name = user.split_once('/').map_or(user, |(name, _)| name);
    let found = settings.issuers.iter().find(|issuer| *issuer.name == *name);
    found.map(|issuer| &**issuer).ok_or_else(|| format!("issuer \"{name}\" is there no more"))
}

fn has_issuers(settings: &Settings) -> Result<(), Refusal> {
    if !settings.issuers.is_empty() {
        return Ok(());
    }
    Err(Refusal {
        reason: Reason::UserIdentityUnsupported,
        nearest: None,
        stated: None,
        detail: "a JSON Web Token (type 5) cannot be checked here: there is no [[issuer]]".into(),
        remedy: "add an [[issuer]] with its iss and keys".into(),
    })
}

fn refusal(failed: &Failed) -> Refusal {
    let refused = &failed.refused;
    Refusal {
        reason: reason_of(refused),
        nearest: None,
        stated: None,
        detail: told(failed),
        remedy: refused.remedy(),
    }
}

/// Whose token it is, where that is known, and what is wrong with it.
pub(super) fn told(failed: &Failed) -> String {
    match &failed.user {
        Some(user) => format!("token of user \"{user}\": {}", failed.refused),
        None => format!("token: {}", failed.refused),
    }
}

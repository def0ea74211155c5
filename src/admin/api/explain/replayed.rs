//! A refusal that was kept, decided again.

use super::InForce;
use super::answer::{Explanation, Said};
use crate::config::UserIdentity;
use crate::policy::{self, Factor, Facts, ProvenUser, recognised};
use crate::relay::{Identified, Recalled, assumed, still_borne};
use crate::vocabulary::Reason;

/// As it was asked then, by what is in force now. What TLS made of a certificate is taken as it was.
pub(super) fn of_refusal(in_force: InForce<'_>, recalled: &Recalled) -> Explanation {
    let InForce { settings, blocks, .. } = in_force;
    let address = recalled.from.ip().to_canonical();
    if let Err(refusal) = in_force.admits(&recalled.listener, address, recalled.last) {
        return Explanation::refused(settings, refusal);
    }
    let Some(asked) = &recalled.asked else {
        // It came no further than this.
        let why = format!(
            "{}. The configuration in force lets this address connect; what happened before an association was asked for cannot be \
             replayed",
            recalled.explanation
        );
        return Explanation::as_it_was(settings, recalled.reason, why);
    };
    let facts = Facts {
        listener: &recalled.listener,
        user: None,
        address,
        certificate: recalled.shown.certificate.as_ref(),
        tls: recalled.shown.tls,
        authorities: &recalled.shown.authorities,
        calling: &asked.calling,
        called: &asked.called,
        contexts: &asked.contexts,
        blocks,
        now: recalled.last,
    };
    // In the order of `run`: who it is comes before which user.
    if let Err(refusal) = recognised(&settings.policy, &facts) {
        return Explanation::refused(settings, refusal);
    }
    match user_again(in_force, recalled) {
        Ok(user) => {
            Explanation::decided(settings, &Facts { user: user.as_ref(), ..facts }, None, &Said::new())
        }
        Err(explanation) => *explanation,
    }
}

/// The user of a refusal as the file has them now, by what was proven then.
fn user_again(in_force: InForce<'_>, recalled: &Recalled) -> Result<Option<ProvenUser>, Box<Explanation>> {
    use Reason::{
        TokenEnded, TokenNotBound, TokenUsed, TokenWrong, UserIdentityUnchecked, UserIdentityUnsupported,
        UserIdentityWrong, UserLockedOut,
    };
    let InForce { settings, users, .. } = in_force;
    let listener = settings.listeners.iter().find(|listener| listener.name == recalled.listener);
    let Some(listener) = listener.filter(|one| one.user_identity != UserIdentity::Ignore) else {
        return Ok(None);
    };
    let unproven = [
        UserIdentityWrong,
        UserIdentityUnsupported,
        UserLockedOut,
        UserIdentityUnchecked,
        TokenWrong,
        TokenEnded,
        TokenUsed,
        TokenNotBound,
    ];
    if unproven.contains(&recalled.reason) {
        let why = format!(
            "{}. What a requestor proves by a passcode or a token cannot be replayed",
            recalled.explanation
        );
        return Err(Box::new(Explanation::as_it_was(settings, recalled.reason, why)));
    }
    let refused = |refusal| Box::new(Explanation::refused(settings, refusal));
    let now = recalled.last;
    let Some(proven) = recalled.user.as_ref().and_then(Identified::as_proven) else {
        return assumed(listener, None, now).map_err(refused);
    };
    if proven.factors.contains(Factor::Token) {
        // Its roles are those of the token, as they were.
        let still = still_borne(settings, &proven.name).map_err(refused);
        return still.map(|()| Some(ProvenUser::clone(proven)));
    }
    match users.and_then(|users| users.named(&proven.name)) {
        Some(user) => assumed(listener, Some((&user, proven.factors)), now).map_err(refused),
        None => Err(refused(gone(&proven.name))),
    }
}

pub(super) fn gone(name: &str) -> policy::Refusal {
    policy::Refusal {
        reason: Reason::UserIdentityWrong,
        nearest: None,
        stated: None,
        detail: format!("no user is called \"{name}\""),
        remedy: format!("dimsegate user add {name}"),
    }
}

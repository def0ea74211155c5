//! What it means for an association that a user is proven, or that nothing is (PS3.7 D.3.3.7).

use std::sync::Arc;

use super::admission::admitted_by;
use super::factors::{Factor, Factors};
use super::facts::Facts;
use super::peer::Peer;
use super::proven::ProvenUser;
use super::refusal::Refusal;
use super::rights::Rights;
use super::role::Role;
use super::routing::Policy;
use crate::vocabulary::Reason;

/// What peer and user may do together. Who has no user gets what the peer may.
///
/// # Errors
/// A refusal: the user's token has ended, the user may not come through this peer, has no role, a factor is missing that a role requires, or none of the
/// user's roles may be used now and over this TLS.
pub(super) fn rights(policy: &Policy, peer: &Arc<Peer>, facts: &Facts<'_>) -> Result<Rights, Refusal> {
    let proven = proven(facts);
    if let Some(factor) = peer.role.require.missing_in(proven) {
        return Err(missing(peer, &peer.role, factor, proven));
    }
    let Some(user) = facts.user else { return Ok(Rights::of_peer(peer.role.clone())) };
    if user.ends.is_some_and(|end| end <= facts.now) {
        return Err(ended(user));
    }
    if !user.peers.is_empty() && !user.peers.contains(&peer.name) {
        return Err(not_through(peer, user));
    }
    // A role that asks for more than there is counts as one that the user does not have.
    let (mut had, mut lacking) = (Vec::new(), None);
    for role in user.roles.iter().filter_map(|name| policy.roles.get(name)) {
        match usable(role, peer, user, facts) {
            Ok(()) => had.push(role.clone()),
            Err(refusal) => lacking = lacking.or(Some(refusal)),
        }
    }
    match had.is_empty() {
        false => Ok(Rights::of_both(peer.role.clone(), had)),
        true => Err(lacking.unwrap_or_else(|| no_role(peer, user))),
    }
}

/// Whether a role of the user's own may be used for this association.
fn usable(role: &Role, peer: &Arc<Peer>, user: &ProvenUser, facts: &Facts<'_>) -> Result<(), Refusal> {
    let proven = proven(facts);
    if let Some(factor) = role.require.missing_in(proven) {
        return Err(missing(peer, role, factor, proven));
    }
    admitted_by(role, &format_args!("user \"{}\"", user.name), facts)
}

fn proven(facts: &Facts<'_>) -> Factors {
    let of_user = facts.user.map_or(Factors::default(), |user| user.factors);
    if facts.certificate.is_some() { of_user.with(Factor::Certificate) } else { of_user }
}

fn missing(peer: &Arc<Peer>, role: &Role, factor: Factor, proven: Factors) -> Refusal {
    let proven = match proven.iter().next() {
        Some(_) => format!("proven: {proven}"),
        None => "nothing is proven".into(),
    };
    Refusal {
        reason: Reason::FactorMissing,
        nearest: None,
        stated: role.keys.of("require"),
        detail: format!("peer \"{}\": role \"{}\" requires \"{factor}\"; {proven}", peer.name, role.name),
        remedy: format!("{}, or take \"{factor}\" out of require of role \"{}\"", factor.remedy(), role.name),
    }
}

fn not_through(peer: &Arc<Peer>, user: &ProvenUser) -> Refusal {
    let (name, peers) = (&user.name, user.peers.iter().take(8).map(|peer| &**peer).collect::<Vec<_>>());
    Refusal {
        reason: Reason::UserNotAllowed,
        nearest: None,
        stated: None,
        detail: format!(
            "user \"{name}\" may come through {}, and not through peer \"{}\"",
            peers.join(", "),
            peer.name
        ),
        remedy: format!("add \"{}\" to the peers of user \"{name}\" in the file of users", peer.name),
    }
}

fn ended(user: &ProvenUser) -> Refusal {
    Refusal {
        reason: Reason::TokenEnded,
        nearest: None,
        stated: None,
        detail: format!("the token of user \"{}\" has ended", user.name),
        remedy: "let the requestor come with a new token, or write at-end = \"finish\" in the [[issuer]]"
            .into(),
    }
}

fn no_role(peer: &Arc<Peer>, user: &ProvenUser) -> Refusal {
    let name = &user.name;
    Refusal {
        reason: Reason::UserNotAllowed,
        nearest: None,
        stated: None,
        detail: format!(
            "user \"{name}\" has no role of a [[role]], and may do nothing through peer \"{}\"",
            peer.name
        ),
        remedy: match user.factors.contains(Factor::Token) {
            true => "let the issuer write the name of a [[role]] into roles-claim of its [[issuer]]".into(),
            false => {
                format!("add the name of a [[role]] to the roles of user \"{name}\" in the file of users")
            }
        },
    }
}

#[cfg(test)]
mod tests;

//! What a role asks of an association before anything is done on it: how it is protected, and when it is.

use super::{Facts, Peer, Refusal};
use crate::vocabulary::Reason;

/// The first that does not hold of what the peer's role asks.
pub(super) fn refused_by_role(peer: &Peer, facts: &Facts<'_>) -> Option<Refusal> {
    too_old(peer, facts).or_else(|| outside_hours(peer, facts))
}

fn too_old(peer: &Peer, facts: &Facts<'_>) -> Option<Refusal> {
    let minimum = peer.role.minimum_tls.filter(|minimum| facts.tls < Some(*minimum))?;
    let (came, role) =
        (facts.tls.map_or_else(|| "no TLS".into(), |version| format!("TLS {version}")), &peer.role.name);
    Some(Refusal {
        reason: Reason::TlsTooOld,
        nearest: None,
        detail: format!(
            "it came with {came}, and role \"{role}\" of peer \"{}\" asks for TLS {minimum}",
            peer.name
        ),
        remedy: format!("let the requestor speak TLS {minimum}, or lower minimum-tls of role \"{role}\""),
    })
}

fn outside_hours(peer: &Peer, facts: &Facts<'_>) -> Option<Refusal> {
    let hours = peer.role.hours.as_ref().filter(|hours| !hours.are_open(facts.now))?;
    let role = &peer.role.name;
    let opening = hours.next_opening(facts.now).unwrap_or_else(|| "never again".into());
    Some(Refusal {
        reason: Reason::OutsideHours,
        nearest: None,
        detail: format!("role \"{role}\" of peer \"{}\" is for {hours}; it opens next {opening}", peer.name),
        remedy: format!("come again then, or widen the hours of role \"{role}\""),
    })
}

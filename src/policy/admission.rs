//! What a role asks of an association before anything is done on it: how it is protected, and when it is.

use std::fmt;

use super::facts::Facts;
use super::refusal::Refusal;
use super::role::Role;
use crate::vocabulary::Reason;

/// Whether all of that holds; `holder` is who has the role, such as `peer "lyon"`.
///
/// # Errors
/// The first that does not.
pub(super) fn admitted_by(role: &Role, holder: &dyn fmt::Display, facts: &Facts<'_>) -> Result<(), Refusal> {
    let refused = too_old(role, holder, facts).or_else(|| outside_hours(role, holder, facts));
    refused.map_or(Ok(()), Err)
}

fn too_old(role: &Role, holder: &dyn fmt::Display, facts: &Facts<'_>) -> Option<Refusal> {
    let minimum = role.minimum_tls.filter(|minimum| facts.tls < Some(*minimum))?;
    let stated = role.keys.of("minimum-tls");
    let (came, role) =
        (facts.tls.map_or_else(|| "no TLS".into(), |version| format!("TLS {version}")), &role.name);
    Some(Refusal {
        reason: Reason::TlsTooOld,
        nearest: None,
        stated,
        detail: format!("it came with {came}, and role \"{role}\" of {holder} asks for TLS {minimum}"),
        remedy: format!("let the requestor speak TLS {minimum}, or lower minimum-tls of role \"{role}\""),
    })
}

fn outside_hours(role: &Role, holder: &dyn fmt::Display, facts: &Facts<'_>) -> Option<Refusal> {
    let hours = role.hours.as_ref().filter(|hours| !hours.are_open(facts.now))?;
    let (stated, role) = (role.keys.of("hours"), &role.name);
    let opening = hours.next_opening(facts.now).unwrap_or_else(|| "never again".into());
    Some(Refusal {
        reason: Reason::OutsideHours,
        nearest: None,
        stated,
        detail: format!("role \"{role}\" of {holder} is for {hours}; it opens next {opening}"),
        remedy: format!("come again then, or widen the hours of role \"{role}\""),
    })
}

//! The agreements that routes need.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Change, Compared, listed};
use crate::policy::{Agreement, Peer, Policy};

/// What a route asks for: nothing (`None`), or that one of these holds.
type Needed<'p> = Option<Vec<&'p Arc<Agreement>>>;

/// Where a peer's routes ask for other agreements than they did. Times are not weighed against each other: what differs is told both
/// ways.
pub(super) fn changes(compared: &Compared<'_>, old: &Peer, new: &Peer) -> Vec<Change> {
    let led_to: BTreeSet<Arc<str>> =
        led_to(compared.old, old).into_iter().chain(led_to(compared.new, new)).collect();
    let mut changes = Vec::new();
    for upstream in &led_to {
        let before = compared.old.borders.needed(&old.name, upstream);
        let now = compared.new.borders.needed(&new.name, upstream);
        for (admits, more) in [(true, is_beyond(&now, &before)), (false, is_beyond(&before, &now))] {
            if more {
                let detail = format!("towards {upstream}: {}", told(&now));
                changes.push(Change::of(new, admits, "agreement", detail));
            }
        }
    }
    changes
}

/// Whether what one needs may be had where what the other needs is not. Never false by mistake.
fn is_beyond(one: &Needed<'_>, other: &Needed<'_>) -> bool {
    match (one, other) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(some), Some(others)) => some.iter().any(|one| !others.iter().any(|other| alike(one, other))),
    }
}

/// Every upstream that a peer may be led to, whatever it calls.
pub(super) fn led_to(policy: &Policy, peer: &Peer) -> Vec<Arc<str>> {
    let any = || {
        let routed = policy.routes.iter().map(|route| route.upstream.clone());
        routed.chain(policy.listeners.values().flatten().cloned()).collect()
    };
    peer.upstream.clone().map_or_else(any, |own| vec![own])
}

fn alike(one: &Agreement, other: &Agreement) -> bool {
    let of = |agreement: &Agreement| {
        (
            agreement.id.clone(),
            agreement.from,
            agreement.until,
            agreement.rewrite.clone(),
            agreement.mechanism,
            agreement.consent,
            agreement.consent_scope.clone(),
        )
    };
    of(one) == of(other) && one.allows.covers(&other.allows) && other.allows.covers(&one.allows)
}

fn told(needed: &Needed<'_>) -> String {
    match needed.as_deref() {
        None => "no agreement is needed".into(),
        Some([]) => "an agreement is needed, and there is none".into(),
        Some(some) => format!("agreement {}", listed(some.iter().map(|one| format!("\"{}\"", one.id)))),
    }
}

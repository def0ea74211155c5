//! What one policy admits that another one does not, peer by peer.
//!
//! Sound, and therefore careful: what cannot be shown to have been allowed before is told as newly admitted, and nothing that is
//! newly admitted is left out. Each peer is looked at for its own conditions and rights, and for those who no longer decide
//! before it does.
//!
//! What a role says of queries and retrievals is compared, numbers included (`max-answers`, `max-retrievals-per-hour`,
//! `max-patients-per-day`). Rates of a
//! peer and numbers of associations are no rights, and not compared.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::{Peer, Policy, Role};

mod borders;
mod conditions;
mod order;
mod rights;

/// What differs between two policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whether more is admitted; otherwise it is less.
    pub admits: bool,
    /// The peer that it is about.
    pub peer: Arc<str>,
    /// Its role; in the policy in which it is, the new one first.
    pub role: Box<str>,
    /// The key that states it, or `order`.
    pub what: &'static str,
    /// The values that came or went, or what is otherwise.
    pub detail: String,
}

/// What differs between two roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleChange {
    /// Whether more is admitted; otherwise it is less.
    pub admits: bool,
    /// The key that states it.
    pub what: &'static str,
    /// The values that came or went, or what is otherwise.
    pub detail: String,
}

/// What a peer may refer to, and whether it is another thing in the new configuration under its old name.
pub trait Things {
    /// `[[rewrite]]`, its secret and its crosswalk included.
    fn is_other_rewrite(&self, name: &str) -> bool;
    /// `[[upstream]]`.
    fn is_other_upstream(&self, name: &str) -> bool;
    /// `[[consent]]`; what a list or a server says is not compared.
    fn is_other_consent(&self, name: &str) -> bool;
}

/// Two policies, and where each peer is in the old one.
struct Compared<'p> {
    old: &'p Policy,
    new: &'p Policy,
    things: &'p dyn Things,
    before: HashMap<&'p str, usize>,
}

/// Every change from one policy to another: of the peers of the new one in their order, then of those that are gone.
pub fn compare(old: &Policy, new: &Policy, things: &dyn Things) -> Vec<Change> {
    let places = old.peers.iter().zip(0..);
    let before = places.map(|(peer, at)| (&*peer.name, at)).collect();
    let compared = Compared { old, new, things, before };
    let of_peers = compared.new.peers.iter().flat_map(|peer| compared.of_peer(peer));
    let mut changes: Vec<Change> = of_peers.chain(order::changes(&compared)).chain(compared.gone()).collect();
    // What is told of a peer stands together.
    let places: HashMap<&str, usize> =
        new.peers.iter().zip(0..).map(|(peer, at)| (&*peer.name, at)).collect();
    changes.sort_by_key(|change| places.get(&*change.peer).copied().unwrap_or(usize::MAX));
    changes
}

/// Every change from one role to another, as sound as that of a peer's role.
pub fn compare_roles(old: &Role, new: &Role) -> Vec<RoleChange> {
    rights::of_roles(old, new)
}

impl Compared<'_> {
    fn of_peer(&self, new: &Peer) -> Vec<Change> {
        match self.before.get(&*new.name).and_then(|at| self.old.peers.get(*at)) {
            None => vec![Change::of(new, true, "peer", whole(new))],
            Some(old) => {
                let mut changes = conditions::changes(old, new);
                changes.extend(rights::changes(self, old, new));
                changes.extend(borders::changes(self, old, new));
                changes
            }
        }
    }

    fn gone(&self) -> Vec<Change> {
        let there = |name: &str| self.new.peers.iter().any(|peer| *peer.name == *name);
        let gone = self.old.peers.iter().filter(|peer| !there(&peer.name));
        gone.map(|peer| Change::of(peer, false, "peer", whole(peer))).collect()
    }

    /// Whether both lead to the same upstreams, whatever is called.
    fn leads_alike(&self, old: &Peer, new: &Peer) -> bool {
        let own = |peer: &Peer| peer.upstream.clone();
        let routes = |policy: &Policy| -> Vec<_> {
            policy.routes.iter().map(|route| (route.called.to_string(), route.upstream.clone())).collect()
        };
        let by_routes = || routes(self.old) == routes(self.new) && self.old.listeners == self.new.listeners;
        own(old) == own(new)
            && (own(new).is_some() || by_routes())
            && !borders::led_to(self.new, new).iter().any(|name| self.things.is_other_upstream(name))
    }

    fn rewrites_alike(&self, old: &Peer, new: &Peer) -> bool {
        let of =
            |peer: &Peer| (peer.rewrite.clone(), peer.rewrite_direction, peer.two_way, peer.tenant.clone());
        of(old) == of(new) && !new.rewrite.as_ref().is_some_and(|name| self.things.is_other_rewrite(name))
    }
}

impl Change {
    fn of(peer: &Peer, admits: bool, what: &'static str, detail: impl Into<String>) -> Self {
        Self { admits, peer: peer.name.clone(), role: peer.role.name.clone(), what, detail: detail.into() }
    }
}

/// A peer that is there in one of them only.
fn whole(peer: &Peer) -> String {
    let operations = listed(peer.role.operations.iter().map(|operation| operation.name()));
    format!("{} from {}: {operations}", listed(&peer.calling), listed(&peer.networks))
}

/// So many of a list are told.
const MOST: usize = 8;

fn listed<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    let shown = all.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    match all.len().checked_sub(MOST) {
        Some(more @ 1..) => format!("{shown}, and {more} more"),
        _ => shown,
    }
}

#[cfg(test)]
mod tests;

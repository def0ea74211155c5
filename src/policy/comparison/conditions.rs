//! The conditions of a peer: whom it is about.

use std::fmt;

use ipnet::IpNet;

use super::{Change, listed};
use crate::policy::{AePattern, Peer};

/// Which of its conditions hold for more, or for fewer.
pub(super) fn changes(old: &Peer, new: &Peer) -> Vec<Change> {
    let mut found = Found { new, changes: Vec::new() };
    found.of("networks", uncovered(&new.networks, &old.networks), uncovered(&old.networks, &new.networks));
    found.of("calling-ae-titles", beyond(&new.calling, &old.calling), beyond(&old.calling, &new.calling));
    let called = |peer: &Peer| peer.called.clone().unwrap_or_else(|| any().into_iter().collect());
    found.of("called-ae-titles", beyond(&called(new), &called(old)), beyond(&called(old), &called(new)));
    found.optional("listeners", old.listeners.as_deref(), new.listeners.as_deref());
    found.optional("certificates", old.certificates.as_deref(), new.certificates.as_deref());
    found.optional("issuers", old.issuers.as_deref(), new.issuers.as_deref());
    found.changes
}

/// Whether whoever one peer is about, the other one is about too. Never true by mistake.
pub(super) fn cover(wide: &Peer, narrow: &Peer) -> bool {
    changes(wide, narrow).iter().all(|change| !change.admits)
}

/// Whether somebody may be whom both are about. Never false by mistake.
pub(super) fn overlap(one: &Peer, other: &Peer) -> bool {
    let met = |a: &IpNet, b: &IpNet| a.contains(b) || b.contains(a);
    let networks = one.networks.iter().any(|a| other.networks.iter().any(|b| met(a, b)));
    let exact = |pattern: &AePattern| pattern.beginning().len() == pattern.to_string().len();
    let meet = |a: &AePattern, b: &AePattern| {
        let shorter = a.beginning().len().min(b.beginning().len());
        let begin_alike = a.beginning().get(..shorter) == b.beginning().get(..shorter);
        if exact(a) && exact(b) { a == b } else { begin_alike }
    };
    networks && one.calling.iter().any(|a| other.calling.iter().any(|b| meet(a, b)))
}

struct Found<'p> {
    new: &'p Peer,
    changes: Vec<Change>,
}

impl Found<'_> {
    fn of<T: fmt::Display>(&mut self, what: &'static str, more: Vec<T>, fewer: Vec<T>) {
        for (admits, values) in [(true, more), (false, fewer)] {
            if !values.is_empty() {
                self.changes.push(Change::of(self.new, admits, what, listed(values)));
            }
        }
    }

    /// Of a condition that holds for anybody where it is absent.
    fn optional<T: fmt::Display + PartialEq>(
        &mut self,
        what: &'static str,
        old: Option<&[T]>,
        new: Option<&[T]>,
    ) {
        let beyond = |one: Option<&[T]>, other: Option<&[T]>| -> Vec<String> {
            match (one, other) {
                (_, None) => Vec::new(),
                (None, Some(_)) => vec!["any".into()],
                (Some(one), Some(other)) => {
                    one.iter().filter(|value| !other.contains(value)).map(ToString::to_string).collect()
                }
            }
        };
        self.of(what, beyond(new, old), beyond(old, new));
    }
}

fn any() -> Option<AePattern> {
    "*".parse().ok()
}

/// Networks that are in none of the others, which may be so together.
fn uncovered(some: &[IpNet], others: &[IpNet]) -> Vec<IpNet> {
    let others = IpNet::aggregate(&others.to_vec());
    some.iter().filter(|one| !others.iter().any(|other| other.contains(*one))).copied().collect()
}

fn beyond(some: &[AePattern], others: &[AePattern]) -> Vec<AePattern> {
    some.iter().filter(|one| !others.iter().any(|other| other.covers(one))).cloned().collect()
}

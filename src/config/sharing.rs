//! Who has the same pseudonyms as somebody else.
//!
//! The same secret makes the same pseudonyms, in whichever rewrite it is named. Where two have them that are not one and
//! the same organization, both together can tell which of their patients are one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::certificates;
use super::listener::Listeners;
use super::report::Place;
use super::rewrite::Rewrites;
use super::section::Section;
use crate::policy::Peer;

/// Owners of one secret that are told apart; beyond that it is told often enough.
const MOST_OWNERS: usize = 16;

/// Whose a peer is, as far as the configuration says: its tenant, and the CAs that can vouch for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Owner<'p> {
    tenant: Option<&'p str>,
    authorities: Vec<&'p str>,
}

impl Owner<'_> {
    /// What tells that two are not the same, if anything does.
    fn differs(&self, other: &Self) -> Option<&'static str> {
        match (self.tenant, other.tenant) {
            (Some(one), Some(other)) => (one != other).then_some("of another tenant"),
            _ if self.authorities.is_empty() || other.authorities.is_empty() => None,
            _ => {
                let common = self.authorities.iter().any(|one| other.authorities.contains(one));
                (!common).then_some("of another CA")
            }
        }
    }
}

pub(super) fn risks(
    root: &Section<'_>,
    peers: &[(Place, Arc<Peer>)],
    rewrites: &Rewrites,
    listeners: &Listeners,
) {
    let mut owners: BTreeMap<&[u8], BTreeMap<Owner<'_>, &Peer>> = BTreeMap::new();
    let mut told = BTreeSet::new();
    for (place, peer) in peers {
        let Some(rewrite) = &peer.rewrite else { continue };
        let Some(secret) = rewrites.fingerprints.get(rewrite).map(AsRef::<[u8]>::as_ref) else { continue };
        let owner = Owner {
            tenant: peer.tenant.as_deref(),
            authorities: certificates::authorities_of(peer, listeners),
        };
        let known = owners.entry(secret).or_default();
        if known.contains_key(&owner) || known.len() >= MOST_OWNERS {
            continue;
        }
        let other = known.iter().find_map(|(other, with)| owner.differs(other).map(|why| (why, *with)));
        if let Some((why, with)) = other.filter(|_| told.insert((secret, owner.clone()))) {
            root.report.risk(place, problem(peer, with, why), REMEDY);
        }
        known.insert(owner, peer);
    }
}

const REMEDY: &str =
    "give it a [[rewrite]] with a secret of its own, or both the same tenant if they may know";

fn problem(peer: &Peer, with: &Peer, why: &str) -> String {
    let same = match (&peer.rewrite, &with.rewrite) {
        (Some(own), Some(other)) if own != other => {
            format!(" (rewrite \"{own}\" has the secret of rewrite \"{other}\")")
        }
        _ => String::new(),
    };
    format!(
        "has the pseudonyms of peer \"{}\" in line {}, which is {why}{same}: both together can tell which patients are one",
        with.name, with.line
    )
}

//! What becomes of data sets.

use std::sync::Arc;

use super::some;
use crate::evidence::facts::Facts;
use crate::evidence::finding::{Finding, Place, Query, found, missing};
use crate::policy::Peer;
use crate::rewrite::{BurnedIn, ProfileSpec};
use crate::vocabulary::Cause;

/// The profile of a peer's rewrite, where both are there.
fn profile_of<'s>(facts: &Facts<'s>, peer: &Peer) -> Option<&'s ProfileSpec> {
    facts.settings.rewrites.get(peer.rewrite.as_ref()?)?.profile()
}

fn names<'p>(peers: impl Iterator<Item = &'p Arc<Peer>>) -> Vec<String> {
    peers.map(|peer| peer.name.to_string()).collect()
}

fn rewrites(facts: &Facts<'_>, key: &str) -> Vec<Place> {
    let mut used: Vec<&str> =
        facts.settings.policy.peers.iter().filter_map(|peer| peer.rewrite.as_deref()).collect();
    used.sort_unstable();
    used.dedup();
    used.into_iter().map(|name| facts.place(format!("rewrite \"{name}\"{key}"))).collect()
}

pub(in crate::evidence) fn rewrite_rules_listed(facts: &Facts<'_>) -> Finding {
    let known = &facts.settings.rewrites;
    let unknown: Vec<String> =
        facts.recorded.rewrites.iter().filter(|name| !known.contains_key(name.as_str())).cloned().collect();
    if !unknown.is_empty() {
        return missing(
            format!(
                "records of the period name rewrites that this configuration does not list: {}",
                some(&unknown)
            ),
            "choose a period in which this configuration was in force throughout",
        );
    }
    let said = match rewrites(facts, "").len() {
        0 => "no [[peer]] has a rewrite: every data set passes as it comes".to_owned(),
        count => format!(
            "data sets are changed by named rewrites alone, in use: {count}; others pass as they come"
        ),
    };
    found(said, rewrites(facts, ""), Query::events("association-closed"))
}

pub(in crate::evidence) fn deid_profile_named(facts: &Facts<'_>) -> Finding {
    let peers = &facts.settings.policy.peers;
    match names(peers.iter().filter(|peer| profile_of(facts, peer).is_some())) {
        none if none.is_empty() => missing(
            "no [[peer]] has a rewrite with a profile of PS3.15 Annex E",
            "write profile = \"basic\" in a [[rewrite]], and rewrite in the [[peer]]",
        ),
        of => found(
            format!(
                "the Basic Application Level Confidentiality Profile is applied to what passes for: {}",
                some(&of)
            ),
            rewrites(facts, ".profile"),
            Query::Conformance,
        ),
    }
}

pub(in crate::evidence) fn pixel_policy_set(facts: &Facts<'_>) -> Finding {
    let peers = &facts.settings.policy.peers;
    let profiled: Vec<_> = peers.iter().filter_map(|peer| Some((peer, profile_of(facts, peer)?))).collect();
    let passing = profiled.iter().filter(|(_, spec)| passes(spec));
    let passing = names(passing.map(|(peer, _)| *peer));
    if profiled.is_empty() || !passing.is_empty() {
        return missing(
            format!("pixels that may carry text pass, or no profile is applied: {}", some(&passing)),
            "write burned-in = \"refuse\", or \"mask\" with unmasked = \"refuse\", in the [[rewrite]]",
        );
    }
    found(
        "objects that are likely to carry burned-in text are refused, or masked",
        rewrites(facts, ".burned-in"),
        Query::Search(vec![("event", "operation".into()), ("reason", Cause::RewriteFailed.label().into())]),
    )
}

fn passes(spec: &ProfileSpec) -> bool {
    matches!(spec.burned_in, BurnedIn::Pass | BurnedIn::Mask { refuse_others: false, .. })
}

pub(in crate::evidence) fn deid_rules_per_destination(facts: &Facts<'_>) -> Finding {
    let peers = &facts.settings.policy.peers;
    let without = names(peers.iter().filter(|peer| peer.rewrite.is_none()));
    if !without.is_empty() || peers.is_empty() {
        return missing(
            format!("peers whose data sets pass as they come: {}", some(&without)),
            "write rewrite in the [[peer]], or state in your own register why nothing is to be removed",
        );
    }
    found(
        "every peer has a rewrite of its own choice",
        peers.iter().map(|peer| facts.of_peer(peer, ".rewrite")).collect(),
        Query::events("association-closed"),
    )
}

pub(in crate::evidence) fn deid_default(facts: &Facts<'_>) -> Finding {
    let peers = &facts.settings.policy.peers;
    let without = names(peers.iter().filter(|peer| profile_of(facts, peer).is_none()));
    if !without.is_empty() || peers.is_empty() {
        return missing(
            format!("peers without a profile of PS3.15 Annex E: {}", some(&without)),
            "write profile = \"basic\" in their [[rewrite]]; what is outside of the organisation, this version cannot tell",
        );
    }
    found(
        "a profile of PS3.15 Annex E is applied to what passes for every peer",
        rewrites(facts, ".profile"),
        Query::Conformance,
    )
}

pub(in crate::evidence) fn mapping_key_separate(facts: &Facts<'_>) -> Finding {
    let settings = facts.settings;
    if settings.secret_fingerprints.is_empty() {
        return missing("no [[rewrite]] has a secret", "write secret-file in the [[rewrite]]");
    }
    let mut tags: Vec<&[u8]> = settings.secret_fingerprints.values().map(AsRef::as_ref).collect();
    tags.sort_unstable();
    let shared = tags.windows(2).any(|pair| pair.first() == pair.last());
    let beside = &facts.keys_beside;
    if shared {
        return missing("two rewrites have one secret", "give each [[rewrite]] a secret of its own");
    }
    if !beside.is_empty() {
        return missing(
            format!("keys lie beside the crosswalks that they open: {}", some(beside)),
            "keep the key-file in another folder than the file of the [[crosswalk]]",
        );
    }
    let keys = settings
        .secret_fingerprints
        .keys()
        .map(|name| facts.place(format!("rewrite \"{name}\".secret-file")));
    let crosswalks =
        settings.crosswalks.keys().map(|name| facts.place(format!("crosswalk \"{name}\".key-file")));
    found(
        "each rewrite has a secret of its own, and no key lies beside what it opens",
        keys.chain(crosswalks).collect(),
        Query::Check,
    )
}

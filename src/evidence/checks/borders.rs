//! Where data go, and by which agreement.

use std::sync::Arc;

use super::some;
use crate::evidence::facts::Facts;
use crate::evidence::finding::{Finding, Place, Query, found, missing};
use crate::policy::{Agreement, Borders, Mechanism, Operation, Peer};
use crate::vocabulary::Reason;

/// Countries of concern (28 CFR 202.601), China with Hong Kong and Macau; the data of mid 2026.
const OF_CONCERN: [&str; 8] = ["CN", "HK", "MO", "CU", "IR", "KP", "RU", "VE"];

fn borders<'f>(facts: &'f Facts<'_>) -> &'f Borders {
    &facts.settings.policy.borders
}

fn places(facts: &Facts<'_>, agreements: &[&Arc<Agreement>], key: &str) -> Vec<Place> {
    agreements.iter().map(|one| facts.place(format!("agreement \"{}\".{key}", one.id))).collect()
}

/// Those of a kind that hold now.
fn held<'f>(facts: &'f Facts<'_>, is_meant: impl Fn(Mechanism) -> bool) -> Vec<&'f Arc<Agreement>> {
    let agreements = borders(facts).agreements().iter();
    agreements.filter(|one| one.holds(facts.now) && is_meant(one.mechanism)).collect()
}

fn by_agreement() -> Query {
    Query::Search(vec![("agreement", "*".into())])
}

/// Peers and upstreams of which nobody has said in which country they are.
fn nowhere(facts: &Facts<'_>) -> Option<Finding> {
    let (borders, settings) = (borders(facts), facts.settings);
    let peers = settings.policy.peers.iter().map(|peer| (&peer.name, borders.of_peers.get(&peer.name)));
    let upstreams = settings.upstreams.keys().map(|name| (name, borders.of_upstreams.get(name)));
    let of_nowhere = |(name, country): (&Arc<str>, Option<_>)| {
        (country.is_none() && borders.home.is_none()).then(|| name.to_string())
    };
    let nowhere: Vec<String> = peers.chain(upstreams).filter_map(of_nowhere).collect();
    let why = || format!("nobody has said in which country these are: {}", some(&nowhere));
    let remedy = "write country in [policy], and in each [[peer]] and [[upstream]] elsewhere";
    (!nowhere.is_empty()).then(|| missing(why(), remedy))
}

pub(in crate::evidence) fn destination_country_set(facts: &Facts<'_>) -> Finding {
    if let Some(missing) = nowhere(facts) {
        return missing;
    }
    let anywhere = |peer: &&Arc<Peer>| {
        peer.role.operations.contains(&Operation::CMove) && peer.role.move_destinations.is_none()
    };
    let peers = facts.settings.policy.peers.iter().filter(anywhere);
    let anywhere: Vec<String> = peers.map(|peer| peer.name.to_string()).collect();
    if !anywhere.is_empty() {
        return missing(
            format!("a C-MOVE may send to any AE title, which has no country, for: {}", some(&anywhere)),
            "write move-destinations in the [[role]]",
        );
    }
    let borders = borders(facts);
    let of_peers = borders.of_peers.keys().map(|name| facts.place(format!("peer \"{name}\".country")));
    let of_upstreams =
        borders.of_upstreams.keys().map(|name| facts.place(format!("upstream \"{name}\".country")));
    let home = borders.home.map(|_| facts.place("policy.country"));
    found(
        "each peer and each upstream has a country, and a route between two needs an agreement",
        home.into_iter().chain(of_peers).chain(of_upstreams).collect(),
        Query::Check,
    )
}

pub(in crate::evidence) fn destination_metadata_complete(facts: &Facts<'_>) -> Finding {
    let held = held(facts, |_| true);
    if held.is_empty() {
        return missing("no [[agreement]] holds now", "write one for each route to another country");
    }
    found(
        "each agreement names its parties, country, ground, reference, purpose and end",
        places(facts, &held, "purpose"),
        by_agreement(),
    )
}

pub(in crate::evidence) fn safeguard_ref_present(facts: &Facts<'_>) -> Finding {
    let held = held(facts, |mechanism| matches!(mechanism, Mechanism::Scc | Mechanism::Bcr));
    if held.is_empty() {
        let remedy = "write an [[agreement]] with mechanism = \"scc\" or \"bcr\", and where its text is";
        return missing("no agreement that holds now rests on clauses or binding rules", remedy);
    }
    found(
        "agreements on clauses or binding rules say where their text is",
        places(facts, &held, "reference"),
        by_agreement(),
    )
}

/// GDPR Art. 47 is about these alone.
pub(in crate::evidence) fn binding_rules_present(facts: &Facts<'_>) -> Finding {
    let held = held(facts, |mechanism| mechanism == Mechanism::Bcr);
    if held.is_empty() {
        let remedy = "where there are such rules, write an [[agreement]] with mechanism = \"bcr\", and where their text is";
        return missing("no agreement that holds now rests on binding corporate rules", remedy);
    }
    found(
        "agreements on binding corporate rules say where their text is",
        places(facts, &held, "reference"),
        by_agreement(),
    )
}

pub(in crate::evidence) fn derogation_permits_expire(facts: &Facts<'_>) -> Finding {
    let held = held(facts, |mechanism| mechanism == Mechanism::Derogation);
    if held.is_empty() {
        let remedy =
            "where one is needed, write an [[agreement]] with mechanism = \"derogation\": it has an end";
        return missing("no agreement that holds now is a derogation", remedy);
    }
    found(
        "derogations end by themselves, and their routes close",
        places(facts, &held, "until"),
        by_agreement(),
    )
}

pub(in crate::evidence) fn dsp_block_list(facts: &Facts<'_>) -> Finding {
    // What is nowhere is in no blocked country.
    if let Some(missing) = nowhere(facts) {
        return missing;
    }
    let blocked = &borders(facts).blocked;
    let is_blocked = |code: &&str| blocked.iter().any(|country| country.to_string() == **code);
    let open: Vec<String> =
        OF_CONCERN.iter().filter(|code| !is_blocked(code)).map(ToString::to_string).collect();
    if !open.is_empty() {
        let why = format!("blocked-countries leaves out countries of concern: {}", some(&open));
        return missing(why, "write them into blocked-countries of [policy]");
    }
    found(
        "routes to and from countries of concern are closed, but for an authorization",
        vec![facts.place("policy.blocked-countries")],
        Query::Search(vec![("reason", Reason::CountryBlocked.label().into())]),
    )
}

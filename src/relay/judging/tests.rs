//! A reload decides as the decision itself does, over pairs of configurations.

mod tokens;
mod users;

use std::sync::Arc;
use std::time::Instant;

use proptest::prelude::*;
use time::OffsetDateTime;

use super::judged;
use crate::config::{self, Settings};
use crate::policy::{Blocks, Facts, Peer, Verdict, decide};
use crate::relay::live::{Facts as OfAssociation, Live, Proof, Right};
use crate::scratch::Scratch;
use crate::vocabulary::Reason;
use crate::wire::AeTitle;

/// Those of one site, and of two.
const SCOPES: [&str; 2] = [
    "scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\"] }]\n",
    "scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\", \"PARIS\"] }]\n",
];

/// A configuration with two peers, each by numbers.
fn text(peers: [[u8; 4]; 2]) -> String {
    let mut text = String::from(
        "[audit]\ndirectory = \".\"\n[[listener]]\nname = \"l\"\naddress = \"127.0.0.1:0\"\nupstream = \"pacs\"\n\
         [[upstream]]\nname = \"pacs\"\naddresses = [\"127.0.0.1:104\"]\n[[upstream]]\nname = \"other\"\naddresses = [\"127.0.0.1:105\"]\n\
         [[rewrite]]\nname = \"w\"\nrules = [{ tag = \"PatientName\", action = \"empty\" }]\n",
    );
    for ([operations, calling, upstream, rewrite], name) in peers.into_iter().zip(["p", "q"]) {
        let operations = ["\"C-STORE\"", "\"C-STORE\", \"C-FIND\"", "\"all\""][usize::from(operations) % 3];
        let calling = ["*", "CT*", "MR1"][usize::from(calling) % 3];
        let scope = ["", "", SCOPES[0], SCOPES[1]][usize::from(upstream / 2) % 4];
        let upstream = ["", "upstream = \"other\"\n"][usize::from(upstream) % 2];
        let rewrite = ["", "", "rewrite = \"w\"\n"][usize::from(rewrite) % 3];
        text.push_str(&format!(
            "[[role]]\nname = \"{name}\"\noperations = [{operations}]\nsop-classes = [\"all\"]\n[[peer]]\nname = \"{name}\"\n\
             role = \"{name}\"\nnetworks = [\"127.0.0.0/8\"]\ncalling-ae-titles = [\"{calling}\"]\n{upstream}{scope}{rewrite}"
        ));
    }
    text
}

fn settings(text: &str) -> Arc<Settings> {
    let home = Scratch::new();
    let file = home.path().join("dimsegate.toml");
    std::fs::write(&file, text).unwrap();
    Arc::new(config::load(&file).unwrap().settings)
}

fn verdict(settings: &Settings, calling: &AeTitle) -> Verdict {
    let called: AeTitle = "PACS".parse().unwrap();
    let facts = Facts {
        listener: "l",
        address: "127.0.0.1".parse().unwrap(),
        certificate: None,
        tls: None,
        authorities: &[],
        user: None,
        calling: &calling.to_raw(),
        called: &called.to_raw(),
        contexts: &[],
        blocks: &Blocks::default(),
        now: OffsetDateTime::now_utc(),
    };
    decide(&settings.policy, &facts)
}

/// By how many sites they name; none is all.
fn is_as_wide(now: &Peer, before: &Peer) -> bool {
    let sites =
        |peer: &Peer| peer.scope.as_ref().map_or(usize::MAX, |scope| scope.to_string().matches(',').count());
    sites(now) >= sites(before)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_open_association_goes_on_only_where_it_would_be_let_in_to_do_all_that_it_may(
        before in any::<[[u8; 4]; 2]>(),
        after in any::<[[u8; 4]; 2]>(),
        is_same in any::<[bool; 2]>(),
        calling in prop::sample::select(&["CT1", "MR1", "XA"][..]),
    ) {
        let after = [0, 1].map(|at| if is_same[at] { before[at] } else { after[at] });
        let (old, new) = (settings(&text(before)), settings(&text(after)));
        let calling: AeTitle = calling.parse().unwrap();
        let Verdict::Allow(grant) = verdict(&old, &calling) else { return Ok(()) };
        let facts = OfAssociation {
            id: "1".into(),
            listener: "l".into(),
            peer: grant.peer.name.clone(),
            upstream: grant.upstream.clone(),
            upstream_address: "127.0.0.1:104".into(),
            from: ([127, 0, 0, 1], 4711).into(),
            calling: calling.clone(),
            called: grant.called.clone(),
            certificate: None,
            user: None,
            contexts: Default::default(),
            since: Instant::now(),
        };
        let live = Live::default();
        let alive = live.enter(facts, Right::new(old.clone(), grant.peer.clone(), grant.rights.clone(), Proof::default()));
        let lost = judged(&new, alive.entry(), None, &Blocks::default(), OffsetDateTime::now_utc());
        match verdict(&new, &calling) {
            Verdict::Refuse(refusal) => prop_assert_eq!(lost.map(|lost| lost.reason), Some(refusal.reason)),
            Verdict::Allow(now) => {
                let allows = |operation| now.peer.role.operations.contains(operation);
                let goes_on = now.peer.name == grant.peer.name
                    && grant.peer.role.operations.iter().all(allows)
                    && is_as_wide(&now.peer, &grant.peer)
                    && now.upstream == grant.upstream
                    && now.peer.rewrite == grant.peer.rewrite;
                prop_assert_eq!(lost.map(|lost| lost.reason), (!goes_on).then_some(Reason::PolicyChanged));
            }
        }
        let unchanged = judged(&old, alive.entry(), None, &Blocks::default(), OffsetDateTime::now_utc());
        prop_assert!(unchanged.is_none());
    }
}

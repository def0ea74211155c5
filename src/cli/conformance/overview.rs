//! PS3.2 A.1: which services there are, in one table.

use std::collections::{BTreeMap, BTreeSet};

use super::block::{listed, paragraph, table};
use crate::cli::audit::report::html::Html;
use crate::config::Settings;
use crate::policy::sop_class::keyword;
use crate::policy::{Operation, Peer, SopClassSet, TransferSyntaxSet};

pub(super) fn section(html: &mut Html, settings: &Settings) {
    paragraph(
        html,
        "dimsegate is a transparent proxy between requestors and archives. It accepts an association, opens the same one to an upstream, and relays every DIMSE message in both directions. It stores no object, answers no query by itself, and changes data sets by named rules, and queries and their answers by what the scope of a peer and its role say.",
    );
    table(
        html,
        "Network services: SOP classes that peers may use. The proxy is a provider to the requestor, and a user of the upstream; in sub-operations of a C-GET and in event reports the other way round.",
        ["SOP class", "UID", "user of service (SCU)", "provider of service (SCP)", "peers"],
        services(settings),
        "No peer may use any SOP class.",
    );
    table(
        html,
        "Transfer syntaxes, by peer",
        ["peer", "transfer syntaxes", "of these"],
        settings.policy.peers.iter().map(|peer| syntaxes(peer)),
        "There is no peer.",
    );
}

/// Each SOP class that some peer may use, by name where it has one.
fn services(settings: &Settings) -> Vec<[String; 5]> {
    let mut of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut any = BTreeSet::new();
    for peer in &settings.policy.peers {
        match peer.role.sop_classes.known() {
            None => _ = any.insert(&*peer.name),
            Some(known) => known.for_each(|uid| _ = of.entry(uid).or_default().insert(&peer.name)),
        }
    }
    let row = |name: &str, uid: &str, peers: BTreeSet<&str>| {
        let yes = || "yes".to_owned();
        [name.to_owned(), uid.to_owned(), yes(), yes(), listed(peers, "")]
    };
    let all = (!any.is_empty()).then(|| row("every SOP class, private ones too", "", any));
    let named =
        of.into_iter().map(|(uid, peers)| row(keyword(uid).unwrap_or("private, or not known"), uid, peers));
    all.into_iter().chain(named).collect()
}

fn syntaxes(peer: &Peer) -> [String; 3] {
    let read = match &peer.rewrite {
        Some(_) => {
            "those whose data sets can be read: the uncompressed and deflated ones, and encapsulated ones that hold their own pixels"
        }
        None => "all",
    };
    [peer.name.to_string(), transfer_syntaxes(peer), read.to_owned()]
}

/// What the peer's role lists.
pub(super) fn transfer_syntaxes(peer: &Peer) -> String {
    listed(peer.role.transfer_syntaxes.beyond(&TransferSyntaxSet::default()), "none")
}

/// What the peer's role lists, groups by their names.
pub(super) fn sop_classes(peer: &Peer) -> String {
    listed(peer.role.sop_classes.beyond(&SopClassSet::default()), "none")
}

pub(super) fn operations(peer: &Peer) -> String {
    listed(peer.role.operations.iter().map(Operation::to_string), "none")
}

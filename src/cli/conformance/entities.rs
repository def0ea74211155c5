//! PS3.2 A.4.2: association policies of the proxy, presentation contexts of each peer, and what it says by itself.

use std::sync::Arc;

use super::block::{below, listed, paragraph, table, time};
use super::overview::{operations, sop_classes, transfer_syntaxes};
use crate::cli::audit::report::html::Html;
use crate::config::{ForwardedIdentity, Limits, Settings};
use crate::policy::Peer;
use crate::upper::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME};
use crate::vocabulary::{Answer, Cause, Reason, of_rejection};

pub(super) fn section(html: &mut Html, settings: &Settings) {
    below(html, "4.2.1 Association policies: general");
    general(html, &settings.limits);
    below(html, "4.2.2 Number of associations");
    numbers(html, settings);
    below(html, "4.2.3 Asynchronous nature");
    asynchronous(html, settings);
    below(html, "4.2.4 Implementation identifying information");
    identifying(html);
    below(html, "4.2.5 Association initiation policy");
    initiation(html, settings);
    below(html, "4.2.6 Association acceptance policy");
    acceptance(html, settings);
    below(html, "4.2.7 SOP specific conformance");
    specific(html, settings);
}

fn general(html: &mut Html, limits: &Limits) {
    paragraph(
        html,
        "The DICOM standard application context (1.2.840.10008.3.1.1.1) is the only one that is accepted and proposed.",
    );
    let length = limits.max_pdu_length;
    paragraph(
        html,
        format!(
            "Maximum length of a P-DATA-TF that either side is told: {length} bytes. What the other side tells is kept to."
        ),
    );
}

fn numbers(html: &mut Html, settings: &Settings) {
    let counts = &settings.limits.counts;
    let rate =
        |rate: Option<std::num::NonZeroU32>| rate.map_or("no limit".to_owned(), |rate| rate.to_string());
    let row = |what: &str, value: String| [what.to_owned(), value];
    table(
        html,
        "Number of associations as an acceptor; each has one of the upstream as an initiator",
        ["what", "limit"],
        [
            row("simultaneous associations", counts.max_associations.to_string()),
            row("simultaneous associations of one address", counts.max_associations_per_address.to_string()),
            row(
                "connections in a minute of one address",
                counts.connections_per_minute_per_address.to_string(),
            ),
            row("associations in a minute", rate(counts.associations_per_minute)),
            row("associations in a minute of one address", rate(counts.associations_per_minute_per_address)),
        ],
        "",
    );
    let of_peers = settings.policy.peers.iter().filter(|peer| peer.max_associations.is_some());
    table(
        html,
        "Simultaneous associations of one peer",
        ["peer", "limit"],
        of_peers.map(|peer| row(&peer.name, listed(peer.max_associations, ""))),
        "No peer has a limit of its own.",
    );
}

fn asynchronous(html: &mut Html, settings: &Settings) {
    paragraph(
        html,
        "An asynchronous operations window that the requestor proposes is proposed to the upstream, and the requestor gets what the upstream grants, never more than was proposed. Without one, operations are synchronous.",
    );
    let stripped = settings.policy.peers.iter().filter(|peer| peer.strip_asynchronous_window);
    let stripped: Vec<&str> = stripped.map(|peer| &*peer.name).collect();
    if !stripped.is_empty() {
        paragraph(html, format!("No window is proposed for: {}.", stripped.join(", ")));
    }
}

fn identifying(html: &mut Html) {
    table(
        html,
        "Implementation class UID and version name",
        ["to whom", "implementation class UID", "implementation version name"],
        [
            [
                "an upstream, for a requestor",
                "as the requestor sent it",
                "as the requestor sent it, cut to 16 characters",
            ],
            ["a requestor", "as the upstream answered", "as the upstream answered, cut to 16 characters"],
            [
                "a requestor, where no presentation context was left to propose",
                "as the requestor sent it",
                "none",
            ],
            [
                "an upstream, in associations of the proxy itself",
                IMPLEMENTATION_CLASS_UID,
                IMPLEMENTATION_VERSION_NAME,
            ],
        ]
        .map(|row| row.map(str::to_owned)),
        "",
    );
}

fn initiation(html: &mut Html, settings: &Settings) {
    paragraph(
        html,
        "For each association that a peer may have, the same one is asked of the upstream, with the presentation contexts that the peer's role leaves. IDs of presentation contexts are the requestor's.",
    );
    let echoed = settings.upstreams.values().filter_map(|upstream| Some((upstream, upstream.health?)));
    table(
        html,
        "Associations of the proxy itself: Verification (1.2.840.10008.1.1) as a user, to see whether an upstream answers",
        ["upstream", "every"],
        echoed.map(|(upstream, health)| [upstream.name.to_string(), time(health.echo)]),
        "The proxy opens no association to see whether an upstream answers.",
    );
    let of_peer = |peer: &&Arc<Peer>| peer.scope.is_some() || peer.role.counts_patients();
    let peers = settings.policy.peers.iter().filter(of_peer).map(|peer| peer.name.to_string());
    // A user's own role may count whom the peer's does not.
    let has_people = settings.users.is_some() || !settings.issuers.is_empty();
    let users = (has_people && settings.policy.counts_patients())
        .then(|| "any, for users whose role has max-patients-per-day".to_owned());
    table(
        html,
        "Associations of the proxy itself: Study Root Query/Retrieve Information Model - FIND (1.2.840.10008.5.1.4.1.2.2.1) as a user, to see whether a peer may see a study, or whose it is",
        ["peer"],
        peers.chain(users).map(|who| [who]),
        "The proxy opens no association to ask about studies.",
    );
}

fn acceptance(html: &mut Html, settings: &Settings) {
    paragraph(
        html,
        "An association is accepted of a peer whose every condition holds: network, calling and called AE title, and, where the configuration says so, certificate, version of TLS, hours and proven user; where its route joins two countries, by an agreement that holds. Nobody else is accepted. The roles of a proven user and an agreement leave fewer SOP classes and operations than the table.",
    );
    table(
        html,
        "Presentation contexts that are accepted, where the upstream accepts them too",
        ["peer", "called AE titles", "SOP classes", "transfer syntaxes", "operations"],
        settings.policy.peers.iter().map(|peer| {
            let called = peer.called.as_ref().map_or("any".to_owned(), |called| listed(called, "none"));
            [peer.name.to_string(), called, sop_classes(peer), transfer_syntaxes(peer), operations(peer)]
        }),
        "There is no peer: no presentation context is accepted.",
    );
    paragraph(
        html,
        "Of each context the upstream chooses the transfer syntax, among those that the role leaves. A context that the role does not have is answered with result 1 (user-rejection). Extended negotiation: SCP/SCU role selection, SOP class extended negotiation and common extended negotiation are passed for SOP classes that are proposed, and their answers as far as they were asked for.",
    );
    table(
        html,
        "A-ASSOCIATE-RJ that the proxy sends by itself (PS3.8 9.3.4); what the upstream refuses is passed with its own result, source and reason",
        ["result, source, reason", "label", "when"],
        Reason::WORDS.iter().filter_map(|word| {
            let Answer::Rejected((result, source, reason)) = word.answer else { return None };
            let words = of_rejection(result.into(), source.into(), reason.into());
            Some([format!("{result}/{source}/{reason} {words}"), word.label.to_owned(), word.what.to_owned()])
        }),
        "",
    );
}

fn specific(html: &mut Html, settings: &Settings) {
    paragraph(
        html,
        "Messages pass with their statuses and data sets as they are, but for what a rewrite changes and for what the scope of a peer, and hide, max-answers and max-patients-per-day of a role, leave out: a query gets keys of the scope, answers outside of it and attributes that are hidden are withheld, and a query that finds more than it may ends with 0xA700. A command set is written anew from what was understood of it: the elements that PS3.7 lists for its message. The behaviour of each service class is that of the upstream.",
    );
    let rewritten = settings.policy.peers.iter().filter_map(|peer| Some((peer, peer.rewrite.as_ref()?)));
    table(
        html,
        "Whose data sets are rewritten; see 8.1",
        ["peer", "rewrite", "direction", "back to real values"],
        rewritten.map(|(peer, rewrite)| {
            let direction = match peer.rewrite_direction {
                crate::policy::RewriteDirection::Both => "both",
                crate::policy::RewriteDirection::FromPeer => "from the peer",
                crate::policy::RewriteDirection::ToPeer => "to the peer",
            };
            let back = if peer.two_way { "yes" } else { "no" };
            [peer.name.to_string(), rewrite.to_string(), direction.to_owned(), back.to_owned()]
        }),
        "No data set is rewritten.",
    );
    table(
        html,
        "Statuses (0000,0900) that the proxy gives by itself; where no number stands it depends on the service",
        ["status", "label", "when"],
        Cause::WORDS.iter().filter_map(|word| {
            let status = match word.answer {
                Answer::Status(status) => format!("0x{status:04X}"),
                Answer::StatusOfService => "of the service".to_owned(),
                _ => return None,
            };
            Some([status, word.label.to_owned(), word.what.to_owned()])
        }),
        "",
    );
    let told = settings.upstreams.values().map(|upstream| {
        let said = match upstream.user_identity {
            ForwardedIdentity::Strip => "nothing",
            ForwardedIdentity::Pass => "what the requestor sent",
            ForwardedIdentity::Replace => "the name of a proven user, as type 1",
        };
        [upstream.name.to_string(), said.to_owned()]
    });
    table(
        html,
        "User identity (PS3.7 D.3.3.7) that an upstream is told",
        ["upstream", "what"],
        told,
        "There is no upstream.",
    );
}

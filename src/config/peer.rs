//! `[[peer]]`.

use std::sync::Arc;

use super::consent::Consents;
use super::listener::Listeners;
use super::names::{NAME, Names, fit};
use super::report::{Place, Wrong, values};
use super::rewrite::Rewrites;
use super::role::Roles;
use super::section::Section;
use super::settings::{ListenerSettings, UpstreamSettings};
use super::shadow::Shadows;
use super::upstream::{Upstreams, ae_pattern};
use super::{addresses, certificates, consent, factors, scope, sharing, two_way};
use crate::identity::CertificateBinding;
use crate::policy::{Operation, Peer, RewriteDirection, Route};

/// Keys that can refuse an association.
const REFUSING: [&str; 8] = [
    "listeners",
    "networks",
    "calling-ae-titles",
    "certificates",
    "issuers",
    "called-ae-titles",
    "max-associations",
    "associations-per-minute",
];

/// What a peer may refer to.
pub(super) struct Known<'k> {
    pub listeners: &'k Listeners,
    pub upstreams: &'k Upstreams,
    pub routes: &'k [Route],
    pub roles: &'k Roles,
    pub rewrites: &'k Rewrites,
    pub consents: &'k Consents,
}

impl Known<'_> {
    /// The upstreams that a peer may be led to by one of these listeners: its own, or whichever it calls or the listener has.
    pub(super) fn led_to<'k>(
        &'k self,
        peer: &'k Peer,
        listeners: &[&'k ListenerSettings],
    ) -> Vec<&'k UpstreamSettings> {
        let led_to = || {
            let routed = self.routes.iter().map(|route| &route.upstream);
            routed.chain(listeners.iter().filter_map(|listener| listener.upstream.as_ref())).collect()
        };
        let names = peer.upstream.as_ref().map_or_else(led_to, |own| vec![own]);
        let compiled = |name| self.upstreams.compiled.get(name).map(|upstream| &**upstream);
        names.into_iter().filter_map(compiled).collect()
    }
}

pub(super) fn peers(root: &Section<'_>, known: &Known<'_>) -> Vec<Arc<Peer>> {
    let mut names = Names::of("peer", root);
    let mut peers: Vec<(Place, Arc<Peer>)> = Vec::new();
    let mut shadows = Shadows::default();
    let sections = root.tables("peer");
    if sections.is_empty() {
        let place = root.place_of("peer");
        root.report.risk(
            &place,
            "is missing, so that nobody may connect",
            "add a [[peer]] for each remote node",
        );
    }
    for section in sections {
        let name = names.define(&section);
        let place = section.place.clone();
        if name.as_deref() == Some(crate::metrics::NONE) {
            let problem = "is what metrics call whoever is no peer";
            section.report.error(&section.place_of("name"), problem, "choose another name");
        }
        if let Some(peer) = peer(&section, name, known).map(Arc::new) {
            shadowed(root, &place, &peer, &mut shadows);
            risks(root, &place, &peer);
            certificates::risks(root, &place, &peer, known.listeners);
            factors::risks(root, &place, &peer, known.listeners);
            if peer.scope.is_some() || peer.role.counts_patients() {
                let upstreams = known.led_to(&peer, &known.listeners.usable_by(&peer));
                scope::risks(root, &place, &peer, &upstreams);
            }
            consent::risks(root, &place, &peer, known.consents);
            two_way::risks(root, &place, &peer, known.rewrites);
            peers.push((place, peer));
        }
    }
    sharing::risks(root, &peers, known.rewrites, known.listeners);
    peers.into_iter().map(|(_, peer)| peer).collect()
}

fn peer(section: &Section<'_>, name: Option<Arc<str>>, known: &Known<'_>) -> Option<Peer> {
    let before = section.report.errors();
    section.require(&[
        NAME,
        ("networks", "list where it comes from, as in [\"203.0.113.0/24\"]"),
        ("calling-ae-titles", "list what it calls itself, as in [\"LYON_CT*\"]"),
        ("role", "name the [[role]] that says what it may do"),
    ]);
    let listeners = known.listeners.names.refer_all(section, "listeners").map(values);
    let networks = section.list("networks", addresses::network).map(values);
    let calling = section.list("calling-ae-titles", ae_pattern).map(values);
    let called = section.list("called-ae-titles", ae_pattern).map(values);
    let certificates = section.list("certificates", binding).map(values);
    let issuers = section.list("issuers", binding).map(values);
    let upstream = known.upstreams.names.refer(section, "upstream").map(|name| name.value);
    let role = known.roles.names.refer(section, "role");
    let rewrite = known.rewrites.names.refer(section, "rewrite").map(|name| name.value);
    let rewrite_direction = rewrite_direction(section, rewrite.is_some());
    let two_way = two_way::wanted(section, rewrite.as_ref(), rewrite_direction, known.rewrites);
    let tenant = section.parsed("tenant", fit).map(|tenant| tenant.value);
    nameless_tenant(section, rewrite.as_ref(), known.rewrites);
    let role = role.and_then(|role| known.roles.compiled.get(&role.value).cloned());
    let count = |key| section.count(key, 1..=1_000_000);
    let strip_asynchronous_window = section.flag("strip-asynchronous-window").unwrap_or(false);
    let response_timeout = section.optional_duration("response-timeout");
    let max_associations = count("max-associations");
    let associations_per_minute = count("associations-per-minute");
    let operations_per_second = count("operations-per-second");
    let bytes_per_second = section.size("bytes-per-second", 1024..=1 << 40);
    let scope = scope::scope(section);
    let consent = consent::wanted(section, known.consents);
    if two_way && rewrite_direction == RewriteDirection::FromPeer {
        scope::refuse_pseudonyms(section);
        consent::refuse_pseudonyms(section, role.as_deref());
    }
    let is_sound = section.report.errors() == before;
    role.filter(|_| is_sound).map(|role| Peer {
        name: name.unwrap_or_default(),
        line: section.line(),
        keys: section.lines_of(&REFUSING),
        listeners,
        networks: networks.unwrap_or_default(),
        calling: calling.unwrap_or_default(),
        certificates,
        issuers,
        called,
        upstream,
        rewrite_direction,
        two_way,
        rewrite,
        tenant,
        strip_asynchronous_window,
        response_timeout,
        max_associations,
        associations_per_minute,
        operations_per_second,
        bytes_per_second,
        scope,
        consent,
        role,
    })
}

/// Values that name the tenant need one.
fn nameless_tenant(section: &Section<'_>, rewrite: Option<&Arc<str>>, rewrites: &Rewrites) {
    let ruleset = rewrite.and_then(|rewrite| rewrites.compiled.get(rewrite));
    if ruleset.is_some_and(|ruleset| ruleset.needs_tenant()) && !section.has("tenant") {
        let place = section.place_of("rewrite");
        section.report.error(
            &place,
            "writes {tenant}, and this peer has none",
            "add tenant = \"…\" to the peer",
        );
    }
}

fn rewrite_direction(section: &Section<'_>, rewrites: bool) -> RewriteDirection {
    let choices = [
        ("both", RewriteDirection::Both),
        ("from-peer", RewriteDirection::FromPeer),
        ("to-peer", RewriteDirection::ToPeer),
    ];
    if section.has("rewrite-direction") && !rewrites && !section.has("rewrite") {
        let place = section.place_of("rewrite-direction");
        section.report.risk(&place, "has no effect without a rewrite", "add rewrite = \"…\", or remove it");
    }
    section.choice("rewrite-direction", &choices).unwrap_or_default()
}

pub(super) fn binding(text: &str) -> Result<CertificateBinding, Wrong> {
    text.parse::<CertificateBinding>().map_err(|error| Wrong::new(error.to_string(), ""))
}

fn shadowed(root: &Section<'_>, place: &Place, peer: &Arc<Peer>, shadows: &mut Shadows) {
    if let Some(wider) = shadows.covering(peer) {
        let problem =
            format!("never decides: peer \"{}\" in line {} always matches first", wider.name, wider.line);
        root.report.risk(place, problem, "put the narrower peer first, or narrow the other");
    }
}

fn risks(root: &Section<'_>, place: &Place, peer: &Peer) {
    let any_network = peer.networks.iter().any(|network| network.prefix_len() == 0);
    let any_title = peer.calling.iter().any(|pattern| pattern.is_any());
    if any_network && any_title && peer.certificates.is_none() && peer.issuers.is_none() {
        let remedy = "narrow networks or calling-ae-titles, or bind it to certificates";
        root.report.risk(place, "lets any AE title in from any network", remedy);
    }
    unrewritten(root, place, peer);
}

/// Rules see what C-STOREs carry. Queries, procedure steps and what a C-MOVE sends elsewhere are not among it.
fn unrewritten(root: &Section<'_>, place: &Place, peer: &Peer) {
    use Operation::{CFind, CMove, NAction, NCreate, NEventReport, NGet, NSet};
    let other = [CFind, CMove, NCreate, NSet, NGet, NAction, NEventReport];
    let passed = other.iter().filter(|operation| peer.role.operations.contains(operation));
    let passed: Vec<&str> = passed.map(|operation| operation.name()).collect();
    if peer.rewrite.is_some() && !peer.two_way && !passed.is_empty() {
        let problem =
            format!("rewrites only what C-STOREs carry, and its role also allows {}", passed.join(", "));
        let remedy =
            "write two-way = true, or give it a role without them, if what they carry must not pass as it is";
        root.report.risk(place, problem, remedy);
    }
}

//! User identities that a listener lets through as claims, against where they then go.

use std::net::SocketAddr;
use std::sync::Arc;

use super::peer::Known;
use super::section::Section;
use super::settings::{ForwardedIdentity, ListenerSettings};
use super::user_identity::PASS;
use crate::policy::Peer;

/// Tells of listeners whose tickets and assertions go nowhere, or where somebody can read along.
pub(super) fn risks(root: &Section<'_>, known: &Known<'_>, peers: &[Arc<Peer>]) {
    for section in root.tables("listener") {
        let passes = |one: &&ListenerSettings| Some(&*one.name) == section.called() && one.passes_any();
        let Some(listener) = known.listeners.compiled.iter().find(passes) else { continue };
        let comes =
            |peer: &&Arc<Peer>| peer.listeners.as_ref().is_none_or(|names| names.contains(&listener.name));
        let upstreams = peers.iter().filter(comes).flat_map(|peer| known.led_to(peer, &[listener]));
        let passing: Vec<_> = upstreams.filter(|one| one.user_identity == ForwardedIdentity::Pass).collect();
        let place = section.place_of(PASS);
        if passing.is_empty() {
            let problem = "lets in claims that end here: no upstream behind it has user-identity = \"pass\"";
            let remedy = "write user-identity = \"pass\" in that [[upstream]], or remove it";
            section.report.risk(&place, problem, remedy);
        }
        if let Some(open) = passing.iter().find(|one| one.tls.is_none() && !is_here(&one.addresses)) {
            let problem = format!("goes on in clear: upstream \"{}\" has no TLS", open.name);
            section.report.risk(&place, problem, "add an [upstream.tls]");
        }
    }
}

/// Whether nothing leaves this machine.
fn is_here(addresses: &[String]) -> bool {
    let is_loopback = |text: &String| {
        text.parse::<SocketAddr>().is_ok_and(|address| address.ip().to_canonical().is_loopback())
    };
    addresses.iter().all(is_loopback)
}

//! Who is let in, for how long, and who may administer.

use std::time::Duration;

use super::some;
use crate::config::{AdminListen, holds_everybody};
use crate::evidence::facts::Facts;
use crate::evidence::finding::{Finding, Query, found, missing};
use crate::policy::Peer;
use crate::tls::ClientAuthentication;

/// Longer than that an association that does nothing is no longer ended soon; a bound of our own.
const LONGEST_IDLE: Duration = Duration::from_secs(3600);
const ARRIVALS: &str = "association-opened,association-rejected,connection-refused";

pub(in crate::evidence) fn allowlist_nonempty(facts: &Facts<'_>) -> Finding {
    let peers = &facts.settings.policy.peers;
    match peers.len() {
        0 => missing("the configuration has no [[peer]]", "write one for each requestor that may come"),
        count => found(
            format!("peers are listed by network, AE title and, where they say so, certificate: {count}"),
            peers.iter().map(|peer| facts.of_peer(peer, "")).collect(),
            Query::events(ARRIVALS),
        ),
    }
}

/// Who matches no peer is refused, whatever the configuration says; a peer that anybody matches undoes that.
pub(in crate::evidence) fn default_deny(facts: &Facts<'_>) -> Finding {
    let peers = &facts.settings.policy.peers;
    let open: Vec<String> =
        peers.iter().filter(|peer| admits_anybody(facts, peer)).map(|peer| peer.name.to_string()).collect();
    if !open.is_empty() {
        return missing(
            format!("anybody is let in as {}: any address, any AE title, no certificate", some(&open)),
            "narrow networks or calling-ae-titles of the [[peer]], or let its listener require certificates",
        );
    }
    found(
        "whoever matches no [[peer]] is refused, and no [[peer]] is open to everybody",
        peers.iter().map(|peer| facts.of_peer(peer, ".networks")).collect(),
        Query::events("association-rejected,connection-refused"),
    )
}

fn admits_anybody(facts: &Facts<'_>, peer: &Peer) -> bool {
    let proves = |listener: &crate::config::ListenerSettings| {
        let tls = listener.tls.as_ref().map(|tls| tls.settings.client_authentication);
        tls == Some(ClientAuthentication::Required)
    };
    let mut listeners = facts.settings.listeners.iter().filter(|one| peer.uses_listener(&one.name));
    holds_everybody(&peer.networks)
        && peer.calling.iter().any(|pattern| pattern.to_string() == "*")
        && peer.certificates.is_none()
        && listeners.any(|listener| !proves(listener))
}

pub(in crate::evidence) fn idle_timeout_set(facts: &Facts<'_>) -> Finding {
    let idle = facts.settings.limits.idle_timeout;
    if idle > LONGEST_IDLE {
        return missing(
            format!("an association that does nothing ends after {} s only", idle.as_secs()),
            "write idle-timeout = \"1h\" or less in [limits]; the bound is our own",
        );
    }
    found(
        format!("an association that does nothing ends after {} s", idle.as_secs()),
        vec![facts.place("limits.idle-timeout")],
        Query::Search(vec![("event", "association-closed".into()), ("outcome", "ended=timeout".into())]),
    )
}

pub(in crate::evidence) fn admin_loopback(facts: &Facts<'_>) -> Finding {
    let query = Query::events("administration");
    let Some(admin) = &facts.settings.admin else {
        return found("there is no administration interface", Vec::new(), query);
    };
    let is_far =
        |listen: &AdminListen| matches!(listen, AdminListen::Tcp(address) if !address.ip().is_loopback());
    let requires =
        |tls: &crate::config::ServerTls| tls.settings.client_authentication == ClientAuthentication::Required;
    if admin.listen.iter().any(is_far) && !admin.tls.as_ref().is_some_and(requires) {
        return missing(
            "the administration interface is reached from other machines without a certificate",
            "let [admin] listen on a Unix socket or a loopback address, or let [admin.tls] require certificates",
        );
    }
    found(
        "the administration interface is reached on this machine, or with a certificate of its own",
        vec![facts.place("admin.listen")],
        query,
    )
}

pub(in crate::evidence) fn rule_review_dates(facts: &Facts<'_>) -> Finding {
    match facts.recorded.readings.get("review") {
        Some(times) => found(
            format!("the access of peers and users was reviewed in the period, times: {times}"),
            Vec::new(),
            Query::events("audit-log-used"),
        ),
        None => missing(
            "no access review is among the records of the period",
            "run dimsegate review -c FILE on the machine of the proxy: who did so, and when, becomes a record",
        ),
    }
}

//! What protects data on their way, and the keys that do.

use std::net::IpAddr;

use super::some;
use crate::config::{ListenerSettings, UpstreamSettings};
use crate::evidence::facts::Facts;
use crate::evidence::finding::{Finding, Query, found, missing};
use crate::tls::Profile;

const OPENED: &str = "association-opened";

/// Plain TCP that other machines can see.
fn is_plain_listener(listener: &ListenerSettings) -> bool {
    listener.tls.is_none() && !listener.address.ip().is_loopback()
}

/// As [`is_plain_listener`].
fn is_plain_upstream(upstream: &UpstreamSettings) -> bool {
    upstream.tls.is_none() && !upstream.addresses.iter().all(|address| is_here(address))
}

/// Whether `host:port` is on this machine.
fn is_here(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn plain_listeners(facts: &Facts<'_>) -> Vec<String> {
    facts
        .settings
        .listeners
        .iter()
        .filter(|one| is_plain_listener(one))
        .map(|one| one.name.to_string())
        .collect()
}

fn plain_upstreams(facts: &Facts<'_>) -> Vec<String> {
    facts
        .settings
        .upstreams
        .values()
        .filter(|one| is_plain_upstream(one))
        .map(|one| one.name.to_string())
        .collect()
}

pub(in crate::evidence) fn no_plain_listener(facts: &Facts<'_>) -> Finding {
    let plain = plain_listeners(facts);
    if !plain.is_empty() {
        return missing(
            format!("listeners without TLS that other machines can reach: {}", some(&plain)),
            "write [listener.tls], or let the listener be on a loopback address",
        );
    }
    let came = facts.recorded.plain;
    if came > 0 && facts.settings.listeners.iter().all(|one| one.tls.is_some()) {
        return missing(
            format!("records of the period tell of associations over plain TCP: {came}"),
            "choose a period in which this configuration was in force throughout",
        );
    }
    found(
        "every listener has TLS, or is reached on this machine alone",
        facts.settings.listeners.iter().map(|one| facts.of_listener(one, ".tls")).collect(),
        Query::events(OPENED),
    )
}

pub(in crate::evidence) fn upstream_tls(facts: &Facts<'_>) -> Finding {
    let plain = plain_upstreams(facts);
    if !plain.is_empty() || facts.settings.upstreams.is_empty() {
        return missing(
            format!("upstreams without TLS on other machines: {}", some(&plain)),
            "write [upstream.tls], or state why the network between is protected otherwise",
        );
    }
    found(
        "every upstream has TLS, or is on this machine",
        facts.settings.upstreams.values().map(|one| facts.of_upstream(one, ".tls")).collect(),
        Query::events(OPENED),
    )
}

/// BCP 195 and AEAD suites are all that dimsegate offers; so what may be missing is TLS.
pub(in crate::evidence) fn tls_profile(facts: &Facts<'_>) -> Finding {
    let plain: Vec<String> = plain_listeners(facts).into_iter().chain(plain_upstreams(facts)).collect();
    let server = |one: &ListenerSettings| one.tls.as_ref().map(|tls| tls.settings.profile);
    let servers: Vec<Profile> = facts.settings.listeners.iter().filter_map(|one| server(one)).collect();
    if servers.is_empty() {
        return missing("no listener has TLS", "write [listener.tls]");
    }
    let client = |one: &UpstreamSettings| one.tls.as_ref().map(|tls| tls.settings.profile);
    let clients: Vec<Profile> = facts.settings.upstreams.values().filter_map(|one| client(one)).collect();
    if !plain.is_empty() {
        return missing(
            format!("listeners and upstreams without TLS, beyond this machine: {}", some(&plain)),
            "write [listener.tls] and [upstream.tls]",
        );
    }
    // What takes TLS 1.3 only is within BCP 195, and not the profile of PS3.15, which asks for 1.2 too.
    let versions = match (servers.iter().chain(&clients)).any(|profile| *profile == Profile::Tls13) {
        true => "BCP 195, of some or all legs with TLS 1.3 only (PS3.15 B.12 asks for 1.2 too)",
        false => "BCP 195 TLS profile (PS3.15 B.12): TLS 1.2 and 1.3",
    };
    let listeners = facts.settings.listeners.iter().filter(|one| one.tls.is_some());
    let upstreams = facts.settings.upstreams.values().filter(|one| one.tls.is_some());
    found(
        format!("{versions}, suites with AEAD and forward secrecy alone"),
        listeners
            .map(|one| facts.of_listener(one, ".tls.profile"))
            .chain(upstreams.map(|one| facts.of_upstream(one, ".tls.profile")))
            .collect(),
        Query::Conformance,
    )
}

pub(in crate::evidence) fn self_test_recent(facts: &Facts<'_>) -> Finding {
    let without: Vec<String> = facts
        .settings
        .upstreams
        .values()
        .filter(|one| one.health.is_none())
        .map(|one| one.name.to_string())
        .collect();
    if !without.is_empty() || facts.settings.upstreams.is_empty() {
        return missing(
            format!("upstreams that no C-ECHO tries again and again: {}", some(&without)),
            "write [upstream.health]",
        );
    }
    found(
        "C-ECHOs try every upstream again and again; they show that it answers, and nothing else",
        facts.settings.upstreams.values().map(|one| facts.of_upstream(one, ".health")).collect(),
        Query::Search(vec![("event", "security-alert".into()), ("reason", "upstream-*".into())]),
    )
}

pub(in crate::evidence) fn key_file_permissions(facts: &Facts<'_>) -> Finding {
    let loose: Vec<String> = facts.loose_keys.iter().map(|file| file.display().to_string()).collect();
    if !loose.is_empty() {
        return missing(
            format!("files of keys that others than their owner may read: {}", some(&loose)),
            "chmod 600 them",
        );
    }
    let listeners = facts.settings.listeners.iter().filter(|one| one.tls.is_some());
    found(
        "files of keys, passphrases and users can be read by their owner alone; passcodes are kept as argon2id",
        listeners.map(|one| facts.of_listener(one, ".tls.private-key")).collect(),
        Query::Check,
    )
}

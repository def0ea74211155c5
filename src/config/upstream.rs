//! `[[upstream]]` and `[[route]]`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::addresses;
use super::names::{NAME, Names};
use super::report::{Located, Wrong, values};
use super::section::Section;
use super::settings::{Balance, ForwardedIdentity, Health, UpstreamSettings};
use super::shadow::ShadowedRoutes;
use super::tls;
use crate::policy::{AePattern, Route};
use crate::wire::AeTitle;

#[derive(Default)]
pub(super) struct Upstreams {
    pub names: Names,
    pub compiled: BTreeMap<Arc<str>, Arc<UpstreamSettings>>,
    /// Of all of them.
    pub addresses: Vec<Located<String>>,
}

pub(super) fn upstreams(root: &Section<'_>) -> Upstreams {
    let mut upstreams = Upstreams { names: Names::of("upstream", root), ..Upstreams::default() };
    for section in root.tables("upstream") {
        let name = upstreams.names.define(&section);
        let addresses = section.list("addresses", addresses::host_and_port).unwrap_or_default();
        upstreams.addresses.extend(addresses.iter().cloned());
        if let Some(upstream) = upstream(&section, name, values(addresses)) {
            upstreams.compiled.insert(upstream.name.clone(), Arc::new(upstream));
        }
    }
    upstreams
}

fn upstream(
    section: &Section<'_>,
    name: Option<Arc<str>>,
    addresses: Vec<String>,
) -> Option<UpstreamSettings> {
    section.require(&[NAME, ("addresses", "list where it listens, as in [\"10.0.0.5:104\"]")]);
    let called_ae_title = section.parsed("called-ae-title", ae_title).map(|title| title.value);
    let calling_ae_title = section.parsed("calling-ae-title", ae_title).map(|title| title.value);
    let connect_timeout = section.duration("connect-timeout", Duration::from_secs(5));
    let wait = section.duration_or_zero("wait", Duration::from_secs(5));
    let response_timeout = section.optional_duration("response-timeout");
    let user_identity = section.choice("user-identity", &ForwardedIdentity::ALL).unwrap_or_default();
    let balance = balance(section, &addresses);
    let health = section.table("health").map(|table| health(&table));
    if health.is_some() && called_ae_title.is_none() {
        let problem = "asks for an association with DIMSEGATE, since the upstream has no AE title of its own here: many refuse that, \
                       and a refusal counts as up";
        let remedy = "write the AE title of the upstream as called-ae-title";
        section.report.risk(&section.place_of("health"), problem, remedy);
    }
    let resolve = section.duration("resolve", Duration::from_secs(30));
    if section.has("resolve") && !addresses.is_empty() && addresses.iter().all(|one| is_written_out(one)) {
        let remedy = "remove it, or write names in addresses";
        section.report.risk(&section.place_of("resolve"), "has no effect: no address is a name", remedy);
    }
    let send_proxy_protocol = section.choice("send-proxy-protocol", &[("v2", true), ("off", false)]);
    let tls = section.table("tls").map(|table| tls::client(&table, &addresses));
    let line = section.line();
    let tls = match tls {
        Some(built) => Some(built?),
        None => None,
    };
    let name = name?;
    Some(UpstreamSettings {
        name,
        addresses,
        called_ae_title,
        calling_ae_title,
        connect_timeout,
        wait,
        response_timeout,
        balance,
        health,
        resolve,
        send_proxy_protocol: send_proxy_protocol.unwrap_or(false),
        user_identity,
        tls,
        line,
    })
}

fn balance(section: &Section<'_>, addresses: &[String]) -> Balance {
    use Balance::{Failover, LeastAssociations, RoundRobin};
    let chosen = section.choice("balance", &Balance::ALL).unwrap_or(Failover);
    if let ([one], RoundRobin | LeastAssociations) = (addresses, chosen)
        && is_written_out(one)
    {
        let remedy = "list the others in addresses, or remove it";
        section.report.risk(&section.place_of("balance"), "has no effect with one address", remedy);
    }
    chosen
}

/// Whether it is no name, which may stand for several.
fn is_written_out(address: &str) -> bool {
    address.parse::<SocketAddr>().is_ok()
}

/// A PACS logs each association; many a one keeps that log for ever.
const SHORTEST_CHECK: Duration = Duration::from_secs(5);

fn health(section: &Section<'_>) -> Health {
    let echo = section.duration("echo", Duration::from_secs(30));
    let rise = section.count("rise", 1..=100).unwrap_or(2);
    let fall = section.count("fall", 1..=100).unwrap_or(3);
    if echo < SHORTEST_CHECK {
        let problem = "asks every address for an association more often than every 5 seconds";
        section.report.risk(&section.place_of("echo"), problem, "write a longer time, as in \"30s\"");
    }
    if fall == 1 {
        let problem = "lets one C-ECHO that is lost take an address out of service";
        section.report.risk(&section.place_of("fall"), problem, "write 2 or more");
    }
    Health { echo, rise, fall }
}

pub(super) fn routes(root: &Section<'_>, upstreams: &Names) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    let mut shadows = ShadowedRoutes::default();
    for section in root.tables("route") {
        section.require(&[
            ("called-ae-title", "write the AE title that requestors call"),
            ("upstream", "name the [[upstream]] that it leads to"),
        ]);
        let called = section.parsed("called-ae-title", ae_pattern);
        let upstream = upstreams.refer(&section, "upstream");
        let line = section.line();
        let (Some(called), Some(upstream)) = (called, upstream) else { continue };
        let route = Route { called: called.value, upstream: upstream.value, line };
        if let Some(earlier) = shadows.covering(&route) {
            let problem = format!("never matches: the route in line {earlier} takes it");
            section.report.risk(&called.place, problem, "put the narrower route first");
        }
        routes.push(route);
    }
    routes
}

pub(super) fn ae_title(text: &str) -> Result<AeTitle, Wrong> {
    let remedy = "write 1 to 16 printable characters without a backslash";
    text.parse::<AeTitle>().map_err(|error| Wrong::new(format!("is no AE title: {error}"), remedy))
}

pub(super) fn ae_pattern(text: &str) -> Result<AePattern, Wrong> {
    let remedy = "write an AE title, in which * stands for any characters and ? for one";
    text.parse::<AePattern>().map_err(|error| Wrong::new(format!("{text:?} {error}"), remedy))
}

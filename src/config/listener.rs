//! `[[listener]]`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use super::names::{NAME, Names};
use super::report::{Wrong, values};
use super::section::Section;
use super::settings::ListenerSettings;
use super::{addresses, tls, user_identity};
use crate::policy::Peer;

#[derive(Default)]
pub(super) struct Listeners {
    pub names: Names,
    pub compiled: Vec<ListenerSettings>,
    /// Where each is in `compiled`.
    by_name: BTreeMap<Arc<str>, usize>,
    by_address: BTreeMap<SocketAddr, usize>,
}

impl Listeners {
    /// Those that a peer may use, in the order of the file.
    pub(super) fn usable_by(&self, peer: &Peer) -> Vec<&ListenerSettings> {
        let Some(names) = &peer.listeners else { return self.compiled.iter().collect() };
        let named: BTreeSet<usize> =
            names.iter().filter_map(|name| self.by_name.get(name).copied()).collect();
        named.into_iter().filter_map(|at| self.compiled.get(at)).collect()
    }

    fn enter(&mut self, listener: ListenerSettings) {
        let at = self.compiled.len();
        self.by_name.insert(listener.name.clone(), at);
        self.by_address.insert(listener.address, at);
        self.compiled.push(listener);
    }

    fn at(&self, address: &SocketAddr) -> Option<&ListenerSettings> {
        self.compiled.get(*self.by_address.get(address)?)
    }
}

pub(super) fn listeners(root: &Section<'_>, upstreams: &Names) -> Listeners {
    let mut listeners = Listeners { names: Names::of("listener", root), ..Listeners::default() };
    let sections = root.tables("listener");
    if sections.is_empty() && !root.has("listener") && !root.report.lacks("[[listener]]") {
        let remedy = "add a [[listener]] with a name, an address and an upstream";
        root.report.error(&root.place_of("listener"), "is missing", remedy);
    }
    let has_users = root.has("users") || root.has("issuer");
    for section in sections {
        let name = listeners.names.define(&section);
        if let Some(listener) = listener(&section, name, (upstreams, has_users), &listeners) {
            listeners.enter(listener);
        }
    }
    listeners
}

fn listener(
    section: &Section<'_>,
    name: Option<Arc<str>>,
    (upstreams, has_users): (&Names, bool),
    earlier: &Listeners,
) -> Option<ListenerSettings> {
    section.require(&[NAME, ("address", "write where to listen, as in \"0.0.0.0:2762\"")]);
    let address = section.parsed("address", |text| free_address(text, earlier));
    let upstream = upstreams.refer(section, "upstream").map(|name| name.value);
    let balancers = section.strings_or_none("proxy-protocol-from").unwrap_or_default();
    let proxy_protocol_from = values(section.parse_all(balancers, addresses::network));
    if addresses::holds_everybody(&proxy_protocol_from) {
        let problem = "lets whoever connects say which address it comes from";
        let remedy = "list the addresses of the load balancers only";
        section.report.risk(&section.place_of("proxy-protocol-from"), problem, remedy);
    }
    let monitors = section.strings_or_none("health-checks-from").unwrap_or_default();
    let health_checks_from = values(section.parse_all(monitors, addresses::network));
    if addresses::holds_everybody(&health_checks_from) {
        let problem = "keeps whoever looks at the port, and asks for nothing, out of the records";
        let remedy = "list the addresses of the monitors only";
        section.report.risk(&section.place_of("health-checks-from"), problem, remedy);
    }
    let user_identity = user_identity::of_listener(section, has_users);
    let passed_identities = user_identity::passed(section, user_identity);
    let has_tls = section.has("tls");
    let tls = section.table("tls").and_then(|table| tls::server(&table));
    if let Some(address) = &address
        && !has_tls
        && !address.value.ip().to_canonical().is_loopback()
    {
        let problem = format!("{} is plain DICOM for every machine that reaches it", address.value);
        section.report.risk(&address.place, problem, "add a [listener.tls], or listen on a loopback address");
    }
    let line = section.line();
    if has_tls && tls.is_none() {
        return None;
    }
    Some(ListenerSettings {
        name: name?,
        address: address?.value,
        upstream,
        proxy_protocol_from,
        health_checks_from,
        user_identity,
        passed_identities,
        tls,
        line,
        shared: None,
    })
}

fn free_address(text: &str, earlier: &Listeners) -> Result<SocketAddr, Wrong> {
    let remedy = "write an address and a port, as in \"0.0.0.0:2762\" or \"[::]:2762\"";
    let wrong = |_| Wrong::new(format!("{text:?} is not an address with a port"), remedy);
    let address = text.parse::<SocketAddr>().map_err(wrong)?;
    match earlier.at(&address).filter(|_| address.port() != 0) {
        Some(taken) => {
            let problem = format!("{address} is taken by listener \"{}\" in line {}", taken.name, taken.line);
            Err(Wrong::new(problem, "give each listener its own address or port"))
        }
        None => Ok(address),
    }
}

//! `[[listener]]`.

use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::names::Names;
use super::report::Wrong;
use super::section::Section;
use super::settings::ListenerSettings;
use super::upstream::values;
use super::{addresses, tls};

#[derive(Default)]
pub(super) struct Listeners {
    pub names: Names,
    pub compiled: Vec<ListenerSettings>,
}

pub(super) fn listeners(root: &Section<'_>, upstreams: &Names) -> Listeners {
    let mut listeners = Listeners::default();
    let sections = root.tables("listener");
    if sections.is_empty() {
        root.missing("listener", "add a [[listener]] with a name, an address and an upstream");
    }
    for section in sections {
        let name = listeners.names.define(&section);
        if let Some(listener) = listener(section, name, upstreams, &listeners.compiled) {
            listeners.compiled.push(listener);
        }
    }
    listeners
}

fn listener(
    section: Section<'_>,
    name: Option<Arc<str>>,
    upstreams: &Names,
    earlier: &[ListenerSettings],
) -> Option<ListenerSettings> {
    if !section.has("address") {
        section.missing("address", "write where to listen, as in \"0.0.0.0:2762\"");
    }
    let address = section.parsed("address", |text| free_address(text, earlier));
    let upstream = upstreams.refer(&section, "upstream", "upstream").map(|name| name.value);
    let balancers = section.strings_or_none("proxy-protocol-from").unwrap_or_default();
    let proxy_protocol_from = values(section.parse_all(balancers, addresses::network));
    believes_everybody(&section, &proxy_protocol_from);
    let monitors = section.strings_or_none("health-checks-from").unwrap_or_default();
    let health_checks_from = values(section.parse_all(monitors, addresses::network));
    let has_tls = section.has("tls");
    let tls = section.table("tls").and_then(tls::server);
    if let Some(address) = &address
        && !has_tls
        && !address.value.ip().to_canonical().is_loopback()
    {
        let problem = format!("{} is plain DICOM for every machine that reaches it", address.value);
        section.report.risk(&address.place, problem, "add a [listener.tls], or listen on a loopback address");
    }
    let line = section.line();
    section.finish();
    if has_tls && tls.is_none() {
        return None;
    }
    Some(ListenerSettings {
        name: name?,
        address: address?.value,
        upstream,
        proxy_protocol_from,
        health_checks_from,
        tls,
        line,
    })
}

/// Every address of a family, in one network or in several.
fn believes_everybody(section: &Section<'_>, believed: &[IpNet]) {
    if IpNet::aggregate(&believed.to_vec()).iter().any(|network| network.prefix_len() == 0) {
        let problem = "lets whoever connects say which address it comes from";
        let remedy = "list the addresses of the load balancers only";
        section.report.risk(&section.place_of("proxy-protocol-from"), problem, remedy);
    }
}

fn free_address(text: &str, earlier: &[ListenerSettings]) -> Result<SocketAddr, Wrong> {
    let remedy = "write an address and a port, as in \"0.0.0.0:2762\" or \"[::]:2762\"";
    let wrong = |_| Wrong::new(format!("{text:?} is not an address with a port"), remedy);
    let address = text.parse::<SocketAddr>().map_err(wrong)?;
    match earlier.iter().find(|listener| listener.address == address && address.port() != 0) {
        Some(taken) => {
            let problem = format!("{address} is taken by listener \"{}\" in line {}", taken.name, taken.line);
            Err(Wrong::new(problem, "give each listener its own address or port"))
        }
        None => Ok(address),
    }
}

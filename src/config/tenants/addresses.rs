//! Listeners of several tenants at one address: which tenant a connection there belongs to follows from the server name that
//! it asks for, or else from the CA that the chain of its certificate ends at.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::super::diagnostic::Diagnostic;
use super::super::report::Place;
use super::super::section::Section;
use super::super::settings::{Lead, ListenerSettings, ServerTls, Shared, UserIdentity};
use super::compiling::{Compiled, problem};
use super::split::Part;
use super::table::Named;
use crate::tls::{self, ClientAuthentication};

/// A listener of a tenant, at an address that others have, too.
struct Guest<'c> {
    compiled: &'c Compiled,
    part: &'c Part,
    listener: &'c Arc<ListenerSettings>,
}

impl Guest<'_> {
    /// Whether its certificates tell whose a connection is.
    fn is_told_by_authority(&self) -> bool {
        let tls = self.listener.tls.as_ref();
        tls.is_some_and(|tls| tls.settings.client_authentication == ClientAuthentication::Required)
    }

    /// Whether a CA of the one signed a CA of the other.
    fn is_related_to(&self, other: &Self) -> bool {
        let trust = |guest: &Self| guest.listener.tls.as_ref().and_then(|tls| tls.built.trust.clone());
        let both = trust(self).zip(trust(other));
        both.is_some_and(|(own, other)| own.is_signed_by(&other) || other.is_signed_by(&own))
    }

    fn trusted(&self) -> BTreeSet<String> {
        let trust = self.listener.tls.as_ref().and_then(|tls| tls.built.trust.as_deref());
        let signing = trust.into_iter().flat_map(|trust| trust.signing());
        let keys = signing.map(|certificate| certificate.key_fingerprint.clone());
        let pinned = trust.into_iter().flat_map(|trust| trust.pinned()).map(ToString::to_string);
        keys.chain(pinned).collect()
    }
}

/// The listeners of the machine: one for each address that several tenants have.
///
/// # Errors
/// What of them would let one reach another, or leave a connection without a tenant.
pub(super) fn shared(
    path: &Path,
    all: &[Compiled],
    parts: &[Part],
) -> Result<Vec<ListenerSettings>, Vec<Diagnostic>> {
    let mut problems = server_names(path, parts);
    let mut at: BTreeMap<SocketAddr, Vec<Guest<'_>>> = BTreeMap::new();
    for compiled in all {
        let part = parts.iter().find(|part| Some(&part.name) == compiled.name.as_ref());
        let (Some(part), listeners) = (part, &compiled.settings.listeners) else { continue };
        // Each that lets the system choose gets a port of its own.
        for listener in listeners.iter().filter(|listener| listener.address.port() != 0) {
            at.entry(listener.address).or_default().push(Guest { compiled, part, listener });
        }
    }
    let mut listeners = Vec::new();
    for (address, guests) in at.into_iter().filter(|(_, guests)| guests.len() > 1) {
        let before = problems.len();
        problems.extend(guests.iter().enumerate().flat_map(|(index, guest)| {
            let told = wrong(guest, guests.get(..index).unwrap_or_default());
            told.map(|(key, what, remedy)| at_listener(path, guest, key, what, remedy)).unwrap_or_default()
        }));
        if problems.len() == before {
            match one(address, &guests) {
                Ok(listener) => listeners.push(listener),
                Err(error) => {
                    let last = guests.last().into_iter();
                    problems.extend(last.flat_map(|guest| at_listener(path, guest, "tls", &error, "")));
                }
            }
        }
    }
    if problems.is_empty() { Ok(listeners) } else { Err(problems) }
}

/// Where keys of listeners stand, by listener and key.
pub(super) type Places = BTreeMap<(String, String), Place>;

/// Of all listeners of one text.
pub(super) fn places(root: &Section<'_>) -> Places {
    let mut places = Places::new();
    for section in root.tables("listener") {
        let Some(name) = section.called() else { continue };
        let mut enter = |section: &Section<'_>, keys: &[&str]| {
            let there = keys.iter().filter(|key| section.has(key));
            places.extend(there.map(|key| ((name.to_owned(), (*key).to_owned()), section.place_of(key))));
        };
        enter(&section, &["address", "tls", "proxy-protocol-from", "health-checks-from"]);
        if let Some(tls) = section.table("tls") {
            enter(&tls, &["client-ca", "certificate-chain", "profile"]);
        }
    }
    places
}

/// A name leads to one tenant.
fn server_names(path: &Path, parts: &[Part]) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for part in parts {
        for Named { name, place, text } in &part.server_names {
            if !seen.insert(name.as_str()) {
                let remedy = "give each tenant names of its own";
                problems.extend(problem(path, text, place, "is listed twice", remedy));
            }
        }
    }
    problems
}

fn at_listener(path: &Path, guest: &Guest<'_>, key: &str, what: &str, remedy: &str) -> Vec<Diagnostic> {
    let of = |key: &str| guest.compiled.places.get(&(guest.listener.name.to_string(), key.to_owned()));
    of(key)
        .or_else(|| of("address"))
        .map(|place| problem(path, &guest.compiled.text, place, what, remedy))
        .unwrap_or_default()
}

type Told = (&'static str, &'static str, &'static str);

/// What is wrong with a listener at an address that those before it have, too.
fn wrong(guest: &Guest<'_>, before: &[Guest<'_>]) -> Option<Told> {
    let own = guest.listener;
    let Some(tls) = &own.tls else {
        return Some((
            "address",
            "is an address of several tenants, and is plain DICOM: nothing tells whose a connection is",
            "give each tenant its own address or port, or add a [listener.tls]",
        ));
    };
    if !guest.is_told_by_authority() && guest.part.server_names.is_empty() {
        return Some((
            "tls",
            "asks for no certificate at an address of several tenants: nothing tells whose a connection is",
            "write client-authentication = \"required\", or server-names in the [[tenant]]",
        ));
    }
    let first = before.first()?;
    if own.proxy_protocol_from != first.listener.proxy_protocol_from {
        return Some((
            "proxy-protocol-from",
            "is not what the listener of another tenant at this address has: it counts before it is known whose a connection is",
            "write the same in each",
        ));
    }
    if own.health_checks_from != first.listener.health_checks_from {
        return Some((
            "health-checks-from",
            "is not what the listener of another tenant at this address has: it counts before it is known whose a connection is",
            "write the same in each",
        ));
    }
    let trusted = guest.trusted();
    let remedy =
        "let each tenant's devices have certificates of a CA of its own, or give each tenant its own address";
    if before.iter().any(|other| !other.trusted().is_disjoint(&trusted)) {
        let problem = "is trusted by another tenant at this address, too: its certificates would not tell whose a connection is";
        return Some(("client-ca", problem, remedy));
    }
    if before.iter().any(|other| other.is_related_to(guest)) {
        let problem = "has a CA that signed one of another tenant at this address, or was signed by one: certificates would not tell whose a connection is";
        return Some(("client-ca", problem, remedy));
    }
    let told =
        before.iter().find(|other| other.is_told_by_authority()).filter(|_| guest.is_told_by_authority());
    let other = told.and_then(|other| other.listener.tls.as_ref())?;
    if other.settings.certificate_chain != tls.settings.certificate_chain {
        return Some((
            "certificate-chain",
            "is another one than that of another tenant at this address: who asks for no server name is shown one before it is known whose it is",
            "name the same file in each, or have server-names and write client-authentication = \"optional\"",
        ));
    }
    (other.settings.profile != tls.settings.profile).then_some((
        "profile",
        "is another one than that of another tenant at this address: who asks for no server name meets one before it is known whose it is",
        "write the same in each",
    ))
}

fn one(address: SocketAddr, guests: &[Guest<'_>]) -> Result<ListenerSettings, String> {
    let first = guests.first().ok_or("no listener")?;
    let leads: Vec<Lead> = guests
        .iter()
        .map(|guest| Lead { tenant: guest.part.name.clone(), listener: guest.listener.name.clone() })
        .collect();
    let mut by_name = BTreeMap::new();
    for (index, guest) in guests.iter().enumerate() {
        by_name.extend(guest.part.server_names.iter().map(|named| (named.name.clone(), index)));
    }
    let servers = |is_told: bool| {
        let which =
            guests.iter().enumerate().filter(move |(_, guest)| guest.is_told_by_authority() == is_told);
        which.filter_map(|(index, guest)| Some((index, &guest.listener.tls.as_ref()?.built)))
    };
    let tls = guests.iter().find(|guest| guest.is_told_by_authority()).unwrap_or(first);
    let tls = tls.listener.tls.as_ref().ok_or("no TLS")?;
    let common = tls::common(tls.settings.profile, servers(true), servers(false))
        .map_err(|error| error.to_string())?;
    let built =
        tls::Server { config: common.config.clone(), trust: None, files: Vec::new(), ends: Vec::new() };
    Ok(ListenerSettings {
        // No tenant's: what is refused there before it is known whose it is is recorded by it.
        name: address.to_string().into(),
        address,
        upstream: None,
        proxy_protocol_from: first.listener.proxy_protocol_from.clone(),
        health_checks_from: first.listener.health_checks_from.clone(),
        user_identity: UserIdentity::Ignore,
        passed_identities: Vec::new(),
        tls: Some(ServerTls { settings: tls.settings.clone(), built }),
        line: first.listener.line,
        shared: Some(Arc::new(Shared { leads, by_name, common })),
    })
}

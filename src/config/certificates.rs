//! What the certificates of a peer prove, on the listeners that it may use.

use std::collections::BTreeMap;

use super::listener::Listeners;
use super::report::Place;
use super::section::Section;
use super::settings::ListenerSettings;
use crate::identity::CertificateBinding;
use crate::policy::Peer;
use crate::tls::{ClientAuthentication, ClientTrust};

pub(super) fn risks(root: &Section<'_>, place: &Place, peer: &Peer, listeners: &Listeners) {
    let usable = listeners.usable_by(peer);
    let asking: Vec<&ListenerSettings> = usable.iter().copied().filter(|one| asks(one)).collect();
    let risk = |problem: String, remedy: &str| root.report.risk(place, problem, remedy);
    if peer.certificates.is_none() && peer.issuers.is_none() {
        if let Some(listener) = asking.iter().find(|listener| trusts_several(listener)) {
            let problem = format!(
                "is known by network and AE title alone: any certificate that listener \"{}\" trusts will do",
                listener.name
            );
            risk(problem, "add certificates = [\"dns:…\"] (dimsegate certs show prints what is in one)");
        }
        return;
    }
    if asking.is_empty() && !usable.is_empty() {
        let remedy = "remove certificates and issuers, or let it use a TLS listener that asks for them";
        return risk("never matches: no listener of it asks for a certificate".into(), remedy);
    }
    if !asking.is_empty() && !asking.iter().any(|listener| may_be_issued(peer, listener)) {
        let remedy = "write the sha256: of a CA certificate in client-ca, as dimsegate certs show prints it";
        risk("never matches: its issuers are none that its listeners trust".into(), remedy);
    } else if !asking.is_empty() && !asking.iter().any(|listener| may_be_named(peer, listener)) {
        let problem = "never matches: its listeners trust keys only, and nobody vouches for names";
        risk(problem.into(), "bind it to sha256: or spki-sha256:, or name a client-ca");
    }
    spoken_for_by_several(root, place, peer, &asking);
}

/// Whether a client certificate can come.
pub(super) fn asks(listener: &ListenerSettings) -> bool {
    let tls = listener.tls.as_ref();
    tls.is_some_and(|tls| tls.settings.client_authentication != ClientAuthentication::Off)
}

fn trust(listener: &ListenerSettings) -> Option<&ClientTrust> {
    listener.tls.as_ref()?.built.trust.as_deref()
}

/// Whether certificates of more than one holder are trusted.
fn trusts_several(listener: &ListenerSettings) -> bool {
    trust(listener).is_some_and(|trust| trust.signing().next().is_some() || trust.pinned().len() > 1)
}

/// Whether one of the peer's issuers, if it names any, may vouch for it there. A certificate that is trusted itself is its
/// own issuer; what names it has is not looked into here.
fn may_be_issued(peer: &Peer, listener: &ListenerSettings) -> bool {
    let (Some(issuers), Some(trust)) = (&peer.issuers, trust(listener)) else { return true };
    let is_itself = |issuer: &CertificateBinding, pin: &CertificateBinding| match issuer {
        CertificateBinding::Fingerprint(_) => issuer == pin,
        _ => !pin.is_of_key(),
    };
    issuers.iter().any(|issuer| {
        trust.signing().any(|one| issuer.matches(one))
            || trust.pinned().iter().any(|pin| is_itself(issuer, pin))
    })
}

/// Whether somebody vouches for names there, or the peer needs none. Who has a pinned key can write any.
fn may_be_named(peer: &Peer, listener: &ListenerSettings) -> bool {
    let (Some(bindings), Some(trust)) = (&peer.certificates, trust(listener)) else { return true };
    bindings.iter().any(CertificateBinding::needs_no_names)
        || trust.signing().next().is_some()
        || trust.pinned().iter().any(|pin| !pin.is_of_key())
}

/// A name that more than one CA could put into a certificate, and nothing that says which of them may.
fn spoken_for_by_several(root: &Section<'_>, place: &Place, peer: &Peer, asking: &[&ListenerSettings]) {
    let names = peer.certificates.iter().flatten().filter(|binding| binding.is_a_name());
    let names: Vec<String> = names.map(ToString::to_string).collect();
    if names.is_empty() || peer.issuers.is_some() {
        return;
    }
    let trusts = asking.iter().filter_map(|listener| trust(listener));
    let authorities: BTreeMap<&str, &str> = trusts
        .flat_map(|trust| trust.signing())
        .map(|one| (one.fingerprint.as_str(), one.subject.as_str()))
        .collect();
    if authorities.len() > 1 {
        let subjects: Vec<&str> = authorities.values().copied().collect();
        let problem = format!(
            "is bound to {}, for which each of these CAs could sign a certificate: {}",
            names.join(", "),
            subjects.join("; ")
        );
        let remedy = "add issuers = [\"sha256:…\"] with the CA that it has its certificates from (dimsegate certs show \
                      prints it), or listeners, or bind it to sha256: or spki-sha256:";
        root.report.risk(place, problem, remedy);
    }
}

/// Fingerprints of the CA certificates that may vouch for a peer, on whichever listener.
pub(super) fn authorities_of<'l>(peer: &Peer, listeners: &'l Listeners) -> Vec<&'l str> {
    let usable = listeners.usable_by(peer).into_iter().filter(|listener| asks(listener));
    let signing = usable.filter_map(trust).flat_map(|trust| trust.signing());
    let vouching = signing.filter(|one| {
        peer.issuers.as_ref().is_none_or(|issuers| issuers.iter().any(|issuer| issuer.matches(one)))
    });
    let mut found: Vec<&str> = vouching.map(|one| one.fingerprint.as_str()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

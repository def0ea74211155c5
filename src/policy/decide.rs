//! The one decision about an association: pure, so that it can be replayed offline.

use std::fmt;
use std::sync::Arc;

use super::admission::admitted_by;
use super::block::Known;
use super::border::Agreement;
use super::facts::Facts;
use super::index::{Holds, Sought};
use super::peer::Peer;
use super::refusal::{Condition, Refusal};
use super::routing::Policy;
use super::user::rights;
use super::{AePattern, Rights};
use crate::identity::CertificateBinding;
use crate::vocabulary::{Cause, Reason};
use crate::wire::associate::ProposedContext;
use crate::wire::{AeTitle, RawAeTitle, Uid};

/// Whether an association may be, and how.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It may, within what is granted.
    Allow(Grant),
    /// It may not: A-ASSOCIATE-RJ.
    Refuse(Refusal),
}

/// All that an association gets with a yes: its peer, its rights, where it leads, and which contexts go on.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The peer that decided; its limits and rewrite apply from here on.
    pub peer: Arc<Peer>,
    /// What the peer and the user may, from here on.
    pub rights: Rights,
    /// Without the spaces around them.
    pub calling: AeTitle,
    /// Likewise; it decides on the route.
    pub called: AeTitle,
    /// Name of the upstream.
    pub upstream: Arc<str>,
    /// One for each proposed context, in the order of the request.
    pub contexts: Vec<(u8, ContextVerdict)>,
}

/// What becomes of a proposed presentation context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextVerdict {
    /// Goes upstream with these transfer syntaxes, in the requestor's order.
    Offer(Vec<Uid>),
    /// Never seen upstream; answered with result 1, user-rejection (PS3.8 Table 9-18).
    Strip(ContextRefusal),
}

/// Which part of a presentation context the rights do not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContextRefusal {
    /// Its abstract syntax.
    SopClass,
    /// Every one of its transfer syntaxes.
    TransferSyntax,
}

impl ContextRefusal {
    /// Kebab-case, stable: what records carry.
    pub fn label(self) -> &'static str {
        match self {
            Self::SopClass => Cause::SopClassNotAllowed.label(),
            Self::TransferSyntax => "transfer-syntax-not-allowed",
        }
    }
}

impl Grant {
    /// Whether any context is left to offer upstream.
    pub fn offers_any(&self) -> bool {
        self.contexts.iter().any(|(_, verdict)| matches!(verdict, ContextVerdict::Offer(_)))
    }
}

/// Decides about an association. The first peer whose every condition holds decides; without one, it is refused, and where an
/// administrator has shut it out.
pub fn decide(policy: &Policy, facts: &Facts<'_>) -> Verdict {
    match recognised(policy, facts) {
        Ok(peer) => granted(policy, facts, &peer),
        Err(refusal) => Verdict::Refuse(refusal),
    }
}

/// Decides as far as no user is looked at: which peer it is, and that it is not shut out.
///
/// # Errors
/// The refusal that [`decide()`] gives, too.
pub fn recognised(policy: &Policy, facts: &Facts<'_>) -> Result<Arc<Peer>, Refusal> {
    let (calling, called) = titles(facts)?;
    let seen = Seen { facts, calling: &calling, called: &called };
    let peer = find(policy, &seen)?;
    not_blocked(peer, &seen)?;
    admitted_by(&peer.role, &format_args!("peer \"{}\"", peer.name), facts)?;
    led(policy, peer, &seen)?;
    Ok(peer.clone())
}

/// Where an association leads, and the agreement by which it may. No user changes that, so that nobody is asked for a passcode
/// where the route is closed.
fn led(
    policy: &Policy,
    peer: &Arc<Peer>,
    seen: &Seen<'_>,
) -> Result<(Arc<str>, Option<Arc<Agreement>>), Refusal> {
    let upstream = policy.upstream(peer, seen.facts.listener, seen.called);
    let upstream = upstream.ok_or_else(|| no_upstream(peer, seen))?;
    let agreement = policy.borders.agreed(&peer.route_to(&upstream), seen.facts.now)?;
    let facts = seen.facts;
    if let Some(block) = agreement.as_ref().and_then(|one| facts.blocks.of_agreement(&one.id, facts.now)) {
        return Err(block.refusal());
    }
    Ok((upstream, agreement))
}

/// Goes on from [`recognised`], with a user where one is proven meanwhile. Both together are [`decide()`].
pub fn granted(policy: &Policy, facts: &Facts<'_>, peer: &Arc<Peer>) -> Verdict {
    let grant = || {
        let (calling, called) = titles(facts)?;
        let seen = Seen { facts, calling: &calling, called: &called };
        not_blocked(peer, &seen)?;
        let rights = rights(policy, peer, facts)?;
        let (upstream, agreement) = led(policy, peer, &seen)?;
        let rights = rights.under(agreement.map(|agreement| as_rewritten(agreement, peer)));
        let contexts = facts.contexts.iter().map(|c| (c.id, context_verdict(&rights, c))).collect();
        Ok(Grant { peer: peer.clone(), rights, upstream, contexts, calling, called })
    };
    grant().map_or_else(Verdict::Refuse, Verdict::Allow)
}

/// Where an agreement asks for a rewrite, nothing crosses that the peer's does not see: two ways it sees every message, else the
/// objects that travel in its direction.
fn as_rewritten(agreement: Arc<Agreement>, peer: &Peer) -> Arc<Agreement> {
    if agreement.rewrite.is_none() || peer.two_way {
        return agreement;
    }
    Arc::new(agreement.about_only(peer.seen_by_rewrite()))
}

fn titles(facts: &Facts<'_>) -> Result<(AeTitle, AeTitle), Refusal> {
    let calling = title(facts.calling, Reason::CallingAeTitleIllegal, "calling")?;
    Ok((calling, title(facts.called, Reason::CalledAeTitleIllegal, "called")?))
}

fn not_blocked(peer: &Peer, seen: &Seen<'_>) -> Result<(), Refusal> {
    let facts = seen.facts;
    let known = Known {
        address: facts.address,
        certificate: facts.certificate,
        user: facts.user.map(|user| &*user.name),
        calling: seen.calling,
        peer: &peer.name,
    };
    facts.blocks.of(&known, facts.now).map_or(Ok(()), |block| Err(block.refusal()))
}

/// The facts with the AE titles read.
struct Seen<'a> {
    facts: &'a Facts<'a>,
    calling: &'a AeTitle,
    called: &'a AeTitle,
}

fn title(raw: &RawAeTitle, reason: Reason, which: &str) -> Result<AeTitle, Refusal> {
    raw.parse().map_err(|error| Refusal {
        reason,
        nearest: None,
        stated: None,
        detail: error.to_string(),
        remedy: format!("give the requestor a legal {which} AE title: 1 to 16 printable characters"),
    })
}

fn find<'p>(policy: &'p Policy, seen: &Seen<'_>) -> Result<&'p Arc<Peer>, Refusal> {
    let facts = seen.facts;
    let titles = (seen.calling, seen.called);
    let sought = Sought::new(facts.address, titles, facts.certificate, facts.authorities);
    let of_whom = |holds| policy.index.of_whom(&sought, holds).filter_map(|at| policy.peers.get(at));
    if let Some(peer) = of_whom(Holds::CalledAeTitle).find(|peer| first_failed(peer, seen).is_none()) {
        return Ok(peer);
    }
    // Who is not among those of whom so much holds fails before.
    let nearest = [
        (Holds::Issuer, Condition::CalledAeTitle),
        (Holds::Certificate, Condition::Issuer),
        (Holds::CallingAeTitle, Condition::Certificate),
    ];
    let first = |(holds, failed): (Holds, Condition)| {
        let peer = of_whom(holds).find(|peer| first_failed(peer, seen) == Some(failed))?;
        Some((peer, failed))
    };
    let nearest = nearest.into_iter().find_map(first).or_else(|| stranger(policy, seen));
    Err(nearest.map_or_else(nobody, |(peer, failed)| missed(peer, failed, seen)))
}

/// Who comes nearest to a requestor whose address and title no peer has both.
fn stranger<'p>(policy: &'p Policy, seen: &Seen<'_>) -> Option<(&'p Arc<Peer>, Condition)> {
    let here = |peer: &&Arc<Peer>| peer.uses_listener(seen.facts.listener);
    let first = |places: &[usize]| {
        places.iter().copied().find(|at| policy.peers.get(*at).is_some_and(|peer| here(&peer)))
    };
    let of_network = policy.index.at(seen.facts.address).filter_map(first).min();
    let of_network =
        of_network.and_then(|at| policy.peers.get(at)).map(|peer| (peer, Condition::CallingAeTitle));
    let of_listener = || policy.peers.iter().find(here).map(|peer| (peer, Condition::Network));
    let of_none = || policy.peers.first().map(|peer| (peer, Condition::Listener));
    of_network.or_else(of_listener).or_else(of_none)
}

fn first_failed(peer: &Peer, seen: &Seen<'_>) -> Option<Condition> {
    let any = |patterns: &[AePattern], title: &AeTitle| patterns.iter().any(|p| p.matches(title));
    let facts = seen.facts;
    if !peer.uses_listener(facts.listener) {
        return Some(Condition::Listener);
    }
    if !peer.holds_address(facts.address) {
        return Some(Condition::Network);
    }
    if !any(&peer.calling, seen.calling) {
        return Some(Condition::CallingAeTitle);
    }
    // For the names in a certificate somebody has to vouch: who has a pinned key can write any into it.
    let vouched = !facts.authorities.is_empty();
    let bound = |certificate| {
        let mut bindings = peer.certificates.iter().flatten();
        bindings.any(|binding| (vouched || binding.needs_no_names()) && binding.matches(certificate))
    };
    if peer.certificates.is_some() && !facts.certificate.is_some_and(bound) {
        return Some(Condition::Certificate);
    }
    let issued = |binding: &CertificateBinding| facts.authorities.iter().any(|one| binding.matches(one));
    if peer.issuers.as_ref().is_some_and(|issuers| !issuers.iter().any(issued)) {
        return Some(Condition::Issuer);
    }
    if peer.called.as_ref().is_some_and(|patterns| !any(patterns, seen.called)) {
        return Some(Condition::CalledAeTitle);
    }
    None
}

fn context_verdict(rights: &Rights, context: &ProposedContext) -> ContextVerdict {
    let Some(of_class) = rights.of_class(&context.abstract_syntax) else {
        return ContextVerdict::Strip(ContextRefusal::SopClass);
    };
    let allowed = context.transfer_syntaxes.iter().filter(|uid| of_class.permits(uid));
    let allowed: Vec<Uid> = allowed.cloned().collect();
    if allowed.is_empty() {
        return ContextVerdict::Strip(ContextRefusal::TransferSyntax);
    }
    ContextVerdict::Offer(allowed)
}

fn nobody() -> Refusal {
    Refusal {
        reason: Reason::AddressNotAllowed,
        nearest: None,
        stated: None,
        detail: "no peer is configured".into(),
        remedy: "add a [[peer]]".into(),
    }
}

fn missed(peer: &Arc<Peer>, failed: Condition, seen: &Seen<'_>) -> Refusal {
    let address = seen.facts.address.to_canonical();
    let name = &peer.name;
    let (what, allowed) = match failed {
        Condition::Listener => {
            (format!("listener \"{}\"", seen.facts.listener), listed(peer.listeners.iter().flatten()))
        }
        Condition::Network => (address.to_string(), listed(&peer.networks)),
        Condition::CallingAeTitle => {
            (format!("calling AE title \"{}\"", seen.calling), listed(&peer.calling))
        }
        Condition::Certificate => (certificate(seen.facts), listed(peer.certificates.iter().flatten())),
        Condition::Issuer => (issuer(seen.facts), listed(peer.issuers.iter().flatten())),
        Condition::CalledAeTitle => {
            (format!("called AE title \"{}\"", seen.called), listed(peer.called.iter().flatten()))
        }
    };
    Refusal {
        reason: failed.reason(),
        nearest: Some((peer.clone(), failed)),
        stated: peer.keys.of(failed.key()),
        detail: format!("{what} is not among the {} of peer \"{name}\": {allowed}", failed.key()),
        remedy: remedy(name, failed, seen),
    }
}

fn remedy(name: &str, failed: Condition, seen: &Seen<'_>) -> String {
    let to = format!("to the {} of peer \"{name}\"", failed.key());
    match failed {
        Condition::Listener => format!("add \"{}\" {to}", seen.facts.listener),
        Condition::Network => format!("add \"{}\" {to}", seen.facts.address.to_canonical()),
        Condition::CallingAeTitle => {
            format!("add \"{}\" {to}, or correct the requestor's AE title", seen.calling)
        }
        Condition::Certificate => match seen.facts.certificate {
            Some(shown) => {
                format!("if this certificate is the peer's, add \"sha256:{}\" {to}", shown.fingerprint)
            }
            None => "connect to a TLS listener and show the peer's certificate".into(),
        },
        Condition::Issuer => match seen.facts.authorities.first() {
            Some(authority) => {
                format!("if this CA is the peer's, add \"sha256:{}\" {to}", authority.fingerprint)
            }
            None => "connect to a TLS listener and show the peer's certificate".into(),
        },
        Condition::CalledAeTitle => {
            format!("add \"{}\" {to}, or correct what the requestor calls", seen.called)
        }
    }
}

fn no_upstream(peer: &Arc<Peer>, seen: &Seen<'_>) -> Refusal {
    let (called, listener) = (seen.called, seen.facts.listener);
    Refusal {
        reason: Reason::CalledAeTitleUnknown,
        nearest: Some((peer.clone(), Condition::CalledAeTitle)),
        stated: None,
        detail: format!("called AE title \"{called}\" has no route, and listener \"{listener}\" no upstream"),
        remedy: format!("add a [[route]] for \"{called}\", or an upstream to the peer or the listener"),
    }
}

fn certificate(facts: &Facts<'_>) -> String {
    let Some(shown) = facts.certificate else { return "no certificate".into() };
    let names = if shown.san.is_empty() { "no alternative names".into() } else { listed(&shown.san) };
    format!("certificate {} ({names})", shown.subject)
}

fn issuer(facts: &Facts<'_>) -> String {
    match facts.authorities {
        [] => "no CA".into(),
        authorities => format!("CA {}", listed(authorities.iter().map(|one| &one.subject))),
    }
}

fn listed<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut items = items.into_iter();
    let shown: Vec<String> = items.by_ref().take(8).map(|item| item.to_string()).collect();
    let more = if items.next().is_some() { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

//! What has to be proven by whoever comes, and whether the proofs are fresh.

use std::collections::HashMap;

use super::some;
use crate::config::{ListenerSettings, UserIdentity};
use crate::evidence::facts::Facts;
use crate::evidence::finding::{Finding, Query, found, missing};
use crate::identity::CertificateBinding;
use crate::notify::Occasion;
use crate::policy::Role;
use crate::tls::{ClientAuthentication, EndKind};

fn requires(listener: &ListenerSettings) -> bool {
    let tls = listener.tls.as_ref().map(|tls| tls.settings.client_authentication);
    tls == Some(ClientAuthentication::Required)
}

pub(in crate::evidence) fn mtls_required(facts: &Facts<'_>) -> Finding {
    let listeners = &facts.settings.listeners;
    let without: Vec<String> =
        listeners.iter().filter(|one| !requires(one)).map(|one| one.name.to_string()).collect();
    if !without.is_empty() {
        return missing(
            format!("no certificate of the requestor is required at: {}", some(&without)),
            "write client-authentication = \"required\" in [listener.tls]",
        );
    }
    found(
        "every listener requires a certificate of the requestor",
        listeners.iter().map(|one| facts.of_listener(one, ".tls.client-authentication")).collect(),
        Query::events("association-opened"),
    )
}

pub(in crate::evidence) fn no_shared_cert_binding(facts: &Facts<'_>) -> Finding {
    let peers = &facts.settings.policy.peers;
    let unbound: Vec<String> =
        peers.iter().filter(|peer| peer.certificates.is_none()).map(|peer| peer.name.to_string()).collect();
    if !unbound.is_empty() || peers.is_empty() {
        return missing(
            format!("peers that are bound to no certificate of their own: {}", some(&unbound)),
            "write certificates = […] in each [[peer]]",
        );
    }
    let mut whose: HashMap<&CertificateBinding, Vec<&str>> = HashMap::new();
    for peer in peers {
        for binding in peer.certificates.iter().flatten() {
            whose.entry(binding).or_default().push(&peer.name);
        }
    }
    let mut shared: Vec<String> =
        whose.values().filter(|names| names.len() > 1).map(|names| names.join(" and ")).collect();
    shared.sort();
    if !shared.is_empty() {
        return missing(
            format!("a certificate stands for more than one peer: {}", some(&shared)),
            "give each [[peer]] a certificate of its own",
        );
    }
    found(
        "every peer is bound to certificates that no other peer has",
        peers.iter().map(|peer| facts.of_peer(peer, ".certificates")).collect(),
        Query::events("association-opened"),
    )
}

pub(in crate::evidence) fn identity_required(facts: &Facts<'_>) -> Finding {
    let listeners = &facts.settings.listeners;
    let without: Vec<String> = listeners
        .iter()
        .filter(|one| one.user_identity != UserIdentity::Require)
        .map(|one| one.name.to_string())
        .collect();
    if !without.is_empty() {
        return missing(
            format!("no user has to be proven at: {}", some(&without)),
            "write user-identity = \"require\" in the [[listener]], with [users] or an [[issuer]]",
        );
    }
    found(
        "every listener requires a user who is proven",
        listeners.iter().map(|one| facts.of_listener(one, ".user-identity")).collect(),
        Query::events("association-opened"),
    )
}

pub(in crate::evidence) fn mfa_rules(facts: &Facts<'_>) -> Finding {
    let peers = &facts.settings.policy.peers;
    let weak = |role: &Role| role.require.iter().count() < 2;
    let without: Vec<String> =
        peers.iter().filter(|peer| weak(&peer.role)).map(|peer| peer.name.to_string()).collect();
    if !without.is_empty() || peers.is_empty() {
        return missing(
            format!("peers whose role requires fewer than two factors: {}", some(&without)),
            "write require = [\"certificate\", \"passcode\"] or more in the [[role]]",
        );
    }
    let mut roles: Vec<String> =
        peers.iter().map(|peer| format!("role \"{}\".require", peer.role.name)).collect();
    roles.sort();
    roles.dedup();
    found(
        "every role that a peer has requires two factors or more",
        roles.into_iter().map(|key| facts.place(key)).collect(),
        Query::events("association-opened,association-rejected"),
    )
}

pub(in crate::evidence) fn lockout_set(facts: &Facts<'_>) -> Finding {
    let settings = facts.settings;
    let told: Vec<_> =
        settings.notifications.iter().filter(|target| target.when.contains(&Occasion::Refusals)).collect();
    let are_asked = settings.admin.is_some()
        || settings.listeners.iter().any(|one| one.user_identity != UserIdentity::Ignore);
    if settings.users.is_none() || !are_asked || told.is_empty() {
        return missing(
            "nobody is told of refusals, or there are no users who could be locked out",
            "write [users] and a [[notify]] with when = [\"refusals\", …]",
        );
    }
    let notify =
        |target: &&std::sync::Arc<crate::notify::Target>| facts.place(format!("notify \"{}\"", target.name));
    found(
        "users are locked out after wrong proofs, and somebody is told of refusals",
        std::iter::once(facts.place("users.file")).chain(told.iter().map(notify)).collect(),
        Query::Search(vec![
            ("event", "association-rejected,administration".into()),
            ("reason", "user-*".into()),
        ]),
    )
}

pub(in crate::evidence) fn crl_fresh(facts: &Facts<'_>) -> Finding {
    let asks = |one: &&std::sync::Arc<ListenerSettings>| {
        one.tls.as_ref().is_some_and(|tls| tls.settings.client_authentication != ClientAuthentication::Off)
    };
    let asking: Vec<_> = facts.settings.listeners.iter().filter(asks).collect();
    let lists = |one: &ListenerSettings| {
        one.tls.as_ref().is_some_and(|tls| !tls.settings.revocation_lists.is_empty())
    };
    let without: Vec<String> =
        asking.iter().filter(|one| !lists(one)).map(|one| one.name.to_string()).collect();
    if !without.is_empty() || asking.is_empty() {
        return missing(
            format!("revocation is not checked at: {}", some(&without)),
            "write revocation-lists in [listener.tls]",
        );
    }
    let is_over =
        facts.settings.ends.iter().any(|(_, end)| end.kind == EndKind::RevocationList && end.at <= facts.now);
    if is_over {
        return missing("a revocation list has ended", "have the CA make a new one, in the same file");
    }
    found(
        "every listener that asks for certificates checks revocation by lists that are in force",
        asking.iter().map(|one| facts.of_listener(one, ".tls.revocation-lists")).collect(),
        Query::Certificates,
    )
}

pub(in crate::evidence) fn cert_expiry(facts: &Facts<'_>) -> Finding {
    let certificates: Vec<_> =
        facts.settings.ends.iter().filter(|(_, end)| end.kind != EndKind::RevocationList).collect();
    if certificates.is_empty() {
        return missing("the configuration names no certificate", "write [listener.tls]");
    }
    let near = |(_, end): &&&(String, crate::tls::End)| {
        facts.now.checked_add(end.kind.notice()).is_none_or(|soon| end.at <= soon)
    };
    let ending: Vec<String> = certificates.iter().filter(near).map(|(_, end)| end.what.clone()).collect();
    if !ending.is_empty() {
        return missing(
            format!("certificates that have ended or end soon: {}", some(&ending)),
            "renew them; dimsegate audit certificates lists when each ends",
        );
    }
    let listeners = facts.settings.listeners.iter().filter(|one| one.tls.is_some());
    found(
        "no certificate that the configuration names has ended or ends soon",
        listeners.map(|one| facts.of_listener(one, ".tls.certificate-chain")).collect(),
        Query::Certificates,
    )
}

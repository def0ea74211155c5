//! What a peer may do, and what becomes of it.

use super::{Change, Compared, RoleChange, listed};
use crate::policy::{AePattern, ConsentWanted, Operation, Peer, Role, Scope, scope};

/// What is otherwise of its role, its upstream and its rewrite.
pub(super) fn changes(compared: &Compared<'_>, old: &Peer, new: &Peer) -> Vec<Change> {
    let of_role = |change: RoleChange| Change::of(new, change.admits, change.what, change.detail);
    let mut changes: Vec<Change> = of_roles(&old.role, &new.role).into_iter().map(of_role).collect();
    let both = |what, detail: &str| [true, false].map(|admits| Change::of(new, admits, what, detail));
    if !compared.leads_alike(old, new) {
        changes.extend(both("upstream", "leads elsewhere, or otherwise, than before"));
    }
    if !compared.rewrites_alike(old, new) {
        let name = |peer: &Peer| peer.rewrite.as_ref().map_or("none".into(), |name| format!("\"{name}\""));
        let detail = match name(old) == name(new) {
            true => format!("{} rewrites otherwise than before", name(new)),
            false => format!("{}, before {}", name(new), name(old)),
        };
        changes.extend(both("rewrite", &detail));
    }
    changes.extend(of_scopes(old, new));
    changes.extend(of_consents(compared, old, new));
    changes
}

/// Whether all that a peer may do, the other one may too, in the same way. Never true by mistake.
pub(super) fn cover(compared: &Compared<'_>, wide: &Peer, narrow: &Peer) -> bool {
    changes(compared, wide, narrow).iter().all(|change| !change.admits)
}

/// What is otherwise of two roles, whoever has them.
pub(super) fn of_roles(was: &Role, is: &Role) -> Vec<RoleChange> {
    let mut changes = Vec::new();
    for (admits, one, other) in [(true, is, was), (false, was, is)] {
        let mut found = |what, detail: String| changes.push(RoleChange { admits, what, detail });
        let operations = one.operations.iter().filter(|operation| !other.operations.contains(operation));
        let operations = listed(operations.map(|operation| operation.name()));
        if !operations.is_empty() {
            found("operations", operations);
        }
        let classes = one.sop_classes.beyond(&other.sop_classes);
        if !classes.is_empty() {
            found("sop-classes", listed(classes));
        }
        let syntaxes = one.transfer_syntaxes.beyond(&other.transfer_syntaxes);
        if !syntaxes.is_empty() {
            found("transfer-syntaxes", listed(syntaxes));
        }
        let destinations = destinations(one, other);
        if !destinations.is_empty() {
            found("move-destinations", destinations);
        }
        for (key, more) in one.queries.beyond(&other.queries, &one.operations) {
            found(key, more);
        }
        if let Some(hours) = hours(one, other) {
            found("hours", hours);
        }
        let fewer = other.require.iter().filter(|factor| !one.require.contains(*factor));
        let fewer = listed(fewer.map(|factor| format!("without {factor}")));
        if !fewer.is_empty() {
            found("require", fewer);
        }
        if one.minimum_tls < other.minimum_tls {
            let least =
                one.minimum_tls.map_or("any, or none".into(), |version| format!("{version} or later"));
            found("minimum-tls", least);
        }
    }
    changes
}

/// Which studies one of them may see, and the other one perhaps not.
fn of_scopes(old: &Peer, new: &Peer) -> Vec<Change> {
    let [was, is] = [old, new].map(|peer| peer.scope.as_deref());
    let detail = |scope: Option<&Scope>| scope.map_or("every study".into(), ToString::to_string);
    let mut changes = Vec::new();
    for (admits, one, other) in [(true, is, was), (false, was, is)] {
        if !scope::covers(other, one) {
            changes.push(Change::of(new, admits, "scope", detail(one)));
        }
    }
    changes
}

/// Whose consent decides, where it did not, and the other way round.
fn of_consents(compared: &Compared<'_>, old: &Peer, new: &Peer) -> Vec<Change> {
    let told = |peer: &Peer| match peer.consent.as_deref() {
        None => "no consent is asked for".to_owned(),
        Some(ConsentWanted { source, scope: None }) => format!("consent \"{source}\""),
        Some(ConsentWanted { source, scope: Some(scope) }) => format!("consent \"{source}\" to {scope:?}"),
    };
    let of = |admits| Change::of(new, admits, "consent", told(new));
    match (&old.consent, &new.consent) {
        (None, None) => Vec::new(),
        (None, Some(_)) => vec![of(false)],
        (Some(_), None) => vec![of(true)],
        (Some(was), Some(is)) if was == is && !compared.things.is_other_consent(&is.source) => Vec::new(),
        (Some(_), Some(_)) => vec![of(true), of(false)],
    }
}

/// Where one role lets a C-MOVE send to, and the other one does not.
fn destinations(one: &Role, other: &Role) -> String {
    let moves = |role: &Role| role.operations.contains(&Operation::CMove);
    match (&one.move_destinations, &other.move_destinations) {
        _ if !moves(one) || !moves(other) => String::new(),
        (_, None) => String::new(),
        (None, Some(_)) => "any".into(),
        (Some(one), Some(other)) => {
            let beyond = |pattern: &&AePattern| !other.iter().any(|wide| wide.covers(pattern));
            listed(one.iter().filter(beyond))
        }
    }
}

/// When one role may be used, and the other one perhaps not.
fn hours(one: &Role, other: &Role) -> Option<String> {
    let others = other.hours.as_ref()?;
    match &one.hours {
        None => Some("always".into()),
        Some(hours) => (!others.cover(hours)).then(|| hours.to_string()),
    }
}

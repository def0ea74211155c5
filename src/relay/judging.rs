//! The one decision, asked again about associations that are open, whenever something may have ended a right: a reload, a
//! block, an hour of the day, the file of users. Whoever lost theirs ends between two messages.
//!
//! An open association keeps the rules with which it began. So it goes on only where the rules that it is judged by now let it
//! in, and allow at least what it has: the same peer, a role with all that the one before it allows, the same rewrite, and the
//! same way to the upstream. Where they allow more, it gets that when it comes again.
//!
//! A certificate is not verified again, nor a passcode or a token: what was proven is one of the facts, and so is when it ends,
//! where a token ends with it what it opened. Who a user of the file is counts as the file has it now; one of a token has the
//! roles of then. Whoever else has to go now is [blocked](crate::policy::Blocks).

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, PoisonError};

use time::OffsetDateTime;

use super::borne::issuer_of;
use super::gate::Gate;
use super::identified::Identified;
use super::live::{Entry, Facts, Order, Right, When};
use crate::config::{OpenAssociations, Settings, UpstreamSettings, UserIdentity};
use crate::policy::{self, Blocks, Grant, Peer, ProvenUser, Rights, Verdict, decide, scope};
use crate::tls::ClientAuthentication;
use crate::tokens::Issuer;
use crate::users::{Refused, Users};
use crate::vocabulary::Reason;

/// Why a right is lost.
struct Lost {
    reason: Reason,
    detail: String,
}

impl Gate {
    /// Which asking is the last. Who remembers it from before its own decision knows whether to ask again.
    pub(crate) fn rounds(&self) -> u64 {
        self.rounds.load(SeqCst)
    }

    /// Asks again about every open association; how many have lost their right. Whoever is about to open asks for itself.
    /// It takes a moment where there are thousands: not for a thread of the runtime.
    pub(crate) fn judge_all_again(&self) -> usize {
        self.rounds.fetch_add(1, SeqCst);
        let lost = self.live.list().iter().filter(|entry| self.judge_again(entry)).count();
        // Other hours may count now. Whoever keeps them looks at what has been stored above.
        self.hours.notify_one();
        lost
    }

    /// Asks again about one. Whether it has lost its right: then it ends between two messages, or in the midst of one that
    /// lasts longer than the grace period.
    pub(crate) fn judge_again(&self, entry: &Entry) -> bool {
        // One at a time, so that what is stored is never of older rules than what it replaces.
        let _turn = self.judging.lock().unwrap_or_else(PoisonError::into_inner);
        let in_force = self.in_force.load().settings.clone();
        let rules = match in_force.open_associations {
            OpenAssociations::JudgeAgain => &in_force,
            OpenAssociations::Finish => &entry.right.settings,
        };
        let users = rules.users.as_ref().and_then(|named| self.people.known(&named.file));
        let lost = judged(rules, entry, users.as_deref(), &self.blocks.load(), OffsetDateTime::now_utc());
        let is_lost = lost.is_some();
        if let Some(Lost { reason, detail }) = lost {
            entry.orders.give(Order { when: When::BetweenMessages, reason, detail: detail.into() });
        }
        is_lost
    }
}

/// What the rules say now of an association that is open.
fn judged(
    rules: &Arc<Settings>,
    entry: &Entry,
    users: Option<&Users>,
    blocks: &Blocks,
    now: OffsetDateTime,
) -> Option<Lost> {
    let Entry { facts, right, .. } = entry;
    if let Some(detail) = unfounded(rules, right) {
        return Some(Lost { reason: Reason::PolicyChanged, detail });
    }
    let user = as_of_now(right, users, now);
    let asked = policy::Facts {
        listener: &facts.listener,
        address: facts.from.ip().to_canonical(),
        certificate: facts.certificate.as_ref(),
        tls: right.proof.tls,
        authorities: &right.proof.authorities,
        user: user.as_ref().map_or(right.proof.user.as_deref(), Option::as_deref),
        calling: &facts.calling.to_raw(),
        called: &facts.called.to_raw(),
        // Those that were accepted are within the role that it has.
        contexts: &[],
        blocks,
        now,
    };
    match decide(&rules.policy, &asked) {
        Verdict::Refuse(refusal) => Some(Lost { reason: refusal.reason, detail: refusal.detail }),
        Verdict::Allow(_) if user.is_err() => user.err().map(|why| no_user(facts, &why)),
        // Nothing else can allow less by the same rules: a user's own role whose hours are over, or the agreement that comes next.
        Verdict::Allow(_)
            if Arc::ptr_eq(rules, &right.settings)
                && right.proof.user.is_none()
                && right.rights.agreement().is_none() =>
        {
            None
        }
        Verdict::Allow(grant) => {
            let less = less(rules, facts, right, &grant);
            right.decided.store(Arc::new(grant.rights));
            less.map(|detail| Lost { reason: Reason::PolicyChanged, detail })
        }
    }
}

/// Why what the user was proven by counts no more: there are no users, or another issuer, by these rules. Its keys may be others.
fn unfounded(rules: &Settings, right: &Right) -> Option<String> {
    let user = right.proof.user.as_deref()?;
    if right.proof.user_of_file().is_some() {
        return rules
            .users
            .is_none()
            .then(|| format!("user \"{}\": there is no [users] any more", user.name));
    }
    let issuers = (issuer_of(rules, &user.name), issuer_of(&right.settings, &user.name));
    let why = match issuers {
        (Err(why), _) => why,
        (Ok(now), Ok(before)) if now.issuer == before.issuer => takes_less(now, before)?,
        (Ok(now), _) => format!("issuer \"{}\" is another one: its tokens say another iss", now.name),
    };
    Some(format!("user \"{}\": {why}", user.name))
}

/// Nobody knows for which audience the token was.
fn takes_less(now: &Issuer, before: &Issuer) -> Option<String> {
    let gone = before.audience.iter().find(|audience| !now.audience.contains(audience))?;
    Some(format!("tokens of issuer \"{}\" for audience \"{gone}\" count no more", now.name))
}

/// The user, one of the file as it has them now, with what they proved when they came.
fn as_of_now(
    right: &Right,
    users: Option<&Users>,
    now: OffsetDateTime,
) -> Result<Option<Arc<ProvenUser>>, Refused> {
    match right.proof.user_of_file().zip(users) {
        Some((user, users)) => {
            let still = users.still(&user.name, now)?;
            Ok(Some(Arc::new(ProvenUser { factors: user.factors, ..Identified::of(&still) })))
        }
        None => Ok(right.proof.user.clone()),
    }
}

fn no_user(facts: &Facts, why: &Refused) -> Lost {
    let name = facts.user.as_deref().unwrap_or_default();
    Lost {
        reason: Reason::UserNotAllowed,
        detail: format!("user \"{name}\": {why}, since the association began"),
    }
}

/// What the rules would not allow of all that goes on.
fn less(rules: &Settings, facts: &Facts, right: &Right, grant: &Grant) -> Option<String> {
    let (old, new) = (&right.peer, &grant.peer);
    if old.name != new.name {
        return Some(format!("peer \"{}\" decides now, where \"{}\" did", new.name, old.name));
    }
    if let Some(other) = other_agreement(right, grant) {
        return Some(other);
    }
    if !grant.rights.covers(&right.rights) {
        return Some(format!("role {} allows less than {} did", grant.rights.named(), right.rights.named()));
    }
    if !scope::covers(new.scope.as_deref(), old.scope.as_deref()) {
        return Some(format!("the scope of peer \"{}\" is narrower than it was", new.name));
    }
    if !is_same_rewrite(rules, new, &right.settings, old) {
        return Some(format!("what is rewritten for peer \"{}\" has changed", new.name));
    }
    if !leads_there(rules, &grant.upstream, &right.settings, &facts.upstream) {
        return Some(format!("upstream \"{}\" is not what \"{}\" was", grant.upstream, facts.upstream));
    }
    unprotected(rules, facts, right)
}

/// Its records name the agreement that it began under.
fn other_agreement(right: &Right, grant: &Grant) -> Option<String> {
    let id = |rights: &Rights| rights.agreement().map(|agreement| agreement.id.clone());
    let (before, now) = (id(&right.rights), id(&grant.rights));
    let told = |id: Option<Arc<str>>| {
        id.map_or_else(|| "no agreement".to_owned(), |id| format!("agreement \"{id}\""))
    };
    (before != now).then(|| format!("it began under {}, and {} counts now", told(before), told(now)))
}

fn is_same_rewrite(rules: &Settings, new: &Peer, before: &Settings, old: &Peer) -> bool {
    let of = |peer: &Peer| (peer.rewrite.clone(), peer.rewrite_direction, peer.two_way, peer.tenant.clone());
    of(new) == of(old) && new.rewrite.as_ref().is_none_or(|name| rules.rewrites_like(before, name))
}

/// Whether an upstream still is where it was, is called the same, and is reached as safely.
fn leads_there(rules: &Settings, new: &str, before: &Settings, old: &str) -> bool {
    let way = |upstream: &UpstreamSettings| {
        let tls = upstream.tls.as_ref().map(|tls| tls.settings.server_name.clone());
        (upstream.called_ae_title.clone(), upstream.calling_ae_title.clone(), upstream.user_identity, tls)
    };
    let (new, old) = (rules.upstreams.get(new), before.upstreams.get(old));
    let Some((new, old)) = new.zip(old) else { return false };
    new.name == old.name
        && way(new) == way(old)
        && old.addresses.iter().all(|address| new.addresses.contains(address))
}

/// What its listener would ask of it now, and it has not.
fn unprotected(rules: &Settings, facts: &Facts, right: &Right) -> Option<String> {
    let listener = rules.listeners.iter().find(|listener| listener.name == facts.listener);
    let Some(listener) = listener else {
        return Some(format!("listener \"{}\" is there no more", facts.listener));
    };
    if listener.user_identity == UserIdentity::Require && right.proof.user.is_none() {
        return Some(format!("listener \"{}\" asks for a user identity now", listener.name));
    }
    let tls = listener.tls.as_ref()?;
    if right.proof.tls.is_none() {
        return Some(format!("listener \"{}\" speaks TLS now", listener.name));
    }
    let is_required = tls.settings.client_authentication == ClientAuthentication::Required;
    (is_required && facts.certificate.is_none())
        .then(|| format!("listener \"{}\" asks for a certificate now", listener.name))
}

#[cfg(test)]
mod tests;

//! An open association, from its answer to its end.

use std::future::poll_fn;

use tracing::Instrument;

use super::arrival::Arrival;
use super::caught::caught;
use super::drive::{Drive, Open};
use super::early::Early;
use super::established::Established;
use super::farewell;
use super::identified::Identified;
use super::leg::Leg;
use super::live::{Contexts, Entry, Facts, Proof, Right};
use super::machine::{Ended, Side};
use super::records::Particulars;
use super::upstream::{Dialled, Place};
use crate::policy::limits::AssociationPermit;
use crate::wire::{AbortReason, Malformed};

/// What an open association needs, and no more: it may wait for hours.
pub(crate) struct Opened {
    open: Box<Open>,
    contexts: Contexts,
    told: Box<Particulars>,
    permit: AssociationPermit,
    /// At the upstream.
    place: Place,
    early: Early,
}

impl Opened {
    /// It is recorded; the A-ASSOCIATE-AC is all that is missing. Called in the association's span.
    pub(super) fn new(
        established: Established,
        arrival: &Arrival,
        requestor: Leg,
        dialled: Dialled,
        answer: &[u8],
        (permit, place, told): (AssociationPermit, Place, Particulars),
    ) -> Self {
        let open = Box::new(established.begin(arrival, requestor, dialled.leg, answer));
        let Established { requested, offered, answered, answer, early, .. } = established;
        let contexts = Contexts::of([&requested, &offered], [&answered, &answer]);
        let grant = &open.machine.terms().grant;
        let user = arrival.user.as_ref().map(Identified::name);
        tracing::info!(peer = %grant.peer.name, upstream = %grant.upstream, user, "association opened");
        Self { open, contexts, told: Box::new(told), permit, place, early }
    }

    /// Answers, relays, and writes down how it ended.
    pub(super) async fn serve(self, arrival: &Arrival) {
        let Self { mut open, contexts, told, permit, place, early } = self;
        let right = right(arrival, &open);
        let alive = arrival.gate.live.enter(facts(arrival, &open, &told, contexts), right);
        settle(arrival, alive.entry());
        let ended = if early.is_silent() {
            relay(&mut open, arrival, alive.entry()).await
        } else {
            let what = "bytes before the A-ASSOCIATE-AC was sent";
            let malformed = Malformed::new(AbortReason::UnexpectedPdu, what);
            Ended::Protocol { side: Side::Requestor, malformed }
        };
        let span = open.machine.terms().span.clone();
        Box::pin(farewell::conclude(arrival, *open, ended, *told, (permit, alive)).instrument(span)).await;
        drop(place);
    }
}

/// Whoever lost their right while the upstream was asked is not in the table that others looked through.
fn settle(arrival: &Arrival, entry: &Entry) {
    if arrival.gate.rounds() != arrival.rounds {
        arrival.gate.judge_again(entry);
    }
    let decided = entry.right.decided.load();
    let has_hours = decided.agreement().is_some() || decided.roles().any(|role| role.hours.is_some());
    let has_end = entry.right.proof.user.as_ref().is_some_and(|user| user.ends.is_some());
    if has_hours || has_end || entry.right.proof.user_of_file().is_some() {
        arrival.gate.hours.notify_one();
    }
}

fn right(arrival: &Arrival, open: &Open) -> Right {
    let tls = arrival.tls.as_ref();
    let authorities = tls.map(|session| session.authorities.clone()).unwrap_or_default();
    let grant = &open.machine.terms().grant;
    let proof = Proof { tls: arrival.tls_version(), authorities, user: arrival.proven_user().cloned() };
    Right::new(arrival.settings.clone(), grant.peer.clone(), grant.rights.clone(), proof)
}

fn facts(arrival: &Arrival, open: &Open, told: &Particulars, contexts: Contexts) -> Facts {
    let grant = &open.machine.terms().grant;
    Facts {
        id: arrival.id.clone(),
        listener: arrival.listener.name.clone(),
        upstream_address: told.upstream_address().to_owned(),
        called: grant.called.clone(),
        user: arrival.proven_user().map(|user| user.name.clone()),
        certificate: arrival.tls.as_ref().and_then(|session| session.certificate.clone()),
        peer: grant.peer.name.clone(),
        upstream: grant.upstream.clone(),
        from: arrival.from,
        calling: grant.calling.clone(),
        contexts,
        since: arrival.began.into_std(),
    }
}

/// Answers the requestor and relays both directions, until one of them or a deadline ends it.
async fn relay(open: &mut Open, arrival: &Arrival, entry: &Entry) -> Ended {
    let mut drive = Box::new(Drive::new(open, &arrival.gate, entry));
    let ended = caught(poll_fn(|cx| drive.poll(cx))).await;
    Box::pin(drive.end()).await;
    open.rest();
    open.take_back();
    ended.unwrap_or(PANICKED)
}

const PANICKED: Ended = Ended::Defect { detail: "it panicked; where and why is on standard error" };

#[cfg(test)]
mod tests;

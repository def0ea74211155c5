//! An association that both sides have agreed to, from its answer to its end.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Instant;

use time::OffsetDateTime;
use tracing::{Instrument, Span};

use super::arrival::Arrival;
use super::asking::Asking;
use super::drive::{Drive, Open};
use super::early::Early;
use super::identified::Identified;
use super::leg::Leg;
use super::live::{Contexts, Entry, Facts, Proof, Right};
use super::machine::{Deadlines, Ended, Machine, Side, Terms};
use super::records::Told;
use super::upstream::{Dialled, Place};
use super::{associate, farewell};
use crate::policy::Grant;
use crate::policy::limits::AssociationPermit;
use crate::wire::associate::{AssociateAc, AssociateRq};
use crate::wire::{AbortReason, Malformed};

/// What both sides have agreed to.
pub(crate) struct Established {
    pub requested: AssociateRq,
    pub offered: AssociateRq,
    pub answered: AssociateAc,
    pub answer: AssociateAc,
    pub grant: Grant,
    /// What the requestor said before it was answered.
    pub early: Early,
}

impl Established {
    /// It is recorded; the A-ASSOCIATE-AC is all that is missing. Called in the association's span.
    pub(super) fn open(
        self,
        arrival: &Arrival,
        requestor: Leg,
        dialled: Dialled,
        answer: &[u8],
        (permit, place, told): (AssociationPermit, Place, Told),
    ) -> Opened {
        let open = Box::new(self.begin(arrival, requestor, dialled.leg, answer));
        let contexts = Contexts::of([&self.requested, &self.offered], [&self.answered, &self.answer]);
        let grant = &open.machine.terms().grant;
        let user = arrival.user.as_ref().map(Identified::name);
        tracing::info!(peer = %grant.peer.name, upstream = %grant.upstream, user, "association opened");
        Opened { open, contexts, told: Box::new(told), permit, place, early: self.early }
    }

    fn begin(&self, arrival: &Arrival, requestor: Leg, upstream: Leg, answer: &[u8]) -> Open {
        let limits = &arrival.settings.limits;
        // What became of each proposed context is in the answer.
        let grant = Grant { contexts: Vec::new(), ..self.grant.clone() };
        let ruleset = grant.peer.rewrite.as_ref().and_then(|name| arrival.settings.rewrites.get(name));
        let crosswalk = grant.peer.rewrite.as_ref().and_then(|name| arrival.in_force.crosswalk_of(name));
        // That of the association, which lies in that of the connection.
        let span = Span::current();
        let asking =
            crosswalk.map(|crosswalk| Arc::new(Asking { crosswalk: crosswalk.clone(), span: span.clone() }));
        let pace = arrival.gate.limiter.pace(&grant.peer);
        let deadlines = deadlines(arrival, &grant);
        let (peer, to) = (grant.peer.name.clone(), grant.upstream.clone());
        let terms = Terms {
            id: arrival.id.clone(),
            span,
            ruleset: ruleset.cloned(),
            crosswalk: asking.clone().map(|asking| asking as _),
            contexts: associate::accepted(&self.offered, &self.answered),
            frames: arrival.gate.decoders.corner(Arc::clone(&grant.peer.name)),
            max_command_length: usize::try_from(limits.max_command_length).unwrap_or(usize::MAX),
            offered: limits.max_pdu_length,
            today: || OffsetDateTime::now_utc().date(),
            grant,
        };
        let takes = [&self.answered.user, &self.requested.user].map(|user| user.maximum_length.unwrap_or(0));
        let machine = Machine::new(terms, takes, deadlines, answer, Instant::now());
        let metrics = &arrival.gate.metrics;
        let meter = metrics.opened(&arrival.listener.name, &peer, &to);
        Open { machine, requestor, upstream, pace, crosswalk: asking, meter: Box::new(meter) }
    }
}

/// What an open association needs, and no more: it may wait for hours.
pub(crate) struct Opened {
    open: Box<Open>,
    contexts: Contexts,
    told: Box<Told>,
    permit: AssociationPermit,
    /// At the upstream.
    place: Place,
    early: Early,
}

impl Opened {
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
    if arrival.gate.asked() != arrival.asked {
        arrival.gate.judge_again(entry);
    }
    if entry.right.decided.load().roles().any(|role| role.hours.is_some()) {
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

fn facts(arrival: &Arrival, open: &Open, told: &Told, contexts: Contexts) -> Facts {
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
    let ended = poll_fn(|cx| drive.poll(cx)).await;
    Box::pin(drive.end()).await;
    open.take_back();
    ended
}

/// The limits that hold for this peer and this upstream.
fn deadlines(arrival: &Arrival, grant: &Grant) -> Deadlines {
    let settings = &arrival.settings;
    let limits = &settings.limits;
    let of_upstream = settings.upstreams.get(&grant.upstream).and_then(|upstream| upstream.response_timeout);
    let response =
        [of_upstream, grant.peer.response_timeout].map(|own| own.unwrap_or(limits.response_timeout));
    Deadlines {
        dimse: limits.dimse_timeout,
        idle: limits.idle_timeout,
        release: limits.release_timeout,
        response,
        min_bytes_per_second: limits.min_bytes_per_second,
    }
}

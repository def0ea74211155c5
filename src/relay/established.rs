//! What both sides have agreed to, and the machine that is made of it.

use std::sync::Arc;
use std::time::Instant;

use tracing::Span;

use super::arrival::Arrival;
use super::asking::Asking;
use super::associate;
use super::brought::Whose;
use super::consenting::Asked;
use super::counting::Viewer;
use super::drive::{Open, today};
use super::early::Early;
use super::leg::Leg;
use super::looking_up::{Archive, Way};
use super::machine::{Deadlines, IsWithin, Machine, Remembers, Terms, Waiting};
use crate::config::ForwardedIdentity;
use crate::dimse::Operation;
use crate::policy::{Grant, Peer, Scope};
use crate::rewrite::Recalled;
use crate::wire::associate::{AssociateAc, AssociateRq};

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
    /// The machine of the association, between its two legs. Called in the association's span.
    pub(super) fn begin(&self, arrival: &Arrival, requestor: Leg, upstream: Leg, answer: &[u8]) -> Open {
        let limits = &arrival.settings.limits;
        // What became of each proposed context is in the answer.
        let consent = consent(arrival, &self.grant);
        let grant = Grant { contexts: Vec::new(), peer: peer_of(&self.grant), ..self.grant.clone() };
        let ruleset = grant.peer.rewrite.as_ref().and_then(|name| arrival.settings.rewrites.get(name));
        let crosswalk = grant.peer.rewrite.as_ref().and_then(|name| arrival.in_force.crosswalk_of(name));
        // That of the association, which lies in that of the connection.
        let span = Span::current();
        let asking =
            crosswalk.map(|crosswalk| Arc::new(Asking { crosswalk: crosswalk.clone(), span: span.clone() }));
        let pace = arrival.gate.limiter.pace(&grant.peer);
        let deadlines = deadlines(arrival, &grant);
        let scope = looks_up(arrival, &grant, consent.clone());
        let user = arrival.proven_user().map(|user| user.name.clone());
        let viewer = Viewer { peer: grant.peer.name.clone(), user };
        let (peer, to) = (grant.peer.name.clone(), grant.upstream.clone());
        let terms = Terms {
            id: arrival.id.clone(),
            span,
            ruleset: ruleset.cloned(),
            crosswalk: asking.clone().map(|asking| asking as _),
            contexts: associate::accepted(&self.offered, &self.answered),
            frames: arrival.gate.decoders.corner(Arc::clone(&grant.peer.name)),
            waiting: Waiting {
                corner: arrival.gate.waiting.corner(Arc::clone(&grant.peer.name)),
                most: limits.held_data_set,
                recalled: Recalled::default(),
            },
            max_command_length: usize::try_from(limits.max_command_length).unwrap_or(usize::MAX),
            offered: limits.max_pdu_length,
            retrievals: retrievals(arrival, &grant),
            queries: queries(arrival, &grant, &viewer),
            brought: brought(arrival, &grant, &viewer),
            consent: consent.map(|asked| asked as _),
            grant,
        };
        let takes = [&self.answered.user, &self.requested.user].map(|user| user.maximum_length.unwrap_or(0));
        let machine = Machine::new(terms, takes, deadlines, answer, (Instant::now(), today()));
        let metrics = &arrival.gate.metrics;
        let meter = metrics.opened(&arrival.listener.name, &peer, &to);
        let (crosswalk, meter) = (asking, Box::new(meter));
        Open { machine, requestor, upstream, pace, crosswalk, scope, viewer, meter }
    }
}

/// Who is asked whether patients have consented, where the peer needs it.
fn consent(arrival: &Arrival, grant: &Grant) -> Option<Arc<Asked>> {
    let wanted = grant.peer.consent.as_deref()?;
    Some(Arc::new(arrival.in_force.consent_of(wanted)))
}

/// The peer, with a scope that looks whose each study is where patients are counted, or have to consent.
fn peer_of(grant: &Grant) -> Arc<Peer> {
    if !grant.rights.counts_patients() && grant.peer.consent.is_none() {
        return grant.peer.clone();
    }
    let scope = Arc::new(Scope::counting_patients(grant.peer.scope.as_deref()));
    Arc::new(Peer { scope: Some(scope), ..(*grant.peer).clone() })
}

/// How studies are looked up for a peer with a scope: as the peer itself is called, for the user whom the upstream is told of.
fn looks_up(arrival: &Arrival, grant: &Grant, consent: Option<Arc<Asked>>) -> Option<Arc<Way>> {
    let scope = grant.peer.scope.clone()?;
    let upstream = arrival.settings.upstreams.get(&grant.upstream)?.clone();
    let standing = arrival.gate.upstreams.standing(&upstream);
    let titles = [grant.calling.clone(), grant.called.clone()];
    let user = arrival.proven_user().filter(|_| upstream.user_identity == ForwardedIdentity::Replace);
    let user = user.map(|user| Arc::clone(&user.name));
    let way = Way::new(scope, upstream, standing, &arrival.settings.limits, titles, user);
    Some(Arc::new(way.with_consent(consent)))
}

/// Who counts the retrievals of peer and user, where they are limited.
fn retrievals(arrival: &Arrival, grant: &Grant) -> Option<IsWithin> {
    let is_limited = grant.rights.roles().any(|role| role.queries.max_retrievals_per_hour.is_some());
    let (gate, peer) = (Arc::clone(&arrival.gate), Arc::clone(&grant.peer.name));
    let user = arrival.proven_user().map(|user| Arc::clone(&user.name));
    is_limited.then(|| -> IsWithin {
        Box::new(move |allowed| gate.limiter.retrieval(&peer, user.as_ref(), allowed))
    })
}

/// Who knows whether queries may still be asked, where patients are counted.
fn queries(arrival: &Arrival, grant: &Grant, viewer: &Viewer) -> Option<IsWithin> {
    let (gate, viewer) = (Arc::clone(&arrival.gate), viewer.clone());
    let counts = grant.rights.counts_patients();
    counts.then(|| -> IsWithin { Box::new(move |most| gate.counting.may_ask(&viewer, most)) })
}

/// What the peer has stored, where a request for storage commitment asks about it.
fn brought(arrival: &Arrival, grant: &Grant, viewer: &Viewer) -> Option<Arc<dyn Remembers>> {
    let is_asked = grant.peer.scope.is_some() && grant.rights.operations().contains(&Operation::NAction);
    let upstream = arrival.settings.upstreams.get(&grant.upstream).filter(|_| is_asked)?;
    let whose = Whose {
        peer: viewer.peer.clone(),
        user: viewer.user.clone(),
        titles: [grant.calling.clone(), grant.called.clone()],
        upstream: upstream.name.clone(),
        archive: Archive::of(upstream),
    };
    Some(Arc::new(arrival.gate.brought.of(whose)))
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

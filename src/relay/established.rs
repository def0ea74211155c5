//! An association that both sides have agreed to, from its answer to its end.

use tokio::sync::Mutex as AsyncMutex;

use super::arrival::Arrival;
use super::association::{Association, Tally};
use super::early::Early;
use super::ended::{Ended, Side};
use super::exchange::Ledger;
use super::leg::Leg;
use super::progress::{Deadlines, Progress};
use super::pump::Half;
use super::records::Told;
use super::release::Release;
use super::upstream::Dialled;
use super::{associate, farewell, records};
use crate::policy::limits::AssociationPermit;
use crate::policy::{Direction, Grant};
use crate::wire::associate::{AssociateAc, AssociateRq};
use crate::wire::{AbortReason, Malformed, Packer};

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
    /// Records it; the A-ASSOCIATE-AC is all that is missing.
    pub async fn open(
        self,
        arrival: &Arrival,
        requestor: Leg,
        dialled: Dialled,
        answer: Vec<u8>,
        permit: AssociationPermit,
    ) -> Opened {
        let told = Box::new(records::opened(arrival, &self, &dialled).await);
        let association = Box::new(self.association(arrival, requestor, dialled.leg));
        tracing::info!(peer = %association.grant.peer.name, upstream = %association.grant.upstream, "association opened");
        Opened { association, told, permit, answer, early: self.early }
    }

    fn association(&self, arrival: &Arrival, requestor: Leg, upstream: Leg) -> Association {
        let limits = &arrival.settings.limits;
        // What became of each proposed context is in the answer.
        let grant = Grant { contexts: Vec::new(), ..self.grant.clone() };
        let ruleset = grant.peer.rewrite.as_ref().and_then(|name| arrival.settings.rewrites.get(name));
        let crosswalk = grant.peer.rewrite.as_ref().and_then(|name| arrival.settings.crosswalk_of(name));
        Association {
            gate: arrival.gate.clone(),
            id: arrival.id.clone(),
            ruleset: ruleset.cloned(),
            crosswalk: crosswalk.cloned(),
            contexts: associate::accepted(&self.offered, &self.answered),
            pace: arrival.gate.limiter.pace(&grant.peer),
            max_command_length: usize::try_from(limits.max_command_length).unwrap_or(usize::MAX),
            offered: limits.max_pdu_length,
            requestor,
            upstream,
            to_upstream: AsyncMutex::new(Packer::new(self.answered.user.maximum_length.unwrap_or(0))),
            to_requestor: AsyncMutex::new(Packer::new(self.requested.user.maximum_length.unwrap_or(0))),
            ledger: Ledger::default(),
            progress: Progress::new(),
            release: Release::default(),
            tally: Tally::default(),
            grant,
        }
    }
}

/// What an open association needs, and no more: it may wait for hours.
pub(crate) struct Opened {
    association: Box<Association>,
    told: Box<Told>,
    permit: AssociationPermit,
    answer: Vec<u8>,
    early: Early,
}

impl Opened {
    /// Answers, relays, and writes down how it ended.
    pub async fn serve(self, arrival: &Arrival) {
        let Self { association, told, permit, answer, early } = self;
        let ended = if early.is_silent() {
            relay(&association, arrival, answer).await
        } else {
            let what = "bytes before the A-ASSOCIATE-AC was sent";
            let malformed = Malformed::new(AbortReason::UnexpectedPdu, what);
            Ended::Protocol { side: Side::Requestor, malformed }
        };
        Box::pin(farewell::conclude(arrival, *association, ended, *told, permit)).await;
    }
}

/// Answers the requestor, then relays both directions, until one of them or a deadline ends it.
async fn relay(association: &Association, arrival: &Arrival, answer: Vec<u8>) -> Ended {
    let limits = &arrival.settings.limits;
    let (dimse, idle, release) = (limits.dimse_timeout, limits.idle_timeout, limits.release_timeout);
    let progress = &association.progress;
    let both = async {
        // A requestor that does not read its answer stalls as one that does not read a message.
        progress.under_way(&progress.to_requestor, true);
        if let Err(error) = association.requestor.write_pdu(&answer).await {
            return Ended::lost(Side::Requestor, &error);
        }
        drop(answer);
        progress.under_way(&progress.to_requestor, false);
        let mut from_peer = Half::new(association, Direction::FromPeer);
        let mut to_peer = Half::new(association, Direction::ToPeer);
        tokio::select! {
            ended = from_peer.run() => ended,
            ended = to_peer.run() => ended,
        }
    };
    tokio::select! {
        ended = both => ended,
        expired = progress.expired(Deadlines { dimse, idle, release }) => Ended::TimedOut { expired },
        () = arrival.gate.stopping() => Ended::Shutdown,
    }
}

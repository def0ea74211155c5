//! An association that both sides have agreed to, from its answer to its end.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::arrival::Arrival;
use super::asking::Asking;
use super::association::{Association, Tally};
use super::deadlines::Deadlines;
use super::early::Early;
use super::ended::{Ended, Side};
use super::exchange::Ledger;
use super::leg::Leg;
use super::progress::Progress;
use super::pump::Half;
use super::records::Told;
use super::release::Release;
use super::seldom::Seldom;
use super::upstream::Dialled;
use super::{associate, farewell};
use crate::crosswalk::Crosswalk;
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
    /// It is recorded; the A-ASSOCIATE-AC is all that is missing. Called in the association's span.
    pub fn open(
        self,
        arrival: &Arrival,
        requestor: Leg,
        dialled: Dialled,
        answer: Vec<u8>,
        (permit, told): (AssociationPermit, Told),
    ) -> Opened {
        let association = Box::new(self.association(arrival, requestor, dialled.leg));
        tracing::info!(peer = %association.grant.peer.name, upstream = %association.grant.upstream, "association opened");
        Opened { association, told: Box::new(told), permit, answer, early: self.early }
    }

    fn association(&self, arrival: &Arrival, requestor: Leg, upstream: Leg) -> Association {
        let limits = &arrival.settings.limits;
        // What became of each proposed context is in the answer.
        let grant = Grant { contexts: Vec::new(), ..self.grant.clone() };
        let ruleset = grant.peer.rewrite.as_ref().and_then(|name| arrival.settings.rewrites.get(name));
        let crosswalk = grant.peer.rewrite.as_ref().and_then(|name| arrival.settings.crosswalk_of(name));
        // That of the association, which lies in that of the connection.
        let span = Span::current();
        let asking = |crosswalk: &Arc<Crosswalk>| {
            Arc::new(Asking { crosswalk: crosswalk.clone(), span: span.clone() })
        };
        Association {
            gate: arrival.gate.clone(),
            id: arrival.id.clone(),
            span: span.clone(),
            ruleset: ruleset.cloned(),
            crosswalk: crosswalk.map(asking),
            contexts: associate::accepted(&self.offered, &self.answered),
            pace: arrival.gate.limiter.pace(&grant.peer),
            max_command_length: usize::try_from(limits.max_command_length).unwrap_or(usize::MAX),
            offered: limits.max_pdu_length,
            requestor,
            upstream,
            to_upstream: AsyncMutex::new(Packer::new(self.answered.user.maximum_length.unwrap_or(0))),
            to_requestor: AsyncMutex::new(Packer::new(self.requested.user.maximum_length.unwrap_or(0))),
            ledger: Ledger::default(),
            progress: Progress::new(Instant::now()),
            release: Release::default(),
            tally: Tally::default(),
            drains: AtomicBool::new(false),
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
        let span = association.span.clone();
        Box::pin(farewell::conclude(arrival, *association, ended, *told, permit).instrument(span)).await;
    }
}

/// Answers the requestor, then relays both directions, until one of them or a deadline ends it.
async fn relay(association: &Association, arrival: &Arrival, answer: Vec<u8>) -> Ended {
    let both = async {
        if let Err(ended) = accept(&association.requestor, &association.progress, &answer).await {
            return ended;
        }
        drop(answer);
        let mut from_peer = Half::new(association, Direction::FromPeer);
        let mut to_peer = Half::new(association, Direction::ToPeer);
        first_of(pin!(from_peer.run()), pin!(to_peer.run())).await
    };
    let (mut both, interrupted) = (pin!(both), pin!(interrupted(association, arrival)));
    // What is always busy may use up the share of work that the runtime gives to a task; a stop needs none of it.
    let mut interrupted = Seldom::new(tokio::task::unconstrained(interrupted));
    poll_fn(|cx| {
        association.progress.woken(Instant::now());
        // First what has come: a proxy that could not run for a while has not been waiting in vain.
        match both.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(ended),
            Poll::Pending => match Pin::new(&mut interrupted).poll(cx) {
                Poll::Pending if association.may_end() => Poll::Ready(Ended::Drained),
                interrupted => interrupted,
            },
        }
    })
    .await
}

/// Writes the A-ASSOCIATE-AC. A requestor that does not read it stalls as one that does not read a message.
async fn accept(requestor: &Leg, progress: &Progress, answer: &[u8]) -> Result<(), Ended> {
    progress.under_way(&progress.to_requestor, true);
    let written = requestor.write_pdu(answer).await;
    progress.under_way(&progress.to_requestor, false);
    written.map_err(|error| Ended::lost(Side::Requestor, &error))
}

/// Returns once a deadline has passed or dimsegate has to stop.
async fn interrupted(association: &Association, arrival: &Arrival) -> Ended {
    let deadlines = deadlines(association, arrival);
    let drained = async {
        arrival.gate.draining().await;
        association.drains.store(true, Ordering::Relaxed);
        std::future::pending().await
    };
    tokio::select! {
        expired = association.progress.expired(deadlines, || association.outlook()) => Ended::TimedOut { expired },
        () = arrival.gate.stopping() => Ended::Shutdown,
        ended = drained => ended,
    }
}

/// The limits that hold for this peer and this upstream.
fn deadlines(association: &Association, arrival: &Arrival) -> Deadlines {
    let (settings, grant) = (&arrival.settings, &association.grant);
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

/// Runs both halves until one ends. At each wake-up both go on, since a socket wakes the task and not the half that
/// waits for it. They take turns at being the first, since the first may use up the share of work of the task.
async fn first_of<H: Future>(mut one: Pin<&mut H>, mut other: Pin<&mut H>) -> H::Output {
    poll_fn(|cx| {
        std::mem::swap(&mut one, &mut other);
        match one.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(ended),
            Poll::Pending => other.as_mut().poll(cx),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::{Leg, Progress, accept, first_of};
    use crate::relay::deadlines::{Deadlines, Expired, Outlook};
    use std::time::Duration;
    use tokio::time::Instant;

    /// How much of an answer a kernel takes for a peer that does not read is the kernel's business; here it is nothing more.
    #[test]
    fn an_answer_that_the_requestor_does_not_read_is_under_way_until_a_deadline() {
        let began = Instant::now();
        let (leg, _requestor) = tokio::io::duplex(64);
        let (leg, progress) = (Leg::new(Box::new(leg)), Progress::new(began));
        let mut accepting = pin!(accept(&leg, &progress, &[7; 65]));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(accepting.as_mut().poll(&mut cx).is_pending());
        progress.woken(began + Duration::from_secs(61));
        let (dimse, idle) = (Duration::from_secs(60), Duration::from_secs(30));
        let response = [Duration::from_secs(3600); 2];
        let deadlines = Deadlines { dimse, min_bytes_per_second: 0, response, idle, release: idle };
        let expired = pin!(progress.expired(deadlines, Outlook::default));
        assert_eq!(expired.poll(&mut cx), Poll::Ready(Expired::Dimse));
    }

    #[test]
    fn both_halves_go_on_at_each_wake_up_and_take_turns_at_being_the_first() {
        let looks = RefCell::new(String::new());
        let half = |name| {
            let looks = &looks;
            poll_fn(move |_| {
                looks.borrow_mut().push(name);
                Poll::<()>::Pending
            })
        };
        let (one, other) = (pin!(half('a')), pin!(half('b')));
        let mut both = pin!(first_of(one, other));
        for _ in 0..3 {
            assert!(both.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(*looks.borrow(), "baabba");
    }
}

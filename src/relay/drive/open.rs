//! What an open association is made of.

use std::sync::Arc;

use crate::metrics::Meter;
use crate::policy::Direction;
use crate::policy::limits::Pace;
use crate::relay::asking::Asking;
use crate::relay::counting::Viewer;
use crate::relay::leg::Leg;
use crate::relay::looking_up::Way;
use crate::relay::machine::{Entry, Machine, Side, sender};

/// What an open association is made of.
pub(in crate::relay) struct Open {
    pub machine: Machine,
    pub requestor: Leg,
    pub upstream: Leg,
    pub pace: Pace,
    pub crosswalk: Option<Arc<Asking>>,
    /// How studies are looked up, and patients asked about, where the peer may see some only.
    pub scope: Option<Arc<Way>>,
    /// For whom patients are counted.
    pub viewer: Viewer,
    pub meter: Box<Meter>,
}

impl Open {
    /// Counts an operation that is over, and what has moved by then.
    pub(super) fn count(&mut self, entry: &Entry) {
        self.meter.done(&entry.done);
        self.meter.moved([self.requestor.received(), self.requestor.sent()]);
    }

    /// An operation is over, or the association.
    pub(in crate::relay) fn rest(&self) {
        if let Some(way) = &self.scope {
            way.rest();
        }
    }

    /// Bytes read and written so far, those on their way to the upstream first.
    pub(super) fn moved(&self) -> [u64; 2] {
        let Self { requestor, upstream, .. } = self;
        [
            requestor.received().saturating_add(upstream.sent()),
            upstream.received().saturating_add(requestor.sent()),
        ]
    }

    /// Whoever waits for a peer to close reads on.
    pub(in crate::relay) fn take_back(&mut self) {
        for direction in [Direction::FromPeer, Direction::ToPeer] {
            let Self { machine, requestor, upstream, .. } = self;
            let leg = if sender(direction) == Side::Requestor { requestor } else { upstream };
            leg.take_back(machine.inbox(direction));
        }
    }
}

//! What is counted of one association: each counter found once, and then only added to.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

use super::Metrics;
use super::instruments::Seconds;
use crate::dimse::Operation;
use crate::vocabulary::Ended;

/// How an operation ended, as its last response says; each is a label of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As was asked.
    Success,
    /// With a warning.
    Warning,
    /// With a failure, or without an answer.
    Failure,
    /// By the policy, or because it cannot be done through the proxy.
    Refused,
}

impl Outcome {
    /// As records call it.
    const fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Failure => "failure",
            Self::Refused => "refused",
        }
    }
}

/// An operation that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// `None`: of no service that PS3.7 defines.
    pub operation: Option<Operation>,
    /// How.
    pub outcome: Outcome,
    /// From its command set to its last response.
    pub took: Duration,
    /// How long the requestor was waited for, and how long the upstream.
    pub waited: [Duration; 2],
}

/// Kinds of operations, with what is none, and ways to end.
const SLOTS: usize = (Operation::ALL.len() + 1) * 4;

/// Counts for one association, with the counters of its peer at hand, so that an operation looks up no label.
#[derive(Debug)]
pub struct Meter {
    metrics: Arc<Metrics>,
    listener: Arc<str>,
    peer: Arc<str>,
    operations: [Option<Counter>; SLOTS],
    traffic: [Counter; 2],
    /// Bytes that are counted already.
    counted: [u64; 2],
    waiting: [Seconds; 2],
    stores: Option<Histogram>,
}

impl Meter {
    pub(super) fn new(metrics: Arc<Metrics>, listener: Arc<str>, peer: Arc<str>) -> Self {
        let of_peer = ("peer", peer.clone());
        let traffic = ["in", "out"].map(|direction| {
            metrics.traffic.get_or_create_owned(&[of_peer.clone(), ("direction", direction.into())])
        });
        let waiting = ["requestor", "upstream"]
            .map(|leg| metrics.waiting.get_or_create_owned(&[of_peer.clone(), ("leg", leg.into())]));
        let operations = [const { None }; SLOTS];
        Self { metrics, listener, peer, operations, traffic, counted: [0; 2], waiting, stores: None }
    }

    /// Counts an operation whose last response has gone: how it ended, how long it took, and its bytes.
    pub fn done(&mut self, done: &Done) {
        let kind = done.operation.map_or(Operation::ALL.len(), |operation| operation as usize);
        let (metrics, peer) = (&self.metrics, &self.peer);
        if let Some(slot) = self.operations.get_mut(kind * 4 + done.outcome as usize) {
            let name = done.operation.map_or("unrecognized", Operation::name);
            let find = || {
                let outcome = ("outcome", done.outcome.label().into());
                metrics.operations.get_or_create_owned(&[
                    ("peer", peer.clone()),
                    ("operation", name.into()),
                    outcome,
                ])
            };
            slot.get_or_insert_with(find).inc();
        }
        for (counter, waited) in self.waiting.iter().zip(done.waited) {
            if !waited.is_zero() {
                counter.inc_by(waited.as_secs_f64());
            }
        }
        if done.operation == Some(Operation::CStore) {
            let find = || metrics.stores.get_or_create_owned(&[("peer", peer.clone())]);
            self.stores.get_or_insert_with(find).observe(done.took.as_secs_f64());
        }
    }

    /// So many bytes have been received from the requestor since the beginning, and sent to it.
    pub fn moved(&mut self, bytes: [u64; 2]) {
        for ((counter, counted), bytes) in self.traffic.iter().zip(&mut self.counted).zip(bytes) {
            counter.inc_by(bytes.saturating_sub(*counted));
            *counted = bytes;
        }
    }

    /// Counts the association as closed, by how it ended.
    pub fn closed(&self, ended: Ended) {
        let ended = ("ended", ended.label().into());
        let labels = [("listener", self.listener.clone()), ("peer", self.peer.clone()), ended];
        self.metrics.closed.get_or_create(&labels).inc();
    }
}

//! What is counted as it happens, and how all of it is written.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Levels, Meter};

/// The `peer` of whoever is none.
pub const NONE: &str = "none";

/// Upper bounds of buckets, in seconds: from a switch in the same room to a study over a slow line.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];

pub(super) type Labels<const N: usize> = [(&'static str, Arc<str>); N];
pub(super) type Counters<const N: usize> = Family<Labels<N>, Counter>;
pub(super) type Seconds = Counter<f64, AtomicU64>;
type Histograms = Family<Labels<1>, Histogram, fn() -> Histogram>;

/// Everything that is counted as it happens.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    opened: Counters<3>,
    refused: Counters<3>,
    pub(super) closed: Counters<3>,
    pub(super) operations: Counters<3>,
    pub(super) traffic: Counters<2>,
    pub(super) waiting: Family<Labels<2>, Seconds>,
    handshakes: Histograms,
    negotiations: Histograms,
    dials: Histograms,
    pub(super) stores: Histograms,
    reloads: Counters<1>,
}

impl Default for Metrics {
    fn default() -> Self {
        let histograms = || Histograms::new_with_constructor(|| Histogram::new(SECONDS));
        let mut metrics = Self {
            registry: Registry::with_prefix("dimsegate"),
            opened: Family::default(),
            refused: Family::default(),
            closed: Family::default(),
            operations: Family::default(),
            traffic: Family::default(),
            waiting: Family::default(),
            handshakes: histograms(),
            negotiations: histograms(),
            dials: histograms(),
            stores: histograms(),
            reloads: Family::default(),
        };
        metrics.register();
        // An alert that waits for the first refusal has to see it come.
        for result in [true, false] {
            drop(metrics.reloads.get_or_create(&reloaded(result)));
        }
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let opened = "Associations that were accepted";
        registry.register("associations_opened", opened, self.opened.clone());
        let refused = "Connections and associations that were refused, by the reason of their records";
        registry.register("associations_refused", refused, self.refused.clone());
        let closed = "Associations that have ended, by how their records say they ended";
        registry.register("associations_closed", closed, self.closed.clone());
        let operations = "Operations that are over";
        registry.register("operations", operations, self.operations.clone());
        let traffic = "Bytes received from requestors (in) and sent to them (out), counted at the end of each operation and association";
        registry.register_with_unit("traffic", traffic, Unit::Bytes, self.traffic.clone());
        let waiting = "Time that operations waited for a leg: for the rest of a request that it sends, or for its last response";
        registry.register_with_unit("waiting", waiting, Unit::Seconds, self.waiting.clone());
        let histograms = [
            ("tls_handshake", "TLS handshakes with requestors that succeeded", &self.handshakes),
            (
                "negotiation",
                "From a request for an association to its acceptance, the dial included",
                &self.negotiations,
            ),
            ("dial", "From the first address of an upstream to a connection, TLS included", &self.dials),
            ("store", "From the command set of a C-STORE to its response", &self.stores),
        ];
        for (name, help, histogram) in histograms {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
        let reloads = "Configurations that were put into force by a reload (in-force), or refused (refused)";
        registry.register("configuration_reloads", reloads, self.reloads.clone());
    }

    /// An association was accepted. What it does from then on is for its meter.
    pub fn opened(self: &Arc<Self>, listener: &Arc<str>, peer: &Arc<str>, upstream: &Arc<str>) -> Meter {
        let upstream = ("upstream", upstream.clone());
        let labels = [("listener", listener.clone()), ("peer", peer.clone()), upstream];
        self.opened.get_or_create(&labels).inc();
        Meter::new(self.clone(), listener.clone(), peer.clone())
    }

    /// A connection or an association was refused; `reason` is a label of the vocabulary.
    pub fn refused(&self, listener: &Arc<str>, peer: Option<&str>, reason: &'static str) {
        let peer = ("peer", peer.unwrap_or(NONE).into());
        self.refused.get_or_create(&[("listener", listener.clone()), peer, ("reason", reason.into())]).inc();
    }

    /// A handshake with a requestor succeeded.
    pub fn shook_hands(&self, listener: &Arc<str>, took: Duration) {
        observe(&self.handshakes, ("listener", listener), took);
    }

    /// An association was agreed on with an upstream.
    pub fn negotiated(&self, upstream: &Arc<str>, took: Duration) {
        observe(&self.negotiations, ("upstream", upstream), took);
    }

    /// An upstream was connected to.
    pub fn dialled(&self, upstream: &Arc<str>, took: Duration) {
        observe(&self.dials, ("upstream", upstream), took);
    }

    /// Another configuration is in force, or was refused.
    pub fn reloaded(&self, is_in_force: bool) {
        self.reloads.get_or_create(&reloaded(is_in_force)).inc();
    }

    /// All of it in the text format of OpenMetrics, with what is so now.
    pub fn render(&self, levels: &Levels) -> String {
        let mut text = String::with_capacity(16 << 10);
        let now = levels.registry();
        // A string takes whatever is written to it.
        let _ = encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &now))
            .and_then(|()| encode_eof(&mut text));
        text
    }
}

fn observe(histograms: &Histograms, (key, value): (&'static str, &Arc<str>), took: Duration) {
    histograms.get_or_create(&[(key, value.clone())]).observe(took.as_secs_f64());
}

fn reloaded(is_in_force: bool) -> Labels<1> {
    [("result", if is_in_force { "in-force" } else { "refused" }.into())]
}

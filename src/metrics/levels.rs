//! What is looked up when somebody asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::instruments::{Counters, Labels};

type Gauges<const N: usize> = Family<Labels<N>, Gauge>;

/// What is measured when somebody asks, beside what is counted all along: the state of the process at one moment.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// Of the program.
    pub version: &'static str,
    /// Of the configuration in force.
    pub digest: Arc<str>,
    /// When the process began, Unix time in seconds.
    pub began: f64,
    /// No new connections are taken.
    pub is_draining: bool,
    /// Those that are open.
    pub associations: Vec<Association>,
    /// What may be taken, and is.
    pub limits: Vec<Limit>,
    /// Certificates and revocation lists.
    pub ends: Vec<Ending>,
    /// Looks whether the proxy is there.
    pub health_checks: u64,
    /// Records on the disk since the start.
    pub records_written: u64,
    /// Records that there was no room for since the start.
    pub records_lost: u64,
    /// Records that wait to be written.
    pub records_waiting: u64,
    /// Whether the last write of records succeeded.
    pub records_writable: bool,
    /// Where records go besides.
    pub destinations: Vec<Destination>,
    /// Where associations lead.
    pub upstreams: Vec<Upstream>,
}

/// How an `[[upstream]]` stands at this moment.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// As the configuration calls it.
    pub name: Arc<str>,
    /// Addresses that are up.
    pub up: usize,
    /// Addresses that are known.
    pub addresses: usize,
}

/// An association that is open.
#[derive(Clone, Debug)]
pub struct Association {
    /// Whose it is.
    pub peer: Arc<str>,
    /// Where it leads.
    pub upstream: Arc<str>,
}

/// Something of which there may be only so many.
#[derive(Clone, Debug)]
pub struct Limit {
    /// The key of the configuration, or what it is of the process.
    pub key: &'static str,
    /// Whose limit it is; `None`: that of all.
    pub peer: Option<Arc<str>>,
    /// Taken now.
    pub used: u64,
    /// The most; `None`: as much as the system gives.
    pub allowed: Option<u64>,
}

/// When something is no longer good.
#[derive(Clone, Debug)]
pub struct Ending {
    /// `certificate` or `revocation-list`.
    pub kind: &'static str,
    /// The table that names the file.
    pub table: Arc<str>,
    /// The file.
    pub file: Arc<str>,
    /// Seconds from now, negative once it is past.
    pub seconds: i64,
}

/// How far a repository has been sent the records.
#[derive(Clone, Debug)]
pub struct Destination {
    /// As the configuration calls it.
    pub name: Arc<str>,
    /// Whether the last attempt succeeded.
    pub is_connected: bool,
    /// Records that do not count as delivered yet.
    pub records: u64,
    /// Age of the oldest of them, in seconds.
    pub seconds: u64,
    /// Messages since the start.
    pub sent: u64,
    /// Of those, refused.
    pub refused: u64,
    /// Connections that failed or broke.
    pub failures: u64,
}

impl Levels {
    /// All of it, to be written once.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("dimsegate");
        self.process(&mut registry);
        self.associations(&mut registry);
        self.limits(&mut registry);
        self.ends(&mut registry);
        self.records(&mut registry);
        self.destinations(&mut registry);
        self.upstreams(&mut registry);
        registry
    }

    fn upstreams(&self, registry: &mut Registry) {
        let (is_up, down) = (Gauges::<1>::default(), Gauges::<1>::default());
        for Upstream { name, up, addresses } in &self.upstreams {
            let labels = [("upstream", name.clone())];
            set(&is_up, &labels, i64::from(*up > 0));
            set(&down, &labels, clamped(addresses.saturating_sub(*up) as u64));
        }
        registry.register("upstream_up", "1 where an address of the upstream is up", is_up);
        registry.register("upstream_addresses_down", "Addresses of the upstream that are not up", down);
    }

    fn process(&self, registry: &mut Registry) {
        registry.register("build", "The program", Info::new([("version", self.version)]));
        let digest = Info::new([("digest", self.digest.to_string())]);
        registry.register("configuration", "The configuration in force", digest);
        let began = Gauge::<f64, AtomicU64>::default();
        began.set(self.began);
        let help = "When the process began, Unix time";
        registry.register_with_unit("start_time", help, Unit::Seconds, began);
        let draining = gauge(u64::from(self.is_draining));
        registry.register("draining", "1 once no new connections are taken", draining);
        let checks = counter(self.health_checks);
        registry.register("health_checks", "Connections that only looked whether the proxy is there", checks);
    }

    fn associations(&self, registry: &mut Registry) {
        let open = Gauges::<2>::default();
        let mut counts = BTreeMap::new();
        for Association { peer, upstream } in &self.associations {
            *counts.entry((peer, upstream)).or_insert(0) += 1;
        }
        for ((peer, upstream), count) in counts {
            set(&open, &[("peer", peer.clone()), ("upstream", upstream.clone())], count);
        }
        registry.register("associations_open", "Associations that are open", open);
    }

    fn limits(&self, registry: &mut Registry) {
        let (used, allowed) = (Gauges::<2>::default(), Gauges::<2>::default());
        for limit in &self.limits {
            let peer = limit.peer.clone().unwrap_or_else(|| super::NONE.into());
            let labels = [("limit", limit.key.into()), ("peer", peer)];
            set(&used, &labels, clamped(limit.used));
            if let Some(most) = limit.allowed {
                set(&allowed, &labels, clamped(most));
            }
        }
        let help = "Taken now of what a limit allows; of a peer's own limits with the peer, else with none";
        registry.register("limit_used", help, used);
        registry.register("limit_allowed", "What a limit allows", allowed);
    }

    fn ends(&self, registry: &mut Registry) {
        let ends = Gauges::<3>::default();
        let mut first = BTreeMap::new();
        for Ending { kind, table, file, seconds } in &self.ends {
            let earliest = first.entry((*kind, table, file)).or_insert(*seconds);
            *earliest = (*earliest).min(*seconds);
        }
        for ((kind, table, file), seconds) in first {
            set(&ends, &[("kind", kind.into()), ("table", table.clone()), ("file", file.clone())], seconds);
        }
        let help =
            "Time to the first end of a certificate or revocation list in a file, negative once it is past";
        registry.register_with_unit("ends_in", help, Unit::Seconds, ends);
    }

    fn records(&self, registry: &mut Registry) {
        registry.register(
            "records_written",
            "Records on the disk since the start",
            counter(self.records_written),
        );
        let lost = counter(self.records_lost);
        registry.register("records_lost", "Records that there was no room for since the start", lost);
        let waiting = gauge(self.records_waiting);
        registry.register("records_waiting", "Records that wait to be written", waiting);
        let writable = gauge(u64::from(self.records_writable));
        registry.register("records_writable", "1 unless the last write of records failed", writable);
    }

    fn destinations(&self, registry: &mut Registry) {
        let gauges = |value: fn(&Destination) -> u64| {
            self.family(value, |family: &Gauges<1>, labels, value| set(family, labels, clamped(value)))
        };
        let counters = |value: fn(&Destination) -> u64| {
            self.family(value, |family: &Counters<1>, labels, value| {
                family.get_or_create(labels).inc_by(value);
            })
        };
        let connected = gauges(|to| u64::from(to.is_connected));
        registry.register(
            "forwarding_connected",
            "1 where the last attempt to reach a repository succeeded",
            connected,
        );
        let behind = gauges(|to| to.records);
        registry.register("forwarding_behind_records", "Records that a repository has not had yet", behind);
        let age = gauges(|to| to.seconds);
        registry.register_with_unit(
            "forwarding_behind",
            "Age of the oldest record that a repository has not had yet",
            Unit::Seconds,
            age,
        );
        registry.register("forwarding_sent", "Messages sent to a repository", counters(|to| to.sent));
        registry.register(
            "forwarding_refused",
            "Messages that a repository refused",
            counters(|to| to.refused),
        );
        let failures = counters(|to| to.failures);
        registry.register(
            "forwarding_failures",
            "Connections to a repository that failed or broke",
            failures,
        );
    }

    fn family<F: Default>(&self, value: fn(&Destination) -> u64, add: impl Fn(&F, &Labels<1>, u64)) -> F {
        let family = F::default();
        for to in &self.destinations {
            add(&family, &[("repository", to.name.clone())], value(to));
        }
        family
    }
}

fn set<const N: usize>(gauges: &Gauges<N>, labels: &Labels<N>, value: i64) {
    gauges.get_or_create(labels).set(value);
}

fn gauge(value: u64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(clamped(value));
    gauge
}

fn counter(value: u64) -> Counter {
    let counter = Counter::default();
    counter.inc_by(value);
    counter
}

fn clamped(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

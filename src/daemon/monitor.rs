//! How the proxy stands now, for whoever watches it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};
use time::OffsetDateTime;

use crate::audit::forward::Deliveries;
use crate::config::Settings;
use crate::metrics::{Association, Destination, Ending, Levels, Limit, Upstream};
use crate::relay::{Gate, Stage, UpstreamState};
use crate::tls::EndKind;

/// Sees how the proxy stands, for as long as anybody asks; cheap to clone.
#[derive(Clone)]
pub(super) struct Monitor {
    gate: Arc<Gate>,
    forwarding: Deliveries,
    began: SystemTime,
}

impl Monitor {
    pub(super) fn new(gate: Arc<Gate>, forwarding: Deliveries) -> Self {
        Self { gate, forwarding, began: SystemTime::now() }
    }

    /// All metrics, in the text format of OpenMetrics. Waits for /proc.
    pub(super) fn metrics(&self) -> String {
        self.gate.metrics.render(&self.levels())
    }

    /// Why an association would be refused now, whoever asks for it.
    pub(super) fn hindrances(&self) -> Vec<&'static str> {
        let upstreams = self.gate.upstreams.states();
        let all_down = !upstreams.is_empty() && upstreams.iter().all(|one| !one.availability.is_up());
        let hindrances = [
            (self.is_draining(), "it is told to stop, and takes no new connections"),
            (!self.gate.audit.admits(), "records cannot be written"),
            (all_down, "no upstream is up"),
        ];
        hindrances.into_iter().filter(|(hinders, _)| *hinders).map(|(_, why)| why).collect()
    }

    fn is_draining(&self) -> bool {
        *self.gate.stage.borrow() != Stage::Running
    }

    fn levels(&self) -> Levels {
        let settings = self.gate.in_force.load().settings.clone();
        let records = self.gate.audit.flow();
        let open = self.gate.live.list();
        Levels {
            version: env!("CARGO_PKG_VERSION"),
            digest: settings.digest.as_str().into(),
            began: self.began.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()),
            is_draining: self.is_draining(),
            associations: open
                .iter()
                .map(|entry| Association {
                    peer: entry.facts.peer.clone(),
                    upstream: entry.facts.upstream.clone(),
                })
                .collect(),
            limits: self.limits(&settings),
            ends: ends(&settings),
            health_checks: self.gate.health_checks.load(Ordering::Relaxed),
            records_written: records.written,
            records_lost: records.lost,
            records_waiting: records.waiting as u64,
            records_writable: records.is_writable,
            destinations: self.destinations(),
            upstreams: self.upstreams(),
        }
    }

    fn limits(&self, settings: &Settings) -> Vec<Limit> {
        let (limiter, counts) = (&self.gate.limiter, &settings.limits.counts);
        let of_all = |key, used, allowed| Limit { key, peer: None, used, allowed };
        let [reading, may_be_read] = limiter.request_memory();
        let decoding = settings.limits.decoding_memory.all();
        let mut limits = vec![
            of_all(
                "max-associations",
                limiter.open_associations().into(),
                Some(counts.max_associations.into()),
            ),
            of_all("connections", limiter.open_connections().into(), Some(counts.max_connections().into())),
            of_all("request-memory", reading, Some(may_be_read)),
            of_all("decoding-memory", self.gate.decoders.taken(), Some(decoding)),
            of_all("held-data-sets", self.gate.waiting.taken() as u64, Some(settings.limits.held_data_sets)),
        ];
        // Those of the process tell one tenant of what the others do.
        if settings.tenant.is_none() {
            let allowed = getrlimit(Resource::Nofile).current;
            limits.push(of_all("descriptors", open_descriptors(), allowed));
        }
        limits.extend(settings.policy.peers.iter().filter_map(|peer| {
            let used = limiter.open_associations_of(peer).into();
            let allowed = Some(peer.max_associations?.into());
            Some(Limit { key: "max-associations", peer: Some(peer.name.clone()), used, allowed })
        }));
        limits
    }

    fn upstreams(&self) -> Vec<Upstream> {
        let upstream = |state: UpstreamState| Upstream {
            up: state.up(),
            addresses: state.addresses.len(),
            name: state.name,
        };
        self.gate.upstreams.states().into_iter().map(upstream).collect()
    }

    fn destinations(&self) -> Vec<Destination> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let deliveries = self.forwarding.now().into_iter();
        let destination = |(name, delivery): (Arc<str>, crate::audit::forward::Delivery)| Destination {
            name,
            is_connected: delivery.connected,
            records: delivery.backlog_records,
            seconds: if delivery.oldest == 0 { 0 } else { now.saturating_sub(delivery.oldest) },
            sent: delivery.sent,
            refused: delivery.refused,
            failures: delivery.failures,
        };
        deliveries.map(destination).collect()
    }
}

/// File descriptors of the process, that of the look at them among them. Waits for /proc.
pub(crate) fn open_descriptors() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |open| open.count() as u64)
}

fn ends(settings: &Settings) -> Vec<Ending> {
    let now = OffsetDateTime::now_utc();
    let ending = |(table, end): &(String, crate::tls::End)| Ending {
        kind: match end.kind {
            EndKind::Certificate => "certificate",
            EndKind::RevocationList => "revocation-list",
        },
        table: table.as_str().into(),
        file: end.file.display().to_string().into(),
        seconds: (end.at - now).whole_seconds(),
    };
    settings.ends.iter().map(ending).collect()
}

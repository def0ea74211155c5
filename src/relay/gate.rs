//! What all associations share: the configuration in force, the records, the limits, the buffers.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};

use super::brought::Brought;
use super::counting::Counting;
use super::decoding::Decoders;
use super::ids::Ids;
use super::in_force::InForce;
use super::live::Live;
use super::looking_up::LookingUp;
use super::people::People;
use super::proving::Proving;
use super::recent::Recent;
use super::refusals::Refusals;
use super::repeated::Repeated;
use super::slots::Slots;
use super::tokens::Tokens;
use super::upstream::{Check, Upstreams};
use crate::audit::Audit;
use crate::buffer::Shelf;
use crate::metrics::Metrics;
use crate::policy::Blocks;
use crate::policy::limits::Limiter;
use crate::trace::Traces;

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Running,
    /// No new connections; open associations go on with what is under way, and no further.
    Draining,
    /// The grace period is over.
    Stopping,
}

pub(crate) struct Gate {
    /// Each association takes it once, when it begins, and keeps it.
    pub in_force: ArcSwap<InForce>,
    pub audit: Audit,
    pub limiter: Limiter,
    /// Places for connections.
    pub slots: Slots,
    /// The gates of the tenants, by name, where this is that of the machine they are on: whoever comes to an address that
    /// several of them have is handed on to one, and nobody is handed back.
    pub tenants: ArcSwap<BTreeMap<Arc<str>, Arc<Gate>>>,
    /// Whom an administrator has shut out; asked at each decision.
    pub blocks: Arc<ArcSwap<Blocks>>,
    pub decoders: Decoders,
    /// Where beginnings of data sets lie that wait for what they depend on.
    pub waiting: Arc<Shelf>,
    /// Studies that are asked about for peers with a scope.
    pub looking_up: LookingUp,
    /// What such peers have stored.
    pub brought: Arc<Brought>,
    pub refusals: Arc<Refusals>,
    /// What is counted against whoever was refused.
    pub repeated: Repeated,
    pub live: Live,
    /// How often open associations were asked about again.
    pub rounds: AtomicU64,
    /// User identities that are checked now.
    pub proving: Proving,
    /// Held while one association is asked about again.
    pub judging: Mutex<()>,
    /// Whoever keeps the hours of roles and the time of users has to look again.
    pub hours: Arc<Notify>,
    pub recent: Recent,
    pub upstreams: Upstreams,
    pub traces: Arc<Traces>,
    pub stage: watch::Receiver<Stage>,
    /// Associations that were aborted because the grace period ended.
    pub aborted: AtomicU64,
    /// Connections that only looked whether the proxy is there.
    pub health_checks: AtomicU64,
    pub metrics: Arc<Metrics>,
    /// Tokens that are checked, and those that were taken.
    pub tokens: Tokens,
    /// Patients whom somebody sees today.
    pub counting: Counting,
    /// Those of `[users]`, for requestors and for the administration interface.
    pub people: Arc<People>,
    ids: Ids,
}

impl Gate {
    pub(crate) fn new(in_force: InForce, audit: Audit, stage: watch::Receiver<Stage>, check: Check) -> Self {
        let limits = &in_force.settings.limits;
        let limiter = Limiter::new(limits.counts);
        let slots = Slots::new(&in_force.settings);
        let decoders = Decoders::new(limits);
        let waiting = Shelf::new(limits.all_held(), 0);
        let hours = Arc::<Notify>::default();
        let tokens = Tokens::new(&in_force.settings.state_directory);
        let counting = Counting::new(&in_force.settings.state_directory);
        Self {
            in_force: ArcSwap::new(Arc::new(in_force)),
            live: Live::default(),
            rounds: AtomicU64::new(0),
            proving: Proving::default(),
            judging: Mutex::default(),
            recent: Recent::default(),
            traces: Arc::default(),
            upstreams: Upstreams::new(audit.clone(), check),
            refusals: Arc::new(Refusals::new(audit.clone())),
            repeated: Repeated::default(),
            audit,
            limiter,
            slots,
            tenants: ArcSwap::default(),
            blocks: Arc::default(),
            decoders,
            waiting,
            looking_up: LookingUp::default(),
            brought: Arc::default(),
            stage,
            aborted: AtomicU64::new(0),
            health_checks: AtomicU64::new(0),
            metrics: Arc::default(),
            tokens,
            counting,
            people: Arc::new(People::new(hours.clone())),
            hours,
            ids: Ids::new(),
        }
    }

    /// How long messages under way have, when the proxy stops or their association is ordered to end.
    pub(crate) fn grace(&self) -> Duration {
        self.in_force.load().settings.limits.grace
    }

    /// An id that no other connection has, of this run or of any other: what ties records and log together.
    pub(crate) fn next_id(&self) -> Arc<str> {
        self.ids.next()
    }

    /// Waits until no more connections are taken, and what is idle ends.
    pub(crate) async fn draining(&self) {
        let mut stage = self.stage.clone();
        // The sender lives as long as the proxy; without it there is nothing to go on for.
        let _ = stage.wait_for(|stage| *stage != Stage::Running).await;
    }

    /// Waits until open associations have to end.
    pub(crate) async fn stopping(&self) {
        let mut stage = self.stage.clone();
        // The sender lives as long as the proxy; without it there is nothing to go on for.
        let _ = stage.wait_for(|stage| *stage == Stage::Stopping).await;
    }
}

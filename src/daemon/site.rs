//! One site: rules and all that is theirs alone, from its records to its limits. A configuration without tenants is one; one with
//! them is one for each, and one of the machine, to which everybody comes of whom it is not known yet whose they are.
//!
//! Nothing is handed from one to another but a connection, once, by [`relay`]: from the machine to a tenant.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::in_turn::InTurn;
use super::{Blocking, StartError, endings, fetching, hours, state, telling, told};
use crate::audit::forward::{Deliveries, Forwarding};
use crate::audit::{self, Audit, AuditError, AuditTask, Event, SecurityAlert, Stopped};
use crate::config::Settings;
use crate::files::Lock;
use crate::relay::{self, Bound, Gate, InForce, Order, Stage, When};
use crate::vocabulary::Reason;

/// How long what is told by the minute may take to end: a look at a disk that hangs has no end.
const LAST_PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks whether anybody is there still.
const GLANCE: Duration = Duration::from_millis(50);

/// The records of one, begun.
pub(super) struct Trail {
    pub settings: Arc<Settings>,
    /// What is risky in them.
    pub risks: usize,
    pub audit: Audit,
    task: AuditTask,
}

impl Trail {
    /// Begins to keep records.
    ///
    /// # Errors
    /// As [`Audit::start`].
    pub(super) fn begin(settings: Arc<Settings>, risks: usize) -> Result<Self, AuditError> {
        // Nothing is closed or deleted before the forwarders have said what they still have to read.
        let names = settings.forwarding.iter().map(|destination| destination.name.clone());
        settings.audit.keeping.hold.expect(names);
        let (audit, task) = Audit::start(settings.audit.clone())?;
        Ok(Self { settings, risks, audit, task })
    }

    /// Ends the records in good order: the next run would take a start that failed for a crash.
    pub(super) async fn give_up(self, began: Instant, why: &str) {
        self.audit.hurry();
        // Whoever is one of several is not told what is wrong with another.
        let why = if self.settings.tenant.is_some() { "cannot start" } else { why };
        let stopped = Stopped {
            reason: why.to_owned().into(),
            aborted: 0,
            health_checks: None,
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        self.audit.record(Event::Stopped(stopped)).await;
        self.task.close().await;
    }
}

/// All of one that can fail once there are records, but for its listeners.
pub(super) struct Ready {
    pub gate: Arc<Gate>,
    pub blocking: Arc<Blocking>,
    stage: watch::Sender<Stage>,
    forwarding: Forwarding,
    state: Option<Lock>,
    followed: watch::Sender<Arc<Settings>>,
}

impl Ready {
    /// Makes it ready.
    ///
    /// # Errors
    /// Records that cannot be sent on; a crosswalk that cannot be opened; a folder that another process has; blocks that cannot be
    /// understood.
    pub(super) async fn new(trail: &Trail) -> Result<Self, StartError> {
        let (settings, audit) = (&trail.settings, &trail.audit);
        let forwarding = forward(settings, audit.clone()).map_err(StartError::Forwarding)?;
        let in_force = InForce::open(settings.clone(), None)?;
        let (stage, staged) = watch::channel(Stage::Running);
        let gate = Arc::new(Gate::new(in_force, audit.clone(), staged, relay::check));
        let state = state::lock_soon(&settings.state_directory, settings).await?;
        let blocking = Arc::new(Blocking::open(&settings.state_directory, gate.clone())?);
        let followed = watch::Sender::new(settings.clone());
        Ok(Self { gate, blocking, stage, forwarding, state, followed })
    }

    /// Records that it is, when it is awaited.
    pub(super) fn tell(
        &self,
        trail: &Trail,
        listeners: Vec<(String, std::net::SocketAddr)>,
    ) -> impl Future<Output = ()> + Send + use<> {
        // What is recorded from here on is told, the start too.
        telling::begin(self.gate.clone(), self.followed.subscribe());
        let (gate, settings, risks) = (self.gate.clone(), trail.settings.clone(), trail.risks);
        async move {
            told::started(&gate.audit, &settings, &listeners).await;
            told::loaded(&gate.audit, &settings, risks).await;
        }
    }
}

/// One that runs.
pub(super) struct Site {
    pub gate: Arc<Gate>,
    pub stage: watch::Sender<Stage>,
    pub forwarding: Forwarding,
    /// With which it began: what a reload leaves as it is.
    pub beginning: Arc<Settings>,
    /// Of the folder of what outlives a restart, where something is written there.
    pub state: Option<Lock>,
    /// Whoever tells of what ends follows the settings in force.
    pub followed: watch::Sender<Arc<Settings>>,
    pub blocking: Arc<Blocking>,
    /// What it records of the whole process.
    pub in_turn: InTurn,
    /// Whoever may record something in its name has one.
    pub held: mpsc::Sender<Infallible>,
    holders: mpsc::Receiver<Infallible>,
    records: AuditTask,
    /// Tells of refusals by the minute, until the sender is gone.
    minutes: (oneshot::Sender<()>, JoinHandle<()>),
    /// Keep the hours of roles, and the blocks.
    tasks: JoinSet<()>,
}

impl Site {
    /// Does from now on what is done besides associations.
    pub(super) fn run(trail: Trail, ready: Ready) -> Self {
        let Trail { settings, task: records, .. } = trail;
        let Ready { gate, blocking, stage, forwarding, state, followed } = ready;
        gate.upstreams.follow(&settings);
        let (until, over) = oneshot::channel();
        let minutes = gate.refusals.clone().each_minute(settings.audit.directory.clone(), over);
        let mut tasks = JoinSet::new();
        tasks.spawn(hours::keep(gate.clone()));
        tasks.spawn(blocking.clone().keep());
        tasks.spawn(blocking.clone().follow());
        let folder = settings.state_directory.clone();
        tokio::spawn(fetching::keep(followed.subscribe(), gate.audit.clone(), folder));
        tokio::spawn(endings::tell(followed.subscribe(), gate.audit.clone()));
        let minutes = (until, tokio::spawn(minutes));
        let (held, holders) = mpsc::channel(1);
        Self {
            gate,
            stage,
            forwarding,
            beginning: settings,
            state,
            followed,
            blocking,
            in_turn: InTurn::begin(),
            held,
            holders,
            records,
            minutes,
            tasks,
        }
    }

    /// The settings in force.
    pub(super) fn settings(&self) -> Arc<Settings> {
        self.gate.in_force.load().settings.clone()
    }

    /// How its records are sent on.
    pub(super) fn deliveries(&self) -> Deliveries {
        self.forwarding.deliveries()
    }

    /// The last record, and the end of the trail. Nobody is there any more.
    pub(super) async fn close(mut self, why: Cow<'static, str>, began: Instant) {
        let (until, minutes) = self.minutes;
        drop(until);
        self.tasks.abort_all();
        // It may be telling what it counted, and no longer waits for room; a look at a disk that hangs has no end.
        if tokio::time::timeout(LAST_PATIENCE, minutes).await.is_err() {
            tracing::error!(
                "refusals of the last minutes may not be recorded: the disk of the records hangs"
            );
        }
        self.gate.refusals.at_end().await;
        if tokio::time::timeout(LAST_PATIENCE, self.in_turn.end()).await.is_err() {
            tracing::error!("the last reloads may not be recorded: a disk hangs");
        }
        let stopped = audit::Stopped {
            reason: why,
            aborted: self.gate.aborted.load(Ordering::Relaxed),
            health_checks: Some(self.gate.health_checks.load(Ordering::Relaxed)).filter(|count| *count > 0),
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        self.gate.audit.record(Event::Stopped(stopped)).await;
        self.records.close().await;
        self.forwarding.stop().await;
    }

    /// Ends by itself, while the others go on: a reload took the tenant away. Open associations have lost their right; what is under
    /// way in them has the grace period.
    pub(super) async fn leave(mut self, began: Instant) {
        let grace = self.settings().limits.grace;
        self.stage.send_replace(Stage::Draining);
        for entry in self.gate.live.list() {
            let detail = "the tenant is there no more".into();
            entry.orders.give(Order { when: When::BetweenMessages, reason: Reason::PolicyChanged, detail });
        }
        let is_over = tokio::time::timeout(grace, nobody_is_there(&self.gate)).await.is_ok();
        self.gate.upstreams.stop();
        self.gate.audit.hurry();
        if !is_over {
            self.stage.send_replace(Stage::Stopping);
            let _ = tokio::time::timeout(LAST_PATIENCE, nobody_is_there(&self.gate)).await;
        }
        // Its interface ends meanwhile, and what is asked of it by then is recorded.
        let interface = std::mem::replace(&mut self.held, mpsc::channel(1).0);
        drop(interface);
        if tokio::time::timeout(LAST_PATIENCE, self.holders.recv()).await.is_err() {
            tracing::error!("the interface of a tenant that is there no more does not end");
        }
        self.close("the tenant is there no more".into(), began).await;
    }
}

/// Returns once no connection is there.
async fn nobody_is_there(gate: &Gate) {
    while gate.limiter.open_connections() > 0 || !gate.live.list().is_empty() {
        tokio::time::sleep(GLANCE).await;
    }
}

/// Where the listeners of one listen, its own and those at addresses that others have, too.
pub(super) fn places(
    gate: &Arc<Gate>,
    settings: &Settings,
    machine: &Settings,
    bound: &[Bound],
) -> Vec<(String, std::net::SocketAddr)> {
    let own = bound.iter().filter(|bound| bound.is_of(gate)).map(Bound::place);
    let own = own.map(|(name, address)| (name.to_owned(), address));
    let shared =
        settings.listeners.iter().filter(|one| settings.tenant.is_some() && is_shared(machine, one.address));
    own.chain(shared.map(|one| (one.name.to_string(), one.address))).collect()
}

/// Whether the machine listens there for several tenants.
pub(super) fn is_shared(machine: &Settings, address: std::net::SocketAddr) -> bool {
    machine.listeners.iter().any(|one| one.shared.is_some() && one.address == address)
}

/// Sends records on from their directory, to wherever the configuration says.
fn forward(settings: &Settings, trail: Audit) -> std::io::Result<Forwarding> {
    let (audit, destinations) = (&settings.audit, &settings.forwarding);
    let hold = audit.keeping.hold.clone();
    let runtime = tokio::runtime::Handle::current();
    let alert = move |alert: SecurityAlert| {
        let trail = trail.clone();
        runtime.spawn(async move { trail.record(Event::SecurityAlert(Box::new(alert))).await });
    };
    Forwarding::start(audit.directory.clone(), destinations, hold, alert)
}

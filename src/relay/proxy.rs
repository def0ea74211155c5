//! Start, reload, drain and stop.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::endings;
use super::gate::{Gate, Stage};
use super::listener::{self, Listener};
use crate::audit::{self, Audit, AuditTask, Event};
use crate::config::{ListenerSettings, Loaded, Settings};
use crate::crosswalk::CrosswalkError;

/// Connections that may wait for a place beyond those that an association can have: they are answered, not left
/// hanging.
const SPARE_SLOTS: usize = 64;

/// How long aborts, closing records and closes may take once the grace period is over. Records that find no room on a full
/// disk would take for ever.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// The proxy, running.
pub struct Proxy {
    gate: Arc<Gate>,
    stage: watch::Sender<Stage>,
    /// Connections that may be there at once, and how many that is.
    slots: Arc<Semaphore>,
    /// How many slots there are, taken or not.
    places: usize,
    listeners: HashMap<Arc<str>, Running>,
    /// Of listeners that a reload took away: their associations go on.
    retired: Vec<JoinHandle<()>>,
    records: AuditTask,
    /// Tells of refusals by the minute.
    minutes: JoinHandle<()>,
    began: Instant,
    /// With which it began: what a reload leaves as it is.
    beginning: Arc<Settings>,
    /// Whoever tells of what ends follows the settings in force.
    followed: watch::Sender<Arc<Settings>>,
}

struct Running {
    /// As the configuration says; port 0 stays 0.
    wanted: SocketAddr,
    bound: SocketAddr,
    removed: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Why the proxy cannot run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "listener \"{name}\" cannot bind {address}: {error}; is another program listening there, or does the port need \
         privileges?"
    )]
    Bind { name: Arc<str>, address: SocketAddr, error: io::Error },
    #[error("crosswalk: {0}")]
    Crosswalk(#[from] CrosswalkError),
}

impl Proxy {
    /// Binds every listener, then begins to accept.
    ///
    /// # Errors
    /// The first crosswalk that cannot be opened, or listener that cannot be bound.
    pub async fn start(loaded: Loaded, (audit, records): (Audit, AuditTask)) -> Result<Self, StartError> {
        let Loaded { mut settings, warnings } = loaded;
        settings.open_crosswalks(None)?;
        let settings = Arc::new(settings);
        let bound = bind_all(settings.listeners.iter())?;
        let (stage, staged) = watch::channel(Stage::Running);
        let gate = Arc::new(Gate::new(settings.clone(), audit, staged));
        let places = places(&settings);
        let slots = Arc::new(Semaphore::new(places));
        let minutes = gate.refusals.clone().each_minute(settings.audit.directory.clone());
        let mut proxy = Self {
            gate,
            stage,
            slots,
            places,
            listeners: HashMap::new(),
            retired: Vec::new(),
            records,
            minutes: tokio::spawn(minutes),
            began: Instant::now(),
            beginning: settings.clone(),
            followed: watch::Sender::new(settings.clone()),
        };
        let names: Vec<_> =
            bound.iter().map(|(settings, _, bound)| (settings.name.to_string(), *bound)).collect();
        proxy.record_start(&settings, &names, warnings.len()).await;
        for (settings, socket, bound) in bound {
            proxy.spawn(&settings, socket, bound);
        }
        tokio::spawn(endings::tell(proxy.followed.subscribe(), proxy.gate.audit.clone()));
        Ok(proxy)
    }

    async fn record_start(&self, settings: &Settings, listeners: &[(String, SocketAddr)], warnings: usize) {
        let started = audit::Started {
            version: env!("CARGO_PKG_VERSION").into(),
            process_id: std::process::id(),
            configuration: settings.digest.clone(),
            listeners: listeners
                .iter()
                .map(|(name, address)| audit::StartedListener { name: name.clone(), address: *address })
                .collect(),
            recovered: false,
        };
        self.gate.audit.record(Event::Started(started)).await;
        self.record_loaded(settings, None, None, warnings).await;
    }

    async fn record_loaded(
        &self,
        settings: &Settings,
        previous: Option<&Settings>,
        by: Option<audit::ReloadedBy>,
        warnings: usize,
    ) {
        let used = settings.files.iter().take(LISTED);
        let loaded = audit::ConfigurationLoaded {
            file: settings.path.display().to_string(),
            configuration: settings.digest.clone(),
            previous: previous.map(|previous| previous.digest.clone()),
            file_sha256: settings.file_digest.clone(),
            certificates: used
                .map(|one| audit::UsedFile {
                    file: one.file.display().to_string(),
                    sha256: one.sha256.clone(),
                })
                .collect(),
            changed: previous.map(|previous| changed(previous, settings)),
            waits_for_restart: waiting(&self.beginning, settings).into_iter().map(Into::into).collect(),
            warnings,
            by,
            changed_keys: previous
                .map(|previous| settings.keys.changes_since(&previous.keys))
                .unwrap_or_default(),
        };
        self.gate.audit.record(Event::ConfigurationLoaded(loaded)).await;
    }

    fn spawn(&mut self, settings: &ListenerSettings, socket: TcpListener, bound: SocketAddr) {
        tracing::info!(listener = %settings.name, address = %bound, tls = settings.tls.is_some(), "listening");
        let (name, wanted) = (settings.name.clone(), settings.address);
        let (removed, on_removed) = watch::channel(false);
        let listener = Listener { name: name.clone(), socket };
        let task = tokio::spawn(listener.run(self.gate.clone(), self.slots.clone(), on_removed));
        self.listeners.insert(name, Running { wanted, bound, removed, task });
    }

    /// Where a listener listens, with the port that the system chose.
    pub fn address(&self, listener: &str) -> Option<SocketAddr> {
        self.listeners.get(listener).map(|running| running.bound)
    }

    /// Puts another configuration into force for associations that begin from now on.
    ///
    /// # Errors
    /// A new crosswalk cannot be opened, or a new listener bound; everything stays as it was.
    pub async fn reload(&mut self, loaded: Loaded, by: Option<audit::ReloadedBy>) -> Result<(), StartError> {
        let Loaded { mut settings, warnings } = loaded;
        settings.open_crosswalks(Some(&self.settings()))?;
        let stays = |settings: &ListenerSettings| {
            self.listeners.get(&settings.name).is_some_and(|running| running.wanted == settings.address)
        };
        let fresh = bind_all(settings.listeners.iter().filter(|settings| !stays(settings)))?;
        let settings = Arc::new(settings);
        let previous = self.gate.settings.swap(settings.clone());
        self.gate.limiter.apply(settings.limits.counts, &settings.policy);
        self.gate.decoders.apply(settings.limits.decoding_memory);
        // Fewer need no care: the limiter counts connections too.
        let more = places(&settings).saturating_sub(self.places);
        self.slots.add_permits(more);
        self.places += more;
        self.retire(&settings);
        for (settings, socket, bound) in fresh {
            self.spawn(&settings, socket, bound);
        }
        self.followed.send_replace(settings.clone());
        for what in waiting(&self.beginning, &settings) {
            tracing::warn!("{what} has changed since the start, and waits for a restart");
        }
        self.record_loaded(&settings, Some(&*previous), by, warnings.len()).await;
        Ok(())
    }

    /// Ends the accept loops of listeners that are gone or have moved; their associations go on.
    fn retire(&mut self, settings: &Settings) {
        self.retired.retain(|task| !task.is_finished());
        let gone = self.listeners.extract_if(|name, running| {
            let wanted = settings.listeners.iter().find(|listener| listener.name == *name);
            wanted.is_none_or(|listener| listener.address != running.wanted)
        });
        for (name, running) in gone {
            tracing::info!(listener = %name, "no longer listening");
            running.removed.send_replace(true);
            self.retired.push(running.task);
        }
    }

    /// Records that another configuration was refused and the old one stays in force.
    pub async fn record_refused(&self, problems: Vec<String>, by: Option<audit::ReloadedBy>) {
        let settings = self.gate.settings.load_full();
        let refused = audit::ConfigurationRefused {
            file: settings.path.display().to_string(),
            configuration: Some(settings.digest.clone()),
            errors: problems.len(),
            problems,
            by,
        };
        self.gate.audit.record(Event::ConfigurationRefused(refused)).await;
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.gate.settings.load_full()
    }

    /// Stops accepting, lets open associations end within the grace period, aborts the rest, and closes the records. While
    /// records cannot be written there is no grace: associations wait for their records, and would not end.
    pub async fn stop(self, why: &'static str) {
        let grace = self.settings().limits.grace;
        tracing::info!(open = self.gate.limiter.open_associations(), ?grace, "draining");
        self.stage.send_replace(Stage::Draining);
        let ending = async {
            for task in self.listeners.into_values().map(|running| running.task).chain(self.retired) {
                // A listener that panicked has nothing left to wait for.
                let _ = task.await;
            }
        };
        tokio::pin!(ending);
        let ended = tokio::select! {
            () = &mut ending => true,
            () = tokio::time::sleep(grace) => false,
            // What waits for a disk that takes nothing would wait for ever.
            () = unrecorded(&self.gate.audit) => false,
        };
        self.gate.audit.hurry();
        if !ended {
            self.stage.send_replace(Stage::Stopping);
            if tokio::time::timeout(LAST_PATIENCE, &mut ending).await.is_err() {
                tracing::error!(
                    "some associations could not be ended in {LAST_PATIENCE:?}; their records may be missing"
                );
            }
        }
        self.minutes.abort();
        self.gate.refusals.at_end().await;
        let stopped = audit::Stopped {
            reason: why.into(),
            aborted: self.gate.aborted.load(Ordering::Relaxed),
            health_checks: Some(self.gate.health_checks.load(Ordering::Relaxed)).filter(|count| *count > 0),
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        self.gate.audit.record(Event::Stopped(stopped)).await;
        self.records.close().await;
    }
}

/// Returns once nothing can be recorded that has to be.
async fn unrecorded(audit: &Audit) {
    while audit.admits() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Connections that may be served at once.
fn places(settings: &Settings) -> usize {
    let most = usize::try_from(settings.limits.counts.max_associations).unwrap_or(usize::MAX);
    most.saturating_mul(2).saturating_add(SPARE_SLOTS).min(Semaphore::MAX_PERMITS)
}

/// Files that a record lists.
const LISTED: usize = 200;

/// The files that differ between two configurations, those that only one of them has included.
fn changed(before: &Settings, after: &Settings) -> Vec<String> {
    let all = |settings: &Settings| {
        let own = (settings.path.clone(), settings.file_digest.clone());
        let others = settings.files.iter().map(|one| (one.file.clone(), one.sha256.clone()));
        std::iter::once(own).chain(others).collect::<BTreeSet<_>>()
    };
    let (before, after) = (all(before), all(after));
    let files: BTreeSet<_> = before.symmetric_difference(&after).map(|(file, _)| file).collect();
    files.into_iter().take(LISTED).map(|file| file.display().to_string()).collect()
}

/// What a reload leaves as it was at the start.
fn waiting(beginning: &Settings, settings: &Settings) -> Vec<&'static str> {
    let differs = [
        ("[audit]", beginning.audit_fingerprint != settings.audit_fingerprint),
        ("[log] format", beginning.log.format != settings.log.format),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}

type Bound = (Arc<ListenerSettings>, TcpListener, SocketAddr);

fn bind_all<'a>(
    listeners: impl Iterator<Item = &'a Arc<ListenerSettings>>,
) -> Result<Vec<Bound>, StartError> {
    let bind = |settings: &Arc<ListenerSettings>| {
        let bound =
            listener::bind(settings.address).and_then(|socket| socket.local_addr().map(|at| (socket, at)));
        let (name, address) = (settings.name.clone(), settings.address);
        let (socket, at) = bound.map_err(|error| StartError::Bind { name, address, error })?;
        Ok((settings.clone(), socket, at))
    };
    listeners.map(bind).collect()
}

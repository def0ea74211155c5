//! From a configuration that was read to listeners that accept.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::monitor::Monitor;
use super::monitoring::{Monitoring, Move};
use super::{Blocking, Daemon, Handle, StartError, endings, fetching, hours, state, telling, told};
use crate::audit::forward::Forwarding;
use crate::audit::{Audit, AuditTask, Event, SecurityAlert, Stopped};
use crate::config::{Loaded, Settings};
use crate::files::Lock;
use crate::relay::{self, Bound, Gate, InForce, Listeners, Stage};

impl Daemon {
    /// Keeps records, sends them on, binds every listener, then begins to accept. `None`: it was told to `stop` before that was
    /// done, by what that says, and has closed its records.
    ///
    /// # Errors
    /// Records that cannot be kept or sent on; the first crosswalk that cannot be opened, or listener that cannot be bound;
    /// a folder of what outlives a restart that another process has.
    pub async fn start(
        loaded: Loaded,
        stop: impl Future<Output = &'static str>,
    ) -> Result<Option<Self>, StartError> {
        let Loaded { settings, warnings } = loaded;
        let settings = Arc::new(settings);
        // Nothing is closed or deleted before the forwarders have said what they still have to read.
        let names = settings.forwarding.iter().map(|destination| destination.name.clone());
        settings.audit.keeping.hold.expect(names);
        let (audit, records) = Audit::start(settings.audit.clone())?;
        let began = Instant::now();
        let begun = tokio::select! {
            biased;
            why = stop => Err(NotBegun::Told(why)),
            // The first records wait for a disk that takes nothing.
            begun = begin(&settings, &audit, warnings.len()) => begun.map_err(NotBegun::Failed),
        };
        let Ready { forwarding, stage, gate, state, blocking, followed, mut listeners, bound, to } =
            match begun {
                Ok(ready) => ready,
                Err(why) => {
                    give_up(&audit, records, began, why.to_string()).await;
                    return why.told();
                }
            };
        gate.upstreams.follow(&settings);
        listeners.follow(&settings, bound);
        let monitor = Monitor::new(gate.clone(), forwarding.deliveries());
        let mut monitoring = Monitoring::default();
        monitoring.follow(to, &monitor).await;
        let (until, over) = oneshot::channel();
        let minutes = gate.refusals.clone().each_minute(settings.audit.directory.clone(), over);
        tokio::spawn(hours::keep(gate.clone()));
        tokio::spawn(blocking.clone().keep());
        tokio::spawn(blocking.clone().follow());
        let folder = settings.state_directory.clone();
        tokio::spawn(fetching::keep(followed.subscribe(), gate.audit.clone(), folder));
        tokio::spawn(endings::tell(followed.subscribe(), gate.audit.clone()));
        let minutes = (until, tokio::spawn(minutes));
        let refused = watch::Sender::new(None);
        let (handle, requests) =
            Handle::new(gate.clone(), blocking, followed.subscribe(), refused.subscribe(), began);
        Ok(Some(Self {
            gate,
            stage,
            listeners,
            records,
            forwarding,
            minutes,
            began,
            monitor,
            monitoring,
            beginning: settings,
            state,
            followed,
            refused,
            handle,
            requests,
        }))
    }
}

/// Why it does not run, in the words of its last record.
#[derive(Debug, thiserror::Error)]
enum NotBegun {
    #[error("{0}")]
    Told(&'static str),
    #[error("cannot start: {0}")]
    Failed(StartError),
}

impl NotBegun {
    fn told(self) -> Result<Option<Daemon>, StartError> {
        match self {
            Self::Told(_) => Ok(None),
            Self::Failed(error) => Err(error),
        }
    }
}

/// All that can fail once there are records.
struct Ready {
    forwarding: Forwarding,
    stage: watch::Sender<Stage>,
    gate: Arc<Gate>,
    state: Option<Lock>,
    blocking: Arc<Blocking>,
    followed: watch::Sender<Arc<Settings>>,
    listeners: Listeners,
    bound: Vec<Bound>,
    /// Where metrics are served.
    to: Move,
}

/// Makes ready, and records that it is.
async fn begin(settings: &Arc<Settings>, audit: &Audit, warnings: usize) -> Result<Ready, StartError> {
    let ready = make_ready(settings, audit).await?;
    // What is recorded from here on is told, the start too.
    telling::begin(ready.gate.clone(), ready.followed.subscribe());
    told::started(&ready.gate.audit, settings, &ready.bound).await;
    told::loaded(&ready.gate.audit, settings, warnings).await;
    Ok(ready)
}

async fn make_ready(settings: &Arc<Settings>, audit: &Audit) -> Result<Ready, StartError> {
    let forwarding = forward(settings, audit.clone()).map_err(StartError::Forwarding)?;
    let in_force = InForce::open(settings.clone(), None)?;
    let (stage, staged) = watch::channel(Stage::Running);
    let gate = Arc::new(Gate::new(in_force, audit.clone(), staged, relay::check));
    let state = state::lock_soon(&settings.state_directory, settings).await?;
    let blocking = Arc::new(Blocking::open(&settings.state_directory, gate.clone())?);
    let mut listeners = Listeners::new(gate.clone());
    let bound = listeners.bind_new(settings).await?;
    let to = Monitoring::default().bind(settings.metrics).await?;
    let followed = watch::Sender::new(settings.clone());
    Ok(Ready { forwarding, stage, gate, state, blocking, followed, listeners, bound, to })
}

/// Ends the records in good order: the next run would take a start that failed for a crash.
async fn give_up(audit: &Audit, records: AuditTask, began: Instant, why: String) {
    audit.hurry();
    let stopped = Stopped {
        reason: why.into(),
        aborted: 0,
        health_checks: None,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    audit.record(Event::Stopped(stopped)).await;
    records.close().await;
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::future::{pending, ready};

    use super::Daemon;
    use crate::config::sample;
    use crate::scratch::Scratch;

    #[tokio::test]
    async fn who_is_told_to_stop_before_it_has_begun_closes_its_records_and_no_crash_is_found() {
        let home = Scratch::new();
        let records = home.path().join("records");
        let told = Daemon::start(sample::read(home.path(), ""), ready("SIGTERM")).await;
        assert!(matches!(told, Ok(None)));
        let begun = Daemon::start(sample::read(home.path(), ""), pending()).await;
        begun.unwrap().unwrap().stop("the test ended", std::future::ready(())).await;
        let mut files = fs::read_dir(&records).unwrap().map(|entry| entry.unwrap().path());
        let day = files.find(|path| path.extension().is_some_and(|end| end == "jsonl")).unwrap();
        let text = fs::read_to_string(day).unwrap();
        let records: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let first = records.iter().position(|record| record["event"] == "stopped").unwrap();
        assert_eq!(records[first]["reason"], "SIGTERM");
        let second = &records[first + 1..];
        let started = second.iter().find(|record| record["event"] == "started").unwrap();
        assert_ne!(started["recovered"], true, "{started}");
        assert!(second.iter().all(|record| record["ended"] != "crash"), "{second:?}");
    }
}

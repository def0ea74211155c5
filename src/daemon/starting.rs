//! From a configuration that was read to listeners that accept.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::{Blocking, Daemon, Handle, StartError, endings, telling, told};
use crate::audit::forward::Forwarding;
use crate::audit::{Audit, AuditTask, Event, SecurityAlert, Stopped};
use crate::config::{Loaded, Settings};
use crate::relay::{Bound, Gate, InForce, Listeners, Stage};

impl Daemon {
    /// Keeps records, sends them on, binds every listener, then begins to accept.
    ///
    /// # Errors
    /// Records that cannot be kept or sent on; the first crosswalk that cannot be opened, or listener that cannot be bound.
    pub async fn start(loaded: Loaded) -> Result<Self, StartError> {
        let Loaded { settings, warnings } = loaded;
        let settings = Arc::new(settings);
        // Nothing is closed or deleted before the forwarders have said what they still have to read.
        let names = settings.forwarding.iter().map(|destination| destination.name.clone());
        settings.audit.keeping.hold.expect(names);
        let (audit, records) = Audit::start(settings.audit.clone())?;
        let began = Instant::now();
        let Ready { forwarding, stage, gate, blocking, mut listeners, bound } =
            match make_ready(&settings, &audit).await {
                Ok(ready) => ready,
                Err(error) => {
                    give_up(&audit, records, began, &error).await;
                    return Err(error);
                }
            };
        let followed = watch::Sender::new(settings.clone());
        telling::begin(gate.clone(), followed.subscribe());
        told::started(&gate.audit, &settings, &bound).await;
        told::loaded(&gate.audit, &settings, warnings.len()).await;
        listeners.follow(&settings, bound);
        let (until, over) = oneshot::channel();
        let minutes = gate.refusals.clone().each_minute(settings.audit.directory.clone(), over);
        tokio::spawn(endings::tell(followed.subscribe(), gate.audit.clone()));
        let minutes = (until, tokio::spawn(minutes));
        let (handle, asked) = Handle::new(gate.clone(), began);
        Ok(Self {
            gate,
            stage,
            listeners,
            records,
            forwarding,
            blocking,
            minutes,
            began,
            beginning: settings,
            followed,
            handle,
            asked,
        })
    }
}

/// All that can fail once there are records.
struct Ready {
    forwarding: Forwarding,
    stage: watch::Sender<Stage>,
    gate: Arc<Gate>,
    blocking: Arc<Blocking>,
    listeners: Listeners,
    bound: Vec<Bound>,
}

async fn make_ready(settings: &Arc<Settings>, audit: &Audit) -> Result<Ready, StartError> {
    let forwarding = forward(settings, audit.clone()).map_err(StartError::Forwarding)?;
    let in_force = InForce::open(settings.clone(), None)?;
    let (stage, staged) = watch::channel(Stage::Running);
    let gate = Arc::new(Gate::new(in_force, audit.clone(), staged));
    let blocking = Arc::new(Blocking::open(&settings.state_directory, gate.clone())?);
    let mut listeners = Listeners::new(gate.clone());
    let bound = listeners.bind_new(settings).await?;
    Ok(Ready { forwarding, stage, gate, blocking, listeners, bound })
}

/// Ends the records in good order: the next run would take a start that failed for a crash.
async fn give_up(audit: &Audit, records: AuditTask, began: Instant, error: &StartError) {
    audit.hurry();
    let stopped = Stopped {
        reason: format!("cannot start: {error}").into(),
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

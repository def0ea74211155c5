//! From a configuration that was read to listeners that accept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use super::monitor::Monitor;
use super::monitoring::{Monitoring, Move};
use super::site::{Ready, Site, Trail, is_shared, places};
use super::{Daemon, Handle, StartError};
use crate::audit::AuditError;
use crate::config::{Loaded, Settings, TenantSettings};
use crate::relay::{Bound, Gate, ListenFor, Listeners};

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
        let began = Instant::now();
        let trails = trails(loaded, began).await?;
        let begun = tokio::select! {
            biased;
            why = stop => Err(NotBegun::Told(why)),
            // The first records wait for a disk that takes nothing.
            begun = begin(&trails) => begun.map_err(NotBegun::Failed),
        };
        let (ready, mut listeners, bound, to) = match begun {
            Ok(begun) => begun,
            Err(why) => {
                give_up(trails, began, &why.to_string()).await;
                return why.told();
            }
        };
        let mut sites = trails.into_iter().zip(ready).map(|(trail, ready)| Site::run(trail, ready));
        let Some(machine) = sites.next() else { return Ok(None) };
        let named = |site: Site| Some((site.settings().tenant.clone()?, site));
        let tenants: BTreeMap<Arc<str>, Site> = sites.filter_map(named).collect();
        let gates = tenants.iter().map(|(name, site)| (name.clone(), site.gate.clone())).collect();
        machine.gate.tenants.store(Arc::new(gates));
        let all: Vec<_> = [&machine].into_iter().chain(tenants.values()).map(of_site).collect();
        listeners.follow(&wanted(&all), bound);
        let monitor = Monitor::new(machine.gate.clone(), machine.deliveries());
        let mut monitoring = Monitoring::default();
        monitoring.follow(to, &monitor).await;
        let refused = watch::Sender::new(None);
        let (handle, requests) = Handle::new(
            machine.gate.clone(),
            machine.blocking.clone(),
            machine.followed.subscribe(),
            refused.subscribe(),
            began,
        );
        Ok(Some(Self {
            machine,
            tenants,
            leaving: Vec::new(),
            listeners,
            began,
            monitor,
            monitoring,
            refused,
            handle,
            requests,
        }))
    }
}

/// Begins all trails, that of the machine first.
async fn trails(loaded: Loaded, began: Instant) -> Result<Vec<Trail>, AuditError> {
    let Loaded { settings, tenants, warnings } = loaded;
    let of_tenants: usize = tenants.iter().map(|tenant| tenant.risks).sum();
    let machine = (Arc::new(settings), warnings.len().saturating_sub(of_tenants));
    let others = tenants.into_iter().map(|TenantSettings { settings, risks }| (settings, risks));
    let mut trails = Vec::new();
    for (settings, risks) in [machine].into_iter().chain(others) {
        match Trail::begin(settings, risks) {
            Ok(trail) => trails.push(trail),
            Err(error) => {
                give_up(trails, began, &format!("cannot start: {error}")).await;
                return Err(error);
            }
        }
    }
    Ok(trails)
}

async fn give_up(trails: Vec<Trail>, began: Instant, why: &str) {
    for trail in trails {
        trail.give_up(began, why).await;
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

/// What a gate is to listen for, by settings that are or come into force.
pub(super) type Listening = (Arc<Gate>, Arc<Settings>);

fn of_site(site: &Site) -> Listening {
    (site.gate.clone(), site.settings())
}

/// The listeners of all, those of the machine first. Where it listens for several tenants, they do not themselves.
pub(super) fn wanted(all: &[Listening]) -> Vec<ListenFor> {
    let machine = all.first().map(|(_, settings)| settings.clone());
    let mut wanted = Vec::new();
    for (gate, settings) in all {
        let is_led_to = |address| {
            settings.tenant.is_some() && machine.as_ref().is_some_and(|machine| is_shared(machine, address))
        };
        let own = settings.listeners.iter().filter(|listener| !is_led_to(listener.address));
        wanted.extend(own.map(|settings| ListenFor { gate: gate.clone(), settings: settings.clone() }));
    }
    wanted
}

type Begun = (Vec<Ready>, Listeners, Vec<Bound>, Move);

/// Makes ready, and records that it is.
async fn begin(trails: &[Trail]) -> Result<Begun, StartError> {
    let mut all = Vec::new();
    for trail in trails {
        all.push(Ready::new(trail).await?);
    }
    let listening: Vec<Listening> =
        all.iter().zip(trails).map(|(ready, trail)| (ready.gate.clone(), trail.settings.clone())).collect();
    let mut listeners = Listeners::default();
    let bound = listeners.bind_new(&wanted(&listening)).await?;
    let metrics = listening.first().and_then(|(_, machine)| machine.metrics);
    let to = Monitoring::default().bind(metrics).await?;
    for (ready, trail) in all.iter().zip(trails) {
        let machine = trails.first().map_or(&trail.settings, |machine| &machine.settings);
        ready.tell(trail, places(&ready.gate, &trail.settings, machine, &bound)).await;
    }
    Ok((all, listeners, bound, to))
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

    #[tokio::test]
    async fn the_first_tenant_and_the_last_need_a_restart_and_a_reload_says_so() {
        let home = Scratch::new();
        let mut daemon = Daemon::start(sample::read(home.path(), ""), pending()).await.unwrap().unwrap();
        let before = daemon.settings().digest.clone();
        let mut machine = sample::read(home.path(), "");
        machine.settings.is_of_a_machine = true;
        let refused = daemon.reload(machine, None).await.unwrap_err();
        assert!(refused.to_string().contains("restart"), "{refused}");
        assert_eq!(daemon.settings().digest, before);
        daemon.reload(sample::read(home.path(), ""), None).await.unwrap();
        daemon.stop("the test ended", ready(())).await;
    }
}

//! How all upstreams stand, and the tasks that keep that true: checks, names, and what is told when one goes down or comes back.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::NotReached;
use super::checks::UnderWay;
use super::lookup::{self, Lookup};
use super::shown::UpstreamState;
use super::standing::{Candidate, Standing};
use crate::audit::{Audit, Event, SecurityAlert};
use crate::config::{Limits, Settings, UpstreamSettings};
use crate::vocabulary::Notice;

/// How long a name server may take to answer a task that nobody waits for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at the same names, however many associations find nobody there.
const SHORTEST: Duration = Duration::from_secs(1);

/// How an address is checked: given from above, since whoever checks dials as associations do.
pub(crate) type Check = for<'a> fn(&'a Arc<UpstreamSettings>, &'a Limits, &'a Candidate) -> Checking<'a>;

/// How long a check took; what the upstream said instead, which is an answer too; or that there was none.
pub(crate) type Checking<'a> =
    Pin<Box<dyn Future<Output = Result<Result<Duration, String>, NotReached>> + Send + 'a>>;

/// Every upstream of the configuration in force: how each stands, and who checks it.
pub(crate) struct Upstreams {
    audit: Audit,
    check: Check,
    lookup: Lookup,
    /// By name.
    kept: Mutex<BTreeMap<Arc<str>, Kept>>,
}

struct Kept {
    standing: Arc<Standing>,
    tasks: Vec<AbortHandle>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Upstreams {
    pub(crate) fn new(audit: Audit, check: Check) -> Self {
        Self { audit, check, lookup: lookup::of_system(), kept: Mutex::default() }
    }

    /// Keeps what is known of the upstreams of these settings, and nothing else. Called in the runtime.
    pub(crate) fn follow(&self, settings: &Settings) {
        let mut kept = self.kept();
        kept.retain(|name, _| settings.upstreams.contains_key(name));
        for (name, upstream) in &settings.upstreams {
            let one = kept.entry(name.clone()).or_insert_with(|| {
                let standing = Standing::new(upstream.clone(), self.lookup.clone());
                tokio::spawn(tell(name.clone(), standing.down(), self.audit.clone()));
                Kept { standing, tasks: Vec::new() }
            });
            one.tasks.drain(..).for_each(|task| task.abort());
            one.standing.follow(upstream.clone());
            one.tasks = self.tasks(&one.standing, upstream, settings.limits);
        }
    }

    fn tasks(
        &self,
        standing: &Arc<Standing>,
        upstream: &Arc<UpstreamSettings>,
        limits: Limits,
    ) -> Vec<AbortHandle> {
        let mut tasks = Vec::new();
        if upstream.health.is_some() {
            tasks.push(
                tokio::spawn(check(self.check, standing.clone(), upstream.clone(), limits)).abort_handle(),
            );
        }
        if upstream.addresses.iter().any(|address| lookup::written(address).is_none()) {
            tasks.push(tokio::spawn(look_up(standing.clone(), upstream.clone())).abort_handle());
        }
        tasks
    }

    /// How an upstream stands; nothing is known of one that a reload took away.
    pub(in crate::relay) fn standing(&self, upstream: &Arc<UpstreamSettings>) -> Arc<Standing> {
        let known = self.kept().get(&upstream.name).map(|kept| kept.standing.clone());
        known.unwrap_or_else(|| Standing::new(upstream.clone(), self.lookup.clone()))
    }

    /// How all of them stand, by name.
    pub(crate) fn states(&self) -> Vec<UpstreamState> {
        let standings: Vec<_> = self.kept().values().map(|kept| kept.standing.clone()).collect();
        standings.iter().map(|standing| standing.state()).collect()
    }

    /// Ends all tasks: nobody is served any more.
    pub(crate) fn stop(&self) {
        self.kept().clear();
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Kept>> {
        // Whoever panicked left each entry whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks each address when its time has come, several at once.
async fn check(check: Check, standing: Arc<Standing>, upstream: Arc<UpstreamSettings>, limits: Limits) {
    let mut checks = JoinSet::new();
    loop {
        let (due, next) = standing.checks_due();
        for candidate in due {
            let (standing, upstream) = (standing.clone(), upstream.clone());
            let under_way = UnderWay::new(standing.clone(), candidate.address);
            checks.spawn(async move {
                let _under_way = under_way;
                let shown = check(&upstream, &limits, &candidate).await;
                standing.checked(&candidate, shown);
            });
        }
        let next = next.unwrap_or_else(|| Instant::now() + PATIENCE);
        tokio::select! {
            () = sleep_until(next) => {}
            () = standing.doubted.notified() => {}
            Some(_) = checks.join_next() => {}
        }
    }
}

/// Looks its names up again, and sooner where nobody was found at an address.
async fn look_up(standing: Arc<Standing>, upstream: Arc<UpstreamSettings>) {
    loop {
        let shortest = Instant::now() + SHORTEST;
        let mut asked = JoinSet::new();
        for name in upstream.addresses.iter().filter(|address| lookup::written(address).is_none()) {
            let (standing, name) = (standing.clone(), name.clone());
            asked.spawn(async move { standing.look_up(&name, PATIENCE).await });
        }
        // What came of it has been said.
        asked.join_all().await;
        sleep_until(shortest).await;
        tokio::select! {
            () = tokio::time::sleep(upstream.resolve) => {}
            () = standing.stale.notified() => {}
        }
    }
}

/// Records when an upstream goes down, and when it is up again, for as long as it is kept.
async fn tell(name: Arc<str>, mut down: watch::Receiver<Option<String>>, audit: Audit) {
    let mut told = false;
    while down.changed().await.is_ok() {
        let is_down = down.borrow_and_update().clone();
        if is_down.is_some() == told {
            continue;
        }
        told = is_down.is_some();
        let (notice, explanation) = match is_down {
            Some(why) => (Notice::UpstreamDown, format!("upstream \"{name}\" is down: {why}")),
            None => (Notice::UpstreamUp, format!("upstream \"{name}\" is up again")),
        };
        let (reason, about) = (notice.label().into(), Some(name.to_string()));
        let alert = SecurityAlert { reason, about, explanation, ..SecurityAlert::default() };
        audit.record(Event::SecurityAlert(Box::new(alert))).await;
    }
}

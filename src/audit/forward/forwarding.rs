//! All destinations, from start to stop.

use super::destination::Destination;
use super::forwarder::{Alert, Forwarder, Stop};
use super::pace::Pace;
use super::status::{Delivery, Status};
use crate::audit::SecurityAlert;
use crate::audit::hold::Hold;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a stop lets destinations take what is left.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// The forwarders, on a thread of their own: rendering and the disk take no time from the relay.
pub struct Forwarding {
    directory: PathBuf,
    pace: Pace,
    hold: Hold,
    alert: Alert,
    /// None where nothing is forwarded.
    runtime: Option<Runtime>,
    running: BTreeMap<Arc<str>, Running>,
    /// What is under way of those that a reload took away.
    ending: BTreeMap<Arc<str>, Ending>,
    deliveries: Deliveries,
}

/// How destinations stand, for whoever asks; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Deliveries {
    of: Arc<Mutex<BTreeMap<Arc<str>, Arc<Status>>>>,
}

impl Deliveries {
    /// How each destination stands now, by name.
    pub fn now(&self) -> Vec<(Arc<str>, Delivery)> {
        self.table().iter().map(|(name, status)| (name.clone(), status.delivery())).collect()
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<Status>>> {
        // Whoever panicked held it for one insertion or removal.
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Ending {
    task: JoinHandle<()>,
    /// Nobody of this name follows.
    leaves: Arc<AtomicBool>,
}

struct Running {
    to: Destination,
    stop: watch::Sender<Stop>,
    task: JoinHandle<()>,
}

impl Forwarding {
    /// Begins to forward the records in `directory`, which has to be there. Called after the sink has started and before
    /// the first record, so that nothing is missed by destinations that are new.
    ///
    /// `hold` is told how far each destination is, at once and whenever that changes. `alert` is told of a backlog that
    /// has grown old; it must not wait.
    ///
    /// # Errors
    /// A cursor cannot be read or stored, or the thread cannot be started.
    pub fn start(
        directory: PathBuf,
        destinations: &[Destination],
        hold: Hold,
        alert: impl Fn(SecurityAlert) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_at(Pace::default(), directory, destinations, hold, alert)
    }

    pub(super) fn start_at(
        pace: Pace,
        directory: PathBuf,
        destinations: &[Destination],
        hold: Hold,
        alert: impl Fn(SecurityAlert) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let alert = Arc::new(alert);
        let mut all = Self {
            directory,
            pace,
            hold,
            alert,
            runtime: None,
            running: BTreeMap::new(),
            ending: BTreeMap::new(),
            deliveries: Deliveries::default(),
        };
        for to in destinations {
            all.begin(to, None)?;
        }
        Ok(all)
    }

    /// Ends the forwarders of destinations that are gone, begins new ones, and begins changed ones afresh from their
    /// cursors, when what is under way has arrived: of one name there is never more than one. One that cannot begin is told in the log; the others go on.
    pub fn reload(&mut self, destinations: &[Destination]) {
        let wanted = |name: &Arc<str>| destinations.iter().find(|to| to.name == *name);
        let changed: Vec<Arc<str>> = (self.running.iter())
            // One that has ended could not begin behind the one before it.
            .filter(|(name, running)| {
                running.task.is_finished() || wanted(name).is_none_or(|to| *to != running.to)
            })
            .map(|(name, _)| name.clone())
            .collect();
        self.ending.retain(|_, ending| !ending.task.is_finished());
        for name in changed {
            if let Some(running) = self.running.remove(&name) {
                self.deliveries.table().remove(&name);
                let leaves = Arc::new(AtomicBool::new(wanted(&name).is_none()));
                self.end(name, running, leaves);
            }
        }
        for to in destinations {
            if self.running.contains_key(&to.name) {
                continue;
            }
            // It may have been away for one reload only.
            let before = self.ending.remove(&to.name).map(|ending| {
                ending.leaves.store(false, Ordering::Relaxed);
                ending.task
            });
            if let Err(error) = self.begin(to, before) {
                tracing::error!(repository = %to.name, %error, "cannot begin to forward audit messages");
            }
        }
    }

    fn end(&mut self, name: Arc<str>, running: Running, leaves: Arc<AtomicBool>) {
        let (hold, of, still) = (self.hold.clone(), name.clone(), leaves.clone());
        let ended = async move {
            running.end(Stop::Now).await;
            if still.load(Ordering::Relaxed) {
                hold.needs_nothing(&of);
            }
        };
        if let Ok(runtime) = self.runtime() {
            let task = runtime.spawn(ended);
            self.ending.insert(name, Ending { task, leaves });
        }
    }

    /// How each destination stands, from now on.
    pub fn deliveries(&self) -> Deliveries {
        self.deliveries.clone()
    }

    /// Lets every destination take what is left, for some seconds at most. The rest waits for the next start. Called
    /// after the sink has been closed.
    pub async fn stop(mut self) {
        let running = std::mem::take(&mut self.running);
        let mut tasks = Vec::new();
        for one in running.into_values() {
            one.stop.send_replace(Stop::WhenDone);
            tasks.push(one.task);
        }
        let ended = tokio::time::timeout(LAST_PATIENCE, async {
            for task in tasks {
                // One that panicked has nothing left to wait for.
                let _ = task.await;
            }
        });
        if ended.await.is_err() {
            tracing::warn!(
                "some audit messages wait for the next start: their repository could not take them now"
            );
        }
    }

    /// Whether the forwarder of this name runs.
    #[cfg(test)]
    pub(super) fn runs(&self, name: &str) -> bool {
        self.running.get(name).is_some_and(|running| !running.task.is_finished())
    }

    /// Takes a destination away as a reload does, where the forwarder before it ends only with `until`.
    #[cfg(test)]
    pub(super) fn lingers(&mut self, name: &str, until: impl Future<Output = ()> + Send + 'static) {
        self.running.remove(name);
        let task = self.runtime().expect("a runtime").spawn(until);
        self.ending.insert(name.into(), Ending { task, leaves: Arc::default() });
    }

    /// Waits until nothing of it runs: a test's folder goes next.
    #[cfg(test)]
    pub(super) async fn over(mut self) {
        let runtime = self.runtime.take();
        tokio::task::spawn_blocking(|| drop(runtime)).await.expect("no panic");
    }

    /// The cursor is read when the forwarder before it, if any, has ended.
    fn begin(&mut self, to: &Destination, before: Option<JoinHandle<()>>) -> io::Result<()> {
        let (stop, stopped) = watch::channel(Stop::No);
        let status = Arc::new(Status::default());
        let make = {
            let (directory, to, pace) = (self.directory.clone(), to.clone(), self.pace);
            let (status, hold) = (status.clone(), (self.hold.clone(), self.alert.clone()));
            move || Forwarder::new(directory, to, pace, status, hold, stopped)
        };
        let runtime = self.runtime()?;
        let task = match before {
            None => runtime.spawn(make()?.run()),
            Some(before) => {
                let name = to.name.clone();
                runtime.spawn(async move {
                    let _ = before.await;
                    match make() {
                        Ok(forwarder) => forwarder.run().await,
                        Err(error) => {
                            tracing::error!(repository = %name, %error, "cannot begin to forward audit messages");
                        }
                    }
                })
            }
        };
        self.deliveries.table().insert(to.name.clone(), status);
        self.running.insert(to.name.clone(), Running { to: to.clone(), stop, task });
        Ok(())
    }

    fn runtime(&mut self) -> io::Result<&Runtime> {
        if self.runtime.is_none() {
            let built = Builder::new_multi_thread()
                .worker_threads(1)
                .max_blocking_threads(2)
                .thread_name("audit-forward")
                .enable_all()
                .build()?;
            self.runtime = Some(built);
        }
        self.runtime.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Running {
    /// Waits for what is under way, for some seconds at most.
    async fn end(mut self, how: Stop) {
        self.stop.send_replace(how);
        if tokio::time::timeout(LAST_PATIENCE, &mut self.task).await.is_err() {
            self.task.abort();
            // It ends at its next step.
            let _ = self.task.await;
        }
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime may not wait for its tasks inside of another.
            runtime.shutdown_background();
        }
    }
}

//! All listeners: bound before anything is in force, opened, taken away by a reload, waited for at the end.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::gate::Gate;
use super::listener::{self, Listener};
use crate::config::{ListenerSettings, Settings};

/// Connections that may wait for a place beyond those that an association can have: they are answered, not left
/// hanging.
const SPARE_SLOTS: usize = 64;

/// The listeners of the configuration in force, and those whose associations go on without them.
pub(crate) struct Listeners {
    gate: Arc<Gate>,
    /// Connections that may be there at once, and how many that is.
    slots: Arc<Semaphore>,
    /// How many slots there are, taken or not.
    places: usize,
    running: HashMap<Arc<str>, Running>,
    /// Of listeners that a reload took away: their associations go on.
    retired: Vec<JoinHandle<()>>,
}

struct Running {
    /// As the configuration says; port 0 stays 0.
    wanted: SocketAddr,
    bound: SocketAddr,
    removed: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// A listener that is bound, and accepts nothing yet.
pub(crate) struct Bound {
    settings: Arc<ListenerSettings>,
    socket: TcpListener,
    at: SocketAddr,
}

/// Why a listener cannot be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "listener \"{name}\" cannot bind {address}: {error}; is another program listening there, or does the port need \
     privileges?"
)]
pub struct BindError {
    name: Arc<str>,
    address: SocketAddr,
    error: io::Error,
}

impl Bound {
    fn new(settings: &Arc<ListenerSettings>) -> Result<Self, BindError> {
        let (name, address) = (settings.name.clone(), settings.address);
        let bound = listener::bind(address).and_then(|socket| socket.local_addr().map(|at| (socket, at)));
        let (socket, at) = bound.map_err(|error| BindError { name, address, error })?;
        Ok(Self { settings: settings.clone(), socket, at })
    }

    /// Its name, and where it listens, with the port that the system chose.
    pub fn place(&self) -> (&str, SocketAddr) {
        (&self.settings.name, self.at)
    }
}

impl Listeners {
    /// None of them yet.
    pub fn new(gate: Arc<Gate>) -> Self {
        let places = places(&gate.in_force.load().settings);
        let slots = Arc::new(Semaphore::new(places));
        Self { gate, slots, places, running: HashMap::new(), retired: Vec::new() }
    }

    /// Binds those listeners of the settings that are not there already.
    ///
    /// # Errors
    /// The first that cannot be bound; none of them is then.
    pub fn bind_new(&self, settings: &Settings) -> Result<Vec<Bound>, BindError> {
        let is_there = |settings: &ListenerSettings| {
            self.running.get(&settings.name).is_some_and(|running| running.wanted == settings.address)
        };
        settings.listeners.iter().filter(|settings| !is_there(settings)).map(Bound::new).collect()
    }

    /// Follows settings that have come into force: ends the accept loops of listeners that are gone or have moved, and
    /// begins to accept at those that were bound for it.
    pub fn follow(&mut self, settings: &Settings, bound: Vec<Bound>) {
        // Fewer need no care: the limiter counts connections too.
        let more = places(settings).saturating_sub(self.places);
        self.slots.add_permits(more);
        self.places += more;
        self.retire(settings);
        for bound in bound {
            self.accept(bound);
        }
    }

    fn accept(&mut self, Bound { settings, socket, at: bound }: Bound) {
        tracing::info!(listener = %settings.name, address = %bound, tls = settings.tls.is_some(), "listening");
        let (name, wanted) = (settings.name.clone(), settings.address);
        let (removed, on_removed) = watch::channel(false);
        let listener = Listener { name: name.clone(), socket };
        let task = tokio::spawn(listener.run(self.gate.clone(), self.slots.clone(), on_removed));
        self.running.insert(name, Running { wanted, bound, removed, task });
    }

    fn retire(&mut self, settings: &Settings) {
        self.retired.retain(|task| !task.is_finished());
        let gone = self.running.extract_if(|name, running| {
            let wanted = settings.listeners.iter().find(|listener| listener.name == *name);
            wanted.is_none_or(|listener| listener.address != running.wanted)
        });
        for (name, running) in gone {
            tracing::info!(listener = %name, "no longer listening");
            running.removed.send_replace(true);
            self.retired.push(running.task);
        }
    }

    /// Where a listener listens, with the port that the system chose.
    pub fn address(&self, listener: &str) -> Option<SocketAddr> {
        self.running.get(listener).map(|running| running.bound)
    }

    /// Returns once every accept loop has ended, and every association of it.
    pub async fn ended(self) {
        for task in self.running.into_values().map(|running| running.task).chain(self.retired) {
            // A listener that panicked has nothing left to wait for.
            let _ = task.await;
        }
    }
}

/// Connections that may be served at once.
fn places(settings: &Settings) -> usize {
    let most = usize::try_from(settings.limits.counts.max_associations).unwrap_or(usize::MAX);
    most.saturating_mul(2).saturating_add(SPARE_SLOTS).min(Semaphore::MAX_PERMITS)
}

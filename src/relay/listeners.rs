//! All listeners: bound before anything is in force, opened, taken away by a reload, waited for at the end.
//!
//! A reload may want an address that a listener has which it takes away. At the same address the socket changes hands, and no
//! connection is lost. Where one of the two is every address of a port (`0.0.0.0:104`), the kernel has no room for both: the old
//! socket is closed first, and bound again if anything of the new configuration then cannot be had.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot, watch};
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
    /// Its accept loop holds it.
    socket: Weak<TcpListener>,
    removed: watch::Sender<bool>,
    /// Ends when its accept loop has let go of the socket.
    closed: oneshot::Receiver<Infallible>,
    task: JoinHandle<()>,
}

/// Where a listener listened that made room.
struct Aside {
    name: Arc<str>,
    wanted: SocketAddr,
    bound: SocketAddr,
}

/// A listener that is bound, and accepts nothing yet.
pub(crate) struct Bound {
    settings: Arc<ListenerSettings>,
    socket: Arc<TcpListener>,
    at: SocketAddr,
}

/// Why a listener cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("listener \"{name}\" cannot bind {address}: {error}; {}", who(taken_by.as_deref()))]
pub struct BindError {
    name: Arc<str>,
    address: SocketAddr,
    error: io::Error,
    /// Another listener of the same configuration, which has this address among its own.
    taken_by: Option<Arc<str>>,
}

fn who(taken_by: Option<&str>) -> String {
    match taken_by {
        Some(name) => format!(
            "listener \"{name}\" listens there already, at that address or at every address of the port"
        ),
        None => "is another program listening there, or does the port need privileges?".into(),
    }
}

impl Bound {
    fn new(settings: &Arc<ListenerSettings>) -> Result<Self, BindError> {
        let (name, address) = (settings.name.clone(), settings.address);
        let bound = listener::bind(address).and_then(|socket| socket.local_addr().map(|at| (socket, at)));
        let (socket, at) = bound.map_err(|error| BindError { name, address, error, taken_by: None })?;
        Ok(Self { settings: settings.clone(), socket: Arc::new(socket), at })
    }

    /// Its name, and where it listens, with the port that the system chose.
    pub(crate) fn place(&self) -> (&str, SocketAddr) {
        (&self.settings.name, self.at)
    }
}

impl Listeners {
    /// No listener yet; each is added by the start or by a reload.
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        let places = places(&gate.in_force.load().settings);
        let slots = Arc::new(Semaphore::new(places));
        Self { gate, slots, places, running: HashMap::new(), retired: Vec::new() }
    }

    /// Binds those listeners of the settings that are not there already.
    ///
    /// # Errors
    /// The first that cannot be bound; none of them is then, and those that are there stay.
    pub(crate) async fn bind_new(&mut self, settings: &Settings) -> Result<Vec<Bound>, BindError> {
        let mut aside = Vec::new();
        let bound = self.bind_each(settings, &mut aside).await;
        if bound.is_err() {
            aside.into_iter().for_each(|listener| self.come_back(listener));
        }
        bound
    }

    /// The same; `aside` are those that had to make room.
    async fn bind_each(
        &mut self,
        settings: &Settings,
        aside: &mut Vec<Aside>,
    ) -> Result<Vec<Bound>, BindError> {
        let mut going = self.going(settings);
        let new = settings.listeners.iter().filter(|wanted| !self.has(wanted));
        let (mut bound, mut others) = (Vec::new(), Vec::new());
        for wanted in new {
            match self.hand_over(&mut going, wanted) {
                Some(handed_over) => bound.push(handed_over),
                None => others.push(wanted),
            }
        }
        for wanted in others {
            let mut one = Bound::new(wanted);
            if one.as_ref().is_err_and(|error| error.error.kind() == io::ErrorKind::AddrInUse) {
                let in_the_way = going.extract_if(.., |name| self.is_in_the_way(name, wanted.address));
                for name in in_the_way.collect::<Vec<_>>() {
                    aside.extend(self.stand_aside(&name).await);
                }
                one = Bound::new(wanted);
            }
            bound.push(one.map_err(|error| self.explained(error, &bound))?);
        }
        Ok(bound)
    }

    /// Whether a listener is there as it is wanted.
    fn has(&self, wanted: &ListenerSettings) -> bool {
        self.running.get(&wanted.name).is_some_and(|running| running.wanted == wanted.address)
    }

    /// Those that are there and that the settings do not want so.
    fn going(&self, settings: &Settings) -> Vec<Arc<str>> {
        let stays = |name: &Arc<str>| {
            settings.listeners.iter().any(|wanted| wanted.name == *name && self.has(wanted))
        };
        self.running.keys().filter(|name| !stays(name)).cloned().collect()
    }

    /// The socket of a listener that goes, for another one at its address.
    fn hand_over(&self, going: &mut Vec<Arc<str>>, wanted: &Arc<ListenerSettings>) -> Option<Bound> {
        let has_its_address =
            |name: &Arc<str>| self.running.get(name).is_some_and(|running| running.wanted == wanted.address);
        let name = going.swap_remove(going.iter().position(has_its_address)?);
        let running = self.running.get(&name)?;
        Some(Bound { settings: wanted.clone(), socket: running.socket.upgrade()?, at: running.bound })
    }

    fn is_in_the_way(&self, name: &str, address: SocketAddr) -> bool {
        self.running.get(name).is_some_and(|running| overlap(running.bound, address))
    }

    /// Closes the socket of a listener; its associations go on.
    async fn stand_aside(&mut self, name: &str) -> Option<Aside> {
        let (name, running) = self.running.remove_entry(name)?;
        let Running { wanted, bound, removed, closed, task, .. } = running;
        removed.send_replace(true);
        self.retired.push(task);
        // Nothing is ever sent.
        let _ = closed.await;
        Some(Aside { name, wanted, bound })
    }

    /// What was to come in its place does not come.
    fn come_back(&mut self, Aside { name, wanted, bound }: Aside) {
        match listener::bind(bound) {
            Ok(socket) => self.run(name, wanted, bound, Arc::new(socket)),
            Err(error) => {
                tracing::error!(listener = %name, address = %bound, %error, "no longer listening: it made room for another, which cannot be had");
            }
        }
    }

    fn explained(&self, error: BindError, bound: &[Bound]) -> BindError {
        let there = self.running.iter().map(|(name, running)| (name, running.bound));
        let new = bound.iter().map(|bound| (&bound.settings.name, bound.at));
        let is_in_use = error.error.kind() == io::ErrorKind::AddrInUse;
        let taken_by = there.chain(new).find(|(_, at)| is_in_use && overlap(*at, error.address));
        BindError { taken_by: taken_by.map(|(name, _)| name.clone()), ..error }
    }

    /// Follows settings that have come into force: ends the accept loops of listeners that are gone or have moved, and
    /// begins to accept at those that were bound for it.
    pub(crate) fn follow(&mut self, settings: &Settings, bound: Vec<Bound>) {
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
        self.run(settings.name.clone(), settings.address, bound, socket);
    }

    fn run(&mut self, name: Arc<str>, wanted: SocketAddr, bound: SocketAddr, socket: Arc<TcpListener>) {
        let (removed, on_removed) = watch::channel(false);
        let ((holds, closed), still) = (oneshot::channel(), Arc::downgrade(&socket));
        let listener = Listener { name: name.clone(), address: wanted, socket, holds };
        let task = tokio::spawn(listener.run(self.gate.clone(), self.slots.clone(), on_removed));
        self.running.insert(name, Running { wanted, bound, socket: still, removed, closed, task });
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
    pub(crate) fn address(&self, listener: &str) -> Option<SocketAddr> {
        self.running.get(listener).map(|running| running.bound)
    }

    /// Returns once every accept loop has ended, and every association of it.
    pub(crate) async fn ended(self) {
        for task in self.running.into_values().map(|running| running.task).chain(self.retired) {
            // A listener that panicked has nothing left to wait for.
            let _ = task.await;
        }
    }
}

/// Whether the kernel takes two sockets for one, if both are to listen.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && (any || one.ip() == other.ip())
}

/// Connections that may be served at once.
fn places(settings: &Settings) -> usize {
    let most = usize::try_from(settings.limits.counts.max_associations).unwrap_or(usize::MAX);
    most.saturating_mul(2).saturating_add(SPARE_SLOTS).min(Semaphore::MAX_PERMITS)
}

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
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::gate::Gate;
use super::listener::{self, Listener};
use crate::config::ListenerSettings;

/// The listeners of the configuration in force, and those whose associations go on without them.
#[derive(Default)]
pub(crate) struct Listeners {
    running: HashMap<Key, Running>,
    /// Of listeners that a reload took away: their associations go on.
    retired: Vec<JoinHandle<()>>,
}

/// A listener that a configuration has, and whose gate its connections come to.
pub(crate) struct ListenFor {
    pub gate: Arc<Gate>,
    pub settings: Arc<ListenerSettings>,
}

/// Names are those of one tenant.
type Key = (Option<Arc<str>>, Arc<str>);

impl ListenFor {
    fn key(&self) -> Key {
        (self.gate.in_force.load().settings.tenant.clone(), self.settings.name.clone())
    }
}

struct Running {
    gate: Arc<Gate>,
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
    gate: Arc<Gate>,
    key: Key,
    wanted: SocketAddr,
    bound: SocketAddr,
}

/// A listener that is bound, and accepts nothing yet.
pub(crate) struct Bound {
    gate: Arc<Gate>,
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
    fn new(wanted: &ListenFor) -> Result<Self, BindError> {
        let (name, address) = (wanted.settings.name.clone(), wanted.settings.address);
        let bound = listener::bind(address).and_then(|socket| socket.local_addr().map(|at| (socket, at)));
        let (socket, at) = bound.map_err(|error| BindError { name, address, error, taken_by: None })?;
        let (gate, settings) = (wanted.gate.clone(), wanted.settings.clone());
        Ok(Self { gate, settings, socket: Arc::new(socket), at })
    }

    /// Its name, and where it listens, with the port that the system chose.
    pub(crate) fn place(&self) -> (&str, SocketAddr) {
        (&self.settings.name, self.at)
    }

    /// Whether its connections come to this gate.
    pub(crate) fn is_of(&self, gate: &Arc<Gate>) -> bool {
        Arc::ptr_eq(&self.gate, gate)
    }
}

impl Listeners {
    /// Binds those listeners that are not there already.
    ///
    /// # Errors
    /// The first that cannot be bound; none of them is then, and those that are there stay.
    pub(crate) async fn bind_new(&mut self, wanted: &[ListenFor]) -> Result<Vec<Bound>, BindError> {
        let mut aside = Vec::new();
        let bound = self.bind_each(wanted, &mut aside).await;
        if bound.is_err() {
            aside.into_iter().for_each(|listener| self.come_back(listener));
        }
        bound
    }

    /// The same; `aside` are those that had to make room.
    async fn bind_each(
        &mut self,
        wanted: &[ListenFor],
        aside: &mut Vec<Aside>,
    ) -> Result<Vec<Bound>, BindError> {
        let mut going = self.going(wanted);
        let new = wanted.iter().filter(|wanted| !self.has(wanted));
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
                let in_the_way = going.extract_if(.., |key| self.is_in_the_way(key, wanted.settings.address));
                for key in in_the_way.collect::<Vec<_>>() {
                    aside.extend(self.stand_aside(&key).await);
                }
                one = Bound::new(wanted);
            }
            bound.push(one.map_err(|error| self.explained(error, &bound))?);
        }
        Ok(bound)
    }

    /// Whether a listener is there as it is wanted.
    fn has(&self, wanted: &ListenFor) -> bool {
        let running = self.running.get(&wanted.key());
        running.is_some_and(|running| {
            running.wanted == wanted.settings.address && Arc::ptr_eq(&running.gate, &wanted.gate)
        })
    }

    /// Those that are there and that nobody wants so.
    fn going(&self, wanted: &[ListenFor]) -> Vec<Key> {
        let stays = |key: &Key| wanted.iter().any(|wanted| wanted.key() == *key && self.has(wanted));
        self.running.keys().filter(|key| !stays(key)).cloned().collect()
    }

    /// The socket of a listener that goes, for another one at its address.
    fn hand_over(&self, going: &mut Vec<Key>, wanted: &ListenFor) -> Option<Bound> {
        let address = wanted.settings.address;
        let has_its_address =
            |key: &Key| self.running.get(key).is_some_and(|running| running.wanted == address);
        let key = going.swap_remove(going.iter().position(has_its_address)?);
        let running = self.running.get(&key)?;
        let (gate, settings) = (wanted.gate.clone(), wanted.settings.clone());
        Some(Bound { gate, settings, socket: running.socket.upgrade()?, at: running.bound })
    }

    fn is_in_the_way(&self, key: &Key, address: SocketAddr) -> bool {
        self.running.get(key).is_some_and(|running| overlap(running.bound, address))
    }

    /// Closes the socket of a listener; its associations go on.
    async fn stand_aside(&mut self, key: &Key) -> Option<Aside> {
        let (key, running) = self.running.remove_entry(key)?;
        let Running { gate, wanted, bound, removed, closed, task, .. } = running;
        removed.send_replace(true);
        self.retired.push(task);
        // Nothing is ever sent.
        let _ = closed.await;
        Some(Aside { gate, key, wanted, bound })
    }

    /// What was to come in its place does not come.
    fn come_back(&mut self, Aside { gate, key, wanted, bound }: Aside) {
        match listener::bind(bound) {
            Ok(socket) => self.run(gate, key, wanted, bound, Arc::new(socket)),
            Err(error) => {
                tracing::error!(tenant = key.0.as_deref(), listener = %key.1, address = %bound, %error, "no longer listening: it made room for another, which cannot be had");
            }
        }
    }

    fn explained(&self, error: BindError, bound: &[Bound]) -> BindError {
        let there = self.running.iter().map(|((_, name), running)| (name, running.bound));
        let new = bound.iter().map(|bound| (&bound.settings.name, bound.at));
        let is_in_use = error.error.kind() == io::ErrorKind::AddrInUse;
        let taken_by = there.chain(new).find(|(_, at)| is_in_use && overlap(*at, error.address));
        BindError { taken_by: taken_by.map(|(name, _)| name.clone()), ..error }
    }

    /// Follows settings that have come into force: ends the accept loops of listeners that are gone or have moved, and
    /// begins to accept at those that were bound for it.
    pub(crate) fn follow(&mut self, wanted: &[ListenFor], bound: Vec<Bound>) {
        self.retire(wanted);
        for bound in bound {
            self.accept(bound);
        }
    }

    fn accept(&mut self, Bound { gate, settings, socket, at: bound }: Bound) {
        let is_tls = settings.tls.is_some();
        let wanted = ListenFor { gate, settings };
        let (key, address) = (wanted.key(), wanted.settings.address);
        tracing::info!(tenant = key.0.as_deref(), listener = %key.1, address = %bound, tls = is_tls, "listening");
        self.run(wanted.gate, key, address, bound, socket);
    }

    fn run(
        &mut self,
        gate: Arc<Gate>,
        key: Key,
        wanted: SocketAddr,
        bound: SocketAddr,
        socket: Arc<TcpListener>,
    ) {
        let (removed, on_removed) = watch::channel(false);
        let ((holds, closed), still) = (oneshot::channel(), Arc::downgrade(&socket));
        let listener = Listener { name: key.1.clone(), address: wanted, socket, holds };
        let task = tokio::spawn(listener.run(gate.clone(), on_removed));
        self.running.insert(key, Running { gate, wanted, bound, socket: still, removed, closed, task });
    }

    fn retire(&mut self, wanted: &[ListenFor]) {
        self.retired.retain(|task| !task.is_finished());
        let stays = |key: &Key, running: &Running| {
            let is_it = |one: &&ListenFor| one.key() == *key && Arc::ptr_eq(&one.gate, &running.gate);
            wanted.iter().find(is_it).is_some_and(|one| one.settings.address == running.wanted)
        };
        let gone = self.running.extract_if(|key, running| !stays(key, running));
        for ((tenant, name), running) in gone {
            tracing::info!(tenant = tenant.as_deref(), listener = %name, "no longer listening");
            running.removed.send_replace(true);
            self.retired.push(running.task);
        }
    }

    /// Where a listener listens, with the port that the system chose.
    pub(crate) fn address(&self, tenant: Option<&str>, listener: &str) -> Option<SocketAddr> {
        let is_it = |key: &Key| key.0.as_deref() == tenant && *key.1 == *listener;
        self.running.iter().find(|(key, _)| is_it(key)).map(|(_, running)| running.bound)
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

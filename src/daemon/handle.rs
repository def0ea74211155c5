//! What may be asked of a running proxy, whoever asks: a signal, or somebody at the administration interface.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use rustls::ServerConfig;
use tokio::sync::{mpsc, oneshot, watch};

use super::Blocking;
use crate::audit::{Audit, ReloadedBy};
use crate::config::Settings;
use crate::relay::{Gate, Stage};

/// Requests that wait for the one before.
const WAITING: usize = 16;

/// The running proxy, for whoever asks it for something; cheap to clone.
#[derive(Clone)]
pub struct Handle {
    gate: Arc<Gate>,
    blocking: Arc<Blocking>,
    /// `None`: of a tenant, who asks nothing of the whole process.
    requests: Option<mpsc::Sender<Request>>,
    changes: watch::Receiver<Arc<Settings>>,
    refused: watch::Receiver<Option<Arc<str>>>,
    began: Instant,
    /// Of a tenant, which waits until nobody has it any more before its trail ends.
    _held: Option<mpsc::Sender<Infallible>>,
}

/// What is asked of whoever runs the proxy.
#[derive(Debug)]
pub enum Request {
    /// To read the configuration again. The answer is the digest of what is in force then, or every problem.
    Reload {
        /// Who asks.
        by: Option<ReloadedBy>,
        /// Where the answer goes.
        answer: oneshot::Sender<Result<String, Vec<String>>>,
    },
    /// To stop as SIGTERM does.
    Drain {
        /// For the last record: who asked.
        why: String,
    },
    /// To log so much from now on, until the next reload.
    LogLevel {
        /// A level or a tracing filter.
        level: String,
        /// Where the answer goes: what is wrong with the level.
        answer: oneshot::Sender<Result<(), String>>,
    },
}

/// Why something that is asked is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// The proxy is about to end, and takes no requests any more.
    #[error("the proxy is stopping")]
    Stopping,
    /// It is about the whole process, and who asks is one tenant of it.
    #[error("that is about all tenants of the machine: whoever runs it does so, with a signal")]
    OfTheMachine,
}

impl Handle {
    pub(super) fn new(
        gate: Arc<Gate>,
        blocking: Arc<Blocking>,
        changes: watch::Receiver<Arc<Settings>>,
        refused: watch::Receiver<Option<Arc<str>>>,
        began: Instant,
    ) -> (Self, mpsc::Receiver<Request>) {
        let (requests, received) = mpsc::channel(WAITING);
        (Self { gate, blocking, requests: Some(requests), changes, refused, began, _held: None }, received)
    }

    /// Of one tenant: what is asked is about its own, and nothing about the process.
    pub(super) fn of_tenant(
        (gate, held): (Arc<Gate>, mpsc::Sender<Infallible>),
        blocking: Arc<Blocking>,
        changes: watch::Receiver<Arc<Settings>>,
        began: Instant,
    ) -> Self {
        // What is wrong with the file may be another one's.
        let refused = watch::channel(None).1;
        Self { gate, blocking, requests: None, changes, refused, began, _held: Some(held) }
    }

    async fn ask(&self, request: Request) -> Result<(), NotDone> {
        let requests = self.requests.as_ref().ok_or(NotDone::OfTheMachine)?;
        requests.send(request).await.map_err(|_| NotDone::Stopping)
    }

    /// The settings of the last configuration that was taken; a reload replaces them and changes nothing in these.
    pub fn settings(&self) -> Arc<Settings> {
        self.gate.in_force.load().settings.clone()
    }

    /// What `[admin.tls]` is, or was when it was last there.
    pub(crate) fn admin_tls(&self) -> Option<Arc<ServerConfig>> {
        self.gate.in_force.load().admin_tls.clone()
    }

    /// The settings in force, for whoever waits for others. They are in force when this tells.
    pub(crate) fn changes(&self) -> watch::Receiver<Arc<Settings>> {
        let mut changes = self.changes.clone();
        changes.mark_unchanged();
        changes
    }

    /// The first problem of what was read last, where that was refused and the one before it stays in force.
    pub(crate) fn refused(&self) -> Option<Arc<str>> {
        self.refused.borrow().clone()
    }

    /// When the proxy began, by the monotonic clock.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// The sink of the records, in which what administrators do is recorded, too.
    pub fn audit(&self) -> &Audit {
        &self.gate.audit
    }

    /// Whether new associations are taken: neither draining nor stopping.
    pub fn is_running(&self) -> bool {
        *self.gate.stage.borrow() == Stage::Running
    }

    /// Whom an administrator shuts out.
    pub fn blocking(&self) -> &Blocking {
        &self.blocking
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Has the configuration read again: the same as SIGHUP. The digest of what is in force then.
    ///
    /// # Errors
    /// Every problem; what was in force stays so.
    pub async fn reload(&self, by: Option<ReloadedBy>) -> Result<String, Vec<String>> {
        let (answer, answered) = oneshot::channel();
        let stopping = || vec![NotDone::Stopping.to_string()];
        if !self.is_running() {
            return Err(stopping());
        }
        self.ask(Request::Reload { by, answer }).await.map_err(|error| vec![error.to_string()])?;
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Stops the proxy: the same as SIGTERM. `why` is for its last record.
    ///
    /// # Errors
    /// It is stopping already, or this is one tenant of several.
    pub async fn drain(&self, why: String) -> Result<(), NotDone> {
        if !self.is_running() {
            return Err(NotDone::Stopping);
        }
        self.ask(Request::Drain { why }).await
    }

    /// Logs so much from now on, until the next reload.
    ///
    /// # Errors
    /// What is wrong with the level.
    pub async fn log_level(&self, level: String) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let request = Request::LogLevel { level, answer };
        self.ask(request).await.map_err(|error| error.to_string())?;
        answered.await.unwrap_or_else(|_| Err(NotDone::Stopping.to_string()))
    }
}

//! What may be asked of a running proxy, whoever asks: a signal, or somebody at the administration interface.

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
    requests: mpsc::Sender<Request>,
    changes: watch::Receiver<Arc<Settings>>,
    refused: watch::Receiver<Option<Arc<str>>>,
    began: Instant,
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

/// The proxy is about to end, and takes no requests any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proxy is stopping")]
pub struct Stopping;

impl Handle {
    pub(super) fn new(
        gate: Arc<Gate>,
        blocking: Arc<Blocking>,
        changes: watch::Receiver<Arc<Settings>>,
        refused: watch::Receiver<Option<Arc<str>>>,
        began: Instant,
    ) -> (Self, mpsc::Receiver<Request>) {
        let (requests, received) = mpsc::channel(WAITING);
        (Self { gate, blocking, requests, changes, refused, began }, received)
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
        let stopping = || vec![Stopping.to_string()];
        if !self.is_running() {
            return Err(stopping());
        }
        self.requests.send(Request::Reload { by, answer }).await.map_err(|_| stopping())?;
        answered.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Stops the proxy: the same as SIGTERM. `why` is for its last record.
    ///
    /// # Errors
    /// It is stopping already.
    pub async fn drain(&self, why: String) -> Result<(), Stopping> {
        if !self.is_running() {
            return Err(Stopping);
        }
        self.requests.send(Request::Drain { why }).await.map_err(|_| Stopping)
    }

    /// Logs so much from now on, until the next reload.
    ///
    /// # Errors
    /// What is wrong with the level.
    pub async fn log_level(&self, level: String) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let request = Request::LogLevel { level, answer };
        self.requests.send(request).await.map_err(|_| Stopping.to_string())?;
        answered.await.unwrap_or_else(|_| Err(Stopping.to_string()))
    }
}

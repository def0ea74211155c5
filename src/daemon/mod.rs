//! What lives as long as the process: records and their way to repositories, crosswalks, limits, listeners.
//!
//! | file | holds |
//! | --- | --- |
//! | `site` | one tenant, or all there is where there are none: its gate, its records and what else is its alone |
//! | `starting` | from a configuration that was read to listeners that accept |
//! | `state` | the folder of what outlives a restart, for one process |
//! | `reloading` | another configuration into force, staged and put into force as one |
//! | `stopping` | drained, aborted where it has to be, and closed |
//! | `blocking` | whom an administrator shuts out, on the disk first |
//! | `hours` | when roles may be used, kept for those who are there |
//! | `handle` | what may be asked of it while it runs, by a signal or by the administration interface |
//! | `telling` | whoever wants to be told of what is recorded |
//! | `told` | what the process records of itself |
//! | `in_turn` | that, for each tenant one after the other, while no other waits for its disk |
//! | `monitor`, `monitoring` | how it stands now, and a monitor that asks for it over HTTP |
//! | `endings` | certificates and lists that end, told ahead |
//! | `fetching` | keys of issuers, fetched again and again |
//! | `watching` | files of the configuration that are replaced, seen |
//!
//! # Why
//!
//! - **Why an owner**: `dimsegate run` and the demonstration begin, reload and end alike, since they ask the same object.
//!   The configuration is compiled and opens nothing; what is open belongs to whoever closes it.
//! - **Why a reload is staged**: crosswalks are opened and listeners bound first. A failure there leaves everything as it
//!   was; behind it nothing can fail, and settings and crosswalks change in one store.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::audit::{AuditError, ReloadedBy};
use crate::config::Settings;
use crate::crosswalk::CrosswalkError;
use crate::files::full;
use crate::http;
use crate::relay::{BindError, Listeners, UpstreamState};

mod blocking;
mod endings;
mod fetching;
mod handle;
mod hours;
mod in_turn;
mod monitor;
mod monitoring;
mod reloading;
mod site;
mod starting;
mod state;
mod stopping;
mod telling;
mod told;
mod watching;

pub use blocking::{BlockError, Blocking, blocks_in};
pub use handle::{Handle, NotDone, Request};
pub(crate) use monitor::open_descriptors;
pub(crate) use monitoring::OPEN_METRICS;

use monitor::Monitor;
use monitoring::Monitoring;
use site::Site;

/// The running proxy: everything that lives as long as the process, and the tasks that have to end before it does.
pub struct Daemon {
    /// All there is, without tenants; with them, what is none of theirs.
    machine: Site,
    /// By name.
    tenants: BTreeMap<Arc<str>, Site>,
    /// Tenants that a reload took away, until their last associations have ended.
    leaving: Vec<JoinHandle<()>>,
    listeners: Listeners,
    began: Instant,
    monitor: Monitor,
    monitoring: Monitoring,
    /// The first problem of what was read last, where that was refused.
    refused: watch::Sender<Option<Arc<str>>>,
    handle: Handle,
    requests: mpsc::Receiver<Request>,
}

/// Why the proxy cannot run, or not with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener is taken, or may not be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Metrics cannot be served where they should be.
    #[error("metrics: {0}")]
    Monitoring(#[from] http::BindError),
    /// A crosswalk is damaged, in use, or cannot be made.
    #[error("crosswalk: {0}")]
    Crosswalk(#[from] CrosswalkError),
    /// Nobody knows whom an administrator has shut out.
    #[error(transparent)]
    Blocks(#[from] BlockError),
    /// Another process keeps there what outlives a restart.
    #[error(
        "another dimsegate{} uses the folder {}; stop it, or give each configuration a state-directory of its own in [admin]",
        process.map_or_else(String::new, |id| format!(" (process {id})")),
        full(folder)
    )]
    StateInUse {
        /// `state-directory`.
        folder: PathBuf,
        /// Its process ID, where its lock tells one.
        process: Option<u32>,
    },
    /// Nothing would keep another process from taking the same tokens, or from counting the same patients.
    #[error(
        "the folder {}, which keeps the tokens that were used and the patients that were seen, cannot be locked: {error}; give the account that runs dimsegate write access to it, or name another one: state-directory in [admin]",
        full(folder)
    )]
    State {
        /// `state-directory`.
        folder: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Records cannot be kept.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The first `[[tenant]]`, or none any more: whose everything is changes with that.
    #[error(
        "a file with the first [[tenant]], or without any where there were some, is another configuration of everything; restart dimsegate with it"
    )]
    Tenants,
    /// Records cannot be sent on.
    #[error(transparent)]
    Forwarding(std::io::Error),
}

impl Daemon {
    /// Where a listener listens, with the port that the system chose.
    pub fn address(&self, listener: &str) -> Option<SocketAddr> {
        self.listeners.address(None, listener)
    }

    /// The same, of a listener of a tenant that has its address alone.
    pub fn address_of(&self, tenant: &str, listener: &str) -> Option<SocketAddr> {
        self.listeners.address(Some(tenant), listener)
    }

    /// For whoever asks something of it while it runs.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Each tenant, with who asks for its own, and what a monitor asks of it.
    pub fn tenants(&self) -> Vec<(Arc<Settings>, Handle, axum::Router)> {
        let tenant = |site: &Site| {
            let (gate, changes) = (site.gate.clone(), site.followed.subscribe());
            let handle =
                Handle::of_tenant((gate, site.held.clone()), site.blocking.clone(), changes, self.began);
            let monitor = Monitor::new(site.gate.clone(), site.deliveries());
            (site.settings(), handle, monitoring::router(monitor))
        };
        self.tenants.values().map(tenant).collect()
    }

    /// What is asked through a [`Handle`] next.
    pub async fn next_request(&mut self) -> Request {
        match self.requests.recv().await {
            Some(request) => request,
            // One handle is its own.
            None => std::future::pending().await,
        }
    }

    /// What a monitor asks: `/metrics`, `/health` and `/ready`, for whoever serves it besides.
    pub fn monitoring(&self) -> axum::Router {
        monitoring::router(self.monitor.clone())
    }

    /// How each upstream stands, by name.
    pub fn upstreams(&self) -> Vec<UpstreamState> {
        self.machine.gate.upstreams.states()
    }

    /// Whose word a reload is that becomes due because a file has changed that the configuration in force names. Nobody looks
    /// any more once it is dropped.
    pub fn watch_files(&self) -> mpsc::Receiver<ReloadedBy> {
        watching::watch(self.machine.followed.subscribe())
    }

    /// The settings of the last configuration that was taken; a reload replaces them and changes nothing in these.
    pub fn settings(&self) -> Arc<Settings> {
        self.machine.settings()
    }
}

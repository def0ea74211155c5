//! The administration interface of a running proxy: what it is at, and what may be done to it.
//!
//! | file | holds |
//! | --- | --- |
//! | `access`, `groups` | who asks, and which role they have |
//! | `guard` | before each request: may they; behind it: the record of it |
//! | `record` | reads, gathered, so that a page that polls fills no disk |
//! | `api` | a file a resource, and the OpenAPI document made from them |
//! | `client` | what the commands ask with |
//!
//! # Why
//!
//! - **Why roles come from the connection**: a socket knows whose process is at its other end, and TLS whose certificate was
//!   shown. Nothing that a request says about itself is believed.
//! - **Why it asks a [`Handle`]**: a reload through the interface and one by SIGHUP are the same code, and the same record.

use std::sync::Arc;

use tokio::sync::watch;

use crate::config::{AdminListen, AdminSettings, Settings};
use crate::daemon::Handle;
use crate::http::{self, BindError, Bound, Bounds, Listen, Serving};

mod access;
mod api;
pub mod client;
mod groups;
mod guard;
mod record;

use record::Recorder;

pub use api::document;

/// What all requests share.
#[derive(Clone)]
struct Shared {
    proxy: Handle,
    recorder: Arc<Recorder>,
    /// True once answers that would go on have to end.
    ending: watch::Receiver<bool>,
}

/// The interface, being served until it is stopped.
pub struct Interface {
    serving: Serving,
    recorder: Arc<Recorder>,
    end: watch::Sender<bool>,
}

/// Has the socket or the address of the interface, where the configuration has one. Nobody is answered yet.
///
/// # Errors
/// It cannot be had.
pub async fn bind(settings: &Settings) -> Result<Option<Bound>, BindError> {
    let Some(AdminSettings { listen, tls, .. }) = &settings.admin else { return Ok(None) };
    let listen = match listen {
        AdminListen::Unix(path) => Listen::Unix(path.clone()),
        AdminListen::Tcp(address) => Listen::Address(*address),
    };
    let tls = tls.as_ref().filter(|_| matches!(listen, Listen::Address(_)));
    let tls = tls.map(|tls| tls.built.config.clone());
    http::bind(&listen, tls, Bounds::default()).await.map(Some)
}

/// Answers about a proxy from now on. `monitoring` is what a monitor asks for.
pub fn serve(bound: Bound, proxy: Handle, monitoring: axum::Router) -> Interface {
    let recorder = Arc::new(Recorder::new(proxy.audit().clone()));
    let (end, ending) = watch::channel(false);
    let router = api::router(Shared { proxy, recorder: recorder.clone(), ending }, monitoring);
    tokio::spawn(recorder.clone().each_minute());
    tracing::info!(at = %bound.address(), "administration interface");
    Interface { serving: bound.serve(router), recorder, end }
}

impl Interface {
    /// Where it answers, with the port that the system chose.
    pub fn address(&self) -> &Listen {
        self.serving.address()
    }

    /// Answers nobody any more, and records what was gathered.
    pub async fn stop(self) {
        self.end.send_replace(true);
        self.serving.stop().await;
        self.recorder.tell().await;
    }
}

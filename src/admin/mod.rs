//! The administration interface of a running proxy: what it is at, and what may be done to it.
//!
//! | file | holds |
//! | --- | --- |
//! | `access`, `groups` | who asks by what the connection proves, and which role they have |
//! | `people`, `sessions` | who can log in, and who has |
//! | `asking` | who asks: by a session, or by the connection |
//! | `guard`, `may` | before each request: may they; behind it: the record of it |
//! | `begun` | what is done to its end, also where whoever asked has hung up |
//! | `record` | reads, gathered, so that a page that polls fills no disk |
//! | `streams` | how many look on at once |
//! | `api` | a file a resource, and the OpenAPI document made from them |
//! | `page` | what a browser shows of all that |
//! | `client` | what the commands ask with |
//!
//! # Why
//!
//! - **Why roles come from the connection or a login**: a socket knows whose process is at its other end, TLS whose certificate
//!   was shown, and a cookie that nobody can guess who gave passcode and code. Nothing else that a request says is believed.
//! - **Why a cookie counts alone**: with the higher role of two, a page would do what its person may not.
//! - **Why it asks a [`Handle`]**: a reload through the interface and one by SIGHUP are the same code, and the same record.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{AdminListen, AdminSettings, Settings};
use crate::daemon::Handle;
use crate::http::{self, BindError, Bound, Bounds, Listen, Serving};

mod access;
mod api;
mod asking;
mod begun;
pub mod client;
mod groups;
mod guard;
mod may;
mod page;
mod people;
mod record;
mod sessions;
mod streams;

use begun::Begun;
use people::People;
use record::Recorder;
use sessions::Sessions;
use streams::Streams;

pub use api::document;

/// What all requests share.
#[derive(Clone)]
struct Shared {
    proxy: Handle,
    recorder: Arc<Recorder>,
    people: Arc<People>,
    sessions: Arc<Sessions>,
    begun: Begun,
    streams: Streams,
    /// True once answers that would go on have to end.
    ending: watch::Receiver<bool>,
}

/// The interface, being served until it is stopped.
pub struct Interface {
    serving: Vec<Serving>,
    recorder: Arc<Recorder>,
    begun: Begun,
    end: watch::Sender<bool>,
}

/// Has every socket and address of the interface, where the configuration has one. Nobody is answered yet.
///
/// # Errors
/// The first of them that cannot be had.
pub async fn bind(settings: &Settings) -> Result<Vec<Bound>, BindError> {
    let Some(AdminSettings { listen, tls, .. }) = &settings.admin else { return Ok(Vec::new()) };
    let mut bound = Vec::with_capacity(listen.len());
    for one in listen {
        let (listen, tls) = match one {
            AdminListen::Unix(path) => (Listen::Unix(path.clone()), None),
            AdminListen::Tcp(address) => (Listen::Address(*address), tls.as_ref()),
        };
        bound.push(http::bind(&listen, tls.map(|tls| tls.built.config.clone()), Bounds::default()).await?);
    }
    Ok(bound)
}

/// Answers about a proxy from now on, wherever it was bound. `monitoring` is what a monitor asks for.
pub fn serve(bound: Vec<Bound>, proxy: Handle, monitoring: axum::Router) -> Interface {
    let recorder = Arc::new(Recorder::new(proxy.audit().clone()));
    let (end, ending) = watch::channel(false);
    let (people, sessions) = (Arc::default(), Arc::default());
    let (begun, streams) = (Begun::default(), Streams::default());
    let shared =
        Shared { proxy, recorder: recorder.clone(), people, sessions, begun: begun.clone(), streams, ending };
    let router = api::router(shared, monitoring);
    tokio::spawn(recorder.clone().each_minute());
    let serve = |bound: Bound| {
        tracing::info!(at = %bound.address(), "administration interface");
        bound.serve(router.clone())
    };
    Interface { serving: bound.into_iter().map(serve).collect(), recorder, begun, end }
}

impl Interface {
    /// Where it answers, with the ports that the system chose.
    pub fn addresses(&self) -> impl Iterator<Item = &Listen> {
        self.serving.iter().map(Serving::address)
    }

    /// Answers nobody any more, and records what was gathered.
    pub async fn stop(self) {
        self.end.send_replace(true);
        let mut stopping: JoinSet<()> = self.serving.into_iter().map(Serving::stop).collect();
        while stopping.join_next().await.is_some() {}
        self.begun.end().await;
        self.recorder.tell().await;
    }
}

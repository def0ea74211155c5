//! The administration interface of a running proxy: what it is at, and what may be done to it.
//!
//! | file | holds |
//! | --- | --- |
//! | `access`, `groups` | who asks by what the connection proves, and which role they have |
//! | `seen`, `sessions` | who can log in, and who has |
//! | `credential` | a cookie or a token that a request shows |
//! | `asking`, `known` | who asks: by a session, by a token, or by the connection; what is known besides |
//! | `guard`, `may` | before each request: may they; behind it: the record of it |
//! | `reports` | the report on the records, made apart from everything else |
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
//!   was shown, a cookie that nobody can guess who gave passcode and code, a token whom its issuer means. Nothing else that a request says is believed.
//! - **Why a cookie or a token counts alone**: with the higher role of two, a page would do what its person may not.
//! - **Why a token counts here until it ends**, where an association takes it once: whoever polls shows it with each request. It
//!   comes over TLS, or does not leave this machine, and its audience is another one, so that neither is good for the other.
//! - **Why it asks a [`Handle`]**: a reload through the interface and one by SIGHUP are the same code, and the same record.

use std::sync::Arc;

use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{AdminListen, AdminSettings, Settings};
use crate::daemon::Handle;
use crate::http::{self, BindError, Bound, Bounds, Listen, Serving, TlsInForce};

mod access;
mod api;
mod asking;
mod begun;
pub mod client;
mod credential;
mod groups;
mod guard;
mod known;
mod may;
mod page;
mod record;
mod reports;
mod seen;
mod sessions;
mod streams;

use begun::Begun;
use record::Recorder;
use reports::Reports;
use seen::Seen;
use sessions::Sessions;
use streams::Streams;

pub use api::document;
pub use reports::Written;

/// What all requests share.
#[derive(Clone)]
struct Shared {
    proxy: Handle,
    recorder: Arc<Recorder>,
    seen: Arc<Seen>,
    sessions: Arc<Sessions>,
    begun: Begun,
    streams: Streams,
    reports: Reports,
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

/// A socket or address of the interface, where nobody is answered yet.
pub struct Place {
    bound: Bound,
    /// Of the start, where connections begin with a handshake: whether they do is settled there.
    tls: Option<Arc<ServerConfig>>,
}

/// Has every socket and address of the interface, where the configuration has one.
///
/// # Errors
/// The first of them that cannot be had.
pub async fn bind(settings: &Settings) -> Result<Vec<Place>, BindError> {
    let Some(AdminSettings { listen, tls, .. }) = &settings.admin else { return Ok(Vec::new()) };
    let mut places = Vec::with_capacity(listen.len());
    for one in listen {
        let (listen, tls) = match one {
            AdminListen::Unix(path) => (Listen::Unix(path.clone()), None),
            AdminListen::Tcp(address) => (Listen::Address(*address), tls.as_ref()),
        };
        let bound = http::bind(&listen, Bounds::default()).await?;
        places.push(Place { bound, tls: tls.map(|tls| tls.built.config.clone()) });
    }
    Ok(places)
}

/// Answers about a proxy from now on, at every place. `monitoring` is what a monitor asks for, `written` how a report is written.
pub fn serve(places: Vec<Place>, proxy: Handle, monitoring: axum::Router, written: Written) -> Interface {
    let recorder = Arc::new(Recorder::new(proxy.audit().clone()));
    let (end, ending) = watch::channel(false);
    let (seen, sessions) = (Arc::default(), Arc::default());
    let (begun, streams) = (Begun::default(), Streams::default());
    let shared = Shared {
        proxy: proxy.clone(),
        recorder: recorder.clone(),
        seen,
        sessions,
        begun: begun.clone(),
        streams,
        reports: Reports::new(written),
        ending,
    };
    let router = api::router(shared, monitoring);
    tokio::spawn(recorder.clone().each_minute());
    let serve = move |Place { bound, tls }: Place| {
        tracing::info!(at = %bound.address(), "administration interface");
        let bound = match tls {
            Some(of_start) => bound.behind(renewed(proxy.clone(), of_start)),
            None => bound,
        };
        bound.serve(router.clone())
    };
    Interface { serving: places.into_iter().map(serve).collect(), recorder, begun, end }
}

/// As the configuration in force says: certificate, key, client CAs and revocation lists. An `[admin.tls]` that was taken out of
/// it stays as it was last until a restart, since whoever knows the address expects TLS there.
fn renewed(proxy: Handle, of_start: Arc<ServerConfig>) -> TlsInForce {
    Arc::new(move || proxy.admin_tls().unwrap_or_else(|| of_start.clone()))
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

//! What a monitor asks over HTTP: `/metrics`, `/health`, `/ready`.

use std::net::SocketAddr;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::monitor::Monitor;
use crate::http::{self, BindError, Bound, Bounds, Listen, Problem, Serving};

/// The media type of `/metrics`.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The socket for a monitor, where the configuration wants one.
#[derive(Default)]
pub(super) struct Monitoring {
    serving: Option<(SocketAddr, Serving)>,
}

/// A socket that comes in the place of another.
pub(super) enum Move {
    /// It stays where it is.
    Stay,
    /// Nowhere any more.
    Close,
    /// There, where nobody is answered yet.
    To(SocketAddr, Box<Bound>),
}

impl Monitoring {
    /// Binds what the settings want, unless it is there already.
    ///
    /// # Errors
    /// [`BindError`]; what is there stays.
    pub(super) async fn bind(&self, wanted: Option<SocketAddr>) -> Result<Move, BindError> {
        let there = self.serving.as_ref().map(|(wanted, _)| *wanted);
        match wanted {
            _ if wanted == there => Ok(Move::Stay),
            None => Ok(Move::Close),
            Some(address) => {
                let bound = http::bind(&Listen::Address(address), Bounds::default()).await?;
                Ok(Move::To(address, Box::new(bound)))
            }
        }
    }

    /// Answers at the new socket, then no longer at the old one.
    pub(super) async fn follow(&mut self, to: Move, monitor: &Monitor) {
        let before = match to {
            Move::Stay => return,
            Move::Close => self.serving.take(),
            Move::To(wanted, bound) => {
                tracing::info!(address = %bound.address(), "metrics are served");
                self.serving.replace((
                    wanted,
                    bound.serve(router(monitor.clone()).layer(from_fn(http::only_for_here))),
                ))
            }
        };
        if let Some((_, before)) = before {
            tracing::info!(address = %before.address(), "metrics are no longer served");
            before.stop().await;
        }
    }

    /// Stops answering: waits for whoever is being answered, and closes the listener.
    pub(super) async fn stop(self) {
        if let Some((_, serving)) = self.serving {
            serving.stop().await;
        }
    }
}

/// What a monitor may ask.
pub(super) fn router(monitor: Monitor) -> Router {
    let (scraped, looked_at) = (monitor.clone(), monitor);
    Router::new()
        .route("/metrics", get(move || metrics(scraped)))
        .route("/health", get(|| async { "the process answers\n" }))
        .route("/ready", get(move || async move { ready(&looked_at) }))
}

async fn metrics(monitor: Monitor) -> Response {
    match tokio::task::spawn_blocking(move || monitor.metrics()).await {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "nothing could be counted").into_response(),
    }
}

/// Whether associations are taken. The listeners are bound before anybody can ask.
fn ready(monitor: &Monitor) -> Response {
    match monitor.hindrances().as_slice() {
        [] => "associations are taken\n".into_response(),
        why => Problem::new(StatusCode::SERVICE_UNAVAILABLE, why.join("; ")).into_response(),
    }
}

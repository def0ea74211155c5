//! The peers of the configuration in force, and how many associations each has.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::Shared;

/// A `[[peer]]`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Peer {
    name: String,
    /// Where the configuration defines it; absent where that is one file of several tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    role: String,
    /// Absent: every listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    listeners: Option<Vec<String>>,
    networks: Vec<String>,
    calling_ae_titles: Vec<String>,
    /// Whether it has to show a certificate of its own.
    bound_to_certificates: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rewrite: Option<String>,
    open_associations: u32,
    /// Absent: as many as all may have together.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_associations: Option<u32>,
}

/// The peers of the configuration in force, in its order
#[utoipa::path(get, path = "/api/v1/peers", responses((status = 200, body = Vec<Peer>)))]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Vec<Peer>> {
    let settings = shared.proxy.settings();
    let limiter = &shared.proxy.gate().limiter;
    let peers = settings.policy.peers.iter().map(|peer| Peer {
        name: peer.name.to_string(),
        line: settings.shown_line(peer.line),
        role: peer.role.name.to_string(),
        listeners: peer.listeners.as_ref().map(|names| names.iter().map(ToString::to_string).collect()),
        networks: peer.networks.iter().map(ToString::to_string).collect(),
        calling_ae_titles: peer.calling.iter().map(ToString::to_string).collect(),
        bound_to_certificates: peer.certificates.is_some() || peer.issuers.is_some(),
        upstream: peer.upstream.as_ref().map(ToString::to_string),
        rewrite: peer.rewrite.as_ref().map(ToString::to_string),
        open_associations: limiter.open_associations_of(peer),
        max_associations: peer.max_associations,
    });
    Json(peers.collect())
}

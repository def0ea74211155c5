//! What is taken of what there is.

use axum::Json;
use axum::extract::State;
use rustix::process::{Resource, getrlimit};
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::Shared;
use crate::daemon::open_descriptors;

/// What is taken of what there is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Limits {
    associations: Taken,
    /// Bytes, for requests that are being read.
    request_memory: Taken,
    /// Bytes, for frames whose pixels are decoded.
    decoding_memory: Taken,
    /// Bytes, for beginnings of data sets that wait for what they depend on.
    held_data_sets: Taken,
    /// File descriptors of the process.
    descriptors: Taken,
    /// Peers with a limit of their own.
    peers: Vec<OfPeer>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Taken {
    in_use: u64,
    /// Absent: as much as the system gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<u64>,
}

/// Associations of a peer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct OfPeer {
    peer: String,
    in_use: u32,
    allowed: u32,
}

/// What is taken of what there is
#[utoipa::path(get, path = "/api/v1/limits", responses((status = 200, body = Limits)))]
pub(super) async fn limits(State(shared): State<Shared>) -> Json<Limits> {
    let (settings, gate) = (shared.proxy.settings(), shared.proxy.gate());
    let taken = |in_use: u64, allowed: u64| Taken { in_use, allowed: Some(allowed) };
    let [reading, may_be_read] = gate.limiter.request_memory();
    let descriptors = match settings.tenant {
        None => tokio::task::spawn_blocking(open_descriptors).await.unwrap_or(0),
        // Those of the process would tell of other tenants: the connections of this one.
        Some(_) => u64::from(gate.limiter.open_connections() + gate.limiter.open_associations()),
    };
    let peers = settings.policy.peers.iter().filter_map(|peer| {
        let allowed = peer.max_associations?;
        Some(OfPeer { peer: peer.name.to_string(), in_use: gate.limiter.open_associations_of(peer), allowed })
    });
    Json(Limits {
        associations: taken(
            gate.limiter.open_associations().into(),
            settings.limits.counts.max_associations.into(),
        ),
        request_memory: taken(reading, may_be_read),
        decoding_memory: taken(gate.decoders.taken(), settings.limits.decoding_memory.all()),
        held_data_sets: taken(gate.waiting.taken() as u64, settings.limits.held_data_sets),
        descriptors: Taken { in_use: descriptors, allowed: getrlimit(Resource::Nofile).current },
        peers: peers.collect(),
    })
}

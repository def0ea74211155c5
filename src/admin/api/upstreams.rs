//! The upstreams of the configuration in force, and a C-ECHO to one.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::told::{Failed, ProblemDocument, Segment, milliseconds, moment, told};
use crate::admin::Shared;
use crate::dimse::Status;
use crate::http::Problem;
use crate::relay::{self, AddressState, ECHO_AE_TITLE};
use crate::wire::AeTitle;

/// An `[[upstream]]`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Upstream {
    name: String,
    /// Where the configuration defines it; absent where that is one file of several tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    addresses: Vec<String>,
    tls: bool,
    /// Absent: as requestors write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    called_ae_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calling_ae_title: Option<String>,
    open_associations: u32,
    /// `failover`, `round-robin` or `least-associations`.
    balance: &'static str,
    /// Whether C-ECHOs check it.
    checked: bool,
    /// `up` where any address is, `probing` where one is tried, or `down`; absent before it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    availability: Option<&'static str>,
    /// Each address that is asked, those of a name together.
    asked: Vec<Asked>,
    /// Names of which no address is known, and why.
    unknown: Vec<String>,
}

/// An address of an upstream.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Asked {
    address: String,
    /// As the configuration calls it.
    called: String,
    /// `up`, `probing` or `down`.
    availability: &'static str,
    /// Up or down since then.
    since: String,
    associations: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure_at: Option<String>,
    /// How long the last C-ECHO that succeeded took.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_check_ms: Option<u64>,
    /// What it says to C-ECHOs in place of an answer; that counts as up.
    #[serde(skip_serializing_if = "Option::is_none")]
    check_refused: Option<String>,
}

impl Asked {
    fn of(state: &AddressState) -> Self {
        let (last_failure_at, last_failure) = state.last_failure.clone().unzip();
        Self {
            address: state.address.to_string(),
            called: state.called.clone(),
            availability: state.availability.label(),
            since: moment(state.since),
            associations: state.associations,
            last_failure,
            last_failure_at: last_failure_at.map(moment),
            last_check_ms: state.last_check.map(milliseconds),
            check_refused: state.check_refused.clone(),
        }
    }
}

/// What an upstream answered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Echo {
    upstream: String,
    /// The address that answered.
    address: String,
    /// Those before it that did not, each with its reason.
    passed_over: Vec<String>,
    /// Such as `0x0000`.
    status: String,
    success: bool,
    calling_ae_title: String,
    called_ae_title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<String>,
    connected_ms: u64,
    associated_ms: u64,
    echoed_ms: u64,
}

/// The upstreams of the configuration in force
#[utoipa::path(get, path = "/api/v1/upstreams", responses((status = 200, body = Vec<Upstream>)))]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Vec<Upstream>> {
    let settings = shared.proxy.settings();
    let mut open = BTreeMap::<String, u32>::new();
    for entry in shared.proxy.gate().live.list() {
        *open.entry(entry.facts.upstream.to_string()).or_default() += 1;
    }
    let states = shared.proxy.gate().upstreams.states();
    let state = |name: &str| states.iter().find(|state| *state.name == *name);
    let upstreams = settings.upstreams.values().map(|upstream| Upstream {
        name: upstream.name.to_string(),
        line: settings.shown_line(upstream.line),
        addresses: upstream.addresses.clone(),
        tls: upstream.tls.is_some(),
        called_ae_title: upstream.called_ae_title.as_ref().map(ToString::to_string),
        calling_ae_title: upstream.calling_ae_title.as_ref().map(ToString::to_string),
        open_associations: open.get(&*upstream.name).copied().unwrap_or(0),
        balance: upstream.balance.label(),
        checked: upstream.health.is_some(),
        availability: state(&upstream.name).map(|state| state.availability.label()),
        asked: state(&upstream.name).iter().flat_map(|state| &state.addresses).map(Asked::of).collect(),
        unknown: state(&upstream.name).map(|state| state.unknown.clone()).unwrap_or_default(),
    });
    Json(upstreams.collect())
}

/// Ask an upstream for a C-ECHO, as `dimsegate echo` does
#[utoipa::path(
    post,
    path = "/api/v1/upstreams/{name}/echo",
    params(("name" = String, Path, description = "Name of the [[upstream]]")),
    responses(
        (status = 200, body = Echo),
        (status = 403, body = ProblemDocument),
        (status = 404, body = ProblemDocument),
        (status = 502, body = ProblemDocument)
    )
)]
pub(super) async fn echo(State(shared): State<Shared>, Segment(name): Segment) -> Result<Response, Failed> {
    let settings = shared.proxy.settings();
    let missing =
        || Problem::new(StatusCode::NOT_FOUND, "the configuration in force has no upstream of this name");
    let upstream = settings.upstreams.get(name.as_str()).cloned().ok_or_else(missing)?;
    let title = ECHO_AE_TITLE.parse::<AeTitle>();
    let title = title.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let echoed = relay::echo(&upstream, &settings.limits, &title).await;
    let echoed = echoed.map_err(|error| Problem::new(StatusCode::BAD_GATEWAY, error.to_string()))?;
    let status = echoed.status.to_string();
    let what = format!("{} answered with status {status}", echoed.address);
    let echo = Echo {
        upstream: name,
        address: echoed.address,
        passed_over: echoed.passed_over,
        success: echoed.status == Status::SUCCESS,
        status,
        calling_ae_title: echoed.calling.to_string(),
        called_ae_title: echoed.called.to_string(),
        tls: echoed.tls.map(|tls| format!("{} {}", tls.version, tls.cipher)),
        connected_ms: milliseconds(echoed.connected),
        associated_ms: milliseconds(echoed.associated),
        echoed_ms: milliseconds(echoed.echoed),
    };
    Ok(told(Json(echo), what))
}

//! What is done to the proxy as a whole: reload, stop, log level.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::told::{Failed, ProblemDocument, content, told};
use crate::admin::Shared;
use crate::admin::access::Who;
use crate::audit::ReloadedBy;
use crate::http::Problem;

/// What is in force now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Reloaded {
    /// Digest of the configuration in force.
    configuration: String,
}

/// That it stops.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Draining {
    /// Associations that are open, and have until the grace period ends.
    open_associations: u32,
    grace_ms: u64,
}

/// How much is logged.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct LogLevel {
    /// `error`, `warn`, `info`, `debug`, `trace`, `off`, or a tracing filter.
    level: String,
}

/// Read the configuration again, as SIGHUP does
#[utoipa::path(
    post,
    path = "/api/v1/reload",
    responses(
        (status = 200, body = Reloaded),
        (status = 403, body = ProblemDocument),
        (status = 422, body = ProblemDocument, description = "It has problems; what was in force stays so")
    )
)]
pub(super) async fn reload(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
) -> Result<Response, Failed> {
    let by = ReloadedBy {
        user: Some(who.user),
        user_id: who.user_id,
        process_id: who.process_id,
        through: Some("administration".into()),
        watched_files: Vec::new(),
    };
    match shared.proxy.reload(Some(by)).await {
        Ok(configuration) => {
            let what = format!("configuration {configuration}");
            Ok(told(Json(Reloaded { configuration }), what))
        }
        Err(problems) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, problems.join("\n")).into()),
    }
}

/// Stop: no new associations, and the open ones end within the grace period, as SIGTERM does
#[utoipa::path(
    post,
    path = "/api/v1/drain",
    responses(
        (status = 202, body = Draining),
        (status = 403, body = ProblemDocument),
        (status = 409, body = ProblemDocument, description = "It is stopping already")
    )
)]
pub(super) async fn drain(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
) -> Result<Response, Failed> {
    let why = format!("drained by {} through the administration interface", who.user);
    shared.proxy.drain(why).await.map_err(|error| Problem::new(StatusCode::CONFLICT, error.to_string()))?;
    let grace = shared.proxy.settings().limits.grace;
    let open_associations = shared.proxy.gate().limiter.open_associations();
    let draining = Draining { open_associations, grace_ms: super::told::milliseconds(grace) };
    Ok(told((StatusCode::ACCEPTED, Json(draining)), format!("{open_associations} associations open")))
}

/// Log so much from now on, until the configuration is read again
#[utoipa::path(
    put,
    path = "/api/v1/log-level",
    request_body = LogLevel,
    responses(
        (status = 200, body = LogLevel),
        (status = 400, body = ProblemDocument),
        (status = 403, body = ProblemDocument)
    )
)]
pub(super) async fn log_level(State(shared): State<Shared>, body: Bytes) -> Result<Response, Failed> {
    let LogLevel { level } = content(&body)?;
    let set = shared.proxy.log_level(level.clone()).await;
    set.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error))?;
    let what = level.clone();
    Ok(told(Json(LogLevel { level }), what))
}

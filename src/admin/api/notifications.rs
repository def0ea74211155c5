//! Who is told what they should look at, and whether that arrives.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::told::{Failed, ProblemDocument, Segment, told};
use crate::admin::Shared;
use crate::http::Problem;
use crate::notify::{self, Way};

/// A `[[notify]]`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Notification {
    name: String,
    /// `hook` or `command`.
    way: &'static str,
    /// What it is told of.
    when: Vec<&'static str>,
    repeat_ms: u64,
}

/// That it arrived.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Arrived {
    name: String,
}

/// Who is told what
#[utoipa::path(get, path = "/api/v1/notifications", responses((status = 200, body = Vec<Notification>)))]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Vec<Notification>> {
    let settings = shared.proxy.settings();
    let notification = |target: &std::sync::Arc<notify::Target>| Notification {
        name: target.name.to_string(),
        way: match target.way {
            Way::Hook(_) => "hook",
            Way::Command(_) => "command",
        },
        when: target.when.iter().map(|occasion| occasion.label()).collect(),
        repeat_ms: super::told::milliseconds(target.repeat),
    };
    Json(settings.notifications.iter().map(notification).collect())
}

/// Tell one target something, to see whether it arrives
#[utoipa::path(
    post,
    path = "/api/v1/notifications/{name}/test",
    params(("name" = String, Path, description = "Name of the [[notify]]")),
    responses(
        (status = 200, body = Arrived),
        (status = 403, body = ProblemDocument),
        (status = 404, body = ProblemDocument),
        (status = 502, body = ProblemDocument, description = "It did not arrive, and why")
    )
)]
pub(super) async fn test(State(shared): State<Shared>, Segment(name): Segment) -> Result<Response, Failed> {
    let settings = shared.proxy.settings();
    let missing =
        || Problem::new(StatusCode::NOT_FOUND, "the configuration in force has no [[notify]] of this name");
    let target = settings.notifications.iter().find(|target| *target.name == *name).ok_or_else(missing)?;
    let told_it = notify::test(target, &crate::config::host_name()).await;
    told_it.map_err(|error| Problem::new(StatusCode::BAD_GATEWAY, error.to_string()))?;
    Ok(told(Json(Arrived { name }), "arrived"))
}

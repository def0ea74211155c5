//! The resources of the interface, a file each, and the document that describes them.

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::guard::{Guard, guard};
use super::{Shared, page};
use crate::http::Problem;
use crate::users::AdminRole;

mod associations;
mod blocks;
mod certificates;
mod configuration;
mod document;
mod events;
mod explain;
mod issuers;
mod limits;
mod notifications;
mod orders;
mod peers;
mod refusals;
mod report;
mod session;
mod status;
mod told;
mod trace;
mod upstreams;
mod users;

use document::Credentials;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "dimsegate administration",
        description = "What a running dimsegate is at, and what may be done to it. Who asks is known by the socket, by the \
                       client certificate, by the cookie of a session or by a token; roles: viewer, operator, administrator. Errors are problems of RFC 9457.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(told::ProblemDocument)),
    modifiers(&Credentials)
)]
struct Described;

/// The routes with what is looked at before each of them.
pub(super) fn router(shared: Shared, monitoring: Router) -> Router {
    let (router, document) = described(Some(&shared)).split_for_parts();
    let document = Json(whole(document));
    let described = axum::routing::get(move || {
        let document = document.clone();
        async move { document }
    });
    let viewer = Guard { shared: shared.clone(), role: Some(AdminRole::Viewer) };
    let monitoring = monitoring.route_layer(from_fn_with_state(viewer.clone(), guard));
    let openapi =
        Router::new().route("/api/openapi.json", described).route_layer(from_fn_with_state(viewer, guard));
    router
        .merge(openapi)
        .merge(page::router())
        .method_not_allowed_fallback(wrong_method)
        .fallback(nothing_here)
        .with_state(shared)
        .merge(monitoring)
}

/// What the interface can do, as OpenAPI 3.1.
pub fn document() -> Document {
    whole(described(None).split_for_parts().1)
}

fn whole(document: Document) -> Document {
    document::with_problems(document::with_monitoring(document))
}

/// With a guard before each route where there is a proxy to ask.
fn described(shared: Option<&Shared>) -> OpenApiRouter<Shared> {
    let guarded = |router: OpenApiRouter<Shared>, role| match shared {
        Some(shared) => router.route_layer(from_fn_with_state(Guard { shared: shared.clone(), role }, guard)),
        None => router,
    };
    let anybody = OpenApiRouter::new().routes(routes!(session::session, session::login, session::logout));
    let looking = OpenApiRouter::new()
        .routes(routes!(status::status))
        .routes(routes!(associations::list))
        .routes(routes!(associations::changes))
        .routes(routes!(associations::one))
        .routes(routes!(blocks::list))
        .routes(routes!(notifications::list))
        .routes(routes!(refusals::list))
        .routes(routes!(report::report))
        .routes(routes!(peers::list))
        .routes(routes!(upstreams::list))
        .routes(routes!(issuers::list))
        .routes(routes!(limits::limits))
        .routes(routes!(certificates::list))
        .routes(routes!(configuration::configuration))
        .routes(routes!(events::events));
    let operating = OpenApiRouter::new()
        .routes(routes!(associations::abort))
        .routes(routes!(users::list))
        .routes(routes!(blocks::add))
        .routes(routes!(blocks::remove))
        .routes(routes!(notifications::test))
        .routes(routes!(orders::log_level))
        .routes(routes!(explain::explain))
        .routes(routes!(trace::trace))
        .routes(routes!(upstreams::echo));
    let administering = OpenApiRouter::new().routes(routes!(orders::reload)).routes(routes!(orders::drain));
    OpenApiRouter::with_openapi(Described::openapi())
        .merge(guarded(anybody, None))
        .merge(guarded(looking, Some(AdminRole::Viewer)))
        .merge(guarded(operating, Some(AdminRole::Operator)))
        .merge(guarded(administering, Some(AdminRole::Administrator)))
}

async fn nothing_here() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing here; /api/openapi.json says what there is")
}

async fn wrong_method() -> Problem {
    let detail = "this is asked with another method; /api/openapi.json says with which";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}

#[cfg(test)]
mod tests;

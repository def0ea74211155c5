//! What is true of all routes, in the document that is made of what each says of itself.

use utoipa::Modify;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use crate::admin::sessions::COOKIE;
use crate::daemon::OPEN_METRICS;

/// The media type of RFC 9457.
const PROBLEM: &str = "application/problem+json";

/// How somebody shows who they are, as the document calls it: a session, a token, or neither, where the socket or a
/// certificate says it.
pub(super) struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut OpenApi) {
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(COOKIE, "POST /api/v1/session begins one"));
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let token = token.description(Some("of an [[issuer]], for `audience` of [admin]")).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let shown = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
        document.security = Some(vec![SecurityRequirement::default(), shown("session"), shown("token")]);
    }
}

/// What a monitor asks: path, what it is about, and the media type of the answer.
const MONITORED: [(&str, &str, &str); 3] = [
    ("/metrics", "All metrics, as OpenMetrics", OPEN_METRICS),
    ("/health", "Whether the process answers", TEXT),
    ("/ready", "Whether associations are taken", TEXT),
];
const TEXT: &str = "text/plain; charset=utf-8";

/// With what a monitor asks too, which is served by others as well.
pub(super) fn with_monitoring(mut document: OpenApi) -> OpenApi {
    for (path, about, media_type) in MONITORED {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        // Parameters of a media type are none of the document's.
        let media_type = media_type.split(';').next().unwrap_or(media_type);
        let answer = ResponseBuilder::new().description(about).content(media_type, Content::new(Some(text)));
        let mut operation = OperationBuilder::new()
            .summary(Some(about))
            .operation_id(Some(path.trim_start_matches('/')))
            .response("200", answer.build());
        if path == "/ready" {
            operation = operation.response("503", refused("None would be let in now, and why"));
        }
        document.paths.paths.insert(path.to_owned(), PathItem::new(HttpMethod::Get, operation));
    }
    document
}

/// Every answer that is no success is a problem, whichever of them a route tells of.
pub(super) fn with_problems(mut document: OpenApi) -> OpenApi {
    let operations = document.paths.paths.values_mut().flat_map(operations);
    for operation in operations {
        let responses = &mut operation.responses.responses;
        for (status, response) in responses.iter_mut() {
            if let (false, RefOr::T(response)) = (status.starts_with('2'), response) {
                name_media_type(response);
            }
        }
        responses.entry("default".to_owned()).or_insert_with(|| RefOr::T(problem()));
    }
    document
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete].into_iter().flatten()
}

fn name_media_type(response: &mut Response) {
    if let Some(content) = response.content.swap_remove("application/json") {
        response.content.insert(PROBLEM.to_owned(), content);
    }
}

/// What may come of any request: nobody is logged in, the role is another, the request is not HTTP as it is taken here.
fn problem() -> Response {
    refused(
        "The request was not done: 401 without a session or a token or with one that is over, 403 for another role",
    )
}

fn refused(description: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name("ProblemDocument")));
    ResponseBuilder::new().description(description).content(PROBLEM, content).build()
}

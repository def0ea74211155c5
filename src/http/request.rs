//! What is asked of a request before anybody answers it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::time::timeout;

use super::shared::Shared;
use super::{Caller, Problem};

/// Answers one request of a connection.
pub(super) async fn answer(
    request: Request<Incoming>,
    router: Router,
    caller: Caller,
    shared: Arc<Shared>,
) -> Response {
    let last = shared.count_request();
    let response = match read(request, caller, &shared).await {
        Ok(request) => match TowerToHyperService::new(router).call(request).await {
            Ok(response) => explained(response),
            Err(never) => match never {},
        },
        Err(problem) => {
            shared.leave_unread();
            closing(problem.into_response())
        }
    };
    let response = if last { closing(response) } else { response };
    response.map(|body| Body::new(shared.until_sent(body)))
}

/// The request with all of its content.
async fn read(request: Request<Incoming>, caller: Caller, shared: &Shared) -> Result<Request, Problem> {
    let bounds = &shared.bounds;
    if request.version() == Version::HTTP_11 && request.headers().get_all(header::HOST).iter().count() != 1 {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "exactly one Host field is expected"));
    }
    match request.body().size_hint().upper() {
        Some(length) if length <= bounds.body_bytes => {}
        Some(_) => {
            let detail = format!("at most {} bytes of content are taken", bounds.body_bytes);
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        None => {
            let detail = "the length of the content has to be declared by Content-Length alone";
            return Err(Problem::new(StatusCode::LENGTH_REQUIRED, detail));
        }
    }
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(caller);
    let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the content did not come in time");
    let cut = |_| Problem::new(StatusCode::BAD_REQUEST, "the content ended before its length");
    // Whoever does not say what he wants has to make room for whoever does.
    shared.idle();
    let content = timeout(bounds.body_time, body.collect()).await;
    shared.busy();
    let content = content.map_err(late)?.map_err(cut)?.to_bytes();
    Ok(Request::from_parts(parts, Body::from(content)))
}

/// An error without a word, as of a path that there is not, says in the same way as others what it is.
fn explained(response: Response) -> Response {
    let status = response.status();
    let is_bare = !response.headers().contains_key(header::CONTENT_TYPE);
    if !(status.is_client_error() || status.is_server_error()) || !is_bare {
        return response;
    }
    let detail = match status {
        StatusCode::NOT_FOUND => "nothing is at this path",
        StatusCode::METHOD_NOT_ALLOWED => "the Allow field names what may be done here",
        _ => "",
    };
    let mut explained = Problem::new(status, detail).into_response();
    let allow = response.headers().get(header::ALLOW).cloned();
    explained.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
    explained
}

/// The last answer of its connection.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

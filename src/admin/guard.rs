//! Before each request: who is it, and may they. Behind it: the record of it.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::access::Who;
use super::asking::Asking;
use super::begun;
use super::credential::Credential;
use super::may::{Asked, says_page};
use crate::audit::AdministrationOutcome;
use crate::http::{Caller, Problem, is_for_here};
use crate::users::{AdminRole, Users};

/// What is read so often, and says so little, that it is no record: the state of the proxy, who asks, and what the interface
/// can do.
const NOT_RECORDED: [&str; 6] =
    ["/api/v1/status", "/api/v1/session", "/api/openapi.json", "/metrics", "/health", "/ready"];

/// What a route asks of whoever wants it.
#[derive(Clone)]
pub(super) struct Guard {
    pub shared: Shared,
    /// `None`: it is for anybody, as logging in is.
    pub role: Option<AdminRole>,
}

/// What was done, for its record.
#[derive(Clone)]
pub(super) struct Explained(pub String);

/// Whatever was done is recorded already.
#[derive(Clone)]
pub(super) struct Recorded;

impl Recorded {
    pub(super) fn on(self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// What is known besides who asks.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// By what was shown, if it is not by the connection.
    pub shown: Option<Credential>,
    /// How long a session lives if nothing more is asked.
    pub left: Option<Duration>,
    /// Whether a token would say who it is.
    pub takes_tokens: bool,
    /// Those who can log in where the request came in.
    pub users: Option<Users>,
}

/// Lets those through that may, and records what came of it.
pub(super) async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let Guard { shared, role } = guard;
    let settings = shared.proxy.settings();
    let (Some(_), Some(caller)) = (&settings.admin, request.extensions().get::<Caller>().cloned()) else {
        let detail = "the configuration in force has no [admin] any more";
        return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
    };
    let resource = request.uri().path().to_owned();
    let action = action(request.method(), &resource);
    let headers = request.headers().clone();
    let is_for_here = is_for_here(&headers, &caller);
    // Whoever logs in is nobody yet.
    let shown = Credential::of(&headers, action == "read").filter(|_| is_for_here && action != "login");
    let Some(Asking { who, known, unproven }) = shared.asking(settings, caller, shown).await else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a defect of dimsegate; its log says more")
            .into_response();
    };
    let asked = Asked { role, action, is_for_here, unproven, says_page: says_page(&headers) };
    if let Err(denied) = asked.may(&who, &known) {
        shared.recorder.refused(&who, action, &resource, denied.why()).await;
        return denied.into_response();
    }
    request.extensions_mut().insert(who.clone());
    request.extensions_mut().insert(known);
    let (answering, what) = (next.run(request), (action, resource));
    let mut response = match action {
        "read" => answer_and_record(shared, who, what, answering).await,
        // Whoever hangs up must not be able to stop something half-way, or before its record.
        _ => {
            let begun = shared.begun.clone();
            begun.run(answer_and_record(shared, who, what, begun::whole(answering))).await
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Lets it be done, then records what came of it.
async fn answer_and_record(
    shared: Shared,
    who: Who,
    (action, resource): (&'static str, String),
    answering: impl Future<Output = Response> + Send,
) -> Response {
    let response = answering.await;
    if response.extensions().get::<Recorded>().is_some() {
        return response;
    }
    let told = response.extensions().get::<Explained>().map(|Explained(told)| told.clone());
    let status = response.status();
    // Whoever has it already has read it.
    let outcome = match status.is_success() || status == StatusCode::NOT_MODIFIED {
        true => AdministrationOutcome::Success,
        false => AdministrationOutcome::Failure,
    };
    record(&shared, &who, (action, &resource), outcome, told).await;
    response
}

async fn record(
    shared: &Shared,
    who: &Who,
    (action, resource): (&'static str, &str),
    outcome: AdministrationOutcome,
    told: Option<String>,
) {
    if action != "read" {
        shared.recorder.done(who, action, resource, outcome, told).await;
    } else if !NOT_RECORDED.contains(&resource) {
        shared.recorder.read(who, resource, outcome).await;
    }
}

/// How records call it.
fn action(method: &Method, path: &str) -> &'static str {
    let last = path.rsplit('/').next().unwrap_or_default();
    let known = ["reload", "drain", "abort", "log-level", "echo", "explain", "test"];
    match *method {
        Method::GET | Method::HEAD => "read",
        _ if path == "/api/v1/blocks" => "block",
        _ if path.starts_with("/api/v1/blocks/") => "unblock",
        Method::DELETE if last == "session" => "logout",
        _ if last == "session" => "login",
        _ if path == "/api/v1/trace" => "trace-started",
        _ => known.into_iter().find(|known| *known == last).unwrap_or("unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::action;
    use axum::http::Method;

    #[test]
    fn an_action_is_called_by_the_end_of_its_path() {
        assert_eq!(action(&Method::GET, "/api/v1/associations/abort"), "read");
        assert_eq!(action(&Method::POST, "/api/v1/associations/x/abort"), "abort");
        assert_eq!(action(&Method::PUT, "/api/v1/log-level"), "log-level");
        assert_eq!(action(&Method::POST, "/api/v1/session"), "login");
        assert_eq!(action(&Method::POST, "/api/v1/trace"), "trace-started");
        assert_eq!(action(&Method::DELETE, "/api/v1/session"), "logout");
    }
}

//! How things are said in JSON: moments as RFC 3339 in UTC, durations in milliseconds, problems.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use utoipa::ToSchema;

use crate::admin::guard::Explained;
use crate::http::Problem;

/// Why a request was not done (RFC 9457), as `application/problem+json`.
#[derive(Serialize, ToSchema)]
pub(super) struct ProblemDocument {
    /// `about:blank`: the status says it all.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// What is wrong with this request, and what to do.
    detail: String,
}

/// A moment of the clock.
pub(super) fn moment(at: OffsetDateTime) -> String {
    let whole = at.to_offset(UtcOffset::UTC).replace_millisecond(at.millisecond()).unwrap_or(at);
    whole.format(&Rfc3339).unwrap_or_default()
}

/// When that was, by the clock as it goes now.
pub(super) fn when(at: Instant) -> String {
    moment(OffsetDateTime::now_utc() - at.elapsed())
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A name in the path of a request.
pub(super) struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(error) => Err(Problem::new(StatusCode::BAD_REQUEST, error.to_string())),
        }
    }
}

/// What a request's content says. Without any, what nothing says.
///
/// # Errors
/// It is not what was expected.
pub(super) fn content<T: DeserializeOwned>(content: &Bytes) -> Result<T, Problem> {
    let text: &[u8] = if content.is_empty() { b"{}" } else { content };
    serde_json::from_slice(text).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("the content is not the JSON that is expected: {error}"),
        )
    })
}

/// An answer that whoever has it already is not sent again (RFC 9110 §13.1.2). `tag` is another for each content.
pub(super) fn unless_known<T: IntoResponse>(
    asked: &HeaderMap,
    tag: &str,
    content: impl FnOnce() -> T,
) -> Response {
    let tag = format!("\"{tag}\"");
    let is_known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let tag = [(header::ETAG, tag)];
    match is_known {
        true => (StatusCode::NOT_MODIFIED, tag).into_response(),
        false => (tag, content()).into_response(),
    }
}

/// A problem that the record of what was to be done tells too.
pub(super) struct Failed(Problem);

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        let why = problem.detail.to_string();
        told(problem, why)
    }
}

/// An answer, with what its record says was done.
pub(super) fn told(answer: impl IntoResponse, what: impl Into<String>) -> Response {
    let mut response = answer.into_response();
    response.extensions_mut().insert(Explained(what.into()));
    response
}

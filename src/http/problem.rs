//! Errors that a program can read (RFC 9457).

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request was not done, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Which kind of problem; `about:blank` where the status says it all.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The kind in a few words.
    pub title: Cow<'static, str>,
    #[serde(serialize_with = "number")]
    /// That of the answer.
    pub status: StatusCode,
    /// What is wrong with this request, and what to do.
    pub detail: Cow<'static, str>,
    /// This very occurrence, by which records and log can be searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

impl Problem {
    /// A problem of which the status says the kind.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").into();
        Self { kind: "about:blank".into(), title, status, detail: detail.into(), instance: None }
    }
}

fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let media_type = HeaderValue::from_static("application/problem+json");
        (self.status, [(header::CONTENT_TYPE, media_type)], body).into_response()
    }
}

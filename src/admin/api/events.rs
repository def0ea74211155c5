//! Records as they are written, as server-sent events. Whoever reads too slowly loses some, and is told how many.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};

use super::told::ProblemDocument;
use crate::admin::Shared;
use crate::admin::access::Who;
use crate::admin::credential::Credential;
use crate::admin::known::Known;
use crate::audit::{Followed, Following};
use crate::config::ShownIdentifiers;
use crate::http::{Caller, Problem};
use crate::users::AdminRole;

mod shown;

pub(super) use shown::without_identifiers;

/// Events that wait for the connection.
const WAITING: usize = 16;

/// After so long without a record, a comment says that the connection lives, and finds out whether the reader does.
const SILENCE: Duration = Duration::from_secs(15);

/// Records as they are written: `event: record` with the record, `event: lost` with a number
#[utoipa::path(
    get,
    path = "/api/v1/events",
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 429, body = ProblemDocument, description = "As many look on as may, or this user does")
    )
)]
pub(super) async fn events(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Extension(known): Extension<Known>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let stream = shared.streams.begin(&who.user);
    let stream = stream.map_err(|why| Problem::new(StatusCode::TOO_MANY_REQUESTS, why))?;
    let (sender, body) = Channel::<Bytes, Infallible>::new(WAITING);
    let following = shared.proxy.audit().follow();
    tokio::spawn(send(shared, following, sender, (known.shown, caller)));
    // It ends with its connection, also where nothing is sent any more.
    let body = body.map_frame(move |frame| {
        let _held = &stream;
        frame
    });
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], Body::new(body)).into_response())
}

/// Ends when the reader has gone or may not look any more, or the interface ends.
async fn send(
    shared: Shared,
    mut following: Following,
    mut sender: Sender<Bytes, Infallible>,
    (shown_by, caller): (Option<Credential>, Caller),
) {
    // So that a reader knows that it has begun.
    let mut ending = shared.ending.clone();
    let mut settings = shared.proxy.changes();
    let mut text = ": records of dimsegate\n\n".to_owned();
    // The settings may have changed since the request was let in.
    let (mut looked, mut has_changed) = (Instant::now(), true);
    loop {
        // Another configuration may give another role, and a session ends by itself.
        if has_changed || looked.elapsed() >= SILENCE {
            (looked, has_changed) = (Instant::now(), false);
            if !shared.goes_on(shown_by.clone(), caller.clone(), AdminRole::Viewer).await {
                return;
            }
        }
        if sender.send_data(text.into()).await.is_err() {
            return;
        }
        let next = tokio::select! {
            // Whether the reader may still look comes first, and what has been written before the end.
            biased;
            Ok(()) = settings.changed() => {
                (text, has_changed) = (continue_silently(), true);
                continue;
            }
            next = tokio::time::timeout(SILENCE, following.next()) => next,
            _ = ending.wait_for(|ending| *ending) => return,
        };
        text = match next {
            Ok(Some(Followed::Line(line))) => match shown(&shared, &line) {
                Some(record) => format!("event: record\ndata: {record}\n\n"),
                None => continue_silently(),
            },
            Ok(Some(Followed::Lost(lost))) => format!("event: lost\ndata: {lost}\n\n"),
            Ok(None) => return,
            Err(_) => continue_silently(),
        };
    }
}

/// A comment, which readers pass over.
fn continue_silently() -> String {
    ":\n\n".to_owned()
}

/// A record as the configuration in force shows it.
fn shown(shared: &Shared, line: &str) -> Option<String> {
    let settings = shared.proxy.settings();
    let how = settings.admin.as_ref().map(|admin| admin.patient_identifiers).unwrap_or_default();
    match how {
        ShownIdentifiers::AsRecorded => Some(line.to_owned()),
        ShownIdentifiers::None => without_identifiers(line),
    }
}

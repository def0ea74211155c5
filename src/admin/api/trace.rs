//! Associations as they go over both legs, as server-sent events, for whoever asks to see them. Whoever reads too slowly loses some,
//! and is told how many.
//!
//! Operators may: what is shown of a data set is its length, but with `patient-identifiers` as recorded, command sets name
//! instances and repeat what an archive writes in its Error Comments.

mod sending;

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use http_body_util::channel::Channel;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::told::{Failed, ProblemDocument, content, milliseconds, moment};
use crate::admin::Shared;
use crate::admin::access::Who;
use crate::admin::guard::Recorded;
use crate::admin::known::Known;
use crate::audit::AdministrationOutcome;
use crate::config::{Settings, ShownIdentifiers, checked_network, duration, nearest};
use crate::http::{Caller, Problem};
use crate::trace::{Filter, Following, Shown};
use sending::Sending;

const RESOURCE: &str = "/api/v1/trace";

/// How long a trace lasts, and how long at most.
const USUAL: &str = "10m";
const LONGEST: Duration = Duration::from_secs(3600);

/// Events that wait for the connection.
const WAITING: usize = 16;

/// Associations that the beginning names: those that were open before.
const MOST_NAMED: usize = 32;

/// Whom to trace: all that is given has to hold.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schema(as = WantedTrace)]
pub(super) struct Wanted {
    /// Name of a `[[peer]]`.
    peer: Option<String>,
    /// Where the requestor is, such as `203.0.113.9` or `203.0.113.0/24`.
    address: Option<String>,
    calling_ae_title: Option<String>,
    /// How long, up to `1h`; absent: `10m`.
    r#for: Option<String>,
}

/// See associations that begin from now on as they go over both legs: `event: trace` (what is traced), `event: seen` (an object with
/// `what`), `event: lost` with a number, `event: ended` (why, and how many there were)
#[utoipa::path(
    post,
    path = "/api/v1/trace",
    request_body = Wanted,
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 400, body = ProblemDocument),
        (status = 403, body = ProblemDocument),
        (status = 429, body = ProblemDocument, description = "As many traces are open as may be")
    )
)]
pub(super) async fn trace(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Extension(known): Extension<Known>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failed> {
    let (filter, lasting) = content::<Wanted>(&body)?.checked(&shared.proxy.settings())?;
    let begun = Following::begin(&shared.proxy.gate().traces, filter.clone());
    let following = begun.map_err(|many| Problem::new(StatusCode::TOO_MANY_REQUESTS, many.to_string()))?;
    let (sender, body) = Channel::<Bytes, Infallible>::new(WAITING);
    let (held, gone) = oneshot::channel::<()>();
    let what = format!("trace {} of {filter}, for {lasting:?}", following.number);
    shared.recorder.done(&who, "trace-started", RESOURCE, AdministrationOutcome::Success, Some(what)).await;
    let place = shared.begun.place().await;
    let sending = Sending {
        pending: Some(beginning(&shared, &following, &filter, lasting)),
        shown: Shown::since(following.began),
        shared,
        who,
        looking: (known.shown, caller),
        following,
        sender,
        seen: 0,
        lost: 0,
    };
    tokio::spawn(async move {
        sending.run(lasting, gone).await;
        drop(place);
    });
    // It ends with its connection, also where nothing is sent any more.
    let body = body.map_frame(move |frame| {
        let _held = &held;
        frame
    });
    Ok(Recorded.on(([(header::CONTENT_TYPE, "text/event-stream")], Body::new(body))))
}

impl Wanted {
    fn checked(self, settings: &Settings) -> Result<(Filter, Duration), Problem> {
        let Self { peer, address, calling_ae_title: calling, r#for } = self;
        let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
        if let Some(name) = &peer {
            let peers = settings.policy.peers.iter().map(|peer| &*peer.name);
            is_configured(name, peers).map_err(bad)?;
        }
        let address = address.as_deref().map(checked_network).transpose();
        let address = address.map_err(|problem| bad(format!("address: {problem}")))?;
        let lasting = duration(r#for.as_deref().unwrap_or(USUAL));
        let lasting = lasting.map_err(|problem| bad(format!("for: {problem}")))?;
        if lasting.is_zero() || lasting > LONGEST {
            return Err(bad("for: a trace lasts 1ms to 1h".into()));
        }
        Ok((Filter { peer, address, calling }, lasting))
    }
}

fn is_configured<'p>(name: &str, peers: impl Iterator<Item = &'p str> + Clone) -> Result<(), String> {
    if peers.clone().any(|peer| peer == name) {
        return Ok(());
    }
    let meant = nearest(name, peers).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Err(format!("peer: the configuration in force has no [[peer]] named {name:?}{meant}"))
}

/// What is traced, and what is not: who was connected before.
fn beginning(shared: &Shared, following: &Following, filter: &Filter, lasting: Duration) -> Bytes {
    let open = shared.proxy.gate().live.list();
    let missed = open.iter().filter(|entry| {
        let facts = &entry.facts;
        filter.holds_open(&facts.peer, facts.from.ip(), facts.calling.as_str())
    });
    let missed: Vec<&str> = missed.map(|entry| &*entry.facts.id).collect();
    let named = missed.get(..MOST_NAMED).unwrap_or(&missed);
    let beginning = json!({
        "trace": following.number,
        "began": moment(OffsetDateTime::now_utc() - following.began.elapsed()),
        "of": filter.to_string(),
        "for-ms": milliseconds(lasting),
        "identifiers": if shows_identifiers(shared) { "as-recorded" } else { "none" },
        "not-traced": named,
        "more-not-traced": missed.len() - named.len(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    format!("event: trace\ndata: {beginning}\n\n").into()
}

fn shows_identifiers(shared: &Shared) -> bool {
    let settings = shared.proxy.settings();
    let how = settings.admin.as_ref().map(|admin| admin.patient_identifiers);
    how == Some(ShownIdentifiers::AsRecorded)
}

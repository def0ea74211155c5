//! The associations that are open: who, since when, what they are at, and ending one.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::refusals::Fingerprints;
use super::told::{Failed, ProblemDocument, Segment, content, milliseconds, told, when};
use crate::admin::Shared;
use crate::admin::access::Who;
use crate::audit::OperationCounts;
use crate::http::Problem;
use crate::policy::Direction;
use crate::relay::{Changes, Entry, Mark, Order, Wanted, When};
use crate::vocabulary::Reason;

mod negotiated;

use negotiated::Context;

/// An association that is open.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Association {
    id: String,
    listener: String,
    peer: String,
    address: String,
    calling_ae_title: String,
    called_ae_title: String,
    /// Subject of the certificate that the requestor showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprints: Option<Fingerprints>,
    /// The user that it proved to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// Id of the agreement by which its route is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<String>,
    upstream: String,
    upstream_address: String,
    since: String,
    open_ms: u64,
    /// It was ordered to end.
    ending: bool,
    /// What goes from the requestor to the upstream.
    from_peer: Lane,
    /// What goes from the upstream to the requestor.
    to_peer: Lane,
    /// Who is waited for: `requestor`, `upstream`, or `dimsegate` (a rate, records, a decoder).
    waits_for: &'static str,
    /// What of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for_what: Option<&'static str>,
    bytes: Bytes4,
    /// Bytes a second from the requestor and to it: since somebody looked last, and that at least a second ago; at the first look
    /// since the association began.
    bytes_per_second: u64,
    /// Operations that are over, by their names.
    operations: BTreeMap<&'static str, Counts>,
}

/// An association that is open, with what was negotiated.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Story {
    #[serde(flatten)]
    association: Association,
    /// In the order of the request.
    contexts: Vec<Context>,
}

/// What has changed since somebody looked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Changed {
    /// What the next look gives as `since`.
    as_of: String,
    /// Those that have begun or changed since then, the oldest first. Time that goes by changes none: `open-ms` and `quiet-ms` of
    /// the others are longer by as much as has gone by, and their `bytes-per-second` is 0.
    changed: Vec<Association>,
    /// The ids of all that are open; absent where none has ended since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<Vec<String>>,
}

/// Since when.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// `as-of` of the last answer; absent, or from before a restart: everything.
    since: Option<String>,
}

/// One direction of an association.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Lane {
    /// A message, or a part of one, is under way.
    under_way: bool,
    /// A request of this direction that is not over, such as `C-STORE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<u16>,
    /// Requests of this direction that are not over.
    open_requests: u16,
    /// How long ago bytes last moved.
    quiet_ms: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Bytes4 {
    from_requestor: u64,
    to_requestor: u64,
    from_upstream: u64,
    to_upstream: u64,
}

/// How operations of one kind ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Counts {
    success: u64,
    warning: u64,
    failure: u64,
    /// By dimsegate.
    refused: u64,
}

/// When an association is to end.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Abort {
    /// `at-once`, or `between-messages`: when no message is under way; absent: at once.
    #[serde(default)]
    when: AbortWhen,
    /// For its closing record.
    #[serde(default)]
    reason: String,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum AbortWhen {
    #[default]
    AtOnce,
    BetweenMessages,
}

/// What was ordered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Ordered {
    id: String,
    /// `at-once` or `between-messages`, as it stands now.
    when: &'static str,
}

/// Characters of a reason that are kept.
const LONGEST_REASON: usize = 200;

/// Which associations are open, the oldest first
#[utoipa::path(get, path = "/api/v1/associations", responses((status = 200, body = Vec<Association>)))]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Vec<Association>> {
    let all = shared.proxy.gate().live.list();
    Json(all.iter().map(|entry| Association::of(entry)).collect())
}

/// Which associations have begun, changed or ended since somebody looked
#[utoipa::path(
    get,
    path = "/api/v1/associations/changes",
    params(Since),
    responses((status = 200, body = Changed), (status = 400, body = ProblemDocument))
)]
pub(super) async fn changes(
    State(shared): State<Shared>,
    since: Result<Query<Since>, QueryRejection>,
) -> Result<Json<Changed>, Problem> {
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    let Query(Since { since }) = since.map_err(|error| bad(error.body_text()))?;
    let since = since.as_deref().map(str::parse::<Mark>).transpose();
    let since = since.map_err(|error| bad(format!("since: {error}")))?;
    let Changes { as_of, changed, open } = shared.proxy.gate().live.changes(since);
    Ok(Json(Changed {
        as_of: as_of.to_string(),
        changed: changed.iter().map(|entry| Association::of(entry)).collect(),
        open: open.map(|ids| ids.iter().map(ToString::to_string).collect()),
    }))
}

/// One association that is open, with what was negotiated
#[utoipa::path(
    get,
    path = "/api/v1/associations/{id}",
    params(("id" = String, Path, description = "As records and log call it")),
    responses((status = 200, body = Story), (status = 404, body = ProblemDocument))
)]
pub(super) async fn one(State(shared): State<Shared>, Segment(id): Segment) -> Result<Json<Story>, Problem> {
    let entry = shared.proxy.gate().live.find(&id).ok_or_else(not_open)?;
    let contexts = Context::all(&entry.facts.contexts);
    Ok(Json(Story { association: Association::of(&entry), contexts }))
}

/// End an association: both sides get an A-ABORT
#[utoipa::path(
    post,
    path = "/api/v1/associations/{id}/abort",
    params(("id" = String, Path, description = "As records and log call it")),
    request_body(content = Option<Abort>),
    responses(
        (status = 202, body = Ordered),
        (status = 400, body = ProblemDocument),
        (status = 403, body = ProblemDocument),
        (status = 404, body = ProblemDocument)
    )
)]
pub(super) async fn abort(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Segment(id): Segment,
    body: Bytes,
) -> Result<Response, Failed> {
    let Abort { when, reason } = content(&body)?;
    let entry = shared.proxy.gate().live.find(&id).ok_or_else(not_open)?;
    let (when, word) = match when {
        AbortWhen::AtOnce => (When::AtOnce, "at-once"),
        AbortWhen::BetweenMessages => (When::BetweenMessages, "between-messages"),
    };
    let reason: String =
        reason.chars().filter(|character| !character.is_control()).take(LONGEST_REASON).collect();
    let by = &who.user;
    let detail = if reason.is_empty() { format!("by {by}") } else { format!("by {by}: {reason}") };
    let detail = detail.into();
    let given = entry.orders.give(Order { when, reason: Reason::EndedByAdministrator, detail });
    let what = if given { format!("ordered to end {word}") } else { "was ordered to end already".to_owned() };
    Ok(told((StatusCode::ACCEPTED, Json(Ordered { id, when: word })), what))
}

fn not_open() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no association with this id is open; it may have ended")
}

impl Association {
    fn of(entry: &Entry) -> Self {
        let (facts, course) = (&entry.facts, &entry.course);
        let [from_requestor, to_requestor, from_upstream, to_upstream] = course.bytes();
        let (waits_for, waits_for_what) = match course.waits_for() {
            Wanted::Requestor(what) => ("requestor", Some(what)),
            Wanted::Upstream(what) => ("upstream", Some(what)),
            Wanted::Dimsegate => ("dimsegate", None),
        };
        Self {
            id: facts.id.to_string(),
            listener: facts.listener.to_string(),
            peer: facts.peer.to_string(),
            address: facts.from.to_string(),
            calling_ae_title: facts.calling.to_string(),
            called_ae_title: facts.called.to_string(),
            certificate: facts.certificate.as_ref().map(|certificate| certificate.subject.clone()),
            fingerprints: facts.certificate.as_ref().map(Fingerprints::of),
            user: facts.user.as_deref().map(str::to_owned),
            agreement: entry.right.rights.agreement().map(|agreement| agreement.id.to_string()),
            upstream: facts.upstream.to_string(),
            upstream_address: facts.upstream_address.clone(),
            since: when(facts.since),
            open_ms: milliseconds(facts.since.elapsed()),
            ending: entry.orders.is_given(),
            from_peer: lane(entry, Direction::FromPeer),
            to_peer: lane(entry, Direction::ToPeer),
            waits_for,
            waits_for_what,
            bytes_per_second: course.rate(),
            bytes: Bytes4 { from_requestor, to_requestor, from_upstream, to_upstream },
            operations: course
                .counts()
                .into_iter()
                .map(|(kind, counts)| (kind.name(), counts.into()))
                .collect(),
        }
    }
}

fn lane(entry: &Entry, direction: Direction) -> Lane {
    let lane = entry.course.lane(direction);
    Lane {
        under_way: lane.is_inside,
        operation: lane.current.map(|current| current.operation.name()),
        message_id: lane.current.map(|current| current.message_id),
        open_requests: lane.open,
        quiet_ms: milliseconds(lane.moved.elapsed()),
    }
}

impl From<OperationCounts> for Counts {
    fn from(counts: OperationCounts) -> Self {
        let OperationCounts { success, warning, failure, refused } = counts;
        Self { success, warning, failure, refused }
    }
}

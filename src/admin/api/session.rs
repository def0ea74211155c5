//! Logging in and out, and who asks.

use std::net::SocketAddr;
use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::told::{ProblemDocument, moment};
use crate::admin::Shared;
use crate::admin::access::{By, Who};
use crate::admin::credential::Credential;
use crate::admin::guard::Recorded;
use crate::admin::known::Known;
use crate::admin::may::unauthorized;
use crate::admin::record::Why;
use crate::admin::sessions::{self, Person};
use crate::audit::AdministrationOutcome;
use crate::http::Problem;
use crate::users::{AdminRole, Attempt, Code, Refused, User, Users};
use crate::vocabulary::Reason;

/// The same whatever was wrong.
const WRONG: &str = "these are not the name, passcode and one-time code of a user who may log in here";
const RESOURCE: &str = "/api/v1/session";

/// What somebody logs in with.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Credentials {
    user: String,
    passcode: String,
    /// Six digits of now, of a user who has a second factor.
    #[serde(default)]
    code: Option<String>,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Session {
    /// `unknown` where nothing says who it is.
    user: String,
    /// `viewer`, `operator`, `administrator`; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// By what that is known: `session`, `token`, `socket`, `certificate` or `loopback`.
    by: &'static str,
    /// When the session ends if nothing more is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    /// Whether somebody can log in here.
    login: bool,
}

/// Log in: the answer sets the cookie of the session
#[utoipa::path(
    post,
    path = "/api/v1/session",
    request_body = Credentials,
    responses(
        (status = 200, body = Session, description = "The cookie `__Host-dimsegate` is the session"),
        (status = 400, body = ProblemDocument),
        (status = 401, body = ProblemDocument, description = "Something is wrong; Retry-After where the next attempt has to wait"),
        (status = 403, body = ProblemDocument, description = "Nobody can log in here"),
        (status = 429, body = ProblemDocument, description = "Too many attempts at once"),
        (status = 503, body = ProblemDocument, description = "It cannot be told now")
    )
)]
pub(super) async fn login(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Extension(known): Extension<Known>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (Some(users), Some(from)) = (known.users, who.address) else {
        let detail = "nobody can log in here: without [users], and over the socket, which says who it is";
        shared.recorder.refused(&who, "login", RESOURCE, Why::told(detail)).await;
        return Recorded.on(Problem::new(StatusCode::FORBIDDEN, detail));
    };
    // What is wrong with it is not told word by word: it may be a passcode.
    let Ok(Credentials { user, passcode, code }) = serde_json::from_slice(&body) else {
        let detail = r#"expected {"user": "…", "passcode": "…", "code": "…"}, the code where there is a second factor"#;
        shared.recorder.refused(&who, "login", RESOURCE, Why::told("it is not what a login is")).await;
        return Recorded.on(Problem::new(StatusCode::BAD_REQUEST, detail));
    };
    let (passcode, code) = (Zeroizing::new(passcode), code.map(Zeroizing::new));
    let code = code.as_ref().map(|code| code.trim()).filter(|code| !code.is_empty());
    let now = OffsetDateTime::now_utc();
    let code = code.map_or(Code::Absent, Code::Apart);
    let attempt = Attempt { name: &user, passcode: &passcode, code, address: from.ip() };
    let judged = users.verify(attempt, now).await;
    let answer = match judged.map(|user| (user.administration(), user)) {
        Ok((Some(role), user)) => begin(&shared, who, user, role, &headers).await,
        Ok((None, _)) => refuse(&shared, &users, &who, (&user, from), no_role(), None).await,
        Err(refused) => failed(&shared, &users, &who, (&user, from), refused).await,
    };
    Recorded.on(answer)
}

/// Why somebody who is who they say is not let in.
#[derive(Debug, thiserror::Error)]
#[error("the user has no role in the administration")]
struct NoRole;

fn no_role() -> Why {
    Why::labelled(Reason::UserNotAllowed, NoRole.to_string())
}

async fn begin(shared: &Shared, who: Who, user: User, role: AdminRole, headers: &HeaderMap) -> Response {
    let settings = shared.proxy.settings();
    let Some(admin) = &settings.admin else {
        return Problem::new(StatusCode::FORBIDDEN, "the configuration in force has no [admin] any more")
            .into_response();
    };
    // Whoever logs in again leaves no other session behind.
    if let Some(before) = sessions::named(headers) {
        shared.sessions.end(&before);
    }
    let person = Person { name: user.name.clone(), role, passcode: user.hash };
    let begun = shared.sessions.begin(person, admin.into(), Instant::now());
    let cookie = begun.ok().and_then(|value| HeaderValue::from_str(&sessions::kept(&value)).ok());
    let Some(mut cookie) = cookie else {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the system gives no random numbers")
            .into_response();
    };
    cookie.set_sensitive(true);
    let who = Who { user: user.name, role: Some(role), by: By::Session, ..who };
    shared.recorder.done(&who, "login", RESOURCE, AdministrationOutcome::Success, None).await;
    let ends_at = Some(moment(OffsetDateTime::now_utc() + admin.session_idle.min(admin.session_max)));
    let session =
        Session { user: who.user, role: Some(role.name()), by: who.by.name(), ends_at, login: true };
    (
        [(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        Json(session),
    )
        .into_response()
}

async fn failed(
    shared: &Shared,
    users: &Users,
    who: &Who,
    attempt: (&str, SocketAddr),
    refused: Refused,
) -> Response {
    let why = refused.to_string();
    if let Refused::Busy | Refused::Unavailable(_) = refused {
        let who = as_named(who, users, attempt.0);
        shared.recorder.refused(&who, "login", RESOURCE, Why::told(&*why)).await;
    }
    match refused {
        Refused::Busy => {
            let mut answer = Problem::new(StatusCode::TOO_MANY_REQUESTS, why).into_response();
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            answer
        }
        Refused::Unavailable(_) => {
            tracing::error!(error = why, "nobody can be logged in");
            let detail = "it cannot be told who it is now; the log of dimsegate says why";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response()
        }
        Refused::Locked { until } => {
            let why = Why::labelled(Reason::UserLockedOut, why);
            refuse(shared, users, who, attempt, why, Some(until)).await
        }
        _ => {
            let why = Why::labelled(Reason::UserIdentityWrong, why);
            refuse(shared, users, who, attempt, why, None).await
        }
    }
}

/// As whom somebody wants to log in. A name that nobody has may be a passcode.
fn as_named(who: &Who, users: &Users, name: &str) -> Who {
    let user = if users.knows(name) { name } else { "unknown" };
    Who { user: user.to_owned(), role: None, ..who.clone() }
}

/// One answer for whatever was wrong. The record says what it was, and of a name that nobody has only that.
async fn refuse(
    shared: &Shared,
    users: &Users,
    who: &Who,
    (name, from): (&str, SocketAddr),
    why: Why,
    until: Option<OffsetDateTime>,
) -> Response {
    let now = OffsetDateTime::now_utc();
    let who = as_named(who, users, name);
    shared.recorder.refused(&who, "login", RESOURCE, why).await;
    if until.is_some() || users.is_locked(name, from.ip(), now) {
        shared.recorder.logins_go_on(&who.user, from.ip()).await;
    }
    let mut answer = unauthorized(WRONG);
    if let Some(until) = until {
        let seconds = (until - now).whole_seconds().max(0) + 1;
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// Who asks, by what that is known, and what they may
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = Session)))]
pub(super) async fn session(Extension(who): Extension<Who>, Extension(known): Extension<Known>) -> Response {
    let session = Session {
        user: who.user,
        role: who.role.map(AdminRole::name),
        by: who.by.name(),
        ends_at: known.left.map(|left| moment(OffsetDateTime::now_utc() + left)),
        login: known.users.is_some(),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(session)).into_response()
}

/// Log out
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    responses((status = 204, description = "There is no session any more"), (status = 403, body = ProblemDocument))
)]
pub(super) async fn logout(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Extension(known): Extension<Known>,
) -> Response {
    if let Some(session) = known.shown.as_ref().and_then(Credential::session) {
        shared.sessions.end(&session);
        shared.recorder.done(&who, "logout", RESOURCE, AdministrationOutcome::Success, None).await;
    }
    Recorded.on((StatusCode::NO_CONTENT, [(header::SET_COOKIE, sessions::forgotten())]))
}

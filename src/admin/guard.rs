//! Before each request: who is it, and may they. Behind it: the record of it.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::access::{By, Who};
use super::asking::Asking;
use super::sessions::{self, Id};
use crate::audit::AdministrationOutcome;
use crate::config::{AdminListen, AdminRole, AdminSettings};
use crate::http::{Caller, Problem};
use crate::users::Users;

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
pub(super) struct Told(pub String);

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
    /// With whose cookie.
    pub session: Option<Id>,
    /// How long that lives if nothing more is asked.
    pub left: Option<Duration>,
    /// Those who can log in where the request came in.
    pub users: Option<Users>,
}

/// Lets those through that may, and records what came of it.
pub(super) async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let Guard { shared, role } = guard;
    let settings = shared.proxy.settings();
    let (Some(admin), Some(caller)) = (settings.admin.clone(), request.extensions().get::<Caller>().cloned())
    else {
        let detail = "the configuration in force has no [admin] any more";
        return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
    };
    let resource = request.uri().path().to_owned();
    let action = action(request.method(), &resource);
    let headers = request.headers().clone();
    let is_for_here = is_for_here(&headers, &admin);
    // Whoever logs in is nobody yet.
    let cookie = sessions::named(&headers).filter(|_| is_for_here && action != "login");
    let Some(Asking { who, known, is_over }) = shared.asking(settings, caller, cookie).await else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a defect of dimsegate; its log says more")
            .into_response();
    };
    let asked = Asked { role, action, is_for_here, is_over, says_page: says_page(&headers) };
    if let Err((problem, why)) = asked.may(&who, &known) {
        shared.recorder.refused(&who, action, &resource, Some(why)).await;
        return problem;
    }
    request.extensions_mut().insert(who.clone());
    request.extensions_mut().insert(known);
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.extensions().get::<Recorded>().is_some() {
        return response;
    }
    let told = response.extensions().get::<Told>().map(|Told(told)| told.clone());
    let outcome = match response.status().is_success() {
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
        shared.recorder.read(who, resource).await;
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
        _ => known.into_iter().find(|known| *known == last).unwrap_or("unknown"),
    }
}

/// What was asked, and how.
struct Asked {
    role: Option<AdminRole>,
    action: &'static str,
    is_for_here: bool,
    /// The cookie is of no session, or not any more.
    is_over: bool,
    /// A browser says that a page of this interface asks.
    says_page: bool,
}

impl Asked {
    /// The answer to whoever may not, and what its record says.
    fn may(&self, who: &Who, known: &Known) -> Result<(), (Response, String)> {
        let refused = |detail: String| {
            let problem = Problem::new(StatusCode::FORBIDDEN, detail.clone());
            Err((problem.into_response(), detail))
        };
        let Self { action, .. } = self;
        if !self.is_for_here {
            return refused("the request is for another host, or from a page of another one".into());
        }
        if who.by == By::Session && *action != "read" && !self.says_page {
            return refused(
                "with a session, a change has to say that a page of this interface asks (Origin)".into(),
            );
        }
        let Some(needed) = self.role else { return Ok(()) };
        if self.is_over {
            let detail = "the session is over; log in again";
            let forgotten = [(header::SET_COOKIE, sessions::forgotten())];
            return Err(((forgotten, unauthorized(detail)).into_response(), detail.into()));
        }
        let Some(role) = who.role else {
            if known.users.is_some() {
                let detail = "log in first: POST /api/v1/session";
                return Err((unauthorized(detail), detail.into()));
            }
            return refused(format!(
                "{} has no role here; an [[admin.access]] of the configuration gives one",
                who.user
            ));
        };
        if role < needed {
            let (role, needed) = (role.name(), needed.name());
            return refused(format!("{action} is for the role {needed}, and {} is {role}", who.user));
        }
        Ok(())
    }
}

/// That somebody has to log in (RFC 9110 §15.5.2), by a scheme that no browser asks a passcode for itself.
pub(super) fn unauthorized(detail: &'static str) -> Response {
    let how = [(header::WWW_AUTHENTICATE, "Session realm=\"dimsegate\"")];
    (how, Problem::new(StatusCode::UNAUTHORIZED, detail)).into_response()
}

/// Whether a browser says that a page of the host asks which the request is for. What other pages are is
/// [looked at](is_for_here) in each request.
fn says_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    headers.contains_key(header::ORIGIN) || site == Some("same-origin")
}

/// Whether a browser that asks shows a page of this interface, and means this machine: any page may send requests anywhere,
/// and a name of a stranger can be made to lead to 127.0.0.1.
fn is_for_here(headers: &HeaderMap, admin: &AdminSettings) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let is_own_page = match headers.get(header::ORIGIN) {
        Some(origin) => {
            let origin = origin.to_str().unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        None => true,
    };
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let is_own_site = site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    let name =
        host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    let is_loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    // With TLS the name is one that the certificate proves. Nobody's page reaches a socket alone.
    let is_only_socket = !admin.listen.iter().any(|listen| matches!(listen, AdminListen::Tcp(_)));
    let is_listed = admin.listen.iter().any(|listen| match listen {
        AdminListen::Unix(_) => false,
        AdminListen::Tcp(address) => name.trim_matches(['[', ']']) == address.ip().to_string(),
    });
    let means_here = is_only_socket || admin.tls.is_some() || is_loopback || is_listed;
    is_own_page && is_own_site && means_here
}

#[cfg(test)]
mod tests {
    use super::{action, is_for_here};
    use crate::config::{AdminListen, AdminSettings, ShownIdentifiers};
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
    use std::time::Duration;

    fn admin() -> AdminSettings {
        AdminSettings {
            listen: vec![AdminListen::Unix("a".into()), AdminListen::Tcp("127.0.0.1:8765".parse().unwrap())],
            session_idle: Duration::from_secs(900),
            session_max: Duration::from_secs(3600),
            patient_identifiers: ShownIdentifiers::None,
            tls: None,
            access: Vec::new(),
            fingerprint: String::new(),
            line: 1,
        }
    }

    #[test]
    fn what_a_page_of_another_host_sends_is_not_done() {
        let of = |headers: &[(&'static str, &'static str)]| {
            let pairs = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            is_for_here(&pairs.collect::<HeaderMap>(), &admin())
        };
        assert!(of(&[("host", "127.0.0.1:8765")]) && of(&[("host", "localhost:8765")]));
        assert!(of(&[("host", "[::1]:8765")]));
        assert!(of(&[
            ("host", "localhost:8765"),
            ("origin", "http://localhost:8765"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(!of(&[("host", "localhost:8765"), ("origin", "https://evil.example")]));
        assert!(!of(&[("host", "localhost:8765"), ("origin", "null")]));
        assert!(!of(&[("host", "localhost:8765"), ("sec-fetch-site", "cross-site")]));
        assert!(!of(&[("host", "evil.example:8765")]), "a name that was made to lead here");
    }

    #[test]
    fn an_action_is_called_by_the_end_of_its_path() {
        assert_eq!(action(&Method::GET, "/api/v1/associations/abort"), "read");
        assert_eq!(action(&Method::POST, "/api/v1/associations/x/abort"), "abort");
        assert_eq!(action(&Method::PUT, "/api/v1/log-level"), "log-level");
        assert_eq!(action(&Method::POST, "/api/v1/session"), "login");
        assert_eq!(action(&Method::DELETE, "/api/v1/session"), "logout");
    }
}

//! Before each request: who is it, and may they. Behind it: the record of it.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::access::{Accounts, Who, who};
use crate::audit::AdministrationOutcome;
use crate::config::{AdminListen, AdminRole, AdminSettings};
use crate::http::{Caller, Problem};

/// What is read so often, and says so little, that it is no record: the state of the proxy, and what the interface can do.
const NOT_RECORDED: [&str; 5] = ["/api/v1/status", "/api/openapi.json", "/metrics", "/health", "/ready"];

/// What a route asks of whoever wants it.
#[derive(Clone)]
pub(super) struct Guard {
    pub shared: Shared,
    pub role: AdminRole,
}

/// What was done, for its record.
#[derive(Clone)]
pub(super) struct Told(pub String);

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
    let asked = request.headers().clone();
    let known = {
        let admin = admin.clone();
        tokio::task::spawn_blocking(move || who(&caller, &admin, &Accounts::about(&caller))).await
    };
    let Ok(who) = known else {
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a defect of dimsegate; its log says more")
            .into_response();
    };
    if let Err(problem) = may(&who, role, &admin, &asked, action) {
        let refused = AdministrationOutcome::Refused;
        shared.recorder.done(&who, action, &resource, refused, Some(problem.detail.to_string())).await;
        return problem.into_response();
    }
    request.extensions_mut().insert(who.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
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
        _ => known.into_iter().find(|known| *known == last).unwrap_or("unknown"),
    }
}

fn may(
    who: &Who,
    needed: AdminRole,
    admin: &AdminSettings,
    headers: &HeaderMap,
    action: &str,
) -> Result<(), Problem> {
    let refused = |detail: String| Err(Problem::new(StatusCode::FORBIDDEN, detail));
    if !is_for_here(headers, admin) {
        return refused("the request is for another host, or from a page of another one".into());
    }
    let Some(role) = who.role else {
        let detail =
            format!("{} has no role here; an [[admin.access]] of the configuration gives one", who.user);
        return refused(detail);
    };
    if role < needed {
        let (role, needed) = (role.name(), needed.name());
        return refused(format!("{action} is for the role {needed}, and {} is {role}", who.user));
    }
    Ok(())
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
    let means_here = match admin.listen {
        AdminListen::Unix(_) => true,
        // With TLS the name is one that the certificate proves.
        AdminListen::Tcp(address) => {
            admin.tls.is_some() || is_loopback || name.trim_matches(['[', ']']) == address.ip().to_string()
        }
    };
    is_own_page && is_own_site && means_here
}

#[cfg(test)]
mod tests {
    use super::{action, is_for_here};
    use crate::config::{AdminListen, AdminSettings, ShownIdentifiers};
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

    fn admin() -> AdminSettings {
        AdminSettings {
            listen: AdminListen::Tcp("127.0.0.1:8765".parse().unwrap()),
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
    }
}

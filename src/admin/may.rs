//! May whoever asks, and does a page of this interface ask it.

use std::borrow::Cow;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::access::{By, Who};
use super::guard::Known;
use super::sessions;
use crate::config::{AdminListen, AdminRole, AdminSettings};
use crate::http::Problem;

/// What was asked, and how.
pub(super) struct Asked {
    /// What it asks for; `None`: it is for anybody.
    pub role: Option<AdminRole>,
    pub action: &'static str,
    /// A browser means this machine, and shows no page of another.
    pub is_for_here: bool,
    /// The cookie is of no session, or not any more.
    pub is_over: bool,
    /// A browser says that a page of this interface asks.
    pub says_page: bool,
}

/// Why it is not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Denied {
    #[error("{0}")]
    Forbidden(String),
    #[error("the session is over; log in again")]
    Over,
    #[error("log in first: POST /api/v1/session")]
    Nobody,
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let why = self.to_string();
        match self {
            Self::Forbidden(detail) => Problem::new(StatusCode::FORBIDDEN, detail).into_response(),
            Self::Over => ([(header::SET_COOKIE, sessions::forgotten())], unauthorized(why)).into_response(),
            Self::Nobody => unauthorized(why),
        }
    }
}

impl Asked {
    /// # Errors
    /// [`Denied`], to whoever may not.
    pub(super) fn may(&self, who: &Who, known: &Known) -> Result<(), Denied> {
        let forbidden = |detail: &str| Err(Denied::Forbidden(detail.to_owned()));
        let action = self.action;
        if !self.is_for_here {
            return forbidden("the request is for another host, or from a page of another one");
        }
        if who.by == By::Session && action != "read" && !self.says_page {
            return forbidden(
                "with a session, a change has to say that a page of this interface asks (Origin)",
            );
        }
        let Some(needed) = self.role else { return Ok(()) };
        if self.is_over {
            return Err(Denied::Over);
        }
        let user = &who.user;
        let Some(role) = who.role else {
            if known.users.is_some() {
                return Err(Denied::Nobody);
            }
            return forbidden(&format!(
                "{user} has no role here; an [[admin.access]] of the configuration gives one"
            ));
        };
        if role < needed {
            let (role, needed) = (role.name(), needed.name());
            return forbidden(&format!("{action} is for the role {needed}, and {user} is {role}"));
        }
        Ok(())
    }
}

/// That somebody has to log in (RFC 9110 §15.5.2), by a scheme that no browser asks a passcode for itself.
pub(super) fn unauthorized(detail: impl Into<Cow<'static, str>>) -> Response {
    let how = [(header::WWW_AUTHENTICATE, "Session realm=\"dimsegate\"")];
    (how, Problem::new(StatusCode::UNAUTHORIZED, detail)).into_response()
}

/// Whether a browser says that a page of the host asks which the request is for. What other pages are is
/// [looked at](is_for_here) in each request.
pub(super) fn says_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    headers.contains_key(header::ORIGIN) || site == Some("same-origin")
}

/// Whether a browser that asks shows a page of this interface, and means this machine: any page may send requests anywhere,
/// and a name of a stranger can be made to lead to 127.0.0.1.
pub(super) fn is_for_here(headers: &HeaderMap, admin: &AdminSettings) -> bool {
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
    use super::is_for_here;
    use crate::config::{AdminListen, AdminSettings, ShownIdentifiers};
    use axum::http::{HeaderMap, HeaderName, HeaderValue};
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
}

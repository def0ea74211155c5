//! May whoever asks, and does a page of this interface ask it.

use std::borrow::Cow;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::access::{By, Who};
use super::credential::Unproven;
use super::guard::Known;
use super::record::Why;
use super::sessions;
use crate::http::Problem;
use crate::users::AdminRole;
use crate::vocabulary::Reason;

/// Challenges (RFC 6750 §3).
const TOKEN: &str = "Bearer realm=\"dimsegate\"";
const BAD_TOKEN: &str = "Bearer realm=\"dimsegate\", error=\"invalid_token\"";
const EITHER: &str = "Session realm=\"dimsegate\", Bearer realm=\"dimsegate\"";

/// What was asked, and how.
pub(super) struct Asked {
    /// What it asks for; `None`: it is for anybody.
    pub role: Option<AdminRole>,
    pub action: &'static str,
    /// A browser means this machine, and shows no page of another.
    pub is_for_here: bool,
    /// What was shown proves nobody.
    pub unproven: Option<Unproven>,
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
    #[error("the token is not accepted: {why}")]
    Token { reason: Reason, why: String },
    #[error("{}", how_to_be_known(*.logins))]
    Nobody { logins: bool, tokens: bool },
}

impl Denied {
    /// For the records.
    pub(super) fn why(&self) -> Why {
        match self {
            Self::Token { reason, .. } => Why::labelled(*reason, self.to_string()),
            _ => Why::told(self.to_string()),
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let why = self.to_string();
        match self {
            Self::Forbidden(detail) => Problem::new(StatusCode::FORBIDDEN, detail).into_response(),
            Self::Over => ([(header::SET_COOKIE, sessions::forgotten())], unauthorized(why)).into_response(),
            // Why is for those who read the records, and not for whoever tries.
            Self::Token { .. } => challenged(BAD_TOKEN, "the token is not accepted; the records say why"),
            Self::Nobody { logins: true, tokens: false } => unauthorized(why),
            Self::Nobody { logins: true, tokens: true } => challenged(EITHER, why),
            Self::Nobody { logins: false, .. } => challenged(TOKEN, why),
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
        match &self.unproven {
            Some(Unproven::SessionOver) => return Err(Denied::Over),
            Some(Unproven::Token { reason, why }) => {
                return Err(Denied::Token { reason: *reason, why: why.clone() });
            }
            None => {}
        }
        let user = &who.user;
        let Some(role) = who.role else {
            let (logins, tokens) = (known.users.is_some(), known.takes_tokens);
            // Whoever is known, and may nothing, would not be helped by that.
            if (logins || tokens) && who.by != By::Token {
                return Err(Denied::Nobody { logins, tokens });
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
    challenged("Session realm=\"dimsegate\"", detail)
}

fn challenged(how: &'static str, detail: impl Into<Cow<'static, str>>) -> Response {
    ([(header::WWW_AUTHENTICATE, how)], Problem::new(StatusCode::UNAUTHORIZED, detail)).into_response()
}

fn how_to_be_known(logins: bool) -> &'static str {
    match logins {
        true => "log in first: POST /api/v1/session",
        false => "show a token: Authorization: Bearer",
    }
}

/// Whether a browser says that a page of the host asks which the request is for. What other pages are is
/// [looked at](crate::http::is_for_here) in each request.
pub(super) fn says_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    headers.contains_key(header::ORIGIN) || site == Some("same-origin")
}

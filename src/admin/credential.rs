//! What a request shows of who asks, besides what its connection proves: a cookie or a token.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::access::{By, Who, of_bearer};
use super::sessions::{self, Id};
use crate::config::{AdminSettings, Settings};
use crate::relay::reason_of;
use crate::tokens::{Presented, Purpose, ask_again, verify};
use crate::vocabulary::Reason;

/// The field by which a page says that it asks by itself, and nobody has touched it. Its value means nothing.
const LOOKS_ON: &str = "looks-on";

/// RFC 6750 §2.1, in any case.
const BEARER: &[u8] = b"bearer ";

/// Why no token counts where none can.
const NOT_TAKEN: &str = "no token is taken here: no [[admin.access]] names token-users or token-roles";

/// It counts alone: nobody gets the roles of two.
#[derive(Clone)]
pub(super) enum Credential {
    /// The cookie of a session.
    Session {
        id: Id,
        /// A page asks by itself: that is no use of the session.
        looks_on: bool,
    },
    /// A token. It counts until it ends, also where it has a `jti`: whoever polls shows it again and again.
    Token(Arc<Zeroizing<Vec<u8>>>),
}

/// What was shown proves nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unproven {
    /// The cookie is of no session, or not any more.
    SessionOver,
    /// The token is not good.
    Token {
        /// As records call it.
        reason: Reason,
        /// For them alone.
        why: String,
    },
}

impl Credential {
    /// What a request shows; `None`: nothing. Whoever sends a token means it, whatever cookie is there besides.
    pub(super) fn of(headers: &HeaderMap, is_read: bool) -> Option<Self> {
        let token = token(headers).map(|token| Self::Token(Arc::new(token)));
        token.or_else(|| {
            let looks_on = is_read && headers.contains_key(LOOKS_ON);
            sessions::named(headers).map(|id| Self::Session { id, looks_on })
        })
    }

    /// The session that it is of.
    pub(super) fn session(&self) -> Option<Id> {
        match self {
            Self::Session { id, .. } => Some(*id),
            Self::Token(_) => None,
        }
    }
}

/// Where a request has several, none that can be good.
fn token(headers: &HeaderMap) -> Option<Zeroizing<Vec<u8>>> {
    let fields = headers.get_all(header::AUTHORIZATION).iter();
    let mut tokens = fields.filter_map(|field| {
        let (scheme, token) = field.as_bytes().split_at_checked(BEARER.len())?;
        scheme.eq_ignore_ascii_case(BEARER).then_some(token.trim_ascii())
    });
    let first = tokens.next()?;
    Some(Zeroizing::new(if tokens.next().is_some() { Vec::new() } else { first.to_vec() }))
}

/// Who comes with a token over a connection of whom `who` is known: without a role, and why, where it proves nobody. It verifies
/// a signature: not for a thread of the runtime.
pub(super) fn bearer(
    settings: &Settings,
    admin: &AdminSettings,
    token: &[u8],
    who: &Who,
) -> (Who, Option<Unproven>) {
    let named = |user: Option<String>, role| {
        let user = user.unwrap_or_else(|| Who::anybody(By::Token).user);
        Who { user, by: By::Token, role, ..who.clone() }
    };
    if !admin.takes_tokens() {
        let unproven = Unproven::Token { reason: Reason::UserIdentityUnsupported, why: NOT_TAKEN.to_owned() };
        return (named(None, None), Some(unproven));
    }
    let purpose = Purpose::Administration { audience: &admin.audience };
    let presented = Presented { token, purpose, certificate: who.fingerprint.as_deref() };
    match verify(&settings.issuers, &presented, OffsetDateTime::now_utc()) {
        Ok(bearer) => {
            let role = of_bearer(admin, &bearer);
            (named(Some(bearer.user), role), None)
        }
        Err(failed) => {
            ask_again(&settings.issuers, &failed.refused);
            let unproven =
                Unproven::Token { reason: reason_of(&failed.refused), why: failed.refused.to_string() };
            (named(failed.user, None), Some(unproven))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Credential;
    use axum::http::{HeaderMap, HeaderValue, header};

    fn shown(fields: &[(header::HeaderName, &'static str)]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Credential::of(&headers, true).map(|credential| match credential {
            Credential::Session { .. } => "a session".to_owned(),
            Credential::Token(token) => String::from_utf8(token.to_vec()).unwrap(),
        })
    }

    #[test]
    fn a_token_is_meant_also_beside_a_cookie_and_two_are_none() {
        let cookie = (header::COOKIE, "__Host-dimsegate=ab");
        let bearer = (header::AUTHORIZATION, "bEARER  a.b.c ");
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(std::slice::from_ref(&cookie)).unwrap(), "a session");
        assert_eq!(shown(&[cookie, bearer.clone()]).unwrap(), "a.b.c");
        assert_eq!(shown(&[bearer.clone(), bearer]).unwrap(), "");
        for other in ["Basic YTpi", "Bearer", "Bearera.b.c"] {
            assert_eq!(shown(&[(header::AUTHORIZATION, other)]), None, "{other}");
        }
    }
}

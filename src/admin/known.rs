//! What is known of a request besides who asks.

use std::time::Duration;

use super::credential::Credential;
use crate::users::Users;

/// What is known besides who asks.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// By what was shown, if it is not by the connection.
    pub shown: Option<Credential>,
    /// How long a session lives if nothing more is asked.
    pub left: Option<Duration>,
    /// Whether a token would say who it is.
    pub takes_tokens: bool,
    /// Those who can log in where the request came in.
    pub users: Option<Users>,
}

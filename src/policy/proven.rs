//! A user of whom it is known that they are one.

use std::sync::Arc;

use time::OffsetDateTime;

use super::factors::Factors;

/// A user who has proven to be one. A claim without proof never becomes this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenUser {
    /// As the file of users has it; of a token the name of its issuer, a slash, and the name that it has.
    pub name: Arc<str>,
    /// By what, beside a certificate.
    pub factors: Factors,
    /// Names of `[[role]]`s. Without one a user may do nothing.
    pub roles: Vec<Arc<str>>,
    /// Names of `[[peer]]`s through which the user may come; none named: all.
    pub peers: Vec<Arc<str>>,
    /// When what was proven ends, where the association has to end with it.
    pub ends: Option<OffsetDateTime>,
}

/// Characters of the longest name of a user.
pub const LONGEST_USER_NAME: usize = 64;

/// Whether a user may be called so: nothing that a shell, a URI or a log would have to quote.
pub fn is_user_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte);
    (1..=LONGEST_USER_NAME).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with('-')
}

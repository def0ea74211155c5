//! A rule, compiled.

use super::action::Action;

/// A rule, compiled. Its place in the order is its index.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) tag_text: String,
    pub(super) action: Action,
    /// Of the profile: the row of the table and the option that decided. Empty for an administrator's rule.
    pub(super) why: Box<str>,
}

//! Which limit says no.

use crate::vocabulary::Reason;

/// A refusal by a limit: why, and the key that an administrator would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// As records call it.
    pub reason: Reason,
    /// Whose limit it is.
    pub of: Of,
    /// Its name in that table.
    pub key: &'static str,
}

/// Where a limit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// `[limits]`, and its defaults.
    All,
    /// The `[[peer]]`, which has no defaults.
    Peer,
}

impl Over {
    /// By a key of `[limits]`.
    pub fn all(reason: Reason, key: &'static str) -> Self {
        Self { reason, of: Of::All, key }
    }

    pub(super) fn peer(reason: Reason, key: &'static str) -> Self {
        Self { reason, of: Of::Peer, key }
    }
}

//! The no to an association, and the condition of a peer that came nearest to a yes.

use std::fmt;
use std::sync::Arc;

use super::Stated;
use super::border::Closed;
use super::peer::Peer;
use crate::vocabulary::Reason;

/// Why the requestor is refused, and what would have to change.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The label, which knows its answer on the wire.
    pub reason: Reason,
    /// The peer that came nearest to a match, and the first of its conditions that does not hold.
    pub nearest: Option<(Arc<Peer>, Condition)>,
    /// The key that refuses it, where one does and the configuration has it.
    pub stated: Option<Stated>,
    /// What did not match what. Wire values are escaped.
    pub detail: String,
    /// What would let the requestor in, if it should be.
    pub remedy: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.detail)
    }
}

/// The conditions of a peer, in the order in which they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Condition {
    /// The peer is not let in by this listener.
    Listener,
    /// The address is in none of its networks.
    Network,
    /// The calling AE title is none of its own.
    CallingAeTitle,
    /// None was shown that it is bound to.
    Certificate,
    /// None of its CA certificates vouches for what was shown.
    Issuer,
    /// It may not ask for this AE title.
    CalledAeTitle,
}

impl Condition {
    /// The key of `[[peer]]` that states it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Listener => "listeners",
            Self::Network => "networks",
            Self::CallingAeTitle => "calling-ae-titles",
            Self::Certificate => "certificates",
            Self::Issuer => "issuers",
            Self::CalledAeTitle => "called-ae-titles",
        }
    }

    pub(super) fn reason(self) -> Reason {
        match self {
            Self::Listener | Self::Network => Reason::AddressNotAllowed,
            Self::CallingAeTitle => Reason::CallingAeTitleUnknown,
            Self::Certificate | Self::Issuer => Reason::CertificateMismatch,
            Self::CalledAeTitle => Reason::CalledAeTitleUnknown,
        }
    }
}

impl From<Closed> for Refusal {
    fn from(Closed { reason, stated, detail, remedy }: Closed) -> Self {
        Self { reason, nearest: None, stated, detail, remedy }
    }
}

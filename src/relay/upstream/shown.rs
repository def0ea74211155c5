//! How upstreams stand, for people and programs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::config::Balance;

/// Whether an address or an upstream takes associations, as status and metrics show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Associations are taken there.
    Up,
    /// Nobody is: they are refused, or go to another address.
    Down,
    /// Down, and about to show whether it still is: one attempt is under way, or a check has succeeded.
    Probing,
}

impl Availability {
    /// Whether an association that comes now is taken there for certain: what still has to be shown is not up.
    pub(crate) fn is_up(self) -> bool {
        self == Self::Up
    }

    /// The word that status, page and metrics have for it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Probing => "probing",
        }
    }
}

/// How an upstream and each of its addresses stand at this moment, for whoever looks from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamState {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Up where any address is.
    pub availability: Availability,
    /// In which order its addresses are asked.
    pub balance: Balance,
    /// Whether C-ECHOs check it.
    pub checked: bool,
    /// In the order of the configuration, those of a name together.
    pub addresses: Vec<AddressState>,
    /// Names of which no address is known, and why.
    pub unknown: Vec<String>,
}

impl UpstreamState {
    /// How many of its addresses are [up](Availability::is_up).
    pub(crate) fn up(&self) -> usize {
        self.addresses.iter().filter(|one| one.availability.is_up()).count()
    }
}

/// How one address of an upstream stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressState {
    /// An address that connections are made to, port included.
    pub address: SocketAddr,
    /// As the configuration calls it, a name with the address that it stands for.
    pub called: String,
    /// What becomes of associations that come now.
    pub availability: Availability,
    /// Up or down since then; at the longest since the proxy knows of it.
    pub since: OffsetDateTime,
    /// Why it last failed, and when.
    pub last_failure: Option<(OffsetDateTime, String)>,
    /// Associations of this proxy that are open there.
    pub associations: usize,
    /// How long the last C-ECHO that succeeded took, from the connection to its response.
    pub last_check: Option<Duration>,
    /// What it says to C-ECHOs instead of an answer, where it refuses them; that counts as up.
    pub check_refused: Option<String>,
}

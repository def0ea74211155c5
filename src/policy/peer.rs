//! A `[[peer]]`: who may connect, and as what.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::border;
use super::role::Role;
use super::scope::Scope;
use super::{AePattern, Direction, KeyLines, Operation};
use crate::identity::CertificateBinding;

/// Whether a text can be the name of a peer, or of whatever else a configuration names: 1 to 64 letters, digits, dots, hyphens
/// and underscores.
pub(crate) fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(legal)
}

/// `[[peer]]`: all of its conditions have to hold.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its name in the configuration: a label of records and metrics.
    pub name: Arc<str>,
    /// Where the configuration defines it, counted from 1.
    pub line: usize,
    /// Where its keys are, those of them that can refuse somebody.
    pub keys: KeyLines,
    /// `None` is every listener.
    pub listeners: Option<Vec<Arc<str>>>,
    /// Where it may come from.
    pub networks: Vec<IpNet>,
    /// The AE titles that it may have.
    pub calling: Vec<AePattern>,
    /// `None` is any certificate that the listener accepted, or none.
    pub certificates: Option<Vec<CertificateBinding>>,
    /// CA certificates of the listener that may vouch for it; `None` is any.
    pub issuers: Option<Vec<CertificateBinding>>,
    /// `None` is any.
    pub called: Option<Vec<AePattern>>,
    /// What it may do.
    pub role: Arc<Role>,
    /// Which studies it may see; `None` is all of them.
    pub scope: Option<Arc<Scope>>,
    /// Whose patients' consent decides what it brings and gets; `None`: nobody's.
    pub consent: Option<Arc<ConsentWanted>>,
    /// Before any route.
    pub upstream: Option<Arc<str>>,
    /// Whose it is, for values that name the tenant.
    pub tenant: Option<Arc<str>>,
    /// Name of a rule set.
    pub rewrite: Option<Arc<str>>,
    /// Which data sets that is applied to.
    pub rewrite_direction: RewriteDirection,
    /// Whether what travels against that direction gets its real values back. Never with [`RewriteDirection::Both`].
    pub two_way: bool,
    /// Offer the upstream no asynchronous operations window, for devices that cannot cope with one.
    pub strip_asynchronous_window: bool,
    /// How long it may say nothing while it owes an answer; `None`: as the limits.
    pub response_timeout: Option<Duration>,
    /// Associations at once; `None`: only the limits of all count, as for the next three.
    pub max_associations: Option<u32>,
    /// Requests for associations in a minute.
    pub associations_per_minute: Option<u32>,
    /// Operations in a second, of all its associations together.
    pub operations_per_second: Option<u32>,
    /// Bytes in a second from it, of all its associations together.
    pub bytes_per_second: Option<u64>,
}

/// `consent` of a `[[peer]]`: which source is asked, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentWanted {
    /// Name of the `[[consent]]`.
    pub source: Arc<str>,
    /// What the data is for, as the source words it; `None`: whatever it is, so that only consent to everything counts.
    pub scope: Option<Arc<str>>,
}

/// Which data sets a peer's rule set is applied to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RewriteDirection {
    /// What either side sends.
    #[default]
    Both,
    /// What the peer sends.
    FromPeer,
    /// What the upstream sends it: C-GET sub-operations.
    ToPeer,
}

impl RewriteDirection {
    /// Whether data sets that travel this way are rewritten.
    pub fn applies(self, direction: super::Direction) -> bool {
        use super::Direction;
        matches!(
            (self, direction),
            (Self::Both, _) | (Self::FromPeer, Direction::FromPeer) | (Self::ToPeer, Direction::ToPeer)
        )
    }
}

impl Peer {
    /// Whether the peer may use the listener.
    pub fn uses_listener(&self, listener: &str) -> bool {
        self.listeners.as_ref().is_none_or(|names| names.iter().any(|name| **name == *listener))
    }

    /// Whether a rewrite one way sees what travels by an operation: the objects in its direction, and C-ECHO, which has none.
    pub fn seen_by_rewrite(&self) -> impl Fn(&Operation) -> bool {
        let direction = self.rewrite_direction;
        move |operation| match operation {
            Operation::CEcho => true,
            Operation::CStore => direction.applies(Direction::FromPeer),
            Operation::CGet => direction.applies(Direction::ToPeer),
            _ => false,
        }
    }

    /// Its way to an upstream, as far as borders are concerned.
    pub fn route_to<'r>(&'r self, upstream: &'r str) -> border::Route<'r> {
        border::Route { peer: &self.name, rewrite: self.rewrite.as_deref(), upstream }
    }

    /// Whether one of its networks holds the address. An IPv4-mapped IPv6 address counts as the IPv4 one.
    pub fn holds_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

//! Who may connect, and which upstream a called AE title leads to.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::index::Index;
use super::{AePattern, Borders, Condition, KeyLines, Refusal, Role, Scope, Stated, border};
use crate::identity::CertificateBinding;
use crate::vocabulary::Reason;
use crate::wire::AeTitle;

/// Everything that decides about an association. Nobody is allowed in who matches no peer.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// In the order of the configuration: the first whose every condition holds decides.
    pub peers: Vec<Arc<Peer>>,
    /// In the order of the configuration.
    pub routes: Vec<Route>,
    /// Every listener, with its default upstream if it has one.
    pub listeners: BTreeMap<Arc<str>, Option<Arc<str>>>,
    /// Of the peers.
    pub(super) index: Index,
    /// Every role by its name, for users who have it.
    pub roles: BTreeMap<Arc<str>, Arc<Role>>,
    /// Countries of both ends, and what was agreed between them.
    pub borders: Borders,
    /// Of each listener that only one peer may use, the networks of that peer.
    only_networks: BTreeMap<Arc<str>, Stated>,
}

impl Policy {
    /// Whether there is a role by which it is counted how many patients somebody sees.
    pub fn counts_patients(&self) -> bool {
        self.roles.values().any(|role| role.counts_patients())
    }
}

/// `[[route]]`: a called AE title that has an upstream of its own.
#[derive(Clone, Debug)]
pub struct Route {
    /// The called AE titles that it is for.
    pub called: AePattern,
    /// Name of the upstream.
    pub upstream: Arc<str>,
    /// Where the configuration defines it, counted from 1.
    pub line: usize,
}

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

impl Policy {
    /// The peers and routes in the order of the configuration, every listener with its default upstream if it has one, and every
    /// role by its name.
    pub fn new(
        peers: Vec<Arc<Peer>>,
        routes: Vec<Route>,
        listeners: BTreeMap<Arc<str>, Option<Arc<str>>>,
        roles: BTreeMap<Arc<str>, Arc<Role>>,
    ) -> Self {
        let only_networks = listeners
            .keys()
            .filter_map(|name| Some((name.clone(), only(&peers, name)?.keys.of(Condition::Network.key())?)))
            .collect();
        let (index, borders) = (Index::of(&peers), Borders::default());
        Self { index, peers, routes, listeners, roles, borders, only_networks }
    }

    /// The same with these borders; [`new`](Self::new) knows none.
    #[must_use]
    pub fn within(self, borders: Borders) -> Self {
        Self { borders, ..self }
    }

    /// Whether any peer could come from this address, asked before any TLS work.
    ///
    /// # Errors
    /// A refusal with [`Reason::AddressNotAllowed`].
    pub fn admits_address(&self, listener: &str, address: IpAddr) -> Result<(), Refusal> {
        let mut there = self.index.at(address).flatten().filter_map(|at| self.peers.get(*at));
        if there.any(|peer| peer.uses_listener(listener)) {
            return Ok(());
        }
        let address = address.to_canonical();
        Err(Refusal {
            reason: Reason::AddressNotAllowed,
            nearest: None,
            stated: self.only_networks.get(listener).copied(),
            detail: format!("no peer of listener \"{listener}\" has a network that holds {address}"),
            remedy: format!("add {address} to the networks of the peer that it belongs to"),
        })
    }

    /// The upstream for an association that `peer` asks for: its own, else the route of the called AE title, else
    /// the listener's.
    pub fn upstream(&self, peer: &Peer, listener: &str, called: &AeTitle) -> Option<Arc<str>> {
        let route =
            || self.routes.iter().find(|route| route.called.matches(called)).map(|route| &route.upstream);
        let default = || self.listeners.get(listener).and_then(Option::as_ref);
        peer.upstream.as_ref().or_else(route).or_else(default).cloned()
    }
}

/// The one peer that may use a listener. Of several, an address belongs to none more than to the others.
fn only<'p>(peers: &'p [Arc<Peer>], listener: &str) -> Option<&'p Arc<Peer>> {
    let mut there = peers.iter().filter(|peer| peer.uses_listener(listener));
    there.next().filter(|_| there.next().is_none())
}

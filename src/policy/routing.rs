//! All peers, listeners and routes of a configuration: who may come from where, and which upstream a called AE title leads to.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::border::Borders;
use super::index::Index;
use super::peer::Peer;
use super::refusal::{Condition, Refusal};
use super::role::Role;
use super::{AePattern, Stated};
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

    /// Whether there is a role by which it is counted how many patients somebody sees.
    pub fn counts_patients(&self) -> bool {
        self.roles.values().any(|role| role.counts_patients())
    }
}

/// The one peer that may use a listener. Of several, an address belongs to none more than to the others.
fn only<'p>(peers: &'p [Arc<Peer>], listener: &str) -> Option<&'p Arc<Peer>> {
    let mut there = peers.iter().filter(|peer| peer.uses_listener(listener));
    there.next().filter(|_| there.next().is_none())
}

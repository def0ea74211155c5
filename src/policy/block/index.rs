//! Which blocks may be meant, without asking ten thousand.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use time::OffsetDateTime;

use super::{Block, Blocked, Known};
use crate::identity::CertificateBinding;
use crate::policy::one_site::of_one_site;
use crate::wire::AeTitle;

/// Blocks by what they name.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    titles: HashMap<AeTitle, Places>,
    networks: Networks,
    /// Those that are asked of addresses that come anew only.
    automatic: Networks,
    certificates: HashMap<CertificateBinding, Places>,
    peers: HashMap<Arc<str>, Places>,
    users: HashMap<Arc<str>, Places>,
    users_at: HashMap<Arc<str>, HashMap<IpAddr, Places>>,
    agreements: HashMap<Arc<str>, Places>,
}

#[derive(Clone, Debug, Default)]
struct Networks {
    /// Lengths of the prefixes that there are, with whether they are of IPv6.
    lengths: BTreeSet<(bool, u8)>,
    by: HashMap<IpNet, Places>,
}

/// Where the blocks stand that name one thing, and until when each is in force. Each lasts longer than the one before: another
/// would never be the first in force, so that a thousand that are over cost no more than one.
#[derive(Clone, Debug, Default)]
struct Places(Vec<(usize, Option<OffsetDateTime>)>);

impl Index {
    pub(super) fn over(blocks: &[Block]) -> Self {
        let mut index = Self::default();
        for (at, block) in blocks.iter().enumerate() {
            index.enter(block, at);
        }
        index
    }

    fn enter(&mut self, block: &Block, at: usize) {
        let places = match &block.of {
            Blocked::AeTitle(title) => self.titles.entry(title.clone()).or_default(),
            Blocked::Network(network) if block.automatic => self.automatic.of(network),
            Blocked::Network(network) => self.networks.of(network),
            Blocked::Certificate(binding) => self.certificates.entry(binding.canonical()).or_default(),
            Blocked::Peer(name) => self.peers.entry(name.clone()).or_default(),
            Blocked::User(name) => self.users.entry(name.clone()).or_default(),
            Blocked::UserAt(name, address) => {
                self.users_at.entry(name.clone()).or_default().entry(*address).or_default()
            }
            Blocked::Agreement(id) => self.agreements.entry(id.clone()).or_default(),
        };
        places.enter(at, block.until);
    }

    /// Where the first stands that shuts an address out.
    pub(super) fn of_address(&self, address: IpAddr, now: OffsetDateTime) -> Option<usize> {
        let found = [self.networks.first(address, now), self.automatic.first(address, now)];
        found.into_iter().flatten().min()
    }

    /// Where the first stands that shuts somebody out.
    pub(super) fn of(&self, known: &Known<'_>, now: OffsetDateTime) -> Option<usize> {
        let certificate = || {
            let bindings = CertificateBinding::without_names(known.certificate?);
            bindings.filter_map(|binding| first(&self.certificates, &binding, now)).min()
        };
        let found = [
            first(&self.titles, known.calling, now),
            self.networks.first(known.address, now),
            // It costs something to read what a certificate says.
            (!self.certificates.is_empty()).then(certificate).flatten(),
            first(&self.peers, known.peer, now),
            known.user.and_then(|user| first(&self.users, user, now)),
            known.user.and_then(|user| first(self.users_at.get(user)?, &of_one_site(known.address), now)),
        ];
        found.into_iter().flatten().min()
    }

    /// Where the first stands that names an agreement.
    pub(super) fn of_agreement(&self, id: &str, now: OffsetDateTime) -> Option<usize> {
        first(&self.agreements, id, now)
    }
}

fn first<K, Q>(map: &HashMap<K, Places>, key: &Q, now: OffsetDateTime) -> Option<usize>
where
    K: Eq + Hash + std::borrow::Borrow<Q>,
    Q: Eq + Hash + ?Sized,
{
    map.get(key)?.first(now)
}

impl Networks {
    fn of(&mut self, network: &IpNet) -> &mut Places {
        self.lengths.insert((network.addr().is_ipv6(), network.prefix_len()));
        self.by.entry(network.trunc()).or_default()
    }

    fn first(&self, address: IpAddr, now: OffsetDateTime) -> Option<usize> {
        let address = address.to_canonical();
        let lengths = self.lengths.iter().filter(|(is_ipv6, _)| *is_ipv6 == address.is_ipv6());
        let networks = lengths.filter_map(|(_, length)| IpNet::new(address, *length).ok());
        networks.filter_map(|network| first(&self.by, &network.trunc(), now)).min()
    }
}

impl Places {
    fn enter(&mut self, at: usize, until: Option<OffsetDateTime>) {
        let lasts_longer = |last: Option<OffsetDateTime>| match (last, until) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(last), Some(until)) => last < until,
        };
        if self.0.last().is_none_or(|(_, last)| lasts_longer(*last)) {
            self.0.push((at, until));
        }
    }

    fn first(&self, now: OffsetDateTime) -> Option<usize> {
        let over = self.0.partition_point(|(_, until)| until.is_some_and(|until| until <= now));
        self.0.get(over).map(|(at, _)| *at)
    }
}

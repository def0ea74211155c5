//! Who may be meant, without asking ten thousand peers: by network, then by how the calling AE title begins, in the order of the
//! file.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::Peer;
use crate::wire::AeTitle;

/// Where peers stand in the order of the file.
type Places = Vec<usize>;

/// The peers of a policy, by their networks.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Lengths of the prefixes that there are, with whether they are of IPv6.
    lengths: BTreeSet<(bool, u8)>,
    networks: HashMap<IpNet, Titles>,
}

/// Those of one network.
#[derive(Clone, Debug, Default)]
struct Titles {
    all: Places,
    /// By what every calling AE title begins with that they match.
    beginnings: HashMap<Box<[u8]>, Places>,
}

impl Index {
    pub(super) fn of(peers: &[Arc<Peer>]) -> Self {
        let mut index = Self::default();
        for (at, peer) in peers.iter().enumerate() {
            for network in &peer.networks {
                index.enter(network.trunc(), peer, at);
            }
        }
        index
    }

    fn enter(&mut self, network: IpNet, peer: &Peer, at: usize) {
        self.lengths.insert((network.addr().is_ipv6(), network.prefix_len()));
        let titles = self.networks.entry(network).or_default();
        titles.all.push(at);
        for pattern in &peer.calling {
            titles.beginnings.entry(pattern.beginning().into()).or_default().push(at);
        }
    }

    /// Those in whose networks the address is, and perhaps others twice; each network's in the order of the file.
    pub(super) fn at(&self, address: IpAddr) -> impl Iterator<Item = &[usize]> {
        self.holding(address).map(|titles| titles.all.as_slice())
    }

    /// Every peer that has the address and a pattern for the title, and a few others, in the order of the file.
    pub(super) fn candidates(&self, address: IpAddr, calling: &AeTitle) -> Places {
        let title = calling.as_str().as_bytes();
        let beginnings = || (0..=title.len()).filter_map(|end| title.get(..end));
        let found = self.holding(address).flat_map(|titles| {
            beginnings().filter_map(|beginning| titles.beginnings.get(beginning)).flatten().copied()
        });
        let mut found: Places = found.collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn holding(&self, address: IpAddr) -> impl Iterator<Item = &Titles> {
        let address = address.to_canonical();
        let lengths = self.lengths.iter().filter(move |(is_ipv6, _)| *is_ipv6 == address.is_ipv6());
        let networks = lengths.filter_map(move |(_, length)| IpNet::new(address, *length).ok());
        networks.filter_map(|network| self.networks.get(&network.trunc()))
    }
}

#[cfg(test)]
mod tests;

//! Who may be meant, without asking ten thousand peers: by network, then by how the calling AE title begins, then by what
//! the certificate says, in the order of the file.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::peer::Peer;
use crate::identity::{Certificate, CertificateBinding};
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
    beginnings: HashMap<Box<[u8]>, Bound>,
}

/// Those of one network and one beginning.
#[derive(Clone, Debug, Default)]
struct Bound {
    all: Places,
    /// Those that are bound to no certificate.
    unbound: Places,
    /// The others, by what they are bound to, in its canonical spelling.
    by: HashMap<CertificateBinding, Places>,
}

/// So many are asked sooner than it is looked up what a certificate says.
const FEW: usize = 16;

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
            titles.beginnings.entry(pattern.beginning().into()).or_default().enter(peer, at);
        }
    }

    /// Those in whose networks the address is, and perhaps others twice; each network's in the order of the file.
    pub(super) fn at(&self, address: IpAddr) -> impl Iterator<Item = &[usize]> {
        self.holding(address).map(|titles| titles.all.as_slice())
    }

    /// Every peer that has the address and a pattern for the title, and a few others, in the order of the file.
    pub(super) fn candidates(&self, address: IpAddr, calling: &AeTitle) -> Places {
        in_order(self.beginning(address, calling).flat_map(|bound| bound.all.iter().copied()))
    }

    /// Those of them that may be bound to the certificate, or to none.
    pub(super) fn likely(
        &self,
        address: IpAddr,
        calling: &AeTitle,
        certificate: Option<&Certificate>,
    ) -> Places {
        let mut names = None;
        let mut found = Places::new();
        for bound in self.beginning(address, calling) {
            if bound.all.len() <= FEW {
                found.extend(&bound.all);
                continue;
            }
            let names =
                names.get_or_insert_with(|| certificate.map(CertificateBinding::all_of).unwrap_or_default());
            found.extend(&bound.unbound);
            found.extend(names.iter().filter_map(|name| bound.by.get(name)).flatten());
        }
        in_order(found.into_iter())
    }

    /// Those whose pattern begins as the title does, by network and beginning.
    fn beginning(&self, address: IpAddr, calling: &AeTitle) -> impl Iterator<Item = &Bound> {
        let title = calling.as_str().as_bytes();
        let beginnings = move || (0..=title.len()).filter_map(|end| title.get(..end));
        self.holding(address)
            .flat_map(move |titles| beginnings().filter_map(|beginning| titles.beginnings.get(beginning)))
    }

    fn holding(&self, address: IpAddr) -> impl Iterator<Item = &Titles> {
        let address = address.to_canonical();
        let lengths = self.lengths.iter().filter(move |(is_ipv6, _)| *is_ipv6 == address.is_ipv6());
        let networks = lengths.filter_map(move |(_, length)| IpNet::new(address, *length).ok());
        networks.filter_map(|network| self.networks.get(&network.trunc()))
    }
}

impl Bound {
    fn enter(&mut self, peer: &Peer, at: usize) {
        self.all.push(at);
        match &peer.certificates {
            None => self.unbound.push(at),
            Some(bindings) => {
                for binding in bindings {
                    self.by.entry(binding.canonical()).or_default().push(at);
                }
            }
        }
    }
}

fn in_order(places: impl Iterator<Item = usize>) -> Places {
    let mut places: Places = places.collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests;

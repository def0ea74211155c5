//! Who may be meant, without asking ten thousand peers: by network, then by how the calling AE title begins, by what the certificate
//! says, by who vouches for it, and by how the called AE title begins, in the order of the file.
//!
//! Each of these narrows what the one before leaves, so that a refusal is found as soon as who is let in: who comes nearest fails at
//! the last condition at which anybody does, and is the first of those.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::AePattern;
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

/// Those of one network and one beginning, by what they say of certificates.
#[derive(Clone, Debug, Default)]
struct Bound {
    all: Places,
    by_certificate: Split<CertificateBinding, Certified>,
}

/// Those of one certificate, by what they say of issuers.
#[derive(Clone, Debug, Default)]
struct Certified {
    all: Places,
    by_issuer: Split<CertificateBinding, Issued>,
}

/// Those of one issuer, by what every called AE title begins with that they match.
#[derive(Clone, Debug, Default)]
struct Issued {
    all: Places,
    by_called: Split<Box<[u8]>, Places>,
}

/// Those that say nothing of something, and the others by what they say, in its canonical spelling.
#[derive(Clone, Debug)]
struct Split<K, V> {
    any: V,
    by: HashMap<K, V>,
}

impl<K, V: Default> Default for Split<K, V> {
    fn default() -> Self {
        Self { any: V::default(), by: HashMap::new() }
    }
}

/// Of whom it is asked.
pub(super) struct Sought<'s> {
    address: IpAddr,
    calling: &'s AeTitle,
    called: &'s AeTitle,
    certificate: Option<&'s Certificate>,
    authorities: &'s [Arc<Certificate>],
    /// What the certificate and who vouches for it could be bound by, once somebody wants to know.
    names: OnceCell<Vec<CertificateBinding>>,
    issuers: OnceCell<Vec<CertificateBinding>>,
}

/// Which conditions hold of the peers that are sought, and of a few others; those before hold too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    CallingAeTitle,
    Certificate,
    Issuer,
    CalledAeTitle,
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

    /// Every peer of which so much holds, and a few others, in the order of the file.
    pub(super) fn of_whom<'i>(
        &'i self,
        sought: &'i Sought<'_>,
        holds: Holds,
    ) -> impl Iterator<Item = usize> + 'i {
        let mut found = Vec::new();
        for bound in self.beginning(sought.address, sought.calling) {
            // It costs more to look up what a certificate says.
            match bound.all.len() <= FEW || holds == Holds::CallingAeTitle {
                true => found.push(bound.all.as_slice()),
                false => bound.of_whom(sought, holds, &mut found),
            }
        }
        in_order(found)
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

impl<'s> Sought<'s> {
    /// Who asks, from where, for whom, and with what proof.
    pub(super) fn new(
        address: IpAddr,
        (calling, called): (&'s AeTitle, &'s AeTitle),
        certificate: Option<&'s Certificate>,
        authorities: &'s [Arc<Certificate>],
    ) -> Self {
        let (names, issuers) = (OnceCell::new(), OnceCell::new());
        Self { address, calling, called, certificate, authorities, names, issuers }
    }

    fn names(&self) -> &[CertificateBinding] {
        self.names.get_or_init(|| self.certificate.map(CertificateBinding::all_of).unwrap_or_default())
    }

    fn issuers(&self) -> &[CertificateBinding] {
        let of_one = |authority: &Arc<Certificate>| CertificateBinding::all_of(authority);
        self.issuers.get_or_init(|| self.authorities.iter().flat_map(of_one).collect())
    }
}

impl Bound {
    fn enter(&mut self, peer: &Peer, at: usize) {
        self.all.push(at);
        self.by_certificate.each(bindings(&peer.certificates), |certified| certified.enter(peer, at));
    }

    fn of_whom<'i>(&'i self, sought: &Sought<'_>, holds: Holds, found: &mut Vec<&'i [usize]>) {
        for certified in self.by_certificate.of(sought.names()) {
            if holds == Holds::Certificate {
                found.push(&certified.all);
                continue;
            }
            for issued in certified.by_issuer.of(sought.issuers()) {
                match holds {
                    Holds::CalledAeTitle => {
                        let title = sought.called.as_str().as_bytes();
                        found.push(&issued.by_called.any);
                        let beginnings = (0..=title.len()).filter_map(|end| title.get(..end));
                        found.extend(
                            beginnings.filter_map(|one| issued.by_called.by.get(one)).map(Vec::as_slice),
                        );
                    }
                    _ => found.push(&issued.all),
                }
            }
        }
    }
}

impl Certified {
    fn enter(&mut self, peer: &Peer, at: usize) {
        self.all.push(at);
        self.by_issuer.each(bindings(&peer.issuers), |issued| issued.enter(peer, at));
    }
}

impl Issued {
    fn enter(&mut self, peer: &Peer, at: usize) {
        self.all.push(at);
        let beginnings =
            |patterns: &Vec<AePattern>| patterns.iter().map(|pattern| pattern.beginning().into()).collect();
        self.by_called.each(peer.called.as_ref().map(beginnings), |places| places.push(at));
    }
}

/// In their canonical spelling. One that is listed twice is found twice, and counts once.
fn bindings(all: &Option<Vec<CertificateBinding>>) -> Option<Vec<CertificateBinding>> {
    all.as_ref().map(|all| all.iter().map(CertificateBinding::canonical).collect())
}

impl<K: Eq + Hash, V: Default> Split<K, V> {
    /// Enters somebody where they belong. `keys`: `None` where they say nothing.
    fn each(&mut self, keys: Option<Vec<K>>, mut enter: impl FnMut(&mut V)) {
        let Some(keys) = keys else { return enter(&mut self.any) };
        keys.into_iter().for_each(|key| enter(self.by.entry(key).or_default()));
    }

    /// Those of any of these keys, and those that say nothing.
    fn of<'i>(&'i self, keys: &[K]) -> Vec<&'i V> {
        std::iter::once(&self.any).chain(keys.iter().filter_map(|key| self.by.get(key))).collect()
    }
}

/// All that are in any of these, each once. Each is in its order already, and the first is wanted mostly.
fn in_order(mut all: Vec<&[usize]>) -> impl Iterator<Item = usize> {
    all.retain(|places| !places.is_empty());
    std::iter::from_fn(move || {
        let next = all.iter().filter_map(|places| places.first().copied()).min()?;
        for places in &mut all {
            while let Some((first, rest)) = places.split_first()
                && *first == next
            {
                *places = rest;
            }
        }
        all.retain(|places| !places.is_empty());
        Some(next)
    })
}

#[cfg(test)]
mod tests;

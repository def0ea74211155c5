//! Which peer, or route, leaves nothing for a later one.
//!
//! Each is compared only with those that could cover the rarest of its conditions, so that ten thousand peers of one network
//! cost no more than ten thousand of as many networks.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use ipnet::IpNet;

use crate::identity::CertificateBinding;
use crate::policy::{AePattern, Peer, Route};

/// So few that it is not worth looking for fewer.
const FEW: usize = 4;

/// The peers so far, each under its conditions. Those that never decide are left out: whoever they cover, the one that
/// covers them covers too.
#[derive(Default)]
pub(super) struct Shadows {
    peers: Vec<Arc<Peer>>,
    listeners: Index<Arc<str>>,
    networks: Index<IpNet>,
    calling: Titles,
    called: Titles,
    certificates: Index<CertificateBinding>,
    issuers: Index<CertificateBinding>,
}

impl Shadows {
    /// The first peer that leaves nothing for this one; where there is none, this one counts from now on.
    pub(super) fn covering(&mut self, narrow: &Arc<Peer>) -> Option<Arc<Peer>> {
        let candidates = self.candidates(narrow).into_iter().filter_map(|at| self.peers.get(at));
        let found = candidates.into_iter().find(|wide| covers(wide, narrow)).cloned();
        if found.is_none() {
            self.enter(narrow);
        }
        found
    }

    /// Those that have a condition which covers the rarest of this peer, in the order of the file.
    fn candidates(&self, narrow: &Peer) -> Vec<usize> {
        let mut rarest = Rarest::default();
        rarest.offer_all(narrow.listeners.as_deref(), &self.listeners, |one| vec![self.listeners.under(one)]);
        narrow.calling.iter().for_each(|pattern| rarest.offer(self.calling.covering(pattern)));
        rarest.offer_all(narrow.called.as_deref(), &self.called.index, |one| self.called.covering(one));
        for (bindings, index) in
            [(&narrow.certificates, &self.certificates), (&narrow.issuers, &self.issuers)]
        {
            rarest.offer_all(bindings.as_deref(), index, |one| vec![index.under(one)]);
        }
        for network in &narrow.networks {
            if rarest.is_few() {
                break;
            }
            rarest.offer(wider(network).map(|wider| self.networks.under(&wider)).collect());
        }
        rarest.sorted()
    }

    fn enter(&mut self, peer: &Arc<Peer>) {
        let at = self.peers.len();
        self.listeners.enter(peer.listeners.as_ref(), at);
        self.networks.enter(Some(&peer.networks), at);
        self.certificates.enter(peer.certificates.as_ref(), at);
        self.issuers.enter(peer.issuers.as_ref(), at);
        self.calling.enter(Some(&peer.calling), at);
        self.called.enter(peer.called.as_ref(), at);
        self.peers.push(peer.clone());
    }
}

/// As [`Shadows`], of routes: those that none can reach, because one before takes every title that they have.
#[derive(Default)]
pub(super) struct ShadowedRoutes {
    routes: Vec<(AePattern, usize)>,
    called: Titles,
}

impl ShadowedRoutes {
    /// The line of the first route that leaves nothing for this one.
    pub(super) fn covering(&mut self, narrow: &Route) -> Option<usize> {
        let mut rarest = Rarest::default();
        rarest.offer(self.called.covering(&narrow.called));
        let candidates = rarest.sorted().into_iter().filter_map(|at| self.routes.get(at));
        let found =
            candidates.into_iter().find(|(wide, _)| wide.covers(&narrow.called)).map(|(_, line)| *line);
        if found.is_none() {
            self.called.enter(Some(std::slice::from_ref(&narrow.called)), self.routes.len());
            self.routes.push((narrow.called.clone(), narrow.line));
        }
        found
    }
}

/// Who has a condition, by its value.
struct Index<K> {
    /// Those without the condition, who take any value.
    any: Vec<usize>,
    by: HashMap<K, Vec<usize>>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { any: Vec::new(), by: HashMap::new() }
    }
}

impl<K: Hash + Eq + Clone> Index<K> {
    fn enter<'k>(&mut self, values: Option<impl IntoIterator<Item = &'k K>>, at: usize)
    where
        K: 'k,
    {
        let Some(values) = values else { return self.any.push(at) };
        for value in values {
            self.by.entry(value.clone()).or_default().push(at);
        }
    }

    fn under<Q: Hash + Eq + ?Sized>(&self, value: &Q) -> &[usize]
    where
        K: Borrow<Q>,
    {
        self.by.get(value).map_or(&[], Vec::as_slice)
    }
}

/// Patterns, by what every title that they match begins with.
#[derive(Default)]
struct Titles {
    index: Index<String>,
}

impl Titles {
    fn enter<'p>(&mut self, patterns: Option<impl IntoIterator<Item = &'p AePattern>>, at: usize) {
        let beginnings = patterns.map(|all| all.into_iter().map(beginning).collect::<Vec<_>>());
        self.index.enter(beginnings.as_ref(), at);
    }

    /// Those that begin with as much as this one does, or with less.
    fn covering(&self, pattern: &AePattern) -> Vec<&[usize]> {
        let whole = beginning(pattern);
        (0..=whole.len()).filter_map(|end| whole.get(..end)).map(|part| self.index.under(part)).collect()
    }
}

fn beginning(pattern: &AePattern) -> String {
    let mut text = pattern.to_string();
    text.truncate(text.find(['*', '?']).unwrap_or(text.len()));
    text
}

/// The network itself, and every one that holds it.
fn wider(network: &IpNet) -> impl Iterator<Item = IpNet> {
    std::iter::successors(Some(network.trunc()), IpNet::supernet)
}

/// The fewest that could cover one of the conditions.
#[derive(Default)]
struct Rarest<'i> {
    found: Option<(usize, Vec<&'i [usize]>)>,
}

impl<'i> Rarest<'i> {
    fn offer(&mut self, lists: Vec<&'i [usize]>) {
        let count = lists.iter().map(|list| list.len()).sum();
        if self.found.as_ref().is_none_or(|(fewest, _)| count < *fewest) {
            self.found = Some((count, lists));
        }
    }

    /// Each value of a condition, or that there is none, which only somebody without the condition covers.
    fn offer_all<T, K>(
        &mut self,
        values: Option<&[T]>,
        index: &'i Index<K>,
        covering: impl Fn(&T) -> Vec<&'i [usize]>,
    ) {
        match values {
            None => self.offer(vec![&index.any]),
            Some(values) => {
                for value in values {
                    let mut lists = covering(value);
                    lists.push(&index.any);
                    self.offer(lists);
                }
            }
        }
    }

    fn is_few(&self) -> bool {
        self.found.as_ref().is_some_and(|(fewest, _)| *fewest <= FEW)
    }

    fn sorted(self) -> Vec<usize> {
        let mut all: Vec<usize> = self.found.into_iter().flat_map(|(_, lists)| lists.concat()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Whether every association that `narrow` matches is one that `wide` matches. Never true by mistake.
pub(super) fn covers(wide: &Peer, narrow: &Peer) -> bool {
    covers_listeners(wide, narrow)
        && narrow.networks.iter().all(|network| covered_network(&wide.networks, network))
        && covers_patterns(&wide.calling, &narrow.calling)
        && covers_bindings(wide.certificates.as_deref(), narrow.certificates.as_deref())
        && covers_bindings(wide.issuers.as_deref(), narrow.issuers.as_deref())
        && match (&wide.called, &narrow.called) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => covers_patterns(wide, narrow),
            (Some(_), None) => false,
        }
}

fn covers_listeners(wide: &Peer, narrow: &Peer) -> bool {
    let Some(wide) = &wide.listeners else { return true };
    narrow.listeners.as_ref().is_some_and(|narrow| narrow.iter().all(|name| wide.contains(name)))
}

fn covered_network(wide: &[IpNet], narrow: &IpNet) -> bool {
    wide.iter().any(|network| network.contains(narrow))
}

fn covers_patterns(wide: &[AePattern], narrow: &[AePattern]) -> bool {
    narrow.iter().all(|pattern| wide.iter().any(|wide| wide.covers(pattern)))
}

fn covers_bindings(wide: Option<&[CertificateBinding]>, narrow: Option<&[CertificateBinding]>) -> bool {
    let Some(wide) = wide else { return true };
    narrow.is_some_and(|narrow| narrow.iter().all(|binding| wide.contains(binding)))
}

#[cfg(test)]
mod tests;

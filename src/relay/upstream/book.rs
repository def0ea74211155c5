//! What is known of the addresses of one upstream, without a lock and without waiting.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::entry::Entry;
use super::lookup;
use crate::audit::forward::Failing;
use crate::config::UpstreamSettings;

/// What came of a look-up: nothing yet, or whether the name is known.
pub(super) type LookedUp = watch::Receiver<Option<Result<(), String>>>;

/// What a name stands for.
#[derive(Default)]
pub(super) struct Named {
    /// Empty: not known.
    pub addresses: Vec<SocketAddr>,
    pub failing: Failing,
    /// Why it is not known, or may be out of date.
    pub problem: Option<String>,
    /// While somebody looks it up: where all who wait hear of it.
    pub under_way: Option<LookedUp>,
    /// No association waits for it until then, since it was asked for in vain.
    pub spared: Option<Instant>,
}

/// What is known of one upstream.
pub(super) struct Book {
    /// In force.
    pub settings: Arc<UpstreamSettings>,
    pub names: BTreeMap<String, Named>,
    pub entries: BTreeMap<SocketAddr, Entry>,
    /// For round-robin.
    pub turn: usize,
}

impl Book {
    pub(super) fn new(settings: Arc<UpstreamSettings>) -> Self {
        let mut book = Self { settings, names: BTreeMap::new(), entries: BTreeMap::new(), turn: 0 };
        book.refresh();
        book
    }

    /// Follows the settings and what their names stand for.
    pub(super) fn refresh(&mut self) {
        self.names.retain(|name, _| self.settings.addresses.contains(name));
        self.entries.values_mut().for_each(|entry| entry.current = false);
        for (address, called) in self.listed() {
            let entry = self.entries.entry(address).or_insert_with(|| Entry::new(&called, true));
            (entry.current, entry.called) = (true, called);
        }
        self.entries.retain(|_, entry| entry.current || entry.taken > 0);
    }

    /// The addresses in the order of the configuration, each once, with what they are called.
    pub(super) fn listed(&self) -> Vec<(SocketAddr, String)> {
        let mut listed: Vec<(SocketAddr, String)> = Vec::new();
        for (address, called) in self.settings.addresses.iter().flat_map(|address| self.behind(address)) {
            if !listed.iter().any(|(known, _)| *known == address) {
                listed.push((address, called));
            }
        }
        listed
    }

    /// What stands behind what an upstream's settings call an address.
    pub(super) fn behind(&self, address: &str) -> Vec<(SocketAddr, String)> {
        if let Some(written) = lookup::written(address) {
            return vec![(written, address.to_owned())];
        }
        let known = self.names.get(address).into_iter().flat_map(|named| &named.addresses);
        known.map(|known| (*known, format!("{address} ({known})"))).collect()
    }

    /// Names of the settings of which no address is known, each with the reason.
    pub(super) fn unknown(&self) -> Vec<String> {
        // A look-up may end that other settings began.
        let wanted = |name: &String| self.settings.addresses.contains(name);
        let unknown = self.names.iter().filter(|(name, named)| named.addresses.is_empty() && wanted(name));
        unknown.filter_map(|(name, named)| Some(format!("{name}: {}", named.problem.as_deref()?))).collect()
    }

    /// Whether nobody is served at any address, and why: nothing where it is up, or nothing is known.
    pub(super) fn down(&self) -> Option<String> {
        let mut current = self.entries.values().filter(|entry| entry.current).peekable();
        let mut details = self.unknown();
        if current.peek().is_none() && details.is_empty() {
            return None;
        }
        for entry in current {
            if !entry.breaker.is_down() {
                return None;
            }
            let why = entry.failure.as_ref().map_or("no answer", |failure| &failure.detail);
            details.push(format!("{}: {why}", entry.called));
        }
        Some(details.join("; "))
    }
}

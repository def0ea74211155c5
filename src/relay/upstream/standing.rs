//! How one upstream stands: the book of its addresses, behind a lock that nobody holds while waiting.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::book::Book;
use super::breaker::{Change, Rules};
use super::entry::Entry;
use super::lookup::{self, Lookup};
use super::shown::{Availability, UpstreamState};
use crate::config::{Balance, UpstreamSettings};

/// An address that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub address: SocketAddr,
    /// As the configuration calls it, a name with the address that it stands for.
    pub called: String,
}

/// One upstream while the process lives: its addresses, which of them answer, and why others do not.
pub(in crate::relay) struct Standing {
    pub(super) name: Arc<str>,
    pub(super) lookup: Lookup,
    book: Mutex<Book>,
    /// Why it is down, where it is.
    down: watch::Sender<Option<String>>,
    /// A check may be due earlier.
    pub(super) doubted: Notify,
    /// What a name stands for may be out of date.
    pub(super) stale: Notify,
}

impl Standing {
    pub(in crate::relay) fn new(settings: Arc<UpstreamSettings>, lookup: Lookup) -> Arc<Self> {
        Arc::new(Self {
            name: settings.name.clone(),
            lookup,
            book: Mutex::new(Book::new(settings)),
            down: watch::Sender::new(None),
            doubted: Notify::new(),
            stale: Notify::new(),
        })
    }

    /// One of which nothing is known, and whose names the system looks up.
    pub(in crate::relay) fn unknown(settings: Arc<UpstreamSettings>) -> Arc<Self> {
        Self::new(settings, lookup::of_system())
    }

    /// Other settings are in force.
    pub(super) fn follow(&self, settings: Arc<UpstreamSettings>) {
        let mut book = self.book();
        book.settings = settings;
        book.refresh();
        self.tell(&book);
    }

    /// Follows whether it is down, and why.
    pub(super) fn down(&self) -> watch::Receiver<Option<String>> {
        self.down.subscribe()
    }

    pub(super) fn state(&self) -> UpstreamState {
        let book = self.book();
        let listed = book.listed();
        let states =
            listed.iter().filter_map(|(address, _)| Some(book.entries.get(address)?.state(*address)));
        let addresses: Vec<_> = states.collect();
        let is = |wanted| addresses.iter().any(|address| address.availability == wanted);
        UpstreamState {
            name: self.name.clone(),
            availability: match book.down() {
                None => Availability::Up,
                Some(_) if is(Availability::Probing) => Availability::Probing,
                Some(_) => Availability::Down,
            },
            balance: book.settings.balance,
            checked: book.settings.health.is_some(),
            unknown: book.unknown(),
            addresses,
        }
    }

    /// The addresses that are known in the order in which they are to be asked, and the names that stand for none.
    pub(super) fn candidates<'u>(&self, upstream: &'u UpstreamSettings) -> (Vec<Candidate>, Vec<&'u str>) {
        let (mut book, mut unknown) = (self.book(), Vec::new());
        let mut candidates = Vec::new();
        for address in &upstream.addresses {
            let behind = book.behind(address);
            if behind.is_empty() {
                unknown.push(&**address);
            }
            add(&mut candidates, behind);
        }
        book.order(upstream.balance, &mut candidates);
        if !unknown.is_empty() {
            self.stale.notify_one();
        }
        (candidates, unknown)
    }

    /// What names stand for of which nothing was known, all looked up at once; and those that stand for nothing, with the reason.
    pub(super) async fn found(
        self: &Arc<Self>,
        upstream: &UpstreamSettings,
        names: &[&str],
    ) -> (Vec<Candidate>, Vec<String>) {
        let mut asked = JoinSet::new();
        for name in names.iter().copied().map(str::to_owned) {
            let (standing, patience) = (self.clone(), upstream.connect_timeout);
            asked.spawn(
                async move { standing.find(&name, patience).await.map_err(|problem| (name, problem)) },
            );
        }
        let told = asked.join_all().await;
        let problems: BTreeMap<_, _> = told.into_iter().filter_map(Result::err).collect();
        let (mut book, mut candidates, mut unknown) = (self.book(), Vec::new(), Vec::new());
        for name in names {
            match problems.get(*name) {
                Some(problem) => unknown.push(format!("{name}: {problem}")),
                None => add(&mut candidates, book.behind(name)),
            }
        }
        book.order(upstream.balance, &mut candidates);
        (candidates, unknown)
    }

    pub(super) fn is_any_up(&self, candidates: &[Candidate]) -> bool {
        let book = self.book();
        let is_up = |candidate: &Candidate| {
            book.entries.get(&candidate.address).is_none_or(|entry| !entry.breaker.is_down())
        };
        candidates.iter().any(is_up)
    }

    pub(super) fn change(
        &self,
        address: SocketAddr,
        how: impl FnOnce(&mut Entry, &str, Rules) -> Option<Change>,
    ) {
        let mut book = self.book();
        let rules = Rules::new(book.settings.health.as_ref());
        let several = book.entries.len() > 1;
        let Some(entry) = book.entries.get_mut(&address) else { return };
        let change = how(entry, &self.name, rules);
        let (is_doubtful, is_failing) = (!entry.is_sound(), !entry.breaker.is_sound());
        if let Some(change) = change.filter(|_| several) {
            let (upstream, address) = (&self.name, &entry.called);
            match change {
                Change::Down => tracing::warn!(%upstream, %address, "address is down"),
                Change::Up => tracing::info!(%upstream, %address, "address is up"),
            }
        }
        self.tell(&book);
        if is_doubtful {
            self.doubted.notify_one();
        }
        if is_failing {
            self.stale.notify_one();
        }
    }

    /// Tells, once, when it goes down and when it is up again.
    pub(super) fn tell(&self, book: &Book) {
        let down = book.down();
        self.down.send_if_modified(|told| {
            if told.is_some() == down.is_some() {
                return false;
            }
            match &down {
                Some(detail) => tracing::warn!(upstream = %self.name, detail, "upstream is down"),
                None => tracing::info!(upstream = %self.name, "upstream is up"),
            }
            *told = down;
            true
        });
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        // Whoever panicked changed one thing, and left the others as they were.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each address once.
fn add(candidates: &mut Vec<Candidate>, behind: Vec<(SocketAddr, String)>) {
    for (address, called) in behind {
        if !candidates.iter().any(|known| known.address == address) {
            candidates.push(Candidate { address, called });
        }
    }
}

impl Book {
    fn order(&mut self, balance: Balance, candidates: &mut [Candidate]) {
        match balance {
            Balance::Failover => {}
            Balance::RoundRobin if candidates.is_empty() => {}
            Balance::RoundRobin => {
                let count = candidates.len().max(1);
                candidates.rotate_left(self.turn % count);
                self.turn = self.turn.wrapping_add(1);
            }
            Balance::LeastAssociations => candidates
                .sort_by_key(|candidate| self.entries.get(&candidate.address).map_or(0, |entry| entry.taken)),
        }
    }
}

//! The associations that are open at this moment: who talks with whom, how far they have come, and how to end one from
//! outside.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::identity::Certificate;
use crate::wire::AeTitle;

mod order;
mod standing;

pub(crate) use order::{Order, Orders, When};
pub(crate) use standing::{Current, Lane, Standing, Waits, Wanted};

/// The associations that are open at this moment, by their ids.
#[derive(Default)]
pub(crate) struct Live {
    table: Mutex<BTreeMap<Arc<str>, Arc<Entry>>>,
}

/// An open association, as others see it.
pub(crate) struct Entry {
    pub facts: Facts,
    pub standing: Standing,
    pub orders: Orders,
}

/// Who talks with whom, and since when.
pub(crate) struct Facts {
    pub id: Arc<str>,
    pub listener: Arc<str>,
    pub peer: Arc<str>,
    pub upstream: Arc<str>,
    /// Of the upstream, as it was dialled.
    pub upstream_address: String,
    pub from: SocketAddr,
    pub calling: AeTitle,
    pub called: AeTitle,
    /// What the requestor proved to be by TLS.
    pub certificate: Option<Certificate>,
    pub since: Instant,
}

/// An association in the table, for as long as this is kept.
pub(crate) struct Alive<'l> {
    live: &'l Live,
    entry: Arc<Entry>,
}

impl Live {
    /// Enters an association that has been opened.
    pub(crate) fn enter(&self, facts: Facts) -> Alive<'_> {
        let standing = Standing::new(facts.since);
        let entry = Arc::new(Entry { facts, standing, orders: Orders::default() });
        self.table().insert(entry.facts.id.clone(), entry.clone());
        Alive { live: self, entry }
    }

    /// Those that are open, the oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<Entry>> {
        let mut all: Vec<_> = self.table().values().cloned().collect();
        all.sort_by_key(|entry| entry.facts.since);
        all
    }

    /// The one with this id.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Entry>> {
        self.table().get(id).cloned()
    }

    /// Says in the log which are open, the oldest `most` of them.
    pub(crate) fn say(&self, most: usize) {
        let all = self.list();
        for Facts { id, peer, upstream, from, calling, since, .. } in
            all.iter().take(most).map(|entry| &entry.facts)
        {
            let open_for = Duration::from_secs(since.elapsed().as_secs());
            tracing::info!(association = %id, %peer, %upstream, address = %from, "calling-ae-title" = %calling, ?open_for, "still open");
        }
        if let Some(more @ 1..) = all.len().checked_sub(most) {
            tracing::info!(more, "still open");
        }
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<Entry>>> {
        // Whoever panicked held it for one insertion or removal.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Alive<'_> {
    pub(crate) fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.live.table().remove(&self.entry.facts.id);
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, Live};
    use std::time::{Duration, Instant};

    fn facts(id: &str, age: u64) -> Facts {
        Facts {
            id: id.into(),
            listener: "remote".into(),
            peer: "lyon".into(),
            upstream: "pacs".into(),
            upstream_address: "127.0.0.1:104".into(),
            from: ([127, 0, 0, 1], 4711).into(),
            calling: "LYON_CT1".parse().unwrap(),
            called: "PACS".parse().unwrap(),
            certificate: None,
            since: Instant::now().checked_sub(Duration::from_secs(age)).unwrap(),
        }
    }

    #[test]
    fn an_association_is_listed_for_as_long_as_it_is_open_and_the_oldest_comes_first() {
        let live = Live::default();
        let young = live.enter(facts("b", 1));
        let old = live.enter(facts("a-9", 3));
        let ids = || live.list().iter().map(|entry| entry.facts.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(), ["a-9", "b"]);
        assert!(live.find("b").is_some());
        drop(old);
        assert_eq!(ids(), ["b"]);
        drop(young);
        assert!(ids().is_empty());
        assert!(live.find("b").is_none());
    }
}

//! The associations that are open at this moment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::wire::AeTitle;

/// The associations that are open at this moment, by their ids.
#[derive(Default)]
pub(crate) struct Live {
    table: Mutex<BTreeMap<Arc<str>, Arc<Facts>>>,
}

/// Who talks with whom, and since when.
pub(crate) struct Facts {
    pub id: Arc<str>,
    pub peer: Arc<str>,
    pub upstream: Arc<str>,
    pub from: SocketAddr,
    pub calling: AeTitle,
    pub since: Instant,
}

/// An association in the table, for as long as this is kept.
pub(crate) struct Alive<'l> {
    live: &'l Live,
    id: Arc<str>,
}

impl Live {
    /// Enters an association that has been opened.
    pub(crate) fn enter(&self, facts: Facts) -> Alive<'_> {
        let id = facts.id.clone();
        self.table().insert(id.clone(), Arc::new(facts));
        Alive { live: self, id }
    }

    /// Those that are open, the oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<Facts>> {
        let mut all: Vec<_> = self.table().values().cloned().collect();
        all.sort_by_key(|facts| facts.since);
        all
    }

    /// Says in the log which are open, the oldest `most` of them.
    pub(crate) fn say(&self, most: usize) {
        let all = self.list();
        for Facts { id, peer, upstream, from, calling, since } in all.iter().take(most).map(|facts| &**facts)
        {
            let open_for = Duration::from_secs(since.elapsed().as_secs());
            tracing::info!(association = %id, %peer, %upstream, address = %from, "calling-ae-title" = %calling, ?open_for, "still open");
        }
        if let Some(more @ 1..) = all.len().checked_sub(most) {
            tracing::info!(more, "still open");
        }
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<Facts>>> {
        // Whoever panicked held it for one insertion or removal.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.live.table().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, Live};
    use std::time::{Duration, Instant};

    fn facts(id: &str, age: u64) -> Facts {
        Facts {
            id: id.into(),
            peer: "lyon".into(),
            upstream: "pacs".into(),
            from: ([127, 0, 0, 1], 4711).into(),
            calling: "LYON_CT1".parse().unwrap(),
            since: Instant::now().checked_sub(Duration::from_secs(age)).unwrap(),
        }
    }

    #[test]
    fn an_association_is_listed_for_as_long_as_it_is_open_and_the_oldest_comes_first() {
        let live = Live::default();
        let young = live.enter(facts("b", 1));
        let old = live.enter(facts("a-9", 3));
        let ids = || live.list().iter().map(|facts| facts.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(), ["a-9", "b"]);
        drop(old);
        assert_eq!(ids(), ["b"]);
        drop(young);
        assert!(ids().is_empty());
    }
}

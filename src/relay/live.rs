//! The associations that are open at this moment: who talks with whom, how far they have come, and how to end one from
//! outside.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::identity::Certificate;
use crate::wire::AeTitle;

mod changes;
mod contexts;
mod course;
mod order;
mod rate;
mod right;

pub(crate) use changes::{Changes, Mark};
pub(crate) use contexts::{Context, Contexts, OfUpstream, Role};
pub(crate) use course::{Course, Current, Lane, Waits, Wanted};
pub(crate) use order::{Order, Orders, When};
pub(crate) use right::{Proof, Right};

/// The associations that are open at this moment, by their ids.
pub(crate) struct Live {
    table: Mutex<Table>,
    /// Random bits, so that what was said before a restart means nothing behind it.
    run: u64,
}

#[derive(Default)]
struct Table {
    rows: BTreeMap<Arc<str>, Row>,
    /// Goes up where somebody who looks finds something changed, and where an association ends.
    revision: u64,
    /// What it was when one ended last.
    last_end: u64,
}

struct Row {
    entry: Arc<Entry>,
    /// As somebody saw it last.
    seen: Option<changes::Look>,
    /// What it was when this was found changed.
    revision: u64,
}

impl Default for Live {
    fn default() -> Self {
        Self { table: Mutex::default(), run: RandomState::new().hash_one(0) }
    }
}

/// An open association, as others see it.
pub(crate) struct Entry {
    pub facts: Facts,
    pub right: Right,
    pub course: Course,
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
    pub contexts: Contexts,
    /// The user that it proved to be.
    pub user: Option<Arc<str>>,
    pub since: Instant,
}

/// An association in the table, for as long as this is kept.
pub(crate) struct Alive<'l> {
    live: &'l Live,
    entry: Arc<Entry>,
}

impl Live {
    /// Enters an association that has been opened.
    pub(crate) fn enter(&self, facts: Facts, right: Right) -> Alive<'_> {
        let course = Course::new(facts.since);
        let entry = Arc::new(Entry { facts, right, course, orders: Orders::default() });
        let row = Row { entry: entry.clone(), seen: None, revision: 0 };
        self.table().rows.insert(entry.facts.id.clone(), row);
        Alive { live: self, entry }
    }

    /// What no other start of the proxy has.
    pub(crate) fn run(&self) -> String {
        format!("{:x}", self.run)
    }

    /// Those that are open, the oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<Entry>> {
        let mut all: Vec<_> = self.table().rows.values().map(|row| row.entry.clone()).collect();
        all.sort_by_key(|entry| entry.facts.since);
        all
    }

    /// The one with this id.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Entry>> {
        self.table().rows.get(id).map(|row| row.entry.clone())
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

    fn table(&self) -> MutexGuard<'_, Table> {
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
        let mut table = self.live.table();
        table.rows.remove(&self.entry.facts.id);
        table.revision += 1;
        table.last_end = table.revision;
    }
}

#[cfg(test)]
mod tests {
    use super::{Contexts, Facts, Live, Proof, Right};
    use crate::config::sample;
    use crate::policy::Rights;
    use crate::scratch::Scratch;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    pub(super) fn facts(id: &str, age: u64) -> Facts {
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
            contexts: Contexts::default(),
            user: None,
            since: Instant::now().checked_sub(Duration::from_secs(age)).unwrap(),
        }
    }

    pub(super) fn right() -> Right {
        let home = Scratch::new();
        let settings = Arc::new(sample::read(home.path(), "").settings);
        let peer = settings.policy.peers[0].clone();
        let rights = Rights::of_peer(peer.role.clone());
        Right::new(settings, peer, rights, Proof::default())
    }

    #[test]
    fn an_association_is_listed_for_as_long_as_it_is_open_and_the_oldest_comes_first() {
        let live = Live::default();
        let young = live.enter(facts("b", 1), right());
        let old = live.enter(facts("a-9", 3), right());
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

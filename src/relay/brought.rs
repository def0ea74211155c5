//! Instances that peers with a scope have stored through dimsegate, so that they may ask whether the archive keeps them.
//!
//! A request for storage commitment names instances and not their studies (PS3.4 J.3.2), and many archives answer no query that
//! does. Who brought an instance knows of it already, and is told nothing of anybody else's by hearing that it is kept. What is remembered is
//! therefore enough for that, and for nothing else: nothing is shown by it. What was granted is remembered here too, until it is
//! forgotten as the rest is: a report is told where its request was granted.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use super::looking_up::Archive;
use super::machine::Remembers;
use crate::wire::AeTitle;

/// Instances that are remembered of all peers together: for one more, the peer that has most of them forgets its first. 32 bytes
/// and a little for each.
const MOST: usize = 500_000;

/// What all associations share of it.
pub(crate) struct Brought {
    keys: [RandomState; 2],
    known: Mutex<Known>,
    most: usize,
}

/// An instance and who stored it, as a keyed hash: nobody outside of the process can make two that are alike.
type Mark = [u64; 2];

#[derive(Default)]
struct Known {
    marks: HashSet<Mark>,
    /// By peer, the first of each in front.
    in_order: HashMap<Arc<str>, VecDeque<Mark>>,
}

impl Known {
    /// Those of the peer that has most; of two, of the one that stores.
    fn of_most(&mut self, storing: &Arc<str>) -> Option<&mut VecDeque<Mark>> {
        let most = self.in_order.iter_mut().max_by_key(|(peer, own)| (own.len(), *peer == storing));
        most.map(|(_, own)| own)
    }
}

/// Who stores, and where.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Whose {
    pub peer: Arc<str>,
    /// Where one is proven.
    pub user: Option<Arc<str>>,
    /// Calling and called.
    pub titles: [AeTitle; 2],
    pub upstream: Arc<str>,
    /// Which that is: after a reload another archive may have its name.
    pub archive: Archive,
}

/// Those of one association.
pub(super) struct OfOne {
    all: Arc<Brought>,
    whose: Whose,
}

impl Default for Brought {
    fn default() -> Self {
        Self { keys: [RandomState::new(), RandomState::new()], known: Mutex::default(), most: MOST }
    }
}

impl Brought {
    pub(super) fn of(self: &Arc<Self>, whose: Whose) -> OfOne {
        OfOne { all: Arc::clone(self), whose }
    }

    fn mark(&self, whose: &Whose, instance: &str) -> Mark {
        self.keys.each_ref().map(|key| key.hash_one((whose, instance)))
    }

    fn known<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Remembers for OfOne {
    fn note(&self, instance: &str) {
        let mark = self.all.mark(&self.whose, instance);
        self.all.known(|known| {
            if !known.marks.insert(mark) {
                return;
            }
            known.in_order.entry(self.whose.peer.clone()).or_default().push_back(mark);
            if known.marks.len() > self.all.most
                && let Some(first) = known.of_most(&self.whose.peer).and_then(VecDeque::pop_front)
            {
                known.marks.remove(&first);
            }
        });
    }

    fn has(&self, instance: &str) -> bool {
        let mark = self.all.mark(&self.whose, instance);
        self.all.known(|known| known.marks.contains(&mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(address: &str) -> Archive {
        Archive { addresses: vec![address.into()], tls: None }
    }

    fn whose() -> Whose {
        Whose {
            peer: "lyon".into(),
            user: Some("anna".into()),
            titles: ["CT1", "PACS"].map(|title| title.parse().unwrap()),
            upstream: "pacs".into(),
            archive: archive("10.0.0.5:104"),
        }
    }

    #[test]
    fn what_somebody_stored_is_known_for_the_same_peer_user_title_and_archive_alone() {
        let all = Arc::new(Brought::default());
        all.of(whose()).note("1.2");
        assert!(all.of(whose()).has("1.2") && !all.of(whose()).has("1.3"));
        let titles = |titles: [&str; 2]| titles.map(|title| title.parse().unwrap());
        for other in [
            Whose { peer: "paris".into(), ..whose() },
            Whose { user: None, ..whose() },
            Whose { user: Some("bert".into()), ..whose() },
            Whose { titles: titles(["CT2", "PACS"]), ..whose() },
            Whose { titles: titles(["CT1", "OTHER"]), ..whose() },
            Whose { upstream: "other".into(), ..whose() },
            Whose { archive: archive("10.0.0.6:104"), ..whose() },
        ] {
            assert!(!all.of(other).has("1.2"));
        }
    }

    #[test]
    fn beyond_the_most_what_was_stored_first_is_forgotten() {
        let all = Arc::new(Brought { most: 3, ..Brought::default() });
        let mine = all.of(whose());
        for instance in ["1.1", "1.2", "1.1", "1.3", "1.4"] {
            mine.note(instance);
        }
        let has = ["1.1", "1.2", "1.3", "1.4"].map(|instance| mine.has(instance));
        assert_eq!(has, [false, true, true, true]);
        let counted =
            || all.known(|known| (known.marks.len(), known.in_order.values().map(VecDeque::len).sum()));
        assert_eq!(counted(), (3, 3_usize));
        // Whoever stores many pushes out its own.
        let other = all.of(Whose { peer: "paris".into(), ..whose() });
        ["2.1", "2.2", "2.3", "2.4"].iter().for_each(|instance| other.note(instance));
        assert_eq!(["1.2", "1.3", "1.4"].map(|instance| mine.has(instance)), [false, true, true]);
        assert_eq!(
            ["2.1", "2.2", "2.3", "2.4"].map(|instance| other.has(instance)),
            [false, false, false, true]
        );
        assert_eq!(counted(), (3, 3));
    }
}

//! What was looked up or stored lately, so that most look-ups need no database.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use crate::rewrite::{Correspondence, Kind};

/// Entries of one generation, each way.
const MOST: usize = 1 << 15;
/// Longer values are looked up each time.
const LONGEST: usize = 1 << 10;

/// Correspondences that are in the database, bounded.
#[derive(Default)]
pub(super) struct Known(Mutex<Both>);

#[derive(Default)]
struct Both {
    forward: Generations<(Kind, Vec<u8>), Vec<u8>>,
    back: Generations<(Kind, Vec<u8>), Correspondence>,
}

impl Known {
    pub(super) fn pseudonym_of(&self, kind: Kind, real: &[u8]) -> Option<Vec<u8>> {
        self.lock().forward.get(&(kind.name_space(), real.to_vec())).cloned()
    }

    pub(super) fn behind(&self, kind: Kind, pseudonym: &[u8]) -> Option<Correspondence> {
        self.lock().back.get(&(kind.name_space(), pseudonym.to_vec())).cloned()
    }

    /// Only of what has been committed.
    pub(super) fn add(&self, correspondence: &Correspondence) {
        let Correspondence { kind, real, pseudonym, .. } = correspondence;
        if is_long(correspondence) {
            return;
        }
        let mut both = self.lock();
        if kind.leads_forward() {
            both.forward.put((kind.name_space(), real.clone()), pseudonym.clone());
        }
        if kind.leads_back() {
            both.back.put((kind.name_space(), pseudonym.clone()), correspondence.clone());
        }
    }

    /// Of what is in the database no more: another value has its pseudonym, and is [added](Self::add) before.
    pub(super) fn remove_real(&self, Correspondence { kind, real, .. }: &Correspondence) {
        self.lock().forward.remove(&(kind.name_space(), real.clone()));
    }

    /// As [`add`](Self::add), of what was read: what has been committed since then counts.
    pub(super) fn add_if_absent(&self, correspondence: &Correspondence) {
        let Correspondence { kind, real, pseudonym, .. } = correspondence;
        if is_long(correspondence) {
            return;
        }
        let mut both = self.lock();
        if kind.leads_back() {
            let key = (kind.name_space(), pseudonym.clone());
            let there = both.back.get_or_put(key, correspondence.clone());
            if there.real != *real {
                return;
            }
        }
        if kind.leads_forward() {
            both.forward.get_or_put((kind.name_space(), real.clone()), pseudonym.clone());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Both> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_long(correspondence: &Correspondence) -> bool {
    let written =
        correspondence.written.as_ref().map_or(0, |written| written.bytes.len() + written.set.len());
    correspondence.real.len() + correspondence.pseudonym.len() + written > LONGEST
}

/// What was not asked for while a whole generation came is forgotten.
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Hash + Eq, V> Generations<K, V> {
    fn get(&mut self, key: &K) -> Option<&V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.get_or_put(key, value);
        }
        self.young.get(key)
    }

    fn remove(&mut self, key: &K) {
        self.old.remove(key);
        self.young.remove(key);
    }

    fn put(&mut self, key: K, value: V) {
        self.old.remove(&key);
        self.make_room();
        self.young.insert(key, value);
    }

    /// The value that is there, else this one.
    fn get_or_put(&mut self, key: K, value: V) -> &V {
        let value = self.old.remove(&key).unwrap_or(value);
        if !self.young.contains_key(&key) {
            self.make_room();
        }
        self.young.entry(key).or_insert(value)
    }

    fn make_room(&mut self) {
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Generations, Known, MOST};
    use crate::rewrite::{Correspondence, Kind};

    fn uid(real: &[u8], pseudonym: &[u8], patient: Option<&[u8]>) -> Correspondence {
        let (real, pseudonym) = (real.to_vec(), pseudonym.to_vec());
        Correspondence {
            kind: Kind::Uid,
            real,
            pseudonym,
            patient: patient.map(<[u8]>::to_vec),
            written: None,
        }
    }

    #[test]
    fn what_was_read_does_not_hide_what_was_committed_since() {
        let known = Known::default();
        let read = uid(b"1.2.3", b"2.25.3", None);
        let committed = uid(b"1.2.3", b"2.25.3", Some(b"4711"));
        known.add(&committed);
        known.add_if_absent(&read);
        assert_eq!(known.behind(Kind::Uid, b"2.25.3"), Some(committed.clone()));
        let own = Correspondence { kind: Kind::OwnUid, ..uid(b"2.25.4", b"2.25.3", None) };
        known.add_if_absent(&own);
        assert_eq!(known.pseudonym_of(Kind::Uid, b"2.25.4"), None);
        assert_eq!(known.behind(Kind::Uid, b"2.25.3"), Some(committed));
        // Nor where it is old.
        let mut generations = Generations::default();
        generations.put(0, "committed");
        (1..=MOST).for_each(|number| generations.put(number, "more"));
        assert_eq!(generations.get_or_put(0, "read"), &"committed");
        assert_eq!(generations.get_or_put(MOST + 1, "read"), &"read");
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_bounded() {
        let mut generations = Generations::default();
        generations.put(0, "first");
        for number in 1..4 * MOST {
            generations.put(number, "more");
            assert_eq!(generations.get(&0), Some(&"first"));
        }
        assert!(generations.young.len() + generations.old.len() <= 2 * MOST);
        assert_eq!(generations.get(&1), None);
    }

    #[test]
    fn the_newest_value_counts() {
        let mut generations = Generations::default();
        generations.put(0, "old");
        (1..MOST).for_each(|number| generations.put(number, "more"));
        generations.put(MOST, "next generation");
        generations.put(0, "new");
        assert_eq!(generations.get(&0), Some(&"new"));
    }
}

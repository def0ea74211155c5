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
        self.lock().forward.get(&(kind, real.to_vec())).cloned()
    }

    pub(super) fn behind(&self, kind: Kind, pseudonym: &[u8]) -> Option<Correspondence> {
        self.lock().back.get(&(kind, pseudonym.to_vec())).cloned()
    }

    /// Only of what has been committed.
    pub(super) fn add(&self, correspondence: &Correspondence) {
        let Correspondence { kind, real, pseudonym, .. } = correspondence;
        if real.len() + pseudonym.len() > LONGEST {
            return;
        }
        let mut both = self.lock();
        if kind.leads_forward() {
            both.forward.put((*kind, real.clone()), pseudonym.clone());
        }
        if kind.leads_back() {
            both.back.put((*kind, pseudonym.clone()), correspondence.clone());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Both> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
            self.put_if_absent(key, value);
        }
        self.young.get(key)
    }

    fn put(&mut self, key: K, value: V) {
        self.old.remove(&key);
        self.make_room();
        self.young.insert(key, value);
    }

    fn put_if_absent(&mut self, key: K, value: V) {
        self.make_room();
        self.young.entry(key).or_insert(value);
    }

    fn make_room(&mut self) {
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Generations, MOST};

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

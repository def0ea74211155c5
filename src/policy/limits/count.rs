//! How many at once: altogether and by key, given back on drop.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts of what is open now. Keys at zero are forgotten.
#[derive(Debug)]
pub(super) struct Counts<K> {
    by_key: Mutex<HashMap<K, u32>>,
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self { by_key: Mutex::default() }
    }
}

/// One place taken, given back on drop.
#[derive(Debug)]
pub struct Permit<K: Hash + Eq> {
    counts: Arc<Counts<K>>,
    key: K,
}

impl<K: Hash + Eq + Clone> Counts<K> {
    /// Takes a place unless `most` are taken.
    pub(super) fn take(self: &Arc<Self>, key: &K, most: u32) -> Option<Permit<K>> {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if by_key.get(key).copied().unwrap_or(0) >= most {
            return None;
        }
        *by_key.entry(key.clone()).or_insert(0) += 1;
        Some(Permit { counts: self.clone(), key: key.clone() })
    }

    /// How many are taken by this key.
    pub(super) fn taken(&self, key: &K) -> u32 {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied().unwrap_or(0)
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.by_key.lock().unwrap().len()
    }
}

impl<K: Hash + Eq> Drop for Permit<K> {
    fn drop(&mut self) {
        let mut by_key = self.counts.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_key.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                by_key.remove(&self.key);
            }
        }
    }
}

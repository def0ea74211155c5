//! What a server has said, for a while.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::said::{Said, Who};

/// Answers for patients and purposes, by hashes with a key of this process.
#[derive(Debug)]
pub struct Remembered {
    keys: [RandomState; 2],
    said: Mutex<HashMap<[u64; 2], (Said, Instant)>>,
    most: usize,
}

impl Remembered {
    /// At most so many; a full one forgets what is too old, and then all.
    pub fn of(most: usize) -> Self {
        Self { keys: [RandomState::new(), RandomState::new()], said: Mutex::default(), most }
    }

    /// What was said no longer ago than this.
    pub fn said(&self, whom: &Who, purpose: Option<&str>, within: Duration, now: Instant) -> Option<Said> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let (said, at) = said.get(&self.hash(whom, purpose))?;
        (now.saturating_duration_since(*at) < within).then_some(*said)
    }

    /// Remembers what was said now.
    pub fn note(&self, whom: &Who, purpose: Option<&str>, said: Said, (within, now): (Duration, Instant)) {
        let hash = self.hash(whom, purpose);
        let mut all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= self.most && !all.contains_key(&hash) {
            all.retain(|_, (_, at)| now.saturating_duration_since(*at) < within);
            if all.len() >= self.most {
                all.clear();
            }
        }
        all.insert(hash, (said, now));
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn hash(&self, whom: &Who, purpose: Option<&str>) -> [u64; 2] {
        self.keys.each_ref().map(|key| key.hash_one((whom, purpose)))
    }
}

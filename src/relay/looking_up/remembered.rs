//! Studies that were within a scope a while ago.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use time::Date;

use crate::config::UpstreamSettings;
use crate::policy::scope::Conditions;
use crate::wire::AeTitle;

/// Studies of one upstream. Beyond that, those that were known are asked about again.
const MOST: usize = 4096;

/// A study as somebody asked about it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub conditions: Conditions,
    /// Calling and called: an archive may tell some what it does not tell others.
    pub titles: [AeTitle; 2],
    /// What was new enough yesterday may be too old today.
    pub today: Date,
    pub study: Box<str>,
}

#[derive(Default)]
pub(super) struct Remembered(Mutex<HashMap<Arc<str>, OfUpstream>>);

struct OfUpstream {
    /// What it is like: after a reload, another archive may have its name.
    upstream: Arc<UpstreamSettings>,
    until: HashMap<Key, Instant>,
}

impl Remembered {
    pub(super) fn has(&self, upstream: &Arc<UpstreamSettings>, key: &Key) -> bool {
        let known = self.known();
        let known = known.get(&upstream.name).filter(|known| Arc::ptr_eq(&known.upstream, upstream));
        known.and_then(|known| known.until.get(key)).is_some_and(|until| Instant::now() < *until)
    }

    pub(super) fn note(&self, upstream: &Arc<UpstreamSettings>, key: Key, lasts: Duration) {
        let now = Instant::now();
        let Some(until) = now.checked_add(lasts).filter(|until| *until > now) else { return };
        let mut known = self.known();
        let known = known.entry(upstream.name.clone()).or_insert_with(|| OfUpstream::new(upstream));
        if !Arc::ptr_eq(&known.upstream, upstream) {
            *known = OfUpstream::new(upstream);
        }
        if known.until.len() >= MOST {
            known.until.retain(|_, until| now < *until);
        }
        if known.until.len() >= MOST {
            known.until.clear();
        }
        known.until.insert(key, until);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Arc<str>, OfUpstream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfUpstream {
    fn new(upstream: &Arc<UpstreamSettings>) -> Self {
        Self { upstream: upstream.clone(), until: HashMap::new() }
    }
}

//! Where the keys of an issuer come from: a file that is read with the configuration, or a server that is asked again and again.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use time::OffsetDateTime;

use super::algorithm::Algorithm;
use super::key_set::KeySet;

/// The keys of an issuer.
#[derive(Clone, Debug)]
pub enum Keys {
    /// Of a file.
    Read(Arc<KeySet>),
    /// Of a server.
    Fetched(Arc<Fetched>),
}

/// The last good set of a server. Whoever fetches keeps it here; whoever verifies never waits for it.
#[derive(Debug)]
pub struct Fetched {
    /// Another one where another server, or the same one by another certificate, is asked.
    source: String,
    max_age: Duration,
    last: ArcSwapOption<Kept>,
}

#[derive(Debug)]
struct Kept {
    keys: Arc<KeySet>,
    at: OffsetDateTime,
}

impl Keys {
    /// Those that count now; `None`: none was fetched, or too long ago.
    pub(super) fn now(&self, now: OffsetDateTime) -> Option<Arc<KeySet>> {
        match self {
            Self::Read(keys) => Some(keys.clone()),
            Self::Fetched(fetched) => {
                let last = fetched.last.load();
                last.as_ref().filter(|last| now - last.at <= fetched.max_age).map(|last| last.keys.clone())
            }
        }
    }

    /// Whether any key is for signatures of this kind, as far as that is known.
    pub fn may_have_for(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Read(keys) => keys.has_for(algorithm),
            Self::Fetched(_) => true,
        }
    }
}

impl Fetched {
    /// Of a source, by all that makes it another one. A set counts for `max_age` from when it was fetched.
    pub fn new(source: String, max_age: Duration) -> Self {
        Self { source, max_age, last: ArcSwapOption::empty() }
    }

    /// How long a set counts.
    pub fn max_age(&self) -> Duration {
        self.max_age
    }

    /// Keeps a set that was fetched.
    pub fn keep(&self, keys: KeySet, at: OffsetDateTime) {
        self.last.store(Some(Arc::new(Kept { keys: Arc::new(keys), at })));
    }

    /// Goes on with what another one has, where it is of the same source.
    pub fn take_over(&self, other: &Self) {
        if self.source == other.source && other.last.load().is_some() {
            self.last.store(other.last.load_full());
        }
    }
}

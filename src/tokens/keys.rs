//! Where the keys of an issuer come from: a file that is read with the configuration, or a server that is asked again and again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use time::OffsetDateTime;
use tokio::sync::Notify;

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
    /// Why the last fetch failed, if it did.
    failing: ArcSwapOption<String>,
    /// Somebody came with a key that is not there.
    missed: Notify,
}

/// How the keys of a server are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetching {
    /// When those that are there were fetched; `None`: none were.
    pub at: Option<OffsetDateTime>,
    /// Whether they count.
    pub counts: bool,
    /// Why the last fetch failed, if it did.
    pub failing: Option<Arc<String>>,
}

#[derive(Debug)]
struct Kept {
    keys: Arc<KeySet>,
    /// When they were fetched, by the clock of the system and by one that nobody sets.
    at: (OffsetDateTime, Instant),
}

impl Keys {
    /// Those that count now; `None`: none was fetched, or too long ago.
    pub(super) fn now(&self, now: OffsetDateTime) -> Option<Arc<KeySet>> {
        match self {
            Self::Read(keys) => Some(keys.clone()),
            Self::Fetched(fetched) => {
                let last = fetched.last.load();
                let now = (now, Instant::now());
                last.as_ref().filter(|last| fetched.counts(last, now)).map(|last| last.keys.clone())
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
        let (last, failing) = (ArcSwapOption::empty(), ArcSwapOption::empty());
        Self { source, max_age, last, failing, missed: Notify::new() }
    }

    /// A set is as old as the older of its ages: one clock may have been set back since, and the other stands still while the
    /// machine sleeps.
    fn counts(&self, last: &Kept, now: (OffsetDateTime, Instant)) -> bool {
        let by_the_system = Duration::try_from(now.0 - last.at.0).unwrap_or_default();
        by_the_system.max(now.1.saturating_duration_since(last.at.1)) <= self.max_age
    }

    /// How long a set counts.
    pub fn max_age(&self) -> Duration {
        self.max_age
    }

    /// By what its server is told apart from others.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Keeps a set that was fetched.
    pub fn keep(&self, keys: KeySet, at: OffsetDateTime) {
        self.last.store(Some(Arc::new(Kept { keys: Arc::new(keys), at: (at, Instant::now()) })));
        self.failing.store(None);
    }

    /// Notes that a fetch failed.
    pub fn fail(&self, why: String) {
        self.failing.store(Some(Arc::new(why)));
    }

    /// Somebody came with a key that is not there: it may be a new one.
    pub(super) fn miss(&self) {
        self.missed.notify_one();
    }

    /// Waits until somebody comes with a key that is not there, also where that was before.
    pub async fn missed(&self) {
        self.missed.notified().await;
    }

    /// When keys were fetched last, whether they still count, and why the last attempt failed.
    pub fn fetching(&self, now: OffsetDateTime) -> Fetching {
        let last = self.last.load();
        let counts = last.as_ref().is_some_and(|last| self.counts(last, (now, Instant::now())));
        Fetching { at: last.as_ref().map(|last| last.at.0), counts, failing: self.failing.load_full() }
    }

    /// Goes on with what another one has, where it is of the same source.
    pub fn take_over(&self, other: &Self) {
        if self.source == other.source && other.last.load().is_some() {
            self.last.store(other.last.load_full());
            self.failing.store(other.failing.load_full());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fetched, Kept, Keys};
    use crate::tokens::KeySet;
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use time::OffsetDateTime;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-12-01 00:00 UTC);
    /// RFC 8037, appendix A.2.
    const SET: &[u8] = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    #[test]
    fn a_set_counts_from_when_it_was_fetched_for_as_long_as_it_may() {
        let fetched = Arc::new(Fetched::new("login".into(), Duration::from_secs(60)));
        let keys = Keys::Fetched(fetched.clone());
        let counts = |seconds: i64| keys.now(NOW + time::Duration::seconds(seconds)).is_some();
        assert!(!counts(0), "none was fetched");
        fetched.keep(KeySet::parse(SET).unwrap(), NOW);
        assert_eq!([0, 60, 61].map(counts), [true, true, false]);
        // Whoever looked at the clock before it was fetched, or whose clock was set back.
        assert_eq!([-1, -86_400].map(counts), [true, true]);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_set_younger() {
        let fetched = Fetched::new("login".into(), Duration::from_secs(60));
        let then = Instant::now();
        let last = Kept { keys: Arc::new(KeySet::parse(SET).unwrap()), at: (NOW, then) };
        let counts = |by_the_system: i64, passed: u64| {
            let now = NOW + time::Duration::seconds(by_the_system);
            fetched.counts(&last, (now, then + Duration::from_secs(passed)))
        };
        assert_eq!([(-86_400, 60), (-86_400, 61)].map(|(set, passed)| counts(set, passed)), [true, false]);
        assert_eq!([(60, 0), (61, 0)].map(|(slept, passed)| counts(slept, passed)), [true, false]);
    }
}

//! Who may ask which upstream now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// Associations of this kind at once, to each upstream.
const MOST_AT_ONCE: usize = 32;

/// Those of each upstream, by its name: one that is slow holds up nobody who asks another.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Arc<str>, Arc<Semaphore>>>);

impl Turns {
    /// Waits for a turn; it lasts until what is given is dropped.
    pub(super) async fn take(&self, upstream: &Arc<str>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.of(upstream).acquire_owned().await
    }

    fn of(&self, upstream: &Arc<str>) -> Arc<Semaphore> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = known.get(upstream) {
            return turns.clone();
        }
        // A reload may bring new names. Whoever has a turn or waits for one holds the semaphore too, so that none in use is lost.
        known.retain(|_, turns| Arc::strong_count(turns) > 1);
        let turns = Arc::new(Semaphore::new(MOST_AT_ONCE));
        known.insert(upstream.clone(), turns.clone());
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_whose_turns_are_all_taken_holds_up_no_other() {
        let turns = Turns::default();
        let (slow, quick): (Arc<str>, Arc<str>) = ("slow".into(), "quick".into());
        let take = |upstream| turns.of(upstream).try_acquire_owned().ok();
        let taken: Vec<_> = (0..MOST_AT_ONCE).filter_map(|_| take(&slow)).collect();
        assert_eq!(taken.len(), MOST_AT_ONCE);
        assert!(take(&slow).is_none());
        assert!(take(&quick).is_some());
        assert!(take(&slow).is_none(), "another name made it forget who has a turn");
        drop(taken);
        assert!(take(&slow).is_some());
    }

    #[test]
    fn names_that_nobody_asks_are_not_kept() {
        let turns = Turns::default();
        for name in ["a", "b", "c"] {
            drop(turns.of(&Arc::<str>::from(name)));
        }
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}

//! The finder of the data set before, for the next one of the same patient.

use std::sync::{Arc, Mutex, PoisonError};

use super::collected::Collected;
use super::finder::Finder;

/// Bytes of a finder that an association keeps while nothing is under way. That of a usual header takes some tens of thousands.
const MOST_KEPT: usize = 512 << 10;

/// Identifiers as they were collected, and what finds them.
type Latest = (Box<[u8]>, Arc<Finder>);

/// What the latest data set of an association was looked through with. Most that follow are of the same patient, and making a
/// finder takes longer than looking through a header.
#[derive(Clone, Default)]
pub struct Recalled(Arc<Mutex<Option<Latest>>>);

impl Recalled {
    /// What finds these identifiers in a text: that of the last data set, where it had the same ones.
    pub(in crate::rewrite) fn finder(&self, collected: &Collected) -> Arc<Finder> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, finder)) = latest.as_ref().filter(|(of, _)| **of == *collected.bytes()) {
            return Arc::clone(finder);
        }
        let finder = Arc::new(Finder::of(collected));
        let is_kept = finder.memory() <= MOST_KEPT;
        *latest = is_kept.then(|| (collected.bytes().into(), Arc::clone(&finder)));
        finder
    }
}

/// Never shows whose they are.
impl std::fmt::Debug for Recalled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recalled").finish_non_exhaustive()
    }
}

//! Places for connections, taken before they are accepted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Settings;

/// Connections that may wait for a place beyond those that an association can have: they are answered, not left
/// hanging.
const SPARE: usize = 64;

/// The places of one gate.
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    /// How many there are, taken or not.
    places: AtomicUsize,
}

/// A place, until it is dropped.
pub(crate) type Slot = OwnedSemaphorePermit;

impl Slots {
    pub(super) fn new(settings: &Settings) -> Self {
        let places = places(settings);
        Self { free: Arc::new(Semaphore::new(places)), places: AtomicUsize::new(places) }
    }

    /// As many as these settings have, at least. Fewer need no care: the limiter counts connections too.
    pub(crate) fn follow(&self, settings: &Settings) {
        let wanted = places(settings);
        let before = self.places.fetch_max(wanted, Ordering::Relaxed);
        self.free.add_permits(wanted.saturating_sub(before));
    }

    /// Waits for one.
    pub(super) async fn take(&self) -> std::io::Result<Slot> {
        self.free.clone().acquire_owned().await.map_err(std::io::Error::other)
    }

    /// One that is free now.
    pub(super) fn take_now(&self) -> Option<Slot> {
        self.free.clone().try_acquire_owned().ok()
    }
}

/// Connections that may be served at once.
fn places(settings: &Settings) -> usize {
    let most = usize::try_from(settings.limits.counts.max_associations).unwrap_or(usize::MAX);
    most.saturating_mul(2).saturating_add(SPARE).min(Semaphore::MAX_PERMITS)
}

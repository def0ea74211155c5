//! Slowing down: operations and bytes a second. Never fails, costs nothing without a limit.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::DefaultClock;

use super::Time;
use super::rate::{Rate, per_second};
use crate::policy::Peer;

/// Bytes are counted in units of this many: fine enough for any sensible rate, coarse enough that a nanosecond
/// clock can tell the rates of fast networks apart.
const UNIT: u64 = 1024;

/// The speed of one peer, shared by its associations. What waits for a rate is boxed: those without one hold no room for it.
pub struct Pace<C: Time = DefaultClock> {
    operations: Option<Arc<Rate<C>>>,
    bytes: Option<Arc<ByteRate<C>>>,
}

impl<C: Time> Clone for Pace<C> {
    fn clone(&self) -> Self {
        Self { operations: self.operations.clone(), bytes: self.bytes.clone() }
    }
}

impl<C: Time> Pace<C> {
    /// Waits until one more operation is within `operations-per-second`.
    pub async fn operation(&self) {
        if let Some(rate) = &self.operations {
            Box::pin(rate.wait(1)).await;
        }
    }

    /// Whether the peer has a `bytes-per-second`. Without one [`bytes`](Self::bytes) never waits, and need not be called.
    pub fn limits_bytes(&self) -> bool {
        self.bytes.is_some()
    }

    /// Whether the peer has an `operations-per-second`. Without one [`operation`](Self::operation) never waits, and need
    /// not be called.
    pub fn limits_operations(&self) -> bool {
        self.operations.is_some()
    }

    /// Waits until `count` more bytes are within `bytes-per-second`. Any count, larger than a second's worth too.
    pub async fn bytes(&self, count: usize) {
        if let Some(rate) = &self.bytes {
            Box::pin(rate.wait(count)).await;
        }
    }
}

pub(super) struct ByteRate<C: Time> {
    bytes_per_second: u64,
    rate: Rate<C>,
    /// Bytes that have not yet made up a unit.
    rest: AtomicU64,
}

impl<C: Time> ByteRate<C> {
    fn new(bytes_per_second: u64, clock: &C) -> Self {
        let units = u32::try_from(bytes_per_second / UNIT).unwrap_or(u32::MAX);
        let units = NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN);
        // A tenth of a second at once keeps the flow even; 64 KiB at least keep a slow one from stuttering.
        let burst = NonZeroU32::new((units.get() / 10).max(units.get().min(64))).unwrap_or(units);
        Self { bytes_per_second, rate: Rate::new(per_second(units, burst), clock), rest: AtomicU64::new(0) }
    }

    async fn wait(&self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX - UNIT);
        let mut units = count / UNIT + self.carry(count % UNIT);
        while units > 0 {
            let piece = u32::try_from(units).unwrap_or(u32::MAX);
            self.rate.wait(piece).await;
            units -= u64::from(piece);
        }
    }

    /// The whole units that `extra` bytes complete; what is over waits for the next.
    fn carry(&self, extra: u64) -> u64 {
        let keep = |rest: u64| Some((rest + extra) % UNIT);
        let before = self.rest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, keep);
        (before.unwrap_or_else(|unchanged| unchanged) + extra) / UNIT
    }
}

/// The rates of one peer, kept across its associations and across reloads that leave them alone.
pub(super) struct Speeds<C: Time> {
    state: Mutex<Pace<C>>,
}

impl<C: Time> Default for Speeds<C> {
    fn default() -> Self {
        Self { state: Mutex::new(Pace { operations: None, bytes: None }) }
    }
}

impl<C: Time> Speeds<C> {
    /// The pace for an association that opens now, with the limits as the configuration has them now.
    pub(super) fn pace(&self, peer: &Peer, clock: &C) -> Pace<C> {
        let mut pace = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = peer.operations_per_second.and_then(NonZeroU32::new).map(|rate| per_second(rate, rate));
        if pace.operations.as_ref().map(|rate| rate.quota()) != wanted {
            pace.operations = wanted.map(|quota| Arc::new(Rate::new(quota, clock)));
        }
        if pace.bytes.as_ref().map(|rate| rate.bytes_per_second) != peer.bytes_per_second {
            pace.bytes = peer.bytes_per_second.map(|rate| Arc::new(ByteRate::new(rate, clock)));
        }
        pace.clone()
    }
}

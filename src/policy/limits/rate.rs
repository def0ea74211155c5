//! Rates: so many a minute or a second, for one or for each address.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::Time;
use crate::policy::one_site::of_one_site;

/// Addresses remembered at once. A connection is refused rather than forgotten when there are more.
const MAX_ADDRESSES: usize = 65_536;
/// How many checks pass between two clean-ups.
const CLEAN_UP_EVERY: u32 = 1024;

type One<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as governor::clock::Clock>::Instant>>;
type Each<C> =
    RateLimiter<IpAddr, DashMapStateStore<IpAddr>, C, NoOpMiddleware<<C as governor::clock::Clock>::Instant>>;

/// `count` in each `span`, all at once or spread.
pub(super) struct Rate<C: Time> {
    quota: Quota,
    clock: C,
    limiter: One<C>,
}

impl<C: Time> Rate<C> {
    pub(super) fn new(quota: Quota, clock: &C) -> Self {
        let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
        Self { quota, clock: clock.clone(), limiter }
    }

    pub(super) fn quota(&self) -> Quota {
        self.quota
    }

    /// Whether one more is within the rate, which it then counts against.
    pub(super) fn admits(&self) -> bool {
        self.limiter.check().is_ok()
    }

    /// Waits until `cells` more are within the rate, piece by piece where they exceed one burst.
    pub(super) async fn wait(&self, cells: u32) {
        let burst = self.quota.burst_size().get();
        let mut left = cells;
        while let Some(piece) = NonZeroU32::new(left.min(burst)) {
            match self.limiter.check_n(piece) {
                Ok(Ok(())) => left -= piece.get(),
                Ok(Err(until)) => self.clock.sleep(until.wait_time_from(self.clock.now())).await,
                // Unreachable: no piece is larger than the burst.
                Err(_) => return,
            }
        }
    }
}

/// A rate for each address, in bounded memory.
pub(super) struct RatePerAddress<C: Time> {
    limiter: Each<C>,
    checks: AtomicU32,
}

impl<C: Time> RatePerAddress<C> {
    pub(super) fn new(per_minute: NonZeroU32, clock: &C) -> Self {
        let limiter = RateLimiter::dashmap_with_clock(Quota::per_minute(per_minute), clock.clone());
        Self { limiter, checks: AtomicU32::new(0) }
    }

    /// Whether one more from this address is within its rate, which it then counts against.
    pub(super) fn admits(&self, address: IpAddr) -> bool {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CLEAN_UP_EVERY == CLEAN_UP_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.len() < MAX_ADDRESSES && self.limiter.check_key(&of_one_site(address)).is_ok()
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.limiter.len()
    }
}

/// `rate` a second, at most `burst` at once.
pub(super) fn per_second(rate: NonZeroU32, burst: NonZeroU32) -> Quota {
    let interval = Duration::from_secs(1) / rate.get();
    let quota = Quota::with_period(interval.max(Duration::from_nanos(1)));
    quota.map_or_else(|| Quota::per_second(rate), |quota| quota.allow_burst(burst))
}

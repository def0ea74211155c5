//! Rates and counts behind a clock.
//!
//! [`Limiter`] outlives every configuration: counters and rates belong to an address, to a peer by its name, or to
//! the proxy, and start afresh only where the limit itself changed.

mod count;
mod limiter;
mod over;
mod pace;
mod rate;
mod retrievals;
#[cfg(test)]
mod tests;

pub use super::one_site::of_one_site;
pub use count::Permit;
pub use limiter::{AssociationPermit, ConnectionPermit, Limiter, Limits, REQUEST_PIECE, RequestPermit};
pub use over::{Of, Over};
pub use pace::Pace;

use std::future::Future;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};

/// A clock that can also be waited on, so that tests need not sleep.
pub trait Time: Clock + Clone + Send + Sync + 'static {
    /// Returns when the clock has moved on by `span`.
    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send;
}

impl Time for DefaultClock {
    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

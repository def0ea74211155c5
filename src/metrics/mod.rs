//! What is counted and measured while the proxy runs, for whoever watches it (OpenMetrics 1.0).
//!
//! | file | holds |
//! | --- | --- |
//! | `instruments` | what is counted as it happens, and how all of it is written |
//! | `meter` | the same of one association, found once |
//! | `levels` | what is looked up when somebody asks |
//!
//! # Why
//!
//! - **Why labels come from the configuration and the vocabulary only**: each value is a series for as long as the process
//!   lives. A value from the wire would be a way to fill the memory of whoever watches. Who is no peer is `peer="none"`.
//! - **Why a meter**: a counter is looked up by its labels under a lock. An association does that once for each counter that it
//!   needs, and then only adds to it.
//! - **Why some is looked up when somebody asks**: what is known elsewhere need not be known twice.

mod instruments;
mod levels;
mod meter;

pub use instruments::{Metrics, NONE};
pub use levels::{Association, Destination, Ending, Levels, Limit, Upstream};
pub use meter::{Done, Meter, Outcome};

#[cfg(test)]
mod tests;

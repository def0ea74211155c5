//! Waiting for what another process does: until it is so, under one deadline, never for a guessed time.

use std::time::{Duration, Instant};

/// Generous, because machines are shared; a scenario that passes never waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks `ready` until it answers; panics with `what` when the deadline has passed.
pub fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for {what}");
        // Wakes only for the time: nothing unparks this thread.
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Lets so much time pass: for what must still be so when a limit has passed that does not apply.
pub fn beyond(limit: Duration) {
    let over = Instant::now() + limit;
    while Instant::now() < over {
        std::thread::park_timeout(over.saturating_duration_since(Instant::now()));
    }
}

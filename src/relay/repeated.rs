//! Refusals that are counted against whoever was refused, and who is due to be shut out for them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::policy::{AutomaticBlocks, Blocked, Repeated as Counted};
use crate::vocabulary::Reason;

/// So many wait at most to be shut out; whoever comes beyond that is counted anew.
const WAITING: usize = 1024;

/// Somebody who was refused often enough.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub of: Blocked,
    pub count: u32,
    /// The last of the refusals.
    pub last: Reason,
    /// From where it came, and to which listener.
    pub address: IpAddr,
    pub listener: Arc<str>,
    pub rules: Arc<AutomaticBlocks>,
}

/// Who was refused lately, and who is due.
#[derive(Default)]
pub(crate) struct Repeated {
    state: Mutex<State>,
    due: Notify,
}

#[derive(Default)]
struct State {
    counted: Counted,
    due: Vec<Due>,
}

impl Repeated {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a refusal as so many against `due.of`, whose count is found here.
    pub(super) fn count(&self, due: Due, weight: u32) {
        let mut state = self.state();
        let enough = state.counted.count(&due.of, weight, Instant::now(), &due.rules);
        if let Some(count) = enough
            && state.due.len() < WAITING
        {
            state.due.push(Due { count, ..due });
            self.due.notify_one();
        }
    }

    /// Waits for somebody who is due; all who are.
    pub(crate) async fn due(&self) -> Vec<Due> {
        loop {
            let due = std::mem::take(&mut self.state().due);
            if !due.is_empty() {
                return due;
            }
            self.due.notified().await;
        }
    }
}

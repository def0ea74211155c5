//! The association that was used last on behalf of one association of a peer, until that asks again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::finding::Finding;

/// How long it is kept unused: as long as an archive may take from one answer of a query to the next.
const UNUSED: Duration = Duration::from_secs(1);

/// One at most: who has another one to keep meanwhile closes the one before.
#[derive(Default)]
pub(super) struct Kept(Arc<Slot>);

#[derive(Default)]
struct Slot(Mutex<Option<Idle>>);

struct Idle {
    finding: Finding,
    /// Closes it.
    later: AbortHandle,
}

impl Kept {
    /// What is kept, to be used again.
    pub(super) fn take(&self) -> Option<Finding> {
        self.0.take()
    }

    /// Keeps it for a while. Where others wait for an association with the same upstream, it is closed for them instead.
    pub(super) fn keep(&self, finding: Finding) {
        if finding.is_waited_for() {
            return parted(finding);
        }
        let slot = self.0.clone();
        // Locked until the handle is in it: a task that is early has to find what it closes.
        let mut idle = self.0.idle();
        let later = tokio::spawn(async move {
            sleep(UNUSED).await;
            slot.take().into_iter().for_each(parted);
        });
        let before = idle.replace(Idle { finding, later: later.abort_handle() });
        drop(idle);
        if let Some(before) = before {
            before.later.abort();
            parted(before.finding);
        }
    }

    /// Closes what is kept: the operation is over, or the association.
    pub(super) fn close(&self) {
        self.take().into_iter().for_each(parted);
    }
}

impl Slot {
    fn take(&self) -> Option<Finding> {
        let Idle { finding, later } = self.idle().take()?;
        later.abort();
        Some(finding)
    }

    fn idle(&self) -> MutexGuard<'_, Option<Idle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody waits for how it parts; it keeps its turn until then.
fn parted(finding: Finding) {
    tokio::spawn(finding.close());
}

//! Whom an administrator shuts out: on the disk first, then in force, for those who come and for those who are there. Where the
//! disk takes nothing, they are shut out all the same, and somebody is told.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::audit::{Event, SecurityAlert};
use crate::policy::{Block, Blocked};
use crate::relay::Gate;
use crate::vocabulary::Notice;

mod error;
mod kept;
mod store;

pub use error::BlockError;
pub use kept::blocks_in;
use store::Store;

/// How often it is tried to write what the disk did not take.
const AGAIN: Duration = Duration::from_secs(60);

/// The blocks of this proxy.
pub struct Blocking {
    store: Store,
    gate: Arc<Gate>,
}

impl Blocking {
    /// Puts into force what is kept in a folder, which need not be there yet.
    ///
    /// # Errors
    /// There is something that cannot be understood: whom it shuts out must not come in.
    pub(super) fn open(folder: &Path, gate: Arc<Gate>) -> Result<Self, BlockError> {
        let heeding = gate.clone();
        let heed = move || {
            heeding.judge_all_again();
        };
        Ok(Self { store: Store::open(folder, gate.blocks.clone(), Arc::new(heed))?, gate })
    }

    /// Those that are in force at this moment, the oldest first.
    pub fn list(&self) -> Vec<Block> {
        let now = OffsetDateTime::now_utc();
        self.gate.blocks.load().iter().filter(|block| block.is_in_force(now)).cloned().collect()
    }

    /// Shuts somebody out, for a time or until it is taken back. It is on the disk, and in force for whoever asks from now on,
    /// when this is back; open associations end between two messages. Once it is begun it is done, also where nobody waits for it.
    ///
    /// # Errors
    /// It is neither, unless it is [`BlockError::NotSure`], or [`BlockError::OnlyInMemory`]: then somebody is told.
    pub async fn block(
        &self,
        of: Blocked,
        lasting: Option<Duration>,
        why: &str,
        by: &str,
    ) -> Result<Block, BlockError> {
        let made = self.store.add((of, lasting), (why, by)).await;
        if let Err(error @ BlockError::OnlyInMemory { .. }) = &made {
            self.tell(error);
        }
        made
    }

    /// Not awaited: the records may lie on the same disk.
    fn tell(&self, error: &BlockError) {
        let explanation = error.to_string();
        tracing::error!(reason = Notice::BlockNotKept.label(), "{explanation}");
        let reason = Notice::BlockNotKept.label().into();
        let alert = SecurityAlert { reason, explanation, ..SecurityAlert::default() };
        let audit = self.gate.audit.clone();
        tokio::spawn(async move { audit.record(Event::SecurityAlert(Box::new(alert))).await });
    }

    /// Writes what the disk did not take, as soon as it does.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut due = tokio::time::interval(AGAIN);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            if !self.store.save_again().await {
                tracing::warn!(reason = Notice::BlockNotKept.label(), "blocks are still in memory only");
            }
        }
    }

    /// Takes a block back.
    ///
    /// # Errors
    /// There is none of this number, or the disk did not take it: then it is still in force, unless the disk never had it. After
    /// [`BlockError::NotSure`] it is not.
    pub async fn unblock(&self, id: u64) -> Result<Block, BlockError> {
        self.store.remove(id).await
    }
}

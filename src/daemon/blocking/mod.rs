//! Whom an administrator shuts out: on the disk first, then in force, for those who come and for those who are there. Where the
//! disk takes nothing, they are shut out all the same, and somebody is told.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::audit::{Event, SecurityAlert};
use crate::policy::{Block, Blocked};
use crate::relay::{Due, Gate};
use crate::vocabulary::Notice;

mod error;
mod kept;
mod store;

pub use error::BlockError;
pub use kept::blocks_in;
use store::{Added, Store};

/// How often it is tried to write what the disk did not take.
const AGAIN: Duration = Duration::from_secs(60);
/// Between two changes that nobody decided on: whoever is refused from everywhere keeps no disk busy.
const PAUSE: Duration = Duration::from_secs(1);

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

    /// Shuts out whoever is refused too often, as long as the proxy runs; once a second at the most, all together.
    pub(super) async fn follow(self: Arc<Self>) {
        loop {
            let due = self.gate.repeated.due().await;
            match self.store.add_automatic(due).await {
                Ok(Added { made, not_kept }) => {
                    not_kept.iter().for_each(|error| self.tell(error));
                    made.iter().for_each(|(block, due)| self.tell_of(block, due));
                }
                Err(error) => tracing::error!(%error, "nobody is shut out automatically"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn tell_of(&self, block: &Block, due: &Due) {
        let explanation = format!("{}. To let it in: dimsegate unblock {}", block.told(), block.id);
        let reason = Notice::AutomaticallyBlocked.label();
        tracing::warn!(reason, "{explanation}");
        let (listener, address) = (Some(due.listener.to_string()), Some(due.address));
        let alert = SecurityAlert {
            reason: reason.into(),
            explanation,
            listener,
            address,
            ..SecurityAlert::default()
        };
        self.gate.audit.record_refusal(Event::SecurityAlert(Box::new(alert)));
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

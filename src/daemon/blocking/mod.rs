//! Whom an administrator shuts out: on the disk first, then in force, for those who come and for those who are there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::policy::{Block, Blocked};
use crate::relay::Gate;

mod error;
mod kept;
mod store;

pub use error::BlockError;
pub use kept::blocks_in;
use store::Store;

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
    /// It is neither, unless it is [`BlockError::NotSure`].
    pub async fn block(
        &self,
        of: Blocked,
        lasting: Option<Duration>,
        why: &str,
        by: &str,
    ) -> Result<Block, BlockError> {
        self.store.add((of, lasting), (why, by)).await
    }

    /// Takes a block back.
    ///
    /// # Errors
    /// There is none of this number, or the disk did not take it: then it is still in force. After [`BlockError::NotSure`] it
    /// is not.
    pub async fn unblock(&self, id: u64) -> Result<Block, BlockError> {
        self.store.remove(id).await
    }
}

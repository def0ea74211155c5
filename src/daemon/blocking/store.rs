//! Blocks on the disk, and in force only behind that.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use time::OffsetDateTime;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::error::{BlockError, LONGEST, LONGEST_REASON, MOST};
use super::kept::{Kept, NAME, Row, read};
use crate::files;
use crate::policy::{Block, Blocked, Blocks};

/// Bytes of who blocked. A certificate can have a longer subject; records say all of it.
const LONGEST_BY: usize = 500;

/// The blocks on the disk, and in force.
pub(super) struct Store {
    file: PathBuf,
    in_force: Arc<ArcSwap<Blocks>>,
    /// One change after the other.
    kept: Arc<Mutex<Kept>>,
    /// What follows from each change.
    then: Arc<dyn Fn() + Send + Sync>,
    write: Write,
}

/// With an error inside, the file is the new one, and not sure to last.
type Write = fn(&Path, &[u8]) -> io::Result<Option<io::Error>>;

impl Store {
    /// Puts into force what is kept in a folder, which need not be there yet. `then` is done behind each change.
    ///
    /// # Errors
    /// There is something that cannot be understood: whom it shuts out must not come in.
    pub(super) fn open(
        folder: &Path,
        in_force: Arc<ArcSwap<Blocks>>,
        then: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self, BlockError> {
        let file = folder.join(NAME);
        let (kept, blocks) = read(&file)?;
        in_force.store(Arc::new(blocks));
        Ok(Self { file, in_force, kept: Arc::new(Mutex::new(kept)), then, write: store })
    }

    /// Adds one. It is on the disk, and in force, when this is back.
    ///
    /// # Errors
    /// It is neither, unless it is [`BlockError::NotSure`].
    pub(super) async fn add(
        &self,
        (of, lasting): (Blocked, Option<Duration>),
        (why, by): (&str, &str),
    ) -> Result<Block, BlockError> {
        if why.is_empty() || why.len() > LONGEST_REASON || why.chars().any(char::is_control) {
            return Err(BlockError::Reason);
        }
        let now = OffsetDateTime::now_utc();
        let until = lasting.map(|lasting| end(now, lasting).ok_or(BlockError::Lasting)).transpose()?;
        let kept = self.kept.clone().lock_owned().await;
        let mut changed = kept.in_force(now);
        if changed.blocks.len() >= MOST {
            return Err(BlockError::TooMany);
        }
        changed.next = kept.next.max(1).saturating_add(1);
        let (why, by) = (why.to_owned(), signed(by));
        let block = Block { id: changed.next - 1, of, until, why, by, since: now };
        changed.blocks.push(Row::of(&block));
        self.put(kept, changed, block.id).await?;
        Ok(block)
    }

    /// Takes one back.
    ///
    /// # Errors
    /// There is none of this number, or the disk did not take it: then it is still in force. After [`BlockError::NotSure`] it
    /// is not.
    pub(super) async fn remove(&self, id: u64) -> Result<Block, BlockError> {
        let kept = self.kept.clone().lock_owned().await;
        let mut changed = kept.in_force(OffsetDateTime::now_utc());
        let at = changed.blocks.iter().position(|row| row.id == id).ok_or(BlockError::Unknown(id))?;
        let removed = changed.blocks.remove(at);
        self.put(kept, changed, id).await?;
        removed.compiled().map_err(|problem| BlockError::Unreadable { file: self.file.clone(), problem })
    }

    /// On the disk, then in force: on a thread that goes on to the end, also where nobody waits for it any more.
    async fn put(&self, mut kept: OwnedMutexGuard<Kept>, changed: Kept, id: u64) -> Result<(), BlockError> {
        let unreadable = |problem| BlockError::Unreadable { file: self.file.clone(), problem };
        let blocks = changed.compiled().map_err(unreadable)?;
        let bytes = serde_json::to_vec_pretty(&changed).map_err(|error| unreadable(error.to_string()))?;
        if bytes.len() as u64 > LONGEST {
            return Err(BlockError::Full);
        }
        let (file, in_force, then, write) =
            (self.file.clone(), self.in_force.clone(), self.then.clone(), self.write);
        let change = move || {
            let unsure = write(&file, &bytes)?;
            *kept = changed;
            in_force.store(Arc::new(blocks));
            then();
            Ok(unsure)
        };
        let changed = tokio::task::spawn_blocking(change).await;
        let file = self.file.clone();
        match changed.unwrap_or_else(|defect| Err(io::Error::other(defect))) {
            Ok(None) => Ok(()),
            Ok(Some(error)) => Err(BlockError::NotSure { id, file, error }),
            Err(error) => Err(BlockError::NotKept { file, error }),
        }
    }
}

/// When a time is over that begins now.
fn end(now: OffsetDateTime, lasting: Duration) -> Option<OffsetDateTime> {
    now.checked_add(lasting.try_into().ok()?).filter(|end| *end > now)
}

/// Who blocked, without what could move a cursor, and no longer than is kept.
fn signed(by: &str) -> String {
    let mut signed: String =
        by.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    while signed.len() > LONGEST_BY {
        signed.pop();
    }
    signed
}

fn store(file: &Path, bytes: &[u8]) -> io::Result<Option<io::Error>> {
    files::make_folder_of(file)?;
    files::put_named(file, 0o600, bytes)
}

#[cfg(test)]
mod tests;

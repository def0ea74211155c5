//! Blocks on the disk, and in force behind that; where the disk does not take them, in force all the same.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use time::OffsetDateTime;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::error::{BlockError, LONGEST, LONGEST_REASON, MOST, MOST_AUTOMATIC};
use super::kept::{Kept, NAME, read};
use crate::files;
use crate::policy::{Block, Blocked, Blocks};
use crate::relay::Due;

/// Bytes of who blocked. A certificate can have a longer subject; records say all of it.
const LONGEST_BY: usize = 500;

/// The blocks on the disk, and in force.
pub(super) struct Store {
    file: PathBuf,
    in_force: Arc<ArcSwap<Blocks>>,
    /// One change after the other.
    held: Arc<Mutex<Held>>,
    /// What follows from each change.
    then: Arc<dyn Fn() + Send + Sync>,
    write: Write,
}

/// With an error inside, the file is the new one, and not sure to last.
type Write = fn(&Path, &[u8]) -> io::Result<Option<io::Error>>;

/// The blocks as they are held between two changes.
#[derive(Clone)]
struct Held {
    /// The number of the next one.
    next: u64,
    blocks: Vec<Block>,
    /// Those of which the disk knows nothing.
    unsaved: BTreeSet<u64>,
}

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
        let (next, blocks) = read(&file)?;
        in_force.store(Arc::new(Blocks::new(blocks.clone())));
        let held = Arc::new(Mutex::new(Held { next, blocks, unsaved: BTreeSet::new() }));
        Ok(Self { file, in_force, held, then, write: store })
    }

    /// Adds one. It is on the disk, and in force, when this is back.
    ///
    /// # Errors
    /// It is neither, unless it is [`BlockError::NotSure`] or [`BlockError::OnlyInMemory`].
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
        let (why, by) = (why.to_owned(), signed(by));
        self.change(move |mut turn| {
            let mut changed = turn.held.in_force(now);
            if changed.blocks.iter().filter(|block| !block.automatic).count() >= MOST {
                return Err(BlockError::TooMany);
            }
            let block = changed.add(Block { id: 0, of, until, why, by, since: now, automatic: false });
            let id = block.id;
            match turn.put(changed, true)? {
                Put::Kept => Ok(block),
                Put::NotSure(error) => Err(BlockError::NotSure { id, file: turn.file, error }),
                Put::OnlyInMemory(error) => Err(BlockError::OnlyInMemory { id, file: turn.file, error }),
            }
        })
        .await
    }

    /// Adds those that nobody decided on, in one change, but for who is shut out already. Where there are as many as are kept,
    /// those give way that end first.
    ///
    /// # Errors
    /// Nothing is changed. Beside those that are in force: that the disk did not take them.
    pub(super) async fn add_automatic(&self, repeated: Vec<Due>) -> Result<Added, BlockError> {
        self.change(move |mut turn| {
            let now = OffsetDateTime::now_utc();
            let mut changed = turn.held.in_force(now);
            let mut there: HashSet<Blocked> = changed.blocks.iter().map(|block| block.of.clone()).collect();
            let mut made = Vec::new();
            for due in repeated {
                if there.insert(due.of.clone()) {
                    made.push((changed.add(automatic(&due, now)), due));
                }
            }
            changed.give_way();
            if made.is_empty() {
                return Ok(Added { made, not_kept: None });
            }
            let id = made.first().map_or(0, |(block, _)| block.id);
            let not_kept = match turn.put(changed, true)? {
                Put::Kept => None,
                Put::NotSure(error) => Some(BlockError::NotSure { id, file: turn.file, error }),
                Put::OnlyInMemory(error) => Some(BlockError::OnlyInMemory { id, file: turn.file, error }),
            };
            Ok(Added { made, not_kept })
        })
        .await
    }

    /// Takes one back.
    ///
    /// # Errors
    /// There is none of this number, or the disk did not take it: then it is still in force, unless the disk never had it. After
    /// [`BlockError::NotSure`] it is not.
    pub(super) async fn remove(&self, id: u64) -> Result<Block, BlockError> {
        self.change(move |mut turn| {
            let mut changed = turn.held.in_force(OffsetDateTime::now_utc());
            let at = changed.blocks.iter().position(|block| block.id == id);
            let removed = changed.blocks.remove(at.ok_or(BlockError::Unknown(id))?);
            let is_only_here = changed.unsaved.remove(&id);
            match turn.put(changed, is_only_here)? {
                Put::Kept | Put::OnlyInMemory(_) => Ok(removed),
                Put::NotSure(error) => Err(BlockError::NotSure { id, file: turn.file, error }),
            }
        })
        .await
    }

    /// Writes what the disk did not take before; whether all is there now.
    pub(super) async fn save_again(&self) -> bool {
        let saved = self.change(|mut turn| {
            let held = turn.held.in_force(OffsetDateTime::now_utc());
            if held.unsaved.is_empty() {
                return Ok(true);
            }
            let is_written = turn.written(&held)?.is_ok();
            if is_written {
                turn.held.unsaved.clear();
            }
            Ok(is_written)
        });
        saved.await.unwrap_or(false)
    }

    /// On a thread for work that blocks, and on to the end, also where nobody waits for it any more.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(Turn) -> Result<T, BlockError> + Send + 'static,
    ) -> Result<T, BlockError> {
        let held = self.held.clone().lock_owned().await;
        let (file, in_force, then, write) =
            (self.file.clone(), self.in_force.clone(), self.then.clone(), self.write);
        let turn = Turn { file, in_force, held, then, write };
        let changed = tokio::task::spawn_blocking(move || change(turn)).await;
        let file = self.file.clone();
        changed.unwrap_or_else(|defect| Err(BlockError::NotKept { file, error: io::Error::other(defect) }))
    }
}

/// The right to make one change.
struct Turn {
    file: PathBuf,
    in_force: Arc<ArcSwap<Blocks>>,
    held: OwnedMutexGuard<Held>,
    then: Arc<dyn Fn() + Send + Sync>,
    write: Write,
}

/// Where a change is, beside being in force.
enum Put {
    Kept,
    /// On the disk, as long as the machine does not crash.
    NotSure(io::Error),
    /// The disk did not take it.
    OnlyInMemory(io::Error),
}

impl Turn {
    /// On the disk, then in force; where the disk does not take it, only if it `holds` without.
    fn put(&mut self, mut changed: Held, holds: bool) -> Result<Put, BlockError> {
        let put = match self.written(&changed)? {
            Ok(unsure) => {
                changed.unsaved.clear();
                unsure.map_or(Put::Kept, Put::NotSure)
            }
            Err(error) if holds => Put::OnlyInMemory(error),
            Err(error) => return Err(BlockError::NotKept { file: self.file.clone(), error }),
        };
        self.in_force.store(Arc::new(Blocks::new(changed.blocks.clone())));
        *self.held = changed;
        (self.then)();
        Ok(put)
    }

    /// What the disk says.
    ///
    /// # Errors
    /// It was not asked.
    fn written(&self, held: &Held) -> Result<io::Result<Option<io::Error>>, BlockError> {
        let unreadable = |problem| BlockError::Unreadable { file: self.file.clone(), problem };
        let kept = Kept::of(held.next, &held.blocks);
        let bytes = serde_json::to_vec_pretty(&kept).map_err(|error| unreadable(error.to_string()))?;
        if bytes.len() as u64 > LONGEST {
            return Err(BlockError::Full);
        }
        Ok((self.write)(&self.file, &bytes))
    }
}

impl Held {
    /// One more, with its number.
    fn add(&mut self, block: Block) -> Block {
        let id = self.next.max(1);
        self.next = id.saturating_add(1);
        let block = Block { id, ..block };
        self.blocks.push(block.clone());
        self.unsaved.insert(id);
        block
    }

    fn give_way(&mut self) {
        let automatic = self.blocks.iter().filter(|block| block.automatic);
        let mut ends: Vec<_> = automatic.map(|block| (block.until, block.id)).collect();
        let over = ends.len().saturating_sub(MOST_AUTOMATIC);
        ends.sort_unstable();
        let gone: HashSet<u64> = ends.into_iter().take(over).map(|(_, id)| id).collect();
        self.blocks.retain(|block| !gone.contains(&block.id));
        self.unsaved.retain(|id| !gone.contains(id));
    }

    /// Without those whose time is over.
    fn in_force(&self, now: OffsetDateTime) -> Self {
        let mut changed = self.clone();
        changed.blocks.retain(|block| block.is_in_force(now));
        let there: BTreeSet<u64> = changed.blocks.iter().map(|block| block.id).collect();
        changed.unsaved.retain(|id| there.contains(id));
        changed
    }
}

/// What became of those that nobody decided on.
pub(super) struct Added {
    /// In force, each with what it is for.
    pub made: Vec<(Block, Due)>,
    /// Why they may not outlive a restart.
    pub not_kept: Option<BlockError>,
}

fn automatic(due: &Due, now: OffsetDateTime) -> Block {
    let Due { of, count, rules, last, .. } = due;
    let why = format!("{count} refusals within {} s, the last: {}", rules.within.as_secs_f64(), last.label());
    let until = end(now, rules.lasting);
    let by = "automatic-blocks".to_owned();
    Block { id: 0, of: of.clone(), until, why, by, since: now, automatic: true }
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

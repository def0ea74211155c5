//! Blocks on the disk, and in force only behind that.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::files;
use crate::policy::{Block, Blocked, Blocks};

/// As many as are kept. Whoever needs more has a network to name, or a peer to take out of the configuration.
const MOST: usize = 1000;
/// Bytes of a reason.
const LONGEST_REASON: usize = 500;
/// Bytes of who blocked. A certificate can have a longer subject; records say all of it.
const LONGEST_BY: usize = 500;
/// Bytes of the file: more than it has with all that is allowed.
const LONGEST: u64 = 4 << 20;
const NAME: &str = "blocks.json";

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

/// What the file holds.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The number of the next one.
    next: u64,
    blocks: Vec<Row>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: u64,
    of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    why: String,
    by: String,
    since: String,
}

/// Why somebody is not blocked, or not let in again.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The file of blocks cannot be read, or is not one.
    #[error("the blocks in {}: {problem}; until it is repaired or removed, nobody knows whom they shut out", file.display())]
    Unreadable {
        /// Where they are kept.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// What was asked for is not on the disk, so it is not in force.
    #[error("{}: {error}; nothing is changed", file.display())]
    NotKept {
        /// Where they are kept.
        file: PathBuf,
        /// What the disk said.
        error: io::Error,
    },
    /// It is done, as far as anybody sees.
    #[error("the change of block {id} is in force, but a crash of the machine may undo it: {}: {error}", file.display())]
    NotSure {
        /// Which block.
        id: u64,
        /// Where they are kept.
        file: PathBuf,
        /// What the disk said.
        error: io::Error,
    },
    /// There are as many as are kept.
    #[error("{MOST} blocks are in force, and no more are kept: name a network, or take some back")]
    TooMany,
    /// The file would be longer than is read at the next start.
    #[error(
        "with one more the blocks would fill more than the {LONGEST} bytes that are kept; take some back"
    )]
    Full,
    /// No block has this number.
    #[error("no block has the number {0}")]
    Unknown(u64),
    /// A reason has to be given, and in short.
    #[error("a block has a reason of 1 to {LONGEST_REASON} bytes without control characters")]
    Reason,
    /// It would be over at once, or never.
    #[error(
        "a block is for a time of more than 0 that ends before the year 10000, or until it is taken back"
    )]
    Lasting,
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

/// The blocks that are kept in a folder, which need not be there, for whoever only looks.
///
/// # Errors
/// There is something that cannot be read or understood.
pub fn blocks_in(folder: &Path) -> Result<Blocks, BlockError> {
    read(&folder.join(NAME)).map(|(_, blocks)| blocks)
}

fn read(file: &Path) -> Result<(Kept, Blocks), BlockError> {
    let unreadable = |problem: String| BlockError::Unreadable { file: file.to_owned(), problem };
    let kept: Kept = match files::read(file, LONGEST + 1) {
        Ok(bytes) if bytes.len() as u64 > LONGEST => {
            return Err(unreadable(format!("longer than {LONGEST} bytes, which no file of blocks is")));
        }
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let blocks = kept.compiled().map_err(unreadable)?;
    Ok((kept, blocks))
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

impl Kept {
    /// Without those whose time is over.
    fn in_force(&self, now: OffsetDateTime) -> Self {
        let mut changed = self.clone();
        changed.blocks.retain(|row| row.compiled().is_ok_and(|block| block.is_in_force(now)));
        changed
    }

    fn compiled(&self) -> Result<Blocks, String> {
        self.blocks.iter().map(Row::compiled).collect::<Result<_, _>>().map(Blocks::new)
    }
}

impl Row {
    fn of(block: &Block) -> Self {
        let text = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
        Self {
            id: block.id,
            of: block.of.to_string(),
            until: block.until.map(text),
            why: block.why.clone(),
            by: block.by.clone(),
            since: text(block.since),
        }
    }

    fn compiled(&self) -> Result<Block, String> {
        let time = |text: &str| {
            OffsetDateTime::parse(text, &Rfc3339)
                .map_err(|error| format!("block {}: \"{text}\": {error}", self.id))
        };
        Ok(Block {
            id: self.id,
            of: self.of.parse().map_err(|error| format!("block {}: {error}", self.id))?,
            until: self.until.as_deref().map(time).transpose()?,
            why: self.why.clone(),
            by: self.by.clone(),
            since: time(&self.since)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{BlockError, Kept, LONGEST, MOST, NAME, Row, Store};
    use crate::policy::Blocks;
    use crate::scratch::Scratch;
    use arc_swap::ArcSwap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    fn open(folder: &Path) -> (Store, Arc<ArcSwap<Blocks>>) {
        let in_force = Arc::new(ArcSwap::default());
        (Store::open(folder, in_force.clone(), Arc::new(|| {})).unwrap(), in_force)
    }

    #[tokio::test]
    async fn a_block_is_on_the_disk_and_in_force_when_it_is_answered_and_no_number_comes_again() {
        let home = Scratch::new();
        let folder = home.path().join("state");
        let (store, in_force) = open(&folder);
        let of = |text: &str| (text.parse().unwrap(), None);
        let first = store.add(of("ae-title:OLD"), ("stolen", "anna")).await.unwrap();
        let second = (of("peer:lyon").0, Some(Duration::from_secs(3600)));
        let second = store.add(second, ("under repair", "anna")).await.unwrap();
        assert_eq!((first.id, second.id), (1, 2));
        assert_eq!(second.until.unwrap() - second.since, Duration::from_secs(3600));
        store.remove(2).await.unwrap();
        assert!(matches!(store.remove(2).await, Err(BlockError::Unknown(2))));
        let (again, kept) = open(&folder);
        let kept = kept.load_full();
        assert_eq!(kept.iter().collect::<Vec<_>>(), [&first]);
        assert_eq!(in_force.load_full(), kept);
        assert_eq!(again.add(of("peer:oslo"), ("x", "y")).await.unwrap().id, 3);
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(NAME))), (0o700, 0o600));
    }

    #[tokio::test]
    async fn what_the_disk_did_not_take_is_not_in_force() {
        let home = Scratch::new();
        let (store, in_force) = open(home.path());
        // A folder in the place of the file that is written beside.
        fs::create_dir_all(home.path().join(format!("{NAME}-new/x"))).unwrap();
        let refused = store.add(("peer:lyon".parse().unwrap(), None), ("x", "y")).await;
        assert!(matches!(refused, Err(BlockError::NotKept { .. })), "{refused:?}");
        assert_eq!(**in_force.load(), Blocks::default());
    }

    #[tokio::test]
    async fn what_is_begun_is_on_the_disk_in_force_and_followed_also_where_nobody_waits_for_it() {
        let home = Scratch::new();
        let in_force = Arc::new(ArcSwap::<Blocks>::default());
        let (tell, mut told) = tokio::sync::mpsc::channel(1);
        let (seen, file) = (in_force.clone(), home.path().join(NAME));
        let then = move || tell.try_send((seen.load().iter().count(), file.exists())).unwrap();
        let store = Store::open(home.path(), in_force, Arc::new(then)).unwrap();
        let mut adding = Box::pin(store.add(("peer:lyon".parse().unwrap(), None), ("x", "y")));
        let begun = std::future::poll_fn(|cx| std::task::Poll::Ready(adding.as_mut().poll(cx))).await;
        drop((begun, adding));
        assert_eq!(told.recv().await, Some((1, true)));
        assert_eq!(open(home.path()).1.load().iter().count(), 1);
    }

    #[tokio::test]
    async fn what_may_not_last_is_in_force_and_its_answer_says_both() {
        let home = Scratch::new();
        let (mut store, in_force) = open(home.path());
        store.write = |_, _| Ok(Some(std::io::Error::other("the folder")));
        let error = store.add(("peer:lyon".parse().unwrap(), None), ("x", "y")).await.unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("the change of block 1 is in force, but a crash"), "{said}");
        assert!(said.ends_with("blocks.json: the folder"), "{said}");
        assert_eq!(in_force.load().iter().count(), 1);
        assert!(matches!(store.remove(1).await, Err(BlockError::NotSure { id: 1, .. })));
        assert_eq!(**in_force.load(), Blocks::default());
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_understood_lets_nobody_start() {
        let home = Scratch::new();
        for (text, told) in [
            ("{", "EOF"),
            (
                r#"{"next":2,"blocks":[{"id":1,"of":"host:a","why":"x","by":"y","since":"2026-11-30T00:00:00Z"}]}"#,
                "is not what a block names",
            ),
            (
                r#"{"next":2,"blocks":[{"id":1,"of":"peer:a","why":"x","by":"y","since":"today"}]}"#,
                "\"today\"",
            ),
            (r#"{"next":2,"blocks":[],"more":1}"#, "unknown field"),
        ] {
            fs::write(home.path().join(NAME), text).unwrap();
            let error = Store::open(home.path(), Arc::default(), Arc::new(|| {})).err().unwrap().to_string();
            assert!(error.contains(told) && error.contains(NAME), "{error}");
        }
    }

    #[tokio::test]
    async fn as_many_blocks_as_are_accepted_are_read_at_the_next_start() {
        let home = Scratch::new();
        let (store, _) = open(home.path());
        // The longest of everything, and what takes two bytes in JSON.
        let (of, why) = (format!("certificate:spki-sha256:{}", "ab".repeat(32)), "\\".repeat(500));
        let until = Some(Duration::from_secs(3600));
        let first = store.add((of.parse().unwrap(), until), (&why, &"\"".repeat(9000))).await.unwrap();
        assert_eq!(first.by, "\"".repeat(500));
        let row = Row::of(&first);
        let kept = Kept { next: u64::MAX, blocks: vec![Row { id: u64::MAX - 1, ..row }; MOST] };
        assert!((serde_json::to_vec_pretty(&kept).unwrap().len() as u64) < LONGEST);
        let second = store.add((of.parse().unwrap(), None), ("x", "a\u{1b}[2J")).await.unwrap();
        assert_eq!(second.by, "a\u{fffd}[2J");
        assert_eq!(open(home.path()).1.load().iter().collect::<Vec<_>>(), [&first, &second]);
    }

    #[tokio::test]
    async fn what_would_be_too_long_to_be_read_again_is_refused_and_said_where_it_is_there() {
        let home = Scratch::new();
        let file = home.path().join(NAME);
        let of_length = |why: usize| {
            let since = "2026-11-30T00:00:00Z";
            let why = "x".repeat(why);
            format!(
                r#"{{"next":2,"blocks":[{{"id":1,"of":"peer:a","why":"{why}","by":"y","since":"{since}"}}]}}"#
            )
        };
        let longest = usize::try_from(LONGEST).unwrap();
        let text = of_length(longest - of_length(0).len());
        fs::write(&file, &text).unwrap();
        let (store, in_force) = open(home.path());
        let before = in_force.load_full();
        let refused = store.add(("peer:b".parse().unwrap(), None), ("x", "y")).await;
        assert!(matches!(refused, Err(BlockError::Full)), "{refused:?}");
        assert_eq!((in_force.load_full(), fs::read_to_string(&file).unwrap()), (before, text.clone()));
        fs::write(&file, text + " ").unwrap();
        let error = Store::open(home.path(), Arc::default(), Arc::new(|| {})).err().unwrap().to_string();
        assert!(error.contains("longer than 4194304 bytes"), "{error}");
    }

    #[tokio::test]
    async fn a_block_that_would_be_over_at_once_or_never_is_refused() {
        let home = Scratch::new();
        let (store, in_force) = open(home.path());
        for lasting in [Duration::ZERO, Duration::from_secs(8000 * 366 * 24 * 3600), Duration::MAX] {
            let refused = store.add(("peer:a".parse().unwrap(), Some(lasting)), ("x", "y")).await;
            assert!(matches!(refused, Err(BlockError::Lasting)), "{refused:?}");
        }
        assert_eq!(**in_force.load(), Blocks::default());
    }

    #[tokio::test]
    async fn a_reason_is_given_in_short_and_without_what_could_move_a_cursor() {
        let home = Scratch::new();
        let (store, _) = open(home.path());
        for why in ["", "a\nb", "\u{1b}[2J", &"x".repeat(501)] {
            let refused = store.add(("peer:a".parse().unwrap(), None), (why, "y")).await;
            assert!(matches!(refused, Err(BlockError::Reason)), "{refused:?}");
        }
    }
}

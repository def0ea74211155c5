//! Why somebody is not blocked, and what there may be of blocks at most.

use std::io;
use std::path::PathBuf;

/// As many as are kept. Whoever needs more has a network to name, or a peer to take out of the configuration.
pub(super) const MOST: usize = 10_000;
/// As many that nobody decided on: they leave those be that somebody does.
pub(super) const MOST_AUTOMATIC: usize = 5_000;
/// Bytes of a reason.
pub(super) const LONGEST_REASON: usize = 500;
/// Bytes of the file: more than it has with all that is allowed.
pub(super) const LONGEST: u64 = 32 << 20;

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
    /// What was asked for is not on the disk, so it is not done.
    #[error("{}: {error}; nothing is changed", file.display())]
    NotKept {
        /// Where they are kept.
        file: PathBuf,
        /// What the disk said.
        error: io::Error,
    },
    /// Whoever has to be shut out is, though the disk does not take it.
    #[error(
        "block {id} is in force, but only in memory: {}: {error}; a restart forgets it. It is written once the disk takes it, \
         which is tried each minute: free room there",
        file.display()
    )]
    OnlyInMemory {
        /// Which block.
        id: u64,
        /// Where it should be kept.
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

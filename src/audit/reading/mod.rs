//! Reading the records back: which files, and which lines.
//!
//! [`files()`] lists a folder, oldest day first, plain and zstd files alike; [`scan()`] hands every line of them to two or
//! more threads and gives back what was kept, in order; [`Filter`] says what to keep, and dismisses most lines by a
//! search for bytes before any JSON is parsed; [`figures`] adds up what a period held, [`access`] who did what in it. What a record says, the
//! [`record`](super::record) knows that was written. Nothing here writes.

pub mod access;
pub mod figures;
mod files;
mod filter;
mod lines;
mod pattern;
mod scan;
mod search;
mod when;

pub use files::{Form, Identities, RecordFile, files, files_for, of_days};
pub use filter::{Filter, Hours, HoursError, Wanted, WantedError};
pub use pattern::Pattern;
pub use scan::{Damage, Kept, Place, Verdict, scan, scan_while};
pub use search::{Look, associations_of, records, records_for, search};
pub use when::{Edge, WhenError, parse as parse_when, stamp};

/// Why a trail cannot be read. What is merely wrong in a line does not end the reading.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The folder, or an entry of it, cannot be read.
    #[error("{path}: cannot be listed: {error}")]
    Folder {
        /// The folder.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// There is no file of records in it.
    #[error("{path}: holds no audit-YYYY-MM-DD.jsonl; is it the directory of [audit]?")]
    Empty {
        /// The folder.
        path: String,
    },
}

#[cfg(test)]
mod tests;

//! What a destination has not had yet, as far as anybody can tell.

use super::position::Position;
use crate::audit::messages::Record;
use std::io;
use std::path::Path;
use time::OffsetDateTime;

/// The records after a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backlog {
    pub records: u64,
    pub bytes: u64,
    /// When the oldest of them was made.
    pub oldest: Option<OffsetDateTime>,
}

impl Backlog {
    /// Everything in the trail after what was delivered. Reads the first of the records and the last.
    pub(super) fn after(delivered: &Position, directory: &Path) -> io::Result<Self> {
        let bytes = delivered.behind(directory)?;
        if bytes == 0 {
            return Ok(Self::default());
        }
        let oldest = delivered.read(directory)?.lines.split(|&byte| byte == b'\n').find_map(read);
        let newest = Position::last_lines(directory)?.rsplit(|&byte| byte == b'\n').find_map(read);
        let (first, last) = (oldest.as_ref(), newest.as_ref());
        let records = first
            .zip(last)
            .map_or(0, |(first, last)| last.sequence.saturating_sub(first.sequence).saturating_add(1));
        Ok(Self { records, bytes, oldest: first.map(Record::time) })
    }
}

fn read(line: &[u8]) -> Option<Record> {
    Record::read(line).ok()
}

//! The basic offset table (PS3.5 A.4): an entry of four bytes for each frame, and nothing else.

use super::Stretch;

/// Bytes of an entry.
const ENTRY: u64 = 4;

#[derive(Debug)]
pub(super) struct Table {
    /// Bytes of entries that are still to come; what follows is padding.
    entries: u64,
}

impl Table {
    /// Of so many bytes, for so many frames, where that is known.
    pub(super) fn new(length: u32, frames: Option<u64>) -> Self {
        let whole = u64::from(length) / ENTRY * ENTRY;
        Self { entries: frames.map_or(whole, |frames| whole.min(frames.saturating_mul(ENTRY))) }
    }

    pub(super) fn stretch(&mut self, bytes: &[u8]) -> Stretch {
        if self.entries == 0 {
            return Stretch::fill(bytes.len(), 0);
        }
        let length = usize::try_from(self.entries).unwrap_or(usize::MAX).min(bytes.len());
        self.entries -= length as u64;
        Stretch::keep(length)
    }
}

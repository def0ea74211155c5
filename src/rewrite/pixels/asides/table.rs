//! Offset tables: the basic one, an entry of four bytes for each frame (PS3.5 A.4), and the extended one with the lengths of
//! frames, entries of eight bytes (PS3.3 C.7.6.3.1.8); and nothing else.
//!
//! Where frames begin is known behind the table only. But the first begins at 0, each other one at an even number behind the one
//! before, and not farther from it than a frame is long. What is no such number becomes 0: decoders look for frames
//! themselves where the table says nothing that could be.

use super::super::memory::compressed;

/// What the entries of a table say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Basic Offset Table.
    Begin,
    /// (7FE0,0001) Extended Offset Table.
    BeginExtended,
    /// (7FE0,0002) Extended Offset Table Lengths.
    Length,
}

impl Says {
    /// Bytes of an entry.
    fn size(self) -> usize {
        if self == Self::Begin { 4 } else { 8 }
    }
}

#[derive(Debug)]
pub(super) struct Table {
    says: Says,
    /// Bytes of entries that are still to come; what follows is padding.
    entries: u64,
    /// The entry under way, little endian, as all encapsulated data are.
    entry: [u8; 8],
    /// Bytes of it that have come.
    come: usize,
    /// What the entry before said; `None` before the first.
    before: Option<u64>,
    /// How long frames may be.
    longest: u64,
}

impl Table {
    /// Of so many bytes, for so many frames of so many bytes of pixels, where that is known.
    pub(super) fn new(says: Says, length: u32, frames: Option<u64>, frame: Option<u64>) -> Self {
        let size = says.size() as u64;
        let whole = u64::from(length) / size * size;
        Self {
            says,
            entries: frames.map_or(whole, |frames| whole.min(frames.saturating_mul(size))),
            entry: [0; 8],
            come: 0,
            before: None,
            // A frame may be of several fragments, each with a header.
            longest: frame.map_or(u64::MAX, |frame| compressed(frame).saturating_mul(2)),
        }
    }

    /// What goes out for bytes that come: whole entries, and zeros for the padding.
    pub(super) fn put(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let size = self.says.size();
        for &byte in bytes {
            if self.entries == 0 {
                out.push(0);
                continue;
            }
            self.entries -= 1;
            if let Some(place) = self.entry.get_mut(self.come) {
                *place = byte;
            }
            self.come += 1;
            if self.come == size {
                self.come = 0;
                let entry = self.judged(u64::from_le_bytes(self.entry)).to_le_bytes();
                out.extend(entry.iter().take(size));
            }
        }
    }

    /// The entry, or 0 where it cannot be what the table says.
    fn judged(&mut self, entry: u64) -> u64 {
        let may_be = match (self.says, self.before) {
            // Of a frame of which nobody knows how large it is, any eight letters could be the length.
            (Says::Length, _) => entry <= self.longest && self.longest != u64::MAX,
            (_, None) => entry == 0,
            (_, Some(before)) => entry > before && entry.is_multiple_of(2) && entry - before <= self.longest,
        };
        self.before = Some(if may_be { entry } else { self.before.unwrap_or(0) });
        if may_be { entry } else { 0 }
    }
}

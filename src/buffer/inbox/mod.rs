//! What came from one peer and is not used up yet, in one buffer.
//!
//! Data lies in pieces: that of a TLS record stays where it was decrypted, between its header and its tag. Behind the pieces
//! lies what is still sealed: records that are not whole yet. What its reader leaves over of a piece moves in front of the
//! next one, so that a PDU header is in one stretch wherever records end, and hardly a byte is copied.
//!
//! Four TLS records have come, the last not whole; two were decrypted, and of the first all but a few bytes are used up:
//!
//! ```text
//!   all()  |hdr|xxxxx used up xxxxx|left|tag|hdr|........ data ........|tag|hdr|~~~~~~~~~~~~|tag|hdr|~~~~~   room for more   |
//!                                  |<-->|       |<---- pieces[1] ----->|   |<-------- sealed ----------->|
//!                                  pieces[0], which begins at position() and is what unread() gives
//!
//!   next_piece(): `left` holds the beginning of a header, and moves over tag and header of a record, which nobody needs
//!
//!          |hdr|xxxxx used up xxxxxxxxxxx|.|left|........ data ........|tag|hdr|~~~~~~~~~~~~|tag|hdr|~~~~~   room for more   |
//!                                          |<------- unread() -------->|   |<-------- sealed ----------->|
//! ```
//!
//! Spans of a plan count in `all()`, so nothing else moves before they are written: [`Inbox::receive`] is what moves the rest to
//! the front.

mod filling;
mod storage;

use std::ops::Range;

use storage::Storage;

/// Data of a record that is shorter moves behind the data before it: a few bytes cost less than a piece of their own.
const SHORT: usize = 4096;

/// Pieces that an inbox without bytes keeps room for.
const KEPT: usize = 8;

/// A buffer is lent while bytes come. An inbox that waits for more holds as many bytes as it has, unless it is one of the few
/// that may keep their buffer.
#[derive(Default)]
pub struct Inbox {
    storage: Storage,
    /// Data in order, the rest of the first one unread.
    pieces: Vec<Range<usize>>,
    /// Those before have been read.
    current: usize,
    sealed: Range<usize>,
}

impl Inbox {
    /// Whether nothing is in it, data or sealed.
    pub fn is_empty(&self) -> bool {
        self.unread().is_empty() && self.current + 1 >= self.pieces.len() && self.sealed.is_empty()
    }

    /// Whether it has a buffer.
    pub fn has_buffer(&self) -> bool {
        matches!(self.storage, Storage::Lent(_))
    }

    /// Everything: what [`Self::position`] counts in, until the next [`Self::receive`].
    pub fn all(&self) -> &[u8] {
        &self.storage
    }

    fn piece(&self) -> Range<usize> {
        self.pieces.get(self.current).cloned().unwrap_or_default()
    }

    /// The data of this piece that was not used up; after [`Self::next_piece`], with that of the next one.
    pub fn unread(&self) -> &[u8] {
        self.all().get(self.piece()).unwrap_or_default()
    }

    /// Where the unread data begins in [`Self::all`].
    pub fn position(&self) -> usize {
        self.piece().start
    }

    /// So many bytes of the unread data are used up. They stay where they are until the next [`Self::receive`].
    pub fn consume(&mut self, count: usize) {
        if let Some(piece) = self.pieces.get_mut(self.current) {
            piece.start = piece.start.saturating_add(count).min(piece.end);
        }
    }

    /// Goes on to the next piece, with what is left of this one in front of it. `false`: there is none.
    pub fn next_piece(&mut self) -> bool {
        let left = self.piece();
        let Some(next) = self.pieces.get_mut(self.current + 1) else { return false };
        // What is left ends before the next piece begins, so the move goes over nothing but a header and a tag.
        let start = next.start.saturating_sub(left.len());
        next.start = start;
        if !left.is_empty() {
            self.storage.copy_within(left, start);
        }
        self.current += 1;
        true
    }

    /// The bytes behind the data that TLS has not decrypted yet: whole records, and the beginning of one that is not.
    pub fn sealed(&mut self) -> &mut [u8] {
        let range = self.sealed.clone();
        self.storage.get_mut(range).unwrap_or_default()
    }

    /// So many of the sealed bytes were dealt with.
    pub fn unsealed(&mut self, count: usize) {
        self.sealed.start = self.sealed.start.saturating_add(count).min(self.sealed.end);
    }

    /// `length` bytes that lie `from` the beginning of the sealed ones are data. `None`: they do not lie in them.
    pub fn data(&mut self, from: usize, length: usize) -> Option<()> {
        let start = self.sealed.start.checked_add(from)?;
        let end = start.checked_add(length).filter(|end| *end <= self.sealed.end)?;
        match self.pieces.last_mut() {
            Some(last) if length < SHORT || last.end == start => {
                let to = last.end;
                last.end += length;
                if to != start {
                    self.storage.copy_within(start..end, to);
                }
            }
            _ => self.pieces.push(start..end),
        }
        Some(())
    }

    /// All that is sealed is data: there is no seal on it.
    pub fn unseal(&mut self) {
        let length = self.sealed.len();
        if self.data(0, length).is_some() {
            self.unsealed(length);
        }
    }

    /// The last `count` bytes of the data, in order: those that a read has brought.
    pub fn latest(&self, count: usize) -> impl Iterator<Item = &[u8]> {
        let mut others = self.available().saturating_sub(count);
        self.pieces.get(self.current..).unwrap_or_default().iter().filter_map(move |piece| {
            let passed = others.min(piece.len());
            others -= passed;
            self.all().get(piece.start + passed..piece.end)
        })
    }

    /// How much data there is.
    pub fn available(&self) -> usize {
        self.pieces.get(self.current..).unwrap_or_default().iter().map(Range::len).sum()
    }
}

#[cfg(test)]
mod tests;

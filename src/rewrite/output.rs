//! What a transform says to send: ranges of its input, and bytes that it made.

use std::ops::Range;

/// A run of bytes to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Of the input of the push that the output was given to.
    Input(Range<usize>),
    /// Of [`Output::made`].
    Made(Range<usize>),
}

/// Pieces in the order in which they are to be sent. Contiguous pieces are one.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// What the transform wrote itself, one piece behind the other.
    pub made: Vec<u8>,
    /// What is to be sent, from first to last; none is empty.
    pub pieces: Vec<Piece>,
}

impl Output {
    /// One without pieces, that takes memory as soon as something is made.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the pieces, keeps the memory. To be called before the input they point into goes away.
    pub fn clear(&mut self) {
        self.made.clear();
        self.pieces.clear();
    }

    /// The bytes to send, `input` being what was pushed.
    pub fn slices<'a>(&'a self, input: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.pieces.iter().map(move |piece| match piece {
            Piece::Input(range) => input.get(range.clone()).unwrap_or_default(),
            Piece::Made(range) => self.made.get(range.clone()).unwrap_or_default(),
        })
    }

    /// How many bytes [`slices`](Self::slices) gives in all.
    pub fn len(&self) -> usize {
        let lengths = self.pieces.iter().map(|piece| match piece {
            Piece::Input(range) | Piece::Made(range) => range.len(),
        });
        lengths.sum()
    }

    /// Whether there is nothing to send, since all of the input was taken in or left out.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Room for what is made of a header, at once rather than bit by bit.
    pub(super) fn make_room(&mut self) {
        if self.pieces.capacity() == 0 {
            self.made.reserve(1 << 10);
            self.pieces.reserve(32);
        }
    }

    pub(super) fn pass(&mut self, range: Range<usize>) {
        match self.pieces.last_mut() {
            _ if range.is_empty() => {}
            Some(Piece::Input(last)) if last.end == range.start => last.end = range.end,
            _ => self.pieces.push(Piece::Input(range)),
        }
    }

    pub(super) fn make(&mut self, bytes: &[u8]) {
        let start = self.made.len();
        self.made.extend_from_slice(bytes);
        self.made_from(start);
    }

    /// What was appended to `made` from `start` on is a piece.
    pub(super) fn made_from(&mut self, start: usize) {
        let end = self.made.len();
        match self.pieces.last_mut() {
            _ if start == end => {}
            Some(Piece::Made(last)) if last.end == start => last.end = end,
            _ => self.pieces.push(Piece::Made(start..end)),
        }
    }
}

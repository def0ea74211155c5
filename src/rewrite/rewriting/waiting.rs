//! What waited until more was known, read on in pieces, so that what is made of one is sent before the next.

use crate::buffer::{Held, NoRoom};

/// Bytes of a piece. What is no longer is taken at once.
const PIECE: usize = 64 << 10;

/// See the [module](self).
pub(super) struct Waited {
    held: Held,
    /// Bytes of it that were in earlier pieces, and in this one.
    begun: usize,
    /// The piece under way, and how far it has been read.
    piece: Vec<u8>,
    at: usize,
}

impl Waited {
    /// `None` where nothing had to wait.
    pub(super) fn new(held: Held) -> Option<Self> {
        (!held.is_empty()).then(|| Self { held, begun: 0, piece: Vec::new(), at: 0 })
    }

    /// The piece under way, and how far it has been read; the next one where there is none.
    ///
    /// # Errors
    /// What waits had to give way.
    pub(super) fn take_piece(&mut self) -> Result<(Vec<u8>, usize), NoRoom> {
        if !self.piece.is_empty() {
            return Ok((std::mem::take(&mut self.piece), self.at));
        }
        let all = self.held.len();
        if self.begun == 0 && all <= PIECE {
            self.begun = all;
            return Ok((self.held.take()?, 0));
        }
        let (start, end) = (self.begun, all.min(self.begun.saturating_add(PIECE)));
        self.begun = end;
        Ok((self.held.look(|held| held.get(start..end).unwrap_or_default().to_vec())?, 0))
    }

    /// A piece is not yet read to its end.
    pub(super) fn put_back(&mut self, piece: Vec<u8>, at: usize) {
        (self.piece, self.at) = (piece, at);
    }

    /// Whether the last piece was taken.
    pub(super) fn is_over(&self) -> bool {
        self.held.len() <= self.begun
    }
}

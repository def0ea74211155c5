//! The beginning of a deflated data set (PS3.5 A.5), for whoever looks at no more.

use flate2::{Decompress, FlushDecompress, Status};

use super::unnamed::Unnamed;

const CHUNK: usize = 4 << 10;

pub(super) struct Inflating {
    inflate: Decompress,
    plain: [u8; CHUNK],
    ended: bool,
    /// Bytes behind the end.
    behind: usize,
}

/// Longest beginning that is looked at, deflated, and what may lie behind the end of the stream: neither is held for ever.
const WITHIN: u64 = 128 << 10;
const BEHIND: usize = 1 << 10;

impl Inflating {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self { inflate: Decompress::new(false), plain: [0; CHUNK], ended: false, behind: 0 })
    }

    /// Whether the stream has come to its end.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Inflates the input until `look` has seen enough, a piece at a time, so that little input is never much work.
    pub(super) fn inflate(
        &mut self,
        input: &[u8],
        mut look: impl FnMut(&[u8]) -> Result<bool, Unnamed>,
    ) -> Result<bool, Unnamed> {
        let mut rest = input;
        while !self.ended {
            let before = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(rest, &mut self.plain, FlushDecompress::None);
            self.ended = status.map_err(|_| Unnamed::Deflated)? == Status::StreamEnd;
            let since = |now: u64, before: u64| usize::try_from(now.saturating_sub(before)).unwrap_or(0);
            let taken = since(self.inflate.total_in(), before.0);
            let made = since(self.inflate.total_out(), before.1);
            rest = rest.get(taken..).unwrap_or_default();
            if look(self.plain.get(..made).unwrap_or_default())? {
                return Ok(true);
            }
            if self.inflate.total_in() > WITHIN {
                return Err(Unnamed::TooLate);
            }
            if (taken, made) == (0, 0) {
                break;
            }
        }
        self.behind = self.behind.saturating_add(if self.ended { rest.len() } else { 0 });
        if self.behind > BEHIND { Err(Unnamed::Deflated) } else { Ok(false) }
    }
}

//! Headers of data sets that break the standard in ways that leave one reading, put right before anybody looks at them.
//!
//! [`Mending`] reads ahead through the first 64 KiB, or up to the first value that is no longer a header's, which is where
//! a rewrite holds its message back in any case. What is well-formed there goes on as it came, without a copy where it came
//! in one piece. Otherwise the elements at the top that end within the first MiB are written anew by [`mend()`]; what
//! follows has to be in order behind them, for a scanner that is [tolerating](Scanner::tolerating). The bytes alone decide,
//! not how they were cut.

mod mend;

use super::Tag;
use super::encoding::Syntax;
use super::error::{ScanError, ScanProblem};
use super::scanner::{Kind, Scanner};
use super::tolerated::Tolerated;
use crate::buffer::{Corner, Held, NoRoom};
use mend::mend;

/// Within so many bytes something has to be wrong for the header to be put right.
const WITHIN: u64 = 64 << 10;
/// A value longer than this at the top is no longer the header's.
const BULK: u32 = 8 << 10;
/// The group of pixel data.
const PIXELS: u16 = 0x7FE0;
/// Longest header that is put right.
const MOST: usize = 1 << 20;

/// What a look at the header came to.
pub enum Looked {
    /// More of it has to be seen.
    More,
    /// It goes on as it came: what was held, and with it what was looked at, where something was.
    AsItCame(Vec<u8>),
    /// This goes on instead of all that was looked at, or held.
    Mended(Vec<u8>, Tolerated),
    /// More of it has to be seen, and there is no room to hold it.
    NoRoom,
}

/// See the [module](self).
pub struct Mending {
    probe: Scanner,
    syntax: Syntax,
    max_depth: usize,
    held: Held,
    /// Whether something is wrong that can be put right.
    broken: bool,
    /// Bytes that have to be there before it is worth looking again: each time twice as many, so that whoever sends byte by
    /// byte does not have everything read again for each.
    worth: usize,
}

impl Mending {
    /// At the start of a data set. `max_depth` is as for a [`Scanner`].
    pub fn new(syntax: Syntax, max_depth: usize) -> Self {
        let probe = Scanner::new(syntax, max_depth).tolerating_nuls();
        Self { probe, syntax, max_depth, held: Held::default(), broken: false, worth: 0 }
    }

    /// Looks at the next bytes. What has to wait lies in the corner where it is much.
    ///
    /// # Errors
    /// There are two readings, or none.
    pub fn look(&mut self, input: &[u8], corner: Option<&Corner>) -> Result<Looked, ScanError> {
        let is_well_formed = !self.broken && self.is_well_formed(input);
        if is_well_formed && self.held.is_empty() {
            return Ok(Looked::AsItCame(Vec::new()));
        }
        if self.held.append(input, corner).is_err() {
            return Ok(Looked::NoRoom);
        }
        if is_well_formed {
            return Ok(self.as_it_came());
        }
        if !self.broken || self.held.len() < self.worth.min(MOST) {
            return Ok(Looked::More);
        }
        self.put_right(false)
    }

    /// Says that the data set ended with what was looked at.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn finish(mut self) -> Result<Looked, ScanError> {
        // What is cut off can only be told from what is whole by whoever reads it strictly.
        if self.broken { self.put_right(true) } else { Ok(self.as_it_came()) }
    }

    fn as_it_came(&mut self) -> Looked {
        self.held.take().map_or(Looked::NoRoom, Looked::AsItCame)
    }

    /// Whether nothing is wrong that could be put right, as far as that matters. Notes that something is.
    fn is_well_formed(&mut self, input: &[u8]) -> bool {
        use ScanProblem::{Duplicate, ForbiddenGroup, MisplacedDelimiter, OutOfOrder, UnknownVr};
        let mut at = 0;
        loop {
            let top = self.probe.depth() == 0;
            self.probe.skip(input, &mut at, |tag, length, _| top && ends_header(tag, length));
            if self.probe.position() > WITHIN {
                return true;
            }
            match self.probe.next(input, &mut at) {
                Ok(Some(event)) => match event.kind {
                    Kind::Element(header)
                        if self.probe.depth() == 0 && ends_header(header.tag, header.length.unwrap_or(0)) =>
                    {
                        return true;
                    }
                    Kind::FragmentsStart(_) => return true,
                    _ => {}
                },
                Ok(None) => return false,
                Err(error) => {
                    self.broken = matches!(
                        error.problem,
                        UnknownVr | OutOfOrder | Duplicate | MisplacedDelimiter | ForbiddenGroup
                    );
                    // Whoever reads it strictly says what is wrong.
                    return !self.broken;
                }
            }
        }
    }

    fn put_right(&mut self, is_whole: bool) -> Result<Looked, ScanError> {
        let (syntax, max_depth) = (self.syntax, self.max_depth);
        let mended = self.held.look(|held| {
            let (header, behind) = held.split_at(held.len().min(MOST));
            let mended = mend(header, syntax, max_depth, is_whole && behind.is_empty())?;
            Ok(mended.map(|mended| {
                let mut bytes = mended.bytes;
                bytes.extend_from_slice(held.get(mended.used..).unwrap_or_default());
                Looked::Mended(bytes, mended.tolerated)
            }))
        });
        match mended {
            Err(NoRoom) => Ok(Looked::NoRoom),
            Ok(Err(error)) => Err(error),
            Ok(Ok(Some(mended))) => Ok(mended),
            Ok(Ok(None)) => {
                self.worth = self.held.len() * 2;
                Ok(Looked::More)
            }
        }
    }
}

/// Whether an element at the top is no longer of the header: pixel data, or as long as such.
pub(super) fn ends_header(tag: Tag, length: u32) -> bool {
    tag.0 >= PIXELS || length > BULK
}

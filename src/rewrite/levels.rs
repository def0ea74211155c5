//! The open sequences and items of the output, and how their lengths stay right.
//!
//! One of undefined length stays so. One of defined length up to 64 KiB is held back until its end, and its length is then
//! written anew: where nothing in it changed, that is the length it had. A longer one goes out with undefined length.

use std::ops::Range;

use super::output::Output;
use crate::dataset::Syntax;

/// Longest sequence or item that is held back.
const HELD: u32 = 64 << 10;
/// Longest that a sequence held back may become.
const GROWN: usize = 1 << 20;
const UNDEFINED: [u8; 4] = [0xFF; 4];

/// Bytes that are to go on, and where they lie.
#[derive(Clone)]
pub(super) enum Source<'a> {
    /// Of the input of this push.
    Input(Range<usize>),
    /// Kept from an earlier push, or made.
    Made(&'a [u8]),
}

impl<'a> Source<'a> {
    pub(super) fn bytes(&self, input: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Input(range) => input.get(range.clone()).unwrap_or_default(),
            Self::Made(bytes) => bytes,
        }
    }

    /// A part of them, cut where they end.
    pub(super) fn slice(&self, range: Range<usize>) -> Self {
        match self {
            Self::Input(whole) => {
                let at = |index: usize| whole.start.saturating_add(index).min(whole.end);
                Self::Input(at(range.start)..at(range.end))
            }
            Self::Made(bytes) => Self::Made(bytes.get(range).unwrap_or_default()),
        }
    }
}

/// A part of a data set that is open around the bytes under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Sequence,
    Item,
    Fragments,
}

enum Close {
    /// As its delimiter was.
    AsItWas,
    /// Its length field is here in the held bytes.
    Length { field: usize, big_endian: bool },
    /// Its length was defined; now a delimiter is needed.
    Delimiter { syntax: Syntax },
}

struct Level {
    part: Part,
    close: Close,
}

pub(super) struct Levels {
    open: Vec<Level>,
    held: Vec<u8>,
    /// Number of levels below the one that is held back.
    holding: Option<usize>,
}

/// The held bytes became too many.
pub(super) struct TooLong;

impl Levels {
    pub(super) fn new() -> Self {
        Self { open: Vec::new(), held: Vec::new(), holding: None }
    }

    /// Sends bytes, or holds them back.
    pub(super) fn send(&mut self, source: Source<'_>, input: &[u8], out: &mut Output) -> Result<(), TooLong> {
        if self.holding.is_some() {
            self.held.extend_from_slice(source.bytes(input));
            return if self.held.len() > GROWN { Err(TooLong) } else { Ok(()) };
        }
        match source {
            Source::Input(range) => out.pass(range),
            Source::Made(bytes) => out.make(bytes),
        }
        Ok(())
    }

    /// Opens a sequence or item. Its header's last four bytes are its length.
    ///
    /// `outer` encodes the header, `inner` the delimiter.
    pub(super) fn open(&mut self, part: Part, length: Option<u32>, outer: Syntax, inner: Syntax) -> Opening {
        let close = match length {
            None => Close::AsItWas,
            Some(length) if self.holding.is_some() || length <= HELD => {
                if self.holding.is_none() {
                    self.holding = Some(self.open.len());
                    self.held.clear();
                }
                Close::Length { field: 0, big_endian: outer.big_endian }
            }
            Some(_) => Close::Delimiter { syntax: inner },
        };
        let opening =
            if matches!(close, Close::Delimiter { .. }) { Opening::Undefined } else { Opening::AsItWas };
        self.open.push(Level { part, close });
        opening
    }

    /// The header of what was opened has been sent.
    pub(super) fn opened(&mut self) {
        let end = self.held.len();
        if let Some(Level { close: Close::Length { field, .. }, .. }) = self.open.last_mut() {
            *field = end.saturating_sub(4);
        }
    }

    /// Closes what was opened last.
    pub(super) fn close(
        &mut self,
        delimiter: Source<'_>,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), TooLong> {
        let Some(level) = self.open.pop() else { return Ok(()) };
        match level.close {
            Close::AsItWas => self.send(delimiter, input, out)?,
            Close::Delimiter { syntax } => {
                self.send(Source::Made(&delimiter_of(level.part, syntax)), input, out)?;
            }
            Close::Length { field, big_endian } => {
                let length = self.held.len().saturating_sub(field).saturating_sub(4);
                let length = u32::try_from(length).map_err(|_| TooLong)?;
                if let Some(bytes) = self.held.get_mut(field..field.saturating_add(4)) {
                    bytes.copy_from_slice(&Syntax { explicit: false, big_endian }.put_u32(length));
                }
            }
        }
        if self.holding == Some(self.open.len()) {
            self.holding = None;
            out.make(&self.held);
            self.held.clear();
        }
        Ok(())
    }
}

/// How the header of a sequence or item goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    AsItWas,
    /// With [`undefined`] as its length.
    Undefined,
}

/// The header with undefined length.
pub(super) fn undefined(header: &[u8]) -> Vec<u8> {
    let kept = header.len().saturating_sub(4);
    [header.get(..kept).unwrap_or_default(), &UNDEFINED].concat()
}

fn delimiter_of(part: Part, syntax: Syntax) -> [u8; 8] {
    let element = if part == Part::Item { 0xE00D } else { 0xE0DD };
    let ([g0, g1], [e0, e1]) = (syntax.put_u16(0xFFFE), syntax.put_u16(element));
    [g0, g1, e0, e1, 0, 0, 0, 0]
}

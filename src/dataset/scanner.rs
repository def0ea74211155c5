//! The push scanner: bytes in any chunking to elements, items and values.
//!
//! Invariants: `carry` holds the start of one header that the input ended inside, of which the first `spent` bytes are the
//! last event's, and while a value is under way at most the four bytes that had to be seen before it could be called one;
//! `position` counts the bytes before the header or value under way, without what `carry` holds; every frame's `limit` is
//! at most its parent's, so that nothing reaches beyond what holds it.
//!
//! A sequence of defined length with an item of undefined length, cut by the input inside of a header:
//!
//! ```text
//!              frames (root below)                      Items            Items, Elements
//!                                                     +-------+ push   +----------------+ push
//!            |  element       | header of sequence   | header of item | element        | header o : f an element | ...
//!   data set | tag VR len val | tag SQ 00 00 length  | FFFE,E000 FF.. | tag VR len val | tag VR   : length       | ...
//!            +----------------+----------------------+----------------+----------------+----------:--------------+
//!   events     Element, Value   SequenceStart          ItemStart        Element, Value   (none)   :  Element
//!                                                                                      |<-carry->|:  raw: Carried
//!                                                                                      ^ position while it waits
//! ```
//!
//! What lies whole in the input is told as a range of it ([`Raw::Input`]); only a header that the input ended inside is put
//! together in `carry` and told from there ([`Raw::Carried`]). A frame goes when `position` comes to its `end`, or with its
//! delimiter where it has none.

mod carry;
mod entering;
mod event;
mod fault;
mod nuls;
mod plain;
mod skip;
mod tolerating;

use std::ops::Range;

use super::encoding::Syntax;
use super::error::{PathStep, ScanError, ScanProblem};
use super::header::{ITEM_TAG, LONG_HEAD};
use dicom_core::Tag;
use nuls::Trailing;
use tolerating::Tolerating;

pub use event::{Event, Kind, Raw};

/// No configuration may allow more nested sequences than this.
pub const HARD_MAX_DEPTH: usize = 256;

pub(super) const ITEM_END: u32 = 0xFFFE_E00D;
pub(super) const SEQUENCE_END: u32 = 0xFFFE_E0DD;
/// Of a header that is not yet whole, with what tells whether items follow.
const CARRY: usize = LONG_HEAD + ITEM_TAG;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Elements,
    Items,
    Fragments,
    /// The data set has ended, and only NULs may follow.
    Nothing,
}

#[derive(Clone, Copy)]
struct Frame {
    holds: Holds,
    syntax: Syntax,
    /// Where it ends, where its length is defined.
    end: Option<u64>,
    /// Where its elements must have ended.
    limit: u64,
    /// Tag of the last element; of the sequence itself where it holds items or fragments.
    tag: Tag,
    /// Elements or items so far.
    count: u32,
}

/// See the [module](super). After an error it must not be used again.
pub struct Scanner {
    frames: Vec<Frame>,
    root: Frame,
    depth: usize,
    max_depth: usize,
    position: u64,
    rest: u32,
    carry: [u8; CARRY],
    carried: usize,
    spent: usize,
    trailing: Trailing,
    tolerating: Tolerating,
}

impl Scanner {
    /// A scanner at the start of a data set. `max_depth` is the number of nested sequences allowed, at most
    /// [`HARD_MAX_DEPTH`]. The caller inflates what is deflated.
    pub fn new(syntax: Syntax, max_depth: usize) -> Self {
        let root =
            Frame { holds: Holds::Elements, syntax, end: None, limit: u64::MAX, tag: Tag(0, 0), count: 0 };
        Self {
            frames: Vec::new(),
            root,
            depth: 0,
            max_depth: max_depth.min(HARD_MAX_DEPTH),
            position: 0,
            rest: 0,
            carry: [0; CARRY],
            carried: 0,
            spent: 0,
            trailing: Trailing::Refused,
            tolerating: Tolerating::default(),
        }
    }

    /// The next event of `input` from `at` on, moving `at` behind it; `None` when all of it is used up.
    ///
    /// # Errors
    /// The data set cannot be read on.
    #[inline]
    pub fn next(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Event>, ScanError> {
        self.forget_spent();
        if self.rest > 0 {
            let value = |(range, rest)| Event { kind: Kind::Value { rest }, raw: Raw::Input(range) };
            return Ok(self.carried_value().or_else(|| self.value(input, at).map(value)));
        }
        match self.plain(input, at) {
            Some((header, range)) => Ok(Some(Event { kind: Kind::Element(header), raw: Raw::Input(range) })),
            None => self.entered(input, at),
        }
    }

    /// The value of a sequence of defined length that has just begun is to be passed as any other: what it holds is of no
    /// interest, or it is no sequence after all ([`Header::is_guessed`](super::header::Header::is_guessed)).
    pub fn pass_over(&mut self) {
        let Some(&Frame { holds: Holds::Items, end: Some(end), count: 0, .. }) = self.frames.last() else {
            return;
        };
        self.close();
        self.tolerating.sequence_ends_at(end);
        // Lengths have 32 bits.
        self.rest = u32::try_from(end.saturating_sub(self.position)).unwrap_or(u32::MAX);
    }

    /// Says that the data set ended here. An error where it ended inside an element.
    pub fn finish(&self) -> Result<(), ScanError> {
        let whole = self.rest == 0 && self.carried == self.spent && self.frames.is_empty();
        if whole || self.holds_nuls() {
            Ok(())
        } else {
            Err(self.error(self.frame().tag, ScanProblem::Truncated))
        }
    }

    /// The bytes of the last event, where they are [`Raw::Carried`].
    pub fn carried(&self) -> &[u8] {
        self.carry.get(..self.spent).unwrap_or_default()
    }

    fn held(&self) -> &[u8] {
        self.carry.get(..self.carried).unwrap_or_default()
    }

    /// How many sequences are open around the element under way; 0 at the top.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// How the data set itself is encoded, whatever is open.
    pub fn root_syntax(&self) -> Syntax {
        self.root.syntax
    }

    /// Bytes read so far, a header under way not counted.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The sequences around the element under way, from the outside.
    pub fn path(&self) -> impl Iterator<Item = PathStep> + '_ {
        let sequences = self.frames.iter().filter(|frame| frame.holds == Holds::Items);
        sequences.map(|frame| PathStep { sequence: frame.tag, item: frame.count })
    }

    fn frame(&self) -> &Frame {
        self.frames.last().unwrap_or(&self.root)
    }

    fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().unwrap_or(&mut self.root)
    }

    /// The bytes of the value under way that come next in the input, and how many more are to come: as
    /// [`next`](Self::next) has them, for who would rather not be told that they are a value each time.
    #[inline]
    pub fn value(&mut self, input: &[u8], at: &mut usize) -> Option<(Range<usize>, u32)> {
        let available = u32::try_from(input.len().saturating_sub(*at)).unwrap_or(u32::MAX);
        let taken = self.rest.min(available);
        if taken == 0 || self.carried > 0 {
            return None;
        }
        let start = *at;
        *at = start.saturating_add(taken as usize);
        self.rest -= taken;
        self.position = self.position.saturating_add(u64::from(taken));
        Some((start..*at, self.rest))
    }
}

//! The push scanner: bytes in any chunking to elements, items and values.
//!
//! Invariants: `carry` holds the start of one header that the input ended inside, of which the first `spent` bytes are the
//! last event's, and while a value is under way at most the four bytes that had to be seen before it could be called one;
//! `position` counts the bytes before the header or value under way, without what `carry` holds; every frame's `limit` is
//! at most its parent's, so that nothing reaches beyond what holds it.

mod carry;
mod event;
mod nuls;
mod skip;

use super::dictionary::is_listed;
use super::encoding::Syntax;
use super::error::{ScanError, ScanProblem};
use super::header::{Head, Header, ITEM, ITEM_TAG, LONG_HEAD, PIXEL_DATA, UNDEFINED, looks_like_a_vr};
use super::number;
use super::vr::Vr;
use dicom_core::Tag;
use nuls::Trailing;

pub use event::{Event, Kind, PathStep, Raw};

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
        }
    }

    /// The next event of `input` from `at` on, moving `at` behind it; `None` when all of it is used up.
    pub fn next(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Event>, ScanError> {
        self.forget_spent();
        if self.rest > 0 {
            return Ok(self.value(input, at));
        }
        let frame = *self.frame();
        if self.carried == 0 && frame.end == Some(self.position) {
            return Ok(Some(Event { kind: self.close(), raw: Raw::Input(*at..*at) }));
        }
        if self.trailing == Trailing::Begun {
            return self.nuls(input, at);
        }
        let Some((head, items, raw)) = self.head(&frame, input, at) else { return Ok(None) };
        if self.begins_nuls(&head) {
            (self.trailing, self.carried) = (Trailing::Begun, 0);
            self.position = self.position.saturating_add(head.size as u64);
            return self.nuls(input, at);
        }
        // File meta information is explicit always, and has a word of its own.
        let may_be_both = self.position == 0 && !frame.syntax.explicit && head.tag.0 != 0x0002;
        if may_be_both && looks_like_a_vr(head.length) {
            return Err(self.error(head.tag, ScanProblem::TwoEncodings));
        }
        let kind = self.header(&frame, &head, items)?;
        self.spent = if raw == Raw::Carried { head.size } else { 0 };
        Ok(Some(Event { kind, raw }))
    }

    /// The value of a sequence of defined length that has just begun is to be passed as any other: what it holds is of no
    /// interest, or it is no sequence after all ([`Header::is_guessed`]).
    pub fn pass_over(&mut self) {
        let Some(&Frame { holds: Holds::Items, end: Some(end), count: 0, .. }) = self.frames.last() else {
            return;
        };
        self.close();
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

    /// Number of open sequences.
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

    fn error(&self, tag: Tag, problem: ScanProblem) -> ScanError {
        let tag = is_listed(tag).then_some(tag);
        ScanError { tag, path: self.path().collect(), offset: self.position, problem }
    }

    /// An error of the sequence, or of the fragments, that were under way.
    fn error_of_holder(&self, problem: ScanProblem) -> ScanError {
        let mut path: Vec<PathStep> = self.path().collect();
        let holder = match self.frame().holds {
            Holds::Fragments => Some(self.frame().tag),
            // Whoever found an item in it can tell that it is one.
            _ => {
                path.pop().filter(|step| step.item > 0 || is_listed(step.sequence)).map(|step| step.sequence)
            }
        };
        // At the top there is the element before.
        let last = Some(self.frame().tag).filter(|&tag| self.frames.is_empty() && is_listed(tag));
        ScanError { tag: holder.or(last), path: path.into(), offset: self.position, problem }
    }

    fn value(&mut self, input: &[u8], at: &mut usize) -> Option<Event> {
        if self.carried > 0 {
            // Lengths of which these bytes are a part are longer.
            self.spent = self.carried;
            self.rest = self.rest.saturating_sub(self.spent as u32);
            self.position = self.position.saturating_add(self.spent as u64);
            return Some(Event { kind: Kind::Value { rest: self.rest }, raw: Raw::Carried });
        }
        let available = u32::try_from(input.len().saturating_sub(*at)).unwrap_or(u32::MAX);
        let taken = self.rest.min(available);
        if taken == 0 {
            return None;
        }
        let start = *at;
        *at = start.saturating_add(taken as usize);
        self.rest -= taken;
        self.position = self.position.saturating_add(u64::from(taken));
        Some(Event { kind: Kind::Value { rest: self.rest }, raw: Raw::Input(start..*at) })
    }

    fn header(&mut self, frame: &Frame, head: &Head, items: bool) -> Result<Kind, ScanError> {
        let after = self.position.saturating_add(head.size as u64);
        if after > frame.limit {
            return Err(self.error(head.tag, ScanProblem::Overrun));
        }
        let kind = match frame.holds {
            _ if head.tag.0 == 0xFFFE => self.item_or_delimiter(frame, head.tag, head.length, after)?,
            Holds::Elements => {
                let header = head.of_element(frame.syntax);
                let header = header.ok_or_else(|| self.error(head.tag, ScanProblem::UnknownVr))?;
                self.element(frame, header, items, after)?
            }
            Holds::Items | Holds::Fragments => return Err(self.error_of_holder(ScanProblem::NotAnItem)),
        };
        self.position = after;
        Ok(kind)
    }

    fn element(&mut self, frame: &Frame, header: Header, items: bool, after: u64) -> Result<Kind, ScanError> {
        let tag = header.tag;
        let problem = match tag.0 {
            0x0000 | 0x0002 => Some(ScanProblem::ForbiddenGroup),
            _ if frame.count > 0 && tag == frame.tag => Some(ScanProblem::Duplicate),
            _ if frame.count > 0 && number(tag) < number(frame.tag) => Some(ScanProblem::OutOfOrder),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(self.error(tag, problem));
        }
        let end = header.length.map(|length| after.saturating_add(u64::from(length)));
        if end.is_some_and(|end| end > frame.limit) {
            return Err(self.error(tag, ScanProblem::Overrun));
        }
        let last = self.frame_mut();
        last.tag = tag;
        last.count = last.count.saturating_add(1);
        match header.length {
            _ if items || header.is_sequence() => {
                self.open(Holds::Items, header.items(), end, tag)?;
                Ok(Kind::SequenceStart(header))
            }
            None if tag == PIXEL_DATA && matches!(header.vr, Vr::OB | Vr::OW) => {
                self.open(Holds::Fragments, header.syntax, None, tag)?;
                Ok(Kind::FragmentsStart(header))
            }
            None => Err(self.error(tag, ScanProblem::UndefinedLength)),
            Some(length) => {
                self.rest = length;
                Ok(Kind::Element(header))
            }
        }
    }

    fn item_or_delimiter(
        &mut self,
        frame: &Frame,
        tag: Tag,
        length: u32,
        after: u64,
    ) -> Result<Kind, ScanError> {
        let defined = (length != UNDEFINED).then_some(length);
        let end = defined.map(|length| after.saturating_add(u64::from(length)));
        match (frame.holds, number(tag)) {
            (Holds::Items | Holds::Fragments, ITEM) if end.is_some_and(|end| end > frame.limit) => {
                Err(self.error_of_holder(ScanProblem::Overrun))
            }
            (Holds::Items, ITEM) => {
                self.count_item();
                self.open(Holds::Elements, frame.syntax, end, Tag(0, 0))?;
                Ok(Kind::ItemStart { length: defined, syntax: frame.syntax })
            }
            (Holds::Fragments, ITEM) => {
                let length = defined.ok_or_else(|| self.error_of_holder(ScanProblem::UndefinedLength))?;
                self.count_item();
                self.rest = length;
                Ok(Kind::Fragment { length })
            }
            (Holds::Elements, ITEM_END) | (Holds::Items | Holds::Fragments, SEQUENCE_END) => {
                if self.frames.is_empty() || frame.end.is_some() {
                    Err(self.error_of_holder(ScanProblem::MisplacedDelimiter))
                } else if length != 0 {
                    Err(self.error_of_holder(ScanProblem::DelimiterLength))
                } else {
                    Ok(self.close())
                }
            }
            _ => Err(self.error_of_holder(ScanProblem::MisplacedDelimiter)),
        }
    }

    fn count_item(&mut self) {
        let frame = self.frame_mut();
        frame.count = frame.count.saturating_add(1);
    }

    fn open(&mut self, holds: Holds, syntax: Syntax, end: Option<u64>, tag: Tag) -> Result<(), ScanError> {
        if holds == Holds::Items {
            if self.depth == self.max_depth {
                return Err(self.error(tag, ScanProblem::TooDeep));
            }
            self.depth += 1;
        }
        let limit = end.unwrap_or(self.frame().limit);
        self.frames.push(Frame { holds, syntax, end, limit, tag, count: 0 });
        Ok(())
    }

    fn close(&mut self) -> Kind {
        match self.frames.pop().map(|frame| frame.holds) {
            Some(Holds::Items) => {
                self.depth = self.depth.saturating_sub(1);
                Kind::SequenceEnd
            }
            Some(Holds::Fragments) => Kind::FragmentsEnd,
            Some(Holds::Elements) | None => Kind::ItemEnd,
        }
    }
}

//! The push scanner: bytes in any chunking to elements, items and values.
//!
//! Invariants: `carry` holds the start of one header that the input ended inside, and is empty while a value is under way;
//! `position` counts the bytes before the header or value under way, without what `carry` holds; every frame's `limit` is
//! at most its parent's, so that nothing reaches beyond what holds it.

mod skip;

use std::ops::Range;

use super::dictionary::vr_of;
use super::encoding::Syntax;
use super::error::{ScanError, ScanProblem};
use super::number;
use super::vr::{Form, Vr};
use dicom_core::Tag;

/// No configuration may allow more nested sequences than this.
pub const HARD_MAX_DEPTH: usize = 256;

const UNDEFINED: u32 = u32::MAX;
const ITEM: u32 = 0xFFFE_E000;
const ITEM_END: u32 = 0xFFFE_E00D;
const SEQUENCE_END: u32 = 0xFFFE_E0DD;
const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);

/// The header of an element (PS3.5 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub tag: Tag,
    /// As written; from the dictionary where the encoding does not write it.
    pub vr: Vr,
    /// Bytes of the value; `None` is undefined length.
    pub length: Option<u32>,
    /// How this header is encoded.
    pub syntax: Syntax,
}

impl Header {
    /// How the items of this sequence are encoded, its delimiters included.
    ///
    /// What hides in a UN is implicit VR little endian, whatever is around it (PS3.5 §6.2.2).
    pub fn items(&self) -> Syntax {
        if self.vr == Vr::UN && self.syntax.explicit { Syntax::IMPLICIT_LE } else { self.syntax }
    }

    /// Whether items are its value. A UN of undefined length, or of an attribute that is known to be a sequence, holds
    /// items: passed as a value, it would hide them from every rule.
    fn is_sequence(&self) -> bool {
        match (self.vr, self.length) {
            (Vr::SQ, _) => true,
            (_, None) if self.tag == PIXEL_DATA => false,
            (Vr::UN, None) => true,
            (Vr::UN, Some(_)) => self.syntax.explicit && vr_of(self.tag) == Vr::SQ,
            (_, None) => !self.syntax.explicit,
            (_, Some(_)) => false,
        }
    }
}

/// A header as written, before anything is made of it.
struct Head {
    tag: Tag,
    /// `None` where the encoding writes none, and where it is none of the standard.
    vr: Option<Vr>,
    length: u32,
    /// Bytes of the header itself (PS3.5 §7.1.2).
    size: usize,
}

const SHORT_HEAD: usize = 8;
const LONG_HEAD: usize = 12;

impl Head {
    /// The header that `bytes` begin with, where they hold all of it.
    #[inline]
    fn read(frame: &Frame, bytes: &[u8]) -> Option<Self> {
        let &[g0, g1, e0, e1, v0, v1, l0, l1] = bytes.first_chunk::<SHORT_HEAD>()?;
        let syntax = frame.syntax;
        let tag = Tag(syntax.u16([g0, g1]), syntax.u16([e0, e1]));
        if !syntax.explicit || frame.holds != Holds::Elements || tag.0 == 0xFFFE {
            return Some(Self { tag, vr: None, length: syntax.u32([v0, v1, l0, l1]), size: SHORT_HEAD });
        }
        let form = Form::of([v0, v1]);
        let vr = (form != Form::Unknown).then_some(Vr::from_code([v0, v1]));
        if form == Form::Long {
            let &[.., m0, m1, m2, m3] = bytes.first_chunk::<LONG_HEAD>()?;
            return Some(Self { tag, vr, length: syntax.u32([m0, m1, m2, m3]), size: LONG_HEAD });
        }
        Some(Self { tag, vr, length: u32::from(syntax.u16([l0, l1])), size: SHORT_HEAD })
    }

    /// The header of an element; `None` where the VR is none of the standard.
    fn of_element(&self, syntax: Syntax) -> Option<Header> {
        let vr = if syntax.explicit { self.vr? } else { vr_of(self.tag) };
        let length = (self.length != UNDEFINED).then_some(self.length);
        Some(Header { tag: self.tag, vr, length, syntax })
    }
}

/// Where the bytes of an event are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// In the input of this call.
    Input(Range<usize>),
    /// In [`Scanner::carried`], until the next call: they began in an earlier input.
    Carried,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An element's header. Its value follows in `Value` events, none where the length is zero.
    Element(Header),
    /// Bytes of the last element's or fragment's value; `rest` more are to come.
    Value { rest: u32 },
    /// Items follow, until `SequenceEnd`, encoded as [`Header::items`] says. Also a UN that holds a sequence
    /// (PS3.5 §6.2.2).
    SequenceStart(Header),
    /// Elements follow, until `ItemEnd`.
    ItemStart { length: Option<u32>, syntax: Syntax },
    /// The bytes are the delimiter, or none where the length was defined.
    ItemEnd,
    /// The bytes are the delimiter, or none where the length was defined.
    SequenceEnd,
    /// Encapsulated pixel data: fragments follow, until `FragmentsEnd` (PS3.5 A.4).
    FragmentsStart(Header),
    /// A fragment's header, or the offset table's. Its bytes follow in `Value` events.
    Fragment { length: u32 },
    /// The bytes are the delimiter.
    FragmentsEnd,
}

/// What was read, and where its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub kind: Kind,
    pub raw: Raw,
}

/// A sequence on the way from the top of the data set to the element under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStep {
    pub sequence: Tag,
    /// Counted from 1; 0 before the first item.
    pub item: u32,
}

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
    carry: [u8; LONG_HEAD],
    carried: usize,
    carry_spent: bool,
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
            carry: [0; LONG_HEAD],
            carried: 0,
            carry_spent: false,
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
        let Some((head, raw)) = self.head(&frame, input, at) else { return Ok(None) };
        let kind = self.header(&frame, &head)?;
        self.carry_spent = raw == Raw::Carried;
        Ok(Some(Event { kind, raw }))
    }

    fn forget_spent(&mut self) {
        if self.carry_spent {
            self.carried = 0;
            self.carry_spent = false;
        }
    }

    /// Says that the data set ended here. An error where it ended inside an element.
    pub fn finish(&self) -> Result<(), ScanError> {
        let whole = self.rest == 0 && (self.carried == 0 || self.carry_spent) && self.frames.is_empty();
        if whole { Ok(()) } else { Err(self.error(self.frame().tag, ScanProblem::Truncated)) }
    }

    /// The bytes of the last event, where they are [`Raw::Carried`].
    pub fn carried(&self) -> &[u8] {
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
        ScanError { tag, depth: self.depth, offset: self.position, problem }
    }

    fn value(&mut self, input: &[u8], at: &mut usize) -> Option<Event> {
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

    /// A whole header, and where it is; `None` when the input ends first.
    fn head(&mut self, frame: &Frame, input: &[u8], at: &mut usize) -> Option<(Head, Raw)> {
        let rest = input.get(*at..).unwrap_or_default();
        if self.carried == 0
            && let Some(head) = Head::read(frame, rest)
        {
            let start = *at;
            *at = start + head.size;
            return Some((head, Raw::Input(start..*at)));
        }
        self.carry_more(input, at, SHORT_HEAD);
        let head = Head::read(frame, self.carried()).or_else(|| {
            self.carry_more(input, at, if self.carried < SHORT_HEAD { SHORT_HEAD } else { LONG_HEAD });
            Head::read(frame, self.carried())
        });
        head.map(|head| (head, Raw::Carried))
    }

    fn carry_more(&mut self, input: &[u8], at: &mut usize, want: usize) {
        let rest = input.get(*at..).unwrap_or_default();
        let taken = want.saturating_sub(self.carried).min(rest.len());
        let end = self.carried + taken;
        if let (Some(to), Some(from)) = (self.carry.get_mut(self.carried..end), rest.get(..taken)) {
            to.copy_from_slice(from);
            self.carried = end;
            *at += taken;
        }
    }

    fn header(&mut self, frame: &Frame, head: &Head) -> Result<Kind, ScanError> {
        let after = self.position.saturating_add(head.size as u64);
        if after > frame.limit {
            return Err(self.error(head.tag, ScanProblem::Overrun));
        }
        let kind = match frame.holds {
            _ if head.tag.0 == 0xFFFE => self.item_or_delimiter(frame, head.tag, head.length, after)?,
            Holds::Elements => {
                let header = head.of_element(frame.syntax);
                let header = header.ok_or_else(|| self.error(head.tag, ScanProblem::UnknownVr))?;
                self.element(frame, header, after)?
            }
            Holds::Items | Holds::Fragments => return Err(self.error(head.tag, ScanProblem::NotAnItem)),
        };
        self.position = after;
        Ok(kind)
    }

    fn element(&mut self, frame: &Frame, header: Header, after: u64) -> Result<Kind, ScanError> {
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
            _ if header.is_sequence() => {
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
                Err(self.error(frame.tag, ScanProblem::Overrun))
            }
            (Holds::Items, ITEM) => {
                self.count_item();
                self.open(Holds::Elements, frame.syntax, end, Tag(0, 0))?;
                Ok(Kind::ItemStart { length: defined, syntax: frame.syntax })
            }
            (Holds::Fragments, ITEM) => {
                let length = defined.ok_or_else(|| self.error(frame.tag, ScanProblem::UndefinedLength))?;
                self.count_item();
                self.rest = length;
                Ok(Kind::Fragment { length })
            }
            (Holds::Elements, ITEM_END) | (Holds::Items | Holds::Fragments, SEQUENCE_END) => {
                if self.frames.is_empty() || frame.end.is_some() {
                    Err(self.error(tag, ScanProblem::MisplacedDelimiter))
                } else if length != 0 {
                    Err(self.error(tag, ScanProblem::DelimiterLength))
                } else {
                    Ok(self.close())
                }
            }
            _ => Err(self.error(tag, ScanProblem::MisplacedDelimiter)),
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

//! Headers that are more than one before a value: sequences, items, delimiters, fragments, and whatever is wrong.

use super::nuls::Trailing;
use super::{Event, Frame, Holds, ITEM_END, Kind, Raw, SEQUENCE_END, Scanner};
use crate::dataset::error::{ScanError, ScanProblem};
use crate::dataset::header::{Head, Header, ITEM, UNDEFINED, looks_like_a_vr};
use crate::dataset::vr::Vr;
use crate::dataset::{PIXEL_DATA, Syntax, Tag, number};

impl Scanner {
    /// What the next header, of any kind, leads to.
    #[inline(never)]
    pub(super) fn entered(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Event>, ScanError> {
        let frame = *self.frame();
        if self.carried == 0 && frame.end == Some(self.position) {
            return Ok(Some(Event { kind: self.close(), raw: Raw::Input(*at..*at) }));
        }
        if self.trailing == Trailing::Begun {
            return self.nuls(input, at);
        }
        let Some((head, items, raw)) = self.head(&frame, input, at) else { return Ok(None) };
        if self.begins_nuls(&head) {
            (self.trailing, self.root.holds, self.carried) = (Trailing::Begun, Holds::Nothing, 0);
            self.position = self.position.saturating_add(head.size as u64);
            return self.nuls(input, at);
        }
        // File meta information is explicit always, and has a word of its own.
        let may_be_both = self.position == 0 && !frame.syntax.explicit && head.number >> 16 != 0x0002;
        if may_be_both && looks_like_a_vr(head.length) {
            return Err(self.error(head.tag(), ScanProblem::TwoEncodings));
        }
        let kind = self.header(&frame, &head, items)?;
        self.spent = if raw == Raw::Carried { head.size } else { 0 };
        match kind {
            Some(Kind::Element(header) | Kind::SequenceStart(header)) if self.tolerating.has_respelled() => {
                self.respell(&header);
                Ok(kind.map(|kind| Event { kind, raw: Raw::Carried }))
            }
            Some(kind) => Ok(Some(Event { kind, raw })),
            None => self.next(input, at),
        }
    }

    /// What it begins or ends; nothing where it is a delimiter that is passed over.
    fn header(&mut self, frame: &Frame, head: &Head, items: bool) -> Result<Option<Kind>, ScanError> {
        let after = self.position.saturating_add(head.size as u64);
        if after > frame.limit {
            return Err(self.error(head.tag(), ScanProblem::Overrun));
        }
        let kind = match frame.holds {
            _ if head.number >> 16 == ITEM >> 16 => {
                match self.item_or_delimiter(frame, head.tag(), head.length, after) {
                    Err(_) if self.passes_over(frame, head, after) => {
                        self.position = after;
                        return Ok(None);
                    }
                    kind => kind?,
                }
            }
            Holds::Elements => {
                let header = head.of_element(frame.syntax);
                let header = header.ok_or_else(|| self.error(head.tag(), ScanProblem::UnknownVr))?;
                self.element(frame, header, items, after)?
            }
            _ => return Err(self.error_of_holder(ScanProblem::NotAnItem)),
        };
        self.position = after;
        Ok(Some(kind))
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

    pub(super) fn close(&mut self) -> Kind {
        let frame = self.frames.pop();
        if let Some(&Frame { holds, end: Some(end), .. }) = frame.as_ref() {
            self.tolerating.ends_at(holds, end);
        }
        match frame.map(|frame| frame.holds) {
            Some(Holds::Items) => {
                self.depth = self.depth.saturating_sub(1);
                Kind::SequenceEnd
            }
            Some(Holds::Fragments) => Kind::FragmentsEnd,
            Some(Holds::Elements | Holds::Nothing) | None => Kind::ItemEnd,
        }
    }
}

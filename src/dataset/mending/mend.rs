//! A header written anew, in order and well-formed.

mod sequence;

use super::MOST;
use crate::dataset::encoding::{Encoding, Syntax};
use crate::dataset::error::{PathStep, ScanError, ScanProblem};
use crate::dataset::header::{Head, Header, UNDEFINED, begins_with_item, encoded};
use crate::dataset::scanner::{HARD_MAX_DEPTH, ITEM_END, SEQUENCE_END};
use crate::dataset::tolerated::{Tolerated, unknown_vr};
use crate::dataset::vr::Vr;
use crate::dataset::{PIXEL_DATA, Tag, is_listed, number, trim};

/// Bytes of a delimiter.
const DELIMITER: usize = 8;
/// The group of file meta information (PS3.10 §7.1), in explicit VR little endian in every file.
const FILE_META: u16 = 0x0002;
/// Longest value of it that is one.
const LONGEST_META: usize = 1024;
/// (0002,0010) Transfer Syntax UID.
const TRANSFER_SYNTAX: Tag = Tag(FILE_META, 0x0010);

/// The elements of a header, written anew in order and well-formed.
pub(super) struct Mended {
    pub(super) bytes: Vec<u8>,
    /// Bytes that it was made of; what follows goes on as it came.
    pub(super) used: usize,
    pub(super) tolerated: Tolerated,
}

/// Writes the elements anew that are there whole, from the top of a data set. `None`: more has to come before it is known
/// where the header ends; never so where the data set `is_whole`, or as much is there as is put right.
///
/// # Errors
/// There are two readings, or none.
pub(super) fn mend(
    bytes: &[u8],
    syntax: Syntax,
    max_depth: usize,
    is_whole: bool,
) -> Result<Option<Mended>, ScanError> {
    let max_depth = max_depth.min(HARD_MAX_DEPTH);
    let mut mender = Mender { bytes, max_depth, path: Vec::new(), tolerated: Tolerated::default() };
    let (elements, used, ends) = mender.top(syntax)?;
    if !(ends || is_whole || bytes.len() >= MOST) {
        return Ok(None);
    }
    let bytes = mender.sorted(elements)?;
    Ok(Some(Mended { bytes, used, tolerated: mender.tolerated }))
}

/// An element, written anew.
struct Element {
    tag: Tag,
    /// Where it was.
    at: usize,
    bytes: Vec<u8>,
    /// Whether a delimiter behind it can only be its own, which it does not need.
    is_defined_sequence: bool,
}

/// Why an element cannot be written.
enum Stop {
    /// It goes on behind the bytes that are there.
    Incomplete,
    Wrong(ScanError),
}

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        Self::Wrong(error)
    }
}

/// Where what is open has to end; `None` where that is not known, and more may come.
type Limit = Option<usize>;

struct Mender<'a> {
    bytes: &'a [u8],
    max_depth: usize,
    /// The open sequences.
    path: Vec<PathStep>,
    tolerated: Tolerated,
}

impl Mender<'_> {
    /// The elements at the top, where they end, and whether the header is known to end there.
    fn top(&mut self, syntax: Syntax) -> Result<(Vec<Element>, usize, bool), ScanError> {
        let (mut at, mut elements, mut behind_sequence) = (0, Vec::<Element>::new(), false);
        loop {
            let Some(head) = self.head(at, syntax, None) else { return Ok((elements, at, false)) };
            if self.ends_header(at, syntax, &head) {
                return Ok((elements, at, true));
            }
            if behind_sequence && head.length == 0 && is_delimiter(head.number) {
                (self.tolerated.delimiter, behind_sequence) = (true, false);
                at += DELIMITER;
                continue;
            }
            let before = self.tolerated;
            let read = match head.tag().0 {
                FILE_META => self.file_meta(at, syntax).map(|end| (None, end)),
                _ => self.element(at, syntax, None).map(|(element, end)| (Some(element), end)),
            };
            match read {
                Ok((element, end)) => {
                    behind_sequence = element.as_ref().is_some_and(|element| element.is_defined_sequence);
                    elements.extend(element);
                    at = end;
                }
                Err(Stop::Incomplete) => {
                    self.tolerated = before;
                    self.path.clear();
                    return Ok((elements, at, false));
                }
                Err(Stop::Wrong(error)) => return Err(error),
            }
        }
    }

    /// Whether what begins at the top is no part of the header: fragments, NULs, or more than is put right.
    fn ends_header(&self, at: usize, syntax: Syntax, head: &Head) -> bool {
        let is_fragments = head.tag() == PIXEL_DATA && head.length == UNDEFINED;
        let is_beyond =
            head.length != UNDEFINED && (at + head.size).saturating_add(head.length as usize) > MOST;
        is_fragments || head.is_nuls(syntax) || is_beyond && head.tag().0 != FILE_META
    }

    /// Passes over an element that says how a file is encoded, as long as that is how this data set is.
    fn file_meta(&mut self, at: usize, syntax: Syntax) -> Result<usize, Stop> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let is_explicit =
            rest.get(4..6).is_some_and(|vr| vr.try_into().is_ok_and(|vr| Vr::known(vr).is_some()));
        let syntax_of_files = if is_explicit { Syntax::EXPLICIT_LE } else { syntax };
        let head = Head::read(syntax_of_files, true, rest).ok_or(Stop::Incomplete)?;
        let forbidden = |mender: &Self| mender.error(at, Some(head.tag()), ScanProblem::ForbiddenGroup);
        let (start, length) = (at + head.size, head.length as usize);
        if length > LONGEST_META {
            return Err(forbidden(self).into());
        }
        let value = self.bytes.get(start..start + length).ok_or(Stop::Incomplete)?;
        let named = std::str::from_utf8(trim(value)).ok().and_then(Encoding::of);
        if head.tag() == TRANSFER_SYNTAX && named.is_none_or(|named| named.syntax != syntax || named.deflated)
        {
            return Err(forbidden(self).into());
        }
        self.tolerated.file_meta = true;
        Ok(start + length)
    }

    /// The bytes of elements of one level, in order, each once: one that comes twice with the same value has one reading.
    fn sorted(&mut self, mut elements: Vec<Element>) -> Result<Vec<u8>, ScanError> {
        self.tolerated.order |= !elements.is_sorted_by_key(|element| number(element.tag));
        elements.sort_by_key(|element| number(element.tag));
        let count = elements.len();
        elements.dedup_by(|other, one| one.tag == other.tag && one.bytes == other.bytes);
        self.tolerated.repeated |= elements.len() < count;
        let twice = elements.windows(2).find_map(|two| match two {
            [one, other] if one.tag == other.tag => Some((other.at, other.tag)),
            _ => None,
        });
        match twice {
            Some((at, tag)) => Err(self.error(at, Some(tag), ScanProblem::Duplicate)),
            None => Ok(elements.iter().flat_map(|element| element.bytes.iter().copied()).collect()),
        }
    }

    fn error(&self, at: usize, tag: Option<Tag>, problem: ScanProblem) -> ScanError {
        let path = self.path.clone().into();
        ScanError { tag: tag.filter(|&tag| is_listed(tag)), path, offset: at as u64, problem }
    }

    fn error_of_holder(&mut self, at: usize, problem: ScanProblem) -> ScanError {
        let holder = self.path.pop().filter(|step| step.item > 0 || is_listed(step.sequence));
        ScanError { tag: holder.map(|step| step.sequence), ..self.error(at, None, problem) }
    }

    fn head(&self, at: usize, syntax: Syntax, limit: Limit) -> Option<Head> {
        Head::read(syntax, true, self.bytes.get(at..limit.unwrap_or(self.bytes.len()))?)
    }

    /// Where something of this length ends that has to end within `limit`.
    fn end(&self, start: usize, length: u32, limit: Limit) -> Result<usize, Option<ScanProblem>> {
        let end = start.saturating_add(length as usize);
        match limit {
            Some(limit) if end > limit => Err(Some(ScanProblem::Overrun)),
            _ if end > self.bytes.len() => Err(None),
            _ => Ok(end),
        }
    }

    /// The bytes ended inside what is open.
    fn cut(&self, at: usize, limit: Limit) -> Stop {
        match limit {
            Some(_) => self.error(at, None, ScanProblem::Overrun).into(),
            None => Stop::Incomplete,
        }
    }

    /// The element at `at`, and where it ends.
    fn element(&mut self, at: usize, syntax: Syntax, limit: Limit) -> Result<(Element, usize), Stop> {
        let head = self.head(at, syntax, limit).ok_or_else(|| self.cut(at, limit))?;
        let tag = head.tag();
        match tag.0 {
            0x0000 | FILE_META => return Err(self.error(at, None, ScanProblem::ForbiddenGroup).into()),
            0xFFFE => return Err(self.error(at, None, ScanProblem::MisplacedDelimiter).into()),
            _ => {}
        }
        let header = self.header(at, &head, syntax)?;
        let start = at + head.size;
        let Some(length) = header.length else {
            if header.is_sequence() {
                return self.sequence(at, &header, (start, None), limit);
            }
            return Err(self.error(at, Some(tag), ScanProblem::UndefinedLength).into());
        };
        let end = self.end(start, length, limit).map_err(|problem| {
            problem.map_or(Stop::Incomplete, |problem| self.error(at, Some(tag), problem).into())
        })?;
        if header.is_sequence() {
            return self.sequence(at, &header, (start, Some(end)), limit);
        }
        let value = self.bytes.get(start..end).unwrap_or_default();
        if begins_with_item(syntax, value) && head.may_hold_items() {
            let (path, before) = (self.path.clone(), self.tolerated);
            if let Ok(sequence) = self.sequence(at, &header, (start, Some(end)), limit) {
                return Ok(sequence);
            }
            // Where it cannot be read as one, that is for whoever reads it strictly to say.
            (self.path, self.tolerated) = (path, before);
        }
        let bytes = self.written(at, &header, length, value)?;
        Ok((Element { tag, at, bytes, is_defined_sequence: false }, end))
    }

    /// The header with a VR that is one. `??` and blanks have the short form of a header.
    fn header(&mut self, at: usize, head: &Head, syntax: Syntax) -> Result<Header, Stop> {
        if let Some(header) = head.of_element(syntax) {
            return Ok(header);
        }
        let written = self.bytes.get(at + 4..at + 6);
        let vr = written.and_then(|written| unknown_vr(written, head.tag(), syntax));
        let vr = vr.ok_or_else(|| self.error(at, Some(head.tag()), ScanProblem::UnknownVr))?;
        self.tolerated.vr = true;
        Ok(Header { tag: head.tag(), vr, length: Some(head.length), syntax })
    }

    fn written(&self, at: usize, header: &Header, length: u32, value: &[u8]) -> Result<Vec<u8>, Stop> {
        let head = encoded(header.tag, header.vr, header.syntax, length);
        let (head, size) = head.ok_or_else(|| self.error(at, Some(header.tag), ScanProblem::Overrun))?;
        Ok([head.get(..size).unwrap_or_default(), value].concat())
    }
}

/// Whether a tag is that of a delimiter.
fn is_delimiter(tag: u32) -> bool {
    matches!(tag, ITEM_END | SEQUENCE_END)
}

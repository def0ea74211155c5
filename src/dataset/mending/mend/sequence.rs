//! Sequences and their items, written anew.

use super::{DELIMITER, Element, Limit, Mender, Stop, is_delimiter};
use crate::dataset::Tag;
use crate::dataset::encoding::Syntax;
use crate::dataset::error::PathStep;
use crate::dataset::error::ScanProblem;
use crate::dataset::header::{Head, Header, ITEM, UNDEFINED, encoded};
use crate::dataset::scanner::{ITEM_END, SEQUENCE_END};
use crate::dataset::vr::Vr;

impl Mender<'_> {
    pub(super) fn sequence(
        &mut self,
        at: usize,
        header: &Header,
        (start, end): (usize, Option<usize>),
        limit: Limit,
    ) -> Result<(Element, usize), Stop> {
        if self.path.len() == self.max_depth {
            return Err(self.error(at, Some(header.tag), ScanProblem::TooDeep).into());
        }
        self.path.push(PathStep { sequence: header.tag, item: 0 });
        let (mut items, behind) = self.items(start, end, header.items(), end.or(limit))?;
        self.path.pop();
        let length = if end.is_some() { items.len() as u32 } else { UNDEFINED };
        if end.is_none() {
            items.extend(item_head(SEQUENCE_END, header.items(), 0));
        }
        let bytes = self.written(at, header, length, &items)?;
        Ok((Element { tag: header.tag, at, bytes, is_defined_sequence: end.is_some() }, behind))
    }

    /// The items of the sequence that is open, without its delimiter, and where it ends.
    fn items(
        &mut self,
        mut at: usize,
        end: Option<usize>,
        syntax: Syntax,
        limit: Limit,
    ) -> Result<(Vec<u8>, usize), Stop> {
        let (mut bytes, mut behind_defined) = (Vec::new(), false);
        while end != Some(at) {
            let head = self.bytes.get(at..limit.unwrap_or(self.bytes.len()));
            let head = head.and_then(|rest| Head::read(syntax, false, rest));
            let head = head.ok_or_else(|| self.cut(at, limit))?;
            let start = at + head.size;
            match (head.number, head.length) {
                (ITEM, length) => {
                    if let Some(step) = self.path.last_mut() {
                        step.item += 1;
                    }
                    let (item, behind) = self.item((at, start), length, syntax, limit)?;
                    bytes.extend(item);
                    (at, behind_defined) = (behind, length != UNDEFINED);
                }
                (SEQUENCE_END, 0) if end.is_none() => return Ok((bytes, start)),
                (SEQUENCE_END, 0) if end == Some(start) => {
                    (self.tolerated.delimiter, at) = (true, start);
                }
                (ITEM_END, 0) if behind_defined => {
                    (self.tolerated.delimiter, at, behind_defined) = (true, start, false);
                }
                (SEQUENCE_END | ITEM_END, _) => {
                    return Err(self.error_of_holder(at, ScanProblem::MisplacedDelimiter).into());
                }
                _ => return Err(self.error_of_holder(at, ScanProblem::NotAnItem).into()),
            }
        }
        Ok((bytes, at))
    }

    /// An item, written anew, its header and delimiter included, and where it ends.
    fn item(
        &mut self,
        (header, start): (usize, usize),
        length: u32,
        syntax: Syntax,
        limit: Limit,
    ) -> Result<(Vec<u8>, usize), Stop> {
        let end = match (length != UNDEFINED).then(|| self.end(start, length, limit)) {
            None => None,
            Some(Ok(end)) => Some(end),
            Some(Err(None)) => return Err(Stop::Incomplete),
            Some(Err(Some(problem))) => return Err(self.error_of_holder(header, problem).into()),
        };
        let (elements, behind) = self.elements(start, end, syntax, end.or(limit))?;
        let elements = self.sorted(elements)?;
        let length = end.map_or(UNDEFINED, |_| elements.len() as u32);
        let mut bytes = item_head(ITEM, syntax, length);
        bytes.extend(elements);
        if end.is_none() {
            bytes.extend(item_head(ITEM_END, syntax, 0));
        }
        Ok((bytes, behind))
    }

    /// The elements of an item, and where it ends.
    fn elements(
        &mut self,
        mut at: usize,
        end: Option<usize>,
        syntax: Syntax,
        limit: Limit,
    ) -> Result<(Vec<Element>, usize), Stop> {
        let (mut elements, mut behind_sequence) = (Vec::new(), false);
        while end != Some(at) {
            let head = self.head(at, syntax, limit).ok_or_else(|| self.cut(at, limit))?;
            let behind = at + DELIMITER;
            match (head.number, head.length) {
                (ITEM_END, 0) if end.is_none() => return Ok((elements, behind)),
                (ITEM_END, 0) if end == Some(behind) => (self.tolerated.delimiter, at) = (true, behind),
                (SEQUENCE_END, 0) if behind_sequence => {
                    (self.tolerated.delimiter, at, behind_sequence) = (true, behind, false);
                }
                (number, _) if is_delimiter(number) => {
                    return Err(self.error_of_holder(at, ScanProblem::MisplacedDelimiter).into());
                }
                _ => {
                    let (element, behind) = self.element(at, syntax, limit)?;
                    behind_sequence = element.is_defined_sequence;
                    elements.push(element);
                    at = behind;
                }
            }
        }
        Ok((elements, at))
    }
}

/// The header of an item, or a delimiter.
fn item_head(tag: u32, syntax: Syntax, length: u32) -> Vec<u8> {
    let head = encoded(Tag((tag >> 16) as u16, tag as u16), Vr::UN, syntax, length);
    head.map_or_else(Vec::new, |(head, size)| head.get(..size).unwrap_or_default().to_vec())
}

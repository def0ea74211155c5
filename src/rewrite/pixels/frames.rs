//! Fragments of encapsulated pixel data put together to frames (PS3.5 A.4), one at a time.

use super::super::error::RewriteProblem;
use crate::buffer::{Corner, Lot};

/// Longest offset table, in bytes.
const LONGEST_TABLE: usize = 4 << 20;

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    Table,
    Frames,
}

/// See the [module](self). No more than one frame is held.
#[derive(Debug)]
pub(super) struct Frames {
    count: u64,
    largest: usize,
    place: Place,
    /// The offset table, as it came.
    table: Lot,
    /// Of the next fragment's header, from the first one's.
    position: u64,
    /// Frames begun.
    begun: u64,
    frame: Lot,
    corner: Corner,
}

impl Frames {
    pub(super) fn new(count: u64, largest: usize, corner: Corner) -> Self {
        let (table, frame) = (corner.lot(), corner.lot());
        Self { count, largest, place: Place::Before, table, position: 0, begun: 0, frame, corner }
    }

    /// A fragment begins, or the offset table. The frame that is complete with that, if one is; an error where frames cannot
    /// be told apart, or are too many.
    pub(super) fn begin(&mut self, length: u32) -> Result<Option<Lot>, RewriteProblem> {
        if self.place == Place::Before {
            self.place = Place::Table;
            let whole = u64::from(length) == self.count.saturating_mul(4);
            let is_table = length == 0 || whole && length as usize <= LONGEST_TABLE;
            return if is_table { Ok(None) } else { Err(RewriteProblem::Frames) };
        }
        self.place = Place::Frames;
        let complete = if self.begins_frame()? {
            self.begun += 1;
            (self.begun > 1).then(|| self.taken())
        } else {
            None
        };
        self.position = self.position.saturating_add(8).saturating_add(u64::from(length));
        if self.begun == 0 || self.begun > self.count { Err(RewriteProblem::Frames) } else { Ok(complete) }
    }

    /// Takes the next bytes of the offset table or of the fragment that has begun.
    pub(super) fn value(&mut self, bytes: &[u8]) -> Result<(), RewriteProblem> {
        if self.place == Place::Table {
            return Ok(self.table.append(bytes, LONGEST_TABLE)?);
        }
        if self.frame.len().saturating_add(bytes.len()) > self.largest {
            return Err(RewriteProblem::Frames);
        }
        Ok(self.frame.append(bytes, self.largest)?)
    }

    /// The last frame, where as many have come as the data set said.
    pub(super) fn finish(&mut self) -> Result<Lot, RewriteProblem> {
        if self.begun == self.count && self.count > 0 {
            Ok(self.taken())
        } else {
            Err(RewriteProblem::Frames)
        }
    }

    fn taken(&mut self) -> Lot {
        std::mem::replace(&mut self.frame, self.corner.lot())
    }

    /// Without an offset table every fragment is a frame, but for a single frame, which has all of them.
    fn begins_frame(&self) -> Result<bool, RewriteProblem> {
        if self.table.is_empty() {
            return Ok(self.count > 1 || self.begun == 0);
        }
        let at = usize::try_from(self.begun).unwrap_or(usize::MAX).saturating_mul(4);
        let start = self.table.look(|table| table.get(at..at.saturating_add(4))?.try_into().ok())?;
        Ok(start.is_some_and(|start| u64::from(u32::from_le_bytes(start)) == self.position))
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, RewriteProblem};
    use crate::buffer::{Lot, Shelf};

    fn frames(count: u64, table: &[u32], fragments: &[&[u8]]) -> Result<Vec<Vec<u8>>, RewriteProblem> {
        let mut frames = Frames::new(count, 5, Shelf::of_one());
        let table: Vec<u8> = table.iter().flat_map(|start| start.to_le_bytes()).collect();
        let mut found = Vec::new();
        for bytes in [table.as_slice()].iter().chain(fragments) {
            found.extend(frames.begin(bytes.len() as u32)?.map(|lot| bytes_of(&lot)));
            bytes.chunks(1).try_for_each(|byte| frames.value(byte))?;
        }
        found.push(bytes_of(&frames.finish()?));
        Ok(found)
    }

    fn bytes_of(lot: &Lot) -> Vec<u8> {
        lot.look(<[u8]>::to_vec).unwrap()
    }

    #[test]
    fn frames_are_told_apart_by_the_table_or_by_fragments() {
        let three: [&[u8]; 3] = [b"ab", b"cd", b"ef"];
        assert_eq!(frames(3, &[], &three), Ok(vec![b"ab".to_vec(), b"cd".to_vec(), b"ef".to_vec()]));
        assert_eq!(frames(2, &[0, 20], &three), Ok(vec![b"abcd".to_vec(), b"ef".to_vec()]));
        assert_eq!(frames(1, &[], &three[..2]), Ok(vec![b"abcd".to_vec()]));
        assert_eq!(frames(1, &[0], &three[..1]), Ok(vec![b"ab".to_vec()]));
        for (count, table) in [(2, &[][..]), (4, &[]), (2, &[0, 8]), (2, &[10, 20]), (3, &[0, 10]), (0, &[])]
        {
            assert_eq!(frames(count, table, &three), Err(RewriteProblem::Frames), "{count} {table:?}");
        }
        assert_eq!(frames(1, &[], &three), Err(RewriteProblem::Frames), "larger than allowed");
    }

    #[test]
    fn a_table_lies_on_the_shelf_as_frames_do() {
        let shelf = Shelf::new(40 << 10, 0);
        let begun = |peer: &str, count: u32| {
            let mut frames = Frames::new(count.into(), 100, shelf.corner(peer.into()));
            frames.begin(count * 4).unwrap();
            let table = frames.value(&vec![0; count as usize * 4]);
            (frames, table)
        };
        let (_first, table) = begun("a", 4096);
        assert_eq!(table, Ok(()));
        let (_second, table) = begun("a", 4096);
        assert_eq!(table, Err(RewriteProblem::NoRoom));
        let (mut third, table) = begun("b", 8);
        assert_eq!((table, third.begin(2).map(|frame| frame.is_none())), (Ok(()), Ok(true)));
    }
}

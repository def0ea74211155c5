//! Fragments of encapsulated pixel data put together to frames (PS3.5 A.4), one at a time.

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
    table: Vec<u8>,
    /// Of the next fragment's header, from the first one's.
    position: u64,
    /// Frames begun.
    begun: u64,
    frame: Vec<u8>,
}

impl Frames {
    pub(super) fn new(count: u64, largest: usize) -> Self {
        let place = Place::Before;
        Self { count, largest, place, table: Vec::new(), position: 0, begun: 0, frame: Vec::new() }
    }

    /// A fragment begins, or the offset table. The frame that is complete with that, if one is; an error where frames cannot
    /// be told apart, or are too many.
    pub(super) fn begin(&mut self, length: u32) -> Result<Option<Vec<u8>>, ()> {
        if self.place == Place::Before {
            self.place = Place::Table;
            let whole = u64::from(length) == self.count.saturating_mul(4);
            return if length == 0 || whole && length as usize <= LONGEST_TABLE { Ok(None) } else { Err(()) };
        }
        self.place = Place::Frames;
        let complete = if self.begins_frame() {
            self.begun += 1;
            (self.begun > 1).then(|| std::mem::take(&mut self.frame))
        } else {
            None
        };
        self.position = self.position.saturating_add(8).saturating_add(u64::from(length));
        if self.begun == 0 || self.begun > self.count { Err(()) } else { Ok(complete) }
    }

    /// Bytes of what began.
    pub(super) fn value(&mut self, bytes: &[u8]) -> Result<(), ()> {
        if self.place == Place::Table {
            self.table.extend_from_slice(bytes);
            return Ok(());
        }
        if self.frame.len().saturating_add(bytes.len()) > self.largest {
            return Err(());
        }
        self.frame.extend_from_slice(bytes);
        Ok(())
    }

    /// The last frame.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, ()> {
        if self.begun == self.count && self.count > 0 { Ok(std::mem::take(&mut self.frame)) } else { Err(()) }
    }

    /// Without an offset table every fragment is a frame, but for a single frame, which has all of them.
    fn begins_frame(&self) -> bool {
        if self.table.is_empty() {
            return self.count > 1 || self.begun == 0;
        }
        let at = usize::try_from(self.begun).unwrap_or(usize::MAX).saturating_mul(4);
        let start = self.table.get(at..at.saturating_add(4)).and_then(|bytes| bytes.try_into().ok());
        start.is_some_and(|start| u64::from(u32::from_le_bytes(start)) == self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::Frames;

    fn frames(count: u64, table: &[u32], fragments: &[&[u8]]) -> Result<Vec<Vec<u8>>, ()> {
        let mut frames = Frames::new(count, 5);
        let table: Vec<u8> = table.iter().flat_map(|start| start.to_le_bytes()).collect();
        let mut found = Vec::new();
        for bytes in [table.as_slice()].iter().chain(fragments) {
            found.extend(frames.begin(bytes.len() as u32)?);
            bytes.chunks(1).try_for_each(|byte| frames.value(byte))?;
        }
        found.push(frames.finish()?);
        Ok(found)
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
            assert_eq!(frames(count, table, &three), Err(()), "{count} {table:?}");
        }
        assert_eq!(frames(1, &[], &three), Err(()), "larger than allowed");
    }
}

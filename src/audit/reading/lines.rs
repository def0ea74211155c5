//! The bytes of a file in batches of whole lines.

use std::io::{self, Read};

use super::RecordFile;

/// About how many bytes a batch holds.
const BATCH: usize = 1 << 20;
/// Far longer than any record; what goes on after it is not held in memory.
const LINE_LIMIT: usize = 4 << 20;
/// What stays of a line that is too long, so that it counts as one, damaged.
const STUB: usize = 64;

/// Reads batches until an empty one.
pub(super) struct Batches {
    source: Box<dyn Read + Send>,
    /// The begin of a line whose end was not read yet.
    rest: Vec<u8>,
    ended: bool,
}

impl Batches {
    pub(super) fn open(file: &RecordFile) -> io::Result<Self> {
        Ok(Self::of(file.open()?))
    }

    pub(super) fn of(source: Box<dyn Read + Send>) -> Self {
        Self { source, rest: Vec::new(), ended: false }
    }

    /// The first bytes of the file; nothing is read on after that.
    pub(super) fn first(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(STUB);
        (&mut self.source).take(STUB as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Whole lines, the last of the file perhaps without its line feed; empty at the end.
    ///
    /// # Errors
    /// What reading gave; lines before it have been handed out, all but one cut in the middle.
    pub(super) fn next(&mut self) -> io::Result<Vec<u8>> {
        let mut batch = std::mem::take(&mut self.rest);
        while !self.ended {
            let before = batch.len();
            self.fill(&mut batch)?;
            let fresh = batch.get(before..).unwrap_or_default();
            if let Some(end) = memchr::memrchr(b'\n', fresh) {
                self.rest = batch.split_off(before + end + 1);
                break;
            }
            if batch.len() > LINE_LIMIT {
                self.pass_over_line(&mut batch)?;
                break;
            }
        }
        Ok(batch)
    }

    fn fill(&mut self, batch: &mut Vec<u8>) -> io::Result<()> {
        batch.reserve(BATCH);
        let taken = (&mut self.source).take(BATCH as u64).read_to_end(batch)?;
        self.ended = taken < BATCH;
        Ok(())
    }

    /// Leaves a stub of the line that began `batch`, and reads on behind its end.
    fn pass_over_line(&mut self, batch: &mut Vec<u8>) -> io::Result<()> {
        batch.truncate(STUB);
        batch.push(b'\n');
        let mut more = Vec::new();
        while !self.ended {
            more.clear();
            self.fill(&mut more)?;
            if let Some(end) = memchr::memchr(b'\n', &more) {
                self.rest = more.split_off(end + 1);
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{BATCH, Batches, LINE_LIMIT};
    use std::io::Cursor;

    fn lines(text: &str) -> Vec<String> {
        let mut batches = Batches::of(Box::new(Cursor::new(text.as_bytes().to_vec())));
        let mut all = Vec::new();
        loop {
            let batch = batches.next().unwrap();
            if batch.is_empty() {
                return all;
            }
            let text = String::from_utf8(batch).unwrap();
            all.extend(text.lines().map(str::to_owned));
        }
    }

    #[test]
    fn batches_hold_whole_lines_wherever_they_are_cut() {
        let written: Vec<String> = (0..40_000).map(|n| format!("{n}-{}", "x".repeat(n % 131))).collect();
        let text = written.join("\n");
        assert!(text.len() > 2 * BATCH);
        assert_eq!(lines(&text), written);
        assert_eq!(lines(&(text + "\n")), written);
        assert_eq!(lines(""), Vec::<String>::new());
    }

    #[test]
    fn an_endless_line_costs_no_endless_memory_and_is_one_line() {
        let text = format!("one\n{}\nthree\n", "x".repeat(LINE_LIMIT + 2 * BATCH + 7));
        assert_eq!(lines(&text), ["one".to_owned(), "x".repeat(64), "three".to_owned()]);
    }
}

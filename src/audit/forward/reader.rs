//! Reading on in the trail, line by line, from one day to the next.

use super::position::{CHUNK, Position, Source, sources};
use crate::audit::regular;
use crate::audit::unsent::{self, Unsent};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::ops::Bound;
use std::path::{Path, PathBuf};

/// Hands out lines; knows where it is.
pub(super) struct Reader {
    directory: PathBuf,
    /// After the last line that was handed out.
    at: Position,
    /// Whole lines, of which those from `next` on follow `at`.
    lines: Vec<u8>,
    next: usize,
    kept: Option<Kept>,
}

/// What was kept of a day, read as far as the lines at hand go.
struct Kept {
    path: PathBuf,
    offset: u64,
    lines: Box<dyn BufRead + Send>,
}

/// How often in a row a file may be gone when it is opened.
const MOST_GONE: u32 = 3;

impl Reader {
    pub(super) fn new(directory: &Path, at: Position) -> Self {
        Self { directory: directory.to_owned(), at, lines: Vec::new(), next: 0, kept: None }
    }

    /// After the last line that was handed out.
    pub(super) fn position(&self) -> &Position {
        &self.at
    }

    /// The line that follows, without its line feed; `None` while there is none.
    ///
    /// # Errors
    /// A file of the trail cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let length = self.peek()?.map(<[u8]>::len);
        let Some(length) = length else { return Ok(None) };
        let start = self.next;
        self.next = start.saturating_add(length).saturating_add(1);
        self.at.offset = self.at.offset.saturating_add(length as u64 + 1);
        Ok(self.lines.get(start..start.saturating_add(length)))
    }

    /// The same, and stays in front of it.
    pub(super) fn peek(&mut self) -> io::Result<Option<&[u8]>> {
        if self.next >= self.lines.len() {
            self.fill()?;
        }
        let rest = self.lines.get(self.next..).filter(|rest| !rest.is_empty());
        Ok(rest.and_then(|rest| rest.split(|&byte| byte == b'\n').next()))
    }

    /// Reads the lines that follow, of one day; none where there are none yet.
    fn fill(&mut self) -> io::Result<()> {
        (self.lines, self.next) = (Vec::new(), 0);
        let mut gone = 0;
        loop {
            // Listed before anything is read: when a later day is there, the earlier ones are whole.
            let sources = sources(&self.directory)?;
            let Some((file, source)) = sources.range(self.at.file.clone()..).next() else { return Ok(()) };
            if *file != self.at.file {
                self.at = Position { file: file.clone(), offset: 0 };
            }
            let found = match source {
                Source::Open(path) => self.read_open(path),
                Source::Kept(unsent) => self.read_kept(unsent),
            };
            match found {
                // Closed since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound && gone < MOST_GONE => gone += 1,
                Err(error) => return Err(error),
                Ok(Found::Lines(lines)) => {
                    self.lines = lines;
                    return Ok(());
                }
                Ok(Found::PassedOver) => {}
                Ok(Found::Nothing) => match day_after(&sources, &self.at.file) {
                    None => return Ok(()),
                    Some(later) => {
                        tracing::debug!(from = %self.at.file, to = %later, "reading on in the next audit file");
                        self.at = Position { file: later, offset: 0 };
                    }
                },
            }
        }
    }

    fn read_open(&mut self, path: &Path) -> io::Result<Found> {
        let mut file = regular::follow(path)?;
        let length = file.metadata()?.len();
        if length < self.at.offset {
            tracing::error!(file = %path.display(), "the audit file is shorter than it was; it is read from its beginning");
            self.at.offset = 0;
        }
        file.seek(SeekFrom::Start(self.at.offset))?;
        let mut lines = Vec::new();
        file.take(CHUNK).read_to_end(&mut lines)?;
        let whole = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        if whole == 0 && lines.len() as u64 == CHUNK {
            tracing::error!(file = %path.display(), offset = self.at.offset,
                "no line ends in half a mebibyte; it is passed over");
            self.at.offset = self.at.offset.saturating_add(CHUNK);
            return Ok(Found::PassedOver);
        }
        lines.truncate(whole);
        Ok(if whole == 0 { Found::Nothing } else { Found::Lines(lines) })
    }

    /// The file does not grow: what ends without a line feed is no line.
    fn read_kept(&mut self, unsent: &Unsent) -> io::Result<Found> {
        let named = |error: io::Error| {
            let file = unsent.path.display();
            io::Error::new(error.kind(), format!("{file}: {error}; without it the records after it are sent"))
        };
        let kept = self.kept.take_if(|kept| kept.path == unsent.path && kept.offset == self.at.offset);
        let mut kept = match kept {
            Some(kept) => kept,
            None => self.open_kept(unsent).map_err(named)?,
        };
        let mut lines = Vec::new();
        while (lines.len() as u64) < CHUNK / 2 {
            let before = lines.len();
            let read = kept.lines.by_ref().take(CHUNK).read_until(b'\n', &mut lines).map_err(named)?;
            if read == 0 || lines.last() != Some(&b'\n') {
                lines.truncate(before);
                break;
            }
        }
        kept.offset = kept.offset.saturating_add(lines.len() as u64);
        self.kept = Some(kept);
        Ok(if lines.is_empty() { Found::Nothing } else { Found::Lines(lines) })
    }

    fn open_kept(&mut self, unsent: &Unsent) -> io::Result<Kept> {
        let mut lines = unsent.open()?;
        if self.at.offset < unsent.from {
            tracing::error!(file = %unsent.path.display(), from = self.at.offset, to = unsent.from,
                "what stood before these records is not there any more");
            self.at.offset = unsent.from;
        }
        unsent::pass_over(&mut lines, self.at.offset - unsent.from)?;
        Ok(Kept { path: unsent.path.clone(), offset: self.at.offset, lines })
    }
}

/// What is there after a position.
enum Found {
    Lines(Vec<u8>),
    Nothing,
    PassedOver,
}

fn day_after(sources: &BTreeMap<String, Source>, file: &str) -> Option<String> {
    let after = (Bound::Excluded(file), Bound::Unbounded);
    sources.range::<str, _>(after).next().map(|(later, _)| later.clone())
}

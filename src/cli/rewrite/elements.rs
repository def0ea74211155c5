//! The elements of a DICOM file, one after the other, in bounded memory.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use flate2::read::DeflateDecoder;

use super::failure::FileError;
use super::file::read_some;
use super::names::{Creators, Place};
use super::part10::{self, Start};
use crate::dataset::{Encoding, Event, HARD_MAX_DEPTH, Header, Kind, Raw, Scanner};
use crate::rewrite::RewriteError;

const CHUNK: usize = 256 << 10;
/// No deflated data set of more is read.
const MOST_INFLATED: u64 = 512 << 20;

/// An element, its value as far as it was wanted.
pub(super) struct Element<'e> {
    pub header: Header,
    pub place: &'e Place,
    /// The first bytes of the value, as they are encoded, with their padding.
    pub value: &'e [u8],
    /// Specific Character Set (0008,0005) of its data set or item.
    pub character_set: &'e [u8],
}

/// Who looks at the elements of a file.
pub(super) trait Look {
    /// Bytes of the value that are wanted, at most.
    fn wants(&mut self, header: &Header, place: &Place) -> usize;

    /// An element that is no sequence, once its value has been read.
    fn element(&mut self, element: &Element<'_>);

    /// What the file says of itself, before any element.
    fn begins(&mut self, _start: &Start) {}

    /// Encapsulated pixel data begin; whether their fragments are wanted.
    fn fragments(&mut self, _header: &Header) -> usize {
        0
    }

    /// A fragment of encapsulated pixel data, or, as the first, the offset table.
    fn fragment(&mut self, _bytes: &[u8]) {}
}

/// Reads a file to its end.
///
/// # Errors
/// It cannot be opened or read, is no DICOM file, or cannot be parsed.
pub(super) fn look_at(path: &Path, look: &mut dyn Look) -> Result<(), FileError> {
    let mut file = File::open(path).map_err(|error| FileError::open(path, error))?;
    let mut first = vec![0; CHUNK];
    let filled = read_some(&mut file, &mut first).map_err(FileError::Read)?;
    first.truncate(filled);
    let start = part10::read(&first)?;
    let syntax = start.transfer_syntax_uid.as_str();
    let encoding = Encoding::of(syntax).ok_or_else(|| FileError::TransferSyntax(syntax.to_owned()))?;
    look.begins(&start);
    let mut rest = Cursor::new(first.split_off(start.data_set.min(first.len()))).chain(file);
    let mut reading = Reading::new(Scanner::new(encoding.syntax, HARD_MAX_DEPTH).tolerating(), look);
    if encoding.deflated {
        reading.all(&mut DeflateDecoder::new(rest).take(MOST_INFLATED))
    } else {
        reading.all(&mut rest)
    }
}

struct Reading<'l> {
    scanner: Scanner,
    look: &'l mut dyn Look,
    creators: Creators,
    /// The element under way, where it is no sequence.
    header: Option<Header>,
    value: Vec<u8>,
    wanted: usize,
    in_fragments: bool,
}

impl<'l> Reading<'l> {
    fn new(scanner: Scanner, look: &'l mut dyn Look) -> Self {
        let creators = Creators::default();
        Self { scanner, look, creators, header: None, value: Vec::new(), wanted: 0, in_fragments: false }
    }

    fn all(&mut self, input: &mut dyn Read) -> Result<(), FileError> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let filled = read_some(input, &mut chunk).map_err(FileError::Read)?;
            let read = chunk.get(..filled).unwrap_or_default();
            let mut at = 0;
            while let Some(event) = self.scanner.next(read, &mut at).map_err(RewriteError::from)? {
                self.event(&event, read);
            }
            if filled == 0 {
                self.element_ends();
                return Ok(self.scanner.finish().map_err(RewriteError::from)?);
            }
        }
    }

    fn event(&mut self, event: &Event, input: &[u8]) {
        match event.kind {
            Kind::Value { rest } => {
                let range = if let Raw::Input(range) = &event.raw { input.get(range.clone()) } else { None };
                let bytes = range.unwrap_or_else(|| self.scanner.carried());
                let room = self.wanted.saturating_sub(self.value.len()).min(bytes.len());
                self.value.extend_from_slice(bytes.get(..room).unwrap_or_default());
                if rest == 0 {
                    self.value_ends();
                }
            }
            Kind::Element(header) => self.element_begins(header),
            Kind::SequenceStart(header) => {
                self.element_ends();
                self.creators.enter_sequence(header.tag);
            }
            Kind::ItemStart { .. } => self.creators.enter_item(),
            Kind::ItemEnd => {
                self.element_ends();
                self.creators.leave_item();
            }
            Kind::SequenceEnd => self.creators.leave_sequence(),
            Kind::FragmentsStart(header) => {
                self.element_ends();
                (self.in_fragments, self.wanted) = (true, self.look.fragments(&header));
            }
            Kind::Fragment { length: 0 } => self.value_ends(),
            Kind::Fragment { .. } => {}
            Kind::FragmentsEnd => self.in_fragments = false,
        }
    }

    fn element_begins(&mut self, header: Header) {
        self.element_ends();
        let place = self.creators.place(header.tag);
        self.wanted = self.look.wants(&header, place).max(Creators::wants(header.tag));
        self.header = Some(header);
        if header.length == Some(0) {
            self.value_ends();
        }
    }

    fn value_ends(&mut self) {
        if self.in_fragments {
            self.look.fragment(&self.value);
            self.value.clear();
        } else {
            self.element_ends();
        }
    }

    fn element_ends(&mut self) {
        if let Some(header) = self.header.take() {
            self.creators.read(header.tag, &self.value);
            self.creators.place(header.tag);
            let (place, character_set) = (self.creators.current(), self.creators.character_set());
            let element = Element { header, place, value: &self.value, character_set };
            self.look.element(&element);
        }
        self.value.clear();
    }
}

//! What stands in compressed pixel data beside the images, and could carry text: comments, application segments, segments and
//! boxes that nobody needs or that hold more than they should, what follows the end of an image, entries of offset tables that are
//! no offsets, and the space between RLE segments.
//!
//! It is overwritten where it stands, with as many bytes: no length and no offset changes, and nothing is decoded or held.
//! Bytes of the image pass as they came, with what decoders need to read them (see [`segment`]).
//!
//! What is not looked into: video (MPEG-2, H.264, H.265), JPEG XL, and encapsulated uncompressed pixel data.

mod boxes;
mod codestream;
mod form;
mod rle;
mod segment;
mod table;

use super::super::error::RewriteProblem;
use super::extent::Extent;
use super::tags::EXTENDED_LENGTHS;
use crate::dataset::Tag;
use codestream::Codestream;
use rle::Rle;
use table::{Says, Table};

/// Bytes of a fragment that are treated alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rewrite) struct Stretch {
    /// At least 1, at most what was asked about.
    pub(in crate::rewrite) length: usize,
    /// What stands in place of each byte; `None`: it passes.
    pub(in crate::rewrite) fill: Option<u8>,
}

impl Stretch {
    fn keep(length: usize) -> Self {
        Self { length, fill: None }
    }

    fn fill(length: usize, with: u8) -> Self {
        Self { length, fill: Some(with) }
    }
}

/// How the frames of a transfer syntax are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Made {
    /// Of marker segments: JPEG, JPEG-LS, JPEG 2000, HTJ2K.
    Marked {
        /// Of JPEG 2000 also those of Part 2.
        part_2: bool,
    },
    Rle,
    /// Of something else, or of what nobody said.
    #[default]
    Other,
}

impl Made {
    /// By PS3.6 Table A-1, retired ones too.
    fn of(transfer_syntax_uid: &str) -> Self {
        let Some(kind) = transfer_syntax_uid.strip_prefix("1.2.840.10008.1.2.") else { return Self::Other };
        match kind.strip_prefix("4.").map(str::parse::<u16>) {
            Some(Ok(92 | 93)) => Self::Marked { part_2: true },
            Some(Ok(50..=66 | 70 | 80 | 81 | 90 | 91 | 201..=203)) => Self::Marked { part_2: false },
            None if kind == "5" => Self::Rle,
            _ => Self::Other,
        }
    }
}

/// What is under way.
#[derive(Debug)]
enum Place {
    Table(Table),
    Marked(Codestream),
    Rle(Rle),
    /// Of RLE whose size is not told.
    Undescribed,
    /// Passes as it came.
    Other,
}

/// One element's encapsulated pixel data on their way (PS3.5 A.4).
#[derive(Debug, Default)]
pub(in crate::rewrite) struct Asides {
    made: Made,
    /// Pixels of a frame and number of frames, where they are known.
    pixels: Option<u64>,
    frames: Option<u64>,
    /// Bytes of a frame's pixels, where they are known.
    frame: Option<u64>,
    /// Whether anything was said of an image.
    is_image: bool,
    place: Option<Place>,
}

impl Asides {
    /// Says in which transfer syntax the data set is.
    pub(in crate::rewrite) fn of_syntax(&mut self, transfer_syntax_uid: &str) {
        self.made = Made::of(transfer_syntax_uid);
    }

    /// An element with fragments begins.
    pub(in crate::rewrite) fn begin(&mut self, extent: Option<&Extent>) {
        self.pixels = extent.and_then(Extent::pixels);
        self.frames = extent.and_then(Extent::frames);
        self.frame = extent.and_then(Extent::frame);
        self.is_image = extent.is_some_and(Extent::is_image);
        self.place = None;
    }

    /// One of the [extended tables](super::tags::is_extended_table) begins, of so many bytes.
    pub(in crate::rewrite) fn begin_extended(&mut self, tag: Tag, length: u32, extent: &Extent) {
        self.begin(Some(extent));
        let says = if tag == EXTENDED_LENGTHS { Says::Length } else { Says::BeginExtended };
        self.place = Some(Place::Table(Table::new(says, length, self.frames, self.frame)));
    }

    /// A fragment begins, or the offset table, of so many bytes.
    pub(in crate::rewrite) fn item(&mut self, length: u32) {
        self.place = Some(match (self.place.take(), self.made) {
            (None, _) => Place::Table(Table::new(Says::Begin, length, self.frames, self.frame)),
            (Some(Place::Marked(mut stream)), _) => {
                stream.fragment();
                Place::Marked(stream)
            }
            (Some(Place::Rle(mut rle)), _) => {
                rle.fragment();
                Place::Rle(rle)
            }
            (_, Made::Marked { part_2 }) => Place::Marked(Codestream::new(part_2)),
            (_, Made::Rle) => match self.pixels {
                Some(pixels) => Place::Rle(Rle::new(pixels, self.frames == Some(1))),
                None if self.is_image => Place::Undescribed,
                None => Place::Other,
            },
            (_, Made::Other) => Place::Other,
        });
    }

    /// Appends what goes out for bytes of the offset table; `false`: it is none. Bytes of an entry that is not
    /// whole go out with the rest of it.
    pub(in crate::rewrite) fn table(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(Place::Table(table)) = &mut self.place else { return false };
        table.put(bytes, out);
        true
    }

    /// What becomes of the first bytes of those that come next, and are not of the [table](Self::table); they are not empty.
    ///
    /// # Errors
    /// There is something else than a frame of the transfer syntax, so that nobody knows what in it is image and what not.
    pub(in crate::rewrite) fn stretch(&mut self, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        match &mut self.place {
            Some(Place::Marked(stream)) => stream.stretch(bytes),
            Some(Place::Rle(rle)) => rle.stretch(bytes),
            Some(Place::Undescribed) => Err(RewriteProblem::Undescribed),
            Some(Place::Table(_) | Place::Other) | None => Ok(Stretch::keep(bytes.len())),
        }
    }
}

#[cfg(test)]
mod tests;

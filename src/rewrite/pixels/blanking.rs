//! One object's pixel data on their way: which bytes are blank, and what they become.

use super::super::error::RewriteProblem;
use super::area::Area;
use super::decoding::{Decoding, Frame, Pixels};
use super::layout::Layout;
use crate::dataset::{Header, Tag, Vr};

/// Where the blank pixels of an object are, frame by frame.
#[derive(Debug)]
pub(in crate::rewrite) struct Blanking {
    layout: Layout,
    area: Area,
    /// Whether each two bytes have changed places: pixels of 8 bits in the words of OW, in big endian.
    swapped: bool,
    begun: bool,
    /// Of pixel data that are compressed.
    decoding: Option<Decoding>,
    /// Bytes decoded.
    decoded: u64,
    /// Whether the frame under way is the last.
    ended: bool,
}

/// Bytes that are treated alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rewrite) struct Run {
    pub(in crate::rewrite) blank: bool,
    /// At least 1.
    pub(in crate::rewrite) length: u64,
}

impl Blanking {
    pub(super) fn new(layout: Layout, area: Area, decoding: Option<Decoding>) -> Self {
        Self { layout, area, swapped: false, begun: false, decoding, decoded: 0, ended: false }
    }

    /// Whether the pixel data are decoded.
    pub(in crate::rewrite) fn decodes(&self) -> bool {
        self.decoding.is_some()
    }

    /// Whether decoding makes RGB of other colours.
    pub(in crate::rewrite) fn makes_rgb(&self) -> bool {
        self.decoding.as_ref().is_some_and(Decoding::makes_rgb)
    }

    /// Encapsulated pixel data begin: VR and length of what goes out for them.
    pub(in crate::rewrite) fn begin_decoding(&mut self) -> Result<(Vr, u32), RewriteProblem> {
        self.begun = true;
        self.layout.native().ok_or(RewriteProblem::PixelLength)
    }

    /// Bytes that are in hand while frames are decoded.
    pub(in crate::rewrite) fn room(&self) -> u64 {
        self.decoding.as_ref().map_or(0, Decoding::room)
    }

    /// A fragment begins, or the offset table. The frame that is complete with that.
    pub(in crate::rewrite) fn fragment(&mut self, length: u32) -> Result<Option<Frame>, RewriteProblem> {
        self.decoding.as_mut().ok_or(RewriteProblem::CompressedPixels)?.begin(length)
    }

    pub(in crate::rewrite) fn compressed(&mut self, bytes: &[u8]) -> Result<(), RewriteProblem> {
        self.decoding.as_mut().ok_or(RewriteProblem::CompressedPixels)?.value(bytes)
    }

    /// The last frame.
    pub(in crate::rewrite) fn last_frame(&mut self) -> Result<Frame, RewriteProblem> {
        self.ended = true;
        self.decoding.as_mut().ok_or(RewriteProblem::CompressedPixels)?.finish()
    }

    /// The pixels of a frame as they are sent, with what pads those of the last one.
    pub(in crate::rewrite) fn blanked(&mut self, pixels: Pixels) -> Result<Vec<u8>, RewriteProblem> {
        let mut frame = self.masked(pixels.0.ok_or(RewriteProblem::Undecodable)?)?;
        if self.ended && self.decoded != self.layout.total {
            return Err(RewriteProblem::PixelLength);
        }
        if self.ended && !self.decoded.is_multiple_of(2) {
            frame.push(0);
        }
        Ok(frame)
    }

    fn masked(&mut self, mut frame: Vec<u8>) -> Result<Vec<u8>, RewriteProblem> {
        let (mut at, mut black) = (0, Vec::new());
        while at < frame.len() {
            let offset = self.decoded + at as u64;
            let run = self.run(offset);
            let taken = usize::try_from(run.length).unwrap_or(usize::MAX).clamp(1, frame.len() - at);
            if run.blank {
                black.clear();
                self.fill(offset, taken, &mut black);
                let blank = frame.get_mut(at..at + taken).filter(|blank| blank.len() == black.len());
                blank.ok_or(RewriteProblem::Unmaskable)?.copy_from_slice(&black);
            }
            at += taken;
        }
        self.decoded += frame.len() as u64;
        Ok(frame)
    }

    /// The pixel data begin.
    ///
    /// # Errors
    /// They are not what was described.
    pub(in crate::rewrite) fn begin(&mut self, header: &Header) -> Result<(), (Tag, RewriteProblem)> {
        if self.decodes() {
            return Err((header.tag, RewriteProblem::Unmaskable));
        }
        self.swapped = self.layout.check(header)?;
        self.begun = true;
        Ok(())
    }

    /// Whether pixel data have come.
    pub(in crate::rewrite) fn has_begun(&self) -> bool {
        self.begun
    }

    /// From a byte of the value on.
    pub(in crate::rewrite) fn run(&self, offset: u64) -> Run {
        if self.swapped {
            Run { length: 1, ..self.run_of_plane(offset ^ 1) }
        } else {
            self.run_of_plane(offset)
        }
    }

    fn run_of_plane(&self, offset: u64) -> Run {
        let &Layout { pixel, row, plane, total, .. } = &self.layout;
        let pass = |length| Run { blank: false, length };
        if offset >= total {
            return pass(u64::MAX);
        }
        let in_plane = offset % plane;
        let in_row = in_plane % row;
        let (blank, end) = self.area.row(in_plane / row);
        if blank.is_empty() {
            return pass(end.saturating_mul(row).min(plane) - in_plane);
        }
        match blank.get(blank.partition_point(|columns| columns.end * pixel <= in_row)) {
            Some(columns) if in_row < columns.start * pixel => pass(columns.start * pixel - in_row),
            Some(columns) => Run { blank: true, length: columns.end * pixel - in_row },
            None => pass(row - in_row),
        }
    }

    /// Appends the bytes that stand from `offset` on instead of `length` blank ones of one run.
    pub(in crate::rewrite) fn fill(&self, offset: u64, length: usize, new: &mut Vec<u8>) {
        let offset = if self.swapped { offset ^ 1 } else { offset };
        let plane = (offset / self.layout.plane) % self.layout.black.len().max(1) as u64;
        let black = self.layout.black.get(plane as usize).map_or(&[0][..], Vec::as_slice);
        let phase = (offset % self.layout.plane % self.layout.pixel) as usize;
        match black {
            [one] => new.resize(new.len() + length, *one),
            more => new.extend(more.iter().cycle().skip(phase).take(length)),
        }
    }
}

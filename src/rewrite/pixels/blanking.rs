//! One object's pixel data on their way: which bytes are blank, and what they become.

use super::super::error::RewriteProblem;
use super::area::Area;
use super::decoding::{Decoding, Frame, Pixels};
use super::layout::Layout;
use crate::buffer::Lot;
use crate::dataset::{Header, Tag, Vr};

/// Bytes of decoded pixels that are sent at once. The others lie on the shelf meanwhile, however slowly they are read.
const PIECE: usize = 256 << 10;

/// Where the blank pixels of an object are, frame by frame.
#[derive(Debug)]
pub(in crate::rewrite) struct Blanking {
    layout: Layout,
    area: Area,
    /// Whether each two bytes have changed places: pixels of 8 bits in the words of OW, in big endian.
    swapped: bool,
    /// Where the pixel data began, in bytes of the data set.
    begun: Option<u64>,
    /// Of pixel data that are compressed.
    decoding: Option<Decoding>,
    /// The frame that is being sent, and how far it is.
    sending: Option<(Lot, usize)>,
    /// Bytes decoded, and those of them that are sent.
    decoded: u64,
    sent: u64,
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
        let (begun, sending) = (None, None);
        Self { layout, area, swapped: false, begun, decoding, sending, decoded: 0, sent: 0, ended: false }
    }

    /// Whether the pixel data are decoded.
    pub(in crate::rewrite) fn decodes(&self) -> bool {
        self.decoding.is_some()
    }

    /// Whether decoding makes RGB of other colours.
    pub(in crate::rewrite) fn makes_rgb(&self) -> bool {
        self.decoding.as_ref().is_some_and(Decoding::makes_rgb)
    }

    /// Encapsulated pixel data begin behind so many bytes: VR and length of what goes out for them.
    pub(in crate::rewrite) fn begin_decoding(&mut self, at: u64) -> Result<(Vr, u32), RewriteProblem> {
        self.begun = Some(at);
        self.layout.native().ok_or(RewriteProblem::PixelLength)
    }

    /// Whether a frame is still to be decoded before anything of the object goes out, so that what cannot be decoded is refused
    /// and nobody hears of it. Where the pixel data begin so late that what is before them cannot all be held back, it is not.
    pub(in crate::rewrite) fn awaits_frame(&self, position: u64, latest: u64) -> bool {
        self.decodes() && self.decoded == 0 && self.begun.unwrap_or(position) <= latest
    }

    /// A fragment begins, or the offset table. The frame that is complete with that.
    pub(in crate::rewrite) fn fragment(&mut self, length: u32) -> Result<Option<Frame>, RewriteProblem> {
        self.decoding.as_mut().ok_or(RewriteProblem::CompressedPixels)?.begin(length)
    }

    pub(in crate::rewrite) fn compressed(&mut self, bytes: &[u8]) -> Result<(), RewriteProblem> {
        self.decoding.as_mut().ok_or(RewriteProblem::CompressedPixels)?.value(bytes)
    }

    /// The frame that the pixel data ended with, to be decoded.
    pub(in crate::rewrite) fn last_frame(&mut self) -> Result<Frame, RewriteProblem> {
        self.ended = true;
        self.decoding.as_mut().ok_or(RewriteProblem::CompressedPixels)?.finish()
    }

    /// The pixels of a frame, which are to be sent.
    pub(in crate::rewrite) fn take(&mut self, pixels: Pixels) -> Result<(), RewriteProblem> {
        let frame = pixels.0?;
        self.decoded += frame.len() as u64;
        if self.ended && self.decoded != self.layout.total {
            return Err(RewriteProblem::PixelLength);
        }
        self.sending = Some((frame, 0));
        Ok(())
    }

    /// What of a frame is to be sent next, masked, with what pads the last one; `None` where there is no more.
    pub(in crate::rewrite) fn next_piece(&mut self) -> Result<Option<Vec<u8>>, RewriteProblem> {
        let Some((frame, at)) = &mut self.sending else { return Ok(None) };
        let end = at.saturating_add(PIECE).min(frame.len());
        let mut piece = frame.look(|bytes| bytes.get(*at..end).unwrap_or_default().to_vec())?;
        *at = end;
        if end == frame.len() {
            self.sending = None;
        }
        self.mask(&mut piece)?;
        if self.ended && self.sending.is_none() && !self.decoded.is_multiple_of(2) {
            piece.push(0);
        }
        Ok(Some(piece))
    }

    fn mask(&mut self, piece: &mut [u8]) -> Result<(), RewriteProblem> {
        let (mut at, mut black) = (0, Vec::new());
        while at < piece.len() {
            let offset = self.sent + at as u64;
            let run = self.run(offset);
            let taken = usize::try_from(run.length).unwrap_or(usize::MAX).clamp(1, piece.len() - at);
            if run.blank {
                black.clear();
                self.fill(offset, taken, &mut black);
                let blank = piece.get_mut(at..at + taken).filter(|blank| blank.len() == black.len());
                blank.ok_or(RewriteProblem::Unmaskable)?.copy_from_slice(&black);
            }
            at += taken;
        }
        self.sent += piece.len() as u64;
        Ok(())
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
        self.begun = Some(0);
        Ok(())
    }

    /// Whether pixel data have come.
    pub(in crate::rewrite) fn has_begun(&self) -> bool {
        self.begun.is_some()
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

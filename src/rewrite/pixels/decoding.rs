//! Compressed pixel data decoded on their way, a frame at a time.

use super::super::error::RewriteProblem;
use super::codec::{Codec, Shape};
use super::frames::Frames;

/// How an object's frames are put together and decoded.
#[derive(Debug)]
pub(super) struct Decoding {
    codec: Codec,
    shape: Shape,
    frames: Frames,
}

impl Decoding {
    /// `largest` bounds a frame, compressed and not, in bytes.
    pub(super) fn new(codec: Codec, shape: Shape, frames: u64, largest: u64) -> Option<Self> {
        let largest = usize::try_from(largest).unwrap_or(usize::MAX);
        let size = shape.pixels.checked_mul(shape.samples)?.checked_mul(shape.bytes)?;
        (size <= largest).then(|| Self { codec, shape, frames: Frames::new(frames, largest) })
    }

    pub(super) fn makes_rgb(&self) -> bool {
        self.shape.ycbcr
    }

    /// A fragment begins, or the offset table. The frame that is complete with that, decoded.
    pub(super) fn begin(&mut self, length: u32) -> Result<Option<Vec<u8>>, RewriteProblem> {
        let frame = self.frames.begin(length).map_err(|()| RewriteProblem::Frames)?;
        frame.map(|frame| self.decode(&frame)).transpose()
    }

    pub(super) fn value(&mut self, bytes: &[u8]) -> Result<(), RewriteProblem> {
        self.frames.value(bytes).map_err(|()| RewriteProblem::Frames)
    }

    /// The last frame, decoded.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, RewriteProblem> {
        let frame = self.frames.finish().map_err(|()| RewriteProblem::Frames)?;
        self.decode(&frame)
    }

    fn decode(&self, frame: &[u8]) -> Result<Vec<u8>, RewriteProblem> {
        self.codec.decode(frame, &self.shape).ok_or(RewriteProblem::Undecodable)
    }
}

//! Compressed pixel data on their way, a frame at a time: put together here, decoded wherever that is best done.

use super::super::error::RewriteProblem;
use super::codec::{Codec, Shape};
use super::frames::Frames;

/// What a compressed frame may be longer than two uncompressed ones, for headers and what applications add.
const BESIDES: u64 = 256 << 10;
/// Of an uncompressed frame: what the decoder needs for its planes, what it gives, and what of that waits to be sent.
const COPIES: u64 = 4;

/// How an object's frames are put together and decoded.
#[derive(Debug)]
pub(super) struct Decoding {
    codec: Codec,
    shape: Shape,
    frames: Frames,
    room: u64,
}

/// A frame to be decoded.
#[derive(Debug)]
pub struct Frame {
    codec: Codec,
    shape: Shape,
    bytes: Vec<u8>,
}

/// The pixels of a frame; none where it could not be decoded.
#[derive(Debug, Default)]
pub struct Pixels(pub(in crate::rewrite) Option<Vec<u8>>);

impl Frame {
    /// What takes long: up to some seconds for the largest frames.
    pub fn decode(&self) -> Pixels {
        Pixels(self.codec.decode(&self.bytes, &self.shape))
    }
}

/// Bytes that are in hand while frames of up to this size, uncompressed, are decoded.
pub(in crate::rewrite) fn room_for(frame: u64) -> u64 {
    frame.saturating_mul(2 + COPIES).saturating_add(BESIDES)
}

impl Decoding {
    /// `largest` bounds a frame, in bytes.
    pub(super) fn new(codec: Codec, shape: Shape, frames: u64, largest: u64) -> Option<Self> {
        let size = shape.pixels.checked_mul(shape.samples)?.checked_mul(shape.bytes)? as u64;
        let compressed = usize::try_from(size.saturating_mul(2).saturating_add(BESIDES)).ok()?;
        let frames = Frames::new(frames, compressed);
        (size <= largest).then(|| Self { codec, shape, frames, room: room_for(size) })
    }

    pub(super) fn makes_rgb(&self) -> bool {
        self.shape.ycbcr
    }

    /// Bytes that are in hand while it lasts.
    pub(super) fn room(&self) -> u64 {
        self.room
    }

    /// A fragment begins, or the offset table. The frame that is complete with that.
    pub(super) fn begin(&mut self, length: u32) -> Result<Option<Frame>, RewriteProblem> {
        let bytes = self.frames.begin(length).map_err(|()| RewriteProblem::Frames)?;
        Ok(bytes.map(|bytes| self.frame(bytes)))
    }

    pub(super) fn value(&mut self, bytes: &[u8]) -> Result<(), RewriteProblem> {
        self.frames.value(bytes).map_err(|()| RewriteProblem::Frames)
    }

    /// The last frame.
    pub(super) fn finish(&mut self) -> Result<Frame, RewriteProblem> {
        let bytes = self.frames.finish().map_err(|()| RewriteProblem::Frames)?;
        Ok(self.frame(bytes))
    }

    fn frame(&self, bytes: Vec<u8>) -> Frame {
        Frame { codec: self.codec, shape: self.shape, bytes }
    }
}

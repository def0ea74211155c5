//! Compressed pixel data on their way, a frame at a time: put together here, decoded wherever that is best done.

use super::super::error::RewriteProblem;
use super::codec::Codec;
use super::frames::Frames;
use super::memory::compressed;
use super::shape::Shape;
use crate::buffer::{Corner, Lot, NoRoom};

/// What an object's frames are decoded with.
#[derive(Debug)]
pub(in crate::rewrite) struct Means {
    pub(in crate::rewrite) codec: Codec,
    /// Bounds a frame, in bytes.
    pub(in crate::rewrite) largest: u64,
    /// Where frames lie until all of one has come, and until all of its pixels are sent.
    pub(in crate::rewrite) corner: Corner,
}

/// How an object's frames are put together and decoded.
#[derive(Debug)]
pub(super) struct Decoding {
    codec: Codec,
    shape: Shape,
    frames: Frames,
    handed_out: u64,
}

/// A frame to be decoded.
#[derive(Debug)]
pub struct Frame {
    codec: Codec,
    shape: Shape,
    /// As it came, and then its pixels.
    lot: Lot,
    is_first: bool,
}

/// The pixels of a frame, or why there are none.
#[derive(Debug)]
pub struct Pixels(pub(in crate::rewrite) Result<Lot, RewriteProblem>);

impl Frame {
    /// Bytes that are in hand while it is decoded, at most: what the decoder needs, what it gives, and the frame as it came.
    pub fn room(&self) -> u64 {
        self.codec.room(&self.shape).saturating_add(self.lot.len() as u64)
    }

    /// Whether nothing of its object has gone out yet.
    pub fn is_first(&self) -> bool {
        self.is_first
    }

    /// Makes room for its pixels, which lie where it lies once it is decoded; `false`: there is none now. Of what it takes to
    /// decode it, so many bytes are found elsewhere.
    ///
    /// # Errors
    /// It had to give way.
    pub fn make_room(&mut self, elsewhere: u64) -> Result<bool, NoRoom> {
        let size = self.size(elsewhere);
        self.lot.make_room(size)
    }

    /// What takes long: up to some seconds for the largest frames. So many bytes were found for it elsewhere; what it needs
    /// beyond them is its peer's.
    pub fn decode(mut self, elsewhere: u64) -> Pixels {
        let size = self.size(elsewhere);
        let Ok(compressed) = self.lot.exchange(size) else { return Pixels::no_room() };
        let pixels = self.codec.decode(&compressed, &self.shape);
        drop(compressed);
        Pixels(match pixels {
            Some(pixels) => self.lot.put(pixels).map(|()| self.lot).map_err(RewriteProblem::from),
            None => Err(RewriteProblem::Undecodable),
        })
    }

    /// Bytes that it takes where it lies, once it is being decoded.
    fn size(&self, elsewhere: u64) -> usize {
        let pixels = self.shape.pixels * self.shape.samples * self.shape.bytes;
        let beyond = usize::try_from(self.room().saturating_sub(elsewhere)).unwrap_or(usize::MAX);
        pixels.saturating_add(beyond)
    }
}

impl Pixels {
    /// Nobody had the memory to decode them.
    pub fn no_room() -> Self {
        Self(Err(RewriteProblem::NoRoom))
    }

    /// Whoever decoded them did not come back.
    pub fn undecodable() -> Self {
        Self(Err(RewriteProblem::Undecodable))
    }
}

impl Decoding {
    pub(super) fn new(means: Means, shape: Shape, frames: u64) -> Option<Self> {
        let Means { codec, largest, corner } = means;
        let size = shape.pixels.checked_mul(shape.samples)?.checked_mul(shape.bytes)? as u64;
        let frames = Frames::new(frames, usize::try_from(compressed(size)).ok()?, corner);
        (size <= largest).then(|| Self { codec, shape, frames, handed_out: 0 })
    }

    pub(super) fn makes_rgb(&self) -> bool {
        self.shape.ycbcr
    }

    /// A fragment begins, or the offset table. The frame that is complete with that.
    pub(super) fn begin(&mut self, length: u32) -> Result<Option<Frame>, RewriteProblem> {
        Ok(self.frames.begin(length)?.map(|lot| self.frame(lot)))
    }

    pub(super) fn value(&mut self, bytes: &[u8]) -> Result<(), RewriteProblem> {
        self.frames.value(bytes)
    }

    /// The frame that the last fragment ended with, to be decoded.
    pub(super) fn finish(&mut self) -> Result<Frame, RewriteProblem> {
        let lot = self.frames.finish()?;
        Ok(self.frame(lot))
    }

    fn frame(&mut self, lot: Lot) -> Frame {
        self.handed_out += 1;
        Frame { codec: self.codec, shape: self.shape, lot, is_first: self.handed_out == 1 }
    }
}

//! What a transform asks of whoever drives it, between two pieces of its work.

use super::pixels::Frame;

/// What reading on came to.
#[derive(Debug)]
pub enum Step {
    /// All that came has been read.
    Done,
    /// There is more to do for what came. What was put out should be sent first, and others have their turn.
    More,
    /// Pixel data begin that are decoded, a frame at a time: what is in hand until the data set is complete takes so many
    /// bytes.
    Room(u64),
    /// A frame is complete. Its pixels are to be [given](super::Transform::decoded) before anything else is read.
    Frame(Box<Frame>),
}

//! What a transform asks of whoever drives it, between two pieces of its work.

use super::pixels::Frame;

/// What reading on came to.
#[derive(Debug)]
pub enum Step {
    /// All that came has been read.
    Done,
    /// There is more to do for what came. What was put out should be sent first, and others have their turn.
    More,
    /// A frame is complete. Its pixels are to be [given](super::Transform::decoded) before anything else is read; they are put
    /// out by the steps after that.
    Frame(Box<Frame>),
}

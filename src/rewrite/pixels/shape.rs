//! What a frame has to be.

/// What a frame has to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) pixels: usize,
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) samples: usize,
    /// Of a sample.
    pub(super) bytes: usize,
    /// Whether samples are signed.
    pub(super) is_signed: bool,
    /// Whether the samples of colours are to become RGB.
    pub(super) ycbcr: bool,
}

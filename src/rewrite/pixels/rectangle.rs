//! A part of an image.

/// In pixels, from the upper left one, which is at 0, 0. What lies outside the image is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rectangle {
    /// Columns left of it.
    pub x: u16,
    /// Rows above it.
    pub y: u16,
    /// Columns that it covers.
    pub width: u16,
    /// Rows that it covers.
    pub height: u16,
}

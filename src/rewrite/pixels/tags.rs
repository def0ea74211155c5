//! The elements that hold pixels.

use crate::dataset::Tag;

/// (7FE0,0010) Pixel Data.
pub(in crate::rewrite) const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);
/// (7FE0,0008) Float and (7FE0,0009) Double Float Pixel Data.
pub(in crate::rewrite) const FLOAT_PIXEL_DATA: [Tag; 2] = [Tag(0x7FE0, 0x0008), Tag(0x7FE0, 0x0009)];

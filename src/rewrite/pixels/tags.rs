//! The elements that hold pixels, and that say how many there are.

use crate::dataset::{PIXEL_DATA, Tag};

/// (7FE0,0008) Float and (7FE0,0009) Double Float Pixel Data.
pub(in crate::rewrite) const FLOAT_PIXEL_DATA: [Tag; 2] = [Tag(0x7FE0, 0x0008), Tag(0x7FE0, 0x0009)];
/// (7FE0,0001) Extended Offset Table.
const EXTENDED_OFFSETS: Tag = Tag(0x7FE0, 0x0001);
/// (7FE0,0002) Extended Offset Table Lengths.
pub(super) const EXTENDED_LENGTHS: Tag = Tag(0x7FE0, 0x0002);
/// (0028,0002) Samples per Pixel.
pub(super) const SAMPLES: Tag = Tag(0x0028, 0x0002);
/// (0028,0004) Photometric Interpretation.
pub(super) const PHOTOMETRIC: Tag = Tag(0x0028, 0x0004);
/// (0028,0100) Bits Allocated.
pub(super) const ALLOCATED: Tag = Tag(0x0028, 0x0100);
/// (0028,0008) Number of Frames.
pub(super) const FRAMES: Tag = Tag(0x0028, 0x0008);
/// (0028,0010) Rows.
pub(super) const ROWS: Tag = Tag(0x0028, 0x0010);
/// (0028,0011) Columns.
pub(super) const COLUMNS: Tag = Tag(0x0028, 0x0011);

/// Whether an element holds pixels.
pub(in crate::rewrite) fn is_pixel_data(tag: Tag) -> bool {
    tag == PIXEL_DATA || FLOAT_PIXEL_DATA.contains(&tag)
}

/// Whether an element says where frames begin or how long they are.
pub(in crate::rewrite) fn is_extended_table(tag: Tag) -> bool {
    matches!(tag, EXTENDED_OFFSETS | EXTENDED_LENGTHS)
}

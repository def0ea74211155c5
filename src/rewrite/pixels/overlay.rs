//! Overlays that lie in the unused bits of pixel cells (retired, PS3.5 §8.1.2 of 2004): taking the overlay plane's
//! elements away leaves them there.

use crate::dataset::{Syntax, Tag};

/// (60xx,0100) Overlay Bits Allocated and (60xx,0102) Overlay Bit Position.
pub(in crate::rewrite) fn is_overlay_layout(tag: Tag) -> bool {
    tag.0 & 0xFF01 == 0x6000 && matches!(tag.1, 0x0100 | 0x0102)
}

/// Whether such an element says that the overlay has no data of its own, which are 1 bit deep, at bit 0.
pub(in crate::rewrite) fn lies_in_pixels(tag: Tag, value: &[u8], syntax: Syntax) -> bool {
    let own = if tag.1 == 0x0100 { 1 } else { 0 };
    <[u8; 2]>::try_from(value).is_ok_and(|bytes| syntax.u16(bytes) != own)
}

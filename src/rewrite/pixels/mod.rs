//! Pixels blanked in flight (PS3.15 E.3.1): the rectangles of native pixel data that text is burned into.
//!
//! Which masks are for an object is known before anything of it is sent, since (0028,0301) and (0012,0064) say so before
//! the pixels come. Only the bytes of blanked pixels are made anew. What cannot be blanked for certain is refused.

mod area;
mod blanking;
mod codec;
mod decoding;
mod description;
mod frames;
mod jpeg;
mod layout;
mod mask;
mod masking;
mod memory;
mod overlay;
mod picture;
mod rle;
mod shape;
mod tags;

pub(super) use codec::Codec;
pub(super) use decoding::Means;
pub use decoding::{Frame, Pixels};
pub(super) use description::{Description, LAST};
pub use mask::{MaskSpec, Rectangle};
pub(super) use masking::Masking;
pub use memory::FrameMemory;
pub(super) use overlay::{is_overlay_layout, lies_in_pixels};
pub use picture::{Picture, Viewing};
pub(super) use tags::{FLOAT_PIXEL_DATA, PIXEL_DATA};

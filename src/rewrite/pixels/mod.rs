//! Pixels blanked in flight (PS3.15 E.3.1): the rectangles of native pixel data that text is burned into.
//!
//! Which masks are for an object is known before anything of it is sent, since (0028,0301) and (0012,0064) say so before
//! the pixels come. Only the bytes of blanked pixels are made anew. What cannot be blanked for certain is refused.
//!
//! What stands beside the pixels in the same bytes goes from every object, masked or not: [`asides`] of compressed frames, and what
//! follows the last native pixel, which [`extent`] finds.

mod area;
mod asides;
mod blanking;
mod codec;
mod decoding;
mod description;
mod extent;
mod frames;
mod jpeg;
mod jpeg2000;
mod known_devices;
mod layout;
mod mask;
mod masking;
mod memory;
mod overlay;
mod picture;
mod rectangle;
mod regions;
mod rle;
mod shape;
mod tags;
mod wanted;

pub(super) use asides::Asides;
pub(super) use codec::Codec;
pub(super) use decoding::Means;
pub use decoding::{Frame, Pixels};
pub(super) use description::{Description, WANTED as DESCRIBED_BY};
pub(super) use extent::Extent;
pub use known_devices::known_devices;
pub use mask::MaskSpec;
pub(super) use masking::{Masking, Wanted};
pub use memory::FrameMemory;
pub(super) use overlay::{is_overlay_layout, lies_in_pixels};
pub use picture::{Picture, Viewing};
pub use rectangle::Rectangle;
pub(super) use regions::{REGIONS, Regions, may_have_regions};
pub(super) use tags::{is_extended_table, is_pixel_data};

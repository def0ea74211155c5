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
mod memory;
mod overlay;
mod rle;

use area::Area;
use decoding::Decoding;
use layout::Layout;

use super::error::RewriteProblem;
use crate::dataset::{Syntax, Tag};

pub(super) use blanking::Blanking;
pub(super) use codec::Codec;
pub(super) use decoding::Means;
pub use decoding::{Frame, Pixels};
pub(super) use description::{Description, LAST};
pub use mask::{MaskSpec, Rectangle};
pub use memory::FrameMemory;
pub(super) use overlay::{is_overlay_layout, lies_in_pixels};

/// (7FE0,0010) Pixel Data.
pub(super) const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);
/// (7FE0,0008) Float and (7FE0,0009) Double Float Pixel Data.
pub(super) const FLOAT_PIXEL_DATA: [Tag; 2] = [Tag(0x7FE0, 0x0008), Tag(0x7FE0, 0x0009)];

/// What becomes of the pixels of one object.
#[derive(Debug)]
pub(super) enum Masking {
    Pass,
    Blank(Box<Blanking>),
    /// No image was described, so that there must be no pixels.
    NoPixels,
    /// It is no object, and nothing tells what is in its pixels.
    Refuse,
}

impl Masking {
    /// Of an object that is refused where no mask fits, or not. Where means are given, its pixel data are to be decoded.
    ///
    /// # Errors
    /// It has to be refused, for this element and reason.
    pub(super) fn decide(
        masks: &[MaskSpec],
        described: &Description,
        refuses: bool,
        syntax: Syntax,
        means: Option<Means>,
    ) -> Result<Self, (Tag, RewriteProblem)> {
        let refusal = || if refuses { Err((LAST, RewriteProblem::NoMask)) } else { Ok(Self::Pass) };
        let mut masks = masks.iter().filter(|mask| mask.fits(described)).peekable();
        if masks.peek().is_none() {
            return refusal();
        }
        let Some((rows, columns)) = described.matrix() else {
            return if described.is_image() {
                Err(described.lacking())
            } else {
                refusal().map(|_| Self::NoPixels)
            };
        };
        let fitting: Vec<&MaskSpec> = masks.filter(|mask| mask.fits_matrix(rows, columns)).collect();
        if fitting.is_empty() {
            return refusal();
        }
        let (layout, decoding) = match means {
            None => (Layout::of(described, syntax)?, None),
            Some(means) => {
                let (decoded, shape) = means.codec.described(described)?;
                let layout = Layout::of(&decoded, syntax)?;
                let decoding = Decoding::new(means, shape, decoded.frames);
                (layout, Some(decoding.ok_or((PIXEL_DATA, RewriteProblem::FrameSize))?))
            }
        };
        let rectangles = fitting.iter().flat_map(|mask| &mask.rectangles);
        let area =
            Area::union(rectangles, rows, columns).ok_or((PIXEL_DATA, RewriteProblem::OutsideImage))?;
        Ok(Self::Blank(Box::new(Blanking::new(layout, area, decoding))))
    }
}

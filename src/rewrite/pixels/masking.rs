//! What becomes of the pixels of one object.

use super::super::error::RewriteProblem;
use super::area::Area;
use super::blanking::Blanking;
use super::decoding::{Decoding, Means};
use super::description::{Description, LAST};
use super::layout::Layout;
use super::mask::MaskSpec;
use super::tags::PIXEL_DATA;
use crate::dataset::{Syntax, Tag};

/// What becomes of the pixels of one object.
#[derive(Debug)]
pub(in crate::rewrite) enum Masking {
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
    pub(in crate::rewrite) fn decide(
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

//! What becomes of the pixels of one object.

use super::super::error::RewriteProblem;
use super::area::Area;
use super::blanking::Blanking;
use super::decoding::{Decoding, Means};
use super::description::Description;
use super::layout::Layout;
use super::mask::MaskSpec;
use super::rectangle::Rectangle;
use super::regions::may_have_regions;
use crate::dataset::{PIXEL_DATA, Syntax, Tag};

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

/// What is to be blanked.
#[derive(Clone, Copy, Debug)]
pub(in crate::rewrite) struct Wanted<'a> {
    pub(in crate::rewrite) masks: &'a [MaskSpec],
    /// Of ultrasound, what lies outside of its regions.
    pub(in crate::rewrite) by_regions: bool,
}

impl Masking {
    /// Of an object that is refused where no mask fits, for this element, or not. Where means are given, its pixel data are to be
    /// decoded.
    ///
    /// # Errors
    /// It has to be refused, for this element and reason.
    pub(in crate::rewrite) fn decide(
        wanted: Wanted<'_>,
        described: &Description,
        risk: Option<(Tag, RewriteProblem)>,
        syntax: Syntax,
        means: Option<Means>,
    ) -> Result<Self, (Tag, RewriteProblem)> {
        let refusal = || risk.map_or(Ok(Self::Pass), |(tag, why)| Err((tag, without_mask(why))));
        let mut masks = wanted.masks.iter().filter(|mask| mask.fits(described)).peekable();
        let by_regions = wanted.by_regions && may_have_regions(&described.class);
        if masks.peek().is_none() && !by_regions {
            return refusal();
        }
        let Some((rows, columns)) = described.matrix() else {
            return if described.is_image() {
                Err(described.lacking())
            } else {
                refusal().map(|_| Self::NoPixels)
            };
        };
        let fitting = masks.filter(|mask| mask.fits_matrix(rows, columns));
        let mut rectangles: Vec<Rectangle> = fitting.flat_map(|mask| &mask.rectangles).copied().collect();
        if by_regions {
            rectangles.extend(described.regions.outside(rows, columns).into_iter().flatten());
        }
        if rectangles.is_empty() {
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
        let area = Area::union(rectangles.iter(), rows, columns)
            .ok_or((PIXEL_DATA, RewriteProblem::OutsideImage))?;
        Ok(Self::Blank(Box::new(Blanking::new(layout, area, decoding))))
    }
}

/// Why it is refused, where masks are given and none fits.
fn without_mask(why: RewriteProblem) -> RewriteProblem {
    if why == RewriteProblem::BurnedIn { RewriteProblem::NoMask } else { why }
}

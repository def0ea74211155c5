//! Sequence of Ultrasound Regions (0018,6011): where in a frame there is an image (PS3.3 C.8.5.5). Names, dates and settings
//! are drawn around it.

use super::rectangle::Rectangle;
use crate::dataset::{Syntax, Tag};
use crate::wire::Uid;

/// (0018,6011) Sequence of Ultrasound Regions.
pub(in crate::rewrite) const REGIONS: Tag = Tag(0x0018, 0x6011);
/// Region Location Min X0, Min Y0, Max X1, Max Y1, in pixels from 0, 0; the last ones belong to the region.
const LOCATION: [Tag; 4] =
    [Tag(0x0018, 0x6018), Tag(0x0018, 0x601A), Tag(0x0018, 0x601C), Tag(0x0018, 0x601E)];
/// Regions beyond these are not read, and the frame then has none.
const MOST: usize = 64;
/// Ultrasound, retired classes too.
const CLASSES: [&str; 4] = [
    "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.3.1",
    "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.6.1",
];

/// Whether objects of a class may have regions.
pub(in crate::rewrite) fn may_have_regions(class: &Uid) -> bool {
    CLASSES.contains(&class.as_str())
}

/// The regions of an object.
#[derive(Clone, Debug, Default)]
pub(in crate::rewrite) struct Regions {
    /// Min X0, Min Y0, Max X1, Max Y1.
    all: Vec<[Option<u32>; 4]>,
    are_too_many: bool,
}

impl Regions {
    /// Whether an element of an item says where the region is.
    pub(in crate::rewrite) fn wants(tag: Tag) -> bool {
        LOCATION.contains(&tag)
    }

    /// Says that an item of the sequence of regions begins, which is one more region.
    pub(in crate::rewrite) fn open(&mut self) {
        if self.all.len() < MOST {
            self.all.push([None; 4]);
        } else {
            self.are_too_many = true;
        }
    }

    pub(in crate::rewrite) fn read(&mut self, tag: Tag, value: &[u8], syntax: Syntax) {
        let number = <[u8; 4]>::try_from(value).ok().map(|bytes| syntax.u32(bytes));
        let place = LOCATION.iter().position(|&wanted| wanted == tag);
        if let Some(edge) = place.and_then(|place| self.all.last_mut()?.get_mut(place)) {
            *edge = number;
        }
    }

    /// What lies outside of all regions; `None` where it is not known where they are.
    pub(super) fn outside(&self, rows: u16, columns: u16) -> Option<Vec<Rectangle>> {
        if self.are_too_many || self.all.is_empty() {
            return None;
        }
        let inside = self.all.iter().map(|region| within(region, rows, columns));
        let inside = inside.collect::<Option<Vec<Rectangle>>>()?;
        let mut edges: Vec<u16> =
            inside.iter().flat_map(|r| [r.y, r.y + r.height]).chain([0, rows]).collect();
        edges.sort_unstable();
        edges.dedup();
        let bands = edges.iter().zip(edges.get(1..).unwrap_or_default());
        Some(bands.flat_map(|(&y, &end)| beside(&inside, y, end, columns)).collect())
    }
}

/// A region as a rectangle that lies in the image.
fn within(&[x0, y0, x1, y1]: &[Option<u32>; 4], rows: u16, columns: u16) -> Option<Rectangle> {
    let span = |first: Option<u32>, last: Option<u32>, size: u16| {
        let (first, last) = (u16::try_from(first?).ok()?, u16::try_from(last?).ok()?);
        // Some count pixels where they should say which is the last one.
        (first <= last && first < size && last <= size).then(|| (first, last.min(size - 1) - first + 1))
    };
    let ((x, width), (y, height)) = (span(x0, x1, columns)?, span(y0, y1, rows)?);
    Some(Rectangle { x, y, width, height })
}

/// In rows that have the same regions, what lies left and right of them and between.
fn beside(inside: &[Rectangle], y: u16, end: u16, columns: u16) -> Vec<Rectangle> {
    let mut here: Vec<_> = inside.iter().filter(|r| (r.y..r.y + r.height).contains(&y)).collect();
    here.sort_unstable_by_key(|r| r.x);
    let (mut all, mut x) = (Vec::new(), 0);
    let ends = here.iter().map(|r| (r.x, r.x + r.width)).chain([(columns, columns)]);
    for (start, behind) in ends {
        if start > x {
            all.push(Rectangle { x, y, width: start - x, height: end - y });
        }
        x = x.max(behind);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions(all: &[[u32; 4]]) -> Regions {
        let mut regions = Regions::default();
        for region in all {
            regions.open();
            for (tag, edge) in LOCATION.into_iter().zip(region) {
                regions.read(tag, &edge.to_le_bytes(), Syntax::EXPLICIT_LE);
            }
        }
        regions
    }

    /// The image as it is seen: blank where something lies outside.
    fn seen(all: &[[u32; 4]]) -> Option<Vec<String>> {
        let outside = regions(all).outside(4, 6)?;
        let blank = |x: u16, y: u16| {
            outside.iter().any(|r| (r.x..r.x + r.width).contains(&x) && (r.y..r.y + r.height).contains(&y))
        };
        Some((0..4).map(|y| (0..6).map(|x| if blank(x, y) { '.' } else { '#' }).collect()).collect())
    }

    #[test]
    fn outside_is_what_no_region_holds() {
        let image = |rows: [&str; 4]| Some(rows.map(str::to_owned).to_vec());
        assert_eq!(seen(&[[1, 1, 4, 2]]), image(["......", ".####.", ".####.", "......"]));
        assert_eq!(seen(&[[0, 0, 1, 1], [1, 1, 5, 3]]), image(["##....", "######", ".#####", ".#####"]));
        assert_eq!(seen(&[[0, 0, 5, 3]]), image(["######"; 4]));
        assert_eq!(seen(&[[0, 0, 6, 4]]), image(["######"; 4]), "the number of pixels, not the last one");
        assert_eq!(seen(&[[5, 0, 5, 0], [0, 3, 0, 3]]), image([".....#", "......", "......", "#....."]));
    }

    #[test]
    fn where_a_region_is_not_in_the_image_nothing_is_known() {
        for wrong in [[4, 1, 1, 2], [0, 0, 9, 2], [6, 0, 6, 2], [0, 0, 70_000, 2]] {
            assert_eq!(seen(&[[0, 0, 1, 1], wrong]), None, "{wrong:?}");
        }
        assert_eq!(seen(&[]), None);
        assert_eq!(seen(&[[0, 0, 1, 1]; MOST + 1]), None);
        assert!(seen(&[[0, 0, 1, 1]; MOST]).is_some());
        let mut lacking = regions(&[[0, 0, 1, 1]]);
        lacking.open();
        assert_eq!(lacking.outside(4, 6), None);
    }
}

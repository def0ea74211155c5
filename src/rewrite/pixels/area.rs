//! The union of rectangles, as what is blank in each row.

use std::ops::Range;

use super::rectangle::Rectangle;

/// Rows that have the same pixels blank.
#[derive(Debug, PartialEq, Eq)]
struct Band {
    /// Behind its last row.
    end: u64,
    /// Columns: sorted, apart from each other.
    blank: Vec<Range<u64>>,
}

/// Bands from the first row of an image to its last. Something is blank.
#[derive(Debug)]
pub(super) struct Area {
    bands: Vec<Band>,
}

impl Area {
    /// What of the rectangles lies in the image; `None` where nothing does.
    pub(super) fn union<'a>(
        rectangles: impl Iterator<Item = &'a Rectangle>,
        rows: u16,
        columns: u16,
    ) -> Option<Self> {
        let (rows, columns) = (u64::from(rows), u64::from(columns));
        let clipped = |start: u16, size: u16, most: u64| {
            let (start, size) = (u64::from(start), u64::from(size));
            start.min(most)..(start + size).min(most)
        };
        let inside: Vec<(Range<u64>, Range<u64>)> = rectangles
            .map(|r| (clipped(r.x, r.width, columns), clipped(r.y, r.height, rows)))
            .filter(|(x, y)| !x.is_empty() && !y.is_empty())
            .collect();
        if inside.is_empty() {
            return None;
        }
        let mut ends: Vec<u64> = inside.iter().flat_map(|(_, y)| [y.start, y.end]).chain([rows]).collect();
        ends.retain(|&end| end > 0);
        ends.sort_unstable();
        ends.dedup();
        let bands = ends.into_iter().map(|end| {
            let last = end - 1;
            let here = inside.iter().filter(|(_, y)| y.contains(&last)).map(|(x, _)| x.clone());
            Band { end, blank: merged(here.collect()) }
        });
        Some(Self { bands: bands.collect() })
    }

    /// What is blank in a row, and the row behind the last one that has the same.
    pub(super) fn row(&self, row: u64) -> (&[Range<u64>], u64) {
        let band = self.bands.get(self.bands.partition_point(|band| band.end <= row));
        band.map_or((&[], u64::MAX), |band| (band.blank.as_slice(), band.end))
    }
}

fn merged(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::{Area, Rectangle};

    #[test]
    fn rectangles_that_overlap_are_one_area_within_the_image() {
        let rectangle = |x, y, width, height| Rectangle { x, y, width, height };
        let all =
            [rectangle(1, 1, 3, 2), rectangle(2, 2, 9, 2), rectangle(4, 1, 1, 1), rectangle(7, 9, 9, 9)];
        let area = Area::union(all.iter(), 6, 8).unwrap();
        let blank =
            |row| area.row(row).0.iter().map(|columns| (columns.start, columns.end)).collect::<Vec<_>>();
        assert_eq!((0..6).map(|row| area.row(row).1).collect::<Vec<_>>(), [1, 2, 3, 4, 6, 6]);
        assert_eq!([blank(1), blank(2), blank(3)], [[(1, 5)], [(1, 8)], [(2, 8)]]);
        assert!(blank(0).is_empty() && blank(4).is_empty() && blank(5).is_empty());
        assert!(Area::union([rectangle(8, 0, 5, 5), rectangle(0, 0, 0, 4)].iter(), 6, 8).is_none());
    }
}

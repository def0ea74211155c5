//! How many bytes the pixels of an image take, as its description says on the way (PS3.3 C.7.6.3, PS3.5 §8.1.1).

use super::tags::{COLUMNS, FRAMES, PHOTOMETRIC, ROWS, SAMPLES};
use crate::dataset::{Syntax, Tag, trim};

/// (0028,0100) Bits Allocated.
const ALLOCATED: Tag = Tag(0x0028, 0x0100);
/// Longest value that is read: an IS, a CS.
const LONGEST: usize = 16;

/// Elements at the top, read while they pass.
#[derive(Debug, Default)]
pub(in crate::rewrite) struct Extent {
    rows: Option<u16>,
    columns: Option<u16>,
    samples: Option<u16>,
    allocated: Option<u16>,
    /// (0028,0008): `None` inside where it cannot be read.
    frames: Option<Option<u64>>,
    /// Whether two pixels share their colours.
    is_422: bool,
    value: [u8; LONGEST],
    size: usize,
}

impl Extent {
    pub(in crate::rewrite) fn wants(tag: Tag) -> bool {
        matches!(tag, ROWS | COLUMNS | SAMPLES | ALLOCATED | FRAMES | PHOTOMETRIC)
    }

    /// A part of the value of an element that is wanted, and the bytes that are still to come of it.
    pub(in crate::rewrite) fn part(&mut self, tag: Tag, bytes: &[u8], rest: u32, syntax: Syntax) {
        for &byte in bytes {
            if let Some(place) = self.value.get_mut(self.size) {
                *place = byte;
            }
            self.size += 1;
        }
        if rest == 0 {
            let value = self.value;
            let size = std::mem::take(&mut self.size);
            self.read(tag, value.get(..size), syntax);
        }
    }

    /// `None` is a value that is too long.
    fn read(&mut self, tag: Tag, value: Option<&[u8]>, syntax: Syntax) {
        let number = value.and_then(|value| <[u8; 2]>::try_from(value).ok()).map(|bytes| syntax.u16(bytes));
        match tag {
            ROWS => self.rows = number,
            COLUMNS => self.columns = number,
            SAMPLES => self.samples = number,
            ALLOCATED => self.allocated = number,
            FRAMES => self.frames = Some(value.and_then(frames)),
            _ => self.is_422 = value.is_some_and(|value| trim(value).ends_with(b"_422")),
        }
    }

    /// Pixels of a frame.
    pub(in crate::rewrite) fn pixels(&self) -> Option<u64> {
        Some(u64::from(self.rows?) * u64::from(self.columns?)).filter(|&pixels| pixels > 0)
    }

    /// Frames; one where nothing says how many.
    pub(in crate::rewrite) fn frames(&self) -> Option<u64> {
        self.frames.unwrap_or(Some(1)).filter(|&frames| frames > 0)
    }

    /// Bytes of a frame, and of the whole, of native pixel data of so many bytes.
    pub(in crate::rewrite) fn native(&self, length: u64) -> Option<(u64, u64)> {
        let samples = self.samples.filter(|&samples| samples > 0)?;
        let of = |samples: u64| {
            let bits = self.pixels()?.checked_mul(samples)?.checked_mul(u64::from(self.allocated?))?;
            let whole = bits.checked_mul(self.frames()?)?.div_ceil(8);
            Some((bits.div_ceil(8), whole)).filter(|&(frame, _)| frame > 0)
        };
        let whole = of(u64::from(samples))?;
        // Some write all samples of colours that two pixels should share.
        if self.is_422 && samples == 3 && length < whole.1 { of(2) } else { Some(whole) }
    }
}

fn frames(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(trim(value)).ok()?;
    if text.is_empty() { Some(1) } else { text.parse::<u32>().ok().map(u64::from) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows, columns, samples, bits allocated; frames; photometric interpretation.
    fn extent(numbers: [u16; 4], frames: &str, photometric: &str) -> Extent {
        let mut extent = Extent::default();
        for (tag, number) in [ROWS, COLUMNS, SAMPLES, ALLOCATED].into_iter().zip(numbers) {
            let [low, high] = number.to_le_bytes();
            extent.part(tag, &[low], 1, Syntax::EXPLICIT_LE);
            extent.part(tag, &[high], 0, Syntax::EXPLICIT_LE);
        }
        extent.part(PHOTOMETRIC, photometric.as_bytes(), 0, Syntax::EXPLICIT_LE);
        if !frames.is_empty() {
            extent.part(FRAMES, frames.as_bytes(), 0, Syntax::EXPLICIT_LE);
        }
        extent
    }

    #[test]
    fn the_last_pixel_is_where_the_description_ends() {
        assert_eq!(extent([4, 5, 1, 16], "", "MONOCHROME2").native(40), Some((40, 40)));
        assert_eq!(extent([4, 5, 3, 8], "3 ", "RGB ").native(180), Some((60, 180)));
        assert_eq!(extent([3, 3, 1, 1], "3 ", "MONOCHROME2").native(4), Some((2, 4)), "27 bits");
        assert_eq!(extent([3, 3, 1, 64], "", "MONOCHROME2").native(72), Some((72, 72)));
        assert_eq!(extent([4, 4, 3, 8], "", "YBR_FULL_422").native(32), Some((32, 32)));
        assert_eq!(extent([4, 4, 3, 8], "", "YBR_FULL_422").native(48), Some((48, 48)));
        for (numbers, frames) in [
            ([0, 5, 1, 16], ""),
            ([4, 5, 0, 16], ""),
            ([4, 5, 1, 0], ""),
            ([4, 5, 1, 16], "x "),
            ([4, 5, 1, 16], "0 "),
        ] {
            assert_eq!(extent(numbers, frames, "MONOCHROME2").native(40), None, "{numbers:?} {frames}");
        }
        assert_eq!(Extent::default().native(40), None);
        assert_eq!(extent([4, 5, 1, 16], "12345678901234567890", "").native(40), None);
        assert_eq!(extent([u16::MAX, u16::MAX, 65535, 65535], "4294967295", "").native(40), None);
    }
}

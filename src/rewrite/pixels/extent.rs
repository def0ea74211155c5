//! How many bytes the pixels of an image take, as its description says on the way (PS3.3 C.7.6.3, PS3.5 §8.1.1).

use super::tags::{ALLOCATED, COLUMNS, FRAMES, PHOTOMETRIC, ROWS, SAMPLES};
use crate::dataset::{Header, Tag, trim};

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
    /// Whether anything was said of an image.
    is_image: bool,
    value: [u8; LONGEST],
    size: usize,
}

impl Extent {
    pub(in crate::rewrite) fn wants(tag: Tag) -> bool {
        matches!(tag, ROWS | COLUMNS | SAMPLES | ALLOCATED | FRAMES | PHOTOMETRIC)
    }

    /// A part of the value of an element that is wanted, and the bytes that are still to come of it.
    pub(in crate::rewrite) fn part(&mut self, header: &Header, bytes: &[u8], rest: u32) {
        for &byte in bytes {
            if let Some(place) = self.value.get_mut(self.size) {
                *place = byte;
            }
            self.size += 1;
        }
        if rest == 0 {
            let value = self.value;
            let size = std::mem::take(&mut self.size);
            self.read(header, value.get(..size));
        }
    }

    /// `None` is a value that is too long.
    fn read(&mut self, header: &Header, value: Option<&[u8]>) {
        let number = value.and_then(|value| number(header, value));
        self.is_image = true;
        match header.tag {
            ROWS => self.rows = number,
            COLUMNS => self.columns = number,
            SAMPLES => self.samples = number,
            ALLOCATED => self.allocated = number,
            FRAMES => self.frames = Some(value.and_then(frames)),
            _ => self.is_422 = value.is_some_and(|value| trim(value).ends_with(b"_422")),
        }
    }

    /// Whether anything was said of an image.
    pub(in crate::rewrite) fn is_image(&self) -> bool {
        self.is_image
    }

    /// Rows times columns; `None` where one of them is not known or is zero.
    pub(in crate::rewrite) fn pixels(&self) -> Option<u64> {
        Some(u64::from(self.rows?) * u64::from(self.columns?)).filter(|&pixels| pixels > 0)
    }

    /// Bytes of the pixels of a frame.
    pub(in crate::rewrite) fn frame(&self) -> Option<u64> {
        let bits =
            u64::from(self.allocated?).checked_mul(u64::from(self.samples?))?.checked_mul(self.pixels()?)?;
        Some(bits.div_ceil(8)).filter(|&frame| frame > 0)
    }

    /// Frames; one where nothing says how many.
    pub(in crate::rewrite) fn frames(&self) -> Option<u64> {
        self.frames.unwrap_or(Some(1)).filter(|&frames| frames > 0)
    }

    /// Bytes of a frame, and of the whole, of native pixel data of so many bytes. Of frames that were described and did not
    /// come, none counts. Where nobody can read how many there are, there has to be one, and nothing else.
    pub(in crate::rewrite) fn native(&self, length: u64) -> Option<(u64, u64)> {
        let samples = self.samples.filter(|&samples| samples > 0)?;
        let all = self.of_samples(u64::from(samples), length);
        // Some write all samples of colours that two pixels should share.
        let fits_all =
            all.is_some_and(|(_, whole, is_all)| is_all || matches!(length.checked_sub(whole), Some(0 | 1)));
        if !self.is_422 || samples != 3 || fits_all {
            return all.map(|(frame, whole, _)| (frame, whole));
        }
        self.of_samples(2, length).or(all).map(|(frame, whole, _)| (frame, whole))
    }

    /// The same for pixels of so many samples, and whether all frames came.
    fn of_samples(&self, samples: u64, length: u64) -> Option<(u64, u64, bool)> {
        let bits = self.pixels()?.checked_mul(samples)?.checked_mul(u64::from(self.allocated?))?;
        let frame = Some(bits.div_ceil(8)).filter(|&frame| frame > 0)?;
        let Some(frames) = self.frames() else {
            let is_one = (frame..=frame.next_multiple_of(2)).contains(&length);
            return is_one.then_some((frame, frame, true));
        };
        // A single frame that is cut off is all there is.
        let whole_frames = length.saturating_mul(8) / bits;
        let come = whole_frames.clamp(1, frames);
        Some((frame, bits.checked_mul(come)?.div_ceil(8), whole_frames >= frames))
    }
}

/// One number of 16 bits; two digits of text are as long as one.
pub(super) fn number(header: &Header, value: &[u8]) -> Option<u16> {
    let bytes = <[u8; 2]>::try_from(value).ok().filter(|_| !header.vr.is_text());
    bytes.map(|bytes| header.syntax.u16(bytes))
}

/// Number of Frames; an empty one stands for 1, as an absent one does.
pub(super) fn frames(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(trim(value)).ok()?;
    // Some write a number of decimals.
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_whole = decimals.bytes().all(|digit| digit == b'0');
    if text.is_empty() { Some(1) } else { whole.parse::<u32>().ok().filter(|_| is_whole).map(u64::from) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Syntax, Vr};

    fn header(tag: Tag, vr: Vr) -> Header {
        Header { tag, vr, length: None, syntax: Syntax::EXPLICIT_LE }
    }

    /// Rows, columns, samples, bits allocated; frames; photometric interpretation.
    fn extent(numbers: [u16; 4], frames: &str, photometric: &str) -> Extent {
        let mut extent = Extent::default();
        for (tag, number) in [ROWS, COLUMNS, SAMPLES, ALLOCATED].into_iter().zip(numbers) {
            let [low, high] = number.to_le_bytes();
            extent.part(&header(tag, Vr::US), &[low], 1);
            extent.part(&header(tag, Vr::US), &[high], 0);
        }
        extent.part(&header(PHOTOMETRIC, Vr::CS), photometric.as_bytes(), 0);
        if !frames.is_empty() {
            extent.part(&header(FRAMES, Vr::IS), frames.as_bytes(), 0);
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
            ([4, 5, 1, 16], "1.5 "),
            ([4, 5, 1, 16], "12345678901234567890"),
        ] {
            assert_eq!(extent(numbers, frames, "MONOCHROME2").native(58), None, "{numbers:?} {frames}");
        }
        assert_eq!(Extent::default().native(40), None);
        let most = extent([u16::MAX, u16::MAX, 65535, 65535], "4294967295", "").native(u64::MAX);
        assert!(most.is_none_or(|(_, whole)| whole > 0));
    }

    #[test]
    fn frames_are_counted_as_they_come() {
        for frames in ["1.0 ", "1 ", " 1", "99", "+1", "1. "] {
            assert_eq!(extent([4, 5, 1, 16], frames, "MONOCHROME2").native(58), Some((40, 40)), "{frames}");
        }
        assert_eq!(extent([4, 5, 1, 16], "3 ", "MONOCHROME2").native(98), Some((40, 80)));
        assert_eq!(extent([4, 5, 1, 16], "3 ", "MONOCHROME2").native(20), Some((40, 40)), "cut off");
        assert_eq!(extent([4, 4, 3, 8], "2 ", "YBR_FULL_422").native(64), Some((32, 64)));
        assert_eq!(extent([4, 4, 3, 8], "2 ", "YBR_FULL_422").native(96), Some((48, 96)));
        assert_eq!(extent([4, 4, 3, 8], "9 ", "YBR_FULL_422").native(64), Some((32, 64)));
        for frames in ["0 ", "1A"] {
            assert_eq!(extent([3, 3, 1, 8], frames, "MONOCHROME2").native(10), Some((9, 9)), "{frames}");
        }
    }

    #[test]
    fn text_is_no_number_of_rows() {
        let mut extent = extent([4, 5, 1, 16], "", "MONOCHROME2");
        extent.part(&header(ROWS, Vr::IS), b"4 ", 0);
        assert_eq!((extent.native(40), extent.is_image()), (None, true));
        extent.part(&header(ROWS, Vr::US), &[4, 0, 4, 0], 0);
        assert_eq!(extent.native(40), None, "two values");
    }
}

//! How native pixel data lie in their bytes (PS3.5 §8.1, §8.2), and what is black in them.

use super::super::error::RewriteProblem;
use super::Description;
use super::description::{HIGH_BIT, PLANAR, REPRESENTATION, STORED};
use super::tags::{ALLOCATED, FRAMES, PHOTOMETRIC, SAMPLES};
use crate::dataset::{Header, PIXEL_DATA, Syntax, Tag, Vr};

type Problem = (Tag, RewriteProblem);

/// One plane follows another: for each frame one, or three where the colours are apart (Planar Configuration 1).
#[derive(Debug)]
pub(super) struct Layout {
    /// Bytes of one plane's pixel.
    pub(super) pixel: u64,
    pub(super) row: u64,
    pub(super) plane: u64,
    /// Bytes of the whole, without padding.
    pub(super) total: u64,
    /// The bytes of a black pixel, for each plane of a frame.
    pub(super) black: Vec<Vec<u8>>,
    /// Bits allocated.
    allocated: u16,
}

impl Layout {
    pub(super) fn of(image: &Description, syntax: Syntax) -> Result<Self, Problem> {
        let unmaskable = |tag| (tag, RewriteProblem::Unmaskable);
        let (rows, columns) = image.matrix().ok_or_else(|| image.lacking())?;
        let allocated = image.allocated.filter(|bits| matches!(bits, 8 | 16)).ok_or(unmaskable(ALLOCATED))?;
        let stored = image.stored.filter(|bits| (1..=allocated).contains(bits)).ok_or(unmaskable(STORED))?;
        if image.high_bit != Some(stored - 1) {
            return Err(unmaskable(HIGH_BIT));
        }
        let signed = match image.representation {
            Some(0) => false,
            Some(1) => true,
            _ => return Err(unmaskable(REPRESENTATION)),
        };
        let samples = image.samples.filter(|samples| matches!(samples, 1 | 3)).ok_or(unmaskable(SAMPLES))?;
        let black = black(&image.photometric, samples, stored, signed).ok_or(unmaskable(PHOTOMETRIC))?;
        let apart = match (samples, image.planar) {
            (1, _) | (_, Some(0)) => false,
            (_, Some(1)) => true,
            _ => return Err(unmaskable(PLANAR)),
        };
        let bytes = black
            .iter()
            .map(|&value| if allocated == 8 { vec![value as u8] } else { syntax.put_u16(value).to_vec() });
        let black: Vec<Vec<u8>> = if apart { bytes.collect() } else { vec![bytes.flatten().collect()] };
        let pixel = black.first().map_or(1, Vec::len) as u64;
        let row = pixel * u64::from(columns);
        let plane = row * u64::from(rows);
        // 16 bits of rows and of columns with 6 bytes each fit; 32 bits of frames may be too many.
        let total = (plane * black.len() as u64).checked_mul(image.frames).filter(|&total| total > 0);
        let total = total.ok_or(unmaskable(FRAMES))?;
        Ok(Self { pixel, row, plane, total, black, allocated })
    }

    /// VR and length of the pixel data in their native form; `None` where they are too long.
    pub(super) fn native(&self) -> Option<(Vr, u32)> {
        let length =
            u32::try_from(self.total.next_multiple_of(2)).ok().filter(|&length| length != u32::MAX)?;
        Some((if self.allocated == 8 { Vr::OB } else { Vr::OW }, length))
    }

    /// Checks that the pixel data that come are what was described; says whether their bytes are swapped in pairs.
    pub(super) fn check(&self, header: &Header) -> Result<bool, Problem> {
        let padded = self.total.next_multiple_of(2);
        if !header.length.is_some_and(|length| [self.total, padded].contains(&u64::from(length))) {
            return Err((PIXEL_DATA, RewriteProblem::PixelLength));
        }
        match (header.vr, self.allocated) {
            // OW is swapped by words, whatever is in them (PS3.5 §8.1.1, Annex D).
            (Vr::OW, 8) => Ok(header.syntax.big_endian),
            (Vr::OW, 16) | (Vr::OB, 8) => Ok(false),
            // OB has no byte order; little endian files of this kind are about, and are read in one way only.
            (Vr::OB, 16) if !header.syntax.big_endian => Ok(false),
            _ => Err((PIXEL_DATA, RewriteProblem::Unmaskable)),
        }
    }
}

/// The samples of a black pixel.
///
/// Black as it is seen, so that a reader recognizes the blanked area: the lowest value, which is negative for signed
/// pixels, 0 being a grey of them; the highest one for MONOCHROME1, where the lowest is white; no colour and no light for
/// YBR_FULL, whose zero is a green. Of a palette the first entry, whatever colour that is: the palette comes too late.
fn black(photometric: &[u8], samples: u16, stored: u16, signed: bool) -> Option<Vec<u16>> {
    let half = 1_u32.checked_shl(u32::from(stored).checked_sub(1)?)?;
    // Sign-extended, since some readers look at all bits allocated.
    let lowest = if signed { half.wrapping_neg() as u16 } else { 0 };
    let highest = if signed { (half - 1) as u16 } else { (2 * half - 1) as u16 };
    match (photometric, samples, signed) {
        (b"MONOCHROME2" | b"PALETTE COLOR", 1, _) => Some(vec![lowest]),
        (b"MONOCHROME1", 1, _) => Some(vec![highest]),
        (b"RGB", 3, false) => Some(vec![0, 0, 0]),
        (b"YBR_FULL", 3, false) => Some(vec![0, half as u16, half as u16]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::black;

    #[test]
    fn black_is_what_is_seen_as_black() {
        assert_eq!(black(b"MONOCHROME2", 1, 12, false), Some(vec![0]));
        assert_eq!(black(b"MONOCHROME2", 1, 12, true), Some(vec![0xF800]), "-2048");
        assert_eq!(black(b"MONOCHROME2", 1, 16, true), Some(vec![0x8000]));
        assert_eq!(black(b"MONOCHROME1", 1, 12, false), Some(vec![0x0FFF]));
        assert_eq!(black(b"MONOCHROME1", 1, 16, true), Some(vec![0x7FFF]));
        assert_eq!(black(b"MONOCHROME1", 1, 16, false), Some(vec![0xFFFF]));
        assert_eq!(black(b"RGB", 3, 8, false), Some(vec![0, 0, 0]));
        assert_eq!(black(b"YBR_FULL", 3, 8, false), Some(vec![0, 128, 128]));
        for (photometric, samples) in
            [(&b"RGB"[..], 1), (b"MONOCHROME2", 3), (b"YBR_FULL_422", 3), (b"CMYK", 4)]
        {
            assert_eq!(black(photometric, samples, 8, false), None);
        }
    }
}

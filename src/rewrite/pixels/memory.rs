//! How much memory frames take, and how what there is of it is divided.

use super::jpeg2000;

/// What a compressed frame may be longer than two uncompressed ones, for headers and what applications add.
const BESIDES: u64 = 256 << 10;

/// Of an uncompressed frame: what decoding one takes mostly, together with what came.
const COPIES: u64 = 4;

/// Of an uncompressed frame of JPEG Lossless with 8 bits: its pixels, six times as much to decode it, and what came.
const LOSSLESS: u64 = 8;

/// Bytes of a compressed frame, at most, by those of its pixels.
pub(super) fn compressed(pixels: u64) -> u64 {
    pixels.saturating_mul(2).saturating_add(BESIDES)
}

/// How the memory for frames is divided, in bytes.
///
/// Who sends slowly, and who reads slowly, has frames lying about for long. Therefore these have a part of their own, which
/// peers have shares of, and what is needed to decode is never in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameMemory {
    /// For frames that are being decoded.
    pub decoding: u64,
    /// For those that come, that wait, or whose pixels are being sent.
    pub lying: u64,
    /// What of that the frames of one peer that come leave free, so that the pixels of one that has come can always be sent.
    pub pixels: u64,
}

impl FrameMemory {
    /// What has to be there for frames of up to so many bytes of pixels.
    pub fn least(largest: u64) -> u64 {
        decoding(largest).saturating_add(compressed(largest)).saturating_add(largest)
    }

    /// What is enough for all of them, large frames of JPEG 2000 too: 17 bytes for each sample to decode it, its pixels, and what came.
    pub fn enough_for_jpeg_2000(largest: u64) -> u64 {
        let needed = jpeg2000::room(usize::try_from(largest).unwrap_or(usize::MAX)) as u64;
        needed.saturating_add(compressed(largest)).saturating_add(largest)
    }

    /// What is enough for all others, JPEG Lossless of 8 bits too.
    pub fn enough(largest: u64) -> u64 {
        largest.saturating_mul(LOSSLESS).max(Self::least(largest))
    }

    /// Bytes of memory for both parts together.
    pub fn all(self) -> u64 {
        self.decoding.saturating_add(self.lying)
    }

    /// Four parts of seven are for decoding, or what the largest frame needs of both parts.
    pub fn divide(whole: u64, largest: u64) -> Self {
        let most = whole.saturating_sub(compressed(largest).saturating_add(largest));
        let decoding = (whole / 7 * 4).min(most).max(decoding(largest)).min(whole);
        Self { decoding, lying: whole - decoding, pixels: largest }
    }
}

fn decoding(largest: u64) -> u64 {
    largest.saturating_mul(COPIES).saturating_add(BESIDES)
}

#[cfg(test)]
mod tests {
    use super::{FrameMemory, compressed, decoding};

    #[test]
    fn both_parts_have_room_for_the_largest_frame() {
        for largest in [1 << 10, 8 << 20, 64 << 20, 1 << 30] {
            for whole in
                [FrameMemory::least(largest), FrameMemory::least(largest) + 12_345, 512 << 20, 8 << 30]
            {
                let FrameMemory { decoding: first, lying, pixels } = FrameMemory::divide(whole, largest);
                assert_eq!(first + lying, whole);
                let enough = whole >= FrameMemory::least(largest);
                assert!(
                    !enough || first >= decoding(largest) && lying >= compressed(largest) + pixels,
                    "{whole} {largest}"
                );
            }
        }
        assert_eq!(FrameMemory::enough(64 << 20), 512 << 20);
        assert_eq!(FrameMemory::enough_for_jpeg_2000(10 << 20), (200 << 20) + (512 << 10));
        let divided = FrameMemory::divide(512 << 20, 64 << 20);
        assert_eq!((divided.decoding >> 20, divided.lying >> 20), (292, 219));
    }
}

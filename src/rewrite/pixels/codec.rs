//! Compressed pixel data that can be decoded, and what an object says of itself afterwards.

use super::super::error::RewriteProblem;
use super::Description;
use super::description::{PLANAR, REPRESENTATION};
use super::jpeg::{self, Process};
use super::jpeg2000;
use super::rle;
use super::shape::Shape;
use super::tags::PHOTOMETRIC;
use crate::dataset::Tag;

/// What decodes the frames of a transfer syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rewrite) enum Codec {
    Rle,
    Jpeg(Process),
    Jpeg2000,
}

impl Codec {
    /// RLE Lossless, JPEG Baseline, JPEG Lossless (both of them), JPEG 2000 (both of them).
    pub(in crate::rewrite) fn of(transfer_syntax_uid: &str) -> Option<Self> {
        match transfer_syntax_uid {
            "1.2.840.10008.1.2.5" => Some(Self::Rle),
            "1.2.840.10008.1.2.4.50" => Some(Self::Jpeg(Process::Baseline)),
            "1.2.840.10008.1.2.4.57" => Some(Self::Jpeg(Process::Lossless)),
            "1.2.840.10008.1.2.4.70" => Some(Self::Jpeg(Process::LosslessFirstOrder)),
            "1.2.840.10008.1.2.4.90" | "1.2.840.10008.1.2.4.91" => Some(Self::Jpeg2000),
            _ => None,
        }
    }

    /// Whether the samples of colours come out as RGB, though the object calls them something else.
    fn makes_rgb(self, photometric: &[u8]) -> bool {
        match self {
            Self::Rle => false,
            Self::Jpeg(_) => matches!(photometric, b"YBR_FULL" | b"YBR_FULL_422"),
            Self::Jpeg2000 => matches!(photometric, b"YBR_RCT" | b"YBR_ICT"),
        }
    }

    /// What is described, as it is after decoding, and what its frames have to be.
    pub(super) fn described(
        self,
        image: &Description,
    ) -> Result<(Description, Shape), (Tag, RewriteProblem)> {
        let unmaskable = |tag| (tag, RewriteProblem::Unmaskable);
        let (rows, columns) = image.matrix().ok_or_else(|| image.lacking())?;
        let mut decoded = image.clone();
        let samples = usize::from(image.samples.unwrap_or(0));
        let ycbcr = self.makes_rgb(&image.photometric);
        let is_signed = image.representation == Some(1);
        if ycbcr {
            decoded.photometric = b"RGB".to_vec();
        }
        if samples == 3 {
            decoded.planar = Some(image.planar.map(|_| 0).ok_or(unmaskable(PLANAR))?);
        }
        // Nobody extends the sign of what the decoder gives.
        if matches!(self, Self::Jpeg(_)) && is_signed && image.stored != image.allocated {
            return Err(unmaskable(REPRESENTATION));
        }
        // Of lossless JPEG in other colours, and of other JPEG 2000, nobody knows for certain what the components are.
        if self != Self::Rle && samples == 3 && !(ycbcr || image.photometric == b"RGB") {
            return Err(unmaskable(PHOTOMETRIC));
        }
        let (rows, columns) = (usize::from(rows), usize::from(columns));
        let bytes = usize::from(image.allocated.unwrap_or(0) / 8);
        Ok((decoded, Shape { pixels: rows * columns, columns, rows, samples, bytes, is_signed, ycbcr }))
    }

    /// Bytes that the decoder needs, and those that it gives, at most.
    pub(super) fn room(self, shape: &Shape) -> u64 {
        let samples = shape.pixels.saturating_mul(shape.samples);
        // Planes are whole blocks of 8 x 8, four of them side by side where colours are subsampled.
        let block = |length: usize| length.next_multiple_of(32);
        let bytes = match self {
            Self::Rle => samples.saturating_mul(shape.bytes).saturating_add(shape.pixels),
            Self::Jpeg(Process::Baseline) => block(shape.columns)
                .saturating_mul(block(shape.rows))
                .saturating_mul(shape.samples)
                .saturating_add(samples),
            // Two bytes of each sample and four of its difference, even of samples of one byte.
            Self::Jpeg(Process::Lossless | Process::LosslessFirstOrder) => samples.saturating_mul(6),
            Self::Jpeg2000 => jpeg2000::room(samples),
        };
        bytes as u64
    }

    pub(super) fn decode(self, frame: &[u8], shape: &Shape) -> Option<Vec<u8>> {
        match self {
            Self::Rle => rle::decode(frame, shape),
            Self::Jpeg(process) => jpeg::decode(frame, process, shape),
            Self::Jpeg2000 => jpeg2000::decode(frame, shape),
        }
    }
}

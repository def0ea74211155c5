//! RLE Lossless (PS3.5 Annex G).

use super::shape::Shape;

const HEADER: usize = 64;

/// The pixels of a frame, colours together, little endian; `None` where the frame is not what was described.
pub(super) fn decode(frame: &[u8], shape: &Shape) -> Option<Vec<u8>> {
    let word =
        |at: usize| Some(u32::from_le_bytes(frame.get(at..at.checked_add(4)?)?.try_into().ok()?) as usize);
    let count = shape.samples.checked_mul(shape.bytes)?;
    if frame.len() < HEADER || word(0)? != count || count > 15 {
        return None;
    }
    let starts = (1..=count).map(|segment| word(segment * 4)).collect::<Option<Vec<usize>>>()?;
    let pixels = shape.pixels;
    let mut decoded = vec![0; pixels.checked_mul(count)?];
    let mut plane = Vec::with_capacity(pixels);
    for (segment, &start) in starts.iter().enumerate() {
        let end = starts.get(segment + 1).copied().unwrap_or(frame.len());
        if start < HEADER {
            return None;
        }
        plane.clear();
        unpack(frame.get(start..end)?, pixels, &mut plane)?;
        // Of each sample the most significant byte comes first.
        let (sample, byte) = (segment / shape.bytes, shape.bytes - 1 - segment % shape.bytes);
        let first = sample * shape.bytes + byte;
        for (to, from) in decoded.iter_mut().skip(first).step_by(count).zip(&plane) {
            *to = *from;
        }
    }
    Some(decoded)
}

/// Appends the bytes of one segment, exactly `length` of them; what pads the segment is left.
fn unpack(mut packed: &[u8], length: usize, plane: &mut Vec<u8>) -> Option<()> {
    while plane.len() < length {
        let (&control, rest) = packed.split_first()?;
        packed = match control {
            0..=127 => {
                let (literal, behind) = rest.split_at_checked(usize::from(control) + 1)?;
                plane.extend_from_slice(literal);
                behind
            }
            129..=255 => {
                let (&byte, behind) = rest.split_first()?;
                plane.resize(plane.len() + 257 - usize::from(control), byte);
                behind
            }
            128 => rest,
        };
    }
    (plane.len() == length).then_some(())
}

#[cfg(test)]
mod tests {
    use super::{Shape, decode};

    const SHAPE: Shape =
        Shape { pixels: 5, columns: 5, rows: 1, samples: 1, bytes: 2, is_signed: false, ycbcr: false };

    fn frame(segments: &[&[u8]]) -> Vec<u8> {
        let mut frame = (segments.len() as u32).to_le_bytes().to_vec();
        let mut start = 64;
        for segment in segments {
            frame.extend((start as u32).to_le_bytes());
            start += segment.len();
        }
        frame.resize(64, 0);
        frame.extend(segments.concat());
        frame
    }

    #[test]
    fn runs_and_literals_become_words_least_significant_byte_first() {
        let high: &[u8] = &[254, 7, 128, 1, 8, 9];
        let low: &[u8] = &[4, 1, 2, 3, 4, 5, 0];
        assert_eq!(decode(&frame(&[high, low]), &SHAPE), Some(vec![1, 7, 2, 7, 3, 7, 4, 8, 5, 9]));
        let whole = frame(&[high, low]);
        for wrong in [
            frame(&[high]),
            frame(&[high, &[254, 7]]),
            frame(&[&[251, 7], low]),
            frame(&[&[5, 1, 2, 3, 4, 5, 6], low]),
            whole[..60].to_vec(),
            whole[..66].to_vec(),
        ] {
            assert_eq!(decode(&wrong, &SHAPE), None, "{wrong:?}");
        }
    }
}

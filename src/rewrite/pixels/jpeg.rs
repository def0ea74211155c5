//! JPEG Baseline and JPEG Lossless (PS3.5 A.4.1).

use std::panic::{AssertUnwindSafe, catch_unwind};

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use super::codec::Shape;

/// What a byte can become at most: a block of 64 samples has two codes of a bit or more, a sample without a block has one, and
/// colours are subsampled by no more than 4 in both directions (T.81 F.1.2, H.1.2, B.2.2).
const MOST: usize = 1024;

/// The pixels of a frame, colours together, little endian; `None` where the frame is not what was described.
pub(super) fn decode(frame: &[u8], shape: &Shape) -> Option<Vec<u8>> {
    // A decoder that panics on what it cannot read is one that cannot read it.
    catch_unwind(AssertUnwindSafe(|| decoded(frame, shape))).ok().flatten()
}

fn decoded(frame: &[u8], shape: &Shape) -> Option<Vec<u8>> {
    let length = shape.pixels.checked_mul(shape.samples)?.checked_mul(shape.bytes)?;
    // Of what is missing before a marker, the decoder makes zeros.
    if frame.len() < length / MOST {
        return None;
    }
    let mut rest = frame;
    let mut decoder = Decoder::new(&mut rest);
    decoder.set_max_decoding_buffer_size(length);
    decoder.read_info().ok()?;
    let info = decoder.info()?;
    let expected = match (shape.samples, shape.bytes) {
        (1, 1) => PixelFormat::L8,
        (1, 2) => PixelFormat::L16,
        (3, 1) => PixelFormat::RGB24,
        _ => return None,
    };
    let size = (usize::from(info.width), usize::from(info.height));
    if info.pixel_format != expected || size != (shape.columns, shape.rows) {
        return None;
    }
    if shape.samples == 3 {
        // As the object says, whatever an APP14 or JFIF marker says.
        decoder.set_color_transform(if shape.ycbcr { ColorTransform::YCbCr } else { ColorTransform::RGB });
    }
    let mut pixels = decoder.decode().ok().filter(|pixels| pixels.len() == length)?;
    drop(decoder);
    // It ended with an EOI. Where that is not the end, a part of the frame is missing; some pad with what could begin a marker.
    if rest.iter().any(|padding| !matches!(padding, 0 | 0xFF)) {
        return None;
    }
    if shape.bytes == 2 {
        for word in pixels.as_chunks_mut::<2>().0 {
            *word = u16::from_ne_bytes(*word).to_le_bytes();
        }
    }
    Some(pixels)
}

#[cfg(test)]
mod tests {
    use super::{Shape, decode};

    /// 8 x 8 pixels, one component, baseline.
    const GREY: &[u8] = include_bytes!("../tests/grey.jpg");

    fn shape(rows: usize, columns: usize) -> Shape {
        Shape { pixels: rows * columns, columns, rows, samples: 1, bytes: 1, ycbcr: false }
    }

    #[test]
    fn a_frame_that_ends_before_its_end_is_not_decoded() {
        let decode = |frame: &[u8]| decode(frame, &shape(8, 8)).map(|pixels| pixels.len());
        let padded = |with| decode(&[GREY, &[with]].concat());
        assert_eq!((decode(GREY), padded(0), padded(0xFF)), (Some(64), Some(64), Some(64)));
        assert_eq!(padded(1), None);
        let entropy = GREY.len() - 20;
        let with = |marker: [u8; 2]| {
            let mut frame = GREY.to_vec();
            frame[entropy..entropy + 2].copy_from_slice(&marker);
            decode(&frame)
        };
        assert_eq!(with([0xFF, 0xD9]), None, "EOI");
        assert_eq!(decode(&GREY[..GREY.len() - 2]), None);
    }

    #[test]
    fn a_frame_that_is_too_short_for_its_pixels_is_not_decoded() {
        // One code for all blocks: of zeros, the decoder makes as many as it likes.
        let table = |class: u8| [&[0xFF, 0xC4, 0, 20, class, 1][..], &[0; 15], &[0]].concat();
        let frame = |side: u16, entropy: usize| {
            let [high, low] = side.to_be_bytes();
            let quantization = [&[0xFF, 0xDB, 0, 67, 0][..], &[1; 64]].concat();
            let start = [0xFF, 0xC0, 0, 11, 8, high, low, high, low, 1, 1, 0x11, 0];
            let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];
            let head = [&[0xFF, 0xD8][..], &quantization, &start, &table(0), &table(0x10), &scan].concat();
            [&head[..], &vec![0; entropy], &[0xFF, 0xD9]].concat()
        };
        let decodes =
            |side: u16, entropy| decode(&frame(side, entropy), &shape(side.into(), side.into())).is_some();
        assert!(decodes(8, 1));
        assert!(decodes(2048, 2048 * 2048 / 256), "two bits for each block");
        assert!(!decodes(2048, 1));
    }
}

//! JPEG Baseline and JPEG Lossless (PS3.5 A.4.1).

use std::panic::{AssertUnwindSafe, catch_unwind};

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use super::codec::Shape;

/// The pixels of a frame, colours together, little endian; `None` where the frame is not what was described.
pub(super) fn decode(frame: &[u8], shape: &Shape) -> Option<Vec<u8>> {
    // A decoder that panics on what it cannot read is one that cannot read it.
    catch_unwind(AssertUnwindSafe(|| decoded(frame, shape))).ok().flatten()
}

fn decoded(frame: &[u8], shape: &Shape) -> Option<Vec<u8>> {
    let length = shape.pixels.checked_mul(shape.samples)?.checked_mul(shape.bytes)?;
    let mut decoder = Decoder::new(frame);
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
    if shape.bytes == 2 {
        for word in pixels.as_chunks_mut::<2>().0 {
            *word = u16::from_ne_bytes(*word).to_le_bytes();
        }
    }
    Some(pixels)
}

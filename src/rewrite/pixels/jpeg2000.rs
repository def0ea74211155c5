//! JPEG 2000 (PS3.5 A.4.4).
//!
//! # Why hayro-jpeg2000, and nothing for JPEG-LS, HTJ2K and JPEG of 12 bits
//!
//! What decodes here reads what strangers send, in front of an archive: a decoder in C that can be made to write where it
//! should not is worse than a picture that is refused. `hayro-jpeg2000` forbids unsafe code, brings no other crate along, is kept
//! up (Linux distributions ship it), and gives samples at their own depth. OpenJPEG, as C or as `openjp2`, which is that C
//! translated, and CharLS for JPEG-LS are such decoders. For HTJ2K and JPEG-LS there are ports to Rust, each by one person
//! and young; of JPEG of 12 bits, `jpeg-decoder` and `zune-jpeg` read none. These stay refused.
//!
//! How much memory and time a frame takes is bounded by what [`headers`] read of it before anything is decoded.

mod headers;

use std::panic::{AssertUnwindSafe, catch_unwind};

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

use super::shape::Shape;

/// Bytes that decoding takes for a sample: its value, its coefficients, what the wavelet needs, and the result.
///
/// Measured with an allocator that counts, both places of what is moved included: hayro-jpeg2000 0.5 on frames that OpenJPEG wrote,
/// of 64 x 64 to 3000 x 2500 pixels, 8, 12 and 16 bits, one component and three, lossless and lossy, 1 to 9 resolutions, noise,
/// waves and nothing. The most is 15.4 with the code-blocks that encoders write, and 16.9 with those of 4 x 256 samples in 32 layers
/// that `headers` still lets through; of three components 8.4, and of tiles 6.7.
const OF_SAMPLE: usize = 17;
/// What it takes besides, for code-blocks and layers: up to 170 KiB were measured, of 256 x 256 pixels.
const BESIDES: usize = 256 << 10;

/// Bytes that decoding so many samples takes, at most.
pub(super) fn room(samples: usize) -> usize {
    samples.saturating_mul(OF_SAMPLE).saturating_add(BESIDES)
}

/// The pixels of a frame, colours together, little endian; `None` where the frame is not what was described.
pub(super) fn decode(frame: &[u8], shape: &Shape) -> Option<Vec<u8>> {
    let is_signed = headers::are_of(frame, shape)?;
    // A decoder that panics on what it cannot read is one that cannot read it.
    catch_unwind(AssertUnwindSafe(|| decoded(frame, shape, is_signed))).ok().flatten()
}

fn decoded(frame: &[u8], shape: &Shape, is_signed: bool) -> Option<Vec<u8>> {
    let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
    let image = Image::new(frame, &settings).ok()?;
    let mut context = DecoderContext::default();
    let image = image.decode(&mut context).ok()?;
    let components = image.components();
    let length = shape.pixels.checked_mul(shape.samples)?.checked_mul(shape.bytes)?;
    let mut pixels = vec![0; length];
    let step = shape.samples.checked_mul(shape.bytes)?;
    if components.len() != shape.samples {
        return None;
    }
    for (index, component) in components.iter().enumerate() {
        if component.samples().len() != shape.pixels {
            return None;
        }
        let range = Range::of(component.bit_depth(), is_signed);
        let places = pixels.get_mut(index * shape.bytes..)?.chunks_mut(step);
        for (place, sample) in places.zip(component.samples()) {
            for (to, from) in place.iter_mut().take(shape.bytes).zip(range.bytes(*sample)) {
                *to = from;
            }
        }
    }
    Some(pixels)
}

/// The values that a component may have.
struct Range {
    /// What the decoder adds to each value, whether they are signed or not.
    shift: i32,
    least: i32,
    most: i32,
}

impl Range {
    /// Of values of 1 to 16 bits.
    fn of(bits: u8, is_signed: bool) -> Self {
        let (half, all) = (1 << (bits.clamp(1, 16) - 1), 1 << bits.clamp(1, 16));
        if is_signed {
            Self { shift: half, least: -half, most: half - 1 }
        } else {
            Self { shift: 0, least: 0, most: all - 1 }
        }
    }

    /// The sample, its sign extended, little endian.
    fn bytes(&self, sample: f32) -> [u8; 2] {
        // What does not fit ends at the edge, as in every decoder.
        let value = (sample.round() as i32).saturating_sub(self.shift).clamp(self.least, self.most);
        (value as u16).to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Range, Shape};

    /// 8 x 8 pixels of 16 bits, signed.
    const SIGNED: &[u8] = include_bytes!("../tests/signed.j2k");
    const SHAPE: Shape =
        Shape { pixels: 64, columns: 8, rows: 8, samples: 1, bytes: 2, is_signed: true, ycbcr: false };

    fn decode(frame: &[u8]) -> Option<Vec<u8>> {
        super::decode(frame, &SHAPE)
    }

    /// The frame with these bytes from so many behind a marker on.
    fn with(marker: u8, behind: usize, bytes: &[u8]) -> Vec<u8> {
        let mut frame = SIGNED.to_vec();
        let at = frame.windows(2).position(|two| two == [0xFF, marker]).unwrap() + behind;
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        frame
    }

    #[test]
    fn a_whole_frame_of_the_shape_is_decoded_and_no_other() {
        let values = (0..64_i16).flat_map(|at| (at * 61 - 1900).to_le_bytes());
        assert_eq!(decode(SIGNED), Some(values.collect()));
        for shape in [
            Shape { is_signed: false, ..SHAPE },
            Shape { rows: 9, pixels: 72, ..SHAPE },
            Shape { samples: 3, ..SHAPE },
            Shape { bytes: 1, ..SHAPE },
        ] {
            assert_eq!(super::decode(SIGNED, &shape), None, "{shape:?}");
        }
        for end in 0..SIGNED.len() {
            assert_eq!(decode(&SIGNED[..end]), None, "{end}");
        }
        assert!(decode(&[SIGNED, &[0]].concat()).is_some() && decode(&[SIGNED, &[0xFF]].concat()).is_some());
        assert_eq!(decode(&[SIGNED, b"DOE"].concat()), None);
    }

    #[test]
    fn what_would_take_much_for_little_is_not_decoded() {
        // Behind a marker and its length: of SIZ, Rsiz and the tiles; of COD, style, order, layers, transform, levels, code-blocks.
        let (size, coding) = (0x51, 0x52);
        assert_eq!(with(coding, 7, &[1]), SIGNED, "layers");
        assert_eq!(with(coding, 10, &[4, 4]), SIGNED, "code-blocks");
        assert_eq!(with(size, 22, &[0, 0, 0, 8, 0, 0, 0, 8]), SIGNED, "tiles");
        for frame in [
            with(size, 4, &[0x40, 0]),
            with(size, 22, &[0, 0, 0, 1, 0, 0, 0, 1]),
            with(size, 22, &[0; 8]),
            with(coding, 6, &[0xFF, 0xFF]),
            with(coding, 10, &[0, 0]),
            with(coding, 12, &[0x40]),
        ] {
            assert_eq!(decode(&frame), None);
        }
    }

    /// The frame with a segment more before a marker.
    fn with_segment(before: u8, segment: &[u8]) -> Vec<u8> {
        let at = SIGNED.windows(2).position(|two| two == [0xFF, before]).unwrap();
        [&SIGNED[..at], segment, &SIGNED[at..]].concat()
    }

    #[test]
    fn what_a_decoder_could_read_in_another_way_is_not_decoded() {
        let (coding, quantization, tile_part, data) = (0x52, 0x5C, 0x90, 0x93);
        let comment = [0xFF, 0x64, 0, 5, 0, 1, b'x'];
        assert!(decode(&with_segment(coding, &comment)).is_some());
        let of = |marker, contents: &[u8]| {
            let length = u16::try_from(contents.len() + 2).unwrap().to_be_bytes();
            [&[0xFF, marker], &length[..], contents].concat()
        };
        let segment = |marker: u8| {
            let at = SIGNED.windows(2).position(|two| two == [0xFF, marker]).unwrap();
            let length = usize::from(u16::from_be_bytes([SIGNED[at + 2], SIGNED[at + 3]]));
            SIGNED[at..at + 2 + length].to_vec()
        };
        for (what, frame) in [
            ("a marker without a length, which hides what is behind it", with_segment(coding, &[0xFF, 0x30])),
            ("COD twice", with_segment(quantization, &segment(coding))),
            ("QCD twice", with_segment(tile_part, &segment(quantization))),
            ("steps without end", with_segment(tile_part, &of(0x5D, &[&[0, 0][..], &[8; 98]].concat()))),
            ("orders without end", with_segment(tile_part, &of(0x5F, &[0, 0, 0, 1, 1, 1, 0]))),
            ("packed headers", with_segment(tile_part, &of(0x60, &[0, 0, 0, 0, 0]))),
            ("coding of a tile", with_segment(data, &segment(coding))),
            ("precincts behind the length of COD", with(coding, 4, &[1])),
            ("33 layers", with(coding, 6, &[0, 33])),
            ("a shorter COD", with(coding, 2, &[0, 11])),
            ("a longer SOT", with(tile_part, 2, &[0, 11])),
        ] {
            assert_eq!(decode(&frame), None, "{what}");
        }
        let small = of(0x53, &[0, 1, 0, 4, 4, 0, 1, 0x11]);
        assert_eq!(decode(&with_segment(tile_part, &small)), None, "precincts of 2 x 2");
        // Of 32 x 32, which leave 16 x 16 of a code-block of 32 x 32; of 128 x 128 they leave it as it is.
        for (precinct, is_read) in [(0x55, false), (0x65, false), (0x66, true)] {
            let coding = of(0x53, &[0, 1, 1, 3, 3, 0, 1, 0x77, precinct]);
            let read = super::headers::are_of(&with_segment(tile_part, &coding), &SHAPE);
            assert_eq!(read.is_some(), is_read, "{precinct:x}");
        }
        // Parts of the one tile, with nothing in them.
        let part = [0xFF, tile_part, 0, 10, 0, 0, 0, 0, 0, 14, 0, 0, 0xFF, data];
        let end = SIGNED.len() - 2;
        for (more, is_read) in [(31, true), (32, false)] {
            let frame = [&SIGNED[..end], &part.repeat(more)[..], &SIGNED[end..]].concat();
            assert_eq!(super::headers::are_of(&frame, &SHAPE).is_some(), is_read, "{more} more");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_change_of_a_frame_panics(changes in proptest::collection::vec((0..SIGNED.len(), any::<u8>()), 1..6)) {
            let mut frame = SIGNED.to_vec();
            changes.iter().for_each(|&(at, byte)| frame[at] = byte);
            prop_assert!(decode(&frame).is_none_or(|pixels| pixels.len() == 128));
        }
    }

    #[test]
    fn samples_keep_their_value_and_get_their_sign() {
        let of = |bits, is_signed, sample: f32| Range::of(bits, is_signed).bytes(sample);
        assert_eq!(of(12, false, 4095.4), [0xFF, 0x0F]);
        assert_eq!(of(12, false, 5000.0), [0xFF, 0x0F]);
        assert_eq!(of(12, false, -3.0), [0, 0]);
        assert_eq!(of(16, true, 32768.0), [0, 0]);
        assert_eq!(of(16, true, 32767.0), [0xFF, 0xFF]);
        assert_eq!(of(12, true, 0.0), [0, 0xF8]);
        assert_eq!(of(16, false, f32::NAN), [0, 0]);
        assert_eq!(of(16, false, f32::INFINITY), [0xFF, 0xFF]);
    }
}

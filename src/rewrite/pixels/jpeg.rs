//! JPEG Baseline and JPEG Lossless (PS3.5 A.4.1).

mod markers;

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use super::shape::Shape;

/// What a byte can become at most: a block of 64 samples has two codes of a bit or more, a sample without a block has one, and
/// colours are subsampled by no more than 4 in both directions (T.81 F.1.2, H.1.2, B.2.2).
const MOST: usize = 1024;

/// How long a frame may take. The largest take a second or two; nothing that the markers allow should take longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Reads between two looks at the clock.
const LOOK: u32 = 4096;

pub(in crate::rewrite) use markers::Process;

/// The pixels of a frame, colours together, little endian; `None` where the frame is not what was described, or not of the
/// process.
pub(super) fn decode(frame: &[u8], process: Process, shape: &Shape) -> Option<Vec<u8>> {
    if !markers::are_of(frame, process, shape) {
        return None;
    }
    // A decoder that panics on what it cannot read is one that cannot read it. The log has the place, so that it can be mended.
    catch_unwind(AssertUnwindSafe(|| decoded(frame, shape))).ok().flatten()
}

/// Ends where the time does.
struct Timed<'a> {
    rest: &'a [u8],
    until: Instant,
    reads: u32,
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads = self.reads.wrapping_add(1);
        if self.reads.is_multiple_of(LOOK) && Instant::now() > self.until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.rest.read(buffer)
    }
}

fn decoded(frame: &[u8], shape: &Shape) -> Option<Vec<u8>> {
    let length = shape.pixels.checked_mul(shape.samples)?.checked_mul(shape.bytes)?;
    // Of what is missing before a marker, the decoder makes zeros.
    if frame.len() < length / MOST {
        return None;
    }
    let mut input = Timed { rest: frame, until: Instant::now() + PATIENCE, reads: 0 };
    let mut decoder = Decoder::new(&mut input);
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
    if input.rest.iter().any(|padding| !matches!(padding, 0 | 0xFF)) {
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
    use super::{Process, Shape};

    /// 8 x 8 pixels, one component, baseline.
    const GREY: &[u8] = include_bytes!("../tests/grey.jpg");

    fn decode(frame: &[u8], shape: &Shape) -> Option<Vec<u8>> {
        super::decode(frame, Process::Baseline, shape)
    }

    fn shape(rows: usize, columns: usize) -> Shape {
        Shape { pixels: rows * columns, columns, rows, samples: 1, bytes: 1, is_signed: false, ycbcr: false }
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

    /// Where a marker segment of the frame begins.
    fn at(frame: &[u8], marker: u8) -> usize {
        frame.windows(2).position(|two| two == [0xFF, marker]).unwrap()
    }

    #[test]
    fn only_the_process_of_the_transfer_syntax_is_decoded() {
        let of = |process| super::decode(GREY, process, &shape(8, 8)).is_some();
        let all = [Process::Baseline, Process::Lossless, Process::LosslessFirstOrder];
        assert_eq!(all.map(of), [true, false, false]);
        for start_of_frame in [0xC1, 0xC2, 0xC5, 0xC9, 0xDE] {
            let mut other = GREY.to_vec();
            let start = at(&other, 0xC0);
            other[start + 1] = start_of_frame;
            assert_eq!(decode(&other, &shape(8, 8)), None, "{start_of_frame:02X}");
        }
    }

    #[test]
    fn each_component_has_one_scan_and_tables_are_few() {
        let scan = at(GREY, 0xDA);
        let (head, rest) = GREY.split_at(scan);
        let scans = |count: usize| [head, &rest[..rest.len() - 2].repeat(count), &[0xFF, 0xD9]].concat();
        assert!(decode(&scans(1), &shape(8, 8)).is_some());
        assert_eq!(decode(&scans(2), &shape(8, 8)), None);
        let interval = [0xFF, 0xDD, 0, 4, 0, 0];
        let tables = |count: usize| [head, &interval.repeat(count), rest].concat();
        assert!(decode(&tables(10), &shape(8, 8)).is_some());
        assert_eq!(decode(&tables(100), &shape(8, 8)), None);
        let mut partial = GREY.to_vec();
        let end = scan + 2 + 2 + 1 + 2 + 1;
        assert_eq!(partial[end], 63, "the end of the spectral selection");
        partial[end] = 5;
        assert_eq!(decode(&partial, &shape(8, 8)), None);
    }

    #[test]
    fn a_progressive_frame_is_refused_by_its_markers_though_the_decoder_would_take_it() {
        let quantization = [&[0xFF, 0xDB, 0, 67, 0][..], &[1; 64]].concat();
        let table = [&[0xFF, 0xC4, 0, 20, 0][..], &[1], &[0; 15], &[0]].concat();
        let start = [0xFF, 0xC2, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
        // Of the first coefficient, all bits but the last; then that one, again and again.
        let first = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 1, 0];
        let more = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0x10, 0].repeat(200);
        let head = [&[0xFF, 0xD8][..], &quantization, &start, &table].concat();
        let frame = [&head[..], &first, &more, &[0xFF, 0xD9]].concat();
        assert!(super::decoded(&frame, &shape(8, 8)).is_some());
        assert_eq!(decode(&frame, &shape(8, 8)), None);
    }
}

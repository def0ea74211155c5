//! Compressed pixels decoded to be masked.

use std::sync::Arc;

use proptest::prelude::*;

use super::oracle::parse;
use super::pixels::{GREY, Image, codes, flag, mask, masking, rectangle};
use super::support::*;
use crate::buffer::{Lot, Shelf};
use crate::dataset::Tag;
use crate::rewrite::{Output, RewriteError, RewriteProblem, Step, Transform};

const RLE: &str = "1.2.840.10008.1.2.5";

/// One frame of native pixel data, little endian, in RLE: literals of three bytes, the last one a run.
fn rle(image: &Image, native: &[u8]) -> Vec<u8> {
    let count = usize::from(image.samples * image.allocated / 8);
    let bytes = usize::from(image.allocated / 8);
    let segments = (0..count).map(|segment| {
        let (sample, byte) = (segment / bytes, bytes - 1 - segment % bytes);
        let plane: Vec<u8> = native.iter().copied().skip(sample * bytes + byte).step_by(count).collect();
        let (last, literals) = plane.split_last().unwrap();
        let mut packed = Vec::new();
        for literal in literals.chunks(3) {
            packed.push(literal.len() as u8 - 1);
            packed.extend(literal);
        }
        packed.extend([0, *last]);
        packed.resize(packed.len().next_multiple_of(2), 0);
        packed
    });
    let (mut frame, mut start) = ((count as u32).to_le_bytes().to_vec(), 64);
    let segments: Vec<Vec<u8>> = segments.collect();
    for segment in &segments {
        frame.extend((start as u32).to_le_bytes());
        start += segment.len();
    }
    frame.resize(64, 0);
    frame.extend(segments.concat());
    frame
}

/// The image in RLE, each frame in as many fragments as the offset table tells of, or in one.
fn compressed(image: &Image, split: bool) -> Data {
    let native = image.bytes(&image.values(&[]), LE);
    let size = image.count() / usize::from(image.frames) * usize::from(image.allocated / 8);
    let frames: Vec<Vec<u8>> = native.chunks_exact(size).map(|frame| rle(image, frame)).collect();
    let (mut fragments, mut table, mut position) = (vec![Vec::new()], Vec::new(), 0);
    for frame in &frames {
        table.extend((position as u32).to_le_bytes());
        for fragment in frame.chunks(if split { 40 } else { frame.len() }) {
            fragments.push(fragment.to_vec());
            position += fragment.len() + 8;
        }
    }
    if split {
        fragments[0] = table;
    }
    let fragments: Vec<&[u8]> = fragments.iter().map(Vec::as_slice).collect();
    image.header(LE).fragments(&fragments)
}

#[test]
fn compressed_pixels_are_decoded_and_masked() {
    let blank = [rectangle(1, 1, 2, 2), rectangle(4, 0, 9, 1)];
    let rules = masking(&[mask(&blank)], true, &[]);
    let colour =
        Image { photometric: "RGB", samples: 3, allocated: 8, stored: 8, apart: true, ow: false, ..GREY };
    let odd = Image { rows: 3, columns: 5, allocated: 8, stored: 8, ow: false, frames: 3, ..GREY };
    for image in [GREY, Image { frames: 4, ..GREY }, colour, odd] {
        for split in [false, true] {
            // Its colours were together when it was compressed, whatever it said.
            let together = Image { apart: false, ..image.clone() };
            let data = Data { bytes: compressed(&together, split).bytes, ..Data::new(LE) };
            let transform = || Transform::new(Arc::clone(&rules), LE, expected());
            let refused = run_in(transform(), &data.bytes, &[7]).map(|(sent, _)| sent).unwrap_err();
            assert_eq!(
                refused.problem,
                RewriteProblem::CompressedPixels,
                "nobody said that it may be decoded"
            );
            let decode = |size| run_in(transform().may_decode(RLE), &data.bytes, &[size]);
            let (sent, transform) = decode(usize::MAX).unwrap();
            assert!(transform.decodes());
            assert_eq!(decode(1).unwrap().0, sent);
            let object = parse(&sent, "1.2.840.10008.1.2.1");
            let pixels = object.get(Tag(0x7FE0, 0x10)).unwrap().to_bytes().unwrap().into_owned();
            let mut native = together.bytes(&together.values(&blank), LE);
            if image.count() * usize::from(image.allocated / 8) % 2 == 1 {
                *native.last_mut().unwrap() = 0;
            }
            assert_eq!(pixels, native, "{image:?}");
            assert_eq!((flag(&object).as_deref(), codes(&object).len()), (Some("NO"), 2));
        }
    }
}

#[test]
fn jpeg_2000_is_decoded_and_masked_with_its_signs() {
    let image = Image { rows: 8, columns: 8, stored: 16, signed: true, ..GREY };
    let rules = masking(&[mask(&[rectangle(0, 0, 8, 1)])], true, &[]);
    let data = image.header(LE).fragments(&[&[], include_bytes!("signed.j2k")]);
    let transform = Transform::new(rules, LE, expected()).may_decode("1.2.840.10008.1.2.4.90");
    let (sent, _) = run_in(transform, &data.bytes, &[50]).unwrap();
    let values = (0..64).map(|at: i16| if at < 8 { i16::MIN } else { at * 61 - 1900 });
    let pixels: Vec<u8> = values.flat_map(i16::to_le_bytes).collect();
    assert_eq!(&sent[sent.len() - 128..], pixels);
}

#[test]
fn what_cannot_be_decoded_is_refused() {
    let rules = masking(&[mask(&[rectangle(0, 0, 2, 2)])], true, &[]);
    let decode = |data: &Data, syntax| {
        let transform = || Transform::new(Arc::clone(&rules), LE, expected()).may_decode(syntax);
        let bytewise = run_in(transform(), &data.bytes, &[1]).map(|(sent, _)| sent);
        assert_eq!(bytewise, run_in(transform(), &data.bytes, &[usize::MAX]).map(|(sent, _)| sent));
        bytewise.map_err(|error| (error.status, error.problem)).unwrap_err()
    };
    let two = Image { frames: 2, ..GREY };
    let good = compressed(&GREY, false);
    assert_eq!(decode(&good, "1.2.840.10008.1.2.4.80"), (0xC007, RewriteProblem::CompressedPixels));
    assert_eq!(decode(&good, "1.2.840.10008.1.2.4.90"), (0xC007, RewriteProblem::Undecodable));
    assert_eq!(decode(&good, "1.2.840.10008.1.2.4.50"), (0xC007, RewriteProblem::Undecodable));
    let one_of_two = Data {
        bytes: [two.header(LE).bytes, good.bytes[GREY.header(LE).bytes.len()..].to_vec()].concat(),
        ..good
    };
    assert_eq!(decode(&one_of_two, RLE), (0xC007, RewriteProblem::Frames));
    for fragments in [&[&[][..], &[1, 2, 3, 4]][..], &[&[]], &[&[0, 0, 0, 0, 9, 0, 0, 0], &[1, 2]]] {
        let (status, problem) = decode(&GREY.header(LE).fragments(fragments), RLE);
        assert!(status == 0xC007 && matches!(problem, RewriteProblem::Undecodable | RewriteProblem::Frames));
    }
    assert_eq!(decode(&GREY.data(LE), RLE).1, RewriteProblem::Unmaskable, "native, in RLE");
    let huge = Image { rows: 1000, columns: 1000, ..GREY }.header(LE).fragments(&[&[], &[1, 2]]);
    assert_eq!(decode(&huge, RLE).1, RewriteProblem::FrameSize);
    let long = vec![0; (1 << 20) + 2];
    assert_eq!(decode(&GREY.header(LE).fragments(&[&[], &long]), RLE).1, RewriteProblem::Frames);
}

/// Bytes that came out, and the most that came out of one step.
fn run_in_steps(mut transform: Transform, input: &[u8], size: usize) -> (usize, usize) {
    let (mut sizes, mut output) = (Vec::new(), Output::new());
    for chunk in input.chunks(size.min(input.len())).chain([&[][..]]) {
        let mut at = 0;
        loop {
            output.clear();
            let is_end = chunk.is_empty();
            let step = if is_end {
                transform.finish_step(&mut output)
            } else {
                transform.step(chunk, &mut at, &mut output)
            };
            match step.unwrap() {
                Step::Frame(frame) => transform.decoded(frame.decode(u64::MAX)).unwrap(),
                Step::Done => {
                    sizes.push(output.len());
                    break;
                }
                Step::More => {}
            }
            sizes.push(output.len());
        }
    }
    (sizes.iter().sum(), sizes.into_iter().max().unwrap())
}

#[test]
fn what_one_step_decodes_is_one_frame() {
    // Frames of 64 KiB, as runs of zeros; 1 MiB is what the largest may be.
    let frame = |side: u16| {
        let runs = usize::from(side) * usize::from(side) / 128;
        let mut frame = [1_u32, 64].map(u32::to_le_bytes).concat();
        frame.resize(64, 0);
        (0..runs).for_each(|_| frame.extend([129, 0]));
        frame
    };
    let decode = |frames: u16, side: u16, size: usize| {
        let grey = Image { frames, rows: side, columns: side, allocated: 8, stored: 8, ow: false, ..GREY };
        let one = frame(side);
        let fragments: Vec<&[u8]> = [&[][..]].into_iter().chain((0..frames).map(|_| &one[..])).collect();
        let data = grey.header(LE).fragments(&fragments);
        let rules = masking(&[mask(&[rectangle(0, 0, 2, 2)])], true, &[]);
        let transform = Transform::new(rules, LE, expected()).may_decode(RLE);
        run_in_steps(transform, &data.bytes, size)
    };
    let (whole, largest) = decode(40, 256, usize::MAX);
    assert!(whole > 40 << 16 && largest <= (1 << 16) + 1000, "{largest} bytes at once");
    assert_eq!(decode(40, 256, 4 << 10).0, whole);
}

/// A transform of an image with a frame of 1 MiB, on a shelf of 2 MiB, and what is pushed through it.
fn slow(shelf: &Arc<Shelf>) -> (Transform, Vec<u8>) {
    let grey = Image { rows: 1024, columns: 1024, allocated: 8, stored: 8, ow: false, ..GREY };
    let mut frame = [1_u32, 64].map(u32::to_le_bytes).concat();
    frame.resize(64, 0);
    (0..1024 * 1024 / 128).for_each(|_| frame.extend([129, 0]));
    let data = grey.header(LE).fragments(&[&[], &frame]);
    let rules = masking(&[mask(&[rectangle(0, 0, 2, 2)])], true, &[]);
    let transform = Transform::new(rules, LE, expected()).may_decode(RLE);
    (transform.holding_in(shelf.corner("slow".into())), data.bytes)
}

/// What so many other peers have of the shelf, 16 KiB each.
fn others(shelf: &Arc<Shelf>, count: u8) -> Vec<Lot> {
    let begun = |number: u8| {
        let mut lot = shelf.corner(number.to_string().into()).lot();
        lot.append(&[0; 1 << 10], 16 << 10).unwrap();
        lot
    };
    (0..count).map(begun).collect()
}

#[test]
fn nothing_is_settled_before_the_first_frame_is_decoded() {
    let shelf = Shelf::new(2 << 20, 0);
    let (mut transform, bytes) = slow(&shelf);
    let (mut output, mut frames) = (Output::new(), 0);
    for chunk in bytes.chunks(1000) {
        let mut at = 0;
        loop {
            match transform.step(chunk, &mut at, &mut output).unwrap() {
                Step::Done => break,
                Step::More => {}
                Step::Frame(frame) => {
                    assert!(!transform.settled());
                    transform.decoded(frame.decode(u64::MAX)).unwrap();
                    frames += 1;
                }
            }
            assert_eq!(transform.settled(), frames > 0);
        }
        assert_eq!(transform.settled(), frames > 0);
    }
    assert_eq!(frames, 1);
}

#[test]
fn where_much_comes_before_the_pixels_it_is_not_all_held_back() {
    let (_, bytes) = slow(&Shelf::new(2 << 20, 0));
    let pixels = bytes.windows(4).position(|four| four == b"\xE0\x7F\x10\0").unwrap();
    let (mut transform, _) = slow(&Shelf::new(2 << 20, 0));
    let mut long = b"\x45\0\x10\x10OB\0\0\0\0\x20\0".to_vec();
    long.resize(12 + (2 << 20), 0);
    let mut output = Output::new();
    transform.push(&bytes[..pixels], &mut output).unwrap();
    let settled = long.chunks(100_000).map(|chunk| {
        transform.push(chunk, &mut output).unwrap();
        transform.settled()
    });
    let settled: Vec<bool> = settled.collect();
    assert!(!settled[0] && settled.is_sorted() && settled.ends_with(&[true]));
    // It stays so when the pixels begin.
    transform.push(&bytes[pixels..pixels + 40], &mut output).unwrap();
    assert!(transform.settled());
}

#[test]
fn a_frame_that_had_to_give_way_is_refused_whenever_that_was() {
    let problem = |error: RewriteError| (error.status, error.problem);
    let refused = (0xA700, RewriteProblem::NoRoom);
    // While it comes.
    let shelf = Shelf::new(64 << 10, 0);
    let (mut transform, bytes) = slow(&shelf);
    let mut output = Output::new();
    transform.push(&bytes[..bytes.len() - 2000], &mut output).unwrap();
    let _others = others(&shelf, 3);
    assert_eq!(transform.push(&bytes[bytes.len() - 2000..], &mut output).map_err(problem), Err(refused));
    // While it waits to be decoded, and while its pixels are sent.
    for sends in [false, true] {
        let shelf = Shelf::new(if sends { 1280 << 10 } else { 64 << 10 }, 0);
        let (mut transform, bytes) = slow(&shelf);
        let mut at = 0;
        let Step::Frame(frame) = transform.step(&bytes, &mut at, &mut output).unwrap() else {
            panic!("a frame")
        };
        if sends {
            transform.decoded(frame.decode(u64::MAX)).unwrap();
            assert!(matches!(transform.step(&bytes, &mut at, &mut output), Ok(Step::More)));
            let _others = others(&shelf, 17);
            let next = transform.step(&bytes, &mut at, &mut output);
            assert_eq!(next.map_err(problem).err(), Some(refused));
        } else {
            let _others = others(&shelf, 3);
            assert_eq!(transform.decoded(frame.decode(u64::MAX)).map_err(problem), Err(refused));
        }
    }
}

/// What waits until the image is described, or until a header that was broken is put right.
#[test]
fn a_long_header_that_waits_shares_its_memory_with_others() {
    let bulk = |data: Data, size: usize| data.element((0x9, 0x1001), b"OB", &vec![7; size]);
    let broken = |size| {
        let late = Data::image(LE).element((0x10, 0x10), b"PN", b"A ").element((8, 0x60), b"CS", b"CT");
        bulk(late, size)
    };
    let masks = masking(&[mask(&[rectangle(0, 0, 2, 2)])], true, &[]);
    for (rules, data) in [(masks, bulk(Data::image(LE), 300 << 10)), (ruleset(&[]), broken(300 << 10))] {
        let pushed = |shelf: &Arc<Shelf>| {
            let mut transform =
                Transform::new(Arc::clone(&rules), LE, expected()).waiting_in(shelf.corner("long".into()));
            let mut output = Output::new();
            let so_far = &data.bytes[..200 << 10];
            so_far.chunks(1000).try_for_each(|chunk| transform.push(chunk, &mut output))?;
            assert!(output.is_empty());
            Ok((transform, output))
        };
        let full = |error: RewriteError| (error.status, error.problem);
        let refused = (0xA700, RewriteProblem::NoRoomForHeader);
        assert_eq!(pushed(&Shelf::new(128 << 10, 0)).map(|_| ()).map_err(full), Err(refused));
        let shelf = Shelf::new(320 << 10, 0);
        let (mut transform, mut output) = pushed(&shelf).unwrap();
        // Those that hold less than it does take what they need.
        let _others = others(&shelf, 10);
        assert_eq!(transform.push(&data.bytes[200 << 10..], &mut output).map_err(full), Err(refused));
        // A few bytes need no room.
        let mut transform = Transform::new(Arc::clone(&rules), LE, expected())
            .waiting_in(Shelf::new(0, 0).corner("few".into()));
        transform.push(&data.bytes[..60 << 10], &mut output).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damage_to_compressed_pixels_never_panics(
        at in 0_usize..4000, put in proptest::collection::vec(any::<u8>(), 1..6), jpeg in any::<bool>(), size in 1_usize..500,
    ) {
        let data = if jpeg { GREY_JPEG.to_vec() } else { rle(&GREY, &GREY.bytes(&GREY.values(&[]), LE)) };
        let mut data = data;
        for (index, byte) in put.into_iter().enumerate() {
            let length = data.len();
            data[(at + index) % length] = byte;
        }
        let image = if jpeg { Image { allocated: 8, stored: 8, rows: 8, columns: 8, ..GREY } } else { GREY };
        let data = image.header(LE).fragments(&[&[], &data]);
        let rules = masking(&[mask(&[rectangle(0, 0, 2, 2)])], true, &[]);
        let syntax = if jpeg { "1.2.840.10008.1.2.4.50" } else { RLE };
        let run = |size| run_in(Transform::new(Arc::clone(&rules), LE, expected()).may_decode(syntax), &data.bytes, &[size]);
        let (whole, pieces) = (run(usize::MAX).map(|(sent, _)| sent), run(size).map(|(sent, _)| sent));
        prop_assert_eq!(whole, pieces);
    }
}

/// 8 x 8 pixels, one component, baseline: what the damage is done to.
const GREY_JPEG: &[u8] = include_bytes!("grey.jpg");

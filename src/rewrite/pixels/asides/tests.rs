//! Frames with text wherever it could stand beside the image, and what is left of them.

use proptest::prelude::*;

use super::{Asides, Extent, RewriteProblem, form};
use crate::dataset::{Header, Syntax, Tag, Vr};

const JPEG: &str = "1.2.840.10008.1.2.4.50";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
const PART_2: &str = "1.2.840.10008.1.2.4.92";
const RLE: &str = "1.2.840.10008.1.2.5";
/// 8 x 8 pixels, one component, baseline.
const GREY: &[u8] = include_bytes!("../../tests/grey.jpg");
const TEXT: &[u8] = b"DOE^JANE 19500101";

/// Rows, columns and frames.
fn extent(rows: u16, columns: u16, frames: &str) -> Extent {
    let mut extent = Extent::default();
    let numbers = [(0x0010, rows.to_le_bytes()), (0x0011, columns.to_le_bytes())];
    let header =
        |element, vr| Header { tag: Tag(0x0028, element), vr, length: None, syntax: Syntax::EXPLICIT_LE };
    numbers.iter().for_each(|(e, value)| extent.part(&header(*e, Vr::US), value, 0));
    extent.part(&header(0x0008, Vr::IS), frames.as_bytes(), 0);
    extent
}

fn in_chunks(
    syntax: &str,
    extent: Option<&Extent>,
    items: &[&[u8]],
    sizes: &[usize],
) -> Result<Vec<Vec<u8>>, RewriteProblem> {
    let mut asides = Asides::default();
    asides.of_syntax(syntax);
    asides.begin(extent);
    let mut sizes = sizes.iter().cycle();
    let clean = |item: &&[u8]| {
        asides.item(item.len() as u32);
        let (mut out, mut rest) = (Vec::new(), *item);
        while !rest.is_empty() {
            let (mut chunk, behind) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            if asides.table(chunk, &mut out) {
                rest = behind;
                continue;
            }
            while !chunk.is_empty() {
                let stretch = asides.stretch(chunk)?;
                assert!((1..=chunk.len()).contains(&stretch.length));
                let (done, behind) = chunk.split_at(stretch.length);
                match stretch.fill {
                    None => out.extend(done),
                    Some(byte) => out.resize(out.len() + done.len(), byte),
                }
                chunk = behind;
            }
            rest = behind;
        }
        Ok(out)
    };
    items.iter().map(clean).collect()
}

/// What is left of the items behind an empty offset table; the same in any chunking.
fn cleaned(syntax: &str, fragments: &[&[u8]]) -> Result<Vec<Vec<u8>>, RewriteProblem> {
    let (extent, items) = (extent(4, 4, "2"), [&[&[][..]][..], fragments].concat());
    let clean = |sizes: &[usize]| in_chunks(syntax, Some(&extent), &items, sizes);
    let whole = clean(&[usize::MAX]);
    [&[1][..], &[2], &[3, 1, 7]].iter().for_each(|sizes| assert_eq!(clean(sizes), whole, "{sizes:?}"));
    whole.map(|items| items[1..].to_vec())
}

fn one(syntax: &str, frame: &[u8]) -> Vec<u8> {
    cleaned(syntax, &[frame]).unwrap().remove(0)
}

/// A marker segment.
fn segment(marker: u8, contents: &[u8]) -> Vec<u8> {
    [&[0xFF, marker][..], &(contents.len() as u16 + 2).to_be_bytes(), contents].concat()
}

fn with(begins: &[u8], byte: u8) -> Vec<u8> {
    [begins, &vec![byte; TEXT.len()]].concat()
}

#[test]
fn jpeg_comments_and_application_segments_carry_no_text_out() {
    let kept: [(u8, &[u8]); 4] = [
        (0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01"),
        (0xE8, b"SPIFF\0\x01\x02\0\x01\0\0\0\x08\0\0\0\x08\x08\x08\0\0\0\0\0\0\0\0\0\0"),
        (0xE8, b"mrfx\x01"),
        (0xEE, b"Adobe\0\x64\0\0\0\0\x01"),
    ];
    let gone: [(u8, &[u8]); 5] = [
        (0xE0, b"JFXX\0\x10"),
        (0xE1, b"Exif\0\0"),
        (0xE2, b"ICC_PROFILE\0"),
        (0xED, b"Photoshop 3.0\0"),
        (0xE0, b""),
    ];
    let (head, image) = GREY.split_at(2);
    let segments = |byte: Option<u8>| {
        let text = |begins: &[u8]| byte.map_or([begins, TEXT].concat(), |byte| with(begins, byte));
        let kept = kept.iter().flat_map(|(marker, begins)| segment(*marker, &text(begins)));
        let gone = gone.iter().flat_map(|(marker, begins)| {
            let contents = text(begins);
            segment(*marker, &if byte.is_some() { vec![0; contents.len()] } else { contents })
        });
        kept.chain(gone).collect::<Vec<u8>>()
    };
    // A segment that begins like one that is kept loses what differs, and what follows.
    let before = [head, &segments(None), &segment(0xFE, TEXT), &segment(0xFE, b""), image, TEXT].concat();
    let after = [
        head,
        &segments(Some(0)),
        &segment(0xFE, &with(&[], b' ')),
        &segment(0xFE, b""),
        image,
        &with(&[], 0),
    ]
    .concat();
    let mut cleaned = one(JPEG, &before);
    assert_eq!(cleaned.len(), after.len());
    // Of JFXX, what JFIF begins with passed.
    let at = memchr::memmem::find(&before, b"JFXX").unwrap();
    assert_eq!(&cleaned[at..at + 4], b"JF\0\0");
    cleaned[at..at + 2].fill(0);
    assert!(cleaned == after);
    assert!(one(JPEG, GREY) == GREY);
}

#[test]
fn between_segments_and_scans_nothing_else_stands() {
    let scan = memchr::memmem::find(GREY, &[0xFF, 0xDA]).unwrap();
    let (head, scan) = GREY.split_at(scan);
    let (scan, end) = scan.split_at(scan.len() - 2);
    assert_eq!(end, [0xFF, 0xD9]);
    let frame = |text: &[u8], comment: &[u8]| [head, text, scan, &segment(0xFE, comment), text, end].concat();
    assert_eq!(one(JPEG, &frame(TEXT, TEXT)), frame(&with(&[], 0xFF), &with(&[], b' ')));
}

#[test]
fn jpeg_ls_comments_carry_no_text_out() {
    let sof = segment(0xF7, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]);
    let sos = segment(0xDA, &[1, 1, 0, 0, 0, 0]);
    // Behind 0xFF, a bit is stuffed, not a byte.
    let data = [1, 0xFF, 0x7E, 2, 0xFF, 0x00, 3];
    let frame = |text: &[u8], behind: &[u8]| {
        [&[0xFF, 0xD8][..], &segment(0xFE, text), &sof, &sos, &data, &[0xFF, 0xD9], behind].concat()
    };
    assert_eq!(one(JPEG_LS, &frame(TEXT, TEXT)), frame(&with(&[], b' '), &with(&[], 0)));
}

/// A tile-part, with a length or without.
fn tile_part(header: &[u8], packets: &[u8], has_length: bool) -> Vec<u8> {
    let length = if has_length { 12 + header.len() + 2 + packets.len() } else { 0 };
    let sot = segment(0x90, &[&[0, 0][..], &(length as u32).to_be_bytes(), &[0, 1]].concat());
    [&sot, header, &[0xFF, 0x93], packets].concat()
}

/// A JPEG 2000 codestream with comments in its headers.
fn codestream(text: &[u8], behind: &[u8]) -> Vec<u8> {
    let comment = segment(0x64, &[&[0, 1][..], text].concat());
    let head = [&[0xFF, 0x4F][..], &segment(0x51, &[0; 36]), &comment, &segment(0x5C, &[0; 4])].concat();
    // In packets, what looks like a comment is none.
    let packets = [&[1, 0xFF, 0x64, 0, 4][..], TEXT].concat();
    let parts = [tile_part(&comment, &packets, true), tile_part(&comment, &packets, false)].concat();
    [&head, &parts[..], &[0xFF, 0xD9], behind].concat()
}

#[test]
fn jpeg_2000_comments_carry_no_text_out() {
    let blank = with(&[], b' ');
    assert_eq!(one(JPEG_2000, &codestream(TEXT, TEXT)), codestream(&blank, &with(&[], 0)));
    // Where a tile-part ends, there is a marker, or the image is over.
    let cut = |text: &[u8], behind: &[u8]| {
        let head = [&[0xFF, 0x4F][..], &segment(0x51, &[0; 36])].concat();
        [&head, &tile_part(&segment(0x64, &[&[0, 1][..], text].concat()), b"packets", true)[..], behind]
            .concat()
    };
    assert_eq!(one(JPEG_2000, &cut(TEXT, TEXT)), cut(&blank, &with(&[], 0)));
}

#[test]
fn of_a_jp2_file_the_boxes_pass_that_describe_its_components() {
    let sized = |kind: &[u8], contents: &[u8]| {
        [&(contents.len() as u32 + 8).to_be_bytes()[..], kind, contents].concat()
    };
    let long = |kind: &[u8], contents: &[u8]| {
        [&[0, 0, 0, 1][..], kind, &(contents.len() as u64 + 16).to_be_bytes(), contents].concat()
    };
    let header = |other: &[u8]| {
        let image = sized(b"ihdr", &[0, 0, 0, 8, 0, 0, 0, 8, 0, 1, 7, 7, 0, 0]);
        let colours = [sized(b"colr", &[1, 0, 0, 0, 0, 0, 17]), sized(b"cdef", &[0, 1, 0, 0, 0, 0, 0, 0])];
        // An ICC profile, and too few bytes for another box.
        [&image, &sized(b"xml ", other), &colours.concat(), &sized(b"colr", other), &other[..7]].concat()
    };
    let file = |text: &[u8], other: &[u8], behind: &[u8]| {
        let boxes =
            [sized(b"jP  ", b"\r\n\x87\n"), sized(b"ftyp", b"jp2 \0\0\0\0jp2 "), sized(b"xml ", other)]
                .concat();
        let boxes = [boxes, long(b"uuid", other), sized(b"jp2h", &header(other))].concat();
        [&boxes[..], &sized(b"jp2c", &codestream(text, &[])), behind].concat()
    };
    let zeros = with(&[], 0);
    let before = file(TEXT, TEXT, &sized(b"xml ", TEXT));
    assert_eq!(one(JPEG_2000, &before), file(&with(&[], b' '), &zeros, &vec![0; TEXT.len() + 8]));
}

#[test]
fn boxes_hold_nothing_behind_what_they_should() {
    let sized = |kind: &[u8], contents: &[u8]| {
        [&(contents.len() as u32 + 8).to_be_bytes()[..], kind, contents].concat()
    };
    let file = |text: &[u8]| {
        let signature = sized(b"jP  ", &[b"\r\n\x87\n", text].concat());
        let brands = sized(b"ftyp", &[b"jp2 \0\0\0\0jp2 ", text].concat());
        let colours = sized(b"jp2h", &sized(b"colr", &[&[1, 0, 0, 0, 0, 0, 17], text].concat()));
        [signature, brands, colours, sized(b"jp2c", &codestream(&with(&[], b' '), &[]))].concat()
    };
    assert_eq!(one(JPEG_2000, &file(TEXT)), file(&with(&[], 0)));
    let far = [sized(b"jP  ", b"\r\n\x87\n"), [b"\0\0\0\x01xml ", &TEXT[..8], TEXT].concat()].concat();
    assert_eq!(cleaned(JPEG_2000, &[&far]), Err(RewriteProblem::Undecodable), "a length of letters");
}

#[test]
fn segments_that_no_decoder_needs_carry_no_text_out() {
    let (jpeg, image) = GREY.split_at(2);
    let unknown = [0x02, 0x60, 0xBF, 0xC8, 0xDE, 0xDF, 0xF0, 0xF7, 0xF8, 0xF9, 0xFD, 0xCC, 0xC2, 0xC4, 0xDB];
    for marker in unknown {
        let frame = |text: &[u8]| [jpeg, &segment(marker, text), image].concat();
        // What calls itself a frame header makes the other one a second one.
        if form::is_frame(marker) {
            assert!(memchr::memmem::find(&one(JPEG, &frame(TEXT)), b"JANE").is_none(), "{marker:X}");
            continue;
        }
        assert!(one(JPEG, &frame(TEXT)) == frame(&with(&[], 0)), "{marker:X}");
    }
    for (marker, kept) in [(0xDC, 2), (0xDD, 4)] {
        let frame = |text: &[u8]| [jpeg, &segment(marker, text), image].concat();
        assert!(one(JPEG, &frame(TEXT)) == frame(&with(&TEXT[..kept], 0)[..TEXT.len()]), "{marker:X}");
    }
    for marker in [0x54, 0x5A, 0x65, 0x6F, 0x70, 0x74, 0x80] {
        let stream = |text: &[u8]| {
            let head = [&[0xFF, 0x4F][..], &segment(0x51, &[0; 36]), &segment(marker, text)].concat();
            [&head, &tile_part(&segment(marker, text), b"packets", true)[..], &[0xFF, 0xD9]].concat()
        };
        assert_eq!(one(JPEG_2000, &stream(TEXT)), stream(&with(&[], 0)), "{marker:X}");
        let of_part_2 = (0x70..0x7A).contains(&marker);
        assert_eq!(one(PART_2, &stream(TEXT)) == stream(TEXT), of_part_2, "{marker:X}");
    }
}

#[test]
fn segments_hold_nothing_behind_what_they_should() {
    // Each segment of the image, with text at its end.
    let mut at = 2;
    while GREY[at + 1] != 0xDA {
        let end = at + 2 + usize::from(u16::from_be_bytes([GREY[at + 2], GREY[at + 3]]));
        let marker = GREY[at + 1];
        let frame = |text: &[u8]| {
            let longer = segment(marker, &[&GREY[at + 4..end], text].concat());
            [&GREY[..at], &longer, &GREY[end..]].concat()
        };
        assert!(one(JPEG, &frame(TEXT)) == frame(&with(&[], 0)), "{marker:X}");
        if form::is_frame(marker) {
            let twice = |second: &[u8]| [&GREY[..end], &segment(marker, second), &GREY[end..]].concat();
            let second = &GREY[at + 4..end];
            assert!(one(JPEG, &twice(second)) == twice(&vec![0; second.len()]));
        }
        at = end;
    }
    let lossless = |preset: &[u8]| {
        let sof = segment(0xF7, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]);
        [
            &[0xFF, 0xD8][..],
            &segment(0xF8, preset),
            &sof,
            &segment(0xDA, &[1, 1, 0, 0, 0, 0]),
            &[1, 0xFF, 0xD9],
        ]
        .concat()
    };
    let numbers = [1, 0, 255, 0, 3, 0, 7, 0, 21, 0, 64];
    let longer =
        |byte: Option<u8>| [&numbers[..], &byte.map_or(TEXT.to_vec(), |byte| with(&[], byte))].concat();
    assert_eq!(one(JPEG_LS, &lossless(&longer(None))), lossless(&longer(Some(0))));
}

#[test]
fn a_tile_part_ends_at_the_end_of_the_image_however_long_it_says_it_is() {
    let stream = |text: &[u8], byte: u8| {
        let sot = |length: u32| segment(0x90, &[&[0, 0][..], &length.to_be_bytes(), &[0, 1]].concat());
        let head = [&[0xFF, 0x4F][..], &segment(0x51, &[0; 36]), &sot(1_000_000), &[0xFF, 0x93]].concat();
        let comment = [&sot(0)[..], &segment(0x64, &with(&[0, 1], byte)), &[0xFF, 0x93]].concat();
        [&head, &b"pack\xFF\x64ets"[..], &comment, b"more", &[0xFF, 0xD9], text].concat()
    };
    assert_eq!(one(JPEG_2000, &stream(TEXT, b'J')), stream(&with(&[], 0), b' '));
}

#[test]
fn a_frame_ends_at_its_end_however_many_fragments_it_has() {
    let comment = |byte: Option<u8>| {
        let text = byte.map_or(TEXT.to_vec(), |byte| with(&[], byte));
        [&GREY[..2], &segment(0xFE, &text), &GREY[2..]].concat()
    };
    let (before, after) = (comment(None), comment(Some(b' ')));
    for cut in [1, 2, 3, 4, 10, 30, before.len() - 1] {
        let fragments = [&before[..cut], &before[cut..], &before[..]];
        let expected = [&after[..cut], &after[cut..], &after[..]].map(<[u8]>::to_vec);
        assert_eq!(cleaned(JPEG, &fragments).unwrap(), expected, "{cut}");
    }
    // One that lacks its end is over where the next one begins, also where it said that more would come.
    let lacking = &before[..before.len() - 4];
    assert_eq!(cleaned(JPEG, &[lacking, &before]).unwrap()[1], after);
    let (before, after) = (codestream(TEXT, &[]), codestream(&with(&[], b' '), &[]));
    let lacking = &before[..120];
    assert_eq!(cleaned(JPEG_2000, &[lacking, &before]).unwrap()[1], after);
    // What fills a fragment is no frame.
    assert_eq!(cleaned(JPEG_2000, &[&before, &[0; 3], &[0; 20], &before]).unwrap()[3], after);
}

#[test]
fn what_is_no_frame_of_the_syntax_is_refused() {
    for frame in [TEXT, b"\xFFDOE", b"\0\0\0\x0Cftyp12345678", b"\xFF\xD8\xFF\xFE\0\x01"] {
        for syntax in [JPEG, JPEG_LS, JPEG_2000] {
            assert_eq!(cleaned(syntax, &[frame]), Err(RewriteProblem::Undecodable), "{frame:?}");
        }
    }
    // Of video and of what is not known, nothing is read.
    assert_eq!(one("1.2.840.10008.1.2.4.102", TEXT), TEXT);
}

#[test]
fn an_offset_table_holds_an_entry_for_each_frame_and_nothing_else() {
    let table = [&[0; 4][..], &[20, 0, 0, 0], TEXT].concat();
    let left = |extent: Option<&Extent>| {
        let clean = |sizes: &[usize]| in_chunks(JPEG, extent, &[&table], sizes).unwrap().remove(0);
        assert_eq!(clean(&[1]), clean(&[usize::MAX]));
        clean(&[3])
    };
    assert_eq!(left(Some(&extent(8, 8, "2"))), with(&table[..8], 0));
    let offset = u32::from_le_bytes(*b"DOE^");
    let of = |entries: &[u32]| entries.iter().flat_map(|entry| entry.to_le_bytes()).collect::<Vec<u8>>();
    let left = |extent: Option<&Extent>, entries: &[u32]| {
        let table = of(entries);
        let clean = |sizes: &[usize]| in_chunks(JPEG, extent, &[&table], sizes).unwrap().remove(0);
        [&[1][..], &[3], &[5]].iter().for_each(|sizes| assert_eq!(clean(sizes), clean(&[usize::MAX])));
        clean(&[2])
    };
    let small = described(8, 8, "4");
    for (entries, stay) in [
        ([0, 100, 220, 340], [0, 100, 220, 340]),
        ([0, offset, 220, 340], [0, 0, 220, 340]),
        ([offset, offset + 2, 220, 340], [0, 0, 220, 340]),
        ([0, 100, 101, 90], [0, 100, 0, 0]),
        ([0, 0, 0, 0], [0, 0, 0, 0]),
        ([0, 100, 220, offset], [0, 100, 220, 0]),
    ] {
        assert_eq!(left(Some(&small), &entries), of(&stay), "{entries:?}");
    }
    assert_eq!(left(None, &[offset, 100]), of(&[0, 100]), "the first begins at 0, whatever is known");
}

#[test]
fn the_extended_tables_hold_offsets_and_lengths_and_no_text() {
    let of = |entries: &[u64]| entries.iter().flat_map(|entry| entry.to_le_bytes()).collect::<Vec<u8>>();
    let left = |tag, extent: &Extent, table: &[u8]| {
        let clean = |size: usize| {
            let (mut asides, mut out) = (Asides::default(), Vec::new());
            asides.of_syntax(JPEG);
            asides.begin_extended(tag, table.len() as u32, extent);
            table.chunks(size).for_each(|chunk| assert!(asides.table(chunk, &mut out)));
            out
        };
        [1, 3, 5].into_iter().for_each(|size| assert_eq!(clean(size), clean(usize::MAX)));
        clean(2)
    };
    let (offsets, lengths) = (Tag(0x7FE0, 0x0001), Tag(0x7FE0, 0x0002));
    let (text, small) = (u64::from_le_bytes(*b"JOHN^DOE"), described(8, 8, "4"));
    assert_eq!(left(offsets, &small, &of(&[0, 100, text, 340])), of(&[0, 100, 0, 340]));
    assert_eq!(left(lengths, &small, &of(&[100, text, 120, 90])), of(&[100, 0, 120, 90]));
    // More entries than there are frames are padding.
    assert_eq!(
        left(lengths, &small, &[of(&[100; 4]), TEXT.to_vec()].concat()),
        [of(&[100; 4]), vec![0; TEXT.len()]].concat()
    );
    // Of a frame whose size nobody knows, any eight letters could be the length.
    assert_eq!(left(lengths, &extent(0, 0, "2"), &of(&[text, 100])), of(&[0, 0]));
}

/// The same with one sample of 8 bits.
fn described(rows: u16, columns: u16, frames: &str) -> Extent {
    let mut extent = extent(rows, columns, frames);
    for (element, number) in [(0x0002, [1, 0]), (0x0100, [8, 0])] {
        let header =
            Header { tag: Tag(0x0028, element), vr: Vr::US, length: None, syntax: Syntax::EXPLICIT_LE };
        extent.part(&header, &number, 0);
    }
    extent
}

/// A frame of two segments of 16 pixels, with what stands outside of them.
fn rle(unused: &[u8; 4], behind: &[u8]) -> Vec<u8> {
    // A literal of 4, nothing, a repetition of 12; and a literal that goes on behind the last pixel.
    let first = [&[3, 1, 2, 3, 4, 128, 245, 7][..], behind].concat();
    let second = [&[0, 9, 242, 8][..], behind].concat();
    let starts = [2, 68, 68 + first.len() as u32];
    let header = starts.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    let header = [&header[..], &unused.repeat(13)].concat();
    [&header[..], &behind[..4], &first, &second].concat()
}

#[test]
fn what_lies_outside_of_rle_segments_becomes_zeros() {
    let zeros = with(&[], 0);
    assert_eq!(one(RLE, &rle(b"DOE ", TEXT)), rle(&[0; 4], &zeros));
    let frame = rle(&[0; 4], &zeros);
    assert_eq!(cleaned(RLE, &[&frame, &rle(b"JANE", TEXT)]).unwrap()[1], frame);
    for (at, byte) in [(0, 0), (0, 16), (4, 63), (8, 60)] {
        let mut wrong = frame.clone();
        wrong[at] = byte;
        assert_eq!(cleaned(RLE, &[&wrong]), Err(RewriteProblem::Undecodable), "{at}");
    }
    // Without rows and columns nobody knows where a segment ends.
    let unknown = in_chunks(RLE, None, &[&[], &rle(b"DOE ", TEXT)], &[5]).unwrap().remove(1);
    assert_eq!(unknown, rle(b"DOE ", TEXT));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_in_any_chunking_give_the_same_and_nothing_more_the_second_time(
        syntax in prop_oneof![Just(JPEG), Just(JPEG_2000), Just(PART_2), Just(RLE)],
        bytes in proptest::collection::vec(
            prop_oneof![4 => Just(0xFF_u8), 2 => Just(0), 1 => any::<u8>(), 1 => 0x4F_u8..0x66, 1 => 0x90_u8..0x94, 1 => 0xD7_u8.., 1 => 0xC0_u8..0xC6],
            0..300),
        cuts in proptest::collection::vec(1_usize..60, 1..5),
        sizes in proptest::collection::vec(1_usize..40, 1..5),
        start in 0_usize..4,
    ) {
        let start: &[u8] = [&[0xFF, 0xD8][..], &[0xFF, 0x4F], &[1, 0, 0, 0, 64, 0, 0, 0], &[]][start];
        let bytes = [start, &bytes].concat();
        let (mut fragments, mut rest) = (vec![&[][..]], bytes.as_slice());
        for cut in cuts.iter().cycle() {
            let (fragment, behind) = rest.split_at((*cut).min(rest.len()));
            fragments.push(fragment);
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        let extent = extent(4, 4, "1");
        let clean = |items: &[&[u8]], sizes: &[usize]| in_chunks(syntax, Some(&extent), items, sizes);
        let whole = clean(&fragments, &[usize::MAX]);
        prop_assert_eq!(&whole, &clean(&fragments, &sizes));
        if let Ok(cleaned) = &whole {
            let again: Vec<&[u8]> = cleaned.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(&whole, &clean(&again, &[usize::MAX]));
        }
    }
}

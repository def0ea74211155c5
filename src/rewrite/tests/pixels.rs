//! Pixels masked in flight, against an oracle that knows pixels and no bytes' order.

use std::sync::Arc;

use proptest::prelude::*;

use super::oracle::parse;
use super::support::*;
use crate::dataset::{Encoding, Tag};
use crate::rewrite::{
    BurnedIn, Expected, MaskSpec, ProfileSpec, Rectangle, RewriteError, RewriteProblem, RuleSpec, Ruleset,
    RulesetSpec, Transform, known_devices,
};
use dicom_object::InMemDicomObject;

const CODES: Tag = Tag(0x12, 0x64);
const FLAG: Tag = Tag(0x28, 0x301);

/// What is described, and the pixel data as they come.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) photometric: &'static str,
    pub(super) samples: u16,
    /// Colours apart (Planar Configuration 1).
    pub(super) apart: bool,
    pub(super) frames: u16,
    pub(super) rows: u16,
    pub(super) columns: u16,
    pub(super) allocated: u16,
    pub(super) stored: u16,
    pub(super) signed: bool,
    pub(super) ow: bool,
}

pub(super) const GREY: Image = Image {
    photometric: "MONOCHROME2",
    samples: 1,
    apart: false,
    frames: 1,
    rows: 5,
    columns: 6,
    allocated: 16,
    stored: 12,
    signed: false,
    ow: true,
};

impl Image {
    /// Value number `index` of the pixel data.
    pub(super) fn sample(&self, index: usize) -> u16 {
        (index as u16).wrapping_mul(31).wrapping_add(7) & if self.allocated == 8 { 0xFF } else { 0xFFFF }
    }

    pub(super) fn count(&self) -> usize {
        [self.frames, self.rows, self.columns, self.samples].into_iter().map(usize::from).product()
    }

    pub(super) fn black(&self, sample: usize) -> u16 {
        let (half, all) = (1_u32 << (self.stored - 1), u32::from(u16::MAX) >> (16 - self.allocated));
        let value = match (self.photometric, sample, self.signed) {
            ("MONOCHROME1", _, true) => half - 1,
            ("MONOCHROME1", ..) => 2 * half - 1,
            ("YBR_FULL", 1 | 2, _) => half,
            (_, _, true) => 0_u32.wrapping_sub(half),
            _ => 0,
        };
        (value & all) as u16
    }

    /// The values, with those of pixels in the rectangles black.
    pub(super) fn values(&self, blank: &[Rectangle]) -> Vec<u16> {
        let (rows, columns, samples) =
            (usize::from(self.rows), usize::from(self.columns), usize::from(self.samples));
        let value = |index: usize| {
            let (pixel, sample) = if self.apart {
                (index % (rows * columns), index / (rows * columns) % samples)
            } else {
                (index / samples % (rows * columns), index % samples)
            };
            let (x, y) = (pixel % columns, pixel / columns);
            let inside = |r: &&Rectangle| {
                (r.x..r.x.saturating_add(r.width)).contains(&(x as u16))
                    && (r.y..r.y.saturating_add(r.height)).contains(&(y as u16))
            };
            if blank.iter().any(|r| inside(&r)) { self.black(sample) } else { self.sample(index) }
        };
        (0..self.count()).map(value).collect()
    }

    /// Values as bytes: in big endian, OW has its bytes in pairs, even where one is a pixel.
    pub(super) fn bytes(&self, values: &[u16], encoding: Encoding) -> Vec<u8> {
        let little: Vec<u8> = match self.allocated {
            8 => values.iter().map(|&value| value as u8).collect(),
            _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        };
        let mut padded = little;
        if padded.len() % 2 == 1 {
            padded.push(0xEE);
        }
        if encoding.syntax.big_endian && self.ow {
            padded.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        }
        padded
    }

    /// Up to the pixel data.
    pub(super) fn header(&self, encoding: Encoding) -> Data {
        let us = |value: u16| encoding.syntax.put_u16(value);
        let data = Data::image(encoding).text((8, 0x70), b"LO", "ACME").text((8, 0x1090), b"LO", "Scan 1");
        let data = data.element((0x28, 2), b"US", &us(self.samples)).text((0x28, 4), b"CS", self.photometric);
        let data =
            if self.samples == 3 { data.element((0x28, 6), b"US", &us(self.apart.into())) } else { data };
        let data = if self.frames > 1 { data.text((0x28, 8), b"IS", &self.frames.to_string()) } else { data };
        data.element((0x28, 0x10), b"US", &us(self.rows))
            .element((0x28, 0x11), b"US", &us(self.columns))
            .element((0x28, 0x100), b"US", &us(self.allocated))
            .element((0x28, 0x101), b"US", &us(self.stored))
            .element((0x28, 0x102), b"US", &us(self.stored - 1))
            .element((0x28, 0x103), b"US", &us(self.signed.into()))
    }

    pub(super) fn vr(&self) -> &'static [u8; 2] {
        if self.ow { b"OW" } else { b"OB" }
    }

    pub(super) fn data(&self, encoding: Encoding) -> Data {
        self.header(encoding).element((0x7FE0, 0x10), self.vr(), &self.bytes(&self.values(&[]), encoding))
    }
}

pub(super) fn rectangle(x: u16, y: u16, width: u16, height: u16) -> Rectangle {
    Rectangle { x, y, width, height }
}

pub(super) fn mask(rectangles: &[Rectangle]) -> MaskSpec {
    MaskSpec { rectangles: rectangles.to_vec(), ..MaskSpec::default() }
}

pub(super) fn masking(masks: &[MaskSpec], refuse_others: bool, rules: &[RuleSpec]) -> Arc<Ruleset> {
    let burned_in = BurnedIn::Mask {
        masks: masks.to_vec(),
        by_regions: false,
        refuse_others,
        decode_up_to: Some(1 << 20),
    };
    let profile = Some(ProfileSpec { burned_in, ..ProfileSpec::default() });
    Arc::new(Ruleset::compile(RulesetSpec { profile, ..spec(rules) }).unwrap())
}

fn sent(rules: &Arc<Ruleset>, encoding: Encoding, input: &[u8]) -> Result<Vec<u8>, RewriteError> {
    let transform = || Transform::new(Arc::clone(rules), encoding, expected());
    let whole = run_in(transform(), input, &[usize::MAX]).map(|(sent, _)| sent);
    let bytewise = run_in(transform(), input, &[1]).map(|(sent, _)| sent);
    assert_eq!(whole, bytewise);
    whole
}

fn object(rules: &Arc<Ruleset>, data: &Data) -> InMemDicomObject {
    parse(&sent(rules, LE, &data.bytes).unwrap(), "1.2.840.10008.1.2.1")
}

fn problem(rules: &Arc<Ruleset>, data: &Data) -> (RewriteProblem, u16, String) {
    let error = sent(rules, LE, &data.bytes).unwrap_err();
    (error.problem, error.status, error.comment())
}

pub(super) fn codes(object: &InMemDicomObject) -> Vec<String> {
    let items = object.get(CODES).unwrap().items().unwrap();
    items.iter().map(|item| item.get(Tag(8, 0x100)).unwrap().to_str().unwrap().trim().to_owned()).collect()
}

pub(super) fn flag(object: &InMemDicomObject) -> Option<String> {
    object.get(FLAG).map(|flag| flag.to_str().unwrap().trim().to_owned())
}

fn image() -> impl Strategy<Value = Image> {
    let colours = prop_oneof![
        Just(("MONOCHROME1", 1)),
        Just(("MONOCHROME2", 1)),
        Just(("PALETTE COLOR", 1)),
        Just(("RGB", 3)),
        Just(("YBR_FULL", 3)),
    ];
    let shape = (1_u16..4, 1_u16..9, 1_u16..9, any::<bool>(), 1_u16..=16);
    (colours, shape, any::<[bool; 3]>()).prop_map(|((photometric, samples), shape, [apart, signed, ow])| {
        let (frames, rows, columns, wide, stored) = shape;
        let allocated = if wide { 16 } else { 8 };
        Image {
            photometric,
            samples,
            apart: apart && samples == 3,
            frames,
            rows,
            columns,
            allocated,
            stored: stored.min(allocated),
            signed: signed && samples == 1,
            ow: ow || wide,
        }
    })
}

fn rectangles() -> impl Strategy<Value = Vec<Rectangle>> {
    let one = (0_u16..9, 0_u16..9, 1_u16..9, 1_u16..9).prop_map(|(x, y, w, h)| rectangle(x, y, w, h));
    proptest::collection::vec(one, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_lies_in_rectangles_is_black_and_nothing_else_has_changed(
        image in image(), rectangles in rectangles(), sizes in proptest::collection::vec(1_usize..400, 1..4),
    ) {
        let rules = masking(&[mask(&rectangles[..1]), mask(&rectangles)], true, &[]);
        for encoding in [LE, BE, IMPLICIT] {
            let pixels = image.bytes(&image.values(&rectangles), encoding);
            let transform = || Transform::new(Arc::clone(&rules), encoding, expected());
            let data = image.data(encoding);
            let sent = run_in(transform(), &data.bytes, &sizes).map(|(sent, _)| sent);
            prop_assert_eq!(&sent, &run_in(transform(), &data.bytes, &[usize::MAX]).map(|(sent, _)| sent));
            let inside = |r: &Rectangle| r.x < image.columns && r.y < image.rows;
            match sent {
                Ok(sent) => prop_assert_eq!(&sent[sent.len() - pixels.len()..], &pixels),
                Err(error) => {
                    prop_assert_eq!(error.problem, RewriteProblem::OutsideImage);
                    prop_assert!(!rectangles.iter().any(inside));
                }
            }
        }
    }

    #[test]
    fn no_description_panics_or_passes_for_masked(
        numbers in any::<[u16; 8]>(), frames in "[0-9 -]{0,12}", photometric in "(MONOCHROME2|RGB|YBR_FULL|X)",
        length in 0_usize..64,
    ) {
        let [samples, planar, rows, columns, allocated, stored, high, signed] = numbers;
        let us = |value: u16| value.to_le_bytes();
        let data = Data::image(LE)
            .element((0x28, 2), b"US", &us(samples % 5)).text((0x28, 4), b"CS", &photometric)
            .element((0x28, 6), b"US", &us(planar % 3)).text((0x28, 8), b"IS", &frames)
            .element((0x28, 0x10), b"US", &us(rows)).element((0x28, 0x11), b"US", &us(columns))
            .element((0x28, 0x100), b"US", &us(allocated)).element((0x28, 0x101), b"US", &us(stored))
            .element((0x28, 0x102), b"US", &us(high)).element((0x28, 0x103), b"US", &us(signed))
            .element((0x7FE0, 0x10), b"OW", &vec![9; length * 2]);
        prop_assert!(sent(&masking(&[mask(&[rectangle(0, 0, 1, 1)])], true, &[]), LE, &data.bytes).is_err());
    }
}

#[test]
fn a_masked_object_says_so_and_others_do_not() {
    let narrow = MaskSpec { model: Some("scan 1".into()), rows: Some(5), ..mask(&[rectangle(1, 1, 2, 2)]) };
    let rules = masking(&[narrow], true, &[]);
    let masked = object(&rules, &GREY.data(LE));
    assert_eq!(flag(&masked).as_deref(), Some("NO"));
    assert_eq!(codes(&masked), ["113100", "113101"]);
    let method = masked.get(Tag(0x12, 0x63)).unwrap().to_str().unwrap().trim().to_owned();
    assert!(method.ends_with("2026d\\clean-pixel-data"), "{method}");
    let other = object(&rules, &Image { rows: 4, ..GREY }.data(LE));
    assert_eq!((flag(&other), codes(&other).as_slice()), (None, &["113100".to_owned()][..]));
    let pixels = other.get(Tag(0x7FE0, 0x10)).unwrap().to_bytes().unwrap().into_owned();
    let image = Image { rows: 4, ..GREY };
    assert_eq!(pixels, image.bytes(&image.values(&[]), LE));
    let kept = masking(&[mask(&[rectangle(0, 0, 1, 1)])], true, &[rule("BurnedInAnnotation", "keep")]);
    assert_eq!(flag(&object(&kept, &GREY.data(LE))), None, "an administrator's rule wins");

    let transform = Transform::new(Arc::clone(&rules), LE, expected()).recording_changes();
    let (_, transform) = run_in(transform, &GREY.data(LE).bytes, &[7]).unwrap();
    let change = transform.changes().iter().find(|change| change.tag == Tag(0x7FE0, 0x10)).unwrap();
    assert_eq!(rules.why(change.rule), "masks (PS3.15 E.3.1)");
    let statement = rules.statement("x");
    for part in [
        "Clean Pixel Data Option | 113101 | to objects",
        "| any | any | any | scan 1 | any | any | 5 | any | 1, 1, 2, 2 | this site |",
    ] {
        assert!(statement.contains(part), "{part}: {statement}");
    }
}

#[test]
fn masks_are_for_the_images_that_they_name() {
    let at = rectangle(0, 0, 2, 2);
    let fits = |mask: MaskSpec| flag(&object(&masking(&[mask], false, &[]), &GREY.data(LE))).is_some();
    assert!(fits(mask(&[at])));
    let class = |uid: &str| Some(uid.parse().unwrap());
    assert!(fits(MaskSpec { sop_class: class(CLASS), ..mask(&[at]) }));
    assert!(!fits(MaskSpec { sop_class: class("1.2.840.10008.5.1.4.1.1.7"), ..mask(&[at]) }));
    assert!(fits(MaskSpec { manufacturer: Some("Acme ".into()), ..mask(&[at]) }));
    assert!(!fits(MaskSpec { manufacturer: Some("Acm".into()), ..mask(&[at]) }));
    assert!(!fits(MaskSpec { model: Some("".into()), ..mask(&[at]) }));
    assert!(fits(MaskSpec { rows: Some(5), columns: Some(6), ..mask(&[at]) }));
    assert!(!fits(MaskSpec { rows: Some(6), columns: Some(5), ..mask(&[at]) }));
    assert!(fits(MaskSpec { model: Some("*can*".into()), ..mask(&[at]) }));
    assert!(!fits(MaskSpec { only_flagged: true, ..mask(&[at]) }));
}

#[test]
fn masks_are_for_a_modality_an_image_type_and_a_series() {
    let head = Data::new(LE).text((8, 8), b"CS", "DERIVED\\SECONDARY\\AXIAL").text((8, 0x16), b"UI", CLASS);
    let head = head.text((8, 0x18), b"UI", INSTANCE).text((8, 0x60), b"CS", "CT");
    let head = head.text((8, 0x103E), b"LO", "Thorax, Doses of 2");
    let image = GREY.data(LE).bytes;
    let at = memchr::memmem::find(&image, b"\x28\0\x02\0US").unwrap();
    let data = Data { bytes: [&head.bytes[..], &image[at..]].concat(), ..head };
    let fits = |mask: MaskSpec| flag(&object(&masking(&[mask], false, &[]), &data)).is_some();
    let at = || mask(&[rectangle(0, 0, 2, 2)]);
    let text = |text: &str| Some(text.to_owned());
    assert!(
        fits(MaskSpec { modality: text("ct"), ..at() }) && !fits(MaskSpec { modality: text("MR"), ..at() })
    );
    assert!(fits(MaskSpec { image_type: text("SECONDARY"), ..at() }));
    assert!(!fits(MaskSpec { image_type: text("PRIMARY"), ..at() }));
    assert!(fits(MaskSpec { series_description: text("*dose*"), ..at() }));
    assert!(!fits(MaskSpec { series_description: text("dose*"), ..at() }));
    assert!(
        !fits(MaskSpec { modality: text("MR"), image_type: text("SECONDARY"), ..at() }),
        "all have to fit"
    );
}

#[test]
fn known_devices_are_masked_as_the_lists_say() {
    let device = |model: &str| {
        let us = |value: u16| value.to_le_bytes();
        let data = Data::image(LE).text((8, 0x60), b"CS", "US").text((8, 0x70), b"LO", "Philips");
        let data = data.text((8, 0x1090), b"LO", model).element((0x28, 2), b"US", &us(1));
        let data = data.text((0x28, 4), b"CS", "MONOCHROME2").element((0x28, 0x10), b"US", &us(480));
        let data = data.element((0x28, 0x11), b"US", &us(640)).element((0x28, 0x100), b"US", &us(8));
        let data = data.element((0x28, 0x101), b"US", &us(8)).element((0x28, 0x102), b"US", &us(7));
        data.element((0x28, 0x103), b"US", &us(0)).element((0x7FE0, 0x10), b"OB", &vec![9; 480 * 640])
    };
    let rules = masking(&known_devices(), false, &[]);
    let masked = sent(&rules, LE, &device("iU22").bytes).unwrap();
    let pixels = &masked[masked.len() - 480 * 640..];
    assert!(
        pixels[..47 * 640].iter().all(|&byte| byte == 0) && pixels[47 * 640..].iter().all(|&byte| byte == 9)
    );
    let other = sent(&rules, LE, &device("iU99").bytes).unwrap();
    assert!(other[other.len() - 480 * 640..].iter().all(|&byte| byte == 9));
    let statement = rules.statement("x");
    let row = "| any | US | any | *iU22* | any | any | 480 | any | 0, 0, 640, 47 | RSNA CTP, DicomPixelAnonymizer.script |";
    assert!(statement.contains(row), "{statement}");
}

/// Ultrasound of 4 x 6 pixels with these regions, Min X0, Min Y0, Max X1, Max Y1.
fn ultrasound(encoding: Encoding, regions: &[[u32; 4]]) -> Data {
    let ul = |value: u32| encoding.syntax.put_u32(value);
    let region = |region: &[u32; 4]| {
        let edges = [0x6018, 0x601A, 0x601C, 0x601E].into_iter().zip(region);
        edges.fold(
            Data::new(encoding).element((0x18, 0x6012), b"US", &encoding.syntax.put_u16(1)),
            |item, (tag, edge)| item.element((0x18, tag), b"UL", &ul(*edge)),
        )
    };
    let regions: Vec<Data> = regions.iter().map(region).collect();
    let image = Image { rows: 4, columns: 6, ..GREY };
    let data = image.data(encoding);
    let at = memchr::memmem::find(&data.bytes, &Data::new(encoding).tag((0x28, 2)).bytes).unwrap();
    let mut bytes = data.bytes[..at].to_vec();
    bytes.extend(Data::new(encoding).sequence((0x18, 0x6011), false, &regions).bytes);
    bytes.extend(&data.bytes[at..]);
    Data { bytes, ..data }
}

#[test]
fn of_ultrasound_what_lies_outside_of_its_regions_is_masked_without_a_list() {
    let class = "1.2.840.10008.5.1.4.1.1.6.1";
    let burned_in =
        BurnedIn::Mask { masks: vec![], by_regions: true, refuse_others: true, decode_up_to: None };
    let profile = Some(ProfileSpec { burned_in, ..ProfileSpec::default() });
    let rules = Arc::new(Ruleset::compile(RulesetSpec { profile, ..spec(&[]) }).unwrap());
    let expected = Expected { sop_class_uid: class.parse().unwrap(), ..expected() };
    let sent = |encoding: Encoding, regions: &[[u32; 4]]| {
        let data = ultrasound(encoding, regions);
        let head = Data::new(encoding).text((8, 0x16), b"UI", class).text((8, 0x18), b"UI", INSTANCE);
        let bytes = [head.bytes, data.bytes[Data::image(encoding).bytes.len()..].to_vec()].concat();
        let run = |size| {
            let transform = Transform::new(Arc::clone(&rules), encoding, expected.clone());
            run_in(transform, &bytes, &[size]).map(|(sent, _)| sent)
        };
        assert_eq!(run(1), run(usize::MAX));
        run(13)
    };
    let image = Image { rows: 4, columns: 6, ..GREY };
    for encoding in [LE, BE, IMPLICIT] {
        let masked = sent(encoding, &[[1, 1, 4, 2], [0, 3, 0, 3]]).unwrap();
        let outside =
            [rectangle(0, 0, 6, 1), rectangle(0, 1, 1, 2), rectangle(5, 1, 1, 2), rectangle(1, 3, 5, 1)];
        let pixels = image.bytes(&image.values(&outside), encoding);
        assert_eq!(&masked[masked.len() - pixels.len()..], pixels);
    }
    // Nothing is known, or nothing would be blanked: then it is refused as ultrasound is.
    for regions in [&[][..], &[[0, 0, 5, 3]], &[[0, 0, 9, 9]]] {
        assert_eq!(sent(LE, regions).unwrap_err().problem, RewriteProblem::NoMask, "{regions:?}");
    }
    assert!(rules.statement("x").contains("outside of its regions"));
}

#[test]
fn behind_the_last_pixel_nothing_goes_out() {
    let profile = Some(ProfileSpec::default());
    let rules = Arc::new(Ruleset::compile(RulesetSpec { profile, ..spec(&[]) }).unwrap());
    let image = Image { rows: 5, columns: 5, allocated: 8, stored: 8, ..GREY };
    for encoding in [LE, BE, IMPLICIT] {
        let pixels = [image.bytes(&image.values(&[]), encoding), b"DOE^JANE 19500101".repeat(2)].concat();
        let data = image.header(encoding).element((0x7FE0, 0x10), b"OW", &pixels);
        let left = sent(&rules, encoding, &data.bytes).unwrap();
        let end = &left[left.len() - pixels.len()..];
        // In big endian, the last pixel is the second byte of its word.
        let kept = if encoding.syntax.big_endian { 26 } else { 25 };
        assert_eq!(&end[..kept], &pixels[..kept]);
        assert!(end[kept..].iter().all(|&byte| byte == 0));
    }
    let long = image.header(LE).element((0x7FE0, 0x10), b"OW", &vec![7; 25 + (64 << 10) + 1]);
    assert_eq!(problem(&rules, &long).0, RewriteProblem::MorePixels);
    // One byte makes the length even, and is no text.
    let padded = image.data(LE);
    let left = sent(&rules, LE, &padded.bytes).unwrap();
    assert_eq!(left.last(), padded.bytes.last());
}

#[test]
fn pixels_that_nobody_knows_the_end_of_are_refused() {
    let profile = Some(ProfileSpec::default());
    let rules = Arc::new(Ruleset::compile(RulesetSpec { profile, ..spec(&[]) }).unwrap());
    let (pixels, text) = ([9; 26], b"DOE^JANE 19500101.");
    let data = |frames: Option<&str>, rows: (&[u8; 2], &[u8]), allocated: &[u8], behind: &[u8]| {
        let data = Data::image(LE).element((0x28, 2), b"US", &[1, 0]);
        let data = frames.map_or(data.clone(), |frames| data.text((0x28, 8), b"IS", frames));
        let data = if rows.1.is_empty() { data } else { data.element((0x28, 0x10), rows.0, rows.1) };
        let data = data.element((0x28, 0x11), b"US", &[13, 0]);
        let data = if allocated.is_empty() { data } else { data.element((0x28, 0x100), b"US", allocated) };
        data.element((0x7FE0, 0x10), b"OW", &[&pixels[..], behind].concat())
    };
    let two: (&[u8; 2], &[u8]) = (b"US", &[2, 0]);
    for frames in ["1.0", "1 ", "99"] {
        let left = sent(&rules, LE, &data(Some(frames), two, &[8, 0], text).bytes).unwrap();
        assert!(left.ends_with(&[&pixels[..], &[0; 18]].concat()), "{frames}");
    }
    let refused = [
        data(Some("0"), two, &[8, 0], text),
        data(None, (b"US", &[]), &[8, 0], text),
        data(None, (b"US", &[2, 0, 2, 0]), &[8, 0], text),
        data(None, two, &[], text),
    ];
    for data in refused {
        let (problem, status, comment) = problem(&rules, &data);
        assert_eq!((problem, status), (RewriteProblem::Undescribed, 0xC007), "{comment}");
    }
    // Rows that are written as text go already, and are no number.
    let as_text = data(None, (b"IS", b"2 "), &[8, 0], text);
    assert_eq!(sent(&rules, LE, &as_text.bytes).unwrap_err().status, 0xC007);
    // One frame is one, whatever was said of their number; and what is said to be no image is looked at by nobody.
    assert!(sent(&rules, LE, &data(Some("0"), two, &[8, 0], &[]).bytes).is_ok());
    assert!(sent(&rules, LE, &Data::image(LE).element((0x7FE0, 0x10), b"OW", &pixels).bytes).is_ok());
    // Of RLE, where a segment ends.
    let header = [&[1, 0, 0, 0, 64][..], &[0; 59], &[255, 9], text].concat();
    let rle = Data::image(LE).element((0x28, 0x11), b"US", &[2, 0]).fragments(&[&[], &header]);
    let run = Transform::new(Arc::clone(&rules), LE, expected()).in_syntax("1.2.840.10008.1.2.5");
    assert_eq!(run_in(run, &rle.bytes, &[5]).map(|_| ()).unwrap_err().problem, RewriteProblem::Undescribed);
}

#[test]
fn beside_compressed_pixels_nothing_goes_out() {
    let profile = Some(ProfileSpec::default());
    let rules = Arc::new(Ruleset::compile(RulesetSpec { profile, ..spec(&[]) }).unwrap());
    let image = Image { rows: 8, columns: 8, allocated: 8, stored: 8, ..GREY };
    let grey: &[u8] = include_bytes!("grey.jpg");
    let frame =
        |text: &[u8], behind: &[u8]| [&grey[..2], b"\xFF\xFE\0\x0A", text, &grey[2..], behind].concat();
    let data = |table: &[u8], text: &[u8], behind: &[u8]| {
        image.header(LE).fragments(&[table, &frame(text, behind)]).bytes
    };
    let run = |bytes: &[u8], size| {
        let transform =
            Transform::new(Arc::clone(&rules), LE, expected()).in_syntax("1.2.840.10008.1.2.4.50");
        run_in(transform, bytes, &[size]).map(|(sent, _)| sent)
    };
    let before = data(b"\0\0\0\0JANE", b"DOE^JANE", b"1950");
    let (left, expected) = (run(&before, 1).unwrap(), data(&[0; 8], b"        ", &[0; 4]));
    assert_eq!(left, run(&before, usize::MAX).unwrap());
    let pixels = memchr::memmem::find(&expected, b"\xE0\x7F\x10\0").unwrap();
    assert!(left.ends_with(&expected[pixels..]));
    let wrong = run(&image.header(LE).fragments(&[&[], b"DOE^JANE"]).bytes, 3).unwrap_err();
    assert_eq!((wrong.problem, wrong.status), (RewriteProblem::Undecodable, 0xC007));
}

#[test]
fn what_is_likely_to_carry_text_needs_a_mask_unless_it_may_pass() {
    let flagged = |value: &str| {
        let mut data = GREY.header(LE).text((0x28, 0x301), b"CS", value);
        data = data.element((0x7FE0, 0x10), b"OW", &GREY.bytes(&GREY.values(&[]), LE));
        data
    };
    let elsewhere = MaskSpec { rows: Some(9), ..mask(&[rectangle(0, 0, 1, 1)]) };
    let of_class = MaskSpec { sop_class: Some("1.2.3".parse().unwrap()), ..elsewhere.clone() };
    for masks in [vec![elsewhere], vec![of_class], vec![]] {
        let error = sent(&masking(&masks, true, &[]), LE, &flagged("YES").bytes).unwrap_err();
        assert_eq!((error.status, error.tag), (0xC006, Some(FLAG)), "{error}");
        assert!(sent(&masking(&masks, true, &[]), LE, &flagged("NO").bytes).is_ok());
        let passed = object(&masking(&masks, false, &[]), &flagged("YES"));
        assert_eq!(flag(&passed).as_deref(), Some("YES"), "nothing is claimed");
        assert_eq!(codes(&passed), ["113100"]);
    }
    let masked = object(&masking(&[mask(&[rectangle(0, 0, 9, 1)])], true, &[]), &flagged("YES"));
    assert_eq!(flag(&masked).as_deref(), Some("NO"));
}

#[test]
fn what_cannot_be_masked_is_refused() {
    let rules = masking(&[mask(&[rectangle(0, 0, 2, 2)])], true, &[]);
    let refused = |image: Image| problem(&rules, &image.data(LE)).2;
    let layout = ": pixels of this layout cannot be masked";
    assert_eq!(
        refused(Image { photometric: "YBR_FULL_422", samples: 3, ..GREY }),
        format!("(0028,0004){layout}")
    );
    assert_eq!(
        refused(Image { photometric: "RGB", samples: 3, signed: true, ..GREY }),
        format!("(0028,0004){layout}")
    );
    assert_eq!(refused(Image { samples: 2, ..GREY }), format!("(0028,0002){layout}"));
    let us = |value: u16| value.to_le_bytes();
    // Of all that is described, each in turn is missing or wrong.
    let header = GREY.header(LE).bytes;
    for (element, wrong) in
        [(0x100, 1), (0x100, 32), (0x101, 0), (0x101, 17), (0x102, 15), (0x103, 2), (0x10, 0), (0x11, 0)]
    {
        let at = header
            .windows(4)
            .position(|four| four == [0x28, 0, element as u8, (element >> 8) as u8])
            .unwrap();
        let (start, end) = (&header[..at], &header[at + 10..]);
        let wrong = Data::new(LE).element((0x28, element), b"US", &us(wrong)).bytes;
        for put in [&wrong[..], &[]] {
            let mut data = Data { bytes: [start, put, end].concat(), ..Data::new(LE) };
            data = data.element((0x7FE0, 0x10), b"OW", &GREY.bytes(&GREY.values(&[]), LE));
            let (_, status, comment) = problem(&rules, &data);
            assert_eq!((status, comment), (0xC007, format!("(0028,{element:04X}){layout}")));
        }
    }
    let pixels = GREY.bytes(&GREY.values(&[]), LE);
    let with = |data: Data| problem(&rules, &data);
    for length in [0, pixels.len() - 2, pixels.len() + 2] {
        let data = GREY.header(LE).element((0x7FE0, 0x10), b"OW", &vec![1; length]);
        assert_eq!(with(data).0, RewriteProblem::PixelLength);
    }
    let two = Image { frames: 2, ..GREY }.header(LE).element((0x7FE0, 0x10), b"OW", &pixels);
    assert_eq!(with(two).0, RewriteProblem::PixelLength, "of one frame only");
    assert_eq!(with(GREY.header(LE).element((0x7FE0, 0x10), b"UN", &pixels)).0, RewriteProblem::Unmaskable);
    assert_eq!(with(GREY.header(LE).element((0x7FE0, 0x08), b"OF", &pixels)).0, RewriteProblem::Unmaskable);
    assert_eq!(with(GREY.header(LE).fragments(&[&[], &[1, 2]])).0, RewriteProblem::CompressedPixels);
    assert_eq!(with(GREY.header(LE)).0, RewriteProblem::NoPixels);
    let undescribed = Data::image(LE).element((0x7FE0, 0x10), b"OW", &pixels);
    assert_eq!(with(undescribed).0, RewriteProblem::Unmaskable);
    let far = masking(&[mask(&[rectangle(6, 0, 2, 2)])], true, &[]);
    assert_eq!(problem(&far, &GREY.data(LE)).0, RewriteProblem::OutsideImage);
    let late = Data::image(LE).element((9, 0x1001), b"OB", &vec![0; 16 << 20]);
    assert_eq!(with(late).0, RewriteProblem::DescriptionTooLate);
    let big = Image { allocated: 16, ow: false, ..GREY }.data(BE);
    assert_eq!(
        sent(&rules, BE, &big.bytes).unwrap_err().problem,
        RewriteProblem::Unmaskable,
        "OB of 16 bits"
    );
}

#[test]
fn reports_have_no_pixels_and_pass() {
    let rules = masking(&[mask(&[rectangle(0, 0, 2, 2)])], true, &[]);
    let report = object(&rules, &Data::image(LE).text((0x40, 0xA040), b"CS", "CONTAINER"));
    assert_eq!((flag(&report), codes(&report)), (None, vec!["113100".to_owned()]));
}

#[test]
fn overlays_and_icons_go_and_what_hides_in_pixels_is_refused() {
    let rules = masking(&[mask(&[rectangle(0, 0, 2, 2)])], true, &[]);
    let pixels = GREY.bytes(&GREY.values(&[]), LE);
    let icon = Data::new(LE).element((0x28, 0x10), b"US", &[1, 0]).element((0x7FE0, 0x10), b"OW", &[7, 7]);
    let described = |data: Data| data.sequence((0x88, 0x200), true, std::slice::from_ref(&icon));
    let plane = |data: Data, allocated: u8, bit: u8| {
        let data = data.element((0x6000, 0x10), b"US", &[5, 0]).text((0x6000, 0x22), b"LO", "DOE^JANE");
        let data =
            data.element((0x6000, 0x100), b"US", &[allocated, 0]).element((0x6000, 0x102), b"US", &[bit, 0]);
        data.element((0x6000, 0x3000), b"OW", &[1, 2]).element((0x7FE0, 0x10), b"OW", &pixels)
    };
    let clean = object(&rules, &plane(described(GREY.header(LE)), 1, 0));
    assert!(clean.get(Tag(0x88, 0x200)).is_none(), "Table E.1-1 removes icons");
    assert!(clean.iter().all(|element| element.header().tag.0 != 0x6000), "whole planes go");
    for (allocated, bit) in [(16, 12), (16, 0), (1, 15)] {
        assert_eq!(
            problem(&rules, &plane(GREY.header(LE), allocated, bit)).0,
            RewriteProblem::OverlayInPixels
        );
    }
    let refuse = |burned_in| {
        let profile = Some(ProfileSpec { burned_in, ..ProfileSpec::default() });
        Arc::new(Ruleset::compile(RulesetSpec { profile, ..spec(&[]) }).unwrap())
    };
    let hiding = plane(GREY.header(LE), 16, 12);
    assert_eq!(problem(&refuse(BurnedIn::Refuse), &hiding).1, 0xC006);
    assert!(sent(&refuse(BurnedIn::Pass), LE, &hiding.bytes).is_ok());
    let kept = masking(&[mask(&[rectangle(0, 0, 2, 2)])], true, &[rule("IconImageSequence", "keep")]);
    let data = described(GREY.header(LE)).element((0x7FE0, 0x10), b"OW", &pixels);
    assert_eq!(problem(&kept, &data).0, RewriteProblem::NestedPixels);
}

#[test]
fn unmasked_bytes_are_not_copied() {
    let image = Image { rows: 64, columns: 64, ..GREY };
    let rules = masking(&[mask(&[rectangle(0, 0, 64, 1)])], true, &[]);
    let mut transform = Transform::new(rules, LE, expected());
    let (header, data) = (image.header(LE).bytes.len(), image.data(LE).bytes);
    let mut output = crate::rewrite::Output::new();
    transform.push(&data[..header + 12], &mut output).unwrap();
    output.clear();
    transform.push(&data[header + 12..], &mut output).unwrap();
    assert_eq!(output.pieces, [crate::rewrite::Piece::Made(0..128), crate::rewrite::Piece::Input(128..8192)]);
}

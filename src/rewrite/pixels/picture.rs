//! The first frame of an image as a person sees it, for a page that shows what became of it.
//!
//! Greys are stretched from the darkest pixel of the frame to the brightest, whatever window the object says: what is burned
//! in has to be seen. Nothing of this is in the way of a data set.

use super::Description;
use super::codec::Codec;
use crate::dataset::{Encoding, Header, Syntax, Tag, Vr};
use crate::wire::Uid;

/// No frame of more bytes is shown.
const MOST: usize = 64 << 20;

/// A frame of 8 bits a sample, from the top left, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Whether a pixel is three bytes, red, green and blue; otherwise one of grey.
    pub is_coloured: bool,
    /// The samples.
    pub pixels: Vec<u8>,
}

/// What an object says of its image, until its first frame comes.
#[derive(Debug)]
pub struct Viewing {
    image: Description,
    syntax: Option<Syntax>,
    codec: Option<Codec>,
    is_native: bool,
}

impl Viewing {
    /// At the start of a data set of this SOP class, in this transfer syntax.
    pub fn new(sop_class_uid: &Uid, transfer_syntax_uid: &str) -> Self {
        let codec = Codec::of(transfer_syntax_uid);
        let rest = transfer_syntax_uid.strip_prefix("1.2.840.10008.1.2");
        let is_native = matches!(rest, Some("" | ".1" | ".2" | ".1.99"));
        let syntax = Encoding::of(transfer_syntax_uid).map(|encoding| encoding.syntax);
        Self { image: Description::new(sop_class_uid), syntax, codec, is_native }
    }

    /// Whether the value of an element at the top says something of the image (PS3.3 C.7.6.3).
    pub fn wants(tag: Tag) -> bool {
        Description::wants(tag)
    }

    /// An element at the top of the data set.
    pub fn read(&mut self, header: &Header, value: &[u8]) {
        self.image.read(header, value);
    }

    /// Bytes of pixel data that a picture is made from: of a native frame, or of a compressed one at most.
    pub fn wanted(&self) -> usize {
        self.size().map_or(0, |size| size.saturating_mul(2)).saturating_add(256 << 10).min(MOST)
    }

    /// How many frames the object has.
    pub fn frames(&self) -> u64 {
        self.image.frames
    }

    /// Bytes of a native frame.
    fn size(&self) -> Option<usize> {
        let (rows, columns) = self.image.matrix()?;
        let samples = usize::from(rows) * usize::from(columns) * usize::from(self.image.samples.unwrap_or(1));
        let bits = samples.checked_mul(usize::from(self.image.allocated?))?;
        Some(bits.div_ceil(8)).filter(|&size| size <= MOST)
    }

    /// The first frame, from its bytes.
    ///
    /// # Errors
    /// Why it is not shown.
    pub fn picture(&self, frame: &[u8], vr: Vr) -> Result<Picture, &'static str> {
        if self.is_native {
            let size = self.size().ok_or("the object does not say how its pixels lie")?;
            let native = frame.get(..size).ok_or("there are fewer bytes than pixels")?;
            let words = self.syntax.is_some_and(|syntax| syntax.big_endian) && vr == Vr::OW;
            return shown(&self.image, &if words { swapped(native) } else { native.to_vec() });
        }
        let codec = self.codec.ok_or("dimsegate does not decode this transfer syntax")?;
        if self.size().is_none() {
            return Err("the object does not say how its pixels lie");
        }
        let (image, shape) =
            codec.described(&self.image).map_err(|_| "its pixels are of no kind that is decoded")?;
        let native = codec.decode(frame, &shape).ok_or("the frame cannot be decoded")?;
        shown(&image, &native)
    }
}

fn swapped(words: &[u8]) -> Vec<u8> {
    words.chunks(2).flat_map(|word| word.iter().rev()).copied().collect()
}

fn shown(image: &Description, native: &[u8]) -> Result<Picture, &'static str> {
    let (height, width) = image.matrix().ok_or("the object has no rows or no columns")?;
    let picture = |is_coloured, pixels| Ok(Picture { width, height, is_coloured, pixels });
    match (image.samples.unwrap_or(1), image.allocated) {
        (1, _) => picture(false, stretched(&greys(image, native)?, image.photometric == b"MONOCHROME1")),
        (3, Some(8)) => picture(true, colours(image, native)?),
        _ => Err("pixels of this kind are not shown"),
    }
}

/// The values of grey pixels.
fn greys(image: &Description, native: &[u8]) -> Result<Vec<i32>, &'static str> {
    let stored = u32::from(image.stored.unwrap_or(16)).clamp(1, 16);
    let is_signed = image.representation == Some(1);
    let value = |word: u16| {
        let word = i32::from(word) & ((1 << stored) - 1);
        if is_signed && word >> (stored - 1) == 1 { word - (1 << stored) } else { word }
    };
    let count = image.matrix().map_or(0, |(rows, columns)| usize::from(rows) * usize::from(columns));
    match image.allocated {
        Some(1) => Ok(native
            .iter()
            .flat_map(|&byte| (0..8).map(move |bit| i32::from(byte >> bit & 1)))
            .take(count)
            .collect()),
        Some(8) => Ok(native.iter().map(|&byte| value(u16::from(byte))).collect()),
        Some(16) => Ok(native.as_chunks().0.iter().map(|&word| value(u16::from_le_bytes(word))).collect()),
        _ => Err("pixels of this kind are not shown"),
    }
}

/// From the darkest to the brightest as 0 to 255.
fn stretched(values: &[i32], is_inverted: bool) -> Vec<u8> {
    let (low, high) =
        values.iter().fold((i32::MAX, i32::MIN), |(low, high), &one| (low.min(one), high.max(one)));
    let range = high.saturating_sub(low).max(1);
    let level = |&value: &i32| {
        let level = u8::try_from((value - low) * 255 / range).unwrap_or(u8::MAX);
        if is_inverted { u8::MAX - level } else { level }
    };
    values.iter().map(level).collect()
}

/// Red, green and blue, together.
fn colours(image: &Description, native: &[u8]) -> Result<Vec<u8>, &'static str> {
    let plane = native.len() / 3;
    let together = match image.planar {
        Some(1) => (0..native.len()).filter_map(|at| native.get(at % 3 * plane + at / 3).copied()).collect(),
        _ => native.to_vec(),
    };
    match image.photometric.as_slice() {
        b"RGB" => Ok(together),
        b"YBR_FULL" => Ok(together.as_chunks().0.iter().flat_map(|&pixel| rgb(pixel)).collect()),
        _ => Err("colours of this kind are not shown"),
    }
}

/// PS3.3 C.7.6.3.1.2.
fn rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let channels = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    channels.map(|channel| channel.round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::{Header, Picture, Syntax, Tag, Uid, Viewing, Vr};

    fn class() -> Uid {
        Uid::from_bytes(b"1.2.840.10008.5.1.4.1.1.7").unwrap()
    }

    fn viewing(syntax: &str, elements: &[(u16, u16)], photometric: &[u8]) -> Viewing {
        let mut viewing = Viewing::new(&class(), syntax);
        let header =
            |element, vr| Header { tag: Tag(0x0028, element), vr, length: None, syntax: Syntax::EXPLICIT_LE };
        for (element, value) in elements {
            viewing.read(&header(*element, Vr::US), &value.to_le_bytes());
        }
        viewing.read(&header(0x0004, Vr::CS), photometric);
        viewing
    }

    const SIGNED: [(u16, u16); 7] =
        [(2, 1), (0x10, 1), (0x11, 3), (0x100, 16), (0x101, 12), (0x102, 11), (0x103, 1)];

    #[test]
    fn greys_go_from_the_darkest_to_the_brightest_whatever_their_sign() {
        let native: Vec<u8> =
            [0x0F00_u16, 0x0000, 0x0100].iter().flat_map(|word| word.to_le_bytes()).collect();
        let shown = |photometric: &[u8]| {
            viewing("1.2.840.10008.1.2.1", &SIGNED, photometric)
                .picture(&native, Vr::OW)
                .map(|one| one.pixels)
        };
        assert_eq!(shown(b"MONOCHROME2"), Ok(vec![0, 127, 255]));
        assert_eq!(shown(b"MONOCHROME1"), Ok(vec![255, 128, 0]));
    }

    #[test]
    fn colours_come_together_and_what_is_not_shown_says_why() {
        let colour = [(2, 3), (0x10, 1), (0x11, 2), (0x100, 8), (0x101, 8), (0x102, 7), (0x103, 0), (6, 1)];
        let picture = viewing("1.2.840.10008.1.2.1", &colour, b"RGB").picture(&[1, 2, 3, 4, 5, 6], Vr::OB);
        let expected = Picture { width: 2, height: 1, is_coloured: true, pixels: vec![1, 3, 5, 2, 4, 6] };
        assert_eq!(picture, Ok(expected));
        for (syntax, frame) in [
            ("1.2.840.10008.1.2.4.90", &[0; 9][..]),
            ("1.2.840.10008.1.2.1", &[0; 5]),
            ("1.2.840.10008.1.2.5", &[0; 3]),
        ] {
            assert!(viewing(syntax, &colour, b"RGB").picture(frame, Vr::OB).is_err(), "{syntax}");
        }
        assert!(
            Viewing::new(&class(), "1.2.840.10008.1.2.1").picture(&[0; 9], Vr::OB).is_err(),
            "nothing is said of it"
        );
    }
}

//! A frame of marker segments: JPEG and JPEG-LS (T.81 Annex B, T.87 Annex C), JPEG 2000 and HTJ2K (T.800 Annex A).
//!
//! ```text
//! JPEG       SOI  segment… SOS  entropy-coded  RST…  segment…  SOS  …  EOI  behind
//! JPEG 2000  SOC  segment… SOT  segment… SOD  packets (as many bytes as SOT says)  SOT …  EOC  behind
//! ```
//!
//! A frame may lie in several fragments, and its end is where its own end is. Where a fragment begins with the start of an
//! image, a frame that lacked its end is over.

use super::super::super::error::RewriteProblem;
use super::Stretch;
use super::boxes::Boxes;
use super::form;
use super::segment::{Kept, Segment};

const FF: u8 = 0xFF;
const SOI: u8 = 0xD8;
const SOS: u8 = 0xDA;
const SOC: u8 = 0x4F;
const SIZ: u8 = 0x51;
const SOT: u8 = 0x90;
const SOD: u8 = 0x93;
/// EOI and EOC.
const END: u8 = 0xD9;
/// Of a tile-part, from SOT to the end of its segment: the marker, Lsot, Isot, Psot, TPsot, TNsot (T.800 A.4.2).
const TILE_PART_HEADER: u32 = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Jpeg,
    Jpeg2000,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Nothing of a frame has come.
    Start,
    /// Its 0xFF has.
    StartCode,
    /// Of a JP2 file around the codestream.
    Boxes(Boxes),
    /// A marker is due.
    Marker,
    /// Its 0xFF has come.
    Code,
    /// Its length is due, or the second byte of that.
    Length {
        marker: u8,
        high: Option<u8>,
    },
    Segment {
        marker: u8,
        segment: Segment,
    },
    /// JPEG's entropy-coded data.
    Entropy,
    /// The same, behind 0xFF.
    EntropyCode,
    /// JPEG 2000's packets: so many bytes, or up to EOC.
    Packets(u32),
    /// The same, behind 0xFF.
    PacketsCode(u32),
    PacketsToEnd,
    PacketsToEndCode,
    /// The image is over.
    Behind,
}

/// See the [module](self).
#[derive(Clone, Copy, Debug)]
pub(super) struct Codestream {
    family: Family,
    part_2: bool,
    place: Place,
    /// Whether JPEG's frame header has come: a second one is not read.
    has_frame: bool,
    /// Of a tile-part, what Psot said; and bytes that have come of it.
    tile_part: Option<u32>,
    come: u32,
    /// Psot as it comes.
    psot: u32,
    /// How many bytes of the fragment, up to 4, have come, and what they were.
    first: (u8, u32),
    /// Whether one of them was overwritten.
    overwritten: bool,
}

impl Codestream {
    pub(super) fn new(part_2: bool) -> Self {
        Self {
            family: Family::Jpeg,
            part_2,
            place: Place::Start,
            has_frame: false,
            tile_part: None,
            come: 0,
            psot: 0,
            first: (0, 0),
            overwritten: false,
        }
    }

    /// Says that another fragment begins, in which a codestream may begin, too.
    pub(super) fn fragment(&mut self) {
        (self.first, self.overwritten) = ((0, 0), false);
        // What fills a fragment with zeros says nothing of the next one.
        let is_over = match self.place {
            Place::Behind => true,
            Place::Boxes(boxes) => boxes.are_zeros(),
            _ => false,
        };
        if is_over {
            self.place = Place::Start;
        }
    }

    pub(super) fn stretch(&mut self, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        // The first four bytes of a fragment are read one by one: they may begin an image, whatever was under way.
        if self.first.0 < 4 {
            let byte = bytes.first().copied().unwrap_or_default();
            let stretch = self.next(&[byte])?;
            self.first = (self.first.0 + 1, self.first.1 << 8 | u32::from(byte));
            self.overwritten |= stretch.fill.is_some();
            self.begin_anew()?;
            return Ok(stretch);
        }
        self.next(bytes)
    }

    /// Where a fragment began with SOI and a marker, or with SOC and SIZ, the frame before it is over.
    fn begin_anew(&mut self) -> Result<(), RewriteProblem> {
        let (family, place) = match self.first {
            (3, 0xFF_D8_FF) => (Family::Jpeg, Place::Code),
            (4, 0xFF_4F_FF_51) => (Family::Jpeg2000, Place::Length { marker: SIZ, high: None }),
            _ => return Ok(()),
        };
        if self.overwritten {
            return Err(RewriteProblem::Undecodable);
        }
        (self.family, self.place, self.tile_part, self.has_frame) = (family, place, None, false);
        Ok(())
    }

    fn next(&mut self, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        let byte = bytes.first().copied().unwrap_or_default();
        let one = Stretch::keep(1);
        match self.place {
            Place::Start if byte == FF => self.go(Place::StartCode, one),
            Place::Start if byte == 0 => self.go(Place::Boxes(Boxes::new()), one),
            Place::StartCode if byte == SOI => self.begin(Family::Jpeg),
            Place::StartCode if byte == SOC => self.begin(Family::Jpeg2000),
            Place::Start | Place::StartCode => Err(RewriteProblem::Undecodable),
            Place::Boxes(mut boxes) => {
                let stretch = boxes.stretch(bytes)?;
                let place = if boxes.hold_codestream() { Place::Start } else { Place::Boxes(boxes) };
                self.go(place, stretch)
            }
            Place::Marker if byte == FF => self.go(Place::Code, one),
            Place::Marker => self.between(bytes),
            Place::Code => self.code(byte),
            Place::Length { marker, high: None } => self.go(Place::Length { marker, high: Some(byte) }, one),
            Place::Length { marker, high: Some(high) } => {
                self.length(marker, u16::from_be_bytes([high, byte]))
            }
            Place::Segment { marker, segment } => self.segment(marker, segment, bytes),
            Place::Entropy => self.entropy(bytes),
            Place::EntropyCode => self.entropy_code(byte),
            Place::Packets(left) => self.packets(left, bytes),
            // Neither stands in packets (T.800 A.1), however long these are said to be.
            Place::PacketsCode(_) if matches!(byte, END | SOT) => self.code(byte),
            Place::PacketsCode(left) if byte == FF => self.packets(left, &[byte]),
            Place::PacketsCode(left) => self.go(packets_of(left - 1), one),
            Place::PacketsToEnd => self.packets_to_end(bytes),
            Place::PacketsToEndCode => {
                match byte {
                    // A tile-part may follow one that did not say how long it is.
                    END | FF | SOT => self.code(byte),
                    _ => self.go(Place::PacketsToEnd, one),
                }
            }
            Place::Behind => Ok(Stretch::fill(bytes.len(), 0)),
        }
    }

    /// Goes on behind these bytes.
    fn go(&mut self, place: Place, stretch: Stretch) -> Result<Stretch, RewriteProblem> {
        self.place = place;
        self.come = self.come.saturating_add(u32::try_from(stretch.length).unwrap_or(u32::MAX));
        Ok(stretch)
    }

    fn begin(&mut self, family: Family) -> Result<Stretch, RewriteProblem> {
        (self.family, self.tile_part, self.has_frame) = (family, None, false);
        self.go(Place::Marker, Stretch::keep(1))
    }

    /// Something stands where a marker is due. Before a JPEG marker any number of 0xFF may stand (T.81 B.1.1.2); a JPEG 2000
    /// codestream ends there.
    fn between(&mut self, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        if self.family == Family::Jpeg2000 {
            self.place = Place::Behind;
            return Ok(Stretch::fill(bytes.len(), 0));
        }
        let length = memchr::memchr(FF, bytes).unwrap_or(bytes.len());
        self.go(Place::Marker, Stretch::fill(length, FF))
    }

    fn code(&mut self, marker: u8) -> Result<Stretch, RewriteProblem> {
        let place = match (self.family, marker) {
            (_, FF) if matches!(self.place, Place::PacketsToEndCode) => Place::PacketsToEndCode,
            (_, FF) => Place::Code,
            (_, END) => Place::Behind,
            // Restarts, and what a lax writer put where a marker is due.
            (Family::Jpeg, 0x00..=0x01 | 0xD0..=0xD7) => Place::Marker,
            (Family::Jpeg, SOI) => Place::Marker,
            (Family::Jpeg2000, SOD) => match self.tile_part {
                Some(0) | None => Place::PacketsToEnd,
                Some(whole) => Place::Packets(whole.saturating_sub(self.come.saturating_add(1))),
            },
            // Without a length (T.800 A.1.1).
            (Family::Jpeg2000, 0x30..=0x3F | 0x92 | SOC) => Place::Marker,
            (Family::Jpeg2000, SOT) => {
                // 0xFF has come.
                (self.come, self.psot) = (1, 0);
                Place::Length { marker, high: None }
            }
            _ => Place::Length { marker, high: None },
        };
        let place = if matches!(place, Place::Packets(0)) { Place::Marker } else { place };
        self.go(place, Stretch::keep(1))
    }

    fn length(&mut self, marker: u8, length: u16) -> Result<Stretch, RewriteProblem> {
        let contents = length.checked_sub(2).ok_or(RewriteProblem::Undecodable)?;
        let is_frame = self.family == Family::Jpeg && form::is_frame(marker);
        let kept = match self.family {
            Family::Jpeg if is_frame && self.has_frame => Kept::Nothing,
            Family::Jpeg => Kept::of_jpeg(marker),
            Family::Jpeg2000 => Kept::of_jpeg_2000(marker, self.part_2),
        };
        self.has_frame |= is_frame;
        let segment = Segment::new(kept, contents);
        let place = if contents == 0 { self.behind(marker) } else { Place::Segment { marker, segment } };
        self.go(place, Stretch::keep(1))
    }

    fn segment(&mut self, marker: u8, mut segment: Segment, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        let here = bytes.get(..usize::from(segment.left())).unwrap_or(bytes);
        let at = segment.at();
        let stretch = segment.stretch(here);
        if self.family == Family::Jpeg2000 && marker == SOT {
            // Psot stands behind Isot.
            let psot = here.iter().take(stretch.length).zip(at..).filter(|&(_, at)| (2..6).contains(&at));
            self.psot = psot.fold(self.psot, |psot, (&byte, _)| psot << 8 | u32::from(byte));
        }
        let place =
            if segment.left() == 0 { self.behind(marker) } else { Place::Segment { marker, segment } };
        self.go(place, stretch)
    }

    /// What follows a segment.
    fn behind(&mut self, marker: u8) -> Place {
        match (self.family, marker) {
            (Family::Jpeg, SOS) => return Place::Entropy,
            (Family::Jpeg2000, SOT) => {
                // A length that does not hold its own header is none.
                self.tile_part = Some(self.psot).filter(|&psot| psot == 0 || psot >= TILE_PART_HEADER);
            }
            _ => {}
        }
        Place::Marker
    }

    fn entropy(&mut self, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        match memchr::memchr(FF, bytes) {
            None => self.go(Place::Entropy, Stretch::keep(bytes.len())),
            Some(at) => self.go(Place::EntropyCode, Stretch::keep(at + 1)),
        }
    }

    /// Behind 0xFF, JPEG stuffs a zero byte and JPEG-LS a zero bit; restarts are part of the data too.
    fn entropy_code(&mut self, byte: u8) -> Result<Stretch, RewriteProblem> {
        match byte {
            0x00..=0x7F | 0xD0..=0xD7 => self.go(Place::Entropy, Stretch::keep(1)),
            FF => self.go(Place::EntropyCode, Stretch::keep(1)),
            marker => self.code(marker),
        }
    }

    fn packets(&mut self, left: u32, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        let here = bytes.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(bytes);
        let code = memchr::memchr(FF, here);
        let length = code.map_or(here.len(), |at| at + 1);
        let place = match packets_of(left - u32::try_from(length).unwrap_or(left)) {
            Place::Packets(left) if code.is_some() => Place::PacketsCode(left),
            place => place,
        };
        self.go(place, Stretch::keep(length))
    }

    fn packets_to_end(&mut self, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        match memchr::memchr(FF, bytes) {
            None => self.go(Place::PacketsToEnd, Stretch::keep(bytes.len())),
            Some(at) => self.go(Place::PacketsToEndCode, Stretch::keep(at + 1)),
        }
    }
}

/// Where so many bytes of packets are still to come.
fn packets_of(left: u32) -> Place {
    if left == 0 { Place::Marker } else { Place::Packets(left) }
}

//! What the marker segments of a JPEG frame say (T.81 Annex B), read before anything is decoded: how long that takes is then
//! known. A progressive frame can have hundreds of scans over the same few bytes.

use super::super::shape::Shape;

/// The JPEG process of a transfer syntax (T.81, PS3.5 A.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rewrite) enum Process {
    /// Process 1.
    Baseline,
    /// Process 14.
    Lossless,
    /// Process 14 with selection value 1.
    LosslessFirstOrder,
}

/// Most segments that define tables: each makes the decoder build one anew.
const MOST_TABLES: usize = 64;
const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;

impl Process {
    fn start_of_frame(self) -> u8 {
        match self {
            Self::Baseline => 0xC0,
            Self::Lossless | Self::LosslessFirstOrder => 0xC3,
        }
    }

    /// Spectral selection, which is the predictor of lossless processes, and the point transform or approximation.
    fn allows_scan(self, start: u8, end: u8, approximation: u8) -> bool {
        match self {
            Self::Baseline => (start, end, approximation) == (0, 63, 0),
            Self::Lossless => (1..=7).contains(&start) && end == 0,
            Self::LosslessFirstOrder => (start, end) == (1, 0),
        }
    }
}

/// Whether there is one frame of this process and shape, each of its components in one scan.
pub(super) fn are_of(frame: &[u8], process: Process, shape: &Shape) -> bool {
    Markers { rest: frame, process, shape, has_frame: false, components: 0, tables: 0 }.read().is_some()
}

struct Markers<'a> {
    rest: &'a [u8],
    process: Process,
    shape: &'a Shape,
    has_frame: bool,
    /// In the scans so far.
    components: usize,
    tables: usize,
}

impl<'a> Markers<'a> {
    fn read(mut self) -> Option<()> {
        if self.marker()? != SOI {
            return None;
        }
        loop {
            match self.marker()? {
                EOI => return (self.components == self.shape.samples).then_some(()),
                SOS => self.scan()?,
                marker if marker == self.process.start_of_frame() && !self.has_frame => self.frame()?,
                // Tables and restart intervals.
                0xC4 | 0xDB | 0xDD => {
                    self.tables += 1;
                    self.segment()?;
                    if self.tables > MOST_TABLES {
                        return None;
                    }
                }
                // Of applications, and comments.
                0xE0..=0xEF | 0xFE => {
                    self.segment()?;
                }
                _ => return None,
            }
        }
    }

    /// The next marker, with what may fill the space before it.
    fn marker(&mut self) -> Option<u8> {
        let (&0xFF, mut rest) = self.rest.split_first()? else { return None };
        while let Some((&0xFF, behind)) = rest.split_first() {
            rest = behind;
        }
        let (&marker, behind) = rest.split_first()?;
        self.rest = behind;
        Some(marker)
    }

    /// What a segment says, without its length.
    fn segment(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16::from_be_bytes(*self.rest.first_chunk()?));
        let (segment, behind) = self.rest.split_at_checked(length)?;
        self.rest = behind;
        segment.get(2..)
    }

    fn frame(&mut self) -> Option<()> {
        self.has_frame = true;
        let &[precision, y0, y1, x0, x1, components, ..] = self.segment()? else { return None };
        let size = (usize::from(u16::from_be_bytes([y0, y1])), usize::from(u16::from_be_bytes([x0, x1])));
        let is_described = size == (self.shape.rows, self.shape.columns)
            && usize::from(components) == self.shape.samples
            && (precision == 8 || self.process != Process::Baseline);
        is_described.then_some(())
    }

    fn scan(&mut self) -> Option<()> {
        let segment = self.segment()?;
        let (&count, parameters) = segment.split_first()?;
        let count = usize::from(count);
        let &[start, end, approximation] = parameters.get(count * 2..)? else { return None };
        self.components += count;
        let is_allowed = self.has_frame
            && count > 0
            && self.components <= self.shape.samples
            && self.process.allows_scan(start, end, approximation);
        is_allowed.then_some(())?;
        self.entropy_coded()
    }

    /// Up to the marker behind what is entropy-coded: restarts, and bytes that would look like a marker, are part of it.
    fn entropy_coded(&mut self) -> Option<()> {
        loop {
            let at = memchr::memchr(0xFF, self.rest)?;
            self.rest = self.rest.get(at..)?;
            match self.rest.get(1)? {
                0x00 | 0xD0..=0xD7 => self.rest = self.rest.get(2..)?,
                0xFF => self.rest = self.rest.get(1..)?,
                _ => return Some(()),
            }
        }
    }
}

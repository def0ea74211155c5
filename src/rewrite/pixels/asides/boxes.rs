//! The boxes of a JP2 file (T.800 Annex I), which some writers put around the codestream though PS3.5 A.4.4 leaves them out.
//!
//! Signature and file type pass, and of the header what says what the codestream's components are (T.800 I.5.3), as far as they
//! have their form; others (XML, UUID), ICC profiles and resolutions become zeros.

use super::super::super::error::RewriteProblem;
use super::Stretch;

const SIGNATURE: [u8; 4] = *b"jP  ";
const CODESTREAM: [u8; 4] = *b"jp2c";
const HEADER: [u8; 4] = *b"jp2h";
/// Bytes of a box's header, without XLBox.
const SHORTEST: u64 = 8;

/// What of a box's contents passes; the rest becomes zeros.
#[derive(Clone, Copy, Debug)]
enum Kept {
    All,
    /// Bytes up to these.
    UpTo(&'static [u8]),
    Exactly(&'static [u8]),
    /// Brands: JP2 and its relatives, between them a version of zero.
    Brands,
    Nothing,
}

impl Kept {
    fn of(kind: [u8; 4], in_header: bool) -> Self {
        match (&kind, in_header) {
            (b"jP  ", false) => Self::Exactly(b"\r\n\x87\n"),
            (b"ftyp", false) => Self::Brands,
            // Of images of up to 65,535 rows and columns.
            (b"ihdr", true) => Self::UpTo(&[0, 0, 255, 255, 0, 0, 255, 255, 0x40, 255, 255, 7, 1, 1]),
            // METH 1: an enumerated colour space.
            (b"colr", true) => Self::UpTo(&[1, 255, 4, 0, 0, 0, 255]),
            (b"bpcc" | b"pclr" | b"cmap" | b"cdef", true) => Self::All,
            _ => Self::Nothing,
        }
    }

    /// Whether a byte of the contents has the form.
    fn fits(self, at: u64, byte: u8) -> bool {
        let of = |bytes: &'static [u8]| usize::try_from(at).ok().and_then(|at| bytes.get(at)).copied();
        match self {
            Self::All => true,
            Self::UpTo(most) => of(most).is_some_and(|most| byte <= most),
            Self::Exactly(bytes) => of(bytes) == Some(byte),
            Self::Brands if (4..8).contains(&at) => byte == 0,
            Self::Brands => match at % 4 {
                0 => byte == b'j',
                1 => byte == b'p',
                2 => b"2xhm".contains(&byte),
                _ => b" b".contains(&byte),
            },
            Self::Nothing => false,
        }
    }
}

/// See the [module](self).
#[derive(Clone, Copy, Debug)]
pub(super) struct Boxes {
    /// A box's header as it comes: LBox, TBox, and XLBox where LBox is 1.
    header: [u8; 16],
    size: usize,
    /// Of the contents, bytes that are still to come.
    left: u64,
    /// Of the contents, bytes that have come, and what of them passes.
    at: u64,
    kept: Kept,
    /// Of the header's box, which holds others, bytes that are still to come.
    within: Option<u64>,
    begun: bool,
    codestream: bool,
}

impl Boxes {
    /// Its first byte, a zero, has come.
    pub(super) fn new() -> Self {
        let (kept, within) = (Kept::Nothing, None);
        Self { header: [0; 16], size: 1, left: 0, at: 0, kept, within, begun: false, codestream: false }
    }

    /// Whether the codestream comes next.
    pub(super) fn hold_codestream(&self) -> bool {
        self.codestream
    }

    /// Whether nothing but zeros has come: it may be what fills a fragment.
    pub(super) fn are_zeros(&self) -> bool {
        !self.begun && self.header.iter().all(|&byte| byte == 0)
    }

    pub(super) fn stretch(&mut self, bytes: &[u8]) -> Result<Stretch, RewriteProblem> {
        if self.left == 0 {
            let byte = bytes.first().copied().unwrap_or_default();
            self.came(1);
            self.header_byte(byte)?;
            self.settle();
            return Ok(Stretch::keep(1));
        }
        let here = bytes.get(..usize::try_from(self.left).unwrap_or(usize::MAX)).unwrap_or(bytes);
        let stretch = self.contents(here);
        let length = stretch.length as u64;
        (self.left, self.at) = (self.left - length, self.at.saturating_add(length));
        self.came(length);
        self.settle();
        Ok(stretch)
    }

    fn contents(&mut self, here: &[u8]) -> Stretch {
        let fit = match self.kept {
            Kept::All => here.len(),
            kept => here.iter().zip(self.at..).take_while(|&(&byte, at)| kept.fits(at, byte)).count(),
        };
        if fit > 0 {
            return Stretch::keep(fit);
        }
        self.kept = Kept::Nothing;
        Stretch::fill(here.len(), 0)
    }

    /// So many bytes have come of the header's box, where that is under way.
    fn came(&mut self, length: u64) {
        self.within = self.within.map(|within| within.saturating_sub(length));
    }

    /// Where the header's box ends, or has no room for another one, it holds no more.
    fn settle(&mut self) {
        match self.within {
            Some(0) => (self.within, self.size, self.header, self.left) = (None, 0, [0; 16], 0),
            Some(within) if self.left == 0 && self.size == 0 && within < SHORTEST => {
                (self.left, self.at, self.kept) = (within, 0, Kept::Nothing);
            }
            _ => {}
        }
    }

    fn header_byte(&mut self, byte: u8) -> Result<(), RewriteProblem> {
        if let Some(place) = self.header.get_mut(self.size) {
            *place = byte;
        }
        self.size += 1;
        let [l0, l1, l2, l3, t0, t1, t2, t3, extended @ ..] = self.header;
        let (length, kind) = (u32::from_be_bytes([l0, l1, l2, l3]), [t0, t1, t2, t3]);
        let header: u64 = if length == 1 { 16 } else { 8 };
        if (self.size as u64) < header {
            return Ok(());
        }
        if self.are_zeros() {
            (self.left, self.kept) = (u64::MAX, Kept::Nothing);
            return Ok(());
        }
        if !self.begun && kind != SIGNATURE {
            return Err(RewriteProblem::Undecodable);
        }
        self.left = match length {
            // To the end of the file.
            0 => u64::MAX,
            // No file is longer than an element (PS3.5 §7.1), and letters are no length.
            1 => Some(u64::from_be_bytes(extended))
                .filter(|&length| length <= u32::MAX.into())
                .and_then(|length| length.checked_sub(header))
                .ok_or(RewriteProblem::Undecodable)?,
            length => u64::from(length).checked_sub(header).ok_or(RewriteProblem::Undecodable)?,
        };
        (self.begun, self.size, self.header) = (true, 0, [0; 16]);
        self.begin(kind);
        Ok(())
    }

    /// The contents of a box begin.
    fn begin(&mut self, kind: [u8; 4]) {
        (self.at, self.kept) = (0, Kept::of(kind, self.within.is_some()));
        match self.within {
            Some(within) => self.left = self.left.min(within),
            None if kind == HEADER => (self.within, self.left) = (Some(self.left), 0),
            None => self.codestream = kind == CODESTREAM,
        }
    }
}

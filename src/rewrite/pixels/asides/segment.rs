//! What of a marker segment passes.
//!
//! Of comments nothing does but what says in which characters they are. Of application segments what decoders read:
//!
//! | segment | what passes | since |
//! | --- | --- | --- |
//! | APP0 `JFIF` | 14 bytes: version, density, size of the thumbnail | it says that colours are YCbCr (T.871) |
//! | APP8 `SPIFF` | 30 bytes: size, colour space, compression | JPEG-LS decoders read the colour space there (T.84) |
//! | APP8 `mrfx` | 5 bytes: HP's colour transform | without it, JPEG-LS colours come out wrong |
//! | APP14 `Adobe` | 12 bytes: version, flags, transform | it says whether colours are transformed (T.872) |
//!
//! All other application segments, and the rest of these (thumbnails, titles), become zeros: Exif and XMP (APP1), ICC profiles
//! (APP2: an object's own is in (0028,2000), samples are decoded the same without, and texts stand in it), Photoshop's (APP13).

//!
//! Of the other segments only those pass that are listed, and of JPEG's what their [`Form`] allows; the rest become zeros.

use super::Stretch;
use super::form::Form;

/// Blanks, where a reader expects text.
const BLANK: u8 = b' ';

/// Of a segment's contents behind its length, what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    All,
    /// Bytes at the beginning; then come blanks.
    Comment {
        keep: u16,
    },
    /// Bytes at the beginning; then come zeros.
    First {
        keep: u16,
    },
    /// What begins so, and behind that bytes up to these; then come zeros. As long as it is right, it passes.
    Application {
        begins: &'static [u8],
        most: &'static [u8],
    },
    /// As long as it has the form, it passes; then come zeros.
    Formed(Form),
    /// One whose first byte tells which it is.
    Undecided {
        app: u8,
    },
    Nothing,
}

/// Version, profile, components, height, width, colour space, bits, compression, units and resolution (T.84 F.2.1).
const SPIFF: [u8; 24] =
    [2, 9, 4, 4, 0, 0, 255, 255, 0, 0, 255, 255, 15, 32, 6, 2, 0, 0, 255, 255, 0, 0, 255, 255];

/// Marker, beginning, and the highest values that the bytes behind it can have.
const APPLICATIONS: [(u8, &[u8], &[u8]); 4] = [
    (0xE0, b"JFIF\0", &[9, 9, 2, 255, 255, 255, 255, 255, 255]),
    (0xE8, b"SPIFF\0", &SPIFF),
    (0xE8, b"mrfx", &[255]),
    (0xEE, b"Adobe", &[1, 255, 255, 255, 255, 255, 2]),
];

impl Kept {
    /// Of a JPEG or JPEG-LS segment (T.81 Table B.1).
    pub(super) fn of_jpeg(marker: u8) -> Self {
        match marker {
            0xFE => Self::Comment { keep: 0 },
            0xE0..=0xEF => Self::Undecided { app: marker },
            _ => Form::of(marker).map_or(Self::Nothing, Self::Formed),
        }
    }

    /// Of a JPEG 2000 segment (T.800 A.9.2): of a comment, Rcom stays, which tells text from binary data.
    /// Others pass by T.800 Table A.2, T.801 Table A.2 and T.814 A.1.
    pub(super) fn of_jpeg_2000(marker: u8, part_2: bool) -> Self {
        match marker {
            0x64 => Self::Comment { keep: 2 },
            // SOT, SOP, RGN.
            0x90 => Self::First { keep: 8 },
            0x91 => Self::First { keep: 2 },
            0x5E => Self::First { keep: 4 },
            // CAP SIZ COD COC, TLM PRF PLM PLT CPF, QCD QCC, POC PPM PPT, CRG.
            0x50..=0x53 | 0x55..=0x59 | 0x5C..=0x5D | 0x5F..=0x61 | 0x63 => Self::All,
            // Of several components at once.
            0x70..=0x79 if part_2 => Self::All,
            _ => Self::Nothing,
        }
    }
}

/// A segment's contents on their way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    kept: Kept,
    at: u16,
    length: u16,
}

impl Segment {
    /// `length` is that of the contents.
    pub(super) fn new(kept: Kept, length: u16) -> Self {
        Self { kept, at: 0, length }
    }

    /// How many bytes of the segment have come.
    pub(super) fn at(&self) -> u16 {
        self.at
    }

    /// Bytes that are still to come.
    pub(super) fn left(&self) -> u16 {
        self.length - self.at
    }

    /// What becomes of the next bytes, which are not more than there are left, and not none.
    pub(super) fn stretch(&mut self, bytes: &[u8]) -> Stretch {
        let stretch = self.judged(bytes);
        self.at = self.at.saturating_add(u16::try_from(stretch.length).unwrap_or(u16::MAX));
        stretch
    }

    fn judged(&mut self, bytes: &[u8]) -> Stretch {
        let before = |keep: u16| usize::from(keep.saturating_sub(self.at)).min(bytes.len());
        match self.kept {
            Kept::All => Stretch::keep(bytes.len()),
            Kept::Comment { keep } | Kept::First { keep } if before(keep) > 0 => Stretch::keep(before(keep)),
            Kept::Comment { .. } => Stretch::fill(bytes.len(), BLANK),
            Kept::Undecided { app } => {
                let known = APPLICATIONS
                    .iter()
                    .find(|&&(marker, begins, _)| marker == app && begins.first() == bytes.first());
                self.kept =
                    known.map_or(Kept::Nothing, |&(_, begins, most)| Kept::Application { begins, most });
                self.judged(bytes)
            }
            Kept::Application { begins, most } => {
                let (at, byte) = (usize::from(self.at), bytes.first());
                let behind = at.checked_sub(begins.len()).and_then(|at| most.get(at));
                if byte.is_some() && begins.get(at) == byte || behind.is_some_and(|most| byte <= Some(most)) {
                    return Stretch::keep(1);
                }
                self.kept = Kept::Nothing;
                self.judged(bytes)
            }
            Kept::Formed(mut form) => {
                let fit = form.fits(bytes, self.left());
                self.kept = if fit == 0 { Kept::Nothing } else { Kept::Formed(form) };
                if fit == 0 { self.judged(bytes) } else { Stretch::keep(fit) }
            }
            Kept::First { .. } | Kept::Nothing => Stretch::fill(bytes.len(), 0),
        }
    }
}

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

use super::Stretch;

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
    /// What begins so, up to so many bytes; then come zeros. As long as the beginning is right, it passes.
    Application {
        begins: &'static [u8],
        keep: u16,
    },
    /// One whose first byte tells which it is.
    Undecided {
        app: u8,
    },
    Nothing,
}

const APPLICATIONS: [(u8, &[u8], u16); 4] =
    [(0xE0, b"JFIF\0", 14), (0xE8, b"SPIFF\0", 30), (0xE8, b"mrfx", 5), (0xEE, b"Adobe", 12)];

impl Kept {
    /// Of a JPEG or JPEG-LS segment (T.81 Table B.1).
    pub(super) fn of_jpeg(marker: u8) -> Self {
        match marker {
            0xFE => Self::Comment { keep: 0 },
            0xE0..=0xEF => Self::Undecided { app: marker },
            _ => Self::All,
        }
    }

    /// Of a JPEG 2000 segment (T.800 A.9.2): of a comment, Rcom stays, which tells text from binary data.
    pub(super) fn of_jpeg_2000(marker: u8) -> Self {
        if marker == 0x64 { Self::Comment { keep: 2 } } else { Self::All }
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

    /// Bytes that have come.
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
            Kept::Comment { keep } if before(keep) > 0 => Stretch::keep(before(keep)),
            Kept::Comment { .. } => Stretch::fill(bytes.len(), BLANK),
            Kept::Undecided { app } => {
                let known = APPLICATIONS
                    .iter()
                    .find(|&&(marker, begins, _)| marker == app && begins.first() == bytes.first());
                self.kept =
                    known.map_or(Kept::Nothing, |&(_, begins, keep)| Kept::Application { begins, keep });
                self.judged(bytes)
            }
            Kept::Application { begins, keep } => match begins.get(usize::from(self.at)) {
                Some(wanted) if bytes.first() == Some(wanted) => Stretch::keep(1),
                None if before(keep) > 0 => Stretch::keep(before(keep)),
                _ => {
                    self.kept = Kept::Nothing;
                    self.judged(bytes)
                }
            },
            Kept::Nothing => Stretch::fill(bytes.len(), 0),
        }
    }
}

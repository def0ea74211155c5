//! What can stand in a JPEG segment, byte for byte (T.81 Annex B, T.87 Annex C): numbers within their limits, and as many tables
//! and components as it says. Text has no such form, or breaks it within a few letters.

/// Components of a frame in DICOM (PS3.5 8.2.1 to 8.2.3), and of a scan.
const MOST_COMPONENTS: u8 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// SOF.
    Frame,
    /// SOS.
    Scan,
    /// DQT.
    Quantization,
    /// DHT.
    Huffman,
    /// DAC.
    Arithmetic,
    /// LSE of JPEG-LS.
    Preset,
    /// DRI, DNL: so many bytes.
    Number(u16),
}

/// A segment's contents as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    kind: Kind,
    /// Bytes that have come: of the segment, or of the table under way.
    at: u16,
    /// Components, or bytes that the table has behind its header.
    count: u16,
    /// The first byte of the table.
    first: u8,
    /// Huffman codes of the length under way that are taken.
    codes: u32,
}

impl Form {
    /// By the marker; `None` where no decoder needs what the segment holds.
    pub(super) fn of(marker: u8) -> Option<Self> {
        let kind = match marker {
            _ if is_frame(marker) => Kind::Frame,
            0xC4 => Kind::Huffman,
            0xCC => Kind::Arithmetic,
            0xDA => Kind::Scan,
            0xDB => Kind::Quantization,
            0xDC => Kind::Number(2),
            // Of JPEG-LS up to four (T.87 C.2.5).
            0xDD => Kind::Number(4),
            0xF8 => Kind::Preset,
            _ => return None,
        };
        Some(Self { kind, at: 0, count: 0, first: 0, codes: 0 })
    }

    /// How many of the next bytes have the form, `left` being those that are still to come of the segment.
    pub(super) fn fits(&mut self, bytes: &[u8], left: u16) -> usize {
        let lefts = (0..=left).rev();
        bytes.iter().zip(lefts).take_while(|&(&byte, left)| self.takes(byte, left)).count()
    }

    /// Whether a byte fits; then it has come.
    fn takes(&mut self, byte: u8, left: u16) -> bool {
        let fits = match self.kind {
            Kind::Frame => byte <= self.most_of_frame(byte),
            Kind::Scan => byte <= self.most_of_scan(byte),
            Kind::Quantization => self.quantization(byte, left),
            Kind::Huffman => self.huffman(byte, left),
            Kind::Arithmetic => self.arithmetic(byte),
            Kind::Preset => self.preset(byte),
            Kind::Number(bytes) => self.at < bytes,
        };
        self.at = if fits { self.at.saturating_add(1) } else { self.at };
        fits
    }

    /// P, Y, X, Nf, and of each component C, H and V, Tq.
    fn most_of_frame(&mut self, byte: u8) -> u8 {
        match self.at {
            0 => 16,
            5 => {
                self.count = byte.into();
                MOST_COMPONENTS
            }
            1..=4 => 255,
            at if at < 6 + 3 * self.count => match at % 3 {
                0 => 255,
                1 => 0x44,
                _ => 0x0F,
            },
            _ => 0,
        }
    }

    /// Ns, of each component Cs, Td and Ta, and Ss, Se, Ah and Al; of JPEG-LS NEAR, ILV and the point transform.
    fn most_of_scan(&mut self, byte: u8) -> u8 {
        let components = 2 * self.count;
        match self.at {
            0 => {
                self.count = byte.into();
                MOST_COMPONENTS
            }
            at if at <= components => {
                if at % 2 == 1 {
                    255
                } else {
                    0x33
                }
            }
            at => match at - components {
                1 => 255,
                2 => 63,
                3 => 0xDD,
                _ => 0,
            },
        }
    }

    /// Tables, each of Pq and Tq and 64 numbers of one byte or of two.
    fn quantization(&mut self, byte: u8, left: u16) -> bool {
        self.begin_behind(1 + self.count);
        if self.at > 0 {
            return true;
        }
        self.count = if byte < 0x10 { 64 } else { 128 };
        is_table(byte) && left > self.count
    }

    /// Tables, each of Tc and Th, how many codes of 1 to 16 bits there are, and a value for each code.
    fn huffman(&mut self, byte: u8, left: u16) -> bool {
        self.begin_behind(17 + self.count);
        match self.at {
            0 => {
                (self.first, self.count, self.codes) = (byte, 0, 0);
                is_table(byte) && left >= 17
            }
            at @ 1..=16 => {
                self.count += u16::from(byte);
                self.codes = 2 * self.codes + u32::from(byte);
                self.codes <= 1 << at && self.count <= 256 && self.count < left
            }
            // A difference has up to 16 bits.
            _ => self.first >= 0x10 || byte <= 16,
        }
    }

    /// Tc and Tb, and a value, of up to four tables of each class.
    fn arithmetic(&mut self, byte: u8) -> bool {
        if self.at.is_multiple_of(2) {
            self.first = byte;
            return is_table(byte) && self.at < 16;
        }
        self.first < 0x10 || byte <= 63
    }

    /// Of the kinds of parameters, thresholds (1) and the size of a large image (4); mapping tables are not DICOM's palettes.
    fn preset(&mut self, byte: u8) -> bool {
        if self.at == 0 {
            (self.first, self.count) = (byte, if byte == 1 { 11 } else { 10 });
        }
        matches!(self.first, 1 | 4) && self.at < self.count
    }

    /// A table of so many bytes is over, and another one may begin.
    fn begin_behind(&mut self, size: u16) {
        if self.at > 0 && self.at >= size {
            self.at = 0;
        }
    }
}

/// SOF0 to SOF15, and SOF55 of JPEG-LS.
pub(super) fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7)
}

/// Class or precision 0 or 1, and a table from 0 to 3.
fn is_table(byte: u8) -> bool {
    byte & 0xEC == 0
}

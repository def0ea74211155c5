//! How a transfer syntax encodes the data set (PS3.5 §10, Annex A).

/// The encoding of elements: VR written out or not, and byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// Whether each header writes its VR (PS3.5 §7.1.2); otherwise the dictionary has it (PS3.5 §7.1.3).
    pub explicit: bool,
    /// Whether numbers have their most significant byte first, those of tags and lengths too.
    pub big_endian: bool,
}

impl Syntax {
    /// Implicit VR Little Endian, the default transfer syntax (PS3.5 A.1).
    pub const IMPLICIT_LE: Self = Self { explicit: false, big_endian: false };
    /// Explicit VR Little Endian (PS3.5 A.2), also around all compressed pixels (PS3.5 A.4).
    pub const EXPLICIT_LE: Self = Self { explicit: true, big_endian: false };
    /// Explicit VR Big Endian, retired, but found in old archives.
    pub const EXPLICIT_BE: Self = Self { explicit: true, big_endian: true };

    /// The two bytes as a number in this byte order.
    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        let number = u16::from_le_bytes(bytes);
        if self.big_endian { number.swap_bytes() } else { number }
    }

    /// The four bytes as a number in this byte order.
    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        let number = u32::from_le_bytes(bytes);
        if self.big_endian { number.swap_bytes() } else { number }
    }

    /// The number's bytes in this byte order.
    pub fn put_u16(self, number: u16) -> [u8; 2] {
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    /// The number's bytes in this byte order.
    pub fn put_u32(self, number: u32) -> [u8; 4] {
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }
}

/// What a transfer syntax makes of a whole data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// That of the elements, once they are inflated where they are deflated.
    pub syntax: Syntax,
    /// The elements' bytes are one raw deflate stream (PS3.5 A.5).
    pub deflated: bool,
}

impl Encoding {
    /// The encoding of a transfer syntax, `None` for what dimsegate cannot or must not parse: syntaxes that it does not
    /// know, private ones, and the JPIP-referenced ones, whose data sets carry a URL to pixels that nobody has scrubbed.
    pub fn of(transfer_syntax_uid: &str) -> Option<Self> {
        let rest = transfer_syntax_uid.strip_prefix("1.2.840.10008.1.2")?;
        let (syntax, deflated) = match rest {
            "" => (Syntax::IMPLICIT_LE, false),
            ".2" => (Syntax::EXPLICIT_BE, false),
            ".1.99" => (Syntax::EXPLICIT_LE, true),
            ".1" | ".1.98" | ".5" | ".8.1" => (Syntax::EXPLICIT_LE, false),
            other => (
                other.strip_prefix(".4.").filter(|end| is_encapsulated(end)).map(|_| Syntax::EXPLICIT_LE)?,
                false,
            ),
        };
        Some(Self { syntax, deflated })
    }
}

impl Encoding {
    /// As [`of`](Self::of), for whoever reads a data set and does not rewrite it: the JPIP-referenced syntaxes and those of
    /// SMPTE ST 2110 are written in explicit VR little endian too (PS3.5 A.6, A.7).
    pub fn to_read(transfer_syntax_uid: &str) -> Option<Self> {
        let deflated = match transfer_syntax_uid.strip_prefix("1.2.840.10008.1.2.") {
            Some("4.94" | "4.204" | "7.1" | "7.2" | "7.3") => false,
            Some("4.95" | "4.205") => true,
            _ => return Self::of(transfer_syntax_uid),
        };
        Some(Self { syntax: Syntax::EXPLICIT_LE, deflated })
    }
}

/// JPEG, JPEG-LS, JPEG 2000, MPEG, HEVC, JPEG XL and HTJ2K, by the last parts of 1.2.840.10008.1.2.4.
fn is_encapsulated(end: &str) -> bool {
    let (number, fragmentable) = end.strip_suffix(".1").map_or((end, false), |number| (number, true));
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    match number.parse::<u16>() {
        Ok(100..=106) => true,
        Ok(50..=66 | 70 | 80 | 81 | 90..=93 | 107 | 108 | 110..=112 | 201..=203) => !fragmentable,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Syntax};

    #[test]
    fn standard_syntaxes_have_their_encoding() {
        let of = |uid: &str| Encoding::of(uid).map(|e| (e.syntax, e.deflated));
        assert_eq!(of("1.2.840.10008.1.2"), Some((Syntax::IMPLICIT_LE, false)));
        assert_eq!(of("1.2.840.10008.1.2.2"), Some((Syntax::EXPLICIT_BE, false)));
        assert_eq!(of("1.2.840.10008.1.2.1.99"), Some((Syntax::EXPLICIT_LE, true)));
        for end in
            ["1", "1.98", "5", "8.1", "4.50", "4.57", "4.70", "4.91", "4.100.1", "4.106.1", "4.108", "4.203"]
        {
            let uid = format!("1.2.840.10008.1.2.{end}");
            assert_eq!(of(&uid), Some((Syntax::EXPLICIT_LE, false)), "{uid}");
        }
    }

    #[test]
    fn what_is_not_rewritten_can_be_read_where_the_standard_says_how() {
        let read = |uid: &str| Encoding::to_read(uid).map(|e| (e.syntax, e.deflated));
        assert_eq!(read("1.2.840.10008.1.2"), Some((Syntax::IMPLICIT_LE, false)));
        assert_eq!(read("1.2.840.10008.1.2.4.94"), Some((Syntax::EXPLICIT_LE, false)));
        assert_eq!(read("1.2.840.10008.1.2.4.205"), Some((Syntax::EXPLICIT_LE, true)));
        assert_eq!(read("1.2.840.113619.5.2"), None);
    }

    #[test]
    fn referenced_unknown_and_private_syntaxes_are_not_parsed() {
        for uid in [
            "1.2.840.10008.1.2.4.94",
            "1.2.840.10008.1.2.4.95",
            "1.2.840.10008.1.2.4.204",
            "1.2.840.10008.1.2.4.205",
            "1.2.840.10008.1.2.4.50.1",
            "1.2.840.10008.1.2.4.+50",
            "1.2.840.10008.1.2.6.2",
            "1.2.840.10008.1.2.7.1",
            "1.2.840.10008.1.20",
            "1.2.840.113619.5.2",
            "1.2.276.0.7230010.3.0.3.6.4",
            "",
        ] {
            assert_eq!(Encoding::of(uid), None, "{uid}");
        }
    }
}

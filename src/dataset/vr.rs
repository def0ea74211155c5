//! Value representations (PS3.5 §6.2).

/// A value representation, by its two letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Vr([u8; 2]);

/// The form of an explicit VR header (PS3.5 §7.1.2), by its two letters: looked up for every element that passes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// No VR of the standard.
    Unknown,
    /// A 16-bit length.
    Short,
    /// Two reserved bytes and a 32-bit length.
    Long,
}

const SHORT: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL",
    b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
];
const LONG: [&[u8; 2]; 13] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];
/// By the last five bits of each letter.
static FORMS: [Form; 1 << 10] = forms();

const fn forms() -> [Form; 1 << 10] {
    let mut forms = [Form::Unknown; 1 << 10];
    let mut index = 0;
    while index < SHORT.len() {
        forms[place(*SHORT[index])] = Form::Short;
        index += 1;
    }
    index = 0;
    while index < LONG.len() {
        forms[place(*LONG[index])] = Form::Long;
        index += 1;
    }
    forms
}

const fn place([first, second]: [u8; 2]) -> usize {
    (first as usize & 0x1F) << 5 | second as usize & 0x1F
}

impl Form {
    #[inline(always)]
    pub(super) fn of(code: [u8; 2]) -> Self {
        // Both letters are in the column of the capitals; what else is there is no VR.
        if u16::from_le_bytes(code) & 0xE0E0 != 0x4040 {
            return Self::Unknown;
        }
        FORMS.get(place(code)).copied().unwrap_or(Self::Unknown)
    }
}

impl Vr {
    /// Application Entity: AE titles, each at most 16 characters.
    pub const AE: Self = Self(*b"AE");
    /// Age String: `nnnD`, `nnnW`, `nnnM` or `nnnY`.
    pub const AS: Self = Self(*b"AS");
    /// Attribute Tag: two 16-bit numbers, not text.
    pub const AT: Self = Self(*b"AT");
    /// Code String: capitals, digits, spaces and underscores.
    pub const CS: Self = Self(*b"CS");
    /// Date: `YYYYMMDD`; in a query, a range too.
    pub const DA: Self = Self(*b"DA");
    /// Decimal String: numbers as text.
    pub const DS: Self = Self(*b"DS");
    /// Date Time: `YYYYMMDDHHMMSS.FFFFFF&ZZXX`, from the right as much as is not known left out.
    pub const DT: Self = Self(*b"DT");
    /// Floating Point Double: 64 bits.
    pub const FD: Self = Self(*b"FD");
    /// Floating Point Single: 32 bits.
    pub const FL: Self = Self(*b"FL");
    /// Integer String: whole numbers as text.
    pub const IS: Self = Self(*b"IS");
    /// Long String: text in the character set, of at most 64 characters a value.
    pub const LO: Self = Self(*b"LO");
    /// Long Text: text in the character set, one value with paragraphs in it.
    pub const LT: Self = Self(*b"LT");
    /// Other Byte: a string of bytes, whatever the byte order.
    pub const OB: Self = Self(*b"OB");
    /// Other Word: a string of 16-bit words, swapped with the byte order.
    pub const OW: Self = Self(*b"OW");
    /// Person Name: up to three groups of components, in the character set.
    pub const PN: Self = Self(*b"PN");
    /// Short String: text in the character set, of at most 16 characters a value.
    pub const SH: Self = Self(*b"SH");
    /// Sequence of Items: data sets (PS3.5 §7.5).
    pub const SQ: Self = Self(*b"SQ");
    /// Short Text: text in the character set, one value of at most 1024 characters.
    pub const ST: Self = Self(*b"ST");
    /// Time: `HHMMSS.FFFFFF`, from the right as much as is not known left out; in a query, a range too.
    pub const TM: Self = Self(*b"TM");
    /// Unlimited Characters: text in the character set, of any length and several values.
    pub const UC: Self = Self(*b"UC");
    /// Unique Identifier: digits and dots, padded with a NUL.
    pub const UI: Self = Self(*b"UI");
    /// Unknown: bytes of a VR that whoever wrote them did not know, or could not write; a sequence may hide in them.
    pub const UN: Self = Self(*b"UN");
    /// Universal Resource Identifier or Locator: one value of any length.
    pub const UR: Self = Self(*b"UR");
    /// Unsigned Short: 16 bits.
    pub const US: Self = Self(*b"US");
    /// Unlimited Text: text in the character set, one value of any length.
    pub const UT: Self = Self(*b"UT");

    /// A VR of the standard; `None` for any other two bytes, since readers disagree on how long the header of an
    /// unknown VR is.
    pub fn known(code: [u8; 2]) -> Option<Self> {
        (Form::of(code) != Form::Unknown).then_some(Self(code))
    }

    /// Of two letters that are known to be a VR.
    pub(super) fn from_code(code: [u8; 2]) -> Self {
        Self(code)
    }

    /// The two letters of the VR, as an explicit header has them (PS3.5 §7.1.2).
    pub fn code(self) -> [u8; 2] {
        self.0
    }

    /// Whether an explicit VR header has two reserved bytes and a 32-bit length (PS3.5 §7.1.2).
    pub fn has_long_header(self) -> bool {
        Form::of(self.0) == Form::Long
    }

    /// Whether the value is characters.
    pub fn is_text(self) -> bool {
        self.is_in_character_set()
            || matches!(
                &self.0,
                b"AE" | b"AS" | b"CS" | b"DA" | b"DS" | b"DT" | b"IS" | b"TM" | b"UI" | b"UR"
            )
    }

    /// Whether (0008,0005) Specific Character Set governs the value (PS3.5 §6.1.2.3).
    pub fn is_in_character_set(self) -> bool {
        matches!(&self.0, b"LO" | b"LT" | b"PN" | b"SH" | b"ST" | b"UC" | b"UT")
    }

    /// Whether a backslash separates values, rather than being text.
    pub fn is_multi_valued(self) -> bool {
        self.is_text() && !matches!(&self.0, b"LT" | b"ST" | b"UT" | b"UR")
    }

    /// Longest single value, in characters, where PS3.5 §6.2 names one.
    pub fn max_characters(self) -> usize {
        match &self.0 {
            b"AE" | b"CS" | b"SH" | b"DS" => 16,
            b"AS" => 4,
            b"DA" => 8,
            b"DT" => 26,
            b"IS" => 12,
            b"LO" | b"UI" | b"PN" => 64,
            b"LT" => 10_240,
            b"ST" => 1_024,
            b"TM" => 14,
            _ => usize::MAX,
        }
    }

    /// What makes a value's length even.
    pub fn padding(self) -> u8 {
        if self.is_text() && self != Self::UI { b' ' } else { 0 }
    }
}

impl std::fmt::Display for Vr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl std::fmt::Debug for Vr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl From<dicom_core::VR> for Vr {
    fn from(vr: dicom_core::VR) -> Self {
        Self(vr.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::Vr;

    #[test]
    fn the_vrs_are_those_of_the_standard_with_its_forms_of_headers() {
        // PS3.5 Table 7.1-1.
        let long = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"];
        for code in (0..=u16::MAX).map(u16::to_be_bytes) {
            let vr = Vr::known(code);
            assert_eq!(vr.is_some(), dicom_core::VR::from_binary(code).is_some(), "{}", code.escape_ascii());
            let is_long = long.iter().any(|name| name.as_bytes() == code);
            assert_eq!(vr.is_some_and(Vr::has_long_header), is_long, "{}", code.escape_ascii());
        }
    }
}

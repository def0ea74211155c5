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
    pub const AE: Self = Self(*b"AE");
    pub const AS: Self = Self(*b"AS");
    pub const AT: Self = Self(*b"AT");
    pub const CS: Self = Self(*b"CS");
    pub const DA: Self = Self(*b"DA");
    pub const DS: Self = Self(*b"DS");
    pub const DT: Self = Self(*b"DT");
    pub const FD: Self = Self(*b"FD");
    pub const FL: Self = Self(*b"FL");
    pub const IS: Self = Self(*b"IS");
    pub const LO: Self = Self(*b"LO");
    pub const LT: Self = Self(*b"LT");
    pub const OB: Self = Self(*b"OB");
    pub const OW: Self = Self(*b"OW");
    pub const PN: Self = Self(*b"PN");
    pub const SH: Self = Self(*b"SH");
    pub const SQ: Self = Self(*b"SQ");
    pub const ST: Self = Self(*b"ST");
    pub const TM: Self = Self(*b"TM");
    pub const UC: Self = Self(*b"UC");
    pub const UI: Self = Self(*b"UI");
    pub const UN: Self = Self(*b"UN");
    pub const UR: Self = Self(*b"UR");
    pub const US: Self = Self(*b"US");
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

    /// The two letters.
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

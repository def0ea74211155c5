//! Application entity titles (PS3.5 §6.2 VR AE, PS3.8 §9.3.2).

use std::fmt;

/// The 16 bytes of an AE title field, exactly as they travelled.
///
/// Kept raw because the answer has to carry them back as they came (PS3.8 Table 9-17). `Display` escapes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RawAeTitle(pub [u8; 16]);

/// A legal AE title: 1 to 16 characters of ISO 646 without control characters or backslash, no spaces around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AeTitle(Box<str>);

/// Why a field is not a legal AE title.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AeTitleError {
    /// Sixteen spaces mean that no title was given (PS3.8 Table 9-11).
    #[error("the AE title is blank")]
    Blank,
    /// More than 16 characters.
    #[error("\"{0}\" is longer than the 16 characters of an AE title")]
    TooLong(String),
    /// A control character, a backslash, or a byte outside ISO 646.
    #[error("\"{0}\" has a character that an AE title may not have (PS3.5 §6.2)")]
    Illegal(String),
}

impl AeTitle {
    /// The characters of the title without the spaces around them: 1 to 16.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The field that carries this title, padded with spaces.
    pub fn to_raw(&self) -> RawAeTitle {
        let mut field = [b' '; 16];
        for (to, from) in field.iter_mut().zip(self.0.bytes()) {
            *to = from;
        }
        RawAeTitle(field)
    }
}

impl RawAeTitle {
    /// The title without what pads it: spaces around it, and NULs behind it, which some requestors write in their place.
    ///
    /// # Errors
    /// [`AeTitleError`] for a blank field or one with characters that VR AE forbids, NUL before others included.
    pub fn parse(&self) -> Result<AeTitle, AeTitleError> {
        AeTitle::from_bytes(self.without_nuls())
    }

    fn without_nuls(&self) -> &[u8] {
        let end = self.0.iter().rposition(|&byte| !matches!(byte, 0 | b' ')).map_or(0, |last| last + 1);
        self.0.get(..end).unwrap_or_default()
    }
}

impl AeTitle {
    fn from_bytes(bytes: &[u8]) -> Result<Self, AeTitleError> {
        let trimmed = bytes.trim_ascii();
        if bytes.iter().all(|&b| b == b' ') {
            return Err(AeTitleError::Blank);
        }
        let legal = |b: &u8| (0x20..0x7f).contains(b) && *b != b'\\';
        match std::str::from_utf8(trimmed) {
            Ok(_) if trimmed.len() > 16 => Err(AeTitleError::TooLong(super::escape(trimmed))),
            Ok(text) if bytes.iter().all(legal) => Ok(Self(text.into())),
            _ => Err(AeTitleError::Illegal(super::escape(trimmed))),
        }
    }
}

impl std::str::FromStr for AeTitle {
    type Err = AeTitleError;

    fn from_str(text: &str) -> Result<Self, AeTitleError> {
        Self::from_bytes(text.as_bytes())
    }
}

impl fmt::Display for AeTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RawAeTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::escape(self.without_nuls().trim_ascii()))
    }
}

impl fmt::Debug for RawAeTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawAeTitle({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{AeTitleError, RawAeTitle};

    #[test]
    fn spaces_around_a_title_do_not_count_and_the_field_is_kept() {
        let raw = RawAeTitle(*b"  CT 1          ");
        assert_eq!(raw.parse().unwrap().as_str(), "CT 1");
        assert_eq!(raw.parse().unwrap().to_raw().0, *b"CT 1            ");
    }

    #[test]
    fn nuls_behind_a_title_pad_it() {
        for padded in [*b"CT\0\0\0\0\0\0\0\0\0\0\0\0\0\0", *b"CT\0             ", *b" CT \0 \0         "] {
            let title = RawAeTitle(padded).parse().unwrap();
            assert_eq!((title.as_str(), RawAeTitle(padded).to_string()), ("CT", "CT".to_owned()));
            assert_eq!(title.to_raw().0, *b"CT              ");
        }
        assert!("CT\0".parse::<super::AeTitle>().is_err(), "nobody pads what is configured");
    }

    #[test]
    fn blank_and_illegal_titles_are_told_apart() {
        assert_eq!(RawAeTitle([b' '; 16]).parse(), Err(AeTitleError::Blank));
        assert_eq!(RawAeTitle([0; 16]).parse(), Err(AeTitleError::Blank));
        for bad in [
            *b"CT\0X            ",
            *b"\0CT             ",
            *b"CT\\1            ",
            *b"CT\r\nX           ",
            [0xff; 16],
        ] {
            assert!(matches!(RawAeTitle(bad).parse(), Err(AeTitleError::Illegal(_))), "{bad:?}");
        }
        assert!(RawAeTitle(*b"CT\x1b[0m          ").to_string().contains("\\x1b"));
    }
}

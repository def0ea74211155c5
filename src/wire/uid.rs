//! Unique identifiers as they travel in negotiation items (PS3.5 §9, PS3.8 Annex F).

use std::fmt;

/// A DICOM UID: 1 to 64 characters, digits and dots.
///
/// Trailing NUL or space padding is removed on reading, because old devices write it; what is kept is what is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(Box<str>);

/// Why bytes are not a UID. The bytes are shown escaped and cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{shown}\" is not a UID: 1 to 64 digits and dots are expected (PS3.5 §9.1)")]
pub struct UidError {
    shown: String,
}

impl Uid {
    /// Reads a UID from the bytes of an item or element, without its padding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UidError> {
        let end = bytes.iter().rposition(|&b| b != 0 && b != b' ').map_or(0, |last| last + 1);
        let trimmed = bytes.get(..end).unwrap_or_default();
        let legal =
            (1..=64).contains(&trimmed.len()) && trimmed.iter().all(|&b| b.is_ascii_digit() || b == b'.');
        match std::str::from_utf8(trimmed) {
            Ok(text) if legal => Ok(Self(text.into())),
            _ => Err(UidError { shown: super::escape(bytes) }),
        }
    }

    /// The characters of the UID, without padding: 1 to 64.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Uid {
    type Err = UidError;

    fn from_str(text: &str) -> Result<Self, UidError> {
        Self::from_bytes(text.as_bytes())
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Uid {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Uid;

    #[test]
    fn padding_is_not_part_of_a_uid() {
        assert_eq!(Uid::from_bytes(b"1.2.840.10008.1.1\0").unwrap().as_str(), "1.2.840.10008.1.1");
        assert_eq!(Uid::from_bytes(b"1.2 ").unwrap().as_str(), "1.2");
    }

    #[test]
    fn paths_blanks_and_long_values_are_not_uids() {
        for bad in [&b""[..], b"\0\0", b"../../etc/passwd", b"1.2\x1b[31m", &[b'1'; 65]] {
            assert!(Uid::from_bytes(bad).is_err(), "{bad:?}");
        }
        assert!(Uid::from_bytes(b"1.2\x1b").unwrap_err().to_string().contains("\\x1b"));
    }
}

//! What a line is called by the line after it.

use aws_lc_rs::digest;
use std::fmt;

use crate::notation::hex;

/// SHA-256 of the bytes of a line, without its line feed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineHash([u8; 32]);

impl LineHash {
    /// `previous` of the first record of all.
    pub const NONE: Self = Self([0; 32]);

    /// Of a line, without its line feed.
    pub fn of(line: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, line).as_ref());
        Self(hash)
    }

    /// From 64 lower-case hexadecimal digits.
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        hex::decode(text).map(Self)
    }

    /// The hash as records have it: 64 lower-case hexadecimal digits.
    pub(in crate::audit) fn hex(&self) -> [u8; 64] {
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&hex::pair(byte));
        }
        text
    }
}

impl fmt::Display for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hex().iter().try_for_each(|&digit| write!(f, "{}", char::from(digit)))
    }
}

impl fmt::Debug for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for LineHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for LineHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::from_hex(text.as_bytes()).ok_or_else(|| serde::de::Error::custom("not 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::LineHash;

    #[test]
    fn hex_reads_back_and_nothing_else_is_read() {
        let hash = LineHash::of(b"abc");
        // FIPS 180-4, the example of one block.
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.to_string(), text);
        assert_eq!(LineHash::from_hex(text.as_bytes()), Some(hash));
        for wrong in [&text[1..], &text.to_uppercase(), &text.replace('b', "g")] {
            assert_eq!(LineHash::from_hex(wrong.as_bytes()), None, "{wrong}");
        }
    }
}

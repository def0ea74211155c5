//! How patients appear in records: not at all, as a keyed hash, or in clear.

use aws_lc_rs::hmac;
use serde::{Serialize, Serializer};
use std::fmt::Write;

/// `patient-identifiers`.
#[derive(Clone, Debug)]
pub enum PatientIdentifiers {
    /// Records have no `patient` field.
    None,
    /// HMAC-SHA-256 of the identifier, so that records of one patient can be found with the key and not without it.
    KeyedHash(Box<hmac::Key>),
    /// As it is in the data set.
    Clear,
}

/// A patient identifier in the form that the configuration allows in records; made by [`PatientIdentifiers::render`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientIdentifier(String);

impl PatientIdentifiers {
    /// The value of Patient ID (0010,0020), as it may be recorded. Padding around it does not count; `None` where
    /// nothing may be recorded, or where there is nothing to record.
    pub fn render(&self, value: &[u8]) -> Option<PatientIdentifier> {
        let identifier = unpadded(value);
        match self {
            _ if identifier.is_empty() => None,
            Self::None => None,
            Self::KeyedHash(key) => Some(PatientIdentifier(keyed_hash(key, identifier))),
            Self::Clear => Some(PatientIdentifier(String::from_utf8_lossy(identifier).into_owned())),
        }
    }
}

/// Values are padded with a space (PS3.5 §6.2), and by some writers with NUL.
fn unpadded(value: &[u8]) -> &[u8] {
    let padding = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let start = value.iter().position(|byte| !padding(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !padding(byte)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

fn keyed_hash(key: &hmac::Key, identifier: &[u8]) -> String {
    hmac::sign(key, identifier).as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Serialize for PatientIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::PatientIdentifiers;
    use aws_lc_rs::hmac;

    fn rendered(how: &PatientIdentifiers, value: &[u8]) -> Option<String> {
        how.render(value).map(|identifier| identifier.0)
    }

    #[test]
    fn a_keyed_hash_is_hmac_sha_256_of_the_unpadded_value() {
        // RFC 4231 §4.3 (test case 2).
        let how = PatientIdentifiers::KeyedHash(Box::new(hmac::Key::new(hmac::HMAC_SHA256, b"Jefe")));
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        for value in [&b"what do ya want for nothing?"[..], b" what do ya want for nothing?  \0"] {
            assert_eq!(rendered(&how, value).as_deref(), Some(expected));
        }
    }

    #[test]
    fn none_and_blank_values_leave_nothing() {
        assert_eq!(rendered(&PatientIdentifiers::None, b"123"), None);
        assert_eq!(rendered(&PatientIdentifiers::Clear, b" \0 "), None);
        assert_eq!(rendered(&PatientIdentifiers::Clear, b"A 1 ").as_deref(), Some("A 1"));
    }
}

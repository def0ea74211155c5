//! What is sent, and its signature.

use aws_lc_rs::hmac;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Occasion;

use crate::notation::hex;

/// The header that says the HMAC-SHA-256 of the body, in lower-case hex behind `sha256=`.
pub(super) const SIGNATURE: &str = "dimsegate-signature";

/// What somebody is told, as JSON. Nothing in it names a patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Message {
    /// RFC 3339, UTC. With a signature, whoever gets it twice can tell.
    pub time: String,
    /// Of the machine.
    pub host: String,
    /// Of the `[[notify]]` table.
    pub notification: String,
    /// What it is about.
    pub occasion: Occasion,
    /// The label of the reason, where there is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The `[[peer]]` that it is about, where it is about one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub peer: String,
    /// For people: what was found, and what to do, of the last one.
    pub explanation: String,
    /// How often it happened since it was told last.
    pub count: u64,
}

impl Message {
    /// The message as JSON, the content of a POST and the standard input of a command.
    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

pub(super) fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

/// The value of the header [`SIGNATURE`]: `sha256=` and the HMAC-SHA-256 of the content, in hexadecimal digits.
pub(super) fn signature(key: &hmac::Key, body: &[u8]) -> String {
    let tag = hmac::sign(key, body);
    format!("sha256={}", hex::encode(tag.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::signature;
    use aws_lc_rs::hmac::{HMAC_SHA256, Key};

    /// RFC 4231 §4.3.
    #[test]
    fn the_signature_is_hmac_sha_256() {
        let key = Key::new(HMAC_SHA256, b"Jefe");
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature(&key, b"what do ya want for nothing?"), expected);
    }
}

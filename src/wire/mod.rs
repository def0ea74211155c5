//! The upper layer (PS3.8 §9.3): PDUs, the A-ASSOCIATE codec, and fragments. No I/O.
//!
//! # Why
//!
//! - **Why a deframer of our own.** A PDU may be as long as both sides agreed, and most of what it holds goes on as it came. The
//!   [`Deframer`] says where fragments lie in the bytes that were read and copies none; a library that gives PDUs as values copies
//!   each once, before anybody knows what becomes of it.
//! - **Why the packer gives a plan and no bytes.** New PDU headers are a few bytes between long spans of what was read, and the
//!   kernel takes a list of both in one call.
//! - **Why A-ASSOCIATE keeps what it does not know.** The proxy stands between two products that may speak of things that came
//!   later than it: unknown items and user information go through as they came, and titles are kept as bytes ([`RawAeTitle`]) until
//!   somebody asks whether they are legal.

mod ae_title;
pub mod associate;
mod deframer;
mod malformed;
mod packer;
pub mod pdu;
mod uid;
mod words;

pub use ae_title::{AeTitle, AeTitleError, RawAeTitle};
pub use deframer::{Deframer, Event, Fragment, Kind};
pub use malformed::{AbortReason, Malformed};
pub use packer::{Outgoing, Packer, Source, Span};
pub use uid::{Uid, UidError};

/// Bytes from the wire as text that cannot forge a log line: printable ASCII as it is, everything else, quotes and
/// backslashes as `\xNN` or the usual escape, cut after 64 bytes.
pub fn escape(bytes: &[u8]) -> String {
    // Nearly all is plain, and each message has some of it.
    let plain = |byte: u8| matches!(byte, b' '..=b'~') & !matches!(byte, b'"' | b'\'' | b'\\');
    // Without an end before the last byte, several are looked at at once.
    if bytes.len() <= 64
        && bytes.iter().fold(true, |all, &byte| all & plain(byte))
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return text.to_owned();
    }
    let shown = bytes.get(..64).unwrap_or(bytes);
    let cut = if shown.len() < bytes.len() { "…" } else { "" };
    format!("{}{cut}", shown.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::escape;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_plain_is_escaped_as_anything_else(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
            let shown = &bytes[..bytes.len().min(64)];
            let cut = if bytes.len() > 64 { "…" } else { "" };
            prop_assert_eq!(escape(&bytes), format!("{}{cut}", shown.escape_ascii()));
        }

        #[test]
        fn plain_text_stays_as_it_is(text in "[ -!#-&(-\\[\\]-~]{0,64}") {
            prop_assert_eq!(escape(text.as_bytes()), text);
        }
    }
}

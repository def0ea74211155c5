//! The upper layer (PS3.8 §9.3): PDUs, the A-ASSOCIATE codec, fragments. No I/O.

mod ae_title;
pub mod associate;
mod buffer;
mod deframer;
mod malformed;
mod packer;
pub mod pdu;
mod uid;

pub use ae_title::{AeTitle, AeTitleError, RawAeTitle};
pub use buffer::Buffer;
pub use deframer::{Deframer, Event, Fragment, Kind};
pub use malformed::{AbortReason, Malformed};
pub use packer::{Packer, Source, Span};
pub use uid::{Uid, UidError};

/// Bytes from the wire as text that cannot forge a log line: printable ASCII as it is, everything else, quotes and
/// backslashes as `\xNN` or the usual escape, cut after 64 bytes.
pub fn escape(bytes: &[u8]) -> String {
    let shown = bytes.get(..64).unwrap_or(bytes);
    let cut = if shown.len() < bytes.len() { "…" } else { "" };
    format!("{}{cut}", shown.escape_ascii())
}

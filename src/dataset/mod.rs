//! Data sets as bytes (PS3.5): the encodings of transfer syntaxes, and a push scanner over their elements. No I/O.
//!
//! [`Scanner`] takes bytes in any chunking and says where elements, items and values begin and end, holding no more than
//! one partial element header (12 bytes) and one small frame for each open sequence or item. [`Observer`] is the cheap
//! onlooker on data sets that nothing rewrites, [`Identifier`] that of queries; [`Names`] is
//! what a data set says that it is, before it goes on, and [`Keys`] what a query asks by. [`Small`] is one that is there whole, to
//! be changed at its top. [`Characters`] tells where a backslash separates values.
//!
//! # Why
//!
//! - **Why a scanner of our own.** Readers of files hold a data set as a tree of values. Here an element goes on before the next
//!   one has come, a value of gigabytes costs a few bytes, and what is not understood must stay as it was, byte for byte. Tags
//!   and the dictionary are those of `dicom-core` and `dicom-dictionary-std`.
//! - **Why it is pushed.** It takes what has come and never asks for more, so that the same code runs behind a socket, on a file,
//!   and in a test that cuts the bytes at every place.
//! - **Why several readers stand on it.** What nobody rewrites needs six values for its record, and [`Observer`] skips the rest;
//!   a rule needs every element. One reader for both would make each CT slice pay for the rules of others.
//! - **Why it puts some things right** ([`Mending`]). Files that break the standard are in every archive. Where only one reading
//!   is left it is taken and noted; where there are two, a rule could miss its element, so that the data set is refused.

mod characters;
mod dictionary;
mod encoding;
mod error;
mod header;
mod identifier;
mod inflating;
mod keys;
mod mending;
mod names;
mod observer;
mod scanner;
mod small;
mod tolerated;
mod unnamed;
mod vr;

pub use characters::Characters;
pub(crate) use characters::{Values, is_delimiter};
pub use dictionary::vr_of;
pub(crate) use dictionary::{exact_vr_of, is_listed, keyword_of};
pub use encoding::{Encoding, Syntax};
pub use error::{PathStep, ScanError, ScanProblem};
pub use header::Header;
pub(crate) use header::encoded as encoded_header;
pub use identifier::Identifier;
pub use keys::{AskedBy, Keys, Unread};
pub use mending::{Looked, Mending};
pub use names::Names;
pub use observer::Observer;
pub use scanner::{Event, HARD_MAX_DEPTH, Kind, Raw, Scanner};
pub use small::{Small, write_text};
pub use tolerated::Tolerated;
pub use unnamed::Unnamed;
pub use vr::Vr;

pub use dicom_core::Tag;

/// (0008,0005) Specific Character Set.
pub const SPECIFIC_CHARACTER_SET: Tag = Tag(0x0008, 0x0005);
/// (0008,0016) SOP Class UID.
pub const SOP_CLASS_UID: Tag = Tag(0x0008, 0x0016);
/// (0008,0018) SOP Instance UID.
pub const SOP_INSTANCE_UID: Tag = Tag(0x0008, 0x0018);
/// (0010,0020) Patient ID.
pub const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
/// Issuer of Patient ID.
pub const ISSUER_OF_PATIENT_ID: Tag = Tag(0x0010, 0x0021);
/// (0020,000D) Study Instance UID.
pub const STUDY_INSTANCE_UID: Tag = Tag(0x0020, 0x000D);
/// (7FE0,0010) Pixel Data.
pub const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);

/// A tag as one number, in the order of a data set.
pub(crate) const fn number(tag: Tag) -> u32 {
    (tag.0 as u32) << 16 | tag.1 as u32
}

/// Whether what was read as a tag could be bytes of a text instead, as where lengths are wrong: PS3.6 does not list it, and
/// it is no private tag, or each of its bytes may stand in a text.
pub(crate) fn may_be_text(tag: Tag) -> bool {
    let in_text = |byte: &u8| matches!(byte, 0 | b'\t' | b'\n' | 0x0C | b'\r' | 0x1B | b' '..);
    let is_private = tag.0 % 2 == 1;
    !is_listed(tag) && (!is_private || number(tag).to_be_bytes().iter().all(in_text))
}

/// The value without the padding that PS3.5 §6.2 allows: trailing NUL, leading and trailing spaces.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|&b| b != 0 && b != b' ').map_or(0, |last| last + 1);
    value.get(..end).unwrap_or_default().trim_ascii_start()
}

#[cfg(test)]
mod tests;

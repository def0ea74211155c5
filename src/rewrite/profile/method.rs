//! What says in an object that it is de-identified, and how (PS3.15 E.1.1).

use crate::dataset::Tag;

/// Of (0012,0063), together with the options' names.
pub(super) const METHOD_TEXT: &str =
    concat!("dimsegate ", env!("CARGO_PKG_VERSION"), ": PS3.15 Basic Profile 2026d");
/// Its code in CID 7050, of the scheme DCM, and the meaning of that.
pub(in crate::rewrite) const CLEAN_PIXELS: (&str, &str) = ("113101", "Clean Pixel Data Option");
pub(super) const METHOD: Tag = Tag(0x0012, 0x0063);
pub(super) const METHOD_CODES: Tag = Tag(0x0012, 0x0064);

//! What is read though the standard does not allow it, because one reading is left.

use super::dictionary::exact_vr_of;
use super::encoding::Syntax;
use super::vr::Vr;
use crate::vocabulary::Tolerance;
use dicom_core::Tag;

/// What was read though the standard does not allow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerated {
    /// A value representation that is none: `??`, or blanks.
    pub vr: bool,
    /// Elements that are not in the order of their tags.
    pub order: bool,
    /// A delimiter at the end of what has a defined length.
    pub delimiter: bool,
    /// Elements of group 0002, which belongs before a data set in a file.
    pub file_meta: bool,
    /// NULs behind the last element.
    pub nuls: bool,
    /// An element that comes twice with the same value.
    pub repeated: bool,
    /// A value that is not legal for its VR, or an attribute with another VR than its own. Not mended: a profile empties it.
    pub misfit: bool,
}

impl Tolerated {
    /// Nothing.
    pub const NONE: Self = Self {
        vr: false,
        order: false,
        delimiter: false,
        file_meta: false,
        nuls: false,
        repeated: false,
        misfit: false,
    };

    /// And what was read elsewhere.
    pub fn add(&mut self, other: Self) {
        self.vr |= other.vr;
        self.order |= other.order;
        self.delimiter |= other.delimiter;
        self.file_meta |= other.file_meta;
        self.nuls |= other.nuls;
        self.repeated |= other.repeated;
        self.misfit |= other.misfit;
    }

    /// A word for each kind, as records have them.
    pub fn words(self) -> Vec<&'static str> {
        let Self { vr, order, delimiter, file_meta, nuls, repeated, misfit } = self;
        let all = [
            (vr, Tolerance::DataSetVr),
            (order, Tolerance::DataSetOrder),
            (delimiter, Tolerance::DataSetDelimiter),
            (file_meta, Tolerance::DataSetFileMeta),
            (nuls, Tolerance::DataSetTrailingNuls),
            (repeated, Tolerance::DataSetRepeated),
            (misfit, Tolerance::DataSetMisfit),
        ];
        all.into_iter().filter(|(is_found, _)| *is_found).map(|(_, word)| word.label()).collect()
    }
}

/// The VR of an element that says it with two characters that are no VR, where they are those for one that is not known;
/// `None` where they could be anything. The header has the short form, as DCMTK writes and reads it. pydicom takes four bytes
/// from there for a length, and so mostly the rest of the data set for one value: a reading that no writer means.
pub(super) fn unknown_vr(written: &[u8], tag: Tag, syntax: Syntax) -> Option<Vr> {
    match (written, exact_vr_of(tag)) {
        (b"??" | b"  ", Some(vr)) => Some(vr).filter(|&vr| vr != Vr::SQ),
        // What a UN holds is little endian.
        (b"??" | b"  ", None) => Some(Vr::UN).filter(|_| !syntax.big_endian),
        _ => None,
    }
}

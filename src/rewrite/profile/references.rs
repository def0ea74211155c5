//! Items of sequences that stay for the UIDs in them: they keep what a reference to an instance is made of, and nothing
//! else, since no row of Table E.1-1 looks at what else somebody writes there.

use crate::dataset::{Tag, number};

/// Sorted: of the SOP Instance and Image SOP Instance Reference Macros (PS3.3 Tables 10-11 and 10-3), and what General
/// Image (C.7.6.1), General Reference (C.12.4) and Enhanced images add to them.
const OF_REFERENCE: [u32; 14] = [
    0x0008_1150, // ReferencedSOPClassUID
    0x0008_1155, // ReferencedSOPInstanceUID
    0x0008_1160, // ReferencedFrameNumber
    0x0008_1161, // SimpleFrameList
    0x0008_1162, // CalculatedFrameList
    0x0008_1163, // TimeRange
    0x0020_000D, // StudyInstanceUID
    0x0020_000E, // SeriesInstanceUID
    0x0020_0020, // PatientOrientation
    0x0028_135A, // SpatialLocationsPreserved
    0x0040_A0B0, // ReferencedWaveformChannels
    0x0040_A170, // PurposeOfReferenceCodeSequence
    0x0040_E011, // RetrieveLocationUID
    0x0062_000B, // ReferencedSegmentNumber
];
/// Of codes (PS3.3 Table 8.8-1), from Code Value to the last attribute of equivalent ones.
const OF_CODE: std::ops::RangeInclusive<u32> = 0x0008_0100..=0x0008_0124;

/// Whether an element of an item, or with `deeper` of an item of a sequence in it, is part of a reference to an instance.
pub(in crate::rewrite) fn is_of_reference(tag: Tag, deeper: bool) -> bool {
    let tag = number(tag);
    if deeper { OF_CODE.contains(&tag) } else { OF_REFERENCE.binary_search(&tag).is_ok() }
}

#[cfg(test)]
mod tests {
    use super::{OF_REFERENCE, Tag, is_of_reference};

    #[test]
    fn a_reference_is_made_of_its_macro_and_codes() {
        assert!(OF_REFERENCE.is_sorted());
        let (frame, meaning, comment) = (Tag(8, 0x1160), Tag(8, 0x104), Tag(0x20, 0x4000));
        assert!(is_of_reference(frame, false) && !is_of_reference(frame, true));
        assert!(is_of_reference(meaning, true) && !is_of_reference(meaning, false));
        assert!(!is_of_reference(comment, false) && !is_of_reference(comment, true));
    }
}

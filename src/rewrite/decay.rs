//! Times that radioactive decay is computed with. A viewer takes activity back from the acquisition to the injection (PS3.3
//! C.8.9.1.1.4): where both times are lost, it computes a wrong uptake, and nobody sees that.

use crate::dataset::{Tag, number};
use crate::wire::Uid;

/// Sorted: NM, PET, Legacy Converted Enhanced PET and Enhanced PET Image Storage.
const CLASSES: [&str; 4] = [
    "1.2.840.10008.5.1.4.1.1.128",
    "1.2.840.10008.5.1.4.1.1.128.1",
    "1.2.840.10008.5.1.4.1.1.130",
    "1.2.840.10008.5.1.4.1.1.20",
];
/// Sorted.
const TIMES: [u32; 10] = [
    0x0008_002A, // AcquisitionDateTime
    0x0008_0031, // SeriesTime
    0x0008_0032, // AcquisitionTime
    0x0018_1072, // RadiopharmaceuticalStartTime
    0x0018_1073, // RadiopharmaceuticalStopTime
    0x0018_1078, // RadiopharmaceuticalStartDateTime
    0x0018_1079, // RadiopharmaceuticalStopDateTime
    0x0018_9074, // FrameAcquisitionDateTime
    0x0018_9151, // FrameReferenceDateTime
    0x0018_9701, // DecayCorrectionDateTime
];

/// Whether what objects of a class show decays.
pub(super) fn is_of_decaying(class: &Uid) -> bool {
    CLASSES.binary_search(&class.as_str()).is_ok()
}

/// Whether decay is computed with the time of an attribute.
pub(super) fn is_decay_time(tag: Tag) -> bool {
    TIMES.binary_search(&number(tag)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{CLASSES, TIMES, Tag, is_decay_time, is_of_decaying};
    use dicom_dictionary_std::uids;

    #[test]
    fn classes_and_times_are_those_of_nuclear_medicine() {
        assert!(CLASSES.is_sorted() && TIMES.is_sorted());
        let decaying = [
            uids::NUCLEAR_MEDICINE_IMAGE_STORAGE,
            uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE,
            uids::LEGACY_CONVERTED_ENHANCED_PET_IMAGE_STORAGE,
            uids::ENHANCED_PET_IMAGE_STORAGE,
        ];
        assert!(decaying.iter().all(|class| is_of_decaying(&class.parse().unwrap())));
        assert!(!is_of_decaying(&uids::CT_IMAGE_STORAGE.parse().unwrap()));
        assert!(is_decay_time(Tag(8, 0x32)) && !is_decay_time(Tag(8, 0x30)));
    }
}

//! Which UIDs name instances.
//!
//! Every attribute of VR UI that PS3.6 has in data sets, as `dicom-dictionary-std` 0.10.1 and Table E.1-1 of PS3.15 2026d
//! list them (tests compare), is in one of two tables, by what PS3.3 says that its UID identifies:
//!
//! - **An instance**: something that was made or used once, and is found, filed or linked by its UID: a SOP instance, a
//!   study, a series, a frame of reference, a specimen, a device, a transaction, an observation, the system that holds it.
//! - **A kind**: what every product of a maker writes alike, and every site knows by the same UID: a SOP class, a transfer
//!   syntax, a coding scheme, a template, a model of a device, the software that wrote an object (Instance Creator UID),
//!   the organisation that made a scheme.
//!
//! What is in neither, of a later edition, is taken for an instance: it may name one.

use crate::dataset::{SOP_INSTANCE_UID, STUDY_INSTANCE_UID, Tag, number};

/// By which archives file, find and link: study, series, instance, reference to an instance.
pub(super) const FILED_BY: [Tag; 4] =
    [STUDY_INSTANCE_UID, Tag(0x0020, 0x000E), SOP_INSTANCE_UID, Tag(0x0008, 0x1155)];

/// Sorted. (0040,A124), the value of a content item, can be either.
const INSTANCES: [u32; 69] = [
    0x0004_1511, // ReferencedSOPInstanceUIDInFile
    0x0008_0017, // AcquisitionUID
    0x0008_0018, // SOPInstanceUID
    0x0008_0019, // PyramidUID
    0x0008_0058, // FailedSOPInstanceUIDList
    0x0008_1155, // ReferencedSOPInstanceUID
    0x0008_1167, // MultiFrameSourceSOPInstanceUID
    0x0008_1195, // TransactionUID
    0x0008_3010, // IrradiationEventUID
    0x0008_3012, // RadiopharmaceuticalAdministrationEventUID
    0x0018_1002, // DeviceUID
    0x0018_2042, // TargetUID
    0x0018_991E, // TargetFrameOfReferenceUID
    0x0020_000D, // StudyInstanceUID
    0x0020_000E, // SeriesInstanceUID
    0x0020_0052, // FrameOfReferenceUID
    0x0020_0200, // SynchronizationFrameOfReferenceUID
    0x0020_0242, // SOPInstanceUIDOfConcatenationSource
    0x0020_9161, // ConcatenationUID
    0x0020_9164, // DimensionOrganizationUID
    0x0020_9312, // VolumeFrameOfReferenceUID
    0x0020_9313, // TableFrameOfReferenceUID
    0x0028_0304, // ReferencedColorPaletteInstanceUID
    0x0028_1199, // PaletteColorLookupTableUID
    0x0028_1214, // LargePaletteColorLookupTableUID
    0x003A_0310, // MultiplexGroupUID
    0x0040_0554, // SpecimenUID
    0x0040_4023, // ReferencedGeneralPurposeScheduledProcedureStepTransactionUID
    0x0040_A021, // FindingsGroupUIDTrial
    0x0040_A022, // ReferencedFindingsGroupUIDTrial
    0x0040_A124, // UID
    0x0040_A171, // ObservationUID
    0x0040_A172, // ReferencedObservationUIDTrial
    0x0040_A402, // ObservationSubjectUIDTrial
    0x0040_E011, // RetrieveLocationUID
    0x0040_E030, // RepositoryUniqueID
    0x0040_E031, // HomeCommunityID
    0x0044_0102, // AssertionUID
    0x0044_0108, // ReferencedAssertionUID
    0x0062_0021, // TrackingUID
    0x0064_0003, // SourceFrameOfReferenceUID
    0x0068_7004, // ModelGroupUID
    0x006A_0003, // AnnotationGroupUID
    0x0070_031A, // FiducialUID
    0x0070_031B, // ReferencedFiducialUID
    0x0070_1101, // PresentationDisplayCollectionUID
    0x0070_1102, // PresentationSequenceCollectionUID
    0x0070_1209, // VolumetricPresentationInputSetUID
    0x0070_1904, // ReferencedContentItem
    0x0088_0140, // StorageMediaFileSetUID
    0x0400_0100, // DigitalSignatureUID
    0x3006_0024, // ReferencedFrameOfReferenceUID
    0x3006_00C2, // RelatedFrameOfReferenceUID
    0x300A_0013, // DoseReferenceUID
    0x300A_0054, // TableTopPositionAlignmentUID
    0x300A_0083, // ReferencedDoseReferenceUID
    0x300A_0609, // TreatmentPositionGroupUID
    0x300A_0650, // PatientSetupUID
    0x300A_0675, // EquipmentFrameOfReferenceUID
    0x300A_0700, // TreatmentSessionUID
    0x300A_0785, // ReferencedTreatmentPositionGroupUID
    0x3010_0006, // ConceptualVolumeUID
    0x3010_000B, // ReferencedConceptualVolumeUID
    0x3010_0013, // ConstituentConceptualVolumeUID
    0x3010_0015, // SourceConceptualVolumeUID
    0x3010_0031, // ReferencedFiducialsUID
    0x3010_003B, // RTTreatmentPhaseUID
    0x3010_006E, // DosimetricObjectiveUID
    0x3010_006F, // ReferencedDosimetricObjectiveUID
];

/// Sorted.
const KINDS: [u32; 28] = [
    0x0004_1432, // PrivateRecordUID
    0x0004_1510, // ReferencedSOPClassUIDInFile
    0x0004_1512, // ReferencedTransferSyntaxUIDInFile
    0x0004_151A, // ReferencedRelatedGeneralSOPClassUIDInFile
    0x0008_0014, // InstanceCreatorUID
    0x0008_0016, // SOPClassUID
    0x0008_001A, // RelatedGeneralSOPClassUID
    0x0008_001B, // OriginalSpecializedSOPClassUID
    0x0008_0062, // SOPClassesInStudy
    0x0008_010C, // CodingSchemeUID
    0x0008_010D, // ContextGroupExtensionCreatorUID
    0x0008_0117, // ContextUID
    0x0008_0118, // MappingResourceUID
    0x0008_040E, // StoredInstanceTransferSyntaxUID
    0x0008_1150, // ReferencedSOPClassUID
    0x0008_115A, // SOPClassesSupported
    0x0008_3002, // AvailableTransferSyntaxUID
    0x0008_9123, // CreatorVersionUID
    0x0018_100B, // ManufacturerDeviceClassUID
    0x0034_0003, // FlowTransferSyntaxUID
    0x0040_DB0C, // TemplateExtensionOrganizationUID
    0x0040_DB0D, // TemplateExtensionCreatorUID
    0x0072_007F, // SelectorUIValue
    0x0400_0010, // MACCalculationTransferSyntaxUID
    0x0400_0510, // EncryptedContentTransferSyntaxUID
    0x3010_001F, // SegmentationTemplateUID
    0x3010_0052, // PertinentSOPClassesInStudy
    0x3010_0053, // PertinentSOPClassesInSeries
];

/// Whether the UIDs of an attribute name instances, whatever VR they are written with.
pub(super) fn names_instances(tag: Tag) -> bool {
    INSTANCES.binary_search(&number(tag)).is_ok()
}

/// Whether the UIDs of an attribute name kinds of things.
pub(super) fn names_kinds(tag: Tag) -> bool {
    KINDS.binary_search(&number(tag)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dicom_core::VR;
    use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
    use dicom_dictionary_std::StandardDataDictionary;

    use super::{INSTANCES, KINDS};
    use crate::rewrite::{ROWS, Row};

    #[test]
    fn each_uid_of_the_dictionary_names_an_instance_or_a_kind() {
        let is_uid = |number: &u32| {
            let tag = dicom_core::Tag((number >> 16) as u16, (number & 0xFFFF) as u16);
            let entry = StandardDataDictionary.by_tag(tag);
            entry.is_some_and(|entry| entry.vr() == VirtualVr::Exact(VR::UI))
        };
        // All groups of PS3.6 in which there is anything but bits, points and curves.
        let low = (0x0004..=0x0100_u32).step_by(2);
        let high = (0x2000..=0x2200).step_by(0x10).chain((0x3002..=0x3010).step_by(2));
        let groups = low.chain([0x0400, 0x4008, 0x4010]).chain(high);
        let all = groups.flat_map(|group| (0..=0xFFFF).map(move |element| group << 16 | element));
        let known: BTreeSet<u32> = INSTANCES.into_iter().chain(KINDS).collect();
        assert_eq!(known.len(), INSTANCES.len() + KINDS.len(), "one is in both");
        assert!(INSTANCES.is_sorted() && KINDS.is_sorted());
        assert_eq!(all.filter(is_uid).collect::<BTreeSet<_>>(), known);
        let of_data_sets = |row: &&Row| row.vr == "UI" && row.tag >> 16 > 2;
        assert!(ROWS.iter().filter(of_data_sets).all(|row| known.contains(&row.tag)));
    }
}

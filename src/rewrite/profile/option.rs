//! The options of the profile (PS3.15 E.3).

/// An option of the profile (PS3.15 E.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileOption {
    /// Private attributes stay that Table E.3.10-1 lists, or that the object itself calls safe (PS3.15 E.3.10).
    RetainSafePrivate,
    /// UIDs of instances stay, so that objects can be found again by them (PS3.15 E.3.9).
    RetainUids,
    /// What identifies the device stays; AE titles become pseudonyms (PS3.15 E.3.8).
    RetainDeviceIdentity,
    /// What identifies the institution stays, its name and address (PS3.15 E.3.11).
    RetainInstitutionIdentity,
    /// Sex, age, size, weight and the like stay; texts among them are cleaned (PS3.15 E.3.7).
    RetainPatientCharacteristics,
    /// Dates and times stay but those of birth. Excludes the modified dates (PS3.15 E.3.6).
    RetainLongitudinalFullDates,
    /// Dates move by the same number of days for all objects of a patient. Excludes the full dates (PS3.15 E.3.6).
    RetainLongitudinalModifiedDates,
    /// Of descriptions, known words of anatomy, technique and views stay (PS3.15 E.3.5).
    CleanDescriptors,
    /// The content of structured reports is judged item by item, rather than replaced whole (PS3.15 E.3.4).
    CleanStructuredContent,
    /// Graphic annotations stay, without their texts; overlays and curves go (PS3.15 E.3.3).
    CleanGraphics,
}

impl ProfileOption {
    /// All of them, in the order in which [`Row::options`](super::Row::options) has their codes.
    pub const ALL: [Self; 10] = [
        Self::RetainSafePrivate,
        Self::RetainUids,
        Self::RetainDeviceIdentity,
        Self::RetainInstitutionIdentity,
        Self::RetainPatientCharacteristics,
        Self::RetainLongitudinalFullDates,
        Self::RetainLongitudinalModifiedDates,
        Self::CleanDescriptors,
        Self::CleanStructuredContent,
        Self::CleanGraphics,
    ];

    /// As a configuration writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RetainSafePrivate => "retain-safe-private",
            Self::RetainUids => "retain-uids",
            Self::RetainDeviceIdentity => "retain-device-identity",
            Self::RetainInstitutionIdentity => "retain-institution-identity",
            Self::RetainPatientCharacteristics => "retain-patient-characteristics",
            Self::RetainLongitudinalFullDates => "retain-longitudinal-full-dates",
            Self::RetainLongitudinalModifiedDates => "retain-longitudinal-modified-dates",
            Self::CleanDescriptors => "clean-descriptors",
            Self::CleanStructuredContent => "clean-structured-content",
            Self::CleanGraphics => "clean-graphics",
        }
    }

    /// Its code in CID 7050, of the scheme DCM, and the code's meaning (PS3.16).
    pub fn method(self) -> (&'static str, &'static str) {
        match self {
            Self::RetainSafePrivate => ("113111", "Retain Safe Private Option"),
            Self::RetainUids => ("113110", "Retain UIDs Option"),
            Self::RetainDeviceIdentity => ("113109", "Retain Device Identity Option"),
            Self::RetainInstitutionIdentity => ("113112", "Retain Institution Identity Option"),
            Self::RetainPatientCharacteristics => ("113108", "Retain Patient Characteristics Option"),
            Self::RetainLongitudinalFullDates => {
                ("113106", "Retain Longitudinal Temporal Information Full Dates Option")
            }
            Self::RetainLongitudinalModifiedDates => {
                ("113107", "Retain Longitudinal Temporal Information Modified Dates Option")
            }
            Self::CleanDescriptors => ("113105", "Clean Descriptors Option"),
            Self::CleanStructuredContent => ("113104", "Clean Structured Content Option"),
            Self::CleanGraphics => ("113103", "Clean Graphics Option"),
        }
    }
}

//! The attributes that a scope may speak of.

use std::fmt;

/// An attribute of a patient or study that archives answer a query with (PS3.4 C.6.1.1.2, C.6.1.1.3, C.6.2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// Study Date (0008,0020).
    StudyDate,
    /// Accession Number (0008,0050).
    AccessionNumber,
    /// Modalities in Study (0008,0061): several, and no object has it.
    ModalitiesInStudy,
    /// Institution Name (0008,0080).
    InstitutionName,
    /// Study Description (0008,1030).
    StudyDescription,
    /// Institutional Department Name (0008,1040).
    InstitutionalDepartmentName,
    /// Patient ID (0010,0020).
    PatientId,
    /// Issuer of Patient ID (0010,0021).
    IssuerOfPatientId,
    /// Study ID (0020,0010).
    StudyId,
}

impl Attribute {
    /// All of them, in the order of their tags.
    pub const ALL: [Self; 9] = [
        Self::StudyDate,
        Self::AccessionNumber,
        Self::ModalitiesInStudy,
        Self::InstitutionName,
        Self::StudyDescription,
        Self::InstitutionalDepartmentName,
        Self::PatientId,
        Self::IssuerOfPatientId,
        Self::StudyId,
    ];

    /// By its keyword (PS3.6), as a configuration names it.
    pub fn of(keyword: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.keyword() == keyword)
    }

    /// As [`Attribute::of`].
    ///
    /// # Errors
    /// What is wrong, and which there are.
    pub fn named(keyword: &str) -> Result<Self, String> {
        Self::of(keyword).ok_or_else(|| {
            let known = Self::ALL.map(Self::keyword).join(", ");
            format!("{keyword:?} is no attribute that a scope speaks of: write one of {known}")
        })
    }

    /// The keyword of the attribute in PS3.6, as a configuration names it.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::StudyDate => "StudyDate",
            Self::AccessionNumber => "AccessionNumber",
            Self::ModalitiesInStudy => "ModalitiesInStudy",
            Self::InstitutionName => "InstitutionName",
            Self::StudyDescription => "StudyDescription",
            Self::InstitutionalDepartmentName => "InstitutionalDepartmentName",
            Self::PatientId => "PatientID",
            Self::IssuerOfPatientId => "IssuerOfPatientID",
            Self::StudyId => "StudyID",
        }
    }

    /// Group and element number of the attribute.
    pub fn tag(self) -> (u16, u16) {
        match self {
            Self::StudyDate => (0x0008, 0x0020),
            Self::AccessionNumber => (0x0008, 0x0050),
            Self::ModalitiesInStudy => (0x0008, 0x0061),
            Self::InstitutionName => (0x0008, 0x0080),
            Self::StudyDescription => (0x0008, 0x1030),
            Self::InstitutionalDepartmentName => (0x0008, 0x1040),
            Self::PatientId => (0x0010, 0x0020),
            Self::IssuerOfPatientId => (0x0010, 0x0021),
            Self::StudyId => (0x0020, 0x0010),
        }
    }

    /// Whether it is of the patient, so that answers about patients have it too.
    pub fn is_of_patient(self) -> bool {
        matches!(self, Self::PatientId | Self::IssuerOfPatientId)
    }

    /// Whether it has several values.
    pub fn has_several(self) -> bool {
        self == Self::ModalitiesInStudy
    }

    /// Whether objects have it, and not only answers.
    pub fn is_in_objects(self) -> bool {
        self != Self::ModalitiesInStudy
    }

    /// Whether its value is a day.
    pub fn is_date(self) -> bool {
        self == Self::StudyDate
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}

//! The levels of a query (PS3.4 C.3), by Query/Retrieve Level (0008,0052).

use crate::policy::request::Request;

/// Of an information model, from the widest to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueryLevel {
    /// `PATIENT`
    Patient,
    /// `STUDY`
    Study,
    /// `SERIES`
    Series,
    /// `IMAGE`
    Image,
}

impl QueryLevel {
    /// Every one, the widest first.
    pub const ALL: [Self; 4] = [Self::Patient, Self::Study, Self::Series, Self::Image];

    /// As the standard and the configuration write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "PATIENT",
            Self::Study => "STUDY",
            Self::Series => "SERIES",
            Self::Image => "IMAGE",
        }
    }

    /// The level that a word names.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == word)
    }

    /// The level that an attribute is of, in the study root and patient root models (PS3.4 C.6): of what neither is known, the
    /// narrowest, so that it narrows no query that may not match on it.
    pub(super) fn of_attribute(tag: u32) -> Self {
        match tag {
            0x0010_0000..=0x0010_FFFF => Self::Patient,
            _ if OF_STUDIES.contains(&tag) => Self::Study,
            _ if OF_SERIES.contains(&tag) => Self::Series,
            _ => Self::Image,
        }
    }
}

/// PS3.4 Table C.6-2 and C.6-5: study date and time, accession number, modalities and SOP classes in study, referring physician,
/// description, procedure code, physicians of record and readers, study instance UID, study ID.
const OF_STUDIES: [u32; 13] = [
    0x0008_0020,
    0x0008_0030,
    0x0008_0050,
    0x0008_0061,
    0x0008_0062,
    0x0008_0090,
    0x0008_1030,
    0x0008_1032,
    0x0008_1048,
    0x0008_1060,
    0x0020_000D,
    0x0020_0010,
    0x0008_0056,
];

/// PS3.4 Table C.6-3: modality, institution, station, series description, body part, protocol, series instance UID, series number.
const OF_SERIES: [u32; 10] = [
    0x0008_0021,
    0x0008_0031,
    0x0008_0060,
    0x0008_0080,
    0x0008_1010,
    0x0008_103E,
    0x0018_0015,
    0x0018_1030,
    0x0020_000E,
    0x0020_0011,
];

/// Roots of information models that have no levels: worklists, procedure steps, hanging protocols and what else is filed for all.
const WITHOUT_LEVELS: [&str; 9] = [
    "1.2.840.10008.5.1.4.31",
    "1.2.840.10008.5.1.4.32.",
    "1.2.840.10008.5.1.4.34.",
    "1.2.840.10008.5.1.4.38.",
    "1.2.840.10008.5.1.4.39.",
    "1.2.840.10008.5.1.4.41",
    "1.2.840.10008.5.1.4.42",
    "1.2.840.10008.5.1.4.43.",
    "1.2.840.10008.5.1.4.1.1.200.",
];

/// Whether a request is in an information model that is known to have no levels. Of one that is not known, nobody can tell.
pub(super) fn has_none(request: &Request<'_>) -> bool {
    let is_without = |uid: &str| WITHOUT_LEVELS.iter().any(|root| uid.starts_with(root));
    is_without(request.abstract_syntax.as_str())
        && request.sop_class.is_none_or(|class| is_without(class.as_str()))
}

/// The levels of one that the other lacks.
pub(super) fn beyond(one: Option<&[QueryLevel]>, other: Option<&[QueryLevel]>) -> Option<String> {
    let other = other?;
    let Some(one) = one else { return Some("any".into()) };
    let more = super::listed(one.iter().filter(|level| !other.contains(level)).map(|level| level.name()));
    Some(more).filter(|more| !more.is_empty())
}

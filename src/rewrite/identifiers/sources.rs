//! Attributes of the header that say who a patient is, who treats them, and where.

use crate::dataset::Tag;

/// What an identifier is made of, which decides in which forms it may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    /// Components of persons' names (PS3.5 §6.2.1).
    Name,
    /// Digits, letters, and what separates them.
    Number,
    /// Lines and parts of an address.
    Place,
    /// Digits that are called, in whatever groups.
    Telephone,
    /// A number that is counted up, and may be short.
    Counted,
    /// A name of an institution or a device, which a manufacturer may have too.
    Site,
    /// A day.
    Day,
}

/// Attributes that are read, in the order of their tags.
pub(in crate::rewrite) const SOURCES: [Tag; 47] = [
    Tag(0x0008, 0x0050), // Accession Number
    Tag(0x0008, 0x0080), // Institution Name
    Tag(0x0008, 0x0081), // Institution Address
    Tag(0x0008, 0x0090), // Referring Physician's Name
    Tag(0x0008, 0x0092), // Referring Physician's Address
    Tag(0x0008, 0x0094), // Referring Physician's Telephone Numbers
    Tag(0x0008, 0x009C), // Consulting Physician's Name
    Tag(0x0008, 0x1010), // Station Name
    Tag(0x0008, 0x1048), // Physician(s) of Record
    Tag(0x0008, 0x1050), // Performing Physician's Name
    Tag(0x0008, 0x1060), // Name of Physician(s) Reading Study
    Tag(0x0008, 0x1070), // Operators' Name
    Tag(0x0010, 0x0010), // Patient's Name
    Tag(0x0010, 0x0020), // Patient ID
    Tag(0x0010, 0x0030), // Patient's Birth Date
    Tag(0x0010, 0x1000), // Other Patient IDs
    Tag(0x0010, 0x1001), // Other Patient Names
    Tag(0x0010, 0x1005), // Patient's Birth Name
    Tag(0x0010, 0x1040), // Patient's Address
    Tag(0x0010, 0x1050), // Insurance Plan Identification
    Tag(0x0010, 0x1060), // Patient's Mother's Birth Name
    Tag(0x0010, 0x1090), // Medical Record Locator
    Tag(0x0010, 0x2154), // Patient's Telephone Numbers
    Tag(0x0010, 0x2155), // Patient's Telecom Information
    Tag(0x0010, 0x2297), // Responsible Person
    Tag(0x0010, 0x2299), // Responsible Organization
    Tag(0x0012, 0x0040), // Clinical Trial Subject ID
    Tag(0x0012, 0x0042), // Clinical Trial Subject Reading ID
    DEVICE,
    STUDY_ID,
    Tag(0x0032, 0x1032), // Requesting Physician
    Tag(0x0038, 0x0010), // Admission ID
    Tag(0x0038, 0x0060), // Service Episode ID
    Tag(0x0038, 0x0300), // Current Patient Location
    Tag(0x0038, 0x0400), // Patient's Institution Residence
    Tag(0x0040, 0x0006), // Scheduled Performing Physician's Name
    Tag(0x0040, 0x1010), // Names of Intended Recipients of Results
    Tag(0x0040, 0x1102), // Person's Address
    Tag(0x0040, 0x1103), // Person's Telephone Numbers
    Tag(0x0040, 0x1104), // Person's Telecom Information
    Tag(0x0040, 0x2008), // Order Entered By
    Tag(0x0040, 0x2009), // Order Enterer's Location
    Tag(0x0040, 0x2010), // Order Callback Phone Number
    Tag(0x0040, 0x2011), // Order Callback Telecom Information
    Tag(0x0040, 0x2016), // Placer Order Number / Imaging Service Request
    LAST,
    Tag(0x0040, 0xA123), // Person Name
];

/// (0018,1000) Device Serial Number.
const DEVICE: Tag = Tag(0x0018, 0x1000);
/// (0020,0010) Study ID.
const STUDY_ID: Tag = Tag(0x0020, 0x0010);
/// (0040,2017) Filler Order Number / Imaging Service Request: what stands behind it is no longer waited for. Content, functional
/// groups and segments, which may be long, stand behind it, and no more identifiers do but names in items.
pub(in crate::rewrite) const LAST: Tag = Tag(0x0040, 0x2017);

/// Whether an element is one of some of these. Nearly none is, which has to be told fast.
#[inline]
pub(in crate::rewrite) fn is_among(sources: &[Tag], tag: Tag) -> bool {
    let may_be = matches!(tag.0, 0x0008 | 0x0010 | 0x0012 | 0x0032 | 0x0038 | 0x0040)
        || matches!(tag, DEVICE | STUDY_ID);
    may_be && sources.binary_search(&tag).is_ok()
}

/// What the attribute's values are made of.
pub(super) fn make_of(tag: Tag) -> Make {
    match (tag.0, tag.1) {
        (0x0008, 0x0090 | 0x009C | 0x1048..=0x1070) | (0x0032, _) => Make::Name,
        (0x0040, 0x0006 | 0x1010 | 0x2008 | 0xA123) => Make::Name,
        (0x0010, 0x0010 | 0x1001 | 0x1005 | 0x1060 | 0x2297) => Make::Name,
        (0x0010, 0x0030) => Make::Day,
        (0x0008, 0x0094) | (0x0010, 0x2154) | (0x0040, 0x1103 | 0x2010) => Make::Telephone,
        (0x0008, 0x0080 | 0x1010) => Make::Site,
        (0x0008, 0x0050) | (0x0010, 0x0020 | 0x1000 | 0x1050 | 0x1090) => Make::Number,
        (0x0012 | 0x0018, _) | (0x0038, 0x0010 | 0x0060) | (0x0040, 0x2016 | 0x2017) => Make::Number,
        (0x0020, _) => Make::Counted,
        _ => Make::Place,
    }
}

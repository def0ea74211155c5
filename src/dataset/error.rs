//! What can be wrong with a data set's structure.

use dicom_core::Tag;

/// A data set that cannot be read on: where, and why.
///
/// Where lengths are wrong, what is read as a tag may be bytes of a value. So only what PS3.6 lists is called a tag, and
/// sequences that items were found in; the offset tells the rest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {problem}")]
pub struct ScanError {
    /// The element that was being read.
    pub tag: Option<Tag>,
    /// The sequences around it, from the outside.
    pub path: Box<[PathStep]>,
    /// Bytes of the data set before it.
    pub offset: u64,
    /// What the bytes at that offset are, or are not.
    pub problem: ScanProblem,
}

/// A sequence on the way from the top of the data set to the element under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// The tag of the sequence; fragments of pixel data are in none.
    pub sequence: Tag,
    /// Counted from 1; 0 before the first item.
    pub item: u32,
}

/// Short, so that it fits an Error Comment (0000,0902) together with its tag and depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanProblem {
    /// Two elements of one tag follow each other.
    #[error("comes twice")]
    Duplicate,
    /// A tag is smaller than that of the element before it.
    #[error("out of order")]
    OutOfOrder,
    /// An element of group 0000 or 0002, which are a command's and a file's; or something follows trailing NULs.
    #[error("group not allowed in a data set")]
    ForbiddenGroup,
    /// In explicit VR, two bytes that are no VR of the standard: nobody knows how long the header is.
    #[error("unknown value representation")]
    UnknownVr,
    /// Only sequences, items and encapsulated pixel data may leave their end to a delimiter.
    #[error("undefined length not allowed here")]
    UndefinedLength,
    /// A header, element or item is longer than the item or sequence of defined length around it.
    #[error("longer than what holds it")]
    Overrun,
    /// A delimiter or item where none can be, as at the end of what has a defined length.
    #[error("delimiter out of place")]
    MisplacedDelimiter,
    /// A delimiter's length field is not 0.
    #[error("delimiter with a length")]
    DelimiterLength,
    /// Something else than an item stands in a sequence, or between fragments.
    #[error("an item was expected")]
    NotAnItem,
    /// A sequence in more sequences than are allowed.
    #[error("nested too deep")]
    TooDeep,
    /// Read in implicit VR, the first element is so long that its length could be a VR.
    #[error("data set can be read in two encodings")]
    TwoEncodings,
    /// The end came inside an element, item or sequence.
    #[error("data set ends inside")]
    Truncated,
}

impl ScanProblem {
    /// What the standard wants there (PS3.5 §7.1, §7.5).
    pub fn expected(self) -> &'static str {
        match self {
            Self::Duplicate => "each element once",
            Self::OutOfOrder => "elements in ascending order of their tags",
            Self::ForbiddenGroup => "elements of groups 0004 and above",
            Self::UnknownVr => "a value representation of PS3.5 6.2",
            Self::UndefinedLength => "a defined length; an undefined one is for sequences and pixel data",
            Self::Overrun => "a length within the item or sequence around it",
            Self::MisplacedDelimiter => "a delimiter only at the end of what has undefined length",
            Self::DelimiterLength => "a delimiter of length zero",
            Self::NotAnItem => "an item (FFFE,E000), or the end of the sequence",
            Self::TooDeep => "no more nested sequences than max-depth allows",
            Self::TwoEncodings => {
                "implicit VR, in which no first element is so long that its length looks like a VR"
            }
            Self::Truncated => "the rest of the data set",
        }
    }
}

//! What can be wrong with a data set's structure.

use dicom_core::Tag;

/// A data set that cannot be read on: where, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{tag} depth {depth}: {problem}")]
pub struct ScanError {
    /// The element that was being read.
    pub tag: Tag,
    /// Number of sequences around it.
    pub depth: usize,
    /// Bytes of the data set before it.
    pub offset: u64,
    pub problem: ScanProblem,
}

/// Short, so that it fits an Error Comment (0000,0902) together with its tag and depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanProblem {
    #[error("comes twice")]
    Duplicate,
    #[error("out of order")]
    OutOfOrder,
    #[error("group not allowed in a data set")]
    ForbiddenGroup,
    #[error("unknown value representation")]
    UnknownVr,
    #[error("undefined length not allowed here")]
    UndefinedLength,
    #[error("longer than what holds it")]
    Overrun,
    #[error("delimiter out of place")]
    MisplacedDelimiter,
    #[error("delimiter with a length")]
    DelimiterLength,
    #[error("an item was expected")]
    NotAnItem,
    #[error("nested too deep")]
    TooDeep,
    #[error("data set ends inside")]
    Truncated,
}

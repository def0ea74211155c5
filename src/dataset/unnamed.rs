//! Why it cannot be told what a data set says that it is.

/// Sequences and items of undefined length, one in the other.
pub(super) const DEEPEST: usize = 64;

/// Why it cannot be told what a data set says that it is. Each fits an Error Comment (0000,0902).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unnamed {
    /// Readers differ on which of the two counts.
    #[error("SOP class or instance UID of the data set comes twice, and not the same")]
    Twice,
    /// It is longer than a UID can be, or a sequence stands in its place.
    #[error("SOP class or instance UID of the data set is no UID")]
    NoUid,
    /// They are not among the first 64 KiB, or not among the first 128 KiB of a deflate stream.
    #[error("SOP class or instance UID not in the first 64 KiB")]
    TooLate,
    /// Nobody knows how long an element of it is, so that nothing behind it can be found.
    #[error("unknown value representation before the SOP instance UID")]
    UnknownVr,
    /// Read in implicit VR, the first element is so long that its length could be a VR.
    #[error("data set can be read in two encodings")]
    TwoEncodings,
    /// An item or delimiter stands out of place, or the data set ends inside an element.
    #[error("data set cannot be read as far as its SOP instance UID")]
    Structure,
    /// More of undefined length are open than are kept count of.
    #[error("sequences of the data set lie deeper than {DEEPEST} in each other")]
    TooDeep,
    /// What came is no deflate stream, does not end, or much follows its end.
    #[error("data set cannot be inflated")]
    Deflated,
}

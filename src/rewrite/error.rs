//! Why a data set cannot be rewritten.

use crate::dataset::{ScanError, ScanProblem, Tag};

/// A data set that cannot be rewritten: nothing of it may be called complete. Names the element, never a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct RewriteError {
    /// What a C-STORE-RSP says (PS3.4 B.2.3): 0xA700, out of resources, 0xA900, data set does not match SOP class, or 0xC000 and up, cannot
    /// understand.
    pub status: u16,
    /// The element, where it is about one.
    pub tag: Option<Tag>,
    /// Number of sequences around it.
    pub depth: usize,
    pub problem: RewriteProblem,
}

/// Short, so that it fits an Error Comment (0000,0902) together with its tag and depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteProblem {
    #[error("{0}")]
    Structure(ScanProblem),
    #[error("differs from the command")]
    CommandMismatch,
    #[error("missing")]
    Missing,
    #[error("too long to be edited")]
    TooLong,
    #[error("rule {} does not suit a sequence", .rule + 1)]
    NotForSequences { rule: usize },
    #[error("rule {} does not suit its VR", .rule + 1)]
    NotForVr { rule: usize },
    #[error("sequence grows too long")]
    Grown,
    #[error("deflated data set is damaged")]
    Inflate,
    #[error("deflated data set is too large")]
    InflatedSize,
    #[error("deflated data set ends early")]
    InflateTruncated,
    #[error("transform is finished")]
    Finished,
    #[error("no patient ID to make a pseudonym or dates from")]
    NoPatient,
    #[error("patient ID comes too late")]
    TooLate,
    #[error("no peer's name to write")]
    NoPeer,
    #[error("no tenant to write")]
    NoTenant,
    #[error("no number to write")]
    NoNumber,
    #[error("private SOP class, refused by the profile")]
    PrivateClass,
    #[error("encapsulated document, refused by the profile")]
    Document,
    #[error("burned-in text is likely; refused")]
    BurnedIn,
    #[error("no pseudonym that is known here")]
    NotAPseudonym,
    #[error("belongs to another patient")]
    OtherPatient,
    #[error("the real value does not fit the character set")]
    NotInCharacterSet,
    #[error("cannot be looked for by its value")]
    NotAKey,
    #[error("a pseudonym cannot be looked for with * or ?")]
    Wildcard,
    #[error("can only be looked for with the Patient ID")]
    NeedsPatientId,
    #[error("nothing on the other side has this value")]
    MatchesNothing,
    #[error("the crosswalk is not available")]
    Crosswalk,
    #[error("a pseudonym stands for something else already")]
    PseudonymTaken,
    #[error("more identifiers than can be remembered at once")]
    TooManyPseudonyms,
    #[error("burned-in text is likely; no mask fits")]
    NoMask,
    #[error("overlay in the pixels; refused")]
    OverlayInPixels,
    #[error("description of the image comes too late")]
    DescriptionTooLate,
    #[error("pixels of this layout cannot be masked")]
    Unmaskable,
    #[error("length is not that of the image; not masked")]
    PixelLength,
    #[error("no mask lies in the image")]
    OutsideImage,
    #[error("compressed pixels cannot be masked")]
    CompressedPixels,
    #[error("compressed frames cannot be told apart")]
    Frames,
    #[error("a frame cannot be decoded")]
    Undecodable,
    #[error("a frame is larger than may be decoded")]
    FrameSize,
    #[error("more frames at once than may be decoded")]
    FramesAtOnce,
    #[error("pixels inside a sequence cannot be masked")]
    NestedPixels,
    #[error("pixels outside an object; refused")]
    PixelsOfNoObject,
    #[error("missing; nothing was masked")]
    NoPixels,
}

impl RewriteError {
    pub(super) fn new(tag: Tag, depth: usize, problem: RewriteProblem) -> Self {
        Self { status: problem.status(), tag: Some(tag), depth, problem }
    }

    pub(super) fn whole(problem: RewriteProblem) -> Self {
        Self { status: problem.status(), tag: None, depth: 0, problem }
    }

    /// What was made could not be remembered: see [`Transform::take_correspondences`](super::Transform::take_correspondences).
    pub fn not_remembered() -> Self {
        Self::whole(RewriteProblem::Crosswalk)
    }

    /// A pseudonym that was made stands for another value already.
    pub fn pseudonym_taken() -> Self {
        Self::whole(RewriteProblem::PseudonymTaken)
    }

    /// For an Error Comment (0000,0902): ASCII, at most 64 characters.
    pub fn comment(&self) -> String {
        let mut comment = self.text();
        comment.truncate(64);
        comment
    }

    fn text(&self) -> String {
        match self.tag {
            Some(tag) if self.depth > 0 => format!("{tag} depth {}: {}", self.depth, self.problem),
            Some(tag) => format!("{tag}: {}", self.problem),
            None => self.problem.to_string(),
        }
    }
}

impl RewriteProblem {
    fn status(self) -> u16 {
        match self {
            Self::CommandMismatch | Self::Missing => 0xA900,
            Self::Structure(_) | Self::Inflate | Self::InflateTruncated => 0xC000,
            Self::TooLong | Self::Grown | Self::InflatedSize | Self::Finished => 0xC001,
            Self::NotForSequences { .. } | Self::NotForVr { .. } => 0xC002,
            Self::NoPeer | Self::NoTenant | Self::NoNumber => 0xC002,
            Self::NoPatient | Self::TooLate => 0xC003,
            Self::PrivateClass => 0xC004,
            Self::Document => 0xC005,
            Self::NotAPseudonym | Self::OtherPatient | Self::NotInCharacterSet | Self::MatchesNothing => {
                0xC008
            }
            // Identifier does not match SOP class (PS3.4 C.4.1.1.4).
            Self::NotAKey | Self::Wildcard | Self::NeedsPatientId => 0xA900,
            Self::Crosswalk | Self::PseudonymTaken | Self::TooManyPseudonyms => 0xA700,
            Self::BurnedIn | Self::NoMask | Self::OverlayInPixels | Self::PixelsOfNoObject => 0xC006,
            Self::DescriptionTooLate | Self::Unmaskable | Self::PixelLength | Self::OutsideImage => 0xC007,
            Self::CompressedPixels | Self::NestedPixels | Self::NoPixels => 0xC007,
            Self::Frames | Self::Undecodable | Self::FrameSize | Self::FramesAtOnce => 0xC007,
        }
    }
}

impl From<ScanError> for RewriteError {
    fn from(error: ScanError) -> Self {
        Self::new(error.tag, error.depth, RewriteProblem::Structure(error.problem))
    }
}
